#include "contracts/lib/private.h"

#include "common/base/try.h"
#include "contracts/lib/fault.h"

#include <stdio.h>
#include <stdlib.h>

static const char PREFIX[] = "private_";

bool private_asked(struct apex_run *run)
{
    bool named = strncmp(apex_function(run), PREFIX, sizeof PREFIX - 1) == 0;
    if (named != (apex_noise(run) != NULL))
        apex_refuse(run, APEX_REFUSE_OTHER,
                    named ? "the manifest does not mark this private function as private"
                          : "this function has no private form, but the manifest says private");
    return named;
}

/* The log tells who has contributed; rows are not looked at. */
static void contributors_demand(struct apex_run *run, const char *dataset)
{
    char words[120];
    uint64_t n = 0;
    for (size_t p = 0; p < apex_parties(run); p++) {
        bool has = false;
        for (size_t i = 0; i < apex_tables(run); i++) {
            const struct apex_table *t = apex_table_at(run, i);
            has |= !apex_table_private(t) && apex_table_party(t) == p &&
                   strcmp(apex_table_dataset(t), dataset) == 0;
        }
        n += has;
    }
    if (n == 0) apex_refuse(run, APEX_REFUSE_NO_DATA, "nobody has contributed to the dataset");
    if (n >= apex_minimum_contributors(run)) return;
    snprintf(words, sizeof words, "%llu parties have contributed, %llu are needed",
             (unsigned long long)n, (unsigned long long)apex_minimum_contributors(run));
    apex_refuse(run, APEX_REFUSE_CONTRIBUTORS, words);
}

void private_open(struct apex_run *run, const char *dataset, struct private_answer *a)
{
    struct num_place place = {NUM_FINE, 0};
    unsigned threads = apex_threads(run);
    uint64_t micro = 0;
    *a = (struct private_answer){.run = run};
    contributors_demand(run, dataset);
    apex_status s = private_epsilon_micro(apex_param_number(run, "epsilon"), &micro, &place);
    if (s == APEX_OK) s = private_budget_open(&a->budget, micro, apex_delta(run), &place);
    if (s != APEX_OK)
        apex_refuse(run, APEX_REFUSE_PARAMETER,
                    "epsilon is not within 0.000001 and 1000, or too small for its delta");
    private_random_init(&a->random, apex_noise(run), 0);
    a->how = (struct private_run){&a->budget, &a->random,
                                  threads < FRAME_THREADS_MAX ? threads : FRAME_THREADS_MAX};
}

void private_out(const struct private_answer *a)
{
    const struct private_budget *b = &a->budget;
    const char *noise = b->pure ? "discrete Laplace" : "discrete Gaussian";
    apex_json_object(a->run, "privacy");
    apex_json_number(a->run, "epsilon", (double)b->epsilon_micro / 1e6);
    apex_json_number(a->run, "delta", b->delta);
    apex_json_text(a->run, "of", "one row more or less", 20);
    apex_json_text(a->run, "noise", noise, strlen(noise));
    if (!b->pure) apex_json_number(a->run, "rho", (double)b->total / 1e9);
    apex_json_array(a->run, "spent");
    for (size_t i = 0; i < b->n_spends; i++) {
        apex_json_object(a->run, NULL);
        apex_json_text(a->run, "on", b->spends[i].what, strlen(b->spends[i].what));
        apex_json_number(a->run, b->pure ? "epsilon" : "rho",
                         (double)b->spends[i].amount / (b->pure ? 1e6 : 1e9));
        apex_json_end(a->run);
    }
    apex_json_end(a->run);
    apex_json_end(a->run);
}

static const struct apex_column *column_of(struct apex_run *run, const char *dataset,
                                           const char *name)
{
    const struct apex_column *columns;
    size_t n = apex_schema(run, dataset, &columns);
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return &columns[i];
    apex_refuse(run, APEX_REFUSE_PARAMETER, "column: the dataset has none of this name");
}

struct private_bounds private_column_bounds(struct apex_run *run, const char *dataset,
                                            const char *name)
{
    const struct apex_column *c = column_of(run, dataset, name);
    struct private_bounds bounds = {c->min, c->max};
    char words[120];
    if (c->type == APEX_BOOL || c->type == APEX_CATEGORY) return (struct private_bounds){0, 1};
    if (c->bounded && private_bounds_check(&bounds, 1, NULL) == APEX_OK) return bounds;
    snprintf(words, sizeof words,
             "%.64s: a private answer needs its min and max, min below max", name);
    apex_refuse(run, APEX_REFUSE_PARAMETER, words);
}

apex_status private_frame_bounds(const struct frame *f, struct private_bounds **bounds)
{
    const struct encoding *e = f->encoding;
    *bounds = calloc(e->n_features + 1, sizeof **bounds);
    if (!*bounds) return APEX_E_MEMORY;
    for (size_t i = 0; i < e->n_features; i++)
        (*bounds)[i] =
            e->features[i].is_category
                ? (struct private_bounds){0, 1}
                : private_column_bounds(f->run, f->choice.dataset, e->features[i].column);
    if (e->kind == FRAME_NUMBERS)
        (*bounds)[e->n_features] = private_column_bounds(f->run, f->choice.dataset, e->target);
    return APEX_OK;
}
