/* Lower-case hex (RFC 4648 section 8) and base32 without padding (section 6, lower case),
 * strict both ways. */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include "common/base/span.h"
#include "include/apex/status.h"

/* text: 2 * bytes.len + 1 chars, NUL-terminated. */
void hex_write(struct span bytes, char *text);
/* Exactly 2 * len lower-case digits; anything else is APEX_E_FORMAT. */
apex_status hex_parse(struct span text, uint8_t *out, size_t len);

enum { BASE32_32_LEN = 52 }; /* characters for 32 bytes */
void base32_write(const uint8_t bytes[static 32], char text[static BASE32_32_LEN + 1]);
/* Refuses upper case, padding, and non-zero trailing bits: one text per value. */
apex_status base32_parse(struct span text, uint8_t bytes[static 32]);

#endif
