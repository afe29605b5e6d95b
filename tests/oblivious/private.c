/* Private answers, from rows to what is released. Every seed has the same rows in another
 * order: so the sums are the same, the noise too (one key), and what is released agrees; what
 * may differ is only what nobody may see. */
#include "common/num/private_bayes.h"
#include "common/num/private_kmeans.h"
#include "common/num/private_logistic.h"
#include "common/num/private_noise.h"
#include "common/num/private_ridge.h"
#include "tests/oblivious/secret.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 600, DIMS = 2, CLASSES = 3, BINS = 6, K = 2 };
static _Alignas(64) double cells[DIMS][BLOCK_ROWS], weights[BLOCK_ROWS], targets[BLOCK_ROWS];
static _Alignas(64) uint32_t labels[BLOCK_ROWS];
static size_t n;
static uint8_t key[PRIVATE_KEY_LEN];
static const struct private_bounds bounds[DIMS + 1] = {{-1, 2}, {0, 50}, {-3, 3}};

/* Row i of all rows: cells in and outside their bounds, some not a number, some without weight,
 * some of no class. */
static void row_put(size_t at, uint64_t i)
{
    for (size_t j = 0; j < DIMS; j++)
        cells[j][at] = bounds[j].min + (bounds[j].max - bounds[j].min) *
                                           (1.4 * oblivious_unit(7, 10000 * j + i) - 0.2);
    if (oblivious_number(7, 50000 + i) % 16 == 0) cells[0][at] = NAN;
    targets[at] = 6 * oblivious_unit(7, 60000 + i) - 3;
    weights[at] = (double)(oblivious_number(7, 70000 + i) % 4);
    labels[at] = (uint32_t)(oblivious_number(7, 80000 + i) % (CLASSES + 1));
}

static void fill(uint64_t seed)
{
    size_t order[ROWS];
    n = rows_watched(ROWS, 40);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = oblivious_number(seed, i) % i, kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < n; i++)
        row_put(i, order[i]);
    memset(key, 5, sizeof key);
}

static void block(void *context, size_t index, unsigned thread, struct num_block *out)
{
    static const double *const column[DIMS] = {cells[0], cells[1]};
    (void)context, (void)index, (void)thread;
    *out = (struct num_block){n, DIMS, column, weights, targets, labels};
}

static struct num_block rows_hidden(void)
{
    struct num_block b;
    block(NULL, 0, 0, &b);
    secret(cells, sizeof cells);
    secret(weights, sizeof weights);
    secret(targets, sizeof targets);
    secret(labels, sizeof labels);
    return b;
}

static int64_t values[64];

/* --- Exact integers, before any noise --- */

static void counted(void)
{
    const struct private_classes classes = {CLASSES};
    struct num_block b = rows_hidden();
    private_classes_add(&classes, &b, values);
}

static void binned(void)
{
    const struct private_bin_options bins = {1, BINS, bounds[1]};
    struct num_block b = rows_hidden();
    private_bins_add(&bins, &b, values);
}

static void summed(void)
{
    const struct private_sum_options sums = {DIMS, bounds};
    struct num_block b = rows_hidden();
    private_sums_add(&sums, &b, values);
}

static void squared(void)
{
    const struct private_moments_options moments = {DIMS, CLASSES, bounds};
    struct num_block b = rows_hidden();
    private_moments_add(&moments, &b, values);
}

static struct private_view view_of(bool target, bool absolutes)
{
    static const double shift[DIMS + 1] = {0.5, 25, 0}, scale[DIMS + 1] = {1, 0.1, 0.7};
    return (struct private_view){DIMS, target, absolutes, 1.5, bounds, shift, scale};
}

static void multiplied(void)
{
    for (int absolutes = 0; absolutes <= 1; absolutes++) {
        const struct private_view view = view_of(true, absolutes);
        struct num_block b = rows_hidden();
        private_products_add(&view, &b, values);
    }
}

static void descended(void)
{
    static const double w[1 + DIMS] = {0.3, -1, 2};
    const struct private_view view = view_of(false, false);
    const struct private_gradient gradient = {&view, w};
    struct num_block b = rows_hidden();
    private_gradient_add(&gradient, &b, values);
}

static void placed(void)
{
    static const uint32_t codes[] = {0, 3, 5, 8, 9, 15};
    const struct private_tree_options tree = {.d = DIMS, .bounds = bounds};
    const struct private_level level = {&tree, 2, sizeof codes / sizeof *codes, codes};
    struct num_block b = rows_hidden();
    private_level_add(&level, &b, values);
}

/* --- Whole answers: what they release is public, and nothing else is. Step by step only the
 * means: most steps are the noise's and the public part's. --- */

static struct private_budget budget;
static struct private_random noise;

static struct private_run run_open(double delta)
{
    if (private_budget_open(&budget, 3000000, delta, NULL) != APEX_OK) __builtin_trap();
    private_random_init(&noise, key, 0);
    return (struct private_run){&budget, &noise, 1};
}

static bool all_watched(void)
{
    return rows_watched(1, 0) > 0;
}

static const struct num_source *rows(void)
{
    static struct num_source source;
    source = (struct num_source){n, DIMS, 1, block, NULL};
    rows_hidden();
    return &source;
}

static void want(apex_status status)
{
    if (status != APEX_OK) __builtin_trap();
}

static void mean_both(void)
{
    for (int pure = !all_watched(); pure <= 1; pure++) {
        double mean[DIMS], deviation[DIMS];
        struct private_means m = {.mean = mean, .deviation = deviation};
        struct private_run run = run_open(pure ? 0 : 1e-6);
        want(private_means(rows(), bounds, budget.total, &run, &m, NULL));
    }
}

static void bayes(void)
{
    if (!all_watched()) return;
    const struct private_moments_options o = {DIMS, CLASSES, bounds};
    struct private_run run = run_open(1e-6);
    struct bayes *model;
    want(private_bayes_fit(rows(), &o, budget.total, &run, &model, NULL));
    bayes_free(model);
}

static void ridge(void)
{
    if (!all_watched()) return;
    const struct private_ridge_options o = {.n_columns = DIMS, .bounds = bounds, .alpha = 1};
    struct private_run run = run_open(1e-6);
    struct ridge *model;
    want(private_ridge_fit(rows(), &o, budget.total, &run, &model, NULL));
    ridge_free(model);
}

static void logistic(void)
{
    if (!all_watched()) return;
    double coefficient[DIMS];
    struct private_logistic model = {.coefficient = coefficient};
    const struct private_logistic_options o = {
        .n_columns = DIMS, .bounds = bounds, .penalty = 1, .rounds = 2};
    struct private_run run = run_open(0);
    want(private_logistic_fit(rows(), &o, budget.total, &run, &model, NULL));
}

static void kmeans(void)
{
    if (!all_watched()) return;
    static const uint8_t seed[32] = {1};
    double centroids[K * DIMS], sizes[K];
    struct private_kmeans result = {.centroids = centroids, .weights = sizes};
    const struct private_kmeans_options o = {
        .tree = {.d = DIMS, .bounds = bounds, .depth = 2}, .k = K, .restarts = 1, .seed = seed};
    struct private_run run = run_open(1e-6);
    want(private_kmeans_fit(rows(), &o, budget.total, &run, &result, NULL));
}

/* The key is the secret here. Step by step other keys reject other proposals, which is what
 * they may give away: so no draws there. */
static void drawn(void)
{
    struct private_noise laplace, gaussian;
    struct private_random random;
    want(private_noise_laplace(3, 700000, &laplace, NULL));
    want(private_noise_gaussian(5, 12345, &gaussian, NULL));
    secret(key, sizeof key);
    private_random_init(&random, key, 0);
    for (size_t i = 0; i < rows_watched(40, 0); i++) {
        values[0] = private_noise_draw(&laplace, &random);
        values[1] = private_noise_draw(&gaussian, &random);
    }
    (void)private_random_next(&random);
}

static const struct oblivious_case cases[] = {
    {"rows of classes", fill, counted},
    {"rows of bins", fill, binned},
    {"sums within bounds", fill, summed},
    {"sums and squares of classes", fill, squared},
    {"products of rows that were cut to length", fill, multiplied},
    {"the gradient of a logistic regression", fill, descended},
    {"rows of a tree's cells", fill, placed},
    {"noise, of its own key", fill, drawn},
    {"private means", fill, mean_both},
    {"private naive Bayes", fill, bayes},
    {"private ridge regression", fill, ridge},
    {"private logistic regression", fill, logistic},
    {"private k-means", fill, kmeans}};
OBLIVIOUS(cases)
