#include "contracts/lib/run.h"

#include <stdlib.h>
#include <unistd.h>

_Noreturn void apex_refuse(struct apex_run *run, enum apex_refusal why, const char *detail)
{
    (void)run;
    /* Nothing of an answer begun may stay beside a refusal's words: they overwrite its start,
     * and the enclave reads no further. */
    char padded[121] = {0};
    size_t len = strlen(detail);
    memset(padded, ' ', 120);
    memcpy(padded, detail, len < 120 ? len : 120);
    ssize_t n = pwrite(APEX_FD_RESULT, padded, len < 120 ? len : 120, 0);
    _exit(n < 0 ? RUN_EXIT_OUTPUT : RUN_EXIT_SAID + (int)why);
}

void apex_progress(struct apex_run *run, unsigned percent)
{
    uint8_t byte = percent > 100 ? 100 : (uint8_t)percent;
    if (byte == run->told) return;
    run->told = byte;
    ssize_t n = write(APEX_FD_PROGRESS, &byte, 1);
    (void)n; /* a full pipe means nobody looks */
}

const char *apex_function(const struct apex_run *run)
{
    return run->function;
}
const uint8_t *apex_seed(const struct apex_run *run)
{
    return run->seed;
}
unsigned apex_threads(const struct apex_run *run)
{
    return run->threads;
}
size_t apex_parties(const struct apex_run *run)
{
    return run->n_parties;
}
uint64_t apex_minimum_rows(const struct apex_run *run)
{
    return run->minimum_rows;
}
uint64_t apex_minimum_contributors(const struct apex_run *run)
{
    return run->minimum_contributors;
}
double apex_maximum_share(const struct apex_run *run)
{
    return run->maximum_share;
}

static const struct run_param *param_of(const struct apex_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_params; i++)
        if (strcmp(run->params[i].name, name) == 0) return &run->params[i];
    _exit(RUN_EXIT_BROKEN); /* the manifest and the program do not agree */
}

double apex_param_number(const struct apex_run *run, const char *name)
{
    return param_of(run, name)->number;
}
const char *apex_param_text(const struct apex_run *run, const char *name)
{
    return param_of(run, name)->text;
}

size_t apex_param_points(const struct apex_run *run, const char *name, size_t dims,
                         const double **points)
{
    const struct run_param *p = param_of(run, name);
    if (p->n_points > 0 && p->dims != dims)
        apex_refuse(NULL, APEX_REFUSE_PARAMETER,
                    "points: the program wants another number of coordinates");
    *points = p->points;
    return p->n_points;
}

bool apex_has_param(const struct apex_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_params; i++)
        if (strcmp(run->params[i].name, name) == 0) return true;
    return false;
}
bool apex_oblivious(const struct apex_run *run)
{
    return run->oblivious;
}
bool apex_exports(const struct apex_run *run)
{
    return run->exports;
}
const uint8_t *apex_noise(const struct apex_run *run)
{
    return run->is_private ? run->noise : NULL;
}
double apex_delta(const struct apex_run *run)
{
    return run->delta;
}

size_t apex_schema(const struct apex_run *run, const char *dataset,
                   const struct apex_column **columns)
{
    for (size_t i = 0; i < run->n_schemas; i++) {
        if (strcmp(run->schemas[i].dataset, dataset) != 0) continue;
        *columns = run->schemas[i].columns;
        return run->schemas[i].n_columns;
    }
    return 0;
}

size_t apex_model(const struct apex_run *run, const uint8_t **bytes)
{
    *bytes = run->model;
    return (size_t)run->model_size;
}

apex_status apex_model_leave(struct apex_run *run, const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) return APEX_E_MEMORY;
    if (len) memcpy(copy, bytes, len);
    free(run->left);
    run->left = copy;
    run->left_len = len;
    return APEX_OK;
}

size_t apex_tables(const struct apex_run *run)
{
    return run->n_tables;
}
const struct apex_table *apex_table_at(const struct apex_run *run, size_t i)
{
    return &run->tables[i];
}
const char *apex_table_dataset(const struct apex_table *t)
{
    return t->dataset;
}
size_t apex_table_party(const struct apex_table *t)
{
    return t->party;
}
bool apex_table_private(const struct apex_table *t)
{
    return t->is_private;
}
uint64_t apex_table_rows(const struct apex_table *t)
{
    return t->n_rows;
}
size_t apex_table_columns(const struct apex_table *t)
{
    return t->groups[0].n_columns;
}
const char *apex_table_column_name(const struct apex_table *t, size_t column)
{
    return t->names[column];
}
enum apex_column_type apex_table_column_type(const struct apex_table *t, size_t column)
{
    return (enum apex_column_type)t->groups[0].columns[column].type;
}
size_t apex_table_groups(const struct apex_table *t)
{
    return t->n_groups;
}

struct apex_cells apex_table_cells(const struct apex_table *t, size_t group, size_t column)
{
    const struct table_group *g = run_group(t, group, 0);
    return (struct apex_cells){g->n_rows, g->columns[column].data, g->columns[column].validity};
}

size_t apex_table_categories(const struct apex_table *t, size_t group, size_t column)
{
    return run_group(t, group, 0)->columns[column].n_dict;
}

const char *apex_table_category(const struct apex_table *t, size_t group, size_t column,
                                uint32_t code, size_t *len)
{
    struct span text = {NULL, 0}, dict = run_group(t, group, 0)->columns[column].dict;
    size_t at = 0;
    for (uint32_t i = 0; i <= code; i++)
        if (table_dict_next(dict, &at, &text) != APEX_OK) _exit(RUN_EXIT_BROKEN);
    *len = text.len;
    return (const char *)text.data;
}
