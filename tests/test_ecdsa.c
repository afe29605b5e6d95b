/* Keccak-256 beside nettle's permutation, and ECDSA beside the example of EIP-155. */
#include "tests/check.h"

#include "common/base/hex.h"
#include "common/crypto/ecdsa.h"
#include "common/crypto/keccak.h"
#include "common/crypto/random.h"

#include <nettle/sha3.h>
#include <stdlib.h>

static void hex_of(const char *text, uint8_t *out, size_t len)
{
    CHECK_OK(hex_parse(span_text(text), out, len));
}

static void the_digests_of_ethereum_s_own_constants_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        /* the hash of nothing, and of an empty RLP string: yellow paper, section 4.1 */
        {"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"},
        {"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"Transfer(address,address,uint256)",
         "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"},
        {"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
         "8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t got[KECCAK_LEN], want[KECCAK_LEN];
        keccak256(span_text(cases[i].text), got);
        hex_of(cases[i].digest, want, sizeof want);
        assert_memory_equal(got, want, sizeof want);
    }
}

/* The sponge written out again on nettle's permutation. */
static void keccak_by_nettle(struct span bytes, uint8_t digest[static 32])
{
    enum { RATE_BYTES = 136 };
    struct sha3_state s = {{0}};
    uint8_t lanes[200] = {0};
    for (size_t at = 0;; at += RATE_BYTES) {
        size_t n = bytes.len - at < RATE_BYTES ? bytes.len - at : RATE_BYTES;
        for (size_t i = 0; i < n; i++)
            lanes[i] ^= bytes.data[at + i];
        if (n < RATE_BYTES) {
            lanes[n] ^= 1;
            lanes[RATE_BYTES - 1] ^= 0x80;
        }
        memcpy(s.a, lanes, sizeof lanes);
        sha3_permute(&s);
        memcpy(lanes, s.a, sizeof lanes);
        if (n < RATE_BYTES) break;
    }
    memcpy(digest, lanes, 32);
}

static void every_length_up_to_four_blocks_hashes_as_nettle_s_permutation_does(void **state)
{
    (void)state;
    uint8_t bytes[4 * 136 + 2], got[KECCAK_LEN], want[KECCAK_LEN];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 7);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        keccak256(span_of(bytes, len), got);
        keccak_by_nettle(span_of(bytes, len), want);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void the_example_of_eip_155_is_signed_to_the_bit(void **state)
{
    (void)state;
    struct ecdsa_public public_key, recovered;
    struct ecdsa_secret secret;
    struct ecdsa_signature signature;
    uint8_t seed[32], digest[32], want[32], address[20], want_address[20];
    hex_of("4646464646464646464646464646464646464646464646464646464646464646", seed, 32);
    hex_of("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53", digest, 32);
    CHECK_OK(ecdsa_from_seed(seed, &public_key, &secret));
    CHECK_OK(ecdsa_address(&public_key, address));
    hex_of("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", want_address, 20);
    assert_memory_equal(address, want_address, 20);
    CHECK_OK(ecdsa_sign(&secret, digest, &signature));
    hex_of("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276", want, 32);
    assert_memory_equal(signature.r, want, 32);
    hex_of("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83", want, 32);
    assert_memory_equal(signature.s, want, 32);
    CHECK(signature.parity == 0); /* v = 37 there */
    CHECK_OK(ecdsa_recover(&signature, digest, &recovered));
    assert_memory_equal(recovered.bytes, public_key.bytes, sizeof public_key.bytes);
}

static void a_signature_with_any_bit_flipped_is_not_by_the_same_key(void **state)
{
    (void)state;
    struct ecdsa_public public_key, recovered;
    struct ecdsa_secret secret;
    struct ecdsa_signature good, bad;
    uint8_t digest[32] = {9};
    CHECK_OK(ecdsa_from_seed((const uint8_t[32]){[31] = 7}, &public_key, &secret));
    CHECK_OK(ecdsa_sign(&secret, digest, &good));
    for (size_t bit = 0; bit < 8 * 65; bit++) {
        bad = good;
        uint8_t *at = bit < 256   ? bad.r + bit / 8
                      : bit < 512 ? bad.s + (bit - 256) / 8
                                  : &bad.parity;
        *at ^= (uint8_t)(1 << bit % 8);
        if (ecdsa_recover(&bad, digest, &recovered) == APEX_OK)
            CHECK(memcmp(recovered.bytes, public_key.bytes, sizeof public_key.bytes) != 0);
    }
    digest[0] ^= 1;
    if (ecdsa_recover(&good, digest, &recovered) == APEX_OK)
        CHECK(memcmp(recovered.bytes, public_key.bytes, sizeof public_key.bytes) != 0);
}

/* order - s, the same signature in another dress: EIP-2 takes one of the two. */
static void the_upper_half_of_s_is_refused(void **state)
{
    (void)state;
    static const char order[] =
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    struct ecdsa_public public_key, recovered;
    struct ecdsa_secret secret;
    struct ecdsa_signature signature;
    uint8_t n[32], digest[32] = {3};
    unsigned borrow = 0;
    CHECK_OK(ecdsa_from_seed((const uint8_t[32]){[31] = 5}, &public_key, &secret));
    CHECK_OK(ecdsa_sign(&secret, digest, &signature));
    hex_of(order, n, 32);
    for (size_t i = 32; i-- > 0;) {
        unsigned take = signature.s[i] + borrow;
        borrow = n[i] < take;
        signature.s[i] = (uint8_t)(n[i] - take);
    }
    signature.parity ^= 1;
    CHECK_STATUS(ecdsa_recover(&signature, digest, &recovered), APEX_E_UNTRUSTED);
}

static void what_is_no_key_and_no_point_is_refused(void **state)
{
    (void)state;
    struct ecdsa_public public_key = {{0}};
    struct ecdsa_secret secret;
    struct ecdsa_signature zero = {{0}, {0}, 0};
    uint8_t n[32], address[20];
    CHECK_STATUS(ecdsa_from_seed((const uint8_t[32]){0}, &public_key, &secret), APEX_E_USAGE);
    hex_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", n, 32);
    CHECK_STATUS(ecdsa_from_seed(n, &public_key, &secret), APEX_E_USAGE);
    CHECK_STATUS(ecdsa_address(&public_key, address), APEX_E_FORMAT);
    CHECK_STATUS(ecdsa_recover(&zero, n, &public_key), APEX_E_UNTRUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digests_of_ethereum_s_own_constants_come_out),
        cmocka_unit_test(every_length_up_to_four_blocks_hashes_as_nettle_s_permutation_does),
        cmocka_unit_test(the_example_of_eip_155_is_signed_to_the_bit),
        cmocka_unit_test(a_signature_with_any_bit_flipped_is_not_by_the_same_key),
        cmocka_unit_test(the_upper_half_of_s_is_refused),
        cmocka_unit_test(what_is_no_key_and_no_point_is_refused)};
    return crypto_init() == APEX_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
