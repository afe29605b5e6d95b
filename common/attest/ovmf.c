#include "common/attest/ovmf.h"

#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"

enum { ENTRY_HEAD = 2 + 16, TABLE_END = 32, ASEV_HEAD = 16, ASEV_SECTION = 12 };

/* GUIDs as they lie in the image: the first three groups little-endian. */
static const uint8_t footer_guid[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                        0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t hashes_guid[16] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                        0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
static const uint8_t reset_guid[16] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                       0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t sev_guid[16] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                     0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
static const uint8_t tdx_guid[16] = {0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
                                     0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2};

static bool kind_known(uint32_t kind)
{
    return (kind >= OVMF_SEC_MEM && kind <= OVMF_SVSM_CAA) || kind == OVMF_KERNEL_HASHES;
}

apex_status ovmf_check(const struct ovmf *o)
{
    uint64_t all = 0;
    if (o->n_sections > OVMF_SECTIONS_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < o->n_sections; i++) {
        const struct ovmf_section *s = &o->sections[i];
        if (s->size == 0 || s->size % GUEST_PAGE || s->gpa % GUEST_PAGE || !kind_known(s->kind))
            return APEX_E_FORMAT;
        if ((uint64_t)s->gpa + s->size > UINT64_C(1) << 32) return APEX_E_FORMAT;
        all += s->size;
    }
    return all > OVMF_SECTION_BYTES_MAX ? APEX_E_LIMIT : APEX_OK;
}

/* "ASEV", u32 size of all, u32 version 1, u32 number; then {u32 address, u32 size, u32 kind}.
 */
static apex_status metadata_read(struct span image, uint32_t from_end, struct ovmf *o)
{
    uint32_t size, version, n, kind;
    if (from_end > image.len) return APEX_E_FORMAT;
    struct cursor c = cursor_on(span_of(image.data + (image.len - from_end), from_end));
    TRY(cursor_expect(&c, SPAN_TEXT("ASEV")));
    TRY(cursor_le32(&c, &size));
    TRY(cursor_le32(&c, &version));
    TRY(cursor_le32(&c, &n));
    if (version != 1) return APEX_E_FORMAT;
    if (n > OVMF_SECTIONS_MAX) return APEX_E_LIMIT;
    if (size != ASEV_HEAD + n * ASEV_SECTION) return APEX_E_FORMAT;
    for (o->n_sections = 0; o->n_sections < n; o->n_sections++) {
        struct ovmf_section *s = &o->sections[o->n_sections];
        TRY(cursor_le32(&c, &s->gpa));
        TRY(cursor_le32(&c, &s->size));
        TRY(cursor_le32(&c, &kind));
        if (!kind_known(kind)) return APEX_E_FORMAT;
        s->kind = (enum ovmf_section_kind)kind;
    }
    return ovmf_check(o);
}

static apex_status entry_read(struct span image, const uint8_t guid[16], struct span data,
                              struct ovmf *o)
{
    const struct {
        const uint8_t *guid;
        uint32_t *word;
    } words[] = {{hashes_guid, &o->hashes_gpa},
                 {reset_guid, &o->reset_eip},
                 {tdx_guid, &o->tdx_from_end}};
    for (size_t i = 0; i < 3; i++) {
        if (memcmp(guid, words[i].guid, 16) != 0) continue;
        if (data.len < 4) return APEX_E_FORMAT;
        *words[i].word = get_le32(data.data);
    }
    if (memcmp(guid, sev_guid, 16) != 0) return APEX_OK;
    return data.len == 4 ? metadata_read(image, get_le32(data.data), o) : APEX_E_FORMAT;
}

/* The entry that ends at `end`, of a table that may not begin before `start`; moves `end` to
 * where the entry begins. */
static apex_status entry_before(struct span image, size_t start, size_t *end, struct ovmf *o)
{
    if (*end - start < ENTRY_HEAD) return APEX_E_FORMAT;
    const uint8_t *head = image.data + *end - ENTRY_HEAD;
    size_t size = get_le16(head);
    if (size < ENTRY_HEAD || size > *end - start) return APEX_E_FORMAT;
    *end -= size;
    return entry_read(image, head + 2, span_of(image.data + *end, size - ENTRY_HEAD), o);
}

apex_status ovmf_parse(struct span image, struct ovmf *o)
{
    *o = (struct ovmf){0};
    if (image.len > FIRMWARE_MAX) return APEX_E_LIMIT;
    if (image.len < GUEST_PAGE || image.len % GUEST_PAGE) return APEX_E_FORMAT;
    o->gpa = (UINT64_C(1) << 32) - image.len;
    size_t end = image.len - TABLE_END - ENTRY_HEAD;
    const uint8_t *footer = image.data + end;
    size_t table = get_le16(footer);
    if (memcmp(footer + 2, footer_guid, 16) != 0 || table < ENTRY_HEAD ||
        table - ENTRY_HEAD > end)
        return APEX_E_FORMAT;
    for (size_t start = end - (table - ENTRY_HEAD); end > start;)
        TRY(entry_before(image, start, &end, o));
    return APEX_OK;
}
