/* A strict JSON pull parser (RFC 8259): fed in pieces of any size, hands out one token after
 * the other, keeps no document.
 *
 * UTF-8 is checked, control characters in strings and lone surrogates are refused, depth is at
 * most JSON_DEPTH_MAX, a string or number at most JSON_TOKEN_MAX bytes. Duplicate keys are the
 * consumer's business: only it knows which keys there are. APEX_E_FORMAT: not JSON, at
 * line/column (1-based, columns count bytes). APEX_E_LIMIT: too deep or too long. Source: RFC
 * 8259. */
#ifndef COMMON_WIRE_JSON_H
#define COMMON_WIRE_JSON_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum { JSON_DEPTH_MAX = 64, JSON_TOKEN_MAX = 8192 };
enum json_event {
    JSON_MORE, /* give more bytes with json_feed */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_END, /* the document is whole and nothing follows it */
};

struct json {
    const uint8_t *at, *end; /* the piece now fed; lent */
    bool last;               /* no piece comes after it */
    bool many;               /* any number of values one after the other (JSON lines) */
    unsigned depth;
    uint64_t is_object;  /* bit d: the container at depth d + 1 is an object */
    unsigned state;      /* what may come next */
    unsigned token;      /* the token being read, or none */
    unsigned sub;        /* where in it */
    uint32_t code, high; /* \u escapes, UTF-8 tails */
    unsigned tail;
    uint32_t least;
    uint64_t line, column;             /* of the next byte */
    uint64_t token_line, token_column; /* of the token handed out last */
    size_t len;
    uint8_t text[JSON_TOKEN_MAX +
                 8]; /* the key, string (unescaped) or number handed out last; NUL after it */
};

void json_init(struct json *j, bool many);
void json_feed(struct json *j, struct span piece, bool last);
apex_status json_next(struct json *j, enum json_event *event);
static inline struct span json_text(const struct json *j)
{
    return (struct span){j->text, j->len};
}
/* The number handed out last, correctly rounded; infinite when it is out of range. */
double json_number(const struct json *j);

#endif
