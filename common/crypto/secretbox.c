#include "common/crypto/secretbox.h"

#include "common/crypto/random.h"

#include <sodium.h>

enum { NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };
_Static_assert(NONCE_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES == SECRETBOX_OVERHEAD,
               "nonce and tag");

void secretbox_seal(const uint8_t key[static 32], struct span aad, struct span plaintext,
                    uint8_t *out)
{
    random_bytes(out, NONCE_LEN);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_LEN, NULL, plaintext.data,
                                                     plaintext.len, aad.data, aad.len, NULL,
                                                     out, key);
}

/* Twice over the bytes: libsodium zeroes `out` when the tag is wrong, so the tag is checked
 * first without a place to write. What goes through here is small. */
apex_status secretbox_open(const uint8_t key[static 32], struct span aad, struct span sealed,
                           uint8_t *out)
{
    if (sealed.len < SECRETBOX_OVERHEAD) return APEX_E_FORMAT;
    const uint8_t *nonce = sealed.data, *body = sealed.data + NONCE_LEN;
    size_t len = sealed.len - NONCE_LEN;
    uint8_t *places[2] = {NULL, out};
    for (int i = 0; i < 2; i++) {
        int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(places[i], NULL, NULL, body, len,
                                                             aad.data, aad.len, nonce, key);
        if (bad) return APEX_E_UNTRUSTED;
    }
    return APEX_OK;
}
