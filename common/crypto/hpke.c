#include "common/crypto/hpke.h"

#include "common/base/try.h"
#include "common/crypto/hpke_ephemeral.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"

#include <sodium.h>

enum { AEAD_NONCE_LEN = crypto_aead_chacha20poly1305_ietf_NPUBBYTES };

/* RFC 9180 sections 4.1 and 5.1: kem 0x0020, kdf 0x0001, aead 0x0003. */
static const uint8_t suite_kem[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t suite_hpke[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};
static const struct span nothing = {NULL, 0};

struct prk {
    uint8_t bytes[32];
};
WIPED_DEFINE(prk)
struct aead_key {
    uint8_t key[32];
    uint8_t nonce[AEAD_NONCE_LEN];
};
WIPED_DEFINE(aead_key)

/* Section 4: LabeledExtract. */
static void labeled_extract(struct span suite, struct span salt, const char *label,
                            struct span ikm, struct prk *prk)
{
    const struct span parts[] = {SPAN_TEXT("HPKE-v1"), suite, span_text(label), ikm};
    hkdf_extract_parts(salt, parts, 4, prk->bytes);
}

/* Section 4: LabeledExpand. */
static apex_status labeled_expand(struct span suite, const struct prk *prk, const char *label,
                                  struct span info, uint8_t *out, size_t len)
{
    const uint8_t out_len[] = {(uint8_t)(len >> 8), (uint8_t)len};
    const struct span parts[] = {SPAN(out_len), SPAN_TEXT("HPKE-v1"), suite, span_text(label),
                                 info};
    return hkdf_expand_parts(prk->bytes, parts, 5, out, len);
}

void seal_public_of(const struct seal_secret *secret, struct seal_public *public_key)
{
    (void)crypto_scalarmult_curve25519_base(public_key->bytes, secret->bytes);
}

void seal_new(struct seal_public *public_key, struct seal_secret *secret)
{
    random_bytes(secret->bytes, sizeof secret->bytes);
    seal_public_of(secret, public_key);
}

apex_status seal_from_ikm(struct span ikm, struct seal_public *public_key,
                          struct seal_secret *secret)
{
    WIPED(prk) prk;
    if (ikm.len < SEAL_KEY_LEN) return APEX_E_USAGE; /* section 7.1.3: at least Nsk bytes */
    labeled_extract(SPAN(suite_kem), nothing, "dkp_prk", ikm, &prk);
    TRY(labeled_expand(SPAN(suite_kem), &prk, "sk", nothing, secret->bytes, SEAL_KEY_LEN));
    seal_public_of(secret, public_key);
    return APEX_OK;
}

/* Section 7.1.4: an all-zero shared point is refused. Alone in its function, because its
 * answer, one bit of public keys that nobody honest sends, is what tests/ct.supp lets a branch
 * depend on. */
static __attribute__((noinline)) apex_status hpke_dh(const struct seal_secret *secret,
                                                     const struct seal_public *public_key,
                                                     struct prk *dh)
{
    int bad = crypto_scalarmult_curve25519(dh->bytes, secret->bytes, public_key->bytes);
    return bad ? APEX_E_UNTRUSTED : APEX_OK;
}

/* Section 4.1, ExtractAndExpand: dh and (enc || recipient's key) to the shared secret. */
static apex_status kem_secret(const struct prk *dh, const uint8_t *enc,
                              const struct seal_public *to, struct prk *shared)
{
    uint8_t context[HPKE_ENC_LEN + SEAL_KEY_LEN];
    WIPED(prk) eae;
    memcpy(context, enc, HPKE_ENC_LEN);
    memcpy(context + HPKE_ENC_LEN, to->bytes, SEAL_KEY_LEN);
    labeled_extract(SPAN(suite_kem), nothing, "eae_prk", span_of(dh, sizeof *dh), &eae);
    return labeled_expand(SPAN(suite_kem), &eae, "shared_secret", SPAN(context), shared->bytes,
                          32);
}

/* Section 5.1, KeySchedule with mode base. One message per key, so the nonce is the base nonce.
 */
static apex_status key_schedule(const struct prk *shared, struct span info,
                                struct aead_key *aead)
{
    const struct span suite = SPAN(suite_hpke);
    uint8_t context[1 + 32 + 32] = {0}; /* mode_base is 0x00 */
    struct prk id_hash, info_hash;
    WIPED(prk) secret;
    labeled_extract(suite, nothing, "psk_id_hash", nothing, &id_hash);
    labeled_extract(suite, nothing, "info_hash", info, &info_hash);
    memcpy(context + 1, id_hash.bytes, 32);
    memcpy(context + 33, info_hash.bytes, 32);
    labeled_extract(suite, span_of(shared, sizeof *shared), "secret", nothing, &secret);
    TRY(labeled_expand(suite, &secret, "key", SPAN(context), aead->key, sizeof aead->key));
    return labeled_expand(suite, &secret, "base_nonce", SPAN(context), aead->nonce,
                          sizeof aead->nonce);
}

apex_status hpke_seal_ephemeral(const struct seal_secret *ephemeral,
                                const struct seal_public *to, struct span info, struct span aad,
                                struct span plaintext, uint8_t *out)
{
    struct seal_public enc;
    WIPED(prk) dh, shared;
    WIPED(aead_key) aead;
    seal_public_of(ephemeral, &enc);
    TRY(hpke_dh(ephemeral, to, &dh));
    TRY(kem_secret(&dh, enc.bytes, to, &shared));
    TRY(key_schedule(&shared, info, &aead));
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out + HPKE_ENC_LEN, NULL, plaintext.data,
                                                    plaintext.len, aad.data, aad.len, NULL,
                                                    aead.nonce, aead.key);
    memcpy(out, enc.bytes, HPKE_ENC_LEN);
    return APEX_OK;
}

apex_status hpke_seal(const struct seal_public *to, struct span info, struct span aad,
                      struct span plaintext, uint8_t *out)
{
    struct seal_public enc;
    WIPED(seal_secret) ephemeral;
    seal_new(&enc, &ephemeral);
    return hpke_seal_ephemeral(&ephemeral, to, info, aad, plaintext, out);
}

static apex_status open_key(const struct seal_secret *key, struct span info, const uint8_t *enc,
                            struct aead_key *aead)
{
    struct seal_public to, from;
    WIPED(prk) dh, shared;
    memcpy(from.bytes, enc, HPKE_ENC_LEN);
    seal_public_of(key, &to);
    TRY(hpke_dh(key, &from, &dh));
    TRY(kem_secret(&dh, enc, &to, &shared));
    return key_schedule(&shared, info, aead);
}

apex_status hpke_open(const struct seal_secret *key, struct span info, struct span aad,
                      struct span sealed, uint8_t *out)
{
    WIPED(aead_key) aead;
    if (sealed.len < HPKE_OVERHEAD) return APEX_E_FORMAT;
    TRY(open_key(key, info, sealed.data, &aead));
    const uint8_t *body = sealed.data + HPKE_ENC_LEN;
    size_t len = sealed.len - HPKE_ENC_LEN;
    uint8_t *places[2] = {
        NULL, out}; /* libsodium zeroes `out` on a wrong tag: check first, then write */
    for (int i = 0; i < 2; i++) {
        int bad = crypto_aead_chacha20poly1305_ietf_decrypt(
            places[i], NULL, NULL, body, len, aad.data, aad.len, aead.nonce, aead.key);
        if (bad) return APEX_E_UNTRUSTED;
    }
    return APEX_OK;
}
