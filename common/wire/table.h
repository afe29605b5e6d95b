/* A table: what the client seals is what the contract maps. Little-endian, columns 64-byte
 * aligned.
 *
 * A table is a sequence of groups of rows. All groups but the last occupy exactly GROUP_BYTES
 * (1 MiB, zero padded), so that a group is one chunk of the sealed stream, can be checked
 * alone, and group g starts at g * GROUP_BYTES. The last one is as long as it needs (a multiple
 * of 64). Group: magic "APXG" u32 | version u16 = 1 | n_columns u16 | n_rows u32 | header
 * length u32 (multiple of 64) then per column: type u8 | flags u8 (1: has a validity bitmap) |
 * name_len u16 | data offset u32 | validity offset u32 (0: none) | dict offset u32 (0: none) |
 * dict bytes u32 | name bytes, padded with zeros to a multiple of 4 Data: latitude, longitude
 * int32 in 1e-7 degree; float64 f64 (finite); int64 i64; category u32 code into the group's
 * dictionary; bool u8 0/1; date int32 days since 1970-01-01. A missing cell has its validity
 * bit 0 (LSB first) and zero data. Dictionary: u32 n, then n of { u16 len, bytes }, strictly
 * ascending bytewise (codes are ranks); every code below n; every entry used; UTF-8 without
 * control characters, 1..CATEGORY_MAX bytes. Offsets are from the group's start. Everything
 * that is not named is zero, so equal rows give equal bytes. */
#ifndef COMMON_WIRE_TABLE_H
#define COMMON_WIRE_TABLE_H

#include "common/wire/manifest.h"

enum { GROUP_BYTES = 1 << 20, GROUP_ROWS_MAX = 131072 };

struct table_column {
    enum column_type type;
    struct span name;
    const void *data;        /* n_rows items of the type */
    const uint8_t *validity; /* NULL: all present */
    struct span dict;        /* category: raw dictionary, walk with table_dict_next */
    uint32_t n_dict;
};
struct table_group {
    size_t n_rows, n_columns;
    struct table_column columns[COLUMNS_MAX];
};

/* Parses and wholly checks the form of one group (64-byte aligned address, lent). It checks no
 * ranges. */
apex_status table_group_parse(struct span bytes, struct table_group *g);
/* Checks a parsed group against a dataset's schema: same columns in the same order and types,
 * ranges, missing allowed or not. APEX_E_DATA with row and column (0-based, row within the
 * group) of the first bad cell. */
apex_status table_group_check(const struct table_group *g,
                              const struct manifest_dataset *schema, size_t *row,
                              size_t *column);
/* Walks a dictionary: start with *at = 0. */
apex_status table_dict_next(struct span dict, size_t *at, struct span *text);

size_t table_type_width(enum column_type type); /* bytes of one item */
/* How many rows of this schema one group may take, dictionary space included (a multiple of 64,
 * at most GROUP_ROWS_MAX). */
size_t table_rows_per_group(const struct manifest_dataset *schema);

/* Builds groups row by row. Cells are set in column order by the typed setters, then row_end.
 */
struct table_writer;
apex_status table_writer_new(const struct manifest_dataset *schema, struct table_writer **w);
void table_writer_free(struct table_writer *w); /* wipes */
void table_writer_i32(struct table_writer *w, size_t column,
                      int32_t v); /* latitude, longitude, date */
void table_writer_f64(struct table_writer *w, size_t column, double v);
void table_writer_i64(struct table_writer *w, size_t column, int64_t v);
void table_writer_bool(struct table_writer *w, size_t column, bool v);
apex_status table_writer_category(struct table_writer *w, size_t column, struct span text);
void table_writer_missing(struct table_writer *w, size_t column);
/* Ends a row. *full: the group must be taken (table_writer_take) before the next row. */
apex_status table_writer_row_end(struct table_writer *w, bool *full);
size_t table_writer_rows(const struct table_writer *w); /* rows in the open group */
/* The same for many rows at once, where there is no category: the items of a column, of its
 * type, for the next n rows, n at most table_writer_room; then the end of all n. Where present
 * (NULL: everywhere) is 0 the cell is missing, and its item zero. */
size_t table_writer_room(const struct table_writer *w);
void table_writer_items(struct table_writer *w, size_t column, const void *items,
                        const uint8_t *present, size_t n);
apex_status table_writer_rows_end(struct table_writer *w, size_t n, bool *full);
/* Serialises the open group into out (GROUP_BYTES, 64-byte aligned) and starts a new one.
 * `last`: not padded to GROUP_BYTES. */
apex_status table_writer_take(struct table_writer *w, bool last, uint8_t *out, size_t *len);

#endif
