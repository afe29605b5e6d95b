/* A growing byte buffer: ours to grow, the owner's to clear. A failed append leaves the buffer
 * as it was and sets `bad`, so that a writer may append many pieces and check once with
 * buffer_ok(). */
#ifndef COMMON_BASE_BUFFER_H
#define COMMON_BASE_BUFFER_H

#include "common/base/span.h"
#include "include/apex/status.h"

struct buffer {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /* 0 means no limit of its own */
    apex_status bad;
};

#define BUFFER_CLEARED __attribute__((cleanup(buffer_clear))) struct buffer

/* Wipes what it held, frees it, and leaves an empty buffer that can be used again. */
void buffer_clear(struct buffer *b);
void buffer_append(struct buffer *b, struct span bytes);
void buffer_u8(struct buffer *b, uint8_t value);
void buffer_be32(struct buffer *b, uint32_t value);
void buffer_be64(struct buffer *b, uint64_t value);
void buffer_text(struct buffer *b, const char *text);
/* Room for `len` more bytes at b->data + b->len, or NULL (and `bad` set); does not change len.
 */
uint8_t *buffer_reserve(struct buffer *b, size_t len);
apex_status buffer_ok(const struct buffer *b);

static inline struct span buffer_span(const struct buffer *b)
{
    return (struct span){b->data, b->len};
}

#endif
