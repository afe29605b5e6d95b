/* Cosignatures: a witness says that, of this log, this is the largest tree it has seen, and
 * that every one it saw before is contained in it. Source: c2sp.org/tlog-cosignature (Ed25519,
 * algorithm 0x04): the signature is over "cosignature/v1\ntime <seconds>\n" and the note's
 * text; a signature line holds the key id, the time and the signature. */
#ifndef COMMON_MERKLE_COSIGNATURE_H
#define COMMON_MERKLE_COSIGNATURE_H

#include "common/merkle/checkpoint.h"

struct witness_key {
    char name[ORIGIN_MAX + 1];
    struct sign_public key;
};
/* "<name>+<8 hex>+<base64 0x04||key>". APEX_E_FORMAT. */
apex_status witness_key_parse(struct span vkey, struct witness_key *w);
apex_status witness_key_write(const struct witness_key *w, char vkey[static NOTE_VKEY_MAX]);

/* The signature line of a witness for the note, appended to `line`. */
apex_status cosignature_make(struct span note, const char *name, const struct sign_secret *key,
                             uint64_t time_s, struct buffer *line);
/* Has this witness cosigned the note? One line that holds is enough: others under its name can
 * be anybody's, put there to spoil it. APEX_E_NOT_FOUND: it has not; APEX_E_UNTRUSTED: a line
 * says so, and its signature does not hold; APEX_E_FORMAT. Whether the log signed the note is
 * checkpoint_open's to tell. */
apex_status cosignature_check(struct span note, const struct witness_key *w, uint64_t *time_s);
/* How many of n different witnesses cosigned it. One that has not, or whose line does not hold,
 * does not count. */
size_t cosignature_count(struct span note, const struct witness_key *w, size_t n);

#endif
