#include "common/crypto/shamir.h"

#include "common/base/wipe.h"

/* No table and no branch on a value: a table's cache lines would tell. */
uint8_t shamir_times(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        product ^= (uint8_t)(a & -(b >> bit & 1));
        a = (uint8_t)(a << 1 ^ (0x1b & -(a >> 7)));
    }
    return product;
}

/* a^254, by Fermat. */
uint8_t shamir_inverse(uint8_t a)
{
    uint8_t power = a;
    for (unsigned bit = 0; bit < 6; bit++)
        power = shamir_times(shamir_times(power, power), a);
    return shamir_times(power, power);
}

apex_status shamir_share(const uint8_t secret[static SHAMIR_LEN], const uint8_t *coefficients,
                         unsigned m, uint8_t at, struct shamir_share *share)
{
    if (at == 0 || m == 0 || m > SHAMIR_SHARES_MAX) return APEX_E_USAGE;
    share->at = at;
    for (size_t i = 0; i < SHAMIR_LEN; i++) {
        uint8_t y = 0;
        for (unsigned k = m - 1; k-- > 0;) /* Horner, the highest first */
            y = shamir_times(y ^ coefficients[k * SHAMIR_LEN + i], at);
        share->bytes[i] = y ^ secret[i];
    }
    return APEX_OK;
}

/* Lagrange's weight at 0: the product of x_j / (x_j - x_i) over the others. */
static uint8_t weight(const struct shamir_share *shares, unsigned m, unsigned i)
{
    uint8_t above = 1, below = 1;
    for (unsigned j = 0; j < m; j++) {
        if (j == i) continue;
        above = shamir_times(above, shares[j].at);
        below = shamir_times(below, shares[j].at ^ shares[i].at);
    }
    return shamir_times(above, shamir_inverse(below));
}

apex_status shamir_join(const struct shamir_share *shares, unsigned m,
                        uint8_t secret[static SHAMIR_LEN])
{
    uint8_t sum[SHAMIR_LEN] = {0};
    if (m == 0 || m > SHAMIR_SHARES_MAX) return APEX_E_USAGE;
    for (unsigned i = 0; i < m; i++) {
        if (shares[i].at == 0) return APEX_E_USAGE;
        for (unsigned j = 0; j < i; j++)
            if (shares[i].at == shares[j].at) return APEX_E_USAGE;
        uint8_t w = weight(shares, m, i);
        for (size_t k = 0; k < SHAMIR_LEN; k++)
            sum[k] ^= shamir_times(w, shares[i].bytes[k]);
    }
    memcpy(secret, sum, sizeof sum);
    wipe(sum, sizeof sum);
    return APEX_OK;
}
