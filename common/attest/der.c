#include "common/attest/der.h"

#include "common/base/try.h"

/* Section 8.1.3: short form below 128, else the long form; at most four bytes are needed here.
 */
static apex_status length_take(struct cursor *c, size_t *len)
{
    uint8_t first, byte;
    TRY(cursor_u8(c, &first));
    *len = first;
    if (first < 0x80) return APEX_OK;
    size_t n = first & 0x7f;
    if (n < 1 || n > 4) return APEX_E_FORMAT;
    *len = 0;
    for (size_t i = 0; i < n; i++) {
        TRY(cursor_u8(c, &byte));
        if (i == 0 && byte == 0) return APEX_E_FORMAT;
        *len = *len << 8 | byte;
    }
    return *len < 0x80 ? APEX_E_FORMAT : APEX_OK;
}

apex_status der_take(struct cursor *c, uint8_t tag, struct span *content)
{
    struct cursor at = *c;
    uint8_t got;
    size_t len;
    TRY(cursor_u8(&at, &got));
    if (got != tag) return APEX_E_FORMAT;
    TRY(length_take(&at, &len));
    TRY(cursor_take(&at, len, content));
    *c = at;
    return APEX_OK;
}

apex_status der_count(struct cursor *c, uint8_t tag, uint32_t max, uint32_t *value)
{
    struct span b;
    TRY(der_take(c, tag, &b));
    bool shortest = b.len == 1 || (b.len > 1 && (b.data[0] != 0 || b.data[1] & 0x80));
    if (!shortest || b.data[0] & 0x80 || b.len > 5) return APEX_E_FORMAT;
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++)
        v = v << 8 | b.data[i];
    *value = (uint32_t)v;
    return v <= max ? APEX_OK : APEX_E_FORMAT;
}

apex_status der_octets(struct cursor *c, uint8_t *out, size_t len)
{
    struct span b;
    TRY(der_take(c, DER_OCTETS, &b));
    if (b.len != len) return APEX_E_FORMAT;
    memcpy(out, b.data, len);
    return APEX_OK;
}

apex_status der_skip(struct cursor *c)
{
    struct span b;
    return cursor_left(c) ? der_take(c, *c->at, &b) : APEX_E_FORMAT;
}
