/* A learner as bytes. */
#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "contracts/lib/learner.h"
#include "contracts/lib/model_bytes.h"

#include <stdlib.h>

enum { LEARNER_VERSION = 1 };

static void bayes_put(const struct bayes *b, struct buffer *out)
{
    size_t cells = b->n_classes * b->n_features;
    model_put_doubles(out, b->prior, b->n_classes);
    model_put_doubles(out, b->mean, cells);
    model_put_doubles(out, b->variance, cells);
    cbor_put_bytes(out, span_of((const uint8_t *)b->counts, b->n_classes * sizeof *b->counts));
}

static apex_status bayes_parse(struct cursor *c, struct learner *l)
{
    TRY(bayes_new(l->n_classes, l->n_features, &l->bayes));
    TRY(model_doubles(c, l->bayes->prior, l->n_classes));
    TRY(model_doubles(c, l->bayes->mean, l->n_classes * l->n_features));
    TRY(model_doubles(c, l->bayes->variance, l->n_classes * l->n_features));
    TRY(model_array(c, l->bayes->counts, l->n_classes * sizeof *l->bayes->counts));
    return bayes_ready(l->bayes, NULL);
}

static void logistic_put(const struct logistic *m, struct buffer *out)
{
    size_t cells = m->n_outputs * m->n_columns;
    cbor_put_uint(out, m->n_outputs);
    cbor_put_uint(out, m->n_seen);
    cbor_put_bytes(out, span_of((const uint8_t *)m->seen, m->n_seen * sizeof *m->seen));
    model_put_doubles(out, m->mean, m->n_columns);
    model_put_doubles(out, m->sd, m->n_columns);
    model_put_doubles(out, m->coefficient, cells);
    model_put_doubles(out, m->raw, cells);
    model_put_doubles(out, m->intercept, m->n_outputs);
    model_put_doubles(out, m->raw_intercept, m->n_outputs);
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
    TRY(model_array(c, m->seen, m->n_seen * sizeof *m->seen));
    for (size_t i = 0; i < m->n_seen; i++)
        if (m->seen[i] >= l->n_classes) return APEX_E_FORMAT;
    TRY(model_doubles(c, m->mean, m->n_columns));
    TRY(model_doubles(c, m->sd, m->n_columns));
    TRY(model_doubles(c, m->coefficient, cells));
    TRY(model_doubles(c, m->raw, cells));
    TRY(model_doubles(c, m->intercept, m->n_outputs));
    return model_doubles(c, m->raw_intercept, m->n_outputs);
}

static void ridge_put(const struct ridge *m, struct buffer *out)
{
    model_put_doubles(out, m->mean, m->n_columns);
    model_put_doubles(out, m->sd, m->n_columns);
    model_put_doubles(out, m->coefficient, m->n_columns);
    model_put_doubles(out, m->raw, m->n_columns);
    model_put_doubles(out, &m->intercept, 1);
    model_put_doubles(out, &m->raw_intercept, 1);
}

static apex_status ridge_parse(struct cursor *c, struct learner *l)
{
    TRY(ridge_new(l->n_features, &l->ridge));
    struct ridge *m = l->ridge;
    TRY(model_doubles(c, m->mean, m->n_columns));
    TRY(model_doubles(c, m->sd, m->n_columns));
    TRY(model_doubles(c, m->coefficient, m->n_columns));
    TRY(model_doubles(c, m->raw, m->n_columns));
    TRY(model_doubles(c, &m->intercept, 1));
    return model_doubles(c, &m->raw_intercept, 1);
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
    TRY(model_array(c, l->boost.room, l->boost.room_len));
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
