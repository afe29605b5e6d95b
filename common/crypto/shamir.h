/* Shamir's secret sharing over GF(2^8) with AES's polynomial, each byte of the secret by
 * itself. Any `m` of `n` shares give it back; fewer tell nothing. Source: Shamir, How to Share
 * a Secret, CACM 22 (1979); the field: FIPS 197 section 4.2.
 *
 * Constant time in: secret, coefficients, shares. The places of shares are public. A share says
 * nothing of whether it is right: sign it. */
#ifndef COMMON_CRYPTO_SHAMIR_H
#define COMMON_CRYPTO_SHAMIR_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

enum { SHAMIR_LEN = 32, SHAMIR_SHARES_MAX = 32 };

struct shamir_share {
    uint8_t at; /* 1 to 255 */
    uint8_t bytes[SHAMIR_LEN];
};

/* The share at `at` of the polynomial secret + coefficients[0] x + … of m - 1 coefficients,
 * each SHAMIR_LEN uniformly random bytes. APEX_E_USAGE: at is 0, or m is 0 or above
 * SHAMIR_SHARES_MAX. */
apex_status shamir_share(const uint8_t secret[static SHAMIR_LEN], const uint8_t *coefficients,
                         unsigned m, uint8_t at, struct shamir_share *share);
/* From exactly m shares. APEX_E_USAGE: two at one place, one at 0, none or too many. */
apex_status shamir_join(const struct shamir_share *shares, unsigned m,
                        uint8_t secret[static SHAMIR_LEN]);

/* The field, for its tests. */
uint8_t shamir_times(uint8_t a, uint8_t b);
uint8_t shamir_inverse(uint8_t a); /* of 0: 0 */

#endif
