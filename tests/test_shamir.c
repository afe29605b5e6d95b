#include "common/crypto/random.h"
#include "common/crypto/shamir.h"
#include "tests/check.h"

#include <stdbool.h>
#include <string.h>
#include <valgrind/memcheck.h>

/* Polynomial arithmetic as it is written on paper. */
static unsigned on_paper(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (unsigned i = 0; i < 8; i++)
        if (b >> i & 1) product ^= a << i;
    for (unsigned i = 15; i >= 8; i--)
        if (product >> i & 1) product ^= 0x11bu << (i - 8);
    return product;
}

static void the_field_is_that_of_fips_197(void **state)
{
    (void)state;
    assert_int_equal(shamir_times(0x57, 0x83), 0xc1);
    assert_int_equal(shamir_times(0x57, 0x13), 0xfe);
    assert_int_equal(shamir_inverse(0x53), 0xca);
    assert_int_equal(shamir_inverse(0), 0);
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++)
            assert_int_equal(shamir_times((uint8_t)a, (uint8_t)b), on_paper(a, b));
        if (a) assert_int_equal(shamir_times((uint8_t)a, shamir_inverse((uint8_t)a)), 1);
    }
}

/* 42 + 7x + 9x^2 at 1, 2, 3, on paper: 42^7^9; 42 ^ 7*2 ^ 9*4; 42 ^ 7*3 ^ 9*5. */
static void shares_are_points_of_the_polynomial(void **state)
{
    (void)state;
    uint8_t secret[SHAMIR_LEN], coefficients[2 * SHAMIR_LEN];
    struct shamir_share s;
    memset(secret, 42, sizeof secret);
    memset(coefficients, 7, SHAMIR_LEN);
    memset(coefficients + SHAMIR_LEN, 9, SHAMIR_LEN);
    const unsigned want[] = {42 ^ 7 ^ 9, 42 ^ on_paper(7, 2) ^ on_paper(9, 4),
                             42 ^ on_paper(7, 3) ^ on_paper(9, 5)};
    for (uint8_t at = 1; at <= 3; at++) {
        CHECK_OK(shamir_share(secret, coefficients, 3, at, &s));
        assert_int_equal(s.bytes[0], want[at - 1]);
        assert_int_equal(s.bytes[31], want[at - 1]);
    }
}

static void any_m_of_n_shares_give_the_secret_and_fewer_do_not(void **state)
{
    (void)state;
    uint8_t secret[SHAMIR_LEN], coefficients[SHAMIR_SHARES_MAX * SHAMIR_LEN], back[SHAMIR_LEN];
    struct shamir_share all[6], some[6];
    random_bytes(secret, sizeof secret);
    for (unsigned n = 1; n <= 6; n++)
        for (unsigned m = 1; m <= n; m++) {
            random_bytes(coefficients, sizeof coefficients);
            for (uint8_t i = 0; i < n; i++)
                CHECK_OK(shamir_share(secret, coefficients, m, i + 1, &all[i]));
            for (unsigned chosen = 1; chosen < 1u << n; chosen++) {
                unsigned k = 0;
                for (unsigned i = 0; i < n; i++)
                    if (chosen >> i & 1) some[k++] = all[i];
                CHECK_OK(shamir_join(some, k, back));
                bool same = memcmp(back, secret, sizeof secret) == 0;
                CHECK(same == (k >= m));
            }
        }
}

/* Of two shares out of three, one is known: every secret is still as likely as any other. */
static void fewer_than_m_shares_tell_nothing(void **state)
{
    (void)state;
    for (unsigned known = 0; known < 256; known += 51) {
        unsigned seen[256] = {0};
        for (unsigned slope = 0; slope < 256; slope++)
            seen[known ^ on_paper(slope, 2)]++;
        for (unsigned secret = 0; secret < 256; secret++)
            assert_int_equal(seen[secret], 1);
    }
}

static void shares_that_cannot_be_joined_are_refused(void **state)
{
    (void)state;
    struct shamir_share s[SHAMIR_SHARES_MAX + 1];
    uint8_t secret[SHAMIR_LEN] = {0}, coefficients[SHAMIR_LEN] = {0};
    memset(s, 1, sizeof s);
    CHECK_STATUS(shamir_join(s, 0, secret), APEX_E_USAGE);
    CHECK_STATUS(shamir_join(s, 2, secret), APEX_E_USAGE); /* one place twice */
    CHECK_STATUS(shamir_join(s, SHAMIR_SHARES_MAX + 1, secret), APEX_E_USAGE);
    s[0].at = 0;
    CHECK_STATUS(shamir_join(s, 1, secret), APEX_E_USAGE);
    CHECK_STATUS(shamir_share(secret, coefficients, 2, 0, s), APEX_E_USAGE);
    CHECK_STATUS(shamir_share(secret, coefficients, 0, 1, s), APEX_E_USAGE);
}

/* Under valgrind: nothing branches on a secret byte or indexes by one. */
static void sharing_and_joining_take_the_same_steps_whatever_the_secret(void **state)
{
    uint8_t secret[SHAMIR_LEN], coefficients[2 * SHAMIR_LEN], back[SHAMIR_LEN];
    struct shamir_share s[3];
    (void)state;
    random_bytes(secret, sizeof secret);
    random_bytes(coefficients, sizeof coefficients);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(coefficients, sizeof coefficients);
    for (uint8_t at = 1; at <= 3; at++)
        CHECK_OK(shamir_share(secret, coefficients, 3, at, &s[at - 1]));
    CHECK_OK(shamir_join(s, 3, back));
    VALGRIND_MAKE_MEM_DEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_DEFINED(back, sizeof back);
    CHECK(memcmp(secret, back, sizeof secret) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_field_is_that_of_fips_197),
        cmocka_unit_test(shares_are_points_of_the_polynomial),
        cmocka_unit_test(any_m_of_n_shares_give_the_secret_and_fewer_do_not),
        cmocka_unit_test(fewer_than_m_shares_tell_nothing),
        cmocka_unit_test(sharing_and_joining_take_the_same_steps_whatever_the_secret),
        cmocka_unit_test(shares_that_cannot_be_joined_are_refused),
    };
    return crypto_init() == APEX_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
