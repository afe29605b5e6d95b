/* States: pushing or pulling -> ended. The chunk marked last ends a stream; libsodium would let
 * more follow under a new key, we do not: stream_pull refuses whatever comes after it. */
#include "common/crypto/stream.h"

#include <sodium.h>

typedef crypto_secretstream_xchacha20poly1305_state sodium_state;

enum {
    ENDED_AT = 63, /* our one byte, behind libsodium's state */
    TAG_MORE = 0,  /* crypto_secretstream_xchacha20poly1305_TAG_MESSAGE */
    TAG_LAST = 3,  /* ..._TAG_FINAL */
};
_Static_assert(sizeof(sodium_state) <= ENDED_AT, "room for the state and our byte");
_Static_assert(crypto_secretstream_xchacha20poly1305_ABYTES == STREAM_OVERHEAD, "tag and mac");
_Static_assert(crypto_secretstream_xchacha20poly1305_HEADERBYTES == STREAM_HEADER_LEN,
               "header");
_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == STREAM_KEY_LEN, "key");

static sodium_state *state_of(struct stream *s)
{
    return (sodium_state *)(void *)s->state;
}

void stream_key_new(struct stream_key *key)
{
    crypto_secretstream_xchacha20poly1305_keygen(key->bytes);
}

void stream_push_init(struct stream *s, const struct stream_key *key,
                      uint8_t header[static STREAM_HEADER_LEN])
{
    *s = (struct stream){0};
    (void)crypto_secretstream_xchacha20poly1305_init_push(state_of(s), header, key->bytes);
}

void stream_push(struct stream *s, struct span plaintext, struct span aad, bool last,
                 uint8_t *out)
{
    (void)crypto_secretstream_xchacha20poly1305_push(state_of(s), out, NULL, plaintext.data,
                                                     plaintext.len, aad.data, aad.len,
                                                     last ? TAG_LAST : TAG_MORE);
}

apex_status stream_pull_init(struct stream *s, const struct stream_key *key,
                             const uint8_t header[static STREAM_HEADER_LEN])
{
    *s = (struct stream){0};
    int bad = crypto_secretstream_xchacha20poly1305_init_pull(state_of(s), header, key->bytes);
    return bad ? APEX_E_UNTRUSTED : APEX_OK;
}

apex_status stream_pull(struct stream *s, struct span sealed, struct span aad, bool *last,
                        uint8_t *out)
{
    unsigned char tag = 0;
    if (s->state[ENDED_AT]) return APEX_E_UNTRUSTED;
    if (sealed.len < STREAM_OVERHEAD) return APEX_E_FORMAT;
    int bad = crypto_secretstream_xchacha20poly1305_pull(
        state_of(s), out, NULL, &tag, sealed.data, sealed.len, aad.data, aad.len);
    if (bad) return APEX_E_UNTRUSTED;
    if (tag != TAG_MORE && tag != TAG_LAST) return APEX_E_FORMAT; /* libsodium's PUSH, REKEY */
    *last = tag == TAG_LAST;
    s->state[ENDED_AT] = *last;
    return APEX_OK;
}
