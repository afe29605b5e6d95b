#include "common/num/private_noise.h"

#include "common/num/exact.h"
#include "common/num/leak.h"
#include "common/num/private_budget.h"

typedef unsigned __int128 u128;

enum {
    SCALE_BITS = 50,    /* of the greatest scale */
    FRACTION_BITS = 16, /* a small s^2 is rounded up to this many binary places */
    UNIT_ROUNDS = 16,   /* of algorithm 1: more happen with probability 1/16! */
    UNIT_ROUNDS_MAX = 64,
    POWER_ROUNDS = 32, /* of exp(-1): more happen with probability e^-32 */
    POWER_CHUNKS = 64,
    TRIALS_MAX = 4096, /* each is accepted with probability above 1/3 */
};

/* A bit that the header lists under Leaks. */
static bool told(uint64_t mask)
{
    num_leak(&mask, sizeof mask);
    return mask != 0;
}

static uint64_t mask_of(uint64_t bit)
{
    return (uint64_t)0 - bit;
}

/* Uniform in 0..b-1, b > 0. */
static uint64_t below(struct private_random *r, uint64_t b)
{
    uint64_t bits = b > 1 ? UINT64_MAX >> __builtin_clzll(b - 1) : 0, x;
    if (bits == 0) return 0;
    do {
        x = private_random_next(r) & bits;
    } while (told(x >= b));
    return x;
}

static u128 below_wide(struct private_random *r, u128 b)
{
    uint64_t high = (uint64_t)((b - 1) >> 64);
    if (high == 0) return below(r, (uint64_t)b);
    uint64_t bits = UINT64_MAX >> __builtin_clzll(high);
    u128 x;
    do {
        uint64_t low = private_random_next(r);
        x = (u128)(private_random_next(r) & bits) << 64 | low;
    } while (told(x >= b));
    return x;
}

/* All ones with probability a / (b k), 0 <= a <= b, 0 < k <= 64. */
static uint64_t bernoulli(struct private_random *r, u128 a, u128 b, uint64_t k)
{
    if (b >> 57 == 0) return mask_of(below(r, (uint64_t)b * k) < (uint64_t)a);
    uint64_t first = mask_of(below_wide(r, b) < a);
    return first & mask_of(below(r, k) == 0);
}

/* Algorithm 1 for gamma = a / b in 0..1: the number of the first k whose
 * Bernoulli(gamma / k) fails is odd with probability exp(-gamma). */
uint64_t private_bernoulli_exp(struct private_random *random, u128 a, u128 b)
{
    uint64_t alive = UINT64_MAX, odd = UINT64_MAX;
    for (uint64_t k = 1; k <= UNIT_ROUNDS_MAX; k++) {
        alive &= bernoulli(random, a, b, k);
        odd ^= alive;
        if (k >= UNIT_ROUNDS && !told(alive)) break;
    }
    return odd;
}

/* All ones with probability exp(-1): a uniform number in [0, 1) is below it,
 * digit by digit. */
static uint64_t bernoulli_e(struct private_random *r)
{
    static const uint64_t digits[4] = {
        UINT64_C(0x5e2d58d8b3bcdf1a), UINT64_C(0xbadec7829054f90d),
        UINT64_C(0xda9805aab56c7733), UINT64_C(0x3024b9d0a507daed)};
    uint64_t less = 0, equal = UINT64_MAX;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t x = private_random_next(r);
        less |= equal & mask_of(x < digits[i]);
        equal &= mask_of(x == digits[i]);
        if (!told(equal)) break;
    }
    return less;
}

/* How often exp(-1) succeeds before it first fails. */
static uint64_t geometric_e(struct private_random *r)
{
    uint64_t alive = UINT64_MAX, v = 0;
    for (unsigned chunk = 0; chunk < POWER_CHUNKS; chunk++) {
        for (unsigned i = 0; i < POWER_ROUNDS; i++) {
            alive &= bernoulli_e(r);
            v += alive & 1;
        }
        if (!told(alive)) break;
    }
    return v;
}

/* x / q, digit by digit: the processor's division takes as long as its numbers
 * are. */
static uint64_t divide(uint64_t x, uint64_t q)
{
    uint64_t quotient = 0, rest = 0;
    if (q == 1) return x;
    for (unsigned i = 64; i-- > 0;) {
        rest = rest << 1 | (x >> i & 1);
        uint64_t fits = mask_of(rest >= q);
        rest -= q & fits;
        quotient |= (fits & 1) << i;
    }
    return quotient;
}

/* Algorithm 2. */
static int64_t laplace(uint64_t t, uint64_t q, struct private_random *r)
{
    uint64_t size = 0, sign = 0;
    for (unsigned trial = 0; trial < TRIALS_MAX; trial++) {
        uint64_t u = below(r, t);
        if (!told(private_bernoulli_exp(r, u, t))) continue;
        size = divide(u + t * geometric_e(r), q);
        sign = mask_of(private_random_next(r) & 1);
        if (!told(sign & mask_of(size == 0))) break;
    }
    return (int64_t)((size ^ sign) - sign);
}

/* All ones with probability exp(-a / b): exp(-1) once for each whole b in a,
 * then the rest. */
static uint64_t bernoulli_exp_any(struct private_random *r, u128 a, u128 b)
{
    uint64_t yes = UINT64_MAX;
    unsigned round = 0;
    do {
        for (unsigned i = 0; i < POWER_ROUNDS; i++, round++) {
            uint64_t whole = mask_of(a >= b);
            a -= b & ((u128)whole << 64 | whole);
            yes &= ~whole | bernoulli_e(r);
        }
    } while (told(yes & mask_of(a >= b)) && round < POWER_ROUNDS * POWER_CHUNKS);
    /* Past the last round a is not below b only with probability e^-2048: then it
     * is refused. */
    uint64_t rest = mask_of(a < b);
    a &= (u128)rest << 64 | rest;
    return yes & rest & private_bernoulli_exp(r, a, b);
}

/* Algorithm 3: a Laplace proposal y of scale t is accepted with probability
 * exp(-(|y| - s^2/t)^2 / 2 s^2), where s^2 / t = p / q: (|y| q - p)^2 / (2 p q
 * t). With the limits below, |y| q < 2^61 and all of this is below 2^124. */
static int64_t gaussian(const struct private_noise *n, struct private_random *r)
{
    const u128 b = (u128)2 * n->p * n->q * n->t;
    int64_t y = 0;
    for (unsigned trial = 0; trial < TRIALS_MAX; trial++) {
        y = laplace(n->t, 1, r);
        uint64_t sign = mask_of((uint64_t)y >> 63), size = ((uint64_t)y ^ sign) - sign;
        int64_t off = (int64_t)(size * n->q) - (int64_t)n->p;
        if (told(bernoulli_exp_any(r, (u128)((__int128)off * off), b))) break;
    }
    return y;
}

int64_t private_noise_draw(const struct private_noise *n, struct private_random *random)
{
    return n->gaussian ? gaussian(n, random) : laplace(n->t, n->q, random);
}

static uint64_t divisor_of(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* 2 x / (1 - x)^2 with x = exp(-1/b). */
static double laplace_variance(double b)
{
    if (b > 1e4) return 2 * b * b;
    double x = exact_exp(-1 / b);
    return 2 * x / ((1 - x) * (1 - x));
}

apex_status private_noise_laplace(uint64_t l1, uint64_t epsilon_micro, struct private_noise *n,
                                  struct num_place *place)
{
    if (epsilon_micro == 0) return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    u128 t = (u128)(l1 ? l1 : 1) * 1000000, q = epsilon_micro;
    if (t / q >> 20) { /* a millionth of this scale more is not worth a fraction */
        t = (t + q - 1) / q;
        q = 1;
    }
    if (t >> SCALE_BITS) return private_refuse(place, NUM_RANGE, 0, APEX_E_LIMIT);
    uint64_t common = divisor_of((uint64_t)t, (uint64_t)q);
    *n = (struct private_noise){.t = (uint64_t)t / common, .q = (uint64_t)q / common};
    n->variance = laplace_variance((double)n->t / (double)n->q);
    return APEX_OK;
}

/* The least r with r * r >= x; x <= 2^100. */
static uint64_t root_up(u128 x)
{
    uint64_t low = 0, high = (uint64_t)1 << SCALE_BITS;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if ((u128)middle * middle >= x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

apex_status private_noise_gaussian(uint64_t l2_squared, uint64_t rho_nano,
                                   struct private_noise *n, struct num_place *place)
{
    if (rho_nano == 0 || rho_nano >> 62)
        return private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
    u128 top = (u128)(l2_squared ? l2_squared : 1) * 1000000000, bottom = (u128)2 * rho_nano;
    if (top / bottom >> 32) { /* s itself rounded up to an integer: t = p = s */
        u128 square = (top + bottom - 1) / bottom;
        if (square >> (2 * SCALE_BITS))
            return private_refuse(place, NUM_RANGE, 0, APEX_E_LIMIT);
        uint64_t s = root_up(square);
        *n = (struct private_noise){.gaussian = true, .t = s, .p = s, .q = 1};
        n->variance = (double)s * (double)s;
        return APEX_OK;
    }
    /* s^2 = p / 2^16, t = floor(s) + 1; then s^2 / t = p / (2^16 t). */
    uint64_t p = (uint64_t)(((top << FRACTION_BITS) + bottom - 1) / bottom);
    uint64_t whole = p >> FRACTION_BITS, t = root_up(whole + 1);
    *n = (struct private_noise){.gaussian = true, .t = t, .p = p, .q = t << FRACTION_BITS};
    n->variance = (double)p / (1 << FRACTION_BITS);
    return APEX_OK;
}
