#include "client/lib/home.h"

#include "common/attest/launch.h"
#include "common/attest/tdvf.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "include/apex/apex.h"

#include <stdio.h>

enum { IMAGE_FILE_MAX = 512 << 20, COMMAND_LINE_MAX = 4096 };

struct image {
    struct buffer kernel, initrd, cmdline, firmware;
    bool has_firmware;
    struct ovmf ovmf;
    struct launch_kernel hashes;
    uint32_t signature;
};

static void image_clear(struct image *i)
{
    buffer_clear(&i->kernel);
    buffer_clear(&i->initrd);
    buffer_clear(&i->cmdline);
    buffer_clear(&i->firmware);
}

static apex_status part_load(const char *folder, const char *name, size_t max,
                             struct buffer *out, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return apex_fail(error, APEX_E_USAGE, "the folder's name is too long",
                         "nothing was measured", "give a shorter path", "you");
    return file_load(path, max, out, error);
}

/* One line, without the newline an editor leaves: QEMU is given the words alone. */
static apex_status cmdline_trim(struct buffer *line, struct apex_error *error)
{
    while (line->len > 0 &&
           (line->data[line->len - 1] == '\n' || line->data[line->len - 1] == '\r'))
        line->len--;
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] < 0x20 || line->data[i] > 0x7e)
            return apex_fail(error, APEX_E_FORMAT,
                             "the command line holds more than printable ASCII",
                             "nothing was measured", "write it in one line of ASCII", "you");
    return APEX_OK;
}

static apex_status firmware_load(const char *path, struct image *i, struct apex_error *error)
{
    TRY(file_load(path, FIRMWARE_MAX, &i->firmware, error));
    i->has_firmware = true;
    if (ovmf_parse(buffer_span(&i->firmware), &i->ovmf) == APEX_OK) return APEX_OK;
    return apex_fail(error, APEX_E_FORMAT,
                     "this is not an OVMF image whose tables can be read (whole pages, with a "
                     "footer table)",
                     "nothing was measured",
                     "give the file that holds OVMF's code, such as OVMF.fd, as built", "you");
}

static apex_status image_load(const struct apex_image_options *o, struct image *i,
                              struct apex_error *error)
{
    TRY(part_load(o->folder, "vmlinuz", IMAGE_FILE_MAX, &i->kernel, error));
    TRY(part_load(o->folder, "initrd.img", IMAGE_FILE_MAX, &i->initrd, error));
    TRY(part_load(o->folder, "cmdline", COMMAND_LINE_MAX, &i->cmdline, error));
    TRY(cmdline_trim(&i->cmdline, error));
    if (launch_vcpu_signature(o->cpu ? o->cpu : "EPYC-v4", &i->signature) != APEX_OK)
        return apex_fail(error, APEX_E_USAGE, "no such processor model is known",
                         "nothing was measured",
                         "one of QEMU's: EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin "
                         "(with -v1 and so on)",
                         "you");
    return o->firmware ? firmware_load(o->firmware, i, error) : APEX_OK;
}

static void hashes_tell(struct image *i, struct apex_image_measurements *m)
{
    struct sha256 h;
    uint8_t digest[HASH_LEN];
    sha256(buffer_span(&i->kernel), i->hashes.kernel);
    sha256(buffer_span(&i->initrd), i->hashes.initrd);
    sha256_init(&h);
    sha256_update(&h, buffer_span(&i->cmdline));
    sha256_update(&h, SPAN_TEXT("\0"));
    sha256_final(&h, i->hashes.cmdline);
    hex_write(SPAN(i->hashes.kernel), m->kernel);
    hex_write(SPAN(i->hashes.initrd), m->initrd);
    hex_write(SPAN(i->hashes.cmdline), m->cmdline);
    snprintf(m->command_line, sizeof m->command_line, "%.*s", (int)i->cmdline.len,
             i->cmdline.len ? (const char *)i->cmdline.data : "");
    if (!i->has_firmware) return;
    sha256(buffer_span(&i->firmware), digest);
    hex_write(SPAN(digest), m->firmware);
}

static void tell(struct apex_image_measurement *m, apex_status s, const uint8_t digest[48],
                 const char *why)
{
    if (s == APEX_OK)
        hex_write(span_of(digest, 48), m->hex);
    else
        snprintf(m->why, sizeof m->why, "%s", why);
}

/* On EC2 the firmware is AWS's and starts from a disk: it is handed no kernel. */
static void snp_tell(struct image *i, struct apex_image_measurements *m)
{
    uint8_t digest[48];
    struct launch l = {.ovmf = &i->ovmf,
                       .kernel = &i->hashes,
                       .vmm = LAUNCH_QEMU,
                       .vcpus = m->vcpus,
                       .vcpu_signature = i->signature,
                       .features = m->features};
    apex_status s = launch_firmware(buffer_span(&i->firmware), l.firmware);
    if (s == APEX_OK) s = launch_measure(&l, digest);
    tell(&m->snp_qemu, s, digest,
         s == APEX_E_USAGE && i->ovmf.hashes_gpa == 0
             ? "this firmware does not check which kernel it starts: any would do. Use OVMF's "
               "AmdSev build"
             : "this firmware does not tell all that is needed");
    l.vmm = LAUNCH_EC2;
    l.kernel = NULL;
    s = launch_measure(&l, digest);
    tell(&m->snp_ec2, s, digest, "this firmware does not tell all that is needed");
}

static void td_tell(struct image *i, struct apex_image_measurements *m)
{
    static const char none[] = "this firmware carries no TDX metadata";
    uint8_t digest[48];
    apex_status s = td_mrtd(buffer_span(&i->firmware), TD_PAGE_BY_PAGE, digest);
    tell(&m->td_mrtd, s, digest, none);
    s = td_mrtd(buffer_span(&i->firmware), TD_SECTION_BY_SECTION, digest);
    tell(&m->td_mrtd_older, s, digest, none);
}

static void measure(struct image *i, struct apex_image_measurements *m)
{
    static const char none[] = "the firmware is not known: give it with --firmware";
    uint8_t digest[48];
    hashes_tell(i, m);
    apex_status s = td_rtmr2(buffer_span(&i->cmdline), buffer_span(&i->initrd), digest);
    tell(&m->td_rtmr2, s, digest, "the command line is too long");
    if (i->has_firmware) {
        snp_tell(i, m);
        td_tell(i, m);
        return;
    }
    tell(&m->snp_qemu, APEX_E_NOT_FOUND, NULL, none);
    tell(&m->snp_ec2, APEX_E_NOT_FOUND, NULL, none);
    tell(&m->td_mrtd, APEX_E_NOT_FOUND, NULL, none);
    tell(&m->td_mrtd_older, APEX_E_NOT_FOUND, NULL, none);
}

apex_status apex_image_measure(const struct apex_image_options *options,
                               struct apex_image_measurements *m, struct apex_error *error)
{
    struct image i = {0};
    *m =
        (struct apex_image_measurements){.vcpus = options->vcpus ? options->vcpus : 1,
                                         .features = options->features ? options->features : 1};
    snprintf(m->cpu, sizeof m->cpu, "%s", options->cpu ? options->cpu : "EPYC-v4");
    if (m->vcpus > VCPUS_MAX)
        return apex_fail(error, APEX_E_USAGE, "no machine has that many processors",
                         "nothing was measured", "give their number with --vcpus", "you");
    apex_status s = image_load(options, &i, error);
    if (s == APEX_OK) measure(&i, m);
    image_clear(&i);
    return s;
}
