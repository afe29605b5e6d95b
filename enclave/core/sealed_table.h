/* Opens a sealed table that lies on the host, chunk by chunk, and checks it again: the enclave
 * trusts no client.
 *
 * Each chunk is authenticated before it is looked at; groups are parsed and checked against the
 * dataset's schema; the row and group counts and the plaintext digest must be those in the
 * sealed head; the blob's SHA-256 must be its name. Leaks to the host: how far a bad table was
 * read. */
#ifndef ENCLAVE_CORE_SEALED_TABLE_H
#define ENCLAVE_CORE_SEALED_TABLE_H

#include "common/wire/manifest.h"
#include "common/wire/package.h"
#include "common/wire/refusal.h"
#include "enclave/core/host.h"
#include "enclave/core/jail.h"
#include "common/ledger/state.h"

/* What a table's head and each sealed piece of it hash to, seen when the whole was found to be
 * what it is named after. */
struct table_marks {
    uint8_t head[32];
    size_t n;
    uint8_t (*piece)[32];
};

struct table_source {
    const uint8_t *blob;    /* 32 bytes: its name */
    const uint8_t *address; /* of the contract */
    const struct seal_secret *key;
    const struct manifest_dataset *dataset;
    const uint8_t *author; /* 32 bytes: who sealed it */
    uint64_t rows_max;     /* above: REFUSAL_QUOTA */
    /* Opened whole and found good before, under this very name, as all is before it is
     * recorded: that its SHA-256 is the name again says that every row still fits, and that the
     * plaintext digest is the one in its head. For who holds the rows back until the end is
     * read. */
    bool known;
    const struct table_marks *marks; /* of a table that is streamed */
};
struct table_facts {
    uint64_t n_rows, n_groups;
    uint8_t digest[32];
    bool written;     /* `out` has all of it */
    bool located;     /* REFUSAL_BAD_ROWS: the two below say where */
    uint64_t bad_row; /* 0-based row in the table */
    size_t bad_column;
};

/* Reads the sealed head only: rows and digest as its author states them. */
enum refusal sealed_table_head(struct link *link, const struct table_source *src,
                               struct table_facts *facts);
/* Reads, opens and checks all. `out` (may be NULL) gets the plaintext groups, if they take no
 * more than `out_max` bytes and there is memory: facts->written tells. */
enum refusal sealed_table_open(struct link *link, const struct table_source *src,
                               struct memory_file *out, uint64_t out_max,
                               struct table_facts *facts);

/* The same, a group at a time, front to back: for tables that are not held whole. A table is
 * read once before, to the end and without being opened, and found to be what its name says:
 * anybody can seal a head to a contract, so that nothing less tells whose rows follow. Streams
 * accept the pieces then seen and no other, on every pass. */
enum refusal table_marks_make(struct link *link, const struct table_source *src,
                              struct table_marks *marks, struct table_facts *facts);
void table_marks_clear(struct table_marks *marks);

/* The source, its marks with it, outlives the stream. */
struct table_stream;
enum refusal table_stream_open(struct link *link, const struct table_source *src,
                               struct table_stream **stream);
/* The next group's bytes, valid until the next call (64-byte aligned). REFUSAL_NONE with an
 * empty span: there is none. */
enum refusal table_stream_next(struct table_stream *stream, struct span *group);
void table_stream_close(struct table_stream *stream);

#endif
