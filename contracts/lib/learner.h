/* A learner: one of the kernels' models behind one face, fitted on a frame, kept as bytes in
 * its contract, used on blocks.
 *
 *   bayes     Gaussian naive Bayes
 *   logistic  logistic or softmax regression; penalty is C (0: none)
 *   boost     gradient-boosted trees, of classes or numbers; rounds, depth, rate
 *   linear    least squares; penalty is ridge's alpha on standardised columns, 0: ordinary
 * Where rows may show (not oblivious) the faster form of boost is taken; the model is the same.
 *
 * What may not be told is not used on anybody's rows either: a frame under rules has no classes
 * and texts that do not satisfy them (contracts/lib/frame.h), trees are grown of splits that
 * leave enough rows on both sides, and leaves that do not satisfy the rules are joined
 * before their values are used (common/num/boost.h); and all is rounded to what one row can
 * move (learner_round.c).
 *
 * Leaks: those of the kernels; which classes have rows; the power of two that a number is
 * rounded to. */
#ifndef CONTRACTS_LIB_LEARNER_H
#define CONTRACTS_LIB_LEARNER_H

#include "common/num/bayes.h"
#include "common/num/boost.h"
#include "common/num/logistic.h"
#include "common/num/ridge.h"
#include "contracts/lib/frame.h"

enum learner_kind {
    LEARNER_BAYES = 1,
    LEARNER_LOGISTIC,
    LEARNER_BOOST,
    LEARNER_LINEAR,
    LEARNER_CONSTANT /* one class only */
};
enum { LEARNER_PROBABLE_MAX = 64 }; /* classes, for probabilities */

struct learner_options {
    enum learner_kind kind;
    double penalty, rate;
    unsigned rounds, depth;
};
struct learner {
    enum learner_kind kind;
    size_t n_classes, n_features; /* n_classes 0: numbers */
    struct bayes *bayes;
    struct logistic *logistic;
    struct ridge *ridge;
    struct boost_model boost;
    uint32_t *map; /* of classes to those of another encoding, or NULL */
};
/* Room for one thread's predictions. */
struct learner_room {
    uint32_t *label;                           /* BLOCK_ROWS: classes */
    double *value;                             /* BLOCK_ROWS: numbers */
    double *probability[LEARNER_PROBABLE_MAX]; /* BLOCK_ROWS each */
    void *boost;
    double *scratch; /* CLASS_ROOM */
    bool probable;   /* are probabilities made? */
};

/* From the parameters method, penalty, rounds, depth and rate, where the function has them. */
struct learner_options learner_options_of(struct apex_run *run, bool regression);
const char *learner_name(enum learner_kind kind, size_t n_classes);
/* Refuses the run where the rows do not allow it; with `may_fail`, answers APEX_E_DATA. */
apex_status learner_fit(struct frame *frame, const struct learner_options *options,
                        bool may_fail, struct learner *learner);
/* To the precision that the rules of the frame it was fitted on allow; learner_fit does it. */
apex_status learner_round(struct frame *frame, const struct learner_options *options,
                          struct learner *learner);
void learner_clear(struct learner *learner);
apex_status learner_room_new(const struct learner *learner, bool probable,
                             struct learner_room *room);
void learner_room_clear(struct learner_room *room);
void learner_predict(const struct learner *learner, const struct num_block *block,
                     struct learner_room *room);
/* With an encoding, cells of the classes (or one for numbers) and the learner: the bytes of a
 * model. */
apex_status learner_write(const struct learner *learner, struct buffer *out);
apex_status learner_parse(struct cursor *c, struct learner *learner);
/* Its parameters, for a function that exports: under the keys "features", "classes", ... */
apex_status learner_out(struct apex_run *run, const struct learner *learner,
                        const struct encoding *encoding);

#endif
