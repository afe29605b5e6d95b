/* Which splits could ever stand: those that leave rows on both sides, of all that count, that
 * may stand. A root's best split that cannot would be joined, tree after tree, and nothing
 * learned. */
#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/boost_tree.h"
#include "common/num/exact_inline.h"
#include "common/num/parallel.h"

#include <stdlib.h>
#include <string.h>

struct allow {
    struct boost_tree *t;
    size_t party, padded, len; /* len: bins of all features */
    int64_t *rows;             /* n_parties x len */
};

static void rows_add(const struct boost_rows *r, size_t block, size_t party, size_t padded,
                     int64_t *hist)
{
    size_t first = boost_first(block), end = first + boost_count(r, block);
    for (size_t i = first; i < end; i++)
        for (size_t f = 0; f < r->d && r->party[i] == party; f++)
            hist[(3 * f + 2) * padded + r->bins[i * r->d + f]] += r->live[i];
}

/* The rows of one party, as those of a node would be. */
static void block_add(void *context, size_t block, unsigned thread)
{
    const struct allow *a = context;
    const struct boost_rows *r = a->t->rows;
    int64_t *hist = boost_tree_built(a->t, thread, 0);
    _Alignas(64) uint8_t scratch[BOOST_HIST_SCRATCH];
    if (r->row_by_row) {
        rows_add(r, block, a->party, a->padded, hist);
        return;
    }
    const struct boost_hist_rows rows = {.bins = boost_column(r, block, 0),
                                         .gh = r->gh + boost_first(block),
                                         .live = r->live + boost_first(block),
                                         .node = r->party + boost_first(block),
                                         .n = boost_count(r, block),
                                         .d = r->d,
                                         .n_bins = a->t->model->n_bins};
    boost_hist_add(&rows, (uint8_t)a->party, scratch, hist);
}

static void party_count(struct allow *a)
{
    boost_tree_start(a->t, 0, 0);
    parallel_blocks(a->t->rows->threads, a->t->rows->n_blocks, block_add, a);
    boost_tree_merge(a->t);
    for (size_t f = 0; f < a->t->rows->d; f++)
        memcpy(a->rows + a->party * a->len + f * a->padded,
               a->t->hist + (3 * f + 2) * a->padded, a->padded * sizeof *a->rows);
}

static void feature_judge(const struct allow *a, size_t f)
{
    const struct boost_tree *t = a->t;
    uint64_t left[BOOST_PARTIES_MAX] = {0}, right[BOOST_PARTIES_MAX] = {0};
    for (size_t p = 0; p < t->n_parties; p++)
        for (size_t b = 0; b < a->padded; b++)
            right[p] += (uint64_t)a->rows[p * a->len + f * a->padded + b];
    for (size_t b = 0; b < a->padded; b++) {
        for (size_t p = 0; p < t->n_parties; p++) {
            uint64_t here = (uint64_t)a->rows[p * a->len + f * a->padded + b];
            left[p] += here;
            right[p] -= here;
        }
        t->allowed[f * a->padded + b] = exact_mask(t->may_stand(t->parties_context, left)) &
                                        exact_mask(t->may_stand(t->parties_context, right));
    }
}

apex_status boost_tree_allow(struct boost_tree *t)
{
    struct allow a = {.t = t, .padded = boost_bins_padded(t->model->n_bins)};
    size_t bytes;
    a.len = t->rows->d * a.padded;
    memset(t->allowed, 0xff, a.len * sizeof *t->allowed);
    if (!t->may_stand) return APEX_OK;
    if (!size_mul(t->n_parties * sizeof *a.rows, a.len, &bytes)) return APEX_E_LIMIT;
    a.rows = malloc(bytes);
    if (!a.rows) return APEX_E_MEMORY;
    for (; a.party < t->n_parties; a.party++)
        party_count(&a);
    for (size_t f = 0; f < t->rows->d; f++)
        feature_judge(&a, f);
    wipe(a.rows, bytes);
    free(a.rows);
    return APEX_OK;
}
