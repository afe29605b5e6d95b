#include "common/num/boost_tree.h"
#include "common/num/exact_inline.h"

#include <string.h>

static void scores_start(const struct boost_model *m, double *score)
{
    for (size_t c = 0; c < m->n_scores; c++)
        for (size_t i = 0; i < BLOCK_ROWS; i++)
            score[c * BLOCK_ROWS + i] = m->base[c];
}

/* A byte per row and feature, and the node each row has reached. */
size_t boost_scratch_len(const struct boost_model *m)
{
    return (m->n_features + 1) * BLOCK_ROWS;
}

void boost_predict(const struct boost_model *m, const struct num_block *b, void *scratch,
                   double *score)
{
    size_t n = boost_padded(b->n), n_edges = m->n_bins - 1;
    uint8_t *node = scratch, *bins = node + BLOCK_ROWS;
    scores_start(m, score);
    for (size_t f = 0; f < m->n_features; f++)
        boost_bins_of(b->column[f], n, m->edges + f * n_edges, n_edges, bins + f * n);
    for (size_t t = 0; t < m->n_trees; t++) {
        const uint32_t *feature = m->feature + t * m->n_nodes;
        const uint8_t *bin = m->bin + t * m->n_nodes;
        memset(node, 0, n);
        for (size_t nodes = 1; nodes < m->n_leaves; nodes *= 2)
            boost_route(bins, n, m->n_features, feature + nodes - 1, bin + nodes - 1, nodes,
                        node);
        boost_leaf_add(node, n, m->value + t * m->n_leaves, m->n_leaves,
                       score + t % m->n_scores * BLOCK_ROWS);
    }
}

void boost_plain_predict(const struct boost_model *m, const struct num_block *b, double *score)
{
    scores_start(m, score);
    for (size_t t = 0; t < m->n_trees; t++) {
        const uint32_t *feature = m->feature + t * m->n_nodes;
        const double *threshold = m->threshold + t * m->n_nodes,
                     *value = m->value + t * m->n_leaves;
        double *to = score + t % m->n_scores * BLOCK_ROWS;
        for (size_t i = 0; i < b->n; i++) {
            size_t node = 0;
            while (node < m->n_nodes)
                node = 2 * node + 1 + (b->column[feature[node]][i] > threshold[node]);
            to[i] += value[node - m->n_nodes];
        }
    }
}

BOOST_BODY void logistic_shares_body(double *score)
{
    for (size_t i = 0; i < BLOCK_ROWS; i++)
        score[i] = exact_sigmoid_of(score[i], exact_exp_decay(score[i]));
}
BOOST_LEVELS(static, logistic_shares, (double *score), (score))

BOOST_BODY void softmax_shares_body(double *score, size_t n_classes)
{
    for (size_t at = 0; at < BLOCK_ROWS; at += BOOST_STRIP) {
        double most[BOOST_STRIP], sum[BOOST_STRIP] = {0};
        memcpy(most, score + at, sizeof most);
        for (size_t c = 1; c < n_classes; c++)
            for (size_t s = 0; s < BOOST_STRIP; s++) {
                double x = score[c * BLOCK_ROWS + at + s];
                most[s] = exact_select(exact_mask(x > most[s]), x, most[s]);
            }
        for (size_t c = 0; c < n_classes; c++)
            for (size_t s = 0; s < BOOST_STRIP; s++) {
                double *x = &score[c * BLOCK_ROWS + at + s];
                *x = exact_exp_decay(*x - most[s]);
                sum[s] += *x;
            }
        for (size_t c = 0; c < n_classes; c++)
            for (size_t s = 0; s < BOOST_STRIP; s++)
                score[c * BLOCK_ROWS + at + s] /= sum[s];
    }
}
BOOST_LEVELS(static, softmax_shares, (double *score, size_t n_classes), (score, n_classes))

void boost_shares(const struct boost_model *m, double *score)
{
    if (m->loss == BOOST_LOGISTIC) logistic_shares(score);
    if (m->loss == BOOST_SOFTMAX) softmax_shares(score, m->n_scores);
}
