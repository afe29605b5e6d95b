#include "common/attest/tdvf.h"

#include "common/attest/ovmf.h"
#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum { EXTEND_CHUNK = 256, BLOCK = 128, ATTRIBUTE_MR_EXTEND = 1, ATTRIBUTE_PAGE_AUG = 2 };

struct tdvf_section {
    uint32_t data_at, data_len; /* in the image */
    uint64_t gpa, size;         /* in the guest: whole pages */
    uint32_t kind, attributes;
};
struct tdvf {
    struct span image;
    size_t n;
    struct tdvf_section sections[TDVF_SECTIONS_MAX];
};

static apex_status section_read(struct cursor *c, struct span image, struct tdvf_section *s)
{
    TRY(cursor_le32(c, &s->data_at));
    TRY(cursor_le32(c, &s->data_len));
    TRY(cursor_le64(c, &s->gpa));
    TRY(cursor_le64(c, &s->size));
    TRY(cursor_le32(c, &s->kind));
    TRY(cursor_le32(c, &s->attributes));
    if (s->gpa % GUEST_PAGE || s->size % GUEST_PAGE || s->size > OVMF_SECTION_BYTES_MAX)
        return APEX_E_FORMAT;
    /* What is hashed must be there whole: nobody knows what would fill the rest. */
    bool hashed = s->attributes & ATTRIBUTE_MR_EXTEND;
    if (hashed && s->data_len != s->size) return APEX_E_FORMAT;
    return (uint64_t)s->data_at + s->data_len > image.len ? APEX_E_FORMAT : APEX_OK;
}

/* "TDVF", u32 size of all, u32 version 1, u32 number of sections. */
static apex_status tdvf_parse(struct span image, struct tdvf *t)
{
    struct ovmf o;
    uint32_t size, version, n;
    TRY(ovmf_parse(image, &o));
    if (o.tdx_from_end == 0) return APEX_E_NOT_FOUND;
    if (o.tdx_from_end > image.len) return APEX_E_FORMAT;
    struct cursor c =
        cursor_on(span_of(image.data + (image.len - o.tdx_from_end), o.tdx_from_end));
    TRY(cursor_expect(&c, SPAN_TEXT("TDVF")));
    TRY(cursor_le32(&c, &size));
    TRY(cursor_le32(&c, &version));
    TRY(cursor_le32(&c, &n));
    if (version != 1) return APEX_E_FORMAT;
    if (n > TDVF_SECTIONS_MAX) return APEX_E_LIMIT;
    *t = (struct tdvf){.image = image};
    for (; t->n < n; t->n++)
        TRY(section_read(&c, image, &t->sections[t->n]));
    return APEX_OK;
}

static bool block_add(EVP_MD_CTX *h, const char *name, uint64_t gpa)
{
    uint8_t block[BLOCK] = {0};
    memcpy(block, name, strlen(name));
    put_le64(block + 16, gpa);
    return EVP_DigestUpdate(h, block, sizeof block) == 1;
}

static bool page_add(EVP_MD_CTX *h, const struct tdvf_section *s, uint64_t at)
{
    return s->attributes & ATTRIBUTE_PAGE_AUG || block_add(h, "MEM.PAGE.ADD", s->gpa + at);
}

static bool page_extend(EVP_MD_CTX *h, const struct tdvf *t, const struct tdvf_section *s,
                        uint64_t at)
{
    if (!(s->attributes & ATTRIBUTE_MR_EXTEND)) return true;
    for (uint64_t end = at + GUEST_PAGE; at < end; at += EXTEND_CHUNK)
        if (!block_add(h, "MR.EXTEND", s->gpa + at) ||
            EVP_DigestUpdate(h, t->image.data + s->data_at + at, EXTEND_CHUNK) != 1)
            return false;
    return true;
}

static bool section_hash(EVP_MD_CTX *h, const struct tdvf *t, const struct tdvf_section *s,
                         enum td_order order)
{
    bool fine = true, together = order == TD_PAGE_BY_PAGE;
    for (uint64_t at = 0; fine && at < s->size; at += GUEST_PAGE)
        fine = page_add(h, s, at) && (!together || page_extend(h, t, s, at));
    for (uint64_t at = 0; fine && !together && at < s->size; at += GUEST_PAGE)
        fine = page_extend(h, t, s, at);
    return fine;
}

apex_status td_mrtd(struct span image, enum td_order order,
                    uint8_t mrtd[static TD_REGISTER_LEN])
{
    struct tdvf t;
    TRY(tdvf_parse(image, &t));
    EVP_MD_CTX *h = EVP_MD_CTX_new();
    bool fine = h && EVP_DigestInit_ex(h, EVP_sha384(), NULL) == 1;
    for (size_t i = 0; fine && i < t.n; i++)
        fine = section_hash(h, &t, &t.sections[i], order);
    fine = fine && EVP_DigestFinal_ex(h, mrtd, NULL) == 1;
    EVP_MD_CTX_free(h);
    return fine ? APEX_OK : APEX_E_MEMORY;
}

static void rtmr_extend(uint8_t rtmr[static TD_REGISTER_LEN],
                        const uint8_t event[TD_REGISTER_LEN])
{
    uint8_t both[2 * TD_REGISTER_LEN];
    memcpy(both, rtmr, TD_REGISTER_LEN);
    memcpy(both + TD_REGISTER_LEN, event, TD_REGISTER_LEN);
    SHA384(both, sizeof both, rtmr);
}

/* UTF-16LE with its NUL, as the EFI stub finds it in its load options. */
static apex_status cmdline_hash(struct span cmdline, uint8_t digest[static TD_REGISTER_LEN])
{
    static const char more[] = " initrd=initrd"; /* its NUL goes along */
    uint8_t wide[2 * (4096 + sizeof more)];
    if (cmdline.len > 4096) return APEX_E_LIMIT;
    size_t n = 0;
    for (size_t i = 0; i < cmdline.len + sizeof more; i++) {
        uint8_t b = i < cmdline.len ? cmdline.data[i] : (uint8_t)more[i - cmdline.len];
        if (b > 0x7f) return APEX_E_FORMAT;
        wide[n++] = b;
        wide[n++] = 0;
    }
    SHA384(wide, n, digest);
    return APEX_OK;
}

apex_status td_rtmr2(struct span cmdline, struct span initrd,
                     uint8_t rtmr2[static TD_REGISTER_LEN])
{
    uint8_t event[TD_REGISTER_LEN];
    memset(rtmr2, 0, TD_REGISTER_LEN);
    TRY(cmdline_hash(cmdline, event));
    rtmr_extend(rtmr2, event);
    SHA384(initrd.data, initrd.len, event);
    rtmr_extend(rtmr2, event);
    return APEX_OK;
}
