#include "common/chain/rlp.h"

#include "common/base/endian.h"
#include "common/base/try.h"

enum { SHORT_MAX = 55, STRING = 0x80, LIST = 0xc0, LONG = 55 };

static size_t lead_zeros(struct span big_endian)
{
    size_t n = 0;
    while (n < big_endian.len && big_endian.data[n] == 0)
        n++;
    return n;
}

static void head_put(struct buffer *out, uint8_t base, size_t len)
{
    uint8_t bytes[8];
    if (len <= SHORT_MAX) {
        buffer_u8(out, (uint8_t)(base + len));
        return;
    }
    put_be64(bytes, len);
    size_t skip = lead_zeros(SPAN(bytes));
    buffer_u8(out, (uint8_t)(base + LONG + sizeof bytes - skip));
    buffer_append(out, span_of(bytes + skip, sizeof bytes - skip));
}

void rlp_put_bytes(struct buffer *out, struct span bytes)
{
    if (bytes.len != 1 || bytes.data[0] >= STRING) head_put(out, STRING, bytes.len);
    buffer_append(out, bytes);
}

void rlp_put_uint(struct buffer *out, struct span big_endian)
{
    size_t skip = lead_zeros(big_endian);
    rlp_put_bytes(out, span_of(big_endian.data + skip, big_endian.len - skip));
}

void rlp_put_u64(struct buffer *out, uint64_t value)
{
    uint8_t bytes[8];
    put_be64(bytes, value);
    rlp_put_uint(out, SPAN(bytes));
}

void rlp_put_list(struct buffer *out, struct span items)
{
    head_put(out, LIST, items.len);
    buffer_append(out, items);
}

static apex_status long_len(struct cursor *c, size_t n, size_t *len)
{
    struct span bytes;
    TRY(cursor_take(c, n, &bytes));
    if (bytes.data[0] == 0 || n > sizeof *len) return APEX_E_FORMAT;
    *len = 0;
    for (size_t i = 0; i < n; i++)
        *len = *len << 8 | bytes.data[i];
    return *len > SHORT_MAX ? APEX_OK : APEX_E_FORMAT;
}

/* An item whose head is in [base, base + 63]. */
static apex_status item(struct cursor *c, uint8_t base, struct span *bytes)
{
    uint8_t head;
    size_t len;
    TRY(cursor_u8(c, &head));
    if (head < base || head > base + 63) return APEX_E_FORMAT;
    len = (size_t)(head - base);
    if (len > SHORT_MAX) TRY(long_len(c, len - LONG, &len));
    return cursor_take(c, len, bytes);
}

apex_status rlp_bytes(struct cursor *c, struct span *bytes)
{
    struct cursor try = *c;
    if (cursor_left(c) > 0 && c->at[0] < STRING) return cursor_take(c, 1, bytes);
    TRY(item(&try, STRING, bytes));
    if (bytes->len == 1 && bytes->data[0] < STRING) return APEX_E_FORMAT;
    *c = try;
    return APEX_OK;
}

apex_status rlp_u64(struct cursor *c, uint64_t *value)
{
    struct cursor try = *c;
    struct span bytes;
    TRY(rlp_bytes(&try, &bytes));
    if (bytes.len > 8 || (bytes.len > 0 && bytes.data[0] == 0)) return APEX_E_FORMAT;
    *value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        *value = *value << 8 | bytes.data[i];
    *c = try;
    return APEX_OK;
}

apex_status rlp_list(struct cursor *c, struct cursor *items)
{
    struct cursor try = *c;
    struct span bytes;
    TRY(item(&try, LIST, &bytes));
    *items = cursor_on(bytes);
    *c = try;
    return APEX_OK;
}
