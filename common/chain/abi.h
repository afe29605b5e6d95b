/* Words of 32 bytes, as contracts take and give them. Source: Solidity contract ABI
 * specification, "Formal Specification of the Encoding". */
#ifndef COMMON_CHAIN_ABI_H
#define COMMON_CHAIN_ABI_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"

void abi_u64(struct buffer *out, uint64_t value);
void abi_address(struct buffer *out, const uint8_t address[static 20]);
/* `bytes` and `string` behind their offset: the length, then the bytes padded to whole words.
 */
void abi_tail(struct buffer *out, struct span bytes);
/* The first four bytes of Keccak-256 of a signature such as "runs(bytes32,uint64)". */
void abi_selector(struct buffer *out, const char *signature);

/* APEX_E_FORMAT: the word is missing or is none of the kind. */
apex_status abi_take_u64(struct cursor *c, uint64_t *value);
apex_status abi_take_address(struct cursor *c, uint8_t address[static 20]);
apex_status abi_take_word(struct cursor *c, uint8_t word[static 32]);

#endif
