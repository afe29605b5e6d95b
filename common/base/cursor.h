/* A cursor reads hostile bytes front to back and never past their end.
 *
 * Every read either succeeds whole or returns APEX_E_FORMAT and leaves the cursor where it was.
 * Spans handed out point into the bytes the cursor was made on; those stay owned by the caller.
 * Leaks: nothing but lengths. */
#ifndef COMMON_BASE_CURSOR_H
#define COMMON_BASE_CURSOR_H

#include "common/base/span.h"
#include "include/apex/status.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct cursor cursor_on(struct span bytes);
size_t cursor_left(const struct cursor *c);

apex_status cursor_u8(struct cursor *c, uint8_t *value);
apex_status cursor_be16(struct cursor *c, uint16_t *value);
apex_status cursor_be32(struct cursor *c, uint32_t *value);
apex_status cursor_be64(struct cursor *c, uint64_t *value);
apex_status cursor_le16(struct cursor *c, uint16_t *value);
apex_status cursor_le32(struct cursor *c, uint32_t *value);
apex_status cursor_le64(struct cursor *c, uint64_t *value);

/* The next `len` bytes, lent. */
apex_status cursor_take(struct cursor *c, size_t len, struct span *bytes);
/* The next `len` bytes, copied to `out`. */
apex_status cursor_copy(struct cursor *c, size_t len, void *out);
/* The next bytes must be exactly these. */
apex_status cursor_expect(struct cursor *c, struct span bytes);
/* Nothing may be left: trailing bytes are refused. */
apex_status cursor_end(const struct cursor *c);

#endif
