/* Recursive length prefix, written and read: the one form each value has. Source: Ethereum
 * yellow paper, appendix B. */
#ifndef COMMON_CHAIN_RLP_H
#define COMMON_CHAIN_RLP_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"

void rlp_put_bytes(struct buffer *out, struct span bytes);
/* Big-endian without leading zeros; 0 is the empty string. */
void rlp_put_u64(struct buffer *out, uint64_t value);
/* The same for up to 32 bytes: signatures' r and s. */
void rlp_put_uint(struct buffer *out, struct span big_endian);
/* Items that were written one after the other become a list. */
void rlp_put_list(struct buffer *out, struct span items);

/* Strict: longer heads than needed, and numbers with leading zeros, are APEX_E_FORMAT. What is
 * handed out is lent. */
apex_status rlp_bytes(struct cursor *c, struct span *bytes);
apex_status rlp_u64(struct cursor *c, uint64_t *value);
apex_status rlp_list(struct cursor *c, struct cursor *items);

#endif
