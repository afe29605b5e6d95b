/* Reads an owner's rows from a file, row by row, checks them against a dataset's columns and
 * hands them on as table groups. Formats, told apart by their first bytes: CSV (any of , ; tab
 * |; quotes; BOM; CRLF; header or not), a JSON list of objects (the original APEX form), JSON
 * lines, GeoJSON points. Memory is bounded whatever the file's size. Every bad row is noted, up
 * to a limit of those kept; after the first one no more groups are handed on. Plaintext stays
 * in this process. */
#ifndef CLIENT_LIB_READER_H
#define CLIENT_LIB_READER_H

#include "common/wire/table.h"

struct apex_error;
enum { COMPLAINTS_MAX = 100, COMPLAINT_VALUE_MAX = 40, MAP_OFFER_MAX = 220 };

struct complaint {
    uint64_t row, line;
    char column[NAME_MAX_LEN + 1], value[COMPLAINT_VALUE_MAX + 8];
    const char *reason;
};
struct complaints {
    uint64_t total;
    size_t n;
    struct complaint item[COMPLAINTS_MAX];
};

struct reader_options {
    const char *map; /* "column=name,…" with names or 1-based positions of the file's columns;
                        NULL: names must be the dataset's */
    apex_status (*group)(
        void *context,
        struct span group); /* called for each group while no row was bad; may be NULL */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* bytes; may be NULL */
    void *context;
    bool careful; /* each row byte by byte, for tests that compare; slower, and the same */
};
struct reader_summary {
    uint64_t rows, ignored_columns;
    char format[16];
    char ignored[160];
    char offer[MAP_OFFER_MAX]; /* a map that would fit, with APEX_E_USAGE; else empty */
};
/* APEX_OK: all rows are good. APEX_E_DATA: some are not (complaints). APEX_E_FORMAT: the file
 * is not of a known form (error says where). APEX_E_USAGE: the columns do not match (error
 * offers a --map). APEX_E_IO. */
apex_status reader_run(const char *path, const struct manifest_dataset *schema,
                       const struct reader_options *options, struct complaints *complaints,
                       struct reader_summary *summary, struct apex_error *error);

#endif
