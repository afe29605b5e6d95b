/* Classes and texts that the rules do not let a model tell apart. A model of a class of few
 * rows, or with a column for a text of few rows, says what those rows are to whoever sends rows
 * and reads what it makes of them. */
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/num/parallel.h"
#include "contracts/lib/frame_fill.h"

#include <stdlib.h>

/* Rows that count, by party: of each feature that is 0 or 1 those where it is 1, of each class
 * (of no class: all as one). One stretch of numbers for each thread; the first holds the sums.
 */
struct counting {
    struct frame *frame;
    size_t n_parties, n_features, n_classes, len;
    uint64_t *counts;
};

static void feature_count(const double *x, const double *weight, const uint8_t *party, size_t n,
                          uint64_t *by_party)
{
    for (size_t from = 0, to; from < n; from = to) { /* a stretch of one party's rows: public */
        uint64_t rows = 0;
        for (to = from; to < n && party[to] == party[from];)
            to++;
        for (size_t i = from; i < to; i++)
            rows += (weight[i] > 0) & (x[i] > 0);
        by_party[party[from]] += rows;
    }
}

static void block_count(void *context, size_t index, unsigned thread)
{
    static const uint32_t none[BLOCK_ROWS];
    const struct counting *c = context;
    uint64_t *counts = c->counts + thread * c->len;
    struct num_block b;
    frame_fill(c->frame, index, thread, &b);
    const uint8_t *party = frame_parties(c->frame, thread);
    for (size_t f = 0; f < c->n_features; f++)
        feature_count(b.column[f], b.weight, party, b.n, counts + f * c->n_parties);
    const struct cells_rows rows = {b.n, b.label ? b.label : none, b.weight, NULL, party};
    cells_count(&rows, c->n_classes, c->n_parties, counts + c->n_features * c->n_parties);
}

static void cell_add(struct release_cell *to, const struct release_cell *from)
{
    to->rows += from->rows;
    for (size_t p = 0; p < PARTIES_MAX; p++)
        to->by_party[p] += from->by_party[p];
}

/* cells: of each feature, then of each class; ours to free. all: all classes together. */
static apex_status cells_of_frame(struct frame *f, struct release_cell **cells,
                                  struct release_cell *all)
{
    const struct encoding *e = &f->own;
    unsigned threads = apex_threads(f->run);
    struct counting c = {.frame = f,
                         .n_parties = f->choice.rules->n_parties,
                         .n_features = e->n_features,
                         .n_classes = e->n_classes ? e->n_classes : 1};
    size_t n = c.n_features + c.n_classes;
    c.len = n * c.n_parties;
    c.counts = calloc(threads * c.len, sizeof *c.counts);
    *cells = calloc(n, sizeof **cells);
    if (c.counts && *cells) {
        parallel_blocks(threads, f->source.n_blocks, block_count, &c);
        for (unsigned t = 1; t < threads; t++)
            for (size_t i = 0; i < c.len; i++)
                c.counts[i] += c.counts[t * c.len + i];
        release_cells_of(f->choice.rules, c.counts, n, *cells);
        *all = (struct release_cell){0};
        for (size_t i = c.n_features; i < n; i++)
            cell_add(all, &(*cells)[i]);
    }
    apex_status s = c.counts && *cells ? APEX_OK : APEX_E_MEMORY;
    free(c.counts);
    return s;
}

static bool stands(const struct frame *f, const struct release_cell *cell)
{
    return release_judge(f->choice.rules, cell) == RELEASE_OK;
}

/* `n` features of one category column: rows of a text that does not stand count as those of its
 * first text, and so do the next ones until those of the first stand. */
static void texts_judge(const struct frame *f, struct release_cell *cells, size_t n,
                        const struct release_cell *all)
{
    struct release_cell first = *all;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; cells[i].reason == RELEASE_OK && p < PARTIES_MAX; p++) {
            first.by_party[p] -= cells[i].by_party[p];
            first.rows -= cells[i].by_party[p];
        }
    for (size_t i = 0; i < n && !stands(f, &first); i++) {
        if (cells[i].reason != RELEASE_OK) continue;
        cell_add(&first, &cells[i]);
        cells[i].reason = RELEASE_COMPLEMENT;
    }
}

/* A column that is true in few rows, or in all but few, tells those apart. */
static void bool_judge(const struct frame *f, struct release_cell *cell,
                       const struct release_cell *all)
{
    struct release_cell other = {.rows = all->rows - cell->rows};
    for (size_t p = 0; p < PARTIES_MAX; p++)
        other.by_party[p] = all->by_party[p] - cell->by_party[p];
    if (!stands(f, &other)) cell->reason = RELEASE_COMPLEMENT;
}

static bool is_bool(const struct frame *f, const char *column)
{
    const struct apex_column *columns;
    size_t n = apex_schema(f->run, f->choice.dataset, &columns);
    for (size_t c = 0; c < n; c++)
        if (strcmp(columns[c].name, column) == 0) return columns[c].type == APEX_BOOL;
    return false;
}

static void features_judge(const struct frame *f, struct release_cell *cells,
                           const struct release_cell *all)
{
    const struct encoding *e = &f->own;
    for (size_t i = 0, n; i < e->n_features; i += n) {
        n = 1;
        if (!e->features[i].is_category) {
            if (is_bool(f, e->features[i].column))
                bool_judge(f, &cells[i], all);
            else
                cells[i].reason = RELEASE_OK;
            continue;
        }
        while (i + n < e->n_features && e->features[i + n].is_category &&
               strcmp(e->features[i].column, e->features[i + n].column) == 0)
            n++;
        texts_judge(f, cells + i, n, all);
    }
}

/* Whether there are fewer than before. */
static bool classes_prune(struct frame *f, const struct release_cell *cells)
{
    struct encoding *e = &f->own;
    size_t had = e->n_classes, kept = 0;
    for (size_t c = 0; c < had; c++)
        if (cells[c].reason == RELEASE_OK) e->classes[kept++] = e->classes[c];
    if (kept < had && kept < 2)
        apex_refuse(f->run, APEX_REFUSE_ROWS,
                    "fewer than two classes have enough rows and contributors");
    e->n_classes = kept;
    return kept < had;
}

static bool features_prune(struct frame *f, struct release_cell *cells,
                           const struct release_cell *all)
{
    struct encoding *e = &f->own;
    size_t had = e->n_features, kept = 0;
    features_judge(f, cells, all);
    for (size_t i = 0; i < had; i++)
        if (cells[i].reason == RELEASE_OK) e->features[kept++] = e->features[i];
    if (kept == 0)
        apex_refuse(f->run, APEX_REFUSE_ROWS, "no column to learn from has enough rows");
    e->n_features = kept;
    return kept < had;
}

/* Classes first: rows of one that does not stand are left out. */
apex_status frame_prune(struct frame *f)
{
    struct release_cell *cells, all;
    TRY(cells_of_frame(f, &cells, &all));
    if (all.rows > 0) release_demand(f->run, f->choice.rules, &all);
    if (all.rows > 0 && classes_prune(f, cells + f->own.n_features)) {
        free(cells);
        TRY(frame_recode(f));
        TRY(cells_of_frame(f, &cells, &all));
    }
    bool fewer = all.rows > 0 && features_prune(f, cells, &all);
    free(cells);
    return fewer ? frame_recode(f) : APEX_OK;
}
