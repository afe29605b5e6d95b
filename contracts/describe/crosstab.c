/* Two columns of texts against each other, with totals both ways. */
#include "common/base/try.h"
#include "common/num/cells.h"
#include "contracts/describe/describe.h"

#include <stdlib.h>

struct crosstab {
    const struct telling *t;
    struct column down, across;
    size_t rows, columns;       /* without totals */
    struct release_cell *cells; /* with them */
    struct release_cell all;    /* rows with both */
};

static void pairs_count(struct crosstab *x, uint64_t *counts)
{
    uint32_t pair[BLOCK_ROWS];
    uint8_t both[BLOCK_ROWS];
    for (size_t b = 0; b < x->down.frame.source.n_blocks; b++) {
        struct num_block d, a;
        x->down.frame.source.block(&x->down.frame, b, 0, &d);
        x->across.frame.source.block(&x->across.frame, b, 0, &a);
        for (size_t i = 0; i < d.n; i++)
            both[i] = (uint8_t)(d.weight[i] > 0) & (uint8_t)(a.weight[i] > 0);
        cells_pair(d.label, x->rows, a.label, x->columns, d.n, pair);
        struct cells_rows rows = {d.n, pair, NULL, both, frame_parties(&x->down.frame, 0)};
        cells_count(&rows, x->rows * x->columns, x->t->rules.n_parties, counts);
    }
}

static apex_status table_make(struct crosstab *x)
{
    size_t n = x->rows * x->columns, n_parties = x->t->rules.n_parties;
    uint64_t *counts = calloc(n * n_parties + 1, sizeof *counts);
    x->cells = calloc((x->rows + 1) * (x->columns + 1), sizeof *x->cells);
    if (!counts || !x->cells) return APEX_E_MEMORY;
    pairs_count(x, counts);
    for (size_t i = 0; i < n; i++) {
        struct release_cell *cell =
            &x->cells[i / x->columns * (x->columns + 1) + i % x->columns];
        for (size_t p = 0; p < n_parties; p++) {
            cell->by_party[p] = counts[i * n_parties + p];
            cell->rows += counts[i * n_parties + p];
            x->all.by_party[p] += counts[i * n_parties + p];
            x->all.rows += counts[i * n_parties + p];
        }
    }
    free(counts);
    return APEX_OK;
}

static const struct release_cell *cell_at(const struct crosstab *x, size_t row, size_t column)
{
    return &x->cells[row * (x->columns + 1) + column];
}

/* A text is named where its total or one of its cells is told. */
static bool named(const struct crosstab *x, size_t at, bool row)
{
    for (size_t i = 0; i <= (row ? x->columns : x->rows); i++)
        if (cell_at(x, row ? at : i, row ? i : at)->reason == RELEASE_OK &&
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

static void count_or_null(const struct crosstab *x, size_t row, size_t column)
{
    const struct release_cell *cell = cell_at(x, row, column);
    if (cell->reason == RELEASE_OK)
        apex_json_integer(x->t->run, NULL, (int64_t)release_round(&x->t->rules, cell->rows));
    else
        apex_json_null(x->t->run, NULL);
}

/* Named rows by named columns, the total of each row last, and a last row of totals. */
static void table_out(const struct crosstab *x)
{
    struct apex_run *run = x->t->run;
    apex_json_array(run, "table");
    for (size_t r = 0; r <= x->rows; r++) {
        if (r < x->rows && !named(x, r, true)) continue;
        apex_json_array(run, NULL);
        for (size_t c = 0; c <= x->columns; c++)
            if (c == x->columns || named(x, c, false)) count_or_null(x, r, c);
        apex_json_end(run);
    }
    apex_json_end(run);
}

static apex_status crosstab_tell(struct crosstab *x)
{
    bool any;
    struct apex_run *run = x->t->run;
    x->rows = x->down.frame.encoding->n_classes;
    x->columns = x->across.frame.encoding->n_classes;
    if ((x->rows + 1) * (x->columns + 1) > RELEASE_CROSS_MAX)
        apex_refuse(run, APEX_REFUSE_PARAMETER, "down, across: more than 16384 cells");
    TRY(table_make(x));
    rows_out(x->t, &x->all);
    release_count(run, &x->t->rules, "rows_dropped", x->down.rows.rows - x->all.rows);
    TRY(release_cross(&x->t->rules, x->cells, x->rows, x->columns, false, &any));
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
