#include "contracts/lib/run.h"

#include "common/base/size.h"
#include "common/base/try.h"

#include <stdlib.h>

enum { TABLES_MAX = 513, DIMS_MAX = 64 };

static apex_status name_copy(struct cursor *c, char name[static NAME_MAX_LEN + 1])
{
    struct span text;
    TRY(cbor_text(c, &text));
    if (text.len > NAME_MAX_LEN) return APEX_E_FORMAT;
    memcpy(name, text.data, text.len);
    name[text.len] = 0;
    return APEX_OK;
}

static apex_status points_parse(struct cursor *c, struct run_param *p)
{
    size_t dims, cells;
    TRY(cbor_array(c, &p->n_points));
    for (size_t i = 0; i < p->n_points; i++) {
        TRY(cbor_array(c, &dims));
        if (dims < 1 || dims > DIMS_MAX || (i > 0 && dims != p->dims)) return APEX_E_FORMAT;
        p->dims = dims;
        if (i == 0) {
            if (!size_mul(p->n_points, dims, &cells)) return APEX_E_LIMIT;
            p->points = calloc(cells, sizeof *p->points);
            if (!p->points) return APEX_E_MEMORY;
        }
        for (size_t d = 0; d < dims; d++)
            TRY(cbor_float(c, &p->points[i * dims + d]));
    }
    return APEX_OK;
}

static apex_status param_parse(struct cursor *c, struct run_param *p)
{
    int64_t i;
    bool b;
    TRY(name_copy(c, p->name));
    TRY(cbor_peek(c, &p->type));
    switch (p->type) {
    case CBOR_UINT:
    case CBOR_NEGATIVE:
        TRY(cbor_int(c, &i));
        p->number = (double)i;
        return APEX_OK;
    case CBOR_FLOAT: return cbor_float(c, &p->number);
    case CBOR_BOOL:
        TRY(cbor_bool(c, &b));
        p->number = b;
        return APEX_OK;
    case CBOR_TEXT: return name_copy(c, p->text);
    case CBOR_ARRAY: return points_parse(c, p);
    default: return APEX_E_FORMAT;
    }
}

static apex_status params_parse(struct cursor *c, struct apex_run *run)
{
    TRY(cbor_map(c, &run->n_params));
    if (run->n_params > PARAMS_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < run->n_params; i++)
        TRY(param_parse(c, &run->params[i]));
    return APEX_OK;
}

static apex_status rules_parse(struct cursor *c, struct apex_run *run)
{
    size_t n;
    TRY(cbor_map(c, &n));
    TRY(cbor_key(c, 1));
    TRY(cbor_uint(c, &run->minimum_rows));
    TRY(cbor_key(c, 2));
    TRY(cbor_uint(c, &run->minimum_contributors));
    TRY(cbor_key(c, 3));
    TRY(cbor_float(c, &run->maximum_share));
    return n == 3 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status table_parse(struct cursor *c, const struct apex_run *run,
                               struct apex_table *t)
{
    size_t n;
    uint64_t party;
    TRY(cbor_array(c, &n));
    if (n != 4) return APEX_E_FORMAT;
    TRY(name_copy(c, t->dataset));
    TRY(cbor_uint(c, &party));
    TRY(cbor_uint(c, &t->size));
    if (party >= run->n_parties) return APEX_E_FORMAT;
    t->party = (size_t)party;
    return cbor_bool(c, &t->is_private);
}

static apex_status tables_parse(struct cursor *c, struct apex_run *run)
{
    TRY(cbor_array(c, &run->n_tables));
    if (run->n_tables > TABLES_MAX) return APEX_E_LIMIT;
    run->tables = calloc(run->n_tables ? run->n_tables : 1, sizeof *run->tables);
    if (!run->tables) return APEX_E_MEMORY;
    for (size_t i = 0; i < run->n_tables; i++)
        TRY(table_parse(c, run, &run->tables[i]));
    for (size_t i = 0; i < run->n_tables; i++) {
        run->tables[i].run = run;
        run->tables[i].number = i;
    }
    return APEX_OK;
}

static apex_status options_parse(struct cursor *c, struct apex_run *run)
{
    size_t n;
    struct span noise;
    TRY(cbor_map(c, &n));
    TRY(cbor_key(c, 1));
    TRY(cbor_bool(c, &run->oblivious));
    TRY(cbor_key(c, 2));
    TRY(cbor_bool(c, &run->exports));
    TRY(cbor_key(c, 3));
    TRY(cbor_uint(c, &run->model_size));
    TRY(cbor_key(c, 4));
    TRY(cbor_bytes(c, &noise));
    run->is_private = noise.len == sizeof run->noise;
    if (run->is_private) memcpy(run->noise, noise.data, noise.len);
    TRY(cbor_key(c, 5));
    TRY(cbor_float(c, &run->delta));
    TRY(cbor_key(c, 6));
    TRY(cbor_bool(c, &run->streamed));
    return n == 6 && (run->is_private || noise.len == 0) ? APEX_OK : APEX_E_FORMAT;
}

static apex_status values_parse(struct cursor *c, struct apex_column *column)
{
    struct span text;
    TRY(cbor_array(c, &column->n_values));
    if (column->n_values == 0) return APEX_OK;
    if (column->n_values > VALUES_MAX) return APEX_E_FORMAT;
    char(*values)[APEX_VALUE_MAX + 1] = calloc(column->n_values, sizeof *values);
    if (!values) return APEX_E_MEMORY;
    column->values = (const char(*)[APEX_VALUE_MAX + 1]) values;
    for (size_t i = 0; i < column->n_values; i++) {
        TRY(cbor_text(c, &text));
        if (text.len > APEX_VALUE_MAX) return APEX_E_FORMAT;
        memcpy(values[i], text.data, text.len);
    }
    return APEX_OK;
}

static apex_status column_parse(struct cursor *c, struct apex_column *column)
{
    size_t n, bounds;
    uint64_t type;
    TRY(cbor_array(c, &n));
    if (n != 5) return APEX_E_FORMAT;
    TRY(name_copy(c, column->name));
    TRY(cbor_uint(c, &type));
    if (type < APEX_LATITUDE || type > APEX_DATE) return APEX_E_FORMAT;
    column->type = (enum apex_column_type)type;
    TRY(cbor_bool(c, &column->missing));
    TRY(cbor_array(c, &bounds));
    if (bounds != 0 && bounds != 2) return APEX_E_FORMAT;
    column->bounded = bounds == 2;
    if (column->bounded) TRY(cbor_float(c, &column->min));
    if (column->bounded) TRY(cbor_float(c, &column->max));
    return values_parse(c, column);
}

static apex_status schema_parse(struct cursor *c, struct run_schema *s)
{
    size_t n;
    TRY(cbor_array(c, &n));
    if (n != 2) return APEX_E_FORMAT;
    TRY(name_copy(c, s->dataset));
    TRY(cbor_array(c, &s->n_columns));
    if (s->n_columns < 1 || s->n_columns > COLUMNS_MAX) return APEX_E_FORMAT;
    s->columns = calloc(s->n_columns, sizeof *s->columns);
    if (!s->columns) return APEX_E_MEMORY;
    for (size_t i = 0; i < s->n_columns; i++)
        TRY(column_parse(c, &s->columns[i]));
    return APEX_OK;
}

static apex_status schemas_parse(struct cursor *c, struct apex_run *run)
{
    TRY(cbor_array(c, &run->n_schemas));
    if (run->n_schemas > DATASETS_MAX) return APEX_E_FORMAT;
    for (size_t i = 0; i < run->n_schemas; i++)
        TRY(schema_parse(c, &run->schemas[i]));
    return APEX_OK;
}

apex_status run_parse(struct span request, struct apex_run *run)
{
    struct cursor c = cursor_on(request);
    size_t n;
    uint64_t threads, parties;
    TRY(cbor_check(request));
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, "apex/program/v1"));
    TRY(cbor_key(&c, 2));
    TRY(name_copy(&c, run->function));
    TRY(cbor_key(&c, 3));
    TRY(params_parse(&c, run));
    TRY(cbor_key(&c, 4));
    TRY(cbor_bytes_exact(&c, run->seed, sizeof run->seed));
    TRY(cbor_key(&c, 5));
    TRY(rules_parse(&c, run));
    TRY(cbor_key(&c, 6));
    TRY(cbor_uint(&c, &threads));
    TRY(cbor_key(&c, 7));
    TRY(cbor_uint(&c, &parties));
    if (n != 10 || threads < 1 || threads > 1024 || parties > PARTIES_MAX) return APEX_E_FORMAT;
    run->threads = (unsigned)threads;
    run->n_parties = (size_t)parties;
    TRY(cbor_key(&c, 8));
    TRY(tables_parse(&c, run));
    TRY(cbor_key(&c, 9));
    TRY(options_parse(&c, run));
    TRY(cbor_key(&c, 10));
    TRY(schemas_parse(&c, run));
    return cursor_end(&c);
}

apex_status run_names_copy(struct apex_table *t)
{
    const struct table_group *g = &t->groups[0];
    t->names = calloc(g->n_columns, sizeof *t->names);
    if (!t->names) return APEX_E_MEMORY;
    for (size_t i = 0; i < g->n_columns; i++)
        memcpy(t->names[i], g->columns[i].name.data, g->columns[i].name.len);
    return APEX_OK;
}

apex_status run_table_parse(struct apex_table *t)
{
    size_t bytes;
    t->n_groups = (size_t)((t->size + GROUP_BYTES - 1) / GROUP_BYTES);
    if (t->n_groups == 0) return APEX_E_FORMAT;
    if (!size_mul(t->n_groups, sizeof *t->groups, &bytes)) return APEX_E_LIMIT;
    t->groups = malloc(
        bytes); /* columns beyond those there are stay untouched, so no page of them is used */
    t->group_rows = calloc(t->n_groups, sizeof *t->group_rows);
    if (!t->groups || !t->group_rows) return APEX_E_MEMORY;
    for (size_t i = 0; i < t->n_groups; i++) {
        size_t at = i * GROUP_BYTES,
               len = t->size - at < GROUP_BYTES ? (size_t)(t->size - at) : GROUP_BYTES;
        TRY(table_group_parse(span_of(t->bytes + at, len), &t->groups[i]));
        if (t->groups[i].n_columns != t->groups[0].n_columns) return APEX_E_FORMAT;
        t->group_rows[i] = t->groups[i].n_rows;
        t->n_rows += t->groups[i].n_rows;
    }
    return run_names_copy(t);
}
