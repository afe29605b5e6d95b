/* libsodium's secretstream (XChaCha20-Poly1305): a stream of chunks that cannot be reordered,
 * dropped or cut short unseen. libsodium reads what this writes, and the other way round. */
#ifndef COMMON_CRYPTO_STREAM_H
#define COMMON_CRYPTO_STREAM_H

#include "common/base/span.h"
#include "common/base/wipe.h"
#include "include/apex/status.h"

enum {
    STREAM_KEY_LEN = 32,
    STREAM_HEADER_LEN = 24,
    STREAM_OVERHEAD = 17,
    STREAM_CHUNK_MAX = 1 << 30
};

struct stream_key {
    uint8_t bytes[STREAM_KEY_LEN];
};
WIPED_DEFINE(stream_key)
struct stream {
    _Alignas(16) uint8_t state[64];
};
WIPED_DEFINE(stream)

void stream_key_new(struct stream_key *key);
void stream_push_init(struct stream *s, const struct stream_key *key,
                      uint8_t header[static STREAM_HEADER_LEN]);
/* out: plaintext.len + STREAM_OVERHEAD bytes, for at most STREAM_CHUNK_MAX of plaintext. `last`
 * marks the end; nothing may follow it. APEX_E_MEMORY: nothing is to be done with out. */
apex_status stream_push(struct stream *s, struct span plaintext, struct span aad, bool last,
                        uint8_t *out);
apex_status stream_pull_init(struct stream *s, const struct stream_key *key,
                             const uint8_t header[static STREAM_HEADER_LEN]);
/* out: sealed.len - STREAM_OVERHEAD bytes. APEX_E_UNTRUSTED: tampered, reordered or another
 * key. APEX_E_FORMAT: no chunk of ours. APEX_E_MEMORY. */
apex_status stream_pull(struct stream *s, struct span sealed, struct span aad, bool *last,
                        uint8_t *out);

#endif
