/* What the contracts classify and regress have in common: training, the model that stays, and a
 * requester's own rows. */
#ifndef CONTRACTS_LIB_LEARN_H
#define CONTRACTS_LIB_LEARN_H

#include "contracts/lib/evaluate.h"

struct learn {
    struct apex_run *run;
    struct release_rules rules;
    enum frame_target kind;
    const char *target;
    const char *own; /* dataset of a requester's own rows */
    /* More about held-out rows than the figures; may be NULL. */
    apex_status (*more_out)(struct learn *l, struct evaluation *e);
    struct frame training;
    struct encoding encoding; /* of a model that was read */
    struct learner_options options;
    struct learner learner;
    struct release_cell trained;  /* rows it was trained on */
    struct release_cell *classes; /* of them, by class, judged */
};

/* evaluate, compare, predict, train, score or model, as the run asks: the whole answer. Also
 * private_train and score_private. */
apex_status learn_function(struct learn *l);

/* Fits on `dataset` (the requester's private rows of it, or all parties'). */
apex_status learn_train(struct learn *l, const char *dataset, bool is_private);
/* private_train, up to the answer's end. */
apex_status learn_private(struct learn *l);
/* Leaves the model in the contract, and takes the one that is given. */
apex_status learn_leave(struct learn *l);
apex_status learn_take(struct learn *l);
const struct encoding *learn_encoding(const struct learn *l);
/* A frame of other rows, under the model's encoding. `like` NULL: the model's. */
apex_status learn_frame(struct learn *l, const char *dataset, bool is_private, bool targetless,
                        const struct encoding *like, struct frame *frame);
/* function, model, training_rows, ... */
void learn_head_out(struct learn *l);
void learn_figures_out(struct learn *l, const struct evaluation *e);
/* The answer to each of the requester's own rows; refuses when none came along. */
apex_status learn_own_rows_out(struct learn *l, const char *dataset);
/* Each party's rows alone against all rows, on the same held-out rows. */
apex_status learn_compare_out(struct learn *l, struct frame *holdout);

#endif
