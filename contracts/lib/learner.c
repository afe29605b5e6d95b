#include "contracts/lib/learner.h"

#include "common/base/try.h"
#include "common/num/metrics.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

static double number_or(const struct apex_run *run, const char *name, double other)
{
    return apex_has_param(run, name) ? apex_param_number(run, name) : other;
}

static enum learner_kind kind_of(const struct apex_run *run, bool regression)
{
    static const struct {
        const char *name;
        enum learner_kind kind;
    } kinds[] = {{"bayes", LEARNER_BAYES},
                 {"logistic", LEARNER_LOGISTIC},
                 {"boost", LEARNER_BOOST},
                 {"linear", LEARNER_LINEAR},
                 {"ridge", LEARNER_LINEAR}};
    if (!apex_has_param(run, "method")) return regression ? LEARNER_LINEAR : LEARNER_BAYES;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, apex_param_text(run, "method")) == 0) return kinds[i].kind;
    return LEARNER_BAYES;
}

struct learner_options learner_options_of(struct apex_run *run, bool regression)
{
    struct learner_options o = {.kind = kind_of(run, regression),
                                .penalty = number_or(run, "penalty", 1),
                                .rounds = (unsigned)number_or(run, "rounds", 100),
                                .depth = (unsigned)number_or(run, "depth", 3),
                                .rate = number_or(run, "rate", 0.1)};
    if (regression && apex_has_param(run, "method") &&
        strcmp(apex_param_text(run, "method"), "linear") == 0)
        o.penalty = 0;
    if (regression ? o.kind == LEARNER_BAYES || o.kind == LEARNER_LOGISTIC
                   : o.kind == LEARNER_LINEAR)
        apex_refuse(run, APEX_REFUSE_PARAMETER, "method: not of this kind of target");
    return o;
}

const char *learner_name(enum learner_kind kind, size_t n_classes)
{
    switch (kind) {
    case LEARNER_BAYES: return "gaussian-naive-bayes";
    case LEARNER_LOGISTIC: return n_classes == 2 ? "logistic-regression" : "softmax-regression";
    case LEARNER_BOOST: return "gradient-boosted-trees";
    case LEARNER_LINEAR: return "linear-regression";
    case LEARNER_CONSTANT: break;
    }
    return "constant";
}

static apex_status bayes_learn(struct frame *f, struct learner *l, struct num_place *place)
{
    const struct bayes_options o = {.n_classes = l->n_classes, .n_features = l->n_features};
    return bayes_fit(&f->source, &o, apex_threads(f->run), &l->bayes, place);
}

static apex_status logistic_learn(struct frame *f, const struct learner_options *options,
                                  struct learner *l, struct num_place *place)
{
    const struct logistic_options o = {.n_classes = l->n_classes,
                                       .c = options->penalty > 0 ? options->penalty : INFINITY,
                                       .standardise = true,
                                       .skip_empty = true,
                                       .threads = apex_threads(f->run)};
    TRY(logistic_new(l->n_classes, l->n_features, &l->logistic));
    return logistic_fit(&f->source, &o, l->logistic, place);
}

static const uint8_t *parties(void *context, unsigned thread)
{
    return frame_parties(context, thread);
}

/* What the rules leave of the options. On each side of a split as many rows as satisfy them
 * where the parties' rows lie there as they do in all, and twice that, as they never quite do
 * (leaves are judged whatever this says). And no more rounds than give, with their rate, one
 * leaf's value for every minimum_rows rows: many leaves of many rows, laid over each other, say
 * what single rows are. */
static apex_status boost_bound(struct frame *f, struct boost_options *o)
{
    const struct release_rules *rules = f->choice.rules;
    struct release_cell all;
    uint64_t most = 0;
    if (!rules) return APEX_OK;
    TRY(frame_count(f, &all));
    double rows = (double)all.rows, least = (double)rules->minimum_rows;
    for (size_t p = 0; p < rules->n_parties && rules->minimum_contributors >= 2; p++)
        if (all.by_party[p] > most) most = all.by_party[p];
    if (most > 0 && most < all.rows)
        o->min_rows = (uint64_t)(2 * least * rows / (rows - (double)most));
    double leaves = fmin(ldexp(1, (int)o->depth), fmax(1, rows / (double)o->min_rows));
    double rounds = fmax(1, rows / (least * o->rate * leaves));
    if (o->rounds > rounds) o->rounds = (unsigned)rounds;
    return APEX_OK;
}

static bool leaf_stands(void *context, const uint64_t *by_party)
{
    const struct frame *f = context;
    struct release_cell leaf = {0};
    for (size_t p = 0; p < f->choice.rules->n_parties; p++)
        leaf.rows += leaf.by_party[p] = by_party[p];
    return release_judge(f->choice.rules, &leaf) == RELEASE_OK;
}

static apex_status boost_learn(struct frame *f, const struct learner_options *options,
                               struct learner *l, struct num_place *place)
{
    const struct release_rules *rules = f->choice.rules;
    struct boost_options o = {.loss = l->n_classes == 0   ? BOOST_SQUARED
                                      : l->n_classes == 2 ? BOOST_LOGISTIC
                                                          : BOOST_SOFTMAX,
                              .n_classes = l->n_classes,
                              .rounds = options->rounds,
                              .depth = options->depth,
                              .rate = options->rate,
                              .lambda = 1,
                              .min_rows = rules ? rules->minimum_rows : 1,
                              .seed = apex_seed(f->run),
                              .threads = apex_threads(f->run),
                              .may_stand = rules ? leaf_stands : NULL,
                              .parties = parties,
                              .n_parties = apex_parties(f->run),
                              .parties_context = f};
    TRY(boost_bound(f, &o));
    return apex_oblivious(f->run) ? boost_fit(&f->source, &o, &l->boost, place)
                                  : boost_plain_fit(&f->source, &o, &l->boost, place);
}

static apex_status linear_learn(struct frame *f, const struct learner_options *options,
                                struct learner *l, struct num_place *place)
{
    const struct ridge_options o = {.alpha = options->penalty,
                                    .standardise = true,
                                    .drop = true,
                                    .threads = apex_threads(f->run)};
    TRY(ridge_new(l->n_features, &l->ridge));
    return ridge_fit(&f->source, &o, l->ridge, place);
}

static apex_status learn(struct frame *f, const struct learner_options *options,
                         struct learner *l, struct num_place *place)
{
    switch (l->kind) {
    case LEARNER_BAYES: return bayes_learn(f, l, place);
    case LEARNER_LOGISTIC: return logistic_learn(f, options, l, place);
    case LEARNER_BOOST: return boost_learn(f, options, l, place);
    case LEARNER_LINEAR: return linear_learn(f, options, l, place);
    case LEARNER_CONSTANT: break;
    }
    return APEX_OK;
}

apex_status learner_fit(struct frame *frame, const struct learner_options *options,
                        bool may_fail, struct learner *learner)
{
    struct num_place place = {NUM_FINE, 0};
    *learner = (struct learner){.kind = options->kind,
                                .n_classes = frame->encoding->n_classes,
                                .n_features = frame->encoding->n_features};
    bool one = frame->encoding->kind == FRAME_LABELS && learner->n_classes < 2;
    if (one && may_fail) learner->kind = LEARNER_CONSTANT;
    if (frame->n_rows == 0) place.fault = NUM_NO_ROWS;
    if (one && !may_fail) place.fault = NUM_ONE_CLASS;
    apex_status s =
        place.fault == NUM_FINE ? learn(frame, options, learner, &place) : APEX_E_DATA;
    if (s == APEX_E_DATA && may_fail) return s;
    fault_refuse(frame->run, s, &place);
    return learner_round(frame, options, learner);
}

void learner_clear(struct learner *l)
{
    if (l->bayes) bayes_free(l->bayes);
    if (l->logistic) logistic_free(l->logistic);
    if (l->ridge) ridge_free(l->ridge);
    if (l->boost.room) boost_clear(&l->boost);
    free(l->map);
    *l = (struct learner){0};
}

static double *column_new(void)
{
    return aligned_alloc(64, (BLOCK_ROWS + 64) * sizeof(double));
}

apex_status learner_room_new(const struct learner *l, bool probable, struct learner_room *room)
{
    *room = (struct learner_room){.probable = probable && l->n_classes <= LEARNER_PROBABLE_MAX};
    room->label = aligned_alloc(64, BLOCK_ROWS * sizeof *room->label);
    room->value = column_new();
    room->scratch = aligned_alloc(64, CLASS_ROOM * sizeof *room->scratch);
    if (!room->label || !room->value || !room->scratch) return APEX_E_MEMORY;
    if (l->kind == LEARNER_BOOST) {
        room->boost = aligned_alloc(64, (boost_scratch_len(&l->boost) + 127) / 64 * 64);
        if (!room->boost) return APEX_E_MEMORY;
    }
    if (l->n_classes == 0 || (!room->probable && l->kind == LEARNER_BAYES)) return APEX_OK;
    size_t n = l->n_classes > 2 ? l->n_classes : 2;
    if (n > LEARNER_PROBABLE_MAX) return APEX_OK;
    /* One allocation: boost wants its scores beside each other. */
    double *all = aligned_alloc(64, n * BLOCK_ROWS * sizeof *all + 4096);
    if (!all) return APEX_E_MEMORY;
    for (size_t c = 0; c < n; c++)
        room->probability[c] = all + c * BLOCK_ROWS;
    return APEX_OK;
}

void learner_room_clear(struct learner_room *room)
{
    free(room->label);
    free(room->value);
    free(room->scratch);
    free(room->boost);
    free(room->probability[0]);
    *room = (struct learner_room){0};
}

static void bayes_use(const struct learner *l, const struct num_block *b,
                      struct learner_room *room)
{
    double *joint = room->probable ? room->probability[0] : NULL;
    bayes_predict_block(l->bayes, b, room->label, joint);
    if (joint) bayes_probabilities(l->n_classes, b->n, joint);
}

/* The share of class 1 alone becomes both columns. */
static void shares_of_two(struct learner_room *room, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        room->probability[1][i] = room->probability[0][i];
        room->probability[0][i] = 1 - room->probability[1][i];
    }
}

static void boost_use(const struct learner *l, const struct num_block *b,
                      struct learner_room *room)
{
    double *score = l->n_classes == 0 ? room->value : room->probability[0];
    boost_predict(&l->boost, b, room->boost, score);
    if (l->n_classes == 0) return;
    boost_shares(&l->boost, score);
    if (l->n_classes == 2) shares_of_two(room, b->n);
    logistic_choose((const double *const *)room->probability, l->n_classes, b->n, room->label);
}

/* Compared, not looked up. */
static void labels_map(const struct learner *l, size_t n, uint32_t *label)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t to = 0;
        for (size_t c = 0; c < l->n_classes; c++)
            to |= l->map[c] & -(uint32_t)(label[i] == c);
        label[i] = to;
    }
}

void learner_predict(const struct learner *l, const struct num_block *block,
                     struct learner_room *room)
{
    switch (l->kind) {
    case LEARNER_BAYES: bayes_use(l, block, room); break;
    case LEARNER_LOGISTIC:
        logistic_predict(l->logistic, block, room->probability);
        logistic_choose((const double *const *)room->probability, l->n_classes, block->n,
                        room->label);
        break;
    case LEARNER_BOOST: boost_use(l, block, room); break;
    case LEARNER_LINEAR: ridge_predict(l->ridge, block, room->value); break;
    case LEARNER_CONSTANT: memset(room->label, 0, BLOCK_ROWS * sizeof *room->label); break;
    }
    if (l->map) labels_map(l, block->n, room->label);
}
