/* What the format readers share: rows of raw cells go in, checked groups come out. */
#ifndef CLIENT_LIB_ROWS_IN_H
#define CLIENT_LIB_ROWS_IN_H

#include "client/lib/cell.h"
#include "client/lib/reader.h"
#include "include/apex/apex.h"

enum { PIECE_BYTES = 256 * 1024, PIECE_SLACK = 64, FIELDS_PER_ROW_MAX = 1024 };

struct rows_in {
    int fd;
    uint64_t size, done;
    uint8_t *space; /* owned */
    uint8_t *piece; /* in it: PIECE_BYTES, and PIECE_SLACK readable on either side */
    const struct manifest_dataset *schema;
    const struct reader_options *options;
    struct complaints *complaints;
    struct reader_summary *summary;
    struct apex_error *error;
    struct table_writer *writer;
    uint8_t *group; /* GROUP_BYTES, 64-byte aligned */
    bool csv;
    struct cell *cells; /* one per column of the schema */
};

/* The next piece of the file; empty at its end. */
apex_status rows_piece(struct rows_in *in, struct span *piece);
/* Notes a bad row; names and values are made fit to be shown. `reason` is a fixed phrase. */
void rows_complain(struct rows_in *in, uint64_t row, uint64_t line, struct span column,
                   struct span value, const char *reason);
/* Notes a column of the file, not noted before, that is left out. */
void rows_ignored(struct rows_in *in, struct span name);
/* One row: raw[i] is the cell of column i of the schema. */
apex_status rows_add(struct rows_in *in, uint64_t row, uint64_t line,
                     const struct raw_cell *raw);

/* Many good rows at once, by columns of the schema. */
struct rows_column {
    const void *items;      /* as table_writer_items takes them; of a category, struct span */
    const uint8_t *present; /* 0: missing, and its item zero; NULL: none is */
};
apex_status rows_add_good(struct rows_in *in, const struct rows_column *columns, size_t n);

apex_status csv_read(struct rows_in *in, struct span first);
apex_status json_rows_read(struct rows_in *in, struct span first);

#endif
