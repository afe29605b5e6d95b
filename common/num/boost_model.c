#include "common/num/boost.h"

#include "common/base/size.h"
#include "common/base/wipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct part {
    size_t count, size, at; /* offset of its pointer in struct boost_model */
};

static bool ranges_hold(const struct boost_model *m)
{
    return m->n_features > 0 && m->n_scores > 0 && m->n_scores <= BOOST_CLASSES_MAX &&
           (m->loss == BOOST_SOFTMAX ? m->n_scores >= 2 : m->n_scores == 1) &&
           m->loss <= BOOST_SQUARED && m->n_trees > 0 &&
           m->n_trees <= m->n_scores * BOOST_ROUNDS_MAX && m->depth > 0 &&
           m->depth <= BOOST_DEPTH_MAX && m->n_bins >= 2 && m->n_bins <= BOOST_BINS_MAX;
}

static bool parts_list(const struct boost_model *m, struct part part[9])
{
    size_t edges, nodes = m->n_trees * m->n_nodes, leaves = m->n_trees * m->n_leaves;
    if (!size_mul(m->n_features, m->n_bins - 1, &edges)) return false;
    const struct part list[9] = {
        {m->n_scores, sizeof(double), offsetof(struct boost_model, base)},
        {edges, sizeof(double), offsetof(struct boost_model, edges)},
        {nodes, sizeof(double), offsetof(struct boost_model, threshold)},
        {leaves, sizeof(double), offsetof(struct boost_model, value)},
        {m->n_features, sizeof(double), offsetof(struct boost_model, importance)},
        {leaves, sizeof(uint64_t), offsetof(struct boost_model, leaf_rows)},
        {1, sizeof(uint64_t), offsetof(struct boost_model, joined)},
        {nodes, sizeof(uint32_t), offsetof(struct boost_model, feature)},
        {nodes, sizeof(uint8_t), offsetof(struct boost_model, bin)},
    };
    memcpy(part, list, sizeof list);
    return true;
}

apex_status boost_init(struct boost_model *m)
{
    struct part part[9];
    size_t len = 0, bytes;
    if (!ranges_hold(m)) return APEX_E_USAGE;
    m->n_leaves = (size_t)1 << m->depth;
    m->n_nodes = m->n_leaves - 1;
    if (!parts_list(m, part)) return APEX_E_LIMIT;
    for (size_t i = 0; i < 9; i++)
        if (!size_mul(part[i].count, part[i].size, &bytes) || !size_add(len, bytes, &len))
            return APEX_E_LIMIT;
    uint8_t *room = calloc(1, len);
    if (!room) return APEX_E_MEMORY;
    m->room = room;
    m->room_len = len;
    for (size_t i = 0; i < 9; i++) {
        memcpy((uint8_t *)m + part[i].at, &room, sizeof room);
        room += part[i].count * part[i].size;
    }
    return APEX_OK;
}

void boost_clear(struct boost_model *m)
{
    if (m->room) wipe(m->room, m->room_len);
    free(m->room);
    *m = (struct boost_model){0};
}

/* Of one column: ascending, the unused ones infinite. */
static bool edges_hold(const double *edge, size_t n)
{
    for (size_t e = 0; e < n; e++)
        if (!(edge[e] > -INFINITY) || (e > 0 && !(edge[e] >= edge[e - 1]))) return false;
    return true;
}

static bool node_holds(const struct boost_model *m, size_t node)
{
    size_t feature = m->feature[node], bin = m->bin[node];
    if (bin == BOOST_NO_SPLIT) return feature == 0 && m->threshold[node] == INFINITY;
    return feature < m->n_features && bin < m->n_bins - 1 &&
           m->threshold[node] == m->edges[feature * (m->n_bins - 1) + bin];
}

apex_status boost_check(const struct boost_model *m)
{
    for (size_t f = 0; f < m->n_features; f++)
        if (!edges_hold(m->edges + f * (m->n_bins - 1), m->n_bins - 1)) return APEX_E_FORMAT;
    for (size_t i = 0; i < m->n_trees * m->n_nodes; i++)
        if (!node_holds(m, i)) return APEX_E_FORMAT;
    for (size_t i = 0; i < m->n_trees * m->n_leaves; i++)
        if (!isfinite(m->value[i])) return APEX_E_FORMAT;
    for (size_t c = 0; c < m->n_scores; c++)
        if (!isfinite(m->base[c])) return APEX_E_FORMAT;
    return APEX_OK;
}
