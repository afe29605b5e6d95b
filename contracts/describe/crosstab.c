/* Two columns of texts against each other, with totals both ways, of rows that have both.
 *
 * What `counts` tells of one column are all rows, with or without the other. Under rules a
 * missing cell is therefore one more text here: the totals of the table that is judged are then
 * those lists, and a sum that leaves rows out is told where the rows it leaves out are. */
#include "common/base/try.h"
#include "common/num/cells.h"
#include "contracts/describe/describe.h"

#include <stdlib.h>

struct crosstab {
    const struct telling *t;
    struct column down, across;
    size_t rows, columns;             /* without totals */
    size_t rows_named, columns_named; /* fewer by one where rows miss the text */
    struct release_cell *cells;       /* with totals */
    struct release_cell all;          /* rows with both */
};

/* A text's place, or the one behind all texts where it is missing. */
static void kinds_fill(const struct num_block *b, size_t n, uint32_t *kind)
{
    for (size_t i = 0; i < b->n; i++) {
        uint32_t there = -(uint32_t)(b->weight[i] > 0);
        kind[i] = (b->label[i] & there) | ((uint32_t)n & ~there);
    }
}

static void pairs_count(struct crosstab *x, uint64_t *counts)
{
    uint32_t pair[BLOCK_ROWS], down[BLOCK_ROWS], across[BLOCK_ROWS];
    for (size_t b = 0; b < x->down.frame.source.n_blocks; b++) {
        struct num_block d, a;
        x->down.frame.source.block(&x->down.frame, b, 0, &d);
        x->across.frame.source.block(&x->across.frame, b, 0, &a);
        kinds_fill(&d, x->rows_named, down);
        kinds_fill(&a, x->columns_named, across);
        cells_pair(down, x->rows, across, x->columns, d.n, pair);
        struct cells_rows rows = {d.n, pair, NULL, NULL, frame_parties(&x->down.frame, 0)};
        cells_count(&rows, x->rows * x->columns, x->t->rules.n_parties, counts);
    }
}

static struct release_cell *cell_at(const struct crosstab *x, size_t row, size_t column)
{
    return &x->cells[row * (x->columns + 1) + column];
}

static apex_status table_make(struct crosstab *x)
{
    size_t n = x->rows * x->columns, n_parties = x->t->rules.n_parties;
    uint64_t *counts = calloc(n * n_parties + 1, sizeof *counts);
    x->cells = calloc((x->rows + 1) * (x->columns + 1), sizeof *x->cells);
    if (!counts || !x->cells) return APEX_E_MEMORY;
    pairs_count(x, counts);
    for (size_t i = 0; i < n; i++) {
        size_t row = i / x->columns, column = i % x->columns;
        struct release_cell *cell = cell_at(x, row, column);
        for (size_t p = 0; p < n_parties; p++) {
            uint64_t rows = counts[i * n_parties + p];
            cell->by_party[p] = rows;
            cell->rows += rows;
            if (row == x->rows_named || column == x->columns_named) continue;
            x->all.by_party[p] += rows;
            x->all.rows += rows;
        }
    }
    free(counts);
    return APEX_OK;
}

static bool cell_told(const struct crosstab *x, size_t row, size_t column)
{
    return cell_at(x, row, column)->reason == RELEASE_OK;
}

/* Whether rows that a sum leaves out are told, or there are none. Where both texts may be
 * missing the grand total leaves out two lines, and adds again what is in both. */
static bool left_out_told(const struct crosstab *x, size_t row, size_t column)
{
    bool down = row == x->rows && x->rows > x->rows_named,
         across = column == x->columns && x->columns > x->columns_named;
    return (!down || cell_told(x, x->rows_named, column)) &&
           (!across || cell_told(x, row, x->columns_named)) &&
           (!down || !across || cell_told(x, x->rows_named, x->columns_named));
}

/* Rows with both in a cell or a total. */
static uint64_t rows_of(const struct crosstab *x, size_t row, size_t column)
{
    uint64_t rows = cell_at(x, row, column)->rows;
    if (row == x->rows && column == x->columns) return x->all.rows;
    if (row == x->rows && x->rows > x->rows_named)
        rows -= cell_at(x, x->rows_named, column)->rows;
    if (column == x->columns && x->columns > x->columns_named)
        rows -= cell_at(x, row, x->columns_named)->rows;
    return rows;
}

/* A text is named where its total or one of its cells is told. */
static bool named(const struct crosstab *x, size_t at, bool row)
{
    for (size_t i = 0; i <= (row ? x->columns : x->rows); i++)
        if (cell_told(x, row ? at : i, row ? i : at) &&
            cell_at(x, row ? at : i, row ? i : at)->rows > 0)
            return true;
    return false;
}

static void names_out(const struct crosstab *x, const char *key, bool row)
{
    const struct encoding *e = (row ? &x->down : &x->across)->frame.encoding;
    size_t hidden = 0;
    apex_json_array(x->t->run, key);
    for (size_t i = 0; i < e->n_classes; i++) {
        if (named(x, i, row))
            apex_json_text(x->t->run, NULL, e->classes[i].text, e->classes[i].len);
        else
            hidden++;
    }
    apex_json_end(x->t->run);
    apex_json_integer(x->t->run, row ? "suppressed_down" : "suppressed_across",
                      (int64_t)hidden);
}

static void count_or_null(const struct crosstab *x, const char *key, size_t row, size_t column)
{
    if (cell_told(x, row, column) && left_out_told(x, row, column))
        release_rows(x->t->run, &x->t->rules, key, rows_of(x, row, column));
    else
        apex_json_null(x->t->run, key);
}

/* Named rows by named columns, the total of each row last, and a last row of totals. */
static void table_out(const struct crosstab *x)
{
    struct apex_run *run = x->t->run;
    apex_json_array(run, "table");
    for (size_t r = 0; r <= x->rows; r++) {
        if (r < x->rows && (r == x->rows_named || !named(x, r, true))) continue;
        apex_json_array(run, NULL);
        for (size_t c = 0; c <= x->columns; c++)
            if (c == x->columns || (c < x->columns_named && named(x, c, false)))
                count_or_null(x, NULL, r, c);
        apex_json_end(run);
    }
    apex_json_end(run);
}

/* Texts, and one more where there are rules and rows without any. */
static apex_status kinds_count(const struct crosstab *x, struct column *c, size_t *named,
                               size_t *n)
{
    struct release_cell present = {0};
    TRY(column_present(c, &present));
    *named = c->frame.encoding->n_classes;
    *n = *named + (!release_is_loose(&x->t->rules) && present.rows < c->rows.rows);
    return APEX_OK;
}

static void head_out(const struct crosstab *x)
{
    struct apex_run *run = x->t->run;
    bool told = left_out_told(x, x->rows, x->columns);
    count_or_null(x, "rows", x->rows, x->columns);
    apex_json_integer(run, "contributors",
                      (int64_t)release_contributors(&x->all, x->t->rules.n_parties));
    if (told)
        release_count(run, &x->t->rules, "rows_dropped", x->down.rows.rows - x->all.rows);
    else
        apex_json_null(run, "rows_dropped");
}

static apex_status crosstab_tell(struct crosstab *x)
{
    bool any;
    TRY(kinds_count(x, &x->down, &x->rows_named, &x->rows));
    TRY(kinds_count(x, &x->across, &x->columns_named, &x->columns));
    if ((x->rows + 1) * (x->columns + 1) > RELEASE_CROSS_MAX)
        apex_refuse(x->t->run, APEX_REFUSE_PARAMETER, "down, across: more than 16384 cells");
    TRY(table_make(x));
    release_demand(x->t->run, &x->t->rules, &x->all);
    TRY(release_cross(&x->t->rules, x->cells, x->rows, x->columns, false, &any));
    head_out(x);
    names_out(x, "down", true);
    names_out(x, "across", false);
    table_out(x);
    return APEX_OK;
}

apex_status crosstab_out(const struct telling *t, const struct apex_column *across,
                         const struct apex_column *down)
{
    struct crosstab x = {.t = t};
    TRY(column_open(t->run, t->dataset, t->own, down, &x.down));
    TRY(column_open(t->run, t->dataset, t->own, across, &x.across));
    apex_status s = crosstab_tell(&x);
    free(x.cells);
    column_close(&x.down);
    column_close(&x.across);
    return s;
}
