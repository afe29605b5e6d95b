#include "common/num/boost.h"

#include "common/base/try.h"
#include "common/num/boost_loss.h"
#include "common/num/boost_tree.h"
#include "common/num/parallel.h"

#include <math.h>
#include <string.h>

enum option {
    OPTION_LOSS = 1,
    OPTION_CLASSES,
    OPTION_ROUNDS,
    OPTION_DEPTH,
    OPTION_BINS,
    OPTION_RATE,
    OPTION_LAMBDA,
    OPTION_HESSIAN,
    OPTION_GAIN,
    OPTION_SEED = 11,
    OPTION_PARTIES,
};

/* The number of the first option that is out of its range, or 0. */
static size_t option_wrong(const struct boost_options *o)
{
    if (o->loss > BOOST_SQUARED) return OPTION_LOSS;
    if (o->loss == BOOST_SOFTMAX && (o->n_classes < 2 || o->n_classes > BOOST_CLASSES_MAX))
        return OPTION_CLASSES;
    if (o->rounds < 1 || o->rounds > BOOST_ROUNDS_MAX) return OPTION_ROUNDS;
    if (o->depth < 1 || o->depth > BOOST_DEPTH_MAX) return OPTION_DEPTH;
    if (o->bins == 1 || o->bins > BOOST_BINS_MAX) return OPTION_BINS;
    if (!(o->rate > 0 && o->rate <= 1)) return OPTION_RATE;
    if (!(o->lambda >= 0 && isfinite(o->lambda))) return OPTION_LAMBDA;
    if (!(o->min_hessian >= 0 && isfinite(o->min_hessian))) return OPTION_HESSIAN;
    if (!(o->min_gain >= 0 && isfinite(o->min_gain))) return OPTION_GAIN;
    if (!o->seed) return OPTION_SEED;
    bool told = o->parties && o->n_parties > 0 && o->n_parties <= BOOST_PARTIES_MAX;
    return o->may_stand && !told ? OPTION_PARTIES : 0;
}

struct fit {
    struct boost_rows rows;
    struct boost_tree tree;
    struct boost_model model;
    struct boost_plain *plain;
};

static void rounds_run(struct fit *f, const struct boost_options *o)
{
    for (size_t round = 0; round < o->rounds; round++) {
        boost_gradients(&f->rows, o->loss);
        for (size_t c = 0; c < f->model.n_scores; c++) {
            boost_tree_start(&f->tree, round * f->model.n_scores + c, c);
            if (f->plain)
                boost_plain_tree(f->plain, &f->tree);
            else
                boost_oblivious_tree(&f->tree);
        }
        if (o->progress) o->progress(o->context, (unsigned)((round + 1) * 100 / o->rounds));
    }
}

static apex_status fit_run(struct fit *f, const struct num_source *source,
                           const struct boost_options *o, bool plain, struct num_place *place)
{
    TRY(boost_init(&f->model));
    TRY(boost_rows_open(&f->rows, source, o, &f->model, place));
    TRY(boost_base(&f->rows, &f->model, place));
    TRY(boost_tree_open(&f->tree, &f->rows, &f->model, o));
    TRY(boost_tree_allow(&f->tree));
    if (plain) TRY(boost_plain_open(&f->plain, &f->tree));
    rounds_run(f, o);
    return APEX_OK;
}

static apex_status source_judge(const struct num_source *source, const struct boost_options *o,
                                struct num_place *place)
{
    struct num_block b;
    if (source->n_columns == 0) return APEX_E_USAGE;
    if (source->n_rows == 0) {
        if (place) *place = (struct num_place){NUM_NO_ROWS, 0};
        return APEX_E_DATA;
    }
    source->block(source->context, 0, 0, &b);
    return o->loss == BOOST_SQUARED ? (b.target ? APEX_OK : APEX_E_USAGE)
                                    : (b.label ? APEX_OK : APEX_E_USAGE);
}

static apex_status fit(const struct num_source *source, const struct boost_options *o,
                       bool plain, struct boost_model *model, struct num_place *place)
{
    size_t wrong = option_wrong(o);
    if (place) *place = (struct num_place){NUM_FINE, 0};
    if (wrong) {
        if (place) *place = (struct num_place){NUM_OPTION, wrong};
        return APEX_E_USAGE;
    }
    TRY(source_judge(source, o, place));
    struct fit f = {.rows.row_by_row = plain, .rows.threads = o->threads ? o->threads : 1};
    if (f.rows.threads > PARALLEL_THREADS_MAX) f.rows.threads = PARALLEL_THREADS_MAX;
    f.model = (struct boost_model){
        .loss = o->loss,
        .n_features = source->n_columns,
        .n_scores = o->loss == BOOST_SOFTMAX ? o->n_classes : 1,
        .depth = o->depth,
        .n_bins = o->bins ? o->bins
                  : plain ? BOOST_BINS_PLAIN
                          : BOOST_BINS_DEFAULT,
    };
    f.model.n_trees = f.model.n_scores * o->rounds;
    apex_status s = fit_run(&f, source, o, plain, place);
    if (s == APEX_OK)
        *model = f.model;
    else
        boost_clear(&f.model);
    boost_plain_close(f.plain);
    boost_tree_close(&f.tree);
    boost_rows_close(&f.rows);
    return s;
}

apex_status boost_fit(const struct num_source *rows, const struct boost_options *options,
                      struct boost_model *model, struct num_place *place)
{
    return fit(rows, options, false, model, place);
}

apex_status boost_plain_fit(const struct num_source *rows, const struct boost_options *options,
                            struct boost_model *model, struct num_place *place)
{
    return fit(rows, options, true, model, place);
}
