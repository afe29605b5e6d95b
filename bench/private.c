/* Private answers on given columns: one line of JSON per run, with the model in `answer`.
 *   bench_private OP columns=FILE rows=N features=D [target=1|labels=1] bounds=FILE epsilon=E
 *     delta=D [classes=K] [k=K] [runs=R] [scaling=1|2] [penalty=] [length=] [rounds=]
 * [depth=] FILE of columns: D (and 1) x N doubles, column by column; bounds: as many pairs of
 * doubles. OP: bayes, logistic, ridge, kmeans, count. Noise keys are the numbers of the runs:
 * this is for measuring; a real key is secret. bench/private.py makes the files and judges the
 * answers.
 */
#include "common/num/block.h"
#include "common/num/private_bayes.h"
#include "common/num/private_kmeans.h"
#include "common/num/private_logistic.h"
#include "common/num/private_ridge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int n_words;
static char **words;

static const char *text(const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (int i = 2; i < n_words; i++)
        if (strncmp(words[i], name, len) == 0 && words[i][len] == '=')
            return words[i] + len + 1;
    return otherwise;
}

static double number(const char *name, double otherwise)
{
    const char *t = text(name, NULL);
    return t ? strtod(t, NULL) : otherwise;
}

static void stop(const char *why)
{
    fprintf(stderr, "bench_private: %s\n", why);
    exit(2);
}

static double *numbers_read(const char *path, size_t n)
{
    FILE *f = fopen(path, "rb");
    double *x = malloc(n * sizeof *x);
    if (!f || !x || fread(x, sizeof *x, n, f) != n) stop("cannot read a file");
    fclose(f);
    return x;
}

struct setting {
    struct num_source rows;
    size_t d, n_classes;
    const struct private_bounds *bounds;
    struct private_budget budget;
    struct private_random random;
    struct private_run run;
};

static void list_print(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf(", %.17g", x[i]);
}

static apex_status bayes_run(struct setting *s, struct num_place *place)
{
    const struct private_moments_options options = {s->d, s->n_classes, s->bounds};
    struct bayes *model;
    apex_status status =
        private_bayes_fit(&s->rows, &options, s->budget.total, &s->run, &model, place);
    if (status != APEX_OK) return status;
    printf("\"answer\": [%zu", s->n_classes);
    list_print(model->prior, s->n_classes);
    list_print(model->mean, s->n_classes * s->d);
    list_print(model->variance, s->n_classes * s->d);
    bayes_free(model);
    return APEX_OK;
}

static apex_status logistic_run(struct setting *s, struct num_place *place)
{
    double *coefficient = calloc(s->d, sizeof *coefficient);
    struct private_logistic model = {.coefficient = coefficient};
    const struct private_logistic_options options = {
        .n_columns = s->d,
        .bounds = s->bounds,
        .penalty = number("penalty", 1),
        .length = number("length", 0),
        .rounds = (unsigned)number("rounds", 0),
        .scaling = (enum private_scaling)number("scaling", 0)};
    if (!coefficient) stop("no memory");
    apex_status status =
        private_logistic_fit(&s->rows, &options, s->budget.total, &s->run, &model, place);
    if (status == APEX_OK) {
        printf("\"rounds\": %u, \"answer\": [%.17g", model.rounds, model.intercept);
        list_print(coefficient, s->d);
    }
    free(coefficient);
    return status;
}

static apex_status ridge_run(struct setting *s, struct num_place *place)
{
    const struct private_ridge_options options = {
        .n_columns = s->d,
        .bounds = s->bounds,
        .alpha = number("penalty", 1),
        .length = number("length", 0),
        .scaling = (enum private_scaling)number("scaling", 0)};
    struct ridge *model;
    apex_status status =
        private_ridge_fit(&s->rows, &options, s->budget.total, &s->run, &model, place);
    if (status != APEX_OK) return status;
    printf("\"answer\": [%.17g", model->raw_intercept);
    list_print(model->raw, s->d);
    ridge_free(model);
    return APEX_OK;
}

static apex_status kmeans_run(struct setting *s, struct num_place *place)
{
    const uint8_t seed[32] = {1};
    const size_t k = (size_t)number("k", 5);
    double *centroids = calloc(k * s->d, sizeof *centroids),
           *weights = calloc(k, sizeof *weights);
    struct private_kmeans result = {.centroids = centroids, .weights = weights};
    const struct private_kmeans_options options = {
        .tree = {.d = s->d,
                 .bounds = s->bounds,
                 .depth = (unsigned)number("depth", 0),
                 .cells_max = (size_t)number("cells", 0)},
        .k = k,
        .restarts = (unsigned)number("restarts", 5),
        .seed = seed};
    if (!centroids || !weights) stop("no memory");
    apex_status status =
        private_kmeans_fit(&s->rows, &options, s->budget.total, &s->run, &result, place);
    if (status == APEX_OK) {
        printf("\"points\": %zu, \"depth\": %u, \"answer\": [%zu", result.n_points,
               result.depth, k);
        list_print(centroids, k * s->d);
    }
    free(centroids);
    free(weights);
    return status;
}

/* What the noise of one count is: its standard deviation. */
static apex_status count_run(struct setting *s, struct num_place *place)
{
    int64_t count = 0;
    struct private_statistic one = {
        .what = "count", .values = &count, .n = 1, .l1 = 1, .l2_squared = 1};
    apex_status status = private_release(&one, s->budget.total, &s->budget, &s->random, place);
    if (status == APEX_OK) printf("\"answer\": [%.17g", sqrt(one.variance));
    return status;
}

static void run_one(struct setting *s, const char *op, unsigned run)
{
    static const struct {
        const char *name;
        apex_status (*run)(struct setting *, struct num_place *);
    } ops[] = {{"bayes", bayes_run},
               {"logistic", logistic_run},
               {"ridge", ridge_run},
               {"kmeans", kmeans_run},
               {"count", count_run}};
    uint8_t key[PRIVATE_KEY_LEN] = {(uint8_t)run, (uint8_t)(run >> 8), 0xB};
    struct num_place place = {0};
    uint64_t micro;
    apex_status status = private_epsilon_micro(number("epsilon", 1), &micro, &place);
    if (status == APEX_OK)
        status = private_budget_open(&s->budget, micro, number("delta", 0), &place);
    if (status != APEX_OK) stop("no such budget");
    private_random_init(&s->random, key, 0);
    s->run = (struct private_run){&s->budget, &s->random, (unsigned)number("threads", 1)};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(ops[i].name, op) != 0) continue;
        clock_t began = clock();
        printf("{\"op\": \"private_%s\", \"n\": %zu, \"epsilon\": %g, \"delta\": %g, \"run\": "
               "%u, ",
               op, s->rows.n_rows, number("epsilon", 1), number("delta", 0), run);
        status = ops[i].run(s, &place);
        printf("%s], \"seconds_cpu\": %.6f, \"status\": \"%s\", \"fault\": %d}\n",
               status == APEX_OK ? "" : "\"answer\": [",
               (double)(clock() - began) / CLOCKS_PER_SEC, apex_status_name(status),
               (int)place.fault);
        return;
    }
    stop("no such operation");
}

int main(int argc, char **argv)
{
    n_words = argc;
    words = argv;
    size_t n = (size_t)number("rows", 0), d = (size_t)number("features", 0);
    bool target = number("target", 0) != 0, labels = number("labels", 0) != 0;
    size_t width = d + (target || labels);
    if (argc < 2 || n == 0 || d == 0) stop("OP columns=FILE rows=N features=D bounds=FILE ...");
    double *cells = numbers_read(text("columns", ""), n * width);
    double *bounds = numbers_read(text("bounds", ""), 2 * (d + target));
    const double **column = calloc(d, sizeof *column);
    uint32_t *label = calloc(n, sizeof *label);
    if (!column || !label) stop("no memory");
    for (size_t j = 0; j < d; j++)
        column[j] = cells + j * n;
    for (size_t i = 0; labels && i < n; i++)
        label[i] = (uint32_t)cells[d * n + i];
    const struct num_arrays arrays = {.n_rows = n,
                                      .n_columns = d,
                                      .column = column,
                                      .target = target ? cells + d * n : NULL,
                                      .label = labels ? label : NULL};
    static struct setting s;
    if (num_source_of_arrays(&arrays, &s.rows) != APEX_OK) stop("no memory");
    s.d = d;
    s.n_classes = (size_t)number("classes", 2);
    s.bounds = (const struct private_bounds *)bounds;
    for (unsigned run = 0; run < (unsigned)number("runs", 1); run++)
        run_one(&s, argv[1], run);
    num_source_of_arrays_free(&s.rows);
    free(column);
    free(label);
    free(cells);
    free(bounds);
    return 0;
}
