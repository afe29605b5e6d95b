/* Columns, one by one. */
#include "common/base/try.h"
#include "contracts/describe/describe.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

/* All rows of the dataset, by party: public. */
static struct release_cell dataset_rows(const struct telling *t)
{
    struct release_cell all = {0};
    for (size_t i = 0; i < apex_tables(t->run); i++) {
        const struct apex_table *table = apex_table_at(t->run, i);
        if (apex_table_private(table) != t->own ||
            strcmp(apex_table_dataset(table), t->dataset) != 0)
            continue;
        all.by_party[apex_table_party(table)] += apex_table_rows(table);
        all.rows += apex_table_rows(table);
    }
    return all;
}

/* Cells that are there and cells that are missing, which add up to all rows. No missing cell is
 * told: where none may be, or none is. */
static void presence_settle(const struct telling *t, const struct release_cell *rows,
                            struct release_cell pair[2])
{
    for (size_t p = 0; p < t->rules.n_parties; p++)
        pair[1].by_party[p] = rows->by_party[p] - pair[0].by_party[p];
    pair[1].rows = rows->rows - pair[0].rows;
    pair[0].reason = release_judge(&t->rules, &pair[0]);
    pair[1].reason = pair[1].rows == 0 ? RELEASE_OK : release_judge(&t->rules, &pair[1]);
    if (pair[0].reason == RELEASE_OK) release_complement(&t->rules, pair, 2);
}

static void told_out(struct apex_run *run, const struct told *told)
{
    static const char *const keys[TOLD_QUANTILES] = {"least", "p5",  "p25", "median",
                                                     "p75",   "p95", "most"};
    apex_json_number(run, "mean", told->mean);
    apex_json_number(run, "sd", told->sd);
    apex_json_number(run, "skewness", told->skewness);
    apex_json_number(run, "kurtosis", told->kurtosis);
    for (size_t q = 0; q < TOLD_QUANTILES; q++)
        apex_json_number(run, keys[q], told->quantile.told[q] ? told->quantile.value[q] : NAN);
}

static apex_status numbers_out(const struct telling *t, struct column *c)
{
    struct release_cell pair[2] = {0};
    struct num_place place = {NUM_FINE, 0};
    struct told told;
    TRY(column_present(c, &pair[0]));
    enum release_reason reason = release_judge(&t->rules, &pair[0]);
    presence_settle(t, &c->rows, pair);
    if (reason != RELEASE_OK) {
        release_suppressed(t->run, &t->rules, reason);
        return APEX_OK;
    }
    count_out(t, "present", &pair[0]);
    count_out(t, "missing", &pair[1]);
    apex_status s =
        told_of(&t->rules, &c->source, apex_threads(t->run), &pair[0], &told, &place);
    if (s == APEX_E_DATA && place.fault == NUM_RANGE) {
        static const char words[] = "numbers are too large to be summed exactly";
        apex_json_text(t->run, "failed", words, sizeof words - 1);
        return APEX_OK;
    }
    fault_refuse(t->run, s, &place);
    told_out(t->run, &told);
    return APEX_OK;
}

/* Texts that may not be told are not named either: that one occurs is already somebody's row.
 */
static void texts_out(const struct telling *t, const struct column *c,
                      const struct release_cell *cells)
{
    const struct encoding *e = c->frame.encoding;
    size_t hidden = 0;
    apex_json_array(t->run, "categories");
    for (size_t i = 0; i < e->n_classes; i++) {
        if (cells[i].reason != RELEASE_OK) {
            hidden++;
            continue;
        }
        apex_json_object(t->run, NULL);
        apex_json_text(t->run, "category", e->classes[i].text, e->classes[i].len);
        cell_out(t, &cells[i], c->rows.rows);
        apex_json_end(t->run);
    }
    apex_json_end(t->run);
    apex_json_integer(t->run, "suppressed_categories", (int64_t)hidden);
}

static apex_status categories_out(const struct telling *t, struct column *c)
{
    size_t k = c->frame.encoding->n_classes;
    struct release_cell *cells = calloc(k + 1, sizeof *cells);
    if (!cells) return APEX_E_MEMORY;
    TRY(column_texts_count(c, &t->rules, cells));
    bool none_missing = cells[k].rows == 0;
    release_settle(&t->rules, cells, none_missing ? k : k + 1);
    if (none_missing) cells[k].reason = RELEASE_OK;
    count_out(t, "missing", &cells[k]);
    texts_out(t, c, cells);
    free(cells);
    return APEX_OK;
}

static apex_status column_out(const struct telling *t, const struct apex_column *schema)
{
    struct column c;
    TRY(column_open(t->run, t->dataset, t->own, schema, &c));
    apex_json_object(t->run, NULL);
    name_out(t, schema);
    apex_status s = column_is_number(schema) ? numbers_out(t, &c) : categories_out(t, &c);
    apex_json_end(t->run);
    column_close(&c);
    return s;
}

apex_status summary_out(const struct telling *t)
{
    const struct apex_column *columns;
    size_t n = apex_schema(t->run, t->dataset, &columns);
    struct release_cell rows = dataset_rows(t);
    apex_status s = APEX_OK;
    rows_out(t, &rows);
    apex_json_array(t->run, "columns");
    for (size_t i = 0; i < n && s == APEX_OK; i++) {
        s = column_out(t, &columns[i]);
        apex_progress(t->run, (unsigned)(100 * (i + 1) / n));
    }
    apex_json_end(t->run);
    return s;
}

apex_status counts_out(const struct telling *t, const struct apex_column *schema)
{
    struct column c;
    TRY(column_open(t->run, t->dataset, t->own, schema, &c));
    rows_out(t, &c.rows);
    name_out(t, schema);
    apex_status s = categories_out(t, &c);
    column_close(&c);
    return s;
}
