/* A learner as bytes: CBOR, with arrays of doubles as they lie in memory, little-endian. */
#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "contracts/lib/learner.h"

#include <stdlib.h>

enum { LEARNER_VERSION = 1 };

static void doubles_put(const double *x, size_t n, struct buffer *out)
{
    cbor_put_bytes(out, span_of((const uint8_t *)x, n * sizeof *x));
}

static apex_status array_parse(struct cursor *c, void *to, size_t len)
{
    struct span bytes;
    TRY(cbor_bytes(c, &bytes));
    if (bytes.len != len) return APEX_E_FORMAT;
    if (len) memcpy(to, bytes.data, len);
    return APEX_OK;
}

static apex_status doubles_parse(struct cursor *c, double *x, size_t n)
{
    return array_parse(c, x, n * sizeof *x);
}

static void bayes_put(const struct bayes *b, struct buffer *out)
{
    size_t cells = b->n_classes * b->n_features;
    doubles_put(b->prior, b->n_classes, out);
    doubles_put(b->mean, cells, out);
    doubles_put(b->variance, cells, out);
    cbor_put_bytes(out, span_of((const uint8_t *)b->counts, b->n_classes * sizeof *b->counts));
}

static apex_status bayes_parse(struct cursor *c, struct learner *l)
{
    TRY(bayes_new(l->n_classes, l->n_features, &l->bayes));
    TRY(doubles_parse(c, l->bayes->prior, l->n_classes));
    TRY(doubles_parse(c, l->bayes->mean, l->n_classes * l->n_features));
    TRY(doubles_parse(c, l->bayes->variance, l->n_classes * l->n_features));
    TRY(array_parse(c, l->bayes->counts, l->n_classes * sizeof *l->bayes->counts));
    return bayes_ready(l->bayes, NULL);
}

static void logistic_put(const struct logistic *m, struct buffer *out)
{
    size_t cells = m->n_outputs * m->n_columns;
    cbor_put_uint(out, m->n_outputs);
    cbor_put_uint(out, m->n_seen);
    cbor_put_bytes(out, span_of((const uint8_t *)m->seen, m->n_seen * sizeof *m->seen));
    doubles_put(m->mean, m->n_columns, out);
    doubles_put(m->sd, m->n_columns, out);
    doubles_put(m->coefficient, cells, out);
    doubles_put(m->raw, cells, out);
    doubles_put(m->intercept, m->n_outputs, out);
    doubles_put(m->raw_intercept, m->n_outputs, out);
}

static apex_status logistic_parse(struct cursor *c, struct learner *l)
{
    uint64_t n_outputs, n_seen;
    TRY(logistic_new(l->n_classes, l->n_features, &l->logistic));
    struct logistic *m = l->logistic;
    TRY(cbor_uint(c, &n_outputs));
    TRY(cbor_uint(c, &n_seen));
    if (n_outputs > l->n_classes || n_seen > l->n_classes) return APEX_E_FORMAT;
    m->n_outputs = (size_t)n_outputs;
    m->n_seen = (size_t)n_seen;
    size_t cells = m->n_outputs * m->n_columns;
    TRY(array_parse(c, m->seen, m->n_seen * sizeof *m->seen));
    for (size_t i = 0; i < m->n_seen; i++)
        if (m->seen[i] >= l->n_classes) return APEX_E_FORMAT;
    TRY(doubles_parse(c, m->mean, m->n_columns));
    TRY(doubles_parse(c, m->sd, m->n_columns));
    TRY(doubles_parse(c, m->coefficient, cells));
    TRY(doubles_parse(c, m->raw, cells));
    TRY(doubles_parse(c, m->intercept, m->n_outputs));
    return doubles_parse(c, m->raw_intercept, m->n_outputs);
}

static void ridge_put(const struct ridge *m, struct buffer *out)
{
    doubles_put(m->mean, m->n_columns, out);
    doubles_put(m->sd, m->n_columns, out);
    doubles_put(m->coefficient, m->n_columns, out);
    doubles_put(m->raw, m->n_columns, out);
    doubles_put(&m->intercept, 1, out);
    doubles_put(&m->raw_intercept, 1, out);
}

static apex_status ridge_parse(struct cursor *c, struct learner *l)
{
    TRY(ridge_new(l->n_features, &l->ridge));
    struct ridge *m = l->ridge;
    TRY(doubles_parse(c, m->mean, m->n_columns));
    TRY(doubles_parse(c, m->sd, m->n_columns));
    TRY(doubles_parse(c, m->coefficient, m->n_columns));
    TRY(doubles_parse(c, m->raw, m->n_columns));
    TRY(doubles_parse(c, &m->intercept, 1));
    return doubles_parse(c, &m->raw_intercept, 1);
}

/* The arrays of a boosted model lie in one room; it is the room that is kept. */
static void boost_put(const struct boost_model *m, struct buffer *out)
{
    cbor_put_uint(out, (uint64_t)m->loss);
    cbor_put_uint(out, m->n_scores);
    cbor_put_uint(out, m->n_trees);
    cbor_put_uint(out, m->depth);
    cbor_put_uint(out, m->n_bins);
    cbor_put_bytes(out, span_of(m->room, m->room_len));
}


static apex_status boost_parse(struct cursor *c, struct learner *l)
{
    uint64_t n[5];
    for (size_t i = 0; i < 5; i++) {
        TRY(cbor_uint(c, &n[i]));
        if (n[i] > UINT32_MAX) return APEX_E_FORMAT;
    }
    l->boost = (struct boost_model){.loss = (enum boost_loss)n[0],
                                    .n_features = l->n_features,
                                    .n_scores = (size_t)n[1],
                                    .n_trees = (size_t)n[2],
                                    .depth = (size_t)n[3],
                                    .n_bins = (size_t)n[4]};
    size_t scores = l->n_classes > 2 ? l->n_classes : 1;
    if (n[0] > BOOST_SQUARED || n[1] != scores) return APEX_E_FORMAT;
    TRY(boost_init(&l->boost));
    TRY(array_parse(c, l->boost.room, l->boost.room_len));
    return boost_check(&l->boost);
}

apex_status learner_write(const struct learner *l, struct buffer *out)
{
    cbor_put_uint(out, LEARNER_VERSION);
    cbor_put_uint(out, (uint64_t)l->kind);
    cbor_put_uint(out, l->n_classes);
    cbor_put_uint(out, l->n_features);
    switch (l->kind) {
    case LEARNER_BAYES: bayes_put(l->bayes, out); break;
    case LEARNER_LOGISTIC: logistic_put(l->logistic, out); break;
    case LEARNER_LINEAR: ridge_put(l->ridge, out); break;
    case LEARNER_BOOST: boost_put(&l->boost, out); break;
    case LEARNER_CONSTANT: break;
    }
    return buffer_ok(out);
}

apex_status learner_parse(struct cursor *c, struct learner *l)
{
    uint64_t version, kind, n_classes, n_features;
    TRY(cbor_uint(c, &version));
    TRY(cbor_uint(c, &kind));
    TRY(cbor_uint(c, &n_classes));
    TRY(cbor_uint(c, &n_features));
    if (version != LEARNER_VERSION || n_classes > CLASSES_MAX || n_features < 1 ||
        n_features > FEATURES_MAX)
        return APEX_E_FORMAT;
    *l = (struct learner){.kind = (enum learner_kind)kind,
                          .n_classes = (size_t)n_classes,
                          .n_features = (size_t)n_features};
    switch (kind) {
    case LEARNER_BAYES: return bayes_parse(c, l);
    case LEARNER_LOGISTIC: return logistic_parse(c, l);
    case LEARNER_LINEAR: return ridge_parse(c, l);
    case LEARNER_BOOST: return boost_parse(c, l);
    default: return APEX_E_FORMAT;
    }
}
