#include "common/base/hex.h"
#include "common/crypto/ct.h"
#include "common/crypto/hash.h"
#include "common/crypto/hpke_ephemeral.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"
#include "common/crypto/secretbox.h"
#include "common/crypto/sign.h"
#include "common/crypto/stream.h"
#include "tests/check.h"

#include <sodium.h>

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    CHECK(hex_parse(span_text(hex), out, len) == APEX_OK);
    return len;
}

static bool is_hex(const uint8_t *bytes, const char *hex)
{
    uint8_t want[256];
    size_t len = bytes_of(hex, want);
    return memcmp(bytes, want, len) == 0;
}

/* RFC 9180, appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, mode
 * base, sequence number 0. */
static void hpke_is_rfc_9180s(void **state)
{
    struct seal_secret e, r;
    struct seal_public e_public, r_public;
    uint8_t ikm[32], info[32], plain[64], sealed[128], opened[64];
    (void)state;
    bytes_of("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b", ikm);
    CHECK(seal_from_ikm(SPAN(ikm), &e_public, &e) == APEX_OK);
    CHECK(is_hex(e.bytes, "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"));
    bytes_of("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df", ikm);
    CHECK(seal_from_ikm(SPAN(ikm), &r_public, &r) == APEX_OK);
    CHECK(is_hex(r.bytes, "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
    CHECK(is_hex(r_public.bytes,
                 "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"));
    size_t info_len = bytes_of("4f6465206f6e2061204772656369616e2055726e", info);
    size_t len = bytes_of("4265617574792069732074727574682c20747275746820626561757479", plain);
    CHECK(hpke_seal_ephemeral(&e, &r_public, span_of(info, info_len), SPAN_TEXT("Count-0"),
                              span_of(plain, len), sealed) == APEX_OK);
    CHECK(is_hex(sealed, "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
                         "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993"
                         "c62ce81883d2dd1b51a28"));
    CHECK(hpke_open(&r, span_of(info, info_len), SPAN_TEXT("Count-0"),
                    span_of(sealed, len + HPKE_OVERHEAD), opened) == APEX_OK);
    CHECK(memcmp(opened, plain, len) == 0);
}

static void hpke_refuses_any_flipped_bit_and_another_purpose(void **state)
{
    struct seal_secret key, other;
    struct seal_public to, ignored;
    uint8_t sealed[20 + HPKE_OVERHEAD], opened[20], plain[20] = "twenty bytes of rows";
    (void)state;
    seal_new(&to, &key);
    seal_new(&ignored, &other);
    CHECK(hpke_seal(&to, SPAN_TEXT("purpose"), SPAN_TEXT("aad"), SPAN(plain), sealed) ==
          APEX_OK);
    CHECK(hpke_open(&key, SPAN_TEXT("purpose"), SPAN_TEXT("aad"), SPAN(sealed), opened) ==
          APEX_OK);
    CHECK(hpke_open(&other, SPAN_TEXT("purpose"), SPAN_TEXT("aad"), SPAN(sealed), opened) ==
          APEX_E_UNTRUSTED);
    CHECK(hpke_open(&key, SPAN_TEXT("Purpose"), SPAN_TEXT("aad"), SPAN(sealed), opened) ==
          APEX_E_UNTRUSTED);
    CHECK(hpke_open(&key, SPAN_TEXT("purpose"), SPAN_TEXT("aae"), SPAN(sealed), opened) ==
          APEX_E_UNTRUSTED);
    memset(opened, 0x55, sizeof opened);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(hpke_open(&key, SPAN_TEXT("purpose"), SPAN_TEXT("aad"), SPAN(sealed), opened) ==
              APEX_E_UNTRUSTED);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t i = 0; i < sizeof opened; i++)
        CHECK(opened[i] == 0x55); /* nothing is written when it does not open */
    CHECK(hpke_open(&key, SPAN_TEXT("purpose"), SPAN_TEXT("aad"),
                    span_of(sealed, HPKE_OVERHEAD - 1), opened) == APEX_E_FORMAT);
    memset(to.bytes, 0, 32);
    CHECK(hpke_seal(&to, SPAN_TEXT("purpose"), SPAN_TEXT("aad"), SPAN(plain), sealed) ==
          APEX_E_UNTRUSTED);
}

/* RFC 8032 section 7.1, tests 1 and 3. */
static void ed25519_is_rfc_8032s(void **state)
{
    static const struct {
        const char *seed, *key, *message, *signature;
    } cases[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a3"
                  "3bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
                 {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16"
                  "f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32], message[8], signature[64];
        struct sign_public key;
        struct sign_secret secret;
        bytes_of(cases[i].seed, seed);
        size_t len = bytes_of(cases[i].message, message);
        sign_from_seed(seed, &key, &secret);
        CHECK(is_hex(key.bytes, cases[i].key));
        sign_bytes(&secret, span_of(message, len), signature);
        CHECK(is_hex(signature, cases[i].signature));
        CHECK(sign_check(&key, span_of(message, len), signature) == APEX_OK);
        for (size_t bit = 0; bit < 512; bit++) {
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(sign_check(&key, span_of(message, len), signature) == APEX_E_UNTRUSTED);
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        memset(key.bytes, 0, 32); /* a point of small order */
        CHECK(sign_check(&key, span_of(message, len), signature) == APEX_E_UNTRUSTED);
    }
}

/* RFC 5869 appendix A.1. */
static void hkdf_is_rfc_5869s(void **state)
{
    uint8_t ikm[22], salt[13], info[10], prk[32], okm[42];
    (void)state;
    memset(ikm, 0x0b, sizeof ikm);
    bytes_of("000102030405060708090a0b0c", salt);
    bytes_of("f0f1f2f3f4f5f6f7f8f9", info);
    hkdf_extract(SPAN(salt), SPAN(ikm), prk);
    CHECK(is_hex(prk, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
    CHECK(hkdf_expand(prk, SPAN(info), okm, sizeof okm) == APEX_OK);
    CHECK(is_hex(okm, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208"
                      "d5b887185865"));
    CHECK(hkdf_expand(prk, SPAN(info), okm, HKDF_EXPAND_MAX + 1) == APEX_E_USAGE);
}

static void hashes_are_fips_180s(void **state)
{
    uint8_t d[64];
    struct sha256 s;
    (void)state;
    sha256(SPAN_TEXT("abc"), d);
    CHECK(is_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sha256_init(&s);
    sha256_update(&s, SPAN_TEXT("a"));
    sha256_update(&s, SPAN_TEXT("bc"));
    sha256_final(&s, d);
    CHECK(is_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sha512(SPAN_TEXT("abc"), d);
    CHECK(is_hex(d, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a27"
                    "4fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

/* FIPS 180-4's long example, through whatever instructions there are for whole blocks; and
 * every cut of a text the same as byte by byte, which never makes a block. */
static void sha256_is_the_same_in_any_pieces(void **state)
{
    static uint8_t text[1000000];
    uint8_t whole[HASH_LEN], pieces[HASH_LEN];
    struct sha256 s;
    (void)state;
    memset(text, 'a', sizeof text);
    sha256(SPAN(text), whole);
    CHECK(is_hex(whole, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    random_bytes(text, 1024);
    for (size_t len = 0; len < 1024; len += 7) {
        sha256_init(&s);
        for (size_t i = 0; i < len; i++)
            sha256_update(&s, span_of(text + i, 1));
        sha256_final(&s, whole);
        for (size_t cut = 0; cut <= len; cut += 5) {
            sha256_init(&s);
            sha256_update(&s, span_of(text, cut));
            sha256_update(&s, span_of(text + cut, len - cut));
            sha256_final(&s, pieces);
            CHECK(memcmp(whole, pieces, sizeof whole) == 0);
        }
    }
}

/* Two at once are each what it is alone, wherever they were cut and however long they are. */
static void two_sha256_do_not_mix(void **state)
{
    static uint8_t text[1024], other[1024];
    uint8_t want[2][HASH_LEN], got[2][HASH_LEN];
    (void)state;
    random_bytes(text, sizeof text);
    random_bytes(other, sizeof other);
    for (size_t i = 0; i < 4000; i++) {
        size_t len = i * 37 % 1024, len_other = i * 101 % 1024, cut = len ? i * 13 % len : 0,
               cut_other = len_other ? i * 29 % len_other : 0;
        struct sha256 s, t;
        sha256(span_of(text, len), want[0]);
        sha256(span_of(other, len_other), want[1]);
        sha256_init(&s);
        sha256_init(&t);
        sha256_update_two(&s, span_of(text, cut), &t, span_of(other, cut_other));
        sha256_update_two(&s, span_of(text + cut, len - cut), &t,
                          span_of(other + cut_other, len_other - cut_other));
        sha256_final(&s, got[0]);
        sha256_final(&t, got[1]);
        CHECK(memcmp(got, want, sizeof want) == 0);
    }
}

enum { CHUNKS = 4, CHUNK = 64 };

/* What libsodium's own functions write and read, for chunks and associated data of any length,
 * and where the count of chunks runs over and the key changes. */
static void a_stream_is_libsodiums(void **state)
{
    enum { LEN = 70000, NEAR_THE_END = 0xfffffffe };
    static uint8_t plain[LEN], sealed[LEN + STREAM_OVERHEAD], theirs[sizeof sealed], out[LEN];
    struct stream_key key;
    struct stream push, pull;
    crypto_secretstream_xchacha20poly1305_state other, reader;
    uint8_t header[STREAM_HEADER_LEN];
    unsigned char tag;
    bool last;
    (void)state;
    stream_key_new(&key);
    random_bytes(plain, sizeof plain);
    stream_push_init(&push, &key, header);
    CHECK(stream_pull_init(&pull, &key, header) == APEX_OK);
    CHECK(crypto_secretstream_xchacha20poly1305_init_pull(&reader, header, key.bytes) == 0);
    for (size_t i = 0; i < 200; i++) {
        bool end = i == 199;
        size_t len = end || i % 40 == 39 ? LEN - i : i * 7 % 300, aad = i % 35;
        if (i == 150) {
            const uint32_t count = NEAR_THE_END;
            memcpy(push.state + 32, &count, 4);
            memcpy(pull.state + 32, &count, 4);
            memcpy(reader.nonce, &count, 4);
        }
        memcpy(&other, push.state, sizeof other);
        CHECK(crypto_secretstream_xchacha20poly1305_push(
                  &other, theirs, NULL, plain, len, plain + 5, aad,
                  end ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0) == 0);
        CHECK(stream_push(&push, span_of(plain, len), span_of(plain + 5, aad), end, sealed) ==
              APEX_OK);
        CHECK(memcmp(sealed, theirs, len + STREAM_OVERHEAD) == 0);
        CHECK(crypto_secretstream_xchacha20poly1305_pull(&reader, out, NULL, &tag, sealed,
                                                         len + STREAM_OVERHEAD, plain + 5,
                                                         aad) == 0);
        CHECK(stream_pull(&pull, span_of(theirs, len + STREAM_OVERHEAD),
                          span_of(plain + 5, aad), &last, out) == APEX_OK);
        CHECK(memcmp(out, plain, len) == 0 && last == end);
    }
}

/* A stream whose chunks stand in any other order, or that lacks one, does not open to its end.
 */
static void a_stream_cannot_be_reordered_dropped_or_cut(void **state)
{
    struct stream_key key;
    struct stream s;
    uint8_t header[STREAM_HEADER_LEN], sealed[CHUNKS][CHUNK + STREAM_OVERHEAD],
        plain[CHUNK] = {7}, out[CHUNK];
    bool last;
    (void)state;
    stream_key_new(&key);
    stream_push_init(&s, &key, header);
    for (size_t i = 0; i < CHUNKS; i++)
        CHECK(stream_push(&s, SPAN(plain), SPAN_TEXT("address"), i == CHUNKS - 1, sealed[i]) ==
              APEX_OK);
    for (size_t skip = 0; skip < CHUNKS; skip++) {
        CHECK(stream_pull_init(&s, &key, header) == APEX_OK);
        for (size_t i = 0; i < skip; i++)
            CHECK(stream_pull(&s, SPAN(sealed[i]), SPAN_TEXT("address"), &last, out) ==
                      APEX_OK &&
                  last == (i == CHUNKS - 1));
        for (size_t i = 0; i < CHUNKS; i++)
            if (i != skip)
                CHECK(stream_pull(&s, SPAN(sealed[i]), SPAN_TEXT("address"), &last, out) ==
                      APEX_E_UNTRUSTED);
        CHECK(stream_pull(&s, SPAN(sealed[skip]), SPAN_TEXT("adress"), &last, out) ==
              APEX_E_UNTRUSTED);
        for (size_t bit = 0; bit < 8 * sizeof sealed[0]; bit += 3) {
            sealed[skip][bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(stream_pull(&s, SPAN(sealed[skip]), SPAN_TEXT("address"), &last, out) ==
                  APEX_E_UNTRUSTED);
            sealed[skip][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CHECK(stream_pull(&s, span_of(sealed[skip], CHUNK), SPAN_TEXT("address"), &last, out) ==
              APEX_E_UNTRUSTED);
        CHECK(stream_pull(&s, span_of(sealed[skip], 3), SPAN_TEXT("address"), &last, out) !=
              APEX_OK);
    }
}

static void a_small_secret_opens_whole_or_not_at_all(void **state)
{
    uint8_t key[32] = {9}, sealed[12 + SECRETBOX_OVERHEAD], out[12];
    (void)state;
    secretbox_seal(key, SPAN_TEXT("file"), SPAN_TEXT("twelve bytes"), sealed);
    CHECK(secretbox_open(key, SPAN_TEXT("file"), SPAN(sealed), out) == APEX_OK &&
          memcmp(out, "twelve bytes", 12) == 0);
    CHECK(secretbox_open(key, SPAN_TEXT("fila"), SPAN(sealed), out) == APEX_E_UNTRUSTED);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(secretbox_open(key, SPAN_TEXT("file"), SPAN(sealed), out) == APEX_E_UNTRUSTED);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(secretbox_open(key, SPAN_TEXT("file"), span_of(sealed, SECRETBOX_OVERHEAD - 1),
                         out) == APEX_E_FORMAT);
}

static void comparison_tells_equal_from_unequal(void **state)
{
    uint8_t a[32] = {1}, b[32] = {1}, zero[32] = {0};
    (void)state;
    CHECK(ct_equal(a, b, 32) && !ct_is_zero(a, 32) && ct_is_zero(zero, 32));
    b[31] = 1;
    CHECK(!ct_equal(a, b, 32) && ct_equal(a, b, 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hpke_is_rfc_9180s),
        cmocka_unit_test(hpke_refuses_any_flipped_bit_and_another_purpose),
        cmocka_unit_test(ed25519_is_rfc_8032s),
        cmocka_unit_test(hkdf_is_rfc_5869s),
        cmocka_unit_test(hashes_are_fips_180s),
        cmocka_unit_test(sha256_is_the_same_in_any_pieces),
        cmocka_unit_test(two_sha256_do_not_mix),
        cmocka_unit_test(a_stream_is_libsodiums),
        cmocka_unit_test(a_stream_cannot_be_reordered_dropped_or_cut),
        cmocka_unit_test(a_small_secret_opens_whole_or_not_at_all),
        cmocka_unit_test(comparison_tells_equal_from_unequal)};
    if (crypto_init() != APEX_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
