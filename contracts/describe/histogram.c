/* Rows of a column between edges that everybody knows. */
#include "common/base/try.h"
#include "contracts/describe/describe.h"

#include <stdlib.h>

/* A block's cells of one party; whose a row is, is public. */
static void party_pick(const struct column *c, size_t party, struct describe_cells *cells,
                       uint8_t *used)
{
    const uint8_t *of = frame_parties(&c->frame, 0);
    for (size_t i = 0; i < cells->n; i++)
        used[i] = of[i] == party;
    cells->used = used;
}

/* counts: parties x (n_edges + 2), as describe_histogram_add orders them. */
static void bins_count(struct column *c, const struct release_rules *rules, const double *edges,
                       size_t n_edges, uint64_t *counts)
{
    uint8_t used[BLOCK_ROWS];
    for (size_t b = 0; b < c->source.n_blocks; b++) {
        struct describe_cells cells;
        c->source.cells(c->source.context, b, 0, &cells);
        for (size_t p = 0; p < rules->n_parties; p++) {
            if (c->rows.by_party[p] == 0) continue;
            party_pick(c, p, &cells, used);
            describe_histogram_add(&cells, edges, n_edges, counts + p * (n_edges + 2));
        }
    }
}

static void bin_out(const struct telling *t, const struct release_cell *cell,
                    const double *edge, uint64_t all)
{
    apex_json_object(t->run, NULL);
    apex_json_number(t->run, "from", edge[0]);
    apex_json_number(t->run, "to", edge[1]);
    cell_out(t, cell, all);
    apex_json_end(t->run);
}

static void bins_out(const struct telling *t, struct release_cell *cells, const double *edges,
                     size_t n_edges, uint64_t all)
{
    struct apex_run *run = t->run;
    bool none_missing = cells[n_edges + 1].rows == 0;
    size_t hidden = 0;
    release_settle(&t->rules, cells, n_edges + (none_missing ? 1 : 2));
    if (none_missing) cells[n_edges + 1].reason = RELEASE_OK;
    count_out(t, "below", &cells[0]);
    count_out(t, "above", &cells[n_edges]);
    count_out(t, "missing", &cells[n_edges + 1]);
    apex_json_array(run, "bins");
    for (size_t b = 1; b < n_edges; b++) {
        bin_out(t, &cells[b], edges + b - 1, all);
        hidden += cells[b].reason != RELEASE_OK;
    }
    apex_json_end(run);
    apex_json_integer(run, "suppressed_bins", (int64_t)hidden);
}

/* As shares within a radius: rounded, so that two histograms with one row between their edges
 * are alike. */
static struct telling coarse(const struct telling *t)
{
    struct telling c = *t;
    if (c.rules.round_to < c.rules.minimum_rows) c.rules.round_to = c.rules.minimum_rows;
    return c;
}

apex_status histogram_out(const struct telling *t, const struct apex_column *schema,
                          const double *edges, size_t n_edges)
{
    const struct telling told = coarse(t);
    struct column c;
    size_t n = n_edges + 2, n_parties = t->rules.n_parties;
    uint64_t *counts = calloc(n_parties * n + 1, sizeof *counts);
    struct release_cell *cells = calloc(n, sizeof *cells);
    if (!counts || !cells) return APEX_E_MEMORY;
    TRY(column_open(t->run, t->dataset, t->own, schema, &c));
    rows_out(t, &c.rows);
    name_out(t, schema);
    bins_count(&c, &t->rules, edges, n_edges, counts);
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < n_parties; p++) {
            cells[i].by_party[p] = counts[p * n + i];
            cells[i].rows += counts[p * n + i];
        }
    bins_out(&told, cells, edges, n_edges, c.rows.rows);
    free(counts);
    free(cells);
    column_close(&c);
    return APEX_OK;
}
