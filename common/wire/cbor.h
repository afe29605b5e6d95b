/* Deterministic CBOR, the subset APEX uses: unsigned and negative integers, byte and text
 * strings, arrays, maps, booleans, null and 64-bit floats. Source: RFC 8949 section 4.2.1 (core
 * deterministic encoding).
 *
 * The reader refuses everything else: indefinite lengths, longer-than-needed heads, tags (but
 * see cose.h), map keys that are not strictly ascending in bytewise order of their encoding,
 * text that is not UTF-8, depth above CBOR_DEPTH_MAX. No allocation; spans point into the
 * caller's bytes. Floats are always the 8-byte form (one form, so it is deterministic);
 * not-a-number and negative zero are refused. */
#ifndef COMMON_WIRE_CBOR_H
#define COMMON_WIRE_CBOR_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"

enum { CBOR_DEPTH_MAX = 16 };
enum cbor_type {
    CBOR_UINT,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_BOOL,
    CBOR_NULL,
    CBOR_FLOAT
};

/* Reading. Each consumes one item (for arrays and maps: the head only) or fails with
 * APEX_E_FORMAT. */
apex_status cbor_peek(const struct cursor *c, enum cbor_type *type);
apex_status cbor_uint(struct cursor *c, uint64_t *value);
apex_status cbor_int(struct cursor *c, int64_t *value);
apex_status cbor_bytes(struct cursor *c, struct span *bytes);
apex_status cbor_bytes_exact(struct cursor *c, uint8_t *out, size_t len);
apex_status cbor_text(struct cursor *c, struct span *text);
apex_status cbor_text_is(struct cursor *c,
                         const char *text);          /* the next item is exactly this text */
apex_status cbor_array(struct cursor *c, size_t *n); /* n is bounded by the bytes left */
apex_status cbor_map(struct cursor *c, size_t *n);
apex_status cbor_bool(struct cursor *c, bool *value);
apex_status cbor_null(struct cursor *c);
apex_status cbor_float(struct cursor *c, double *value);
/* Skips one whole item, checking that it is deterministic; `item` (may be NULL) gets its bytes.
 */
apex_status cbor_skip(struct cursor *c, struct span *item);
/* The next map key must be this unsigned integer. Maps with small integer keys are read in
 * ascending order: TRY(cbor_map(&c, &n)); TRY(cbor_key(&c, 1)); ... An optional key is tried
 * with cbor_key_maybe. */
apex_status cbor_key(struct cursor *c, uint64_t key);
bool cbor_key_maybe(struct cursor *c, uint64_t key);
/* Strict UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool cbor_utf8_valid(struct span text);
/* The bytes are exactly one deterministic item and nothing else. */
apex_status cbor_check(struct span bytes);

/* Writing: shortest heads, into a buffer; errors collect in buffer_ok(). Map order is the
 * writer's duty, and cbor_check() in tests. */
void cbor_put_uint(struct buffer *b, uint64_t value);
void cbor_put_int(struct buffer *b, int64_t value);
void cbor_put_bytes(struct buffer *b, struct span bytes);
void cbor_put_text(struct buffer *b, const char *text);
void cbor_put_text_span(struct buffer *b, struct span text);
void cbor_put_array(struct buffer *b, size_t n);
void cbor_put_map(struct buffer *b, size_t n);
void cbor_put_bool(struct buffer *b, bool value);
void cbor_put_null(struct buffer *b);
void cbor_put_float(struct buffer *b, double value);

#endif
