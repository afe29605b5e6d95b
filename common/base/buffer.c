#include "common/base/buffer.h"

#include "common/base/endian.h"
#include "common/base/size.h"
#include "common/base/wipe.h"

#include <stdlib.h>

enum { BUFFER_FIRST = 256 };

void buffer_clear(struct buffer *b)
{
    if (b->data) {
        wipe(b->data, b->cap);
        free(b->data);
    }
    *b = (struct buffer){.max = b->max};
}

/* Growth copies by hand and wipes the old bytes: realloc would leave secrets behind in freed
 * memory. */
static bool buffer_grow(struct buffer *b, size_t need)
{
    size_t cap;
    if (!size_mul(b->cap, 2, &cap)) return false;
    if (cap < need) cap = need;
    if (cap < BUFFER_FIRST) cap = BUFFER_FIRST;
    uint8_t *data = malloc(cap);
    if (!data) return false;
    if (b->len) memcpy(data, b->data, b->len);
    if (b->data) {
        wipe(b->data, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return true;
}

uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
    size_t need;
    if (b->bad != APEX_OK) return NULL;
    if (!size_add(b->len, len, &need) || (b->max && need > b->max)) {
        b->bad = APEX_E_LIMIT;
        return NULL;
    }
    if ((need > b->cap || !b->data) && !buffer_grow(b, need)) {
        b->bad = APEX_E_MEMORY;
        return NULL;
    }
    return b->data + b->len;
}

void buffer_append(struct buffer *b, struct span bytes)
{
    uint8_t *at = buffer_reserve(b, bytes.len);
    if (!at || bytes.len == 0) return;
    memcpy(at, bytes.data, bytes.len);
    b->len += bytes.len;
}

void buffer_u8(struct buffer *b, uint8_t value)
{
    buffer_append(b, (struct span){&value, 1});
}

void buffer_be32(struct buffer *b, uint32_t value)
{
    uint8_t bytes[4];
    put_be32(bytes, value);
    buffer_append(b, SPAN(bytes));
}

void buffer_be64(struct buffer *b, uint64_t value)
{
    uint8_t bytes[8];
    put_be64(bytes, value);
    buffer_append(b, SPAN(bytes));
}

void buffer_text(struct buffer *b, const char *text)
{
    buffer_append(b, span_text(text));
}

apex_status buffer_ok(const struct buffer *b)
{
    return b->bad;
}
