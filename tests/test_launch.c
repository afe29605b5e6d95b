/* Launch measurements of SEV-SNP guests: those sev-snp-measure publishes
 * (../shared/vectors/attestation), one a real Milan chip signed, and firmware that lies. */
#include "common/attest/launch.h"
#include "common/attest/tdvf.h"
#include "common/base/endian.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "tests/check.h"
#include "tests/made_firmware.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST "../shared/vectors/attestation/manifest.json"

static uint64_t number_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? strtoull(text, NULL, 0) : 0;
}

static void hash_of(const char *text, size_t len, uint8_t out[32])
{
    sha256(span_of(text, len), out);
}

static void ovmf_read(const json_t *parsed, struct ovmf *o)
{
    size_t i;
    json_t *s;
    *o = (struct ovmf){.hashes_gpa = (uint32_t)number_at(parsed, "sev_hashes_table_gpa"),
                       .reset_eip = (uint32_t)number_at(parsed, "sev_es_reset_eip")};
    json_array_foreach(json_object_get(parsed, "sections"), i, s) o->sections[o->n_sections++] =
        (struct ovmf_section){(uint32_t)number_at(s, "gpa"), (uint32_t)number_at(s, "size"),
                              (enum ovmf_section_kind)number_at(s, "type")};
}

static void launch_read(const json_t *inputs, struct launch *l, struct ovmf *o,
                        struct launch_kernel *k)
{
    const json_t *parsed = json_object_get(inputs, "parsed_ovmf");
    const char *vmm = json_string_value(json_object_get(inputs, "vmm"));
    const char *cmdline = json_string_value(json_object_get(inputs, "cmdline"));
    ovmf_read(parsed, o);
    *l =
        (struct launch){.ovmf = o,
                        .vmm = strcmp(vmm, "ec2") == 0   ? LAUNCH_EC2
                               : strcmp(vmm, "gce") == 0 ? LAUNCH_GCE
                                                         : LAUNCH_QEMU,
                        .vcpus = (uint32_t)json_integer_value(json_object_get(inputs, "vcpus")),
                        .features = number_at(inputs, "guest_features")};
    CHECK_OK(launch_vcpu_signature(json_string_value(json_object_get(inputs, "vcpu_type")),
                                   &l->vcpu_signature));
    assert_int_equal(l->vcpu_signature, number_at(inputs, "vcpu_sig"));
    CHECK_OK(hex_parse(span_text(json_string_value(json_object_get(parsed, "ovmf_hash"))),
                       l->firmware, sizeof l->firmware));
    if (!json_is_string(json_object_get(inputs, "kernel"))) return;
    hash_of("", 0, k->kernel);
    hash_of("", 0, k->initrd);
    hash_of(cmdline, strlen(cmdline) + 1, k->cmdline);
    l->kernel = k;
}

static void every_published_launch_gives_its_measurement(void **state)
{
    (void)state;
    json_t *manifest = json_load_file(MANIFEST, 0, NULL), *v;
    size_t i, n = 0;
    if (!manifest) skip();
    json_array_foreach(json_object_get(manifest, "vectors"), i, v)
    {
        const char *kind = json_string_value(json_object_get(v, "kind"));
        if (strcmp(kind, "snp-launch-digest") != 0) continue;
        struct launch l;
        struct ovmf o;
        struct launch_kernel k;
        uint8_t got[48];
        char hex[97];
        launch_read(json_object_get(v, "inputs"), &l, &o, &k);
        CHECK_OK(launch_measure(&l, got));
        hex_write(SPAN(got), hex);
        assert_string_equal(hex, json_string_value(json_object_get(json_object_get(v, "expect"),
                                                                   "launch_digest")));
        n++;
    }
    json_decref(manifest);
    printf("%zu launch measurements equal the published ones\n", n);
    CHECK(n >= 5);
}

/* Inputs dstack publishes beside a report (dstack-attest/tests/sev_snp_attestation.bin, commit
 * 312dc605) that an EPYC Milan signed: its MEASUREMENT is this one. */
static void a_measurement_that_a_real_chip_signed_is_recomputed(void **state)
{
    (void)state;
    static const char cmdline[] =
        "console=ttyS0 init=/init panic=1 net.ifnames=0 biosdevname=0 mce=off oops=panic "
        "pci=noearly pci=nommconf random.trust_cpu=y random.trust_bootloader=n tsc=reliable "
        "no-kvmclock "
        "dstack.rootfs_hash=ca5adaef0ac3a36108035925763b48a5818f634e700fbaab561d419fd30d7121 "
        "dstack.rootfs_size=490713088";
    static const struct ovmf o = {.hashes_gpa = 8457216,
                                  .reset_eip = 8433668,
                                  .n_sections = 7,
                                  .sections = {{8388608, 36864, OVMF_SEC_MEM},
                                               {8429568, 12288, OVMF_SEC_MEM},
                                               {8441856, 4096, OVMF_SECRETS},
                                               {8445952, 4096, OVMF_CPUID},
                                               {8450048, 4096, OVMF_SVSM_CAA},
                                               {8458240, 61440, OVMF_SEC_MEM},
                                               {8454144, 4096, OVMF_KERNEL_HASHES}}};
    struct launch_kernel k;
    struct launch l = {.ovmf = &o, .kernel = &k, .vmm = LAUNCH_QEMU, .vcpus = 2, .features = 1};
    uint8_t got[48];
    char hex[97];
    CHECK_OK(hex_parse(SPAN_TEXT("ffb57e393469a497c0e3b07bd1c97d8611e555f464d1449183766589"
                                 "3ac642b263a71f9507ff100a847897fe0c3f8c6f"),
                       l.firmware, 48));
    CHECK_OK(
        hex_parse(SPAN_TEXT("dd9ea274ce9a07090b22e8284b0c841b65c021c2d15ca57d0f16731089dd226c"),
                  k.kernel, 32));
    CHECK_OK(
        hex_parse(SPAN_TEXT("5f844c4a2ca5a3d0711b3db38293b21ba929bb8e0b3c5bc1a779a57f69221c19"),
                  k.initrd, 32));
    hash_of(cmdline, sizeof cmdline, k.cmdline);
    CHECK_OK(launch_vcpu_signature("EPYC-v4", &l.vcpu_signature));
    CHECK_OK(launch_measure(&l, got));
    hex_write(SPAN(got), hex);
    assert_string_equal(hex, "7f51e17f72a04d5422cb2c00998166536019a217376f3aa45a630e59c805a599"
                             "847ff250dbffcd07e1ba639771d6f05d");
    l.vcpus = 1; /* and every input shows in it */
    CHECK_OK(launch_measure(&l, got));
    CHECK(got[0] != 0x7f);
}

static void a_firmware_image_tells_its_tables(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    struct ovmf o;
    made_firmware(image);
    CHECK_OK(ovmf_parse(SPAN(image), &o));
    assert_int_equal(o.gpa, UINT64_C(0x100000000) - MADE_FIRMWARE_LEN);
    assert_int_equal(o.hashes_gpa, 0x810c00);
    assert_int_equal(o.reset_eip, 0x80b004);
    assert_int_equal(o.n_sections, 4);
    assert_memory_equal(o.sections, made_sections, sizeof made_sections);
    assert_int_equal(o.tdx_from_end, 0x600);
}

/* Each case changes one value of a good image and names what must come of it. */
static void a_firmware_image_that_lies_is_refused(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    enum { table = MADE_TABLE, meta = MADE_SEV };
    const struct {
        size_t at;
        uint32_t value;
        size_t width;
        apex_status want;
    } cases[] = {
        {table, 17, 2, APEX_E_FORMAT},              /* the table is smaller than its own head */
        {table, 0xffff, 2, APEX_E_FORMAT},          /* it begins before the image */
        {table, 18 + 4 * 22 + 1, 2, APEX_E_FORMAT}, /* a byte is left over */
        {table + 2, 0, 2, APEX_E_FORMAT},           /* no table */
        {table - 18, 17, 2, APEX_E_FORMAT},         /* an entry smaller than its head */
        {table - 18, 0x7fff, 2, APEX_E_FORMAT},     /* an entry larger than the table */
        {table - 18 - 2 * 22, 21, 2, APEX_E_FORMAT}, /* three bytes where an offset is due */
        {table - 22, MADE_FIRMWARE_LEN + 1, 4, APEX_E_FORMAT}, /* metadata before the image */
        {table - 22, 8, 4, APEX_E_FORMAT},                     /* metadata past its end */
        {meta, 0, 4, APEX_E_FORMAT},                           /* not ASEV */
        {meta + 4, 16 + 5 * 12, 4, APEX_E_FORMAT},             /* sizes that do not add up */
        {meta + 8, 2, 4, APEX_E_FORMAT},                       /* a version we do not know */
        {meta + 12, 33, 4, APEX_E_LIMIT},                      /* too many sections */
        {meta + 12, 0xffffffff, 4, APEX_E_LIMIT},
        {meta + 16, 0x800001, 4, APEX_E_FORMAT}, /* an address within a page */
        {meta + 20, 0x9001, 4, APEX_E_FORMAT},   /* part of a page */
        {meta + 20, 0, 4, APEX_E_FORMAT},
        {meta + 16, 0xfffff000, 4, APEX_E_FORMAT}, /* beyond 4 GiB */
        {meta + 20, 0x20000000, 4, APEX_E_LIMIT},  /* more pages than a guest starts with */
        {meta + 24, 5, 4, APEX_E_FORMAT},          /* a kind we do not know */
        {meta + 24, 0x11, 4, APEX_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ovmf o;
        made_firmware(image);
        if (cases[i].width == 2)
            put_le16(image + cases[i].at, (uint16_t)cases[i].value);
        else
            put_le32(image + cases[i].at, cases[i].value);
        apex_status got = ovmf_parse(SPAN(image), &o);
        if (got != cases[i].want) fail_msg("case %zu: %d, not %d", i, got, cases[i].want);
    }
}

static void an_image_of_no_whole_pages_is_refused(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    struct ovmf o;
    uint8_t digest[48];
    made_firmware(image);
    CHECK_STATUS(ovmf_parse(span_of(image, 0), &o), APEX_E_FORMAT);
    CHECK_STATUS(ovmf_parse(span_of(image + 1, MADE_FIRMWARE_LEN - 1), &o), APEX_E_FORMAT);
    CHECK_STATUS(launch_firmware(span_of(image, 0), digest), APEX_E_FORMAT);
    CHECK_STATUS(launch_firmware(span_of(image, MADE_FIRMWARE_LEN - 1), digest), APEX_E_FORMAT);
    CHECK_OK(launch_firmware(SPAN(image), digest));
}

static void what_a_firmware_cannot_start_is_not_measured(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    struct ovmf o;
    struct launch_kernel k = {{1}, {2}, {3}};
    uint8_t got[48];
    made_firmware(image);
    CHECK_OK(ovmf_parse(SPAN(image), &o));
    struct launch l = {.ovmf = &o, .kernel = &k, .vcpus = 2, .features = 1};
    CHECK_OK(launch_measure(&l, got));
    l.vcpus = 0;
    CHECK_STATUS(launch_measure(&l, got), APEX_E_USAGE);
    l.vcpus = VCPUS_MAX + 1;
    CHECK_STATUS(launch_measure(&l, got), APEX_E_USAGE);
    l.vcpus = 2;
    o.reset_eip = 0; /* nobody knows where the second processor starts */
    CHECK_STATUS(launch_measure(&l, got), APEX_E_USAGE);
    o.reset_eip = 0x80b004;
    o.hashes_gpa = 0; /* a firmware that checks no kernel would start any */
    CHECK_STATUS(launch_measure(&l, got), APEX_E_USAGE);
    o.hashes_gpa = 0x812000; /* the table would go elsewhere than the section */
    CHECK_STATUS(launch_measure(&l, got), APEX_E_FORMAT);
    o.hashes_gpa = 0x810f60; /* or past its end */
    CHECK_STATUS(launch_measure(&l, got), APEX_E_FORMAT);
    o.hashes_gpa = 0x810c00;
    o.sections[3].kind = OVMF_SEC_MEM;
    CHECK_STATUS(launch_measure(&l, got), APEX_E_USAGE);
    l.kernel = NULL;
    CHECK_OK(launch_measure(&l, got));
}

static void hex_is(const uint8_t digest[48], const char *want)
{
    char hex[97];
    hex_write(span_of(digest, 48), hex);
    assert_string_equal(hex, want);
}

/* Golden values: hashlib, by the specification's words (MEM.PAGE.ADD, MR.EXTEND). */
static void a_td_of_a_firmware_has_one_of_two_mrtds(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    uint8_t got[48];
    made_firmware(image);
    CHECK_OK(td_mrtd(SPAN(image), TD_PAGE_BY_PAGE, got));
    hex_is(got, "f3d9ecad267e565065b00ce4f22e49780180cee45a33ac88"
                "fa4eedf5980aff4f3c3ec82109da9b7579a04e19967d5d42");
    CHECK_OK(td_mrtd(SPAN(image), TD_SECTION_BY_SECTION, got));
    hex_is(got, "f82e988cbb47ad6b84e44cc4ff3d5a0c6ea984201cb21cd4"
                "bfd6412450dedd76817f76075b8afa64d687c7bcf5198b2b");
    memset(image + MADE_TABLE - 18 - 3 * MADE_ENTRY + 2, 0, 16);
    CHECK_STATUS(td_mrtd(SPAN(image), TD_PAGE_BY_PAGE, got), APEX_E_NOT_FOUND);
}

static void command_line_and_initrd_give_rtmr2(void **state)
{
    (void)state;
    static char line[4097];
    uint8_t got[48];
    CHECK_OK(td_rtmr2(SPAN_TEXT("console=ttyS0 panic=-1"), SPAN_TEXT("an initrd"), got));
    hex_is(got,
           "4bf6b9509ecf270a41a4d80ec740ebdb7393b5074e5eb3f0030404a95e4797552ba5e01d07adf46c"
           "710b8d9304f58e60");
    CHECK_STATUS(td_rtmr2(SPAN_TEXT("caf\xc3\xa9"), SPAN_TEXT(""), got), APEX_E_FORMAT);
    memset(line, 'a', sizeof line);
    CHECK_STATUS(td_rtmr2(SPAN(line), SPAN_TEXT(""), got), APEX_E_LIMIT);
}

static void tdx_metadata_that_lie_are_refused(void **state)
{
    (void)state;
    static uint8_t image[MADE_FIRMWARE_LEN];
    static const struct {
        size_t at;
        uint32_t value;
        apex_status want;
    } cases[] = {
        {MADE_TABLE - 4 * MADE_ENTRY, MADE_FIRMWARE_LEN + 1, APEX_E_FORMAT}, /* before it */
        {MADE_TABLE - 4 * MADE_ENTRY, 20, APEX_E_FORMAT},                    /* past its end */
        {MADE_TDX, 0, APEX_E_FORMAT},
        {MADE_TDX + 8, 2, APEX_E_FORMAT},
        {MADE_TDX + 12, 33, APEX_E_LIMIT},
        {MADE_TDX + 12, 0xffffffff, APEX_E_LIMIT},
        {MADE_TDX + 16, 1, APEX_E_FORMAT},          /* data past the image's end */
        {MADE_TDX + 16, 0xffffffff, APEX_E_FORMAT}, /* and by a length that would wrap */
        {MADE_TDX + 20, 0x1000, APEX_E_FORMAT},     /* half of what is hashed is not there */
        {MADE_TDX + 24, 0xffffe001, APEX_E_FORMAT}, /* an address within a page */
        {MADE_TDX + 32, 0x1001, APEX_E_FORMAT},     /* part of a page */
        {MADE_TDX + 36, 1, APEX_E_FORMAT},          /* 4 GiB of pages */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t got[48];
        made_firmware(image);
        put_le32(image + cases[i].at, cases[i].value);
        apex_status s = td_mrtd(SPAN(image), TD_PAGE_BY_PAGE, got);
        if (s != cases[i].want) fail_msg("case %zu: %d, not %d", i, s, cases[i].want);
    }
}

/* Debian's OVMF, where it is installed (tools/packages.txt): a real table, real metadata. The
 * golden values are those of the build named here. */
static void debians_firmware_is_measured(void **state)
{
    (void)state;
    static const char build[] =
        "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773";
    FILE *f = fopen("/usr/share/ovmf/OVMF.fd", "rb");
    struct ovmf o;
    uint8_t got[48], digest[32];
    char hex[65];
    if (!f) skip();
    uint8_t *image = malloc(FIRMWARE_MAX);
    assert_non_null(image);
    struct span whole = span_of(image, fread(image, 1, FIRMWARE_MAX, f));
    fclose(f);
    CHECK_OK(ovmf_parse(whole, &o));
    CHECK(o.n_sections >= 4 && o.reset_eip != 0 && o.tdx_from_end != 0);
    struct launch l = {.ovmf = &o, .vcpus = 4, .features = 1};
    CHECK_OK(launch_vcpu_signature("EPYC-Milan-v1", &l.vcpu_signature));
    CHECK_OK(launch_firmware(whole, l.firmware));
    CHECK_OK(launch_measure(&l, got));
    sha256(whole, digest);
    hex_write(SPAN(digest), hex);
    if (strcmp(hex, build) == 0) {
        hex_is(got, "e9c10ab98f8086bf4a4993dcdc1f768b1128bcb02301d179"
                    "1f1d3274329e790db2d12a301d66d99a462a13b5d87e2840");
        CHECK_OK(td_mrtd(whole, TD_PAGE_BY_PAGE, got));
        hex_is(got,
               "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744"
               "d5631a212967fb231c47");
        CHECK_OK(td_mrtd(whole, TD_SECTION_BY_SECTION, got));
        hex_is(got,
               "acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924"
               "cba830a724eed443f7e1");
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_launch_gives_its_measurement),
        cmocka_unit_test(a_measurement_that_a_real_chip_signed_is_recomputed),
        cmocka_unit_test(a_firmware_image_tells_its_tables),
        cmocka_unit_test(a_firmware_image_that_lies_is_refused),
        cmocka_unit_test(an_image_of_no_whole_pages_is_refused),
        cmocka_unit_test(what_a_firmware_cannot_start_is_not_measured),
        cmocka_unit_test(a_td_of_a_firmware_has_one_of_two_mrtds),
        cmocka_unit_test(command_line_and_initrd_give_rtmr2),
        cmocka_unit_test(tdx_metadata_that_lie_are_refused),
        cmocka_unit_test(debians_firmware_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
