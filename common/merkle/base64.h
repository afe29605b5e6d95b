/* Standard base64 with padding, strict (RFC 4648 section 4): one text per value. */
#ifndef COMMON_MERKLE_BASE64_H
#define COMMON_MERKLE_BASE64_H

#include "common/base/span.h"
#include "include/apex/status.h"

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
/* text: BASE64_LEN(bytes.len) + 1 chars. */
void base64_write(struct span bytes, char *text);
/* Exactly `len` bytes; anything else is APEX_E_FORMAT, and `out` may be partly written. */
apex_status base64_parse(struct span text, uint8_t *out, size_t len);
bool base64_valid(struct span text);

#endif
