/* Keccak-256 as Ethereum has it: rate 1088, padding 0x01, not the 0x06 of SHA3-256. Constant
 * time in: data (not its length). Source: The Keccak reference 3.0, sections 1.2 and 2.4;
 * Ethereum yellow paper, section 3. */
#ifndef COMMON_CRYPTO_KECCAK_H
#define COMMON_CRYPTO_KECCAK_H

#include "common/base/span.h"

enum { KECCAK_LEN = 32 };

void keccak256(struct span bytes, uint8_t digest[static KECCAK_LEN]);

#endif
