/* A learner's parameters as text, for functions that may tell them. */
#include "common/base/try.h"
#include "contracts/lib/learner.h"

#include <stdlib.h>

static void text_out(struct apex_run *run, const char *key, const struct encoding_text *t)
{
    apex_json_text(run, key, t->text, t->len);
}

static void numbers_out(struct apex_run *run, const char *key, const double *x, size_t n)
{
    apex_json_array(run, key);
    for (size_t i = 0; i < n; i++)
        apex_json_number(run, NULL, x[i]);
    apex_json_end(run);
}

static void features_out(struct apex_run *run, const struct encoding *e)
{
    apex_json_array(run, "features");
    for (size_t i = 0; i < e->n_features; i++) {
        apex_json_object(run, NULL);
        apex_json_text(run, "column", e->features[i].column, strlen(e->features[i].column));
        if (e->features[i].is_category) text_out(run, "is", &e->features[i].category);
        apex_json_end(run);
    }
    apex_json_end(run);
}

static void bayes_out(struct apex_run *run, const struct bayes *b, const struct encoding *e)
{
    apex_json_array(run, "classes");
    for (size_t c = 0; c < b->n_classes; c++) {
        apex_json_object(run, NULL);
        text_out(run, "class", &e->classes[c]);
        apex_json_number(run, "prior", b->prior[c]);
        numbers_out(run, "mean", b->mean + c * b->n_features, b->n_features);
        numbers_out(run, "variance", b->variance + c * b->n_features, b->n_features);
        apex_json_end(run);
    }
    apex_json_end(run);
}

/* Two classes have one row of coefficients, of the higher one. */
static void logistic_out(struct apex_run *run, const struct logistic *m,
                         const struct encoding *e)
{
    numbers_out(run, "mean", m->mean, m->n_columns);
    numbers_out(run, "sd", m->sd, m->n_columns);
    apex_json_array(run, "classes");
    for (size_t o = 0; o < m->n_outputs; o++) {
        uint32_t class = m->n_outputs == 1 ? m->seen[m->n_seen - 1] : m->seen[o];
        apex_json_object(run, NULL);
        text_out(run, "class", &e->classes[class]);
        apex_json_number(run, "intercept", m->intercept[o]);
        numbers_out(run, "coefficients", m->coefficient + o * m->n_columns, m->n_columns);
        apex_json_number(run, "raw_intercept", m->raw_intercept[o]);
        numbers_out(run, "raw_coefficients", m->raw + o * m->n_columns, m->n_columns);
        apex_json_end(run);
    }
    apex_json_end(run);
}

static void ridge_out(struct apex_run *run, const struct ridge *m)
{
    apex_json_number(run, "intercept", m->raw_intercept);
    numbers_out(run, "coefficients", m->raw, m->n_columns);
    apex_json_number(run, "standardised_intercept", m->intercept);
    numbers_out(run, "standardised_coefficients", m->coefficient, m->n_columns);
    numbers_out(run, "mean", m->mean, m->n_columns);
    numbers_out(run, "sd", m->sd, m->n_columns);
}

static void tree_out(struct apex_run *run, const struct boost_model *m, size_t t)
{
    apex_json_object(run, NULL);
    apex_json_integer(run, "score", (int64_t)(t % m->n_scores));
    apex_json_array(run, "feature");
    for (size_t i = 0; i < m->n_nodes; i++)
        apex_json_integer(run, NULL, (int64_t)m->feature[t * m->n_nodes + i]);
    apex_json_end(run);
    numbers_out(run, "threshold", m->threshold + t * m->n_nodes, m->n_nodes);
    numbers_out(run, "value", m->value + t * m->n_leaves, m->n_leaves);
    apex_json_end(run);
}

static void boost_out(struct apex_run *run, const struct boost_model *m)
{
    numbers_out(run, "base", m->base, m->n_scores);
    numbers_out(run, "importance", m->importance, m->n_features);
    apex_json_integer(run, "leaves_joined", (int64_t)*m->joined);
    apex_json_array(run, "trees");
    for (size_t t = 0; t < m->n_trees; t++)
        tree_out(run, m, t);
    apex_json_end(run);
}

apex_status learner_out(struct apex_run *run, const struct learner *l, const struct encoding *e)
{
    features_out(run, e);
    switch (l->kind) {
    case LEARNER_BAYES: bayes_out(run, l->bayes, e); break;
    case LEARNER_LOGISTIC: logistic_out(run, l->logistic, e); break;
    case LEARNER_LINEAR: ridge_out(run, l->ridge); break;
    case LEARNER_BOOST: boost_out(run, &l->boost); break;
    case LEARNER_CONSTANT: break;
    }
    return APEX_OK;
}
