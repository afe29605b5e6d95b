/* A cursor's view of DER (X.690): just enough to walk a certificate's extension that no library
 * knows. Definite lengths in their shortest form only; anything else is APEX_E_FORMAT.
 * Leaks: nothing but lengths. Source: X.690 section 8.1 and 10.1. */
#ifndef COMMON_ATTEST_DER_H
#define COMMON_ATTEST_DER_H

#include "common/base/cursor.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_SEQUENCE = 0x30
};

/* The next value, which must have this tag; its content, lent. */
apex_status der_take(struct cursor *c, uint8_t tag, struct span *content);
/* An INTEGER or ENUMERATED from 0 to max, in its shortest form. */
apex_status der_count(struct cursor *c, uint8_t tag, uint32_t max, uint32_t *value);
/* An OCTET STRING of exactly this length, copied. */
apex_status der_octets(struct cursor *c, uint8_t *out, size_t len);
/* Passes over the next value, whatever its (single byte) tag. */
apex_status der_skip(struct cursor *c);

#endif
