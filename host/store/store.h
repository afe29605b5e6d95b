/* Blobs, named by the SHA-256 of their bytes, in a folder.
 *
 *   FOLDER/ab/cdef…            whole blobs: seen whole or not at all, never overwritten
 *   FOLDER/partial/HEX.TOTAL   resumable uploads; what is in the file counts
 *   FOLDER/tmp/…               puts under way; emptied at open
 *
 * Rules. A blob is checked against its name, then fsynced, then renamed to its place, then its
 * folder is fsynced; only then is it acknowledged. An upload that ends early keeps its bytes,
 * one that fails (disk full) goes back to where it began; one that nobody touches for a week
 * is forgotten. Many threads may use one store; one
 * process may (the daemon locks its data folder).
 *
 * Statuses: APEX_E_NOT_FOUND no such blob; APEX_E_LIMIT the disk is full (or the blob is above
 * blob_max), nothing was kept; APEX_E_UNTRUSTED the bytes are not what the name says;
 * APEX_E_USAGE the offset is not the one to go on from; APEX_E_REFUSED another upload took
 * over; APEX_E_IO the disk failed. Leaks: everything; the host sees ciphertext only. */
#ifndef HOST_STORE_STORE_H
#define HOST_STORE_STORE_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum { STORE_DIGEST_LEN = 32, STORE_PIECES_MAX = 64, STORE_PARTIALS_MAX = 1024 };

struct store_options {
    uint64_t blob_max;      /* bytes; larger blobs are refused */
    uint64_t reserve_bytes; /* uploads, all together, leave so much of the disk for the log */
};
struct store_facts {
    uint64_t n_blobs, n_partials;
};

struct store;
/* Makes the folder if need be, and removes what earlier puts left behind. */
apex_status store_open(const char *folder, const struct store_options *options,
                       struct store **store);
void store_close(struct store *store);
struct store_facts store_facts(struct store *store);

/* A whole blob, open for reading. The descriptor is the caller's until blob_close. */
struct blob {
    int fd;
    uint64_t size;
};
apex_status store_blob_open(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                            struct blob *blob);
void blob_close(struct blob *blob);
/* Appends bytes from `offset` on to `out`: `len` of them, fewer only at the end. An offset
 * above the size: APEX_E_USAGE. */
apex_status store_read(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                       uint64_t offset, size_t len, struct buffer *out, uint64_t *total);
/* Is the blob whole and durable? If not, *offset says how many bytes of an unfinished upload
 * are kept. */
apex_status store_look(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                       bool *whole, uint64_t *offset);

/* A small blob at once. */
apex_status store_put(struct store *store, struct span bytes,
                      uint8_t digest[static STORE_DIGEST_LEN]);

/* A blob in pieces whose digest is known at the end only. *token 0 starts one and gets its
 * token. An unknown token is APEX_E_NOT_FOUND, more than STORE_PIECES_MAX at once
 * APEX_E_REFUSED. A failed append ends the blob. */
apex_status store_piece_append(struct store *store, uint64_t *token, struct span bytes);
apex_status store_piece_finish(struct store *store, uint64_t token,
                               uint8_t digest[static STORE_DIGEST_LEN]);
void store_pieces_drop(struct store *store); /* all unfinished ones: who wrote them is gone */

/* One stretch [first, first + len) of a blob of `total` bytes, named by its digest. Free with
 * upload_end or upload_abandon. upload_begin: *whole is set, and no upload made, when the blob
 * is there already; APEX_E_USAGE: `first` is not *offset. It may wait seconds for another
 * upload that stands at `first` to end or prove dead. A stretch of the whole blob starts again
 * from nothing and never meets APEX_E_USAGE. */
struct upload;
struct stretch {
    uint64_t first, len, total;
};
apex_status upload_begin(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                         const struct stretch *stretch, struct upload **upload, bool *whole,
                         uint64_t *offset);
apex_status upload_write(struct upload *upload, struct span bytes);
/* All of the stretch was written: makes it durable, and the blob visible if this was its end
 * (*whole). */
apex_status upload_end(struct upload *upload, bool *whole, uint64_t *offset);
/* The sender went away: keeps what came, durably, unless the upload had failed. */
void upload_abandon(struct upload *upload);

#endif
