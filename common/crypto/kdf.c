#include "common/crypto/kdf.h"

#include "common/base/wipe.h"

#include <sodium.h>

struct hmac {
    crypto_auth_hmacsha256_state state;
};
WIPED_DEFINE(hmac)
struct block {
    uint8_t bytes[32];
};
WIPED_DEFINE(block)

static void hmac_start(struct hmac *h, struct span key)
{
    static const uint8_t none; /* an empty key still needs an address */
    (void)crypto_auth_hmacsha256_init(&h->state, key.len ? key.data : &none, key.len);
}

static void hmac_add(struct hmac *h, const struct span *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++) {
        if (!parts[i].len) continue;
        (void)crypto_auth_hmacsha256_update(&h->state, parts[i].data, parts[i].len);
    }
}

void hkdf_extract_parts(struct span salt, const struct span *ikm, size_t n_parts,
                        uint8_t prk[static 32])
{
    WIPED(hmac) h;
    hmac_start(&h, salt);
    hmac_add(&h, ikm, n_parts);
    (void)crypto_auth_hmacsha256_final(&h.state, prk);
}

apex_status hkdf_expand_parts(const uint8_t prk[static 32], const struct span *info,
                              size_t n_parts, uint8_t *out, size_t len)
{
    WIPED(block) t = {0};
    if (len > HKDF_EXPAND_MAX) return APEX_E_USAGE;
    for (size_t done = 0, i = 1; done < len; i++) { /* RFC 5869 section 2.3: T(i) */
        uint8_t counter = (uint8_t)i;
        size_t want = len - done < sizeof t ? len - done : sizeof t;
        struct span last = span_of(&counter, 1),
                    before = span_of(t.bytes, i == 1 ? 0 : sizeof t);
        WIPED(hmac) h;
        hmac_start(&h, span_of(prk, 32));
        hmac_add(&h, &before, 1);
        hmac_add(&h, info, n_parts);
        hmac_add(&h, &last, 1);
        (void)crypto_auth_hmacsha256_final(&h.state, t.bytes);
        memcpy(out + done, t.bytes, want);
        done += want;
    }
    return APEX_OK;
}

void hkdf_extract(struct span salt, struct span ikm, uint8_t prk[static 32])
{
    hkdf_extract_parts(salt, &ikm, 1, prk);
}

apex_status hkdf_expand(const uint8_t prk[static 32], struct span info, uint8_t *out,
                        size_t len)
{
    return hkdf_expand_parts(prk, &info, 1, out, len);
}

_Static_assert(crypto_pwhash_SALTBYTES == PASSPHRASE_SALT_LEN, "salt of Argon2id");

apex_status kdf_passphrase(struct span passphrase,
                           const uint8_t salt[static PASSPHRASE_SALT_LEN],
                           uint8_t key[static 32])
{
    if (passphrase.len > PASSPHRASE_MAX) return APEX_E_USAGE;
    const char *text = passphrase.len ? (const char *)passphrase.data : "";
    int bad =
        crypto_pwhash(key, 32, text, passphrase.len, salt, crypto_pwhash_OPSLIMIT_MODERATE,
                      crypto_pwhash_MEMLIMIT_MODERATE, crypto_pwhash_ALG_ARGON2ID13);
    return bad ? APEX_E_MEMORY : APEX_OK;
}
