#include "common/wire/cbor.h"

#include "common/base/try.h"

#include <math.h>

enum {
    MAJOR_UINT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE
};
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, INFO_FLOAT64 = 27 };

/* One head: major type and argument. Only shortest heads pass (RFC 8949 section 4.2.1); floats
 * are the exception, whose argument is the value. */
static apex_status head(struct cursor *c, unsigned *major, unsigned *info, uint64_t *value)
{
    uint8_t first, b1;
    uint16_t b2;
    uint32_t b4;
    uint64_t v;
    TRY(cursor_u8(c, &first));
    *major = first >> 5;
    *info = first & 31;
    if (*info < 24) {
        *value = *info;
        return APEX_OK;
    }
    switch (*info) {
    case 24:
        TRY(cursor_u8(c, &b1));
        v = b1;
        break;
    case 25:
        TRY(cursor_be16(c, &b2));
        v = b2;
        break;
    case 26:
        TRY(cursor_be32(c, &b4));
        v = b4;
        break;
    case 27: TRY(cursor_be64(c, &v)); break;
    default: return APEX_E_FORMAT; /* reserved, or of indefinite length */
    }
    *value = v;
    if (*major == MAJOR_SIMPLE) return *info == INFO_FLOAT64 ? APEX_OK : APEX_E_FORMAT;
    static const uint64_t least[] = {24, 0x100, 0x10000, UINT64_C(0x100000000)};
    return v >= least[*info - 24] ? APEX_OK : APEX_E_FORMAT;
}

static bool utf8_valid(struct span s)
{
    for (size_t i = 0; i < s.len;) {
        uint8_t b = s.data[i++];
        if (b < 0x80) continue;
        unsigned more = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
        uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        if (b < 0xc2 || b > 0xf4 || s.len - i < more) return false;
        uint32_t code = b & (0x3fu >> more);
        for (unsigned k = 0; k < more; k++, i++) {
            if ((s.data[i] & 0xc0) != 0x80) return false;
            code = code << 6 | (s.data[i] & 0x3fu);
        }
        if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    }
    return true;
}

bool cbor_utf8_valid(struct span text)
{
    return utf8_valid(text);
}

static apex_status type_of(unsigned major, unsigned info, uint64_t value, enum cbor_type *type)
{
    static const enum cbor_type plain[] = {CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES,
                                           CBOR_TEXT, CBOR_ARRAY,    CBOR_MAP};
    if (major <= MAJOR_MAP) {
        *type = plain[major];
        return APEX_OK;
    }
    if (major != MAJOR_SIMPLE) return APEX_E_FORMAT;
    if (info == INFO_FLOAT64)
        *type = CBOR_FLOAT;
    else if (value == SIMPLE_FALSE || value == SIMPLE_TRUE)
        *type = CBOR_BOOL;
    else if (value == SIMPLE_NULL)
        *type = CBOR_NULL;
    else
        return APEX_E_FORMAT;
    return APEX_OK;
}

apex_status cbor_peek(const struct cursor *c, enum cbor_type *type)
{
    struct cursor at = *c;
    unsigned major, info;
    uint64_t value;
    TRY(head(&at, &major, &info, &value));
    return type_of(major, info, value, type);
}

/* A head of the wanted major type; the cursor moves only when it is one. */
static apex_status head_of(struct cursor *c, unsigned wanted, uint64_t *value)
{
    struct cursor at = *c;
    unsigned major, info;
    TRY(head(&at, &major, &info, value));
    if (major != wanted) return APEX_E_FORMAT;
    *c = at;
    return APEX_OK;
}

apex_status cbor_uint(struct cursor *c, uint64_t *value)
{
    return head_of(c, MAJOR_UINT, value);
}

apex_status cbor_int(struct cursor *c, int64_t *value)
{
    uint64_t v;
    if (head_of(c, MAJOR_UINT, &v) == APEX_OK) {
        if (v > INT64_MAX) return APEX_E_FORMAT;
        *value = (int64_t)v;
        return APEX_OK;
    }
    TRY(head_of(c, MAJOR_NEGATIVE, &v));
    if (v > INT64_MAX) return APEX_E_FORMAT;
    *value = -1 - (int64_t)v;
    return APEX_OK;
}

static apex_status string_of(struct cursor *c, unsigned major, struct span *bytes)
{
    struct cursor at = *c;
    uint64_t len;
    TRY(head_of(&at, major, &len));
    if (len > cursor_left(&at)) return APEX_E_FORMAT;
    TRY(cursor_take(&at, (size_t)len, bytes));
    *c = at;
    return APEX_OK;
}

apex_status cbor_bytes(struct cursor *c, struct span *bytes)
{
    return string_of(c, MAJOR_BYTES, bytes);
}

apex_status cbor_bytes_exact(struct cursor *c, uint8_t *out, size_t len)
{
    struct cursor at = *c;
    struct span bytes;
    TRY(cbor_bytes(&at, &bytes));
    if (bytes.len != len) return APEX_E_FORMAT;
    if (len) memcpy(out, bytes.data, len);
    *c = at;
    return APEX_OK;
}

apex_status cbor_text(struct cursor *c, struct span *text)
{
    struct cursor at = *c;
    struct span got;
    TRY(string_of(&at, MAJOR_TEXT, &got));
    if (!utf8_valid(got)) return APEX_E_FORMAT;
    *c = at;
    *text = got;
    return APEX_OK;
}

apex_status cbor_text_is(struct cursor *c, const char *text)
{
    struct cursor at = *c;
    struct span got;
    TRY(cbor_text(&at, &got));
    if (!span_equal(got, span_text(text))) return APEX_E_FORMAT;
    *c = at;
    return APEX_OK;
}

static apex_status count_of(struct cursor *c, unsigned major, size_t bytes_each, size_t *n)
{
    struct cursor at = *c;
    uint64_t count;
    TRY(head_of(&at, major, &count));
    if (count > cursor_left(&at) / bytes_each) return APEX_E_FORMAT;
    *c = at;
    *n = (size_t)count;
    return APEX_OK;
}

apex_status cbor_array(struct cursor *c, size_t *n)
{
    return count_of(c, MAJOR_ARRAY, 1, n);
}

apex_status cbor_map(struct cursor *c, size_t *n)
{
    return count_of(c, MAJOR_MAP, 2, n);
}

static apex_status simple_of(struct cursor *c, unsigned *info, uint64_t *value)
{
    struct cursor at = *c;
    unsigned major;
    TRY(head(&at, &major, info, value));
    if (major != MAJOR_SIMPLE) return APEX_E_FORMAT;
    *c = at;
    return APEX_OK;
}

apex_status cbor_bool(struct cursor *c, bool *value)
{
    struct cursor at = *c;
    unsigned info;
    uint64_t v;
    TRY(simple_of(&at, &info, &v));
    if (info != SIMPLE_FALSE && info != SIMPLE_TRUE) return APEX_E_FORMAT;
    *value = info == SIMPLE_TRUE;
    *c = at;
    return APEX_OK;
}

apex_status cbor_null(struct cursor *c)
{
    struct cursor at = *c;
    unsigned info;
    uint64_t v;
    TRY(simple_of(&at, &info, &v));
    if (info != SIMPLE_NULL) return APEX_E_FORMAT;
    *c = at;
    return APEX_OK;
}

apex_status cbor_float(struct cursor *c, double *value)
{
    struct cursor at = *c;
    unsigned info;
    uint64_t v;
    double d;
    TRY(simple_of(&at, &info, &v));
    if (info != INFO_FLOAT64) return APEX_E_FORMAT;
    memcpy(&d, &v, sizeof d);
    /* One not-a-number only, and one zero: equal values have equal bytes. */
    if (d != d || v == UINT64_C(0x8000000000000000)) return APEX_E_FORMAT;
    *value = d;
    *c = at;
    return APEX_OK;
}

static apex_status skip(struct cursor *c, unsigned depth);

static apex_status skip_map(struct cursor *c, uint64_t n, unsigned depth)
{
    struct span last = {NULL, 0};
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *key_at = c->at;
        TRY(skip(c, depth));
        struct span key = span_of(key_at, (size_t)(c->at - key_at));
        size_t shorter = key.len < last.len ? key.len : last.len;
        int order = i == 0 ? 1 : memcmp(key.data, last.data, shorter);
        if (order < 0 || (order == 0 && key.len <= last.len)) return APEX_E_FORMAT;
        last = key;
        TRY(skip(c, depth));
    }
    return APEX_OK;
}

/* One whole item. Recursion is bounded by CBOR_DEPTH_MAX, loops by the bytes there are. */
static apex_status skip(struct cursor *c, unsigned depth)
{
    enum cbor_type type;
    struct span ignored;
    unsigned info;
    uint64_t v;
    size_t n;
    double d;
    if (depth == 0) return APEX_E_FORMAT;
    TRY(cbor_peek(c, &type));
    switch (type) {
    case CBOR_UINT: return head_of(c, MAJOR_UINT, &v);
    case CBOR_NEGATIVE: return head_of(c, MAJOR_NEGATIVE, &v);
    case CBOR_BYTES: return cbor_bytes(c, &ignored);
    case CBOR_TEXT: return cbor_text(c, &ignored);
    case CBOR_BOOL:
    case CBOR_NULL: return simple_of(c, &info, &v);
    case CBOR_FLOAT: return cbor_float(c, &d);
    case CBOR_MAP: TRY(cbor_map(c, &n)); return skip_map(c, n, depth - 1);
    case CBOR_ARRAY: break;
    }
    TRY(cbor_array(c, &n));
    for (size_t i = 0; i < n; i++)
        TRY(skip(c, depth - 1));
    return APEX_OK;
}

apex_status cbor_skip(struct cursor *c, struct span *item)
{
    struct cursor at = *c;
    TRY(skip(&at, CBOR_DEPTH_MAX));
    if (item) *item = span_of(c->at, (size_t)(at.at - c->at));
    *c = at;
    return APEX_OK;
}

bool cbor_key_maybe(struct cursor *c, uint64_t key)
{
    struct cursor at = *c;
    uint64_t got;
    if (cbor_uint(&at, &got) != APEX_OK || got != key) return false;
    *c = at;
    return true;
}

apex_status cbor_key(struct cursor *c, uint64_t key)
{
    return cbor_key_maybe(c, key) ? APEX_OK : APEX_E_FORMAT;
}

apex_status cbor_check(struct span bytes)
{
    struct cursor c = cursor_on(bytes);
    TRY(cbor_skip(&c, NULL));
    return cursor_end(&c);
}

static void put_head(struct buffer *b, unsigned major, uint64_t value)
{
    uint8_t first = (uint8_t)(major << 5);
    unsigned bytes = value < 24                      ? 0
                     : value < 0x100                 ? 1
                     : value < 0x10000               ? 2
                     : value < UINT64_C(0x100000000) ? 4
                                                     : 8;
    uint8_t head_bytes[9];
    static const uint8_t info[] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
    head_bytes[0] = (uint8_t)(first | (bytes ? info[bytes] : (unsigned)value));
    for (unsigned i = 0; i < bytes; i++)
        head_bytes[1 + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    buffer_append(b, span_of(head_bytes, 1 + bytes));
}

void cbor_put_uint(struct buffer *b, uint64_t value)
{
    put_head(b, MAJOR_UINT, value);
}

void cbor_put_int(struct buffer *b, int64_t value)
{
    if (value >= 0)
        put_head(b, MAJOR_UINT, (uint64_t)value);
    else
        put_head(b, MAJOR_NEGATIVE, (uint64_t) - (value + 1));
}

void cbor_put_bytes(struct buffer *b, struct span bytes)
{
    put_head(b, MAJOR_BYTES, bytes.len);
    buffer_append(b, bytes);
}

void cbor_put_text_span(struct buffer *b, struct span text)
{
    put_head(b, MAJOR_TEXT, text.len);
    buffer_append(b, text);
}

void cbor_put_text(struct buffer *b, const char *text)
{
    cbor_put_text_span(b, span_text(text));
}

void cbor_put_array(struct buffer *b, size_t n)
{
    put_head(b, MAJOR_ARRAY, n);
}

void cbor_put_map(struct buffer *b, size_t n)
{
    put_head(b, MAJOR_MAP, n);
}

void cbor_put_bool(struct buffer *b, bool value)
{
    buffer_u8(b, value ? 0xf5 : 0xf4);
}

void cbor_put_null(struct buffer *b)
{
    buffer_u8(b, 0xf6);
}

void cbor_put_float(struct buffer *b, double value)
{
    uint64_t v;
    if (value == 0) value = 0; /* no negative zero */
    memcpy(&v, &value, sizeof v);
    buffer_u8(b, 0xfb);
    buffer_be64(b, v);
}
