/* PEM, strictly: RFC 7468 with nothing between the boundaries but base64 (section 3, "strict"),
 * lines of any length, whitespace before and after. No headers, no other labels, no text
 * around.
 */
#ifndef COMMON_ATTEST_PEM_H
#define COMMON_ATTEST_PEM_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"

/* The next object of this label, decoded and appended to `der`. APEX_E_NOT_FOUND: nothing but
 * whitespace and NUL bytes is left; then the cursor stands at the end. */
apex_status pem_next(struct cursor *c, const char *label, struct buffer *der);

#endif
