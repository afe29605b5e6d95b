/* Signed notes and checkpoints. Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint
 * (Ed25519, algorithm 0x01). A checkpoint's text is "<origin>\n<size>\n<base64 root>\n" and
 * then one signature line per key. */
#ifndef COMMON_MERKLE_CHECKPOINT_H
#define COMMON_MERKLE_CHECKPOINT_H

#include "common/crypto/sign.h"
#include "common/merkle/tree.h"

enum { ORIGIN_MAX = 128, NOTE_MAX = 16384, NOTE_SIGNATURES_MAX = 32 };

struct checkpoint {
    char origin[ORIGIN_MAX + 1];
    uint64_t size;
    struct merkle_hash root;
};

/* The signed note of `c`, with one signature by `key` under name `origin`, appended to `note`.
 */
apex_status checkpoint_sign(const struct checkpoint *c, const struct sign_secret *key,
                            struct buffer *note);
/* Parses the note, and checks that it is signed by `key` under the name `origin`. Unknown
 * signatures are ignored, a known key with a bad signature is APEX_E_UNTRUSTED, no signature by
 * `key` is APEX_E_UNTRUSTED. */
apex_status checkpoint_open(struct span note, const char *origin, const struct sign_public *key,
                            struct checkpoint *c);
/* Text only, nothing verified: for the host, which holds no key to check with. */
apex_status checkpoint_parse_unverified(struct span note, struct checkpoint *c);
/* "<name>+<8 hex>+<base64 0x01||key>": the verifier key people configure. out: NOTE_VKEY_MAX
 * bytes. */
enum { NOTE_VKEY_MAX = ORIGIN_MAX + 64 };
apex_status note_vkey(const char *name, const struct sign_public *key,
                      char vkey[static NOTE_VKEY_MAX]);
apex_status note_vkey_parse(struct span vkey, char name[static ORIGIN_MAX + 1],
                            struct sign_public *key);

#endif
