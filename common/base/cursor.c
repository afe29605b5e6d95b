#include "common/base/cursor.h"

#include "common/base/endian.h"
#include "common/base/try.h"

struct cursor cursor_on(struct span bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.len ? bytes.data : nothing;
    return (struct cursor){data, data + bytes.len};
}

size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

apex_status cursor_take(struct cursor *c, size_t len, struct span *bytes)
{
    if (len > cursor_left(c)) return APEX_E_FORMAT;
    *bytes = (struct span){c->at, len};
    c->at += len;
    return APEX_OK;
}

apex_status cursor_copy(struct cursor *c, size_t len, void *out)
{
    struct span bytes;
    TRY(cursor_take(c, len, &bytes));
    if (len) memcpy(out, bytes.data, len);
    return APEX_OK;
}

apex_status cursor_expect(struct cursor *c, struct span bytes)
{
    if (cursor_left(c) < bytes.len) return APEX_E_FORMAT;
    if (!span_equal((struct span){c->at, bytes.len}, bytes)) return APEX_E_FORMAT;
    c->at += bytes.len;
    return APEX_OK;
}

apex_status cursor_end(const struct cursor *c)
{
    return c->at == c->end ? APEX_OK : APEX_E_FORMAT;
}

apex_status cursor_u8(struct cursor *c, uint8_t *value)
{
    return cursor_copy(c, 1, value);
}

#define READ_INTEGER(name, type, len, get)                                                     \
    apex_status name(struct cursor *c, type *value)                                            \
    {                                                                                          \
        struct span b;                                                                         \
        TRY(cursor_take(c, len, &b));                                                          \
        *value = get(b.data);                                                                  \
        return APEX_OK;                                                                        \
    }

READ_INTEGER(cursor_be16, uint16_t, 2, get_be16)
READ_INTEGER(cursor_be32, uint32_t, 4, get_be32)
READ_INTEGER(cursor_be64, uint64_t, 8, get_be64)
READ_INTEGER(cursor_le16, uint16_t, 2, get_le16)
READ_INTEGER(cursor_le32, uint32_t, 4, get_le32)
READ_INTEGER(cursor_le64, uint64_t, 8, get_le64)
