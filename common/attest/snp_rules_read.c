#include "common/attest/snp_rules.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- firmware levels ---- */

static apex_status read_byte(struct reader *r, uint8_t *value)
{
    uint64_t v;
    TRY(read_count(r, UINT8_MAX, &v));
    *value = (uint8_t)v;
    return APEX_OK;
}

#define READ_LEVEL(name, member)                                                               \
    static apex_status name(struct reader *r, void *context)                                   \
    {                                                                                          \
        return read_byte(r, &((struct snp_tcb *)context)->member);                             \
    }
READ_LEVEL(read_fmc, fmc)
READ_LEVEL(read_bootloader, bootloader)
READ_LEVEL(read_tee_level, tee)
READ_LEVEL(read_snp, snp)
READ_LEVEL(read_microcode, microcode)

/* fmc first: only Turin has one. */
static const struct field levels[] = {{"fmc", true, read_fmc},
                                      {"bootloader", true, read_bootloader},
                                      {"tee", true, read_tee_level},
                                      {"snp", true, read_snp},
                                      {"microcode", true, read_microcode}};

static apex_status read_old(struct reader *r, struct snp_minimum *m, enum snp_product product)
{
    m->named |= UINT32_C(1) << product;
    return read_object(r, levels + 1, 4, &m->tcb[product]);
}
static apex_status read_milan(struct reader *r, void *context)
{
    return read_old(r, context, SNP_MILAN);
}
static apex_status read_genoa(struct reader *r, void *context)
{
    return read_old(r, context, SNP_GENOA);
}
static apex_status read_turin(struct reader *r, void *context)
{
    struct snp_minimum *m = context;
    m->named |= UINT32_C(1) << SNP_TURIN;
    return read_object(r, levels, 5, &m->tcb[SNP_TURIN]);
}

static apex_status read_minimum(struct reader *r, struct snp_minimum *m)
{
    static const struct field products[] = {{"milan", false, read_milan},
                                            {"genoa", false, read_genoa},
                                            {"turin", false, read_turin}};
    TRY(read_object(r, products, 3, m));
    return m->named ? APEX_OK : reader_fail(r, "name milan, genoa or turin, with its levels");
}
static apex_status read_tcb(struct reader *r, void *context)
{
    return read_minimum(r, &((struct snp_rules *)context)->tcb);
}
static apex_status read_launch_tcb(struct reader *r, void *context)
{
    return read_minimum(r, &((struct snp_rules *)context)->launch_tcb);
}

/* "1.55.29": major, minor, build, as AMD writes them. */
static apex_status read_firmware(struct reader *r, void *context)
{
    struct snp_rules *rules = context;
    unsigned parts[3];
    char text[16], again[16];
    TRY(read_text(r, text, sizeof text - 1));
    if (sscanf(text, "%3u.%3u.%3u", &parts[0], &parts[1], &parts[2]) == 3 &&
        parts[0] <= UINT8_MAX && parts[1] <= UINT8_MAX && parts[2] <= UINT8_MAX) {
        snprintf(again, sizeof again, "%u.%u.%u", parts[0], parts[1], parts[2]);
        rules->has_firmware = strcmp(text, again) == 0;
    }
    if (!rules->has_firmware)
        return reader_fail(r, "a firmware version such as 1.55.29 is expected");
    rules->firmware =
        (struct snp_version){(uint8_t)parts[0], (uint8_t)parts[1], (uint8_t)parts[2]};
    return APEX_OK;
}

/* ---- numbers and words ---- */

static apex_status read_u32(struct reader *r, uint32_t max, uint32_t *value)
{
    uint64_t v;
    TRY(read_count(r, max, &v));
    *value = (uint32_t)v;
    return APEX_OK;
}
static apex_status read_guest_svn(struct reader *r, void *context)
{
    return read_u32(r, UINT32_MAX, &((struct snp_rules *)context)->guest_svn);
}
static apex_status read_vmpl(struct reader *r, void *context)
{
    return read_u32(r, 3, &((struct snp_rules *)context)->vmpl);
}
static apex_status read_mitigations(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct snp_rules *)context)->mitigations);
}
static apex_status read_revocation(struct reader *r, void *context)
{
    return read_bool(r, &((struct snp_rules *)context)->revocation);
}

static apex_status read_allowance(struct reader *r, void *context)
{
    static const char *const names[] = {
        "debug", "migration", "smt", "cxl", "masked-chip", "provisional-firmware", "vmpl"};
    unsigned at;
    TRY(read_one_of(r, names, 7,
                    "one of debug, migration, smt, cxl, masked-chip, provisional-firmware and "
                    "vmpl can be allowed",
                    &at));
    ((struct snp_rules *)context)->allowed |= UINT32_C(1) << at;
    return APEX_OK;
}
static apex_status read_allow(struct reader *r, void *context)
{
    return read_array(r, context, 0, 7, read_allowance);
}

static apex_status read_requirement(struct reader *r, void *context)
{
    static const char *const names[SNP_REQUIREMENTS] = {
        "single-socket", "aes-256-xts", "rapl-off", "ciphertext-hiding", "page-swap-disable",
        "smt-off",       "tsme",        "ecc",      "alias-check",       "author-key"};
    unsigned at;
    TRY(read_one_of(r, names, SNP_REQUIREMENTS,
                    "not something an SEV-SNP report can be asked for", &at));
    ((struct snp_rules *)context)->required |= UINT32_C(1) << at;
    return APEX_OK;
}
static apex_status read_require(struct reader *r, void *context)
{
    return read_array(r, context, 0, SNP_REQUIREMENTS, read_requirement);
}

static apex_status read_provider(struct reader *r, void *context)
{
    struct snp_rules *rules = context;
    return read_text(r, rules->providers[rules->n_providers++], SNP_CSP_ID_MAX - 1);
}
static apex_status read_providers(struct reader *r, void *context)
{
    return read_array(r, context, 0, SNP_VALUES_MAX, read_provider);
}

/* ---- values ---- */

size_t snp_field_len(enum snp_field field)
{
    static const size_t lengths[SNP_FIELDS] = {32, SNP_DIGEST_LEN, SNP_DIGEST_LEN, 16,
                                               16, SNP_CHIP_ID_LEN};
    return lengths[field];
}

struct values {
    struct snp_rules *rules;
    enum snp_field which;
};

static apex_status read_value(struct reader *r, void *context)
{
    struct values *v = context;
    size_t *n = &v->rules->fields[v->which].n;
    char text[2 * SNP_CHIP_ID_LEN + 1];
    TRY(read_text(r, text, sizeof text - 1));
    if (hex_parse(span_text(text), v->rules->fields[v->which].at[*n],
                  snp_field_len(v->which)) != APEX_OK)
        return reader_fail(r, "lower-case hex of the field's length is expected");
    ++*n;
    return APEX_OK;
}

#define READ_FIELD(name, which)                                                                \
    static apex_status name(struct reader *r, void *context)                                   \
    {                                                                                          \
        return read_array(r, &(struct values){context, which}, 1, SNP_VALUES_MAX, read_value); \
    }
READ_FIELD(read_host_data, SNP_FIELD_HOST_DATA)
READ_FIELD(read_id_keys, SNP_FIELD_ID_KEY)
READ_FIELD(read_author_keys, SNP_FIELD_AUTHOR_KEY)
READ_FIELD(read_family_ids, SNP_FIELD_FAMILY_ID)
READ_FIELD(read_image_ids, SNP_FIELD_IMAGE_ID)
READ_FIELD(read_chips, SNP_FIELD_CHIP)

apex_status snp_rules_read(struct reader *r, struct snp_rules *rules)
{
    static const struct field fields[] = {{"minimum_tcb", false, read_tcb},
                                          {"minimum_launch_tcb", false, read_launch_tcb},
                                          {"minimum_firmware", false, read_firmware},
                                          {"minimum_guest_svn", false, read_guest_svn},
                                          {"maximum_vmpl", false, read_vmpl},
                                          {"mitigations", false, read_mitigations},
                                          {"allow", false, read_allow},
                                          {"require", false, read_require},
                                          {"providers", false, read_providers},
                                          {"revocation", false, read_revocation},
                                          {"host_data", false, read_host_data},
                                          {"id_keys", false, read_id_keys},
                                          {"author_keys", false, read_author_keys},
                                          {"family_ids", false, read_family_ids},
                                          {"image_ids", false, read_image_ids},
                                          {"chips", false, read_chips}};
    return read_object(r, fields, sizeof fields / sizeof *fields, rules);
}
