/* `apex image measure`, as a library call: the files of an image, and a firmware, give what
 * sev-snp-measure and hashlib say of the same bytes. */
#include "include/apex/apex.h"
#include "tests/check.h"
#include "tests/made_firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/apex-image-XXXXXX";
static struct apex_image_measurements m;
static struct apex_error e;

static void put(const char *name, const void *bytes, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static int setup(void **state)
{
    static uint8_t firmware[MADE_FIRMWARE_LEN];
    (void)state;
    if (!mkdtemp(folder)) return -1;
    made_firmware(firmware);
    put("firmware", firmware, sizeof firmware);
    put("vmlinuz", "a kernel", 8);
    put("initrd.img", "an initrd", 9);
    put("cmdline", "console=ttyS0 panic=-1\n", 23);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"firmware", "vmlinuz", "initrd.img", "cmdline"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static struct apex_image_options options(const char *firmware)
{
    return (struct apex_image_options){.folder = folder,
                                       .firmware = firmware,
                                       .cpu = "EPYC-Genoa",
                                       .vcpus = 4,
                                       .features = 0x21};
}

static void an_image_gives_the_measurements_other_programs_give(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/firmware", folder);
    struct apex_image_options o = options(path);
    CHECK_OK(apex_image_measure(&o, &m, &e));
    assert_string_equal(m.command_line, "console=ttyS0 panic=-1");
    assert_string_equal(m.snp_qemu.hex, "289e522de3468e9930f7223b0c5b0b7100554c1c69d2d916"
                                        "654b904147c486aa804c5310dc4dc4c1530c61d1d17da923");
    assert_string_equal(m.snp_ec2.hex, "223ded3948cde9140c6cfadbd4635797b379ee5b7c7bf53f"
                                       "b16746f659d2996b14a6a6bec2b2bde89f68903254674ce9");
    assert_string_equal(m.td_rtmr2.hex,
                        "4bf6b9509ecf270a41a4d80ec740ebdb7393b5074e5eb3f0030404a9"
                        "5e4797552ba5e01d07adf46c710b8d9304f58e60");
    assert_int_equal(strlen(m.td_mrtd.hex), 96);
    CHECK(strcmp(m.td_mrtd.hex, m.td_mrtd_older.hex) != 0);
}

static void without_a_firmware_what_needs_none_is_told_and_the_rest_said_to_lack_it(
    void **state)
{
    (void)state;
    struct apex_image_options o = options(NULL);
    CHECK_OK(apex_image_measure(&o, &m, &e));
    CHECK(m.snp_qemu.hex[0] == 0 && strstr(m.snp_qemu.why, "firmware"));
    CHECK(m.td_mrtd.hex[0] == 0 && strstr(m.td_mrtd.why, "firmware"));
    assert_int_equal(strlen(m.td_rtmr2.hex), 96);
    assert_int_equal(strlen(m.kernel), 64);
}

static void what_cannot_be_measured_is_said(void **state)
{
    (void)state;
    struct apex_image_options o = options(NULL);
    o.folder = "/nowhere";
    CHECK_STATUS(apex_image_measure(&o, &m, &e), APEX_E_NOT_FOUND);
    o = options(NULL);
    o.cpu = "Z80";
    CHECK_STATUS(apex_image_measure(&o, &m, &e), APEX_E_USAGE);
    o = options(NULL);
    o.vcpus = 4097;
    CHECK_STATUS(apex_image_measure(&o, &m, &e), APEX_E_USAGE);
    o = options("/dev/null");
    CHECK_STATUS(apex_image_measure(&o, &m, &e), APEX_E_FORMAT);
    CHECK(strstr(e.what, "OVMF"));
    put("cmdline", "console=ttyS0\ninit=/bin/sh", 26);
    o = options(NULL);
    CHECK_STATUS(apex_image_measure(&o, &m, &e), APEX_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_gives_the_measurements_other_programs_give),
        cmocka_unit_test(
            without_a_firmware_what_needs_none_is_told_and_the_rest_said_to_lack_it),
        cmocka_unit_test(what_cannot_be_measured_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
