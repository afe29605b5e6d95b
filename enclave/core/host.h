/* What the enclave asks of the host, as typed calls over the link; nothing that comes back is
 * believed until checked.
 *
 * Blobs are named by the SHA-256 of their bytes. A blob_reader reads one front to back in
 * pieces and knows at the end whether the bytes were the ones named; until blob_reader_end says
 * APEX_OK they are the host's word only. Statuses: APEX_E_NOT_FOUND the host has it not;
 * APEX_E_UNTRUSTED it is not what its name says; APEX_E_LIMIT the host's disk is full;
 * APEX_E_IO; APEX_E_UNREACHABLE. Leaks to the host: which blob is read when, and how far. */
#ifndef ENCLAVE_CORE_HOST_H
#define ENCLAVE_CORE_HOST_H

#include "common/crypto/hash.h"
#include "enclave/core/link.h"

struct blob_reader {
    struct link *link;
    uint8_t digest[HASH_LEN];
    uint64_t offset, total; /* total: as the host says, fixed by the first answer */
    bool started;
    struct buffer piece;
    size_t piece_at;
    struct sha256 hash;
    bool unhashed; /* the piece in hand */
    bool marked;   /* its reader checks every piece itself: it has no end to ask for */
};
void blob_reader_init(struct blob_reader *r, struct link *link,
                      const uint8_t digest[static HASH_LEN]);
void blob_reader_clear(struct blob_reader *r);
#define BLOB_READER_CLEARED __attribute__((cleanup(blob_reader_clear))) struct blob_reader
/* Up to `len` next bytes to out; *got < len only at the end. */
apex_status blob_reader_some(struct blob_reader *r, uint8_t *out, size_t len, size_t *got);
/* Exactly `len`; APEX_E_UNTRUSTED when it ends before. */
apex_status blob_reader_exact(struct blob_reader *r, uint8_t *out, size_t len);
/* Adds bytes to another hash, while the piece in hand is hashed. */
void blob_reader_hash_beside(struct blob_reader *r, struct sha256 *other, struct span bytes);
/* All is read: the bytes are the named ones. */
apex_status blob_reader_end(struct blob_reader *r);

/* A whole small blob (at most `max` bytes), checked. */
apex_status host_blob(struct link *link, const uint8_t digest[static HASH_LEN], size_t max,
                      struct buffer *bytes);
/* Stores bytes of any length and gives their digest, computed here. */
apex_status host_blob_put(struct link *link, struct span bytes,
                          uint8_t digest[static HASH_LEN]);
/* A bundle of entries from `index` on, unchecked. */
apex_status host_log_read(struct link *link, uint64_t index, struct buffer *bundle);
apex_status host_log_append(struct link *link, uint64_t index, struct span bundle);
apex_status host_checkpoint_put(struct link *link, struct span note);
/* The sealed root secret, empty when there is none. *wait: the host wants one handed over. */
apex_status host_root_get(struct link *link, bool *wait, struct buffer *sealed);
apex_status host_root_put(struct link *link, struct span sealed);
/* Empty when there is none. */
apex_status host_checkpoint_get(struct link *link, struct buffer *note);
/* The newest checkpoint with cosignatures that the host has; empty when it has none. */
apex_status host_witnessed_get(struct link *link, struct buffer *note);

#endif
