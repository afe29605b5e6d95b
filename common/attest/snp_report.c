#include "common/attest/snp_report.h"

#include "common/base/cursor.h"
#include "common/base/try.h"

enum { SIGNATURE_ECDSA_P384_SHA384 = 1 };

const char *snp_product_name(enum snp_product product)
{
    static const char *const names[] = {"Milan", "Genoa", "Turin"};
    return (unsigned)product < SNP_PRODUCTS ? names[product] : "unknown";
}

static apex_status zeros(struct cursor *c, size_t len)
{
    struct span bytes;
    uint8_t any = 0;
    TRY(cursor_take(c, len, &bytes));
    for (size_t i = 0; i < len; i++)
        any |= bytes.data[i];
    return any ? APEX_E_FORMAT : APEX_OK;
}

static apex_status version_read(struct cursor *c, struct snp_version *v)
{
    TRY(cursor_u8(c, &v->build));
    TRY(cursor_u8(c, &v->minor));
    TRY(cursor_u8(c, &v->major));
    return zeros(c, 1);
}

/* 0x048: which key signed, and whether one did. Bits 31:5 must be zero. */
static apex_status flags_read(struct cursor *c, struct snp_report *r)
{
    uint32_t flags;
    TRY(cursor_le32(c, &flags));
    if (flags >> 5) return APEX_E_FORMAT;
    r->author_key_en = flags & 1;
    r->mask_chip_key = flags >> 1 & 1;
    r->signing_key = flags >> 2 & 7;
    return zeros(c, 4);
}

/* 0x000 to 0x050. */
static apex_status head_read(struct cursor *c, struct snp_report *r)
{
    uint32_t algorithm;
    TRY(cursor_le32(c, &r->version));
    if (r->version < 2 || r->version > 5) return APEX_E_FORMAT;
    TRY(cursor_le32(c, &r->guest_svn));
    TRY(cursor_le64(c, &r->policy));
    if (r->policy >> SNP_POLICY_BITS || !snp_bit(r->policy, SNP_POLICY_ONE))
        return APEX_E_FORMAT;
    TRY(cursor_copy(c, 16, r->family_id));
    TRY(cursor_copy(c, 16, r->image_id));
    TRY(cursor_le32(c, &r->vmpl));
    TRY(cursor_le32(c, &algorithm));
    if (algorithm != SIGNATURE_ECDSA_P384_SHA384) return APEX_E_FORMAT;
    TRY(cursor_copy(c, 8, r->current_raw));
    TRY(cursor_le64(c, &r->platform_info));
    return flags_read(c, r);
}

/* 0x050 to 0x188. */
static apex_status digests_read(struct cursor *c, struct snp_report *r)
{
    TRY(cursor_copy(c, sizeof r->report_data, r->report_data));
    TRY(cursor_copy(c, sizeof r->measurement, r->measurement));
    TRY(cursor_copy(c, sizeof r->host_data, r->host_data));
    TRY(cursor_copy(c, sizeof r->id_key_digest, r->id_key_digest));
    TRY(cursor_copy(c, sizeof r->author_key_digest, r->author_key_digest));
    TRY(cursor_copy(c, sizeof r->report_id, r->report_id));
    TRY(cursor_copy(c, sizeof r->report_id_ma, r->report_id_ma));
    return cursor_copy(c, 8, r->reported_raw);
}

/* 0x188 to 0x2a0. CPUID came with version 3, the mitigation vectors with version 5; before that
 * their bytes were reserved. */
static apex_status platform_read(struct cursor *c, struct snp_report *r)
{
    if (r->version < 3)
        TRY(zeros(c, 3));
    else {
        TRY(cursor_u8(c, &r->cpuid_family));
        TRY(cursor_u8(c, &r->cpuid_model));
        TRY(cursor_u8(c, &r->cpuid_stepping));
    }
    TRY(zeros(c, 21));
    TRY(cursor_copy(c, sizeof r->chip_id, r->chip_id));
    TRY(cursor_copy(c, 8, r->committed_raw));
    TRY(version_read(c, &r->current));
    TRY(version_read(c, &r->committed));
    TRY(cursor_copy(c, 8, r->launch_raw));
    if (r->version < 5)
        TRY(zeros(c, 16));
    else {
        TRY(cursor_le64(c, &r->launch_mitigations));
        TRY(cursor_le64(c, &r->current_mitigations));
    }
    return zeros(c, 152);
}

/* 0x2a0 to the end: R and S little-endian, 72 bytes each of which 48 count. */
static apex_status signature_read(struct cursor *c, struct snp_report *r)
{
    for (size_t half = 0; half < 2; half++) {
        struct span number;
        TRY(cursor_take(c, 48, &number));
        for (size_t i = 0; i < 48; i++)
            r->signature[48 * half + i] = number.data[47 - i];
        TRY(zeros(c, 24));
    }
    return zeros(c, 368);
}

apex_status snp_report_parse(struct span bytes, struct snp_report *r)
{
    struct cursor c = cursor_on(bytes);
    *r = (struct snp_report){0};
    if (bytes.len != SNP_REPORT_LEN) return APEX_E_FORMAT;
    TRY(head_read(&c, r));
    TRY(digests_read(&c, r));
    TRY(platform_read(&c, r));
    TRY(signature_read(&c, r));
    return cursor_end(&c);
}

static apex_status tcb_decode(const uint8_t raw[static 8], enum snp_product product,
                              struct snp_tcb *t)
{
    if (product == SNP_TURIN) {
        *t = (struct snp_tcb){.fmc = raw[0],
                              .bootloader = raw[1],
                              .tee = raw[2],
                              .snp = raw[3],
                              .microcode = raw[7]};
        return raw[4] | raw[5] | raw[6] ? APEX_E_FORMAT : APEX_OK;
    }
    *t = (struct snp_tcb){
        .bootloader = raw[0], .tee = raw[1], .snp = raw[6], .microcode = raw[7]};
    return raw[2] | raw[3] | raw[4] | raw[5] ? APEX_E_FORMAT : APEX_OK;
}

apex_status snp_report_decode_tcb(struct snp_report *r, enum snp_product product)
{
    r->product = product;
    TRY(tcb_decode(r->current_raw, product, &r->current_tcb));
    TRY(tcb_decode(r->reported_raw, product, &r->reported_tcb));
    TRY(tcb_decode(r->committed_raw, product, &r->committed_tcb));
    return tcb_decode(r->launch_raw, product, &r->launch_tcb);
}

/* Family 19h: models 00h-0Fh are Milan; 10h-1Fh Genoa, and A0h-AFh Bergamo and Siena, under
 * Genoa's root. Family 1Ah, models 00h-1Fh: Turin. */
apex_status snp_report_product(const struct snp_report *r, enum snp_product *product)
{
    unsigned group = r->cpuid_model >> 4;
    if (r->cpuid_family == 0x19 && group == 0)
        *product = SNP_MILAN;
    else if (r->cpuid_family == 0x19 && (group == 1 || group == 0xa))
        *product = SNP_GENOA;
    else if (r->cpuid_family == 0x1a && group <= 1)
        *product = SNP_TURIN;
    else
        return APEX_E_NOT_FOUND;
    return APEX_OK;
}

bool snp_tcb_at_most(const struct snp_tcb *a, const struct snp_tcb *b)
{
    return a->fmc <= b->fmc && a->bootloader <= b->bootloader && a->tee <= b->tee &&
           a->snp <= b->snp && a->microcode <= b->microcode;
}

bool snp_tcb_equal(const struct snp_tcb *a, const struct snp_tcb *b)
{
    return snp_tcb_at_most(a, b) && snp_tcb_at_most(b, a);
}
