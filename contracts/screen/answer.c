/* What may be told of rows under a model. Two tables share the totals of their rows, the
 * clusters: clusters by class, where labels exist, and clusters by flagged or not. */
#include "common/base/try.h"
#include "common/num/cells.h"
#include "common/num/encode.h"
#include "contracts/lib/column.h"
#include "contracts/lib/fault.h"
#include "contracts/screen/screen.h"

#include <math.h>
#include <stdlib.h>

struct table {
    size_t columns;
    struct release_cell *cells; /* (k + 1) x (columns + 1) */
};
struct rates {
    struct screen *s;
    struct table classes, flags; /* classes.columns 0: no labels */
    size_t n_named;              /* classes that have a name: the last column may be none */
    struct release_cell flagged[2];
    struct release_rules coarse; /* of clusters and flags, which parameters move */
};

void head_out(struct screen *s)
{
    struct apex_run *run = s->run;
    apex_json_object(run, NULL);
    apex_json_text(run, "function", apex_function(run), strlen(apex_function(run)));
    apex_json_text(run, "model", "distance-to-nearest-centroid", 28);
    apex_json_integer(run, "training_rows", (int64_t)s->model.trained.rows);
    apex_json_integer(run, "n_features", (int64_t)s->model.d);
    apex_json_integer(run, "k", (int64_t)s->model.k);
    apex_json_number(run, "threshold", s->model.threshold);
}

static const struct release_cell *cell_at(const struct table *t, size_t row, size_t column)
{
    return &t->cells[row * (t->columns + 1) + column];
}

/* Rows by cluster and `kind`, which lies below `columns`. */
static apex_status table_make(const struct screen *s, const uint32_t *kind, size_t columns,
                              struct table *t)
{
    bool any;
    size_t k = s->model.k, n_parties = s->rules.n_parties;
    uint32_t *pair = malloc((s->rows.n + 1) * sizeof *pair);
    uint64_t *counts = calloc(k * columns * n_parties + 1, sizeof *counts);
    *t = (struct table){columns, calloc((k + 1) * (columns + 1), sizeof *t->cells)};
    if (!pair || !counts || !t->cells) return APEX_E_MEMORY;
    cells_pair(s->cluster, k, kind, columns, s->rows.n, pair);
    struct cells_rows rows = {s->rows.n, pair, NULL, s->rows.used, s->rows.party};
    cells_count(&rows, k * columns, n_parties, counts);
    for (size_t i = 0; i < k * columns; i++)
        release_cells_of(&s->rules, counts + i * n_parties, 1,
                         &t->cells[i / columns * (columns + 1) + i % columns]);
    free(pair);
    free(counts);
    return release_cross(&s->rules, t->cells, k, columns, false, &any);
}

/* One more column for rows without a label, where there are any, so that both tables have the
 * same totals. */
static apex_status classes_make(struct rates *r)
{
    struct screen *s = r->s;
    uint64_t none = 0;
    uint32_t n = (uint32_t)s->rows.labels.n_classes;
    uint32_t *kind = malloc((s->rows.n + 1) * sizeof *kind);
    r->n_named = n;
    if (!kind) return APEX_E_MEMORY;
    for (size_t i = 0; i < s->rows.n; i++) {
        uint32_t there = -(uint32_t)(s->rows.class[i] < n);
        kind[i] = (s->rows.class[i] & there) | (n & ~there);
        none += ~there & s->rows.used[i];
    }
    apex_status status = n > 0 ? table_make(s, kind, n + (none > 0), &r->classes) : APEX_OK;
    free(kind);
    return status;
}

static apex_status flags_make(struct rates *r)
{
    struct screen *s = r->s;
    uint32_t *kind = malloc((s->rows.n + 1) * sizeof *kind);
    if (!kind) return APEX_E_MEMORY;
    for (size_t i = 0; i < s->rows.n; i++)
        kind[i] = s->flag[i];
    apex_status status = table_make(s, kind, 2, &r->flags);
    free(kind);
    return status;
}

static bool total_told(const struct rates *r, size_t cluster)
{
    return cell_at(&r->flags, cluster, 2)->reason == RELEASE_OK &&
           (r->classes.columns == 0 ||
            cell_at(&r->classes, cluster, r->classes.columns)->reason == RELEASE_OK);
}

/* A cluster's total that one table hides could follow from the other's cells: then the classes
 * alone are told, and of flagged rows their number in all. */
static bool flags_told(const struct rates *r)
{
    bool all = true;
    for (size_t c = 0; c < r->s->model.k; c++)
        all = all && total_told(r, c);
    return all;
}

static bool zero_told(const struct rates *r, const struct release_cell *cell)
{
    return cell->rows == 0 && release_is_loose(&r->s->rules);
}

static void rows_and_share(const struct rates *r, const struct release_rules *rules,
                           const char *key, const char *share, const struct release_cell *cell,
                           const struct release_cell *all)
{
    struct apex_run *run = r->s->run;
    if (cell->reason != RELEASE_OK && !zero_told(r, cell)) {
        apex_json_null(run, key);
        return;
    }
    release_rows(run, rules, key, cell->rows);
    if (all) apex_json_number(run, share, release_ratio(rules, cell->rows, all->rows));
}

/* A row of the table of classes; a class whose cell is not told is left out. */
static void classes_out(const struct rates *r, size_t row, const struct release_cell *all)
{
    struct apex_run *run = r->s->run;
    size_t hidden = 0;
    if (r->classes.columns == 0) return;
    apex_json_array(run, "classes");
    for (size_t c = 0; c < r->classes.columns; c++) {
        const struct release_cell *cell = cell_at(&r->classes, row, c);
        if (cell->reason != RELEASE_OK && !zero_told(r, cell)) {
            hidden++;
            continue;
        }
        apex_json_object(run, NULL);
        if (c < r->n_named) {
            const struct encoding_text *t = &r->s->rows.labels.classes[c];
            apex_json_text(run, "class", t->text, t->len);
        } else
            apex_json_null(run, "class");
        rows_and_share(r, row < r->s->model.k ? &r->coarse : &r->s->rules, "rows", "rate", cell,
                       all);
        apex_json_end(run);
    }
    apex_json_end(run);
    apex_json_integer(run, "suppressed_classes", (int64_t)hidden);
}

static void cluster_out(const struct rates *r, size_t cluster, bool flags)
{
    struct apex_run *run = r->s->run;
    const struct release_cell *all = cell_at(&r->flags, cluster, 2);
    bool told = total_told(r, cluster);
    apex_json_object(run, NULL);
    apex_json_integer(run, "cluster", (int64_t)cluster);
    if (told) {
        release_rows(run, &r->coarse, "rows", all->rows);
        apex_json_number(run, "share",
                         release_ratio(&r->coarse, all->rows, r->s->rows.cell.rows));
        apex_json_integer(run, "contributors",
                          (int64_t)release_contributors(all, r->s->rules.n_parties));
        if (flags)
            rows_and_share(r, &r->coarse, "flagged", "flagged_rate",
                           cell_at(&r->flags, cluster, 1), all);
    } else {
        enum release_reason reason = release_judge(&r->s->rules, all);
        release_suppressed(run, &r->s->rules,
                           reason == RELEASE_OK ? RELEASE_COMPLEMENT : reason);
    }
    classes_out(r, cluster, told ? all : NULL);
    apex_json_end(run);
}

/* All flagged rows and all others, which add up to all rows. */
static void flagged_out(struct rates *r, bool flags)
{
    struct screen *s = r->s;
    for (size_t f = 0; f < 2; f++) {
        r->flagged[f] = *cell_at(&r->flags, s->model.k, f);
        r->flagged[f].reason = release_judge(&s->rules, &r->flagged[f]);
        if (zero_told(r, &r->flagged[f])) r->flagged[f].reason = RELEASE_OK;
    }
    release_complement(&s->rules, r->flagged, 2);
    if (flags) r->flagged[1].reason = cell_at(&r->flags, s->model.k, 1)->reason;
    rows_and_share(r, &r->coarse, "flagged", "flagged_rate", &r->flagged[1], &s->rows.cell);
}

/* Median, 95 % and greatest score, as order statistics may be told. */
static void scores_out(struct screen *s)
{
    static const double q[3] = {0.5, 0.95, 1};
    static const char *const keys[3] = {"median", "p95", "most"};
    struct describe_array array = {s->rows.n, s->score, NULL, s->rows.used, s->rows.party};
    struct describe_source source = describe_source_of_array(&array);
    struct num_place place = {NUM_FINE, 0};
    struct told_quantiles told;
    fault_refuse(s->run,
                 told_quantiles(&s->rules, &source, apex_threads(s->run), &s->rows.cell, q, 3,
                                &told, &place),
                 &place);
    apex_json_object(s->run, "score");
    for (size_t i = 0; i < 3; i++)
        apex_json_number(s->run, keys[i], told.told[i] ? told.value[i] : NAN);
    apex_json_end(s->run);
}

static void clusters_out(struct rates *r)
{
    struct screen *s = r->s;
    bool flags = flags_told(r);
    flagged_out(r, flags);
    classes_out(r, s->model.k, &s->rows.cell);
    apex_json_array(s->run, "clusters");
    for (size_t c = 0; c < s->model.k; c++)
        cluster_out(r, c, flags);
    apex_json_end(s->run);
}

apex_status rates_out(struct screen *s)
{
    struct rates r = {.s = s, .coarse = release_coarse(&s->rules)};
    release_demand(s->run, &s->rules, &s->rows.cell);
    release_rows(s->run, &s->rules, "rows", s->rows.cell.rows);
    release_count(s->run, &s->rules, "rows_dropped", s->rows.dropped);
    apex_json_integer(s->run, "contributors",
                      (int64_t)release_contributors(&s->rows.cell, s->rules.n_parties));
    scores_out(s);
    TRY(classes_make(&r));
    TRY(flags_make(&r));
    clusters_out(&r);
    free(r.classes.cells);
    free(r.flags.cells);
    return APEX_OK;
}

void own_rows_out(struct screen *s)
{
    int64_t flagged = 0;
    apex_json_array(s->run, "scores");
    for (size_t i = 0; i < s->rows.n; i++) {
        if (!s->rows.used[i]) continue;
        apex_json_object(s->run, NULL);
        apex_json_integer(s->run, "row", (int64_t)i + 1);
        apex_json_integer(s->run, "cluster", s->cluster[i]);
        apex_json_number(s->run, "score", s->score[i]);
        apex_json_bool(s->run, "flagged", s->flag[i]);
        apex_json_end(s->run);
        flagged += s->flag[i];
    }
    apex_json_end(s->run);
    apex_json_integer(s->run, "rows", (int64_t)s->rows.cell.rows);
    apex_json_integer(s->run, "rows_dropped", (int64_t)s->rows.dropped);
    apex_json_integer(s->run, "flagged", flagged);
}

static void numbers_out(struct apex_run *run, const char *key, const double *x, size_t n,
                        double unit)
{
    apex_json_array(run, key);
    for (size_t i = 0; i < n; i++)
        apex_json_number(run, NULL, x[i] * unit);
    apex_json_end(run);
}

void model_out(struct screen *s)
{
    const struct screen_model *m = &s->model;
    struct apex_run *run = s->run;
    apex_json_number(run, "median", m->median);
    apex_json_number(run, "mad", m->mad);
    apex_json_array(run, "features");
    for (size_t f = 0; f < m->d; f++) {
        const struct encoding_feature *e = &m->encoding.features[f];
        apex_json_object(run, NULL);
        apex_json_text(run, "column", e->column, strlen(e->column));
        if (e->is_category) apex_json_text(run, "is", e->category.text, e->category.len);
        apex_json_number(run, "mean", m->mean[f]);
        apex_json_number(run, "sd", m->sd[f]);
        apex_json_end(run);
    }
    apex_json_end(run);
    apex_json_array(run, "centroids");
    for (size_t c = 0; c < m->k; c++)
        numbers_out(run, NULL, m->centroid + c * m->d, m->d, ENCODE_STEP);
    apex_json_end(run);
}
