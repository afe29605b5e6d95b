/* Centroids that enough rows stand by, and the threshold of what lies far from all of them. */
#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/num/encode.h"
#include "contracts/lib/column.h"
#include "contracts/lib/fault.h"
#include "contracts/screen/screen.h"

#include <math.h>
#include <stdlib.h>

static double number(const struct screen *s, const char *name)
{
    return apex_param_number(s->run, name);
}

static void progress(void *context, unsigned percent)
{
    apex_progress(context, percent * 9 / 10);
}

static double *start_of(struct screen *s, const double *given, size_t k)
{
    const struct screen_model *m = &s->model;
    double *start = malloc(k * m->d * sizeof *start);
    for (size_t i = 0; start && i < k * m->d; i++)
        start[i] = (given[i] - m->mean[i % m->d]) / m->sd[i % m->d] / ENCODE_STEP;
    return start;
}

static apex_status clusters_fit(struct screen *s)
{
    const double *given;
    struct screen_model *m = &s->model;
    struct num_place place = {NUM_FINE, 0};
    size_t n_start = apex_param_points(s->run, "start", m->d, &given),
           k = n_start ? n_start : (size_t)number(s, "k");
    if (k > release_k_most(&s->rules, s->rows.cell.rows))
        apex_refuse(s->run, APEX_REFUSE_K,
                    "k is above the number of rows divided by minimum_rows");
    double *start = n_start ? start_of(s, given, k) : NULL;
    m->centroid = calloc(k * m->d, sizeof *m->centroid);
    s->from = calloc(k * m->d, sizeof *s->from);
    if (!m->centroid || !s->from || (n_start && !start)) return APEX_E_MEMORY;
    struct kmeans_arrays arrays = {.n = s->rows.n, .d = m->d, .weights = s->rows.weight};
    memcpy(arrays.column, s->rows.column, sizeof s->rows.column);
    const struct kmeans_options o = {.k = k,
                                     .restarts = (unsigned)number(s, "restarts"),
                                     .max_rounds = (unsigned)number(s, "max_rounds"),
                                     .threads = apex_threads(s->run),
                                     .mode = apex_oblivious(s->run) ? KMEANS_OBLIVIOUS
                                                                    : KMEANS_PRUNED,
                                     .start = start,
                                     .seed = apex_seed(s->run),
                                     .progress = progress,
                                     .context = s->run};
    struct kmeans_result r = {.centroids = m->centroid, .from = s->from};
    struct kmeans_source source = kmeans_source_of_arrays(&arrays);
    fault_refuse(s->run, kmeans_fit(&source, &o, &r, &place), &place);
    free(start);
    s->k_asked = m->k = k;
    s->inertia = r.inertia * ENCODE_STEP * ENCODE_STEP;
    s->rounds = r.rounds;
    s->settled = r.converged || release_is_loose(&s->rules);
    return APEX_OK;
}

static apex_status rows_assign(struct screen *s, const double *centroid)
{
    struct kmeans_chunk chunk = {.n = s->rows.n};
    memcpy(chunk.column, s->rows.column, sizeof s->rows.column);
    return screen_scores(centroid, s->model.k, s->model.d, &chunk, s->cluster, s->score);
}

/* Rows by the nearest of `centroid`, judged. */
static apex_status clusters_count(struct screen *s, const double *centroid,
                                  struct release_cell *cluster)
{
    size_t k = s->model.k;
    uint64_t *counts = calloc(k * s->rules.n_parties + 1, sizeof *counts);
    if (!counts) return APEX_E_MEMORY;
    TRY(rows_assign(s, centroid));
    struct cells_rows rows = {s->rows.n, s->cluster, NULL, s->rows.used, s->rows.party};
    cells_count(&rows, k, s->rules.n_parties, counts);
    release_cells_of(&s->rules, counts, k, cluster);
    free(counts);
    return APEX_OK;
}

static struct describe_source scores_of(struct describe_array *array, struct screen *s)
{
    *array = (struct describe_array){s->rows.n, s->score, NULL, s->rows.used, s->rows.party};
    return describe_source_of_array(array);
}

static apex_status score_quantile(struct screen *s, double q, double *value)
{
    struct describe_array array;
    struct num_place place = {NUM_FINE, 0};
    struct describe_source source = scores_of(&array, s);
    struct told_quantiles found;
    fault_refuse(s->run,
                 told_quantiles(&s->rules, &source, apex_threads(s->run), &s->rows.cell, &q, 1,
                                &found, &place),
                 &place);
    *value = found.value[0];
    return APEX_OK;
}

/* The rows that the centroids are the means of. Rows within a reach of a place lie within twice
 * that of their mean. */
static apex_status made_find(struct screen *s)
{
    if (s->settled) {
        memcpy(s->made, s->model.cluster, s->model.k * sizeof *s->made);
        return APEX_OK;
    }
    TRY(clusters_count(s, s->from, s->made));
    TRY(score_quantile(s, 1, &s->made_reach));
    s->made_reach *= 2;
    return APEX_OK;
}

/* A centroid that too few rows or parties stand by, or that is the mean of too few, is left
 * out: few rows far from all others
 * are what is looked for, not what they are measured by; and whoever sends rows and reads their
 * distances would find them. */
static apex_status clusters_prune(struct screen *s)
{
    struct screen_model *m = &s->model;
    size_t kept = 0;
    m->cluster = calloc(m->k, sizeof *m->cluster);
    s->made = calloc(m->k, sizeof *s->made);
    if (!m->cluster || !s->made) return APEX_E_MEMORY;
    TRY(clusters_count(s, m->centroid, m->cluster));
    TRY(made_find(s));
    for (size_t c = 0; c < m->k; c++) {
        if (m->cluster[c].reason != RELEASE_OK || s->made[c].reason != RELEASE_OK) continue;
        memmove(m->centroid + kept * m->d, m->centroid + c * m->d, m->d * sizeof *m->centroid);
        s->made[kept] = s->made[c];
        m->cluster[kept++] = m->cluster[c];
    }
    if (kept == 0)
        apex_refuse(s->run, APEX_REFUSE_ROWS,
                    "no cluster has enough rows and contributors; ask for a smaller k");
    s->k_dropped = m->k - kept;
    m->k = kept;
    return APEX_OK;
}

/* To the precision that one row could move them by. */
static apex_status centroids_round(struct screen *s)
{
    struct screen_model *m = &s->model;
    double most;
    if (release_is_loose(&s->rules)) return APEX_OK;
    TRY(rows_assign(s, m->centroid));
    TRY(score_quantile(s, 1, &most));
    most = fmax(most, s->made_reach);
    for (size_t i = 0; i < m->k * m->d; i++) {
        uint64_t near = m->cluster[i / m->d].rows, made = s->made[i / m->d].rows;
        double precision = release_precision(&s->rules, most, near < made ? near : made);
        m->centroid[i] = release_to(m->centroid[i] * ENCODE_STEP, precision) / ENCODE_STEP;
    }
    return APEX_OK;
}

static apex_status group_mean(struct screen *s, const struct describe_window *w,
                              struct describe_run *run)
{
    struct describe_array array;
    struct num_place place = {NUM_FINE, 0};
    struct describe_source source = scores_of(&array, s);
    fault_refuse(s->run, describe_windows(&source, apex_threads(s->run), w, 1, run, &place),
                 &place);
    return APEX_OK;
}

/* A quantile that was asked for is the mean of the group of scores that has it, each as large
 * as a window, the groups laid end to end and the last one longer: windows that overlap, asked
 * for one after the other, would tell scores by what they differ in. So would a group that is
 * widened, from those that are not: one that the rules do not let pass has no quantile. */
static apex_status group_quantile(struct screen *s, double q, double *value)
{
    struct describe_run run;
    const struct release_cell *all = &s->rows.cell;
    if (release_is_loose(&s->rules)) return score_quantile(s, q, value);
    uint64_t rows = all->rows, each = release_window(&s->rules, all, (size_t)rows, q, 1).count,
             groups = rows / each, group = (uint64_t)(q * (double)(rows - 1)) / each;
    if (group >= groups) group = groups - 1;
    const struct describe_window w = {group * each,
                                      group + 1 == groups ? rows - group * each : each};
    TRY(group_mean(s, &w, &run));
    if (!told_passes(&s->rules, &run))
        apex_refuse(s->run, APEX_REFUSE_PARAMETER,
                    "quantile: the scores around it are of too few rows or contributors");
    *value = told_mean(&s->rules, &run);
    return APEX_OK;
}

/* As screen_threshold_of, from order statistics as they may be told: who sends rows and reads
 * their flags finds the threshold. */
static apex_status threshold_find(struct screen *s)
{
    struct screen_model *m = &s->model;
    double *score = s->score, *away = malloc((s->rows.n + 1) * sizeof *away);
    if (!away) return APEX_E_MEMORY;
    TRY(score_quantile(s, 0.5, &m->median));
    for (size_t i = 0; i < s->rows.n; i++)
        away[i] = fabs(score[i] - m->median);
    s->score = away;
    apex_status status = score_quantile(s, 0.5, &m->mad);
    s->score = score;
    free(away);
    TRY(status);
    if (strcmp(apex_param_text(s->run, "rule"), "quantile") == 0)
        return group_quantile(s, number(s, "quantile"), &m->threshold);
    m->threshold = m->median + number(s, "c") * (SCREEN_MAD_TO_SD * m->mad);
    return APEX_OK;
}

static apex_status room_make(struct screen *s)
{
    s->cluster = malloc((s->rows.n + 1) * sizeof *s->cluster);
    s->score = malloc((s->rows.n + 1) * sizeof *s->score);
    s->flag = malloc(s->rows.n + 1);
    return s->cluster && s->score && s->flag ? APEX_OK : APEX_E_MEMORY;
}

apex_status screen_fit(struct screen *s)
{
    struct screen_model *m = &s->model;
    TRY(room_make(s));
    m->trained = s->rows.cell;
    TRY(clusters_fit(s));
    TRY(clusters_prune(s));
    TRY(centroids_round(s));
    TRY(clusters_count(s, m->centroid, m->cluster));
    TRY(threshold_find(s));
    screen_flag(s->score, s->rows.used, s->rows.n, s->model.threshold, s->flag);
    return APEX_OK;
}

apex_status screen_use(struct screen *s)
{
    TRY(room_make(s));
    TRY(rows_assign(s, s->model.centroid));
    screen_flag(s->score, s->rows.used, s->rows.n, s->model.threshold, s->flag);
    return APEX_OK;
}
