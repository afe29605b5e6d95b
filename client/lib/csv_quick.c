/* The quick way through CSV: a batch of rows is cut at its delimiters, then read column by
 * column, numbers several at a time, and added whole. It stops before any row that holds a
 * quote, a lone CR, another number of fields, or a cell that does not fit its column; the
 * careful reader (csv.c) takes that row and says what is to be said. Cells that are not plain
 * decimals go through the same cell_parse as there. */
#include "client/lib/csv.h"
#include "client/lib/numerals.h"
#include "client/lib/scan.h"
#include "common/base/try.h"
#include "common/base/wipe.h"

#include <math.h>
#include <stdlib.h>

enum {
    ROWS_MOST = 256,
    ROWS_LEAST = 4, /* after a row for the careful reader */
    ENDS_MOST = 4096,
    ITEM_BYTES = sizeof(struct span), /* the widest */
};
_Static_assert((int)PIECE_SLACK >= (int)SCAN_SLACK, "behind a piece");
_Static_assert((int)PIECE_SLACK >= (int)NUMERAL_LEN_MAX, "in front of a piece");
_Static_assert(ENDS_MOST >= ROWS_LEAST * FIELDS_PER_ROW_MAX, "room for a batch of widest rows");

struct column {
    enum column_type type;
    const struct manifest_column *is;
    int64_t least, most;   /* degrees: within the column's bounds, in 1e-7 */
    double floor, ceiling; /* float64 and int64: the bounds, or infinities */
    uint8_t *items;        /* ROWS_MOST + NUMERALS_AT_ONCE of ITEM_BYTES */
    uint8_t present[ROWS_MOST];
};
struct csv_quick {
    size_t rows, rows_most; /* to try next, and ever */
    bool crlf;              /* the batch has some */
    uint32_t ends[ENDS_MOST + SCAN_SLACK];
    uint32_t stop[ROWS_MOST + NUMERALS_AT_ONCE], len[ROWS_MOST + NUMERALS_AT_ONCE];
    int64_t value[ROWS_MOST + NUMERALS_AT_ONCE];
    uint8_t places[ROWS_MOST + NUMERALS_AT_ONCE];
    struct rows_column out[COLUMNS_MAX];
    size_t n_columns;
    struct column columns[];
};

/* The least v from -most to most for which v / 1e7 does not lie below `bound`; most + 1: none.
 */
static int64_t degrees_from(double bound, int64_t most)
{
    int64_t low = -most, high = most + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((double)middle / 1e7 < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The greatest v for which v / 1e7 does not lie above `bound`; -most - 1: none. */
static int64_t degrees_to(double bound, int64_t most)
{
    return -degrees_from(-bound, most);
}

static apex_status column_new(const struct manifest_column *is, struct column *c)
{
    int64_t most = is->type == COLUMN_LATITUDE ? 900000000 : 1800000000;
    c->type = is->type;
    c->is = is;
    c->least = is->has_min ? degrees_from(is->min, most) : -most;
    c->most = is->has_max ? degrees_to(is->max, most) : most;
    c->floor = is->has_min ? is->min : -INFINITY;
    c->ceiling = is->has_max ? is->max : INFINITY;
    c->items = calloc(ROWS_MOST + NUMERALS_AT_ONCE, ITEM_BYTES);
    return c->items ? APEX_OK : APEX_E_MEMORY;
}

apex_status csv_quick_new(struct csv *c)
{
    const struct manifest_dataset *schema = c->in->schema;
    struct csv_quick *q =
        calloc(1, sizeof *q + schema->n_columns * sizeof(struct column)); /* 256 at most */
    if (!q) return APEX_E_MEMORY;
    c->quick = q;
    q->rows = ROWS_LEAST;
    q->rows_most =
        ENDS_MOST / c->n_expected < ROWS_MOST ? ENDS_MOST / c->n_expected : ROWS_MOST;
    q->n_columns = schema->n_columns;
    for (size_t i = 0; i < q->n_columns; i++)
        TRY(column_new(&schema->columns[i], &q->columns[i]));
    return APEX_OK;
}

void csv_quick_free(struct csv *c)
{
    struct csv_quick *q = c->quick;
    if (!q) return;
    for (size_t i = 0; i < q->n_columns; i++) {
        size_t len = (ROWS_MOST + NUMERALS_AT_ONCE) * ITEM_BYTES;
        if (q->columns[i].items) wipe(q->columns[i].items, len);
        free(q->columns[i].items);
    }
    wipe(q, sizeof *q + q->n_columns * sizeof(struct column));
    free(q);
    c->quick = NULL;
}

/* How many of the first rows have the right fields; a blank line is not a row. */
static size_t rows_cut(const struct csv *c, const uint8_t *text, size_t n_ends)
{
    const uint32_t *end = c->quick->ends;
    size_t n = c->n_expected, rows = n_ends / n;
    for (size_t r = 0; r < rows; r++, end += n) {
        bool cut = text[end[n - 1]] == '\n';
        for (size_t f = 0; f + 1 < n; f++)
            cut &= text[end[f]] != '\n';
        size_t begin = r ? end[-1] + 1 : 0;
        if (n == 1) cut &= end[0] - begin > (text[begin] == '\r');
        if (!cut) return r;
    }
    return rows;
}

/* The cells of field f. */
static void cells_find(const struct csv *c, const uint8_t *text, size_t f, size_t n_rows)
{
    struct csv_quick *q = c->quick;
    const uint32_t *end = q->ends + f;
    size_t n = c->n_expected;
    q->stop[0] = end[0];
    q->len[0] = f ? end[0] - end[-1] - 1 : end[0];
    for (size_t r = 1; r < n_rows; r++) {
        end += n;
        q->stop[r] = end[0];
        q->len[r] = end[0] - end[-1] - 1;
    }
    for (size_t r = 0; q->crlf && f + 1 == n && r < n_rows; r++) {
        bool cr = q->len[r] > 0 && text[q->stop[r] - 1] == '\r';
        q->stop[r] -= cr;
        q->len[r] -= cr;
    }
}

/* Plain decimals of the n rows from `at` on, put in their places; returns how many of the first
 * are that and fit. */
static size_t numbers_put(struct csv_quick *q, struct column *c, const uint8_t *text, size_t at,
                          size_t n)
{
    size_t width = table_type_width(c->type);
    void *out = c->items + at * width;
    n = numerals_read(text, q->stop + at, q->len + at, n, q->value, q->places);
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
        return numerals_degrees(q->value, q->places, n, c->least, c->most, out);
    case COLUMN_FLOAT64:
        return numerals_doubles(q->value, q->places, n, c->floor, c->ceiling, out);
    default: return numerals_integers(q->value, q->places, n, c->floor, c->ceiling, out);
    }
}

static void cell_store(struct column *c, size_t at, const struct cell *cell)
{
    c->present[at] = !cell->missing;
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
    case COLUMN_DATE: ((int32_t *)(void *)c->items)[at] = cell->i32; return;
    case COLUMN_FLOAT64:
        ((double *)(void *)c->items)[at] = cell->f64 == 0 ? 0 : cell->f64; /* one zero */
        return;
    case COLUMN_INT64: ((int64_t *)(void *)c->items)[at] = cell->i64; return;
    case COLUMN_BOOL: c->items[at] = cell->b; return;
    case COLUMN_CATEGORY: ((struct span *)(void *)c->items)[at] = cell->text; return;
    }
}

static bool cell_take(const struct csv_quick *q, struct column *c, const uint8_t *text,
                      size_t at)
{
    struct span t = csv_trim(span_of(text + q->stop[at] - q->len[at], q->len[at]));
    struct raw_cell raw = {t.len ? CELL_TEXT : CELL_MISSING, t};
    struct cell cell;
    if (cell_parse(&raw, c->is, true, &cell)) return false;
    cell_store(c, at, &cell);
    return true;
}

/* The column's cells of the first n rows; returns in how many they fit. */
static size_t column_take(struct csv_quick *q, size_t i, const uint8_t *text, size_t n)
{
    struct column *c = &q->columns[i];
    bool numbers =
        c->type != COLUMN_CATEGORY && c->type != COLUMN_BOOL && c->type != COLUMN_DATE;
    q->out[i] = (struct rows_column){c->items, NULL};
    memset(c->present, 1, n);
    for (size_t at = 0; at < n;) {
        if (numbers) at += numbers_put(q, c, text, at, n - at);
        size_t few = numbers && n - at > NUMERALS_AT_ONCE ? at + NUMERALS_AT_ONCE : n;
        for (; at < few; at++) {
            if (!cell_take(q, c, text, at)) return at;
            if (!c->present[at]) q->out[i].present = c->present;
        }
    }
    return n;
}

static apex_status batch_take(struct csv *c, const uint8_t *text, size_t len, size_t *n_rows)
{
    struct csv_quick *q = c->quick;
    size_t n_ends =
        scan_ends(text, len, c->delimiter, q->ends, q->rows * c->n_expected, &q->crlf);
    size_t rows = rows_cut(c, text, n_ends);
    if (rows > q->rows) rows = q->rows;
    for (size_t i = 0; i < q->n_columns && rows > 0; i++) {
        cells_find(c, text, c->source[i], rows);
        rows = column_take(q, i, text, rows);
    }
    *n_rows = rows;
    return rows_add_good(c->in, q->out, rows);
}

apex_status csv_quick_rows(struct csv *c, struct span piece, size_t *at)
{
    struct csv_quick *q = c->quick;
    size_t tried, rows;
    do {
        tried = q->rows;
        TRY(batch_take(c, piece.data + *at, piece.len - *at, &rows));
        if (rows > 0) *at += q->ends[rows * c->n_expected - 1] + 1;
        c->row += rows;
        c->line += rows;
        q->rows = 2 * rows < ROWS_LEAST     ? ROWS_LEAST
                  : 2 * rows < q->rows_most ? 2 * rows
                                            : q->rows_most;
    } while (rows == tried && *at < piece.len);
    return APEX_OK;
}
