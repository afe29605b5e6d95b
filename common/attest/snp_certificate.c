#include "common/attest/snp_certificate.h"

#include "common/base/cursor.h"
#include "common/base/try.h"

#include <stdio.h>

#define AMD "1.3.6.1.4.1.3704.1."

enum { TABLE_ENTRIES_MAX = 16, TABLE_ENTRY_LEN = 24, TABLE_GUID_LEN = 16 };

static const uint8_t vcek_guid[TABLE_GUID_LEN] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64,
                                                  0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
                                                  0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t vlek_guid[TABLE_GUID_LEN] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a,
                                                  0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0,
                                                  0x45, 0xa0, 0xb8, 0xa1};

/* Entries of {GUID, offset, length}, closed by one of zeros; offsets count from the table's
 * start. The host writes it: every number is held against the bytes there are. */
static apex_status table_find(struct span table, const uint8_t guid[static TABLE_GUID_LEN],
                              struct span *certificate)
{
    static const uint8_t zero[TABLE_GUID_LEN];
    struct cursor c = cursor_on(table);
    for (size_t i = 0; i < TABLE_ENTRIES_MAX; i++) {
        uint8_t id[TABLE_GUID_LEN];
        uint32_t offset, len;
        TRY(cursor_copy(&c, sizeof id, id));
        TRY(cursor_le32(&c, &offset));
        TRY(cursor_le32(&c, &len));
        if (memcmp(id, zero, sizeof id) == 0) return APEX_E_NOT_FOUND;
        if (offset > table.len || len > table.len - offset) return APEX_E_FORMAT;
        if (memcmp(id, guid, sizeof id) != 0) continue;
        *certificate = span_of(table.data + offset, len);
        return APEX_OK;
    }
    return APEX_E_FORMAT;
}

apex_status snp_leaf_find(struct span bytes, enum snp_signing_key want,
                          struct certificate **leaf)
{
    struct certificate *list[CHAIN_MAX];
    size_t n;
    /* A table begins with a GUID; DER and PEM begin with these. */
    if (bytes.len > 0 && bytes.data[0] != 0x30 && bytes.data[0] != '-')
        TRY(table_find(bytes, want == SNP_VLEK ? vlek_guid : vcek_guid, &bytes));
    TRY(certificates_parse(bytes, CHAIN_MAX, list, &n));
    certificates_free(list + 1, n - 1);
    *leaf = list[0];
    return APEX_OK;
}

static apex_status product_of(const char *issuer, const char *before, enum snp_product *product)
{
    size_t len = strlen(before);
    if (strncmp(issuer, before, len) != 0) return APEX_E_NOT_FOUND;
    for (unsigned p = 0; p < SNP_PRODUCTS; p++)
        if (strcmp(issuer + len, snp_product_name(p)) == 0) {
            *product = p;
            return APEX_OK;
        }
    return APEX_E_NOT_FOUND;
}

/* Whole names only: "contains SEV" has let an ASK pass for a VCEK elsewhere. */
apex_status snp_leaf_kind(const struct certificate *leaf, struct snp_leaf *out)
{
    char subject[CERTIFICATE_NAME_MAX], issuer[CERTIFICATE_NAME_MAX];
    *out = (struct snp_leaf){0};
    if (certificate_subject(leaf, subject) != APEX_OK ||
        certificate_issuer(leaf, issuer) != APEX_OK)
        return APEX_E_UNTRUSTED;
    out->vlek = strcmp(subject, "SEV-VLEK") == 0;
    if (!out->vlek && strcmp(subject, "SEV-VCEK") != 0) return APEX_E_UNTRUSTED;
    return product_of(issuer, out->vlek ? "SEV-VLEK-" : "SEV-", &out->product) == APEX_OK
               ? APEX_OK
               : APEX_E_UNTRUSTED;
}

/* A DER INTEGER from 0 to 255, shortest form: 02 01 xx, or 02 02 00 xx with its top bit set. */
static apex_status level_read(const struct certificate *leaf, const char *oid, uint8_t *level)
{
    struct span v;
    if (certificate_extension(leaf, oid, &v) != APEX_OK || v.len < 3 || v.len > 4 ||
        v.data[0] != 2 || v.data[1] != v.len - 2)
        return APEX_E_FORMAT;
    if (v.len == 4 && (v.data[2] != 0 || v.data[3] < 0x80)) return APEX_E_FORMAT;
    if (v.len == 3 && v.data[2] >= 0x80) return APEX_E_FORMAT;
    *level = v.data[v.len - 1];
    return APEX_OK;
}

static apex_status levels_read(const struct certificate *leaf, struct snp_leaf *out)
{
    TRY(level_read(leaf, AMD "3.1", &out->tcb.bootloader));
    TRY(level_read(leaf, AMD "3.2", &out->tcb.tee));
    TRY(level_read(leaf, AMD "3.3", &out->tcb.snp));
    TRY(level_read(leaf, AMD "3.8", &out->tcb.microcode));
    return out->product == SNP_TURIN ? level_read(leaf, AMD "3.9", &out->tcb.fmc) : APEX_OK;
}

/* hwID: raw bytes without a DER wrapper. cspID: a DER IA5String or UTF8String. */
static apex_status owner_read(const struct certificate *leaf, struct snp_leaf *out)
{
    struct span v;
    apex_status s = certificate_extension(leaf, out->vlek ? AMD "5" : AMD "4", &v);
    if (s != APEX_OK) return APEX_E_FORMAT;
    if (!out->vlek) {
        out->chip_id_len = out->product == SNP_TURIN ? 8 : SNP_CHIP_ID_LEN;
        if (v.len != out->chip_id_len) return APEX_E_FORMAT;
        memcpy(out->chip_id, v.data, v.len);
        return APEX_OK;
    }
    if (v.len < 3 || v.len - 2 >= SNP_CSP_ID_MAX || v.data[1] != v.len - 2 ||
        (v.data[0] != 0x16 && v.data[0] != 0x0c))
        return APEX_E_FORMAT;
    for (size_t i = 2; i < v.len; i++)
        if (v.data[i] < 0x20 || v.data[i] > 0x7e) return APEX_E_FORMAT;
    snprintf(out->csp_id, sizeof out->csp_id, "%.*s", (int)(v.len - 2),
             (const char *)v.data + 2);
    return APEX_OK;
}

apex_status snp_leaf_read(const struct certificate *leaf, struct snp_leaf *out)
{
    TRY(levels_read(leaf, out));
    return owner_read(leaf, out);
}
