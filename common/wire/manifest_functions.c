#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <stdlib.h>

enum { POINTS_MAX = 4096, DIMS_MAX = 64 };

/* A function while it is read: it refers to datasets of its manifest, and a parameter's keys
 * depend on its type. */
struct reading {
    const struct manifest *m;
    struct manifest_function *f;
    struct manifest_param *p;
    bool has_min, has_max, has_dims, has_items;
    enum json_event default_kind; /* JSON_MORE: none given */
    double default_number;
    char default_text[NAME_MAX_LEN + 1];
};

static apex_status read_dataset_index(struct reader *r, const struct manifest *m, size_t *index)
{
    char name[NAME_MAX_LEN + 1];
    TRY(read_name(r, name));
    for (*index = 0; *index < m->n_datasets; ++*index)
        if (strcmp(m->datasets[*index].name, name) == 0) return APEX_OK;
    return reader_fail(r, "no dataset of this name stands above the functions");
}

static apex_status read_one_dataset(struct reader *r, void *context)
{
    struct reading *g = context;
    size_t index;
    TRY(read_dataset_index(r, g->m, &index));
    for (size_t i = 0; i < g->f->n_datasets; i++)
        if (g->f->datasets[i] == index) return reader_fail(r, "this dataset is named twice");
    g->f->datasets[g->f->n_datasets++] = index;
    return APEX_OK;
}

static apex_status read_function_datasets(struct reader *r, void *context)
{
    return read_array(r, context, 0, DATASETS_MAX, read_one_dataset);
}
static apex_status read_function_name(struct reader *r, void *context)
{
    return read_name(r, ((struct reading *)context)->f->name);
}

static apex_status read_rows(struct reader *r, void *context)
{
    struct reading *g = context;
    g->f->has_rows = true;
    return read_dataset_index(r, g->m, &g->f->rows);
}

static apex_status read_function_release(struct reader *r, void *context)
{
    static const char *const to[] = {"receivers", "requester"};
    unsigned at;
    TRY(read_one_of(r, to, 2, "\"receivers\" or \"requester\" is expected", &at));
    ((struct reading *)context)->f->to_requester = at == 1;
    return APEX_OK;
}

/* The model of which function it uses; that function stands above. */
static apex_status read_uses(struct reader *r, void *context)
{
    struct reading *g = context;
    char name[NAME_MAX_LEN + 1];
    TRY(read_name(r, name));
    g->f->uses = true;
    for (g->f->model = 0; g->f->model < g->m->n_functions; g->f->model++) {
        const struct manifest_function *f = &g->m->functions[g->f->model];
        if (f->trains && strcmp(f->name, name) == 0) return APEX_OK;
    }
    return reader_fail(r, "no function of this name that trains stands above");
}
static apex_status read_trains(struct reader *r, void *context)
{
    return read_bool(r, &((struct reading *)context)->f->trains);
}
static apex_status read_exports(struct reader *r, void *context)
{
    return read_bool(r, &((struct reading *)context)->f->exports);
}
static apex_status read_private(struct reader *r, void *context)
{
    return read_bool(r, &((struct reading *)context)->f->is_private);
}

static apex_status read_param_name(struct reader *r, void *context)
{
    return read_name(r, ((struct reading *)context)->p->name);
}

static apex_status read_param_type(struct reader *r, void *context)
{
    static const char *const types[] = {"int", "float", "bool", "choice", "points"};
    unsigned at;
    TRY(read_one_of(r, types, 5, "a type is one of int, float, bool, choice, points", &at));
    ((struct reading *)context)->p->type = (enum param_type)(at + 1);
    return APEX_OK;
}

static apex_status read_param_min(struct reader *r, void *context)
{
    struct reading *g = context;
    g->has_min = true;
    return read_number(r, &g->p->min);
}

static apex_status read_param_max(struct reader *r, void *context)
{
    struct reading *g = context;
    g->has_max = true;
    return read_number(r, &g->p->max);
}

static apex_status read_items(struct reader *r, void *context)
{
    struct reading *g = context;
    uint64_t n;
    g->has_items = true;
    TRY(read_count(r, POINTS_MAX, &n));
    g->p->max_items = (size_t)n;
    return APEX_OK;
}

static apex_status read_dims(struct reader *r, void *context)
{
    struct reading *g = context;
    uint64_t n;
    g->has_dims = true;
    TRY(read_count(r, DIMS_MAX, &n));
    g->p->dims = (size_t)n;
    return n > 0 ? APEX_OK : reader_fail(r, "points have at least one number");
}

static apex_status read_choice(struct reader *r, void *context)
{
    struct manifest_param *p = ((struct reading *)context)->p;
    char *choice = p->choices[p->n_choices];
    TRY(read_name(r, choice));
    for (size_t i = 0; i < p->n_choices; i++)
        if (strcmp(p->choices[i], choice) == 0)
            return reader_fail(r, "this choice is named twice");
    p->n_choices++;
    return APEX_OK;
}

static apex_status read_choices(struct reader *r, void *context)
{
    struct manifest_param *p = ((struct reading *)context)->p;
    TRY(reader_array_new(r, CHOICES_MAX, sizeof *p->choices, &p->choices));
    return read_array(r, context, 1, CHOICES_MAX, read_choice);
}

static apex_status read_default(struct reader *r, void *context)
{
    struct reading *g = context;
    bool value;
    TRY(reader_peek(r, &g->default_kind));
    switch (g->default_kind) {
    case JSON_NUMBER: return read_number(r, &g->default_number);
    case JSON_STRING: return read_text(r, g->default_text, NAME_MAX_LEN);
    case JSON_TRUE:
    case JSON_FALSE:
        TRY(read_bool(r, &value));
        g->default_number = value;
        return APEX_OK;
    default: return reader_fail(r, "a default is a number, a text, true or false");
    }
}

static apex_status number_whole(struct reader *r, const struct reading *g)
{
    const struct manifest_param *p = g->p;
    if (!g->has_min || !g->has_max || p->min > p->max)
        return reader_fail(r, "int and float need min and max, min not above max");
    if (p->type == PARAM_INT &&
        (p->min != (double)(int64_t)p->min || p->max != (double)(int64_t)p->max))
        return reader_fail(r, "the bounds of an int are whole numbers");
    if (!p->has_default) return APEX_OK;
    if (g->default_kind != JSON_NUMBER || p->def < p->min || p->def > p->max)
        return reader_fail(r, "the default is out of bounds");
    if (p->type == PARAM_INT && p->def != (double)(int64_t)p->def)
        return reader_fail(r, "the default of an int is a whole number");
    return APEX_OK;
}

static apex_status choice_whole(struct reader *r, struct reading *g)
{
    struct manifest_param *p = g->p;
    if (p->n_choices == 0) return reader_fail(r, "a choice needs its choices");
    if (!p->has_default) return APEX_OK;
    for (size_t i = 0; g->default_kind == JSON_STRING && i < p->n_choices; i++) {
        if (strcmp(p->choices[i], g->default_text) != 0) continue;
        p->def = (double)i;
        return APEX_OK;
    }
    return reader_fail(r, "the default is not one of the choices");
}

/* Which keys go with which type. */
static apex_status param_whole(struct reader *r, struct reading *g)
{
    struct manifest_param *p = g->p;
    bool number = p->type == PARAM_INT || p->type == PARAM_FLOAT,
         points = p->type == PARAM_POINTS;
    p->has_default = g->default_kind != JSON_MORE;
    p->def = g->default_number;
    if ((g->has_min || g->has_max) && !number)
        return reader_fail(r, "min and max go with int and float");
    if (p->choices && p->type != PARAM_CHOICE) return reader_fail(r, "choices go with choice");
    if ((g->has_items || g->has_dims) != points || g->has_items != g->has_dims)
        return reader_fail(r, "max_items and dims go with points, both");
    if (number) return number_whole(r, g);
    if (p->type == PARAM_CHOICE) return choice_whole(r, g);
    if (points) return p->has_default ? reader_fail(r, "points have no default") : APEX_OK;
    return !p->has_default || g->default_kind == JSON_TRUE || g->default_kind == JSON_FALSE
               ? APEX_OK
               : reader_fail(r, "true or false is expected");
}

static apex_status read_param(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"name", true, read_param_name},  {"type", true, read_param_type},
        {"min", false, read_param_min},   {"max", false, read_param_max},
        {"default", false, read_default}, {"choices", false, read_choices},
        {"max_items", false, read_items}, {"dims", false, read_dims}};
    const struct reading *outer = context;
    struct reading g = {.m = outer->m,
                        .f = outer->f,
                        .p = &outer->f->params[outer->f->n_params],
                        .default_kind = JSON_MORE};
    TRY(read_object(r, fields, 8, &g));
    TRY(param_whole(r, &g));
    for (size_t i = 0; i < g.f->n_params; i++)
        if (strcmp(g.f->params[i].name, g.p->name) == 0)
            return reader_fail(r, "two parameters have this name");
    g.f->n_params++;
    return APEX_OK;
}

static apex_status read_params(struct reader *r, void *context)
{
    struct manifest_function *f = ((struct reading *)context)->f;
    TRY(reader_array_new(r, PARAMS_MAX, sizeof *f->params, &f->params));
    return read_array(r, context, 0, PARAMS_MAX, read_param);
}

const struct manifest_param *manifest_epsilon(const struct manifest_function *f)
{
    for (size_t i = 0; i < f->n_params; i++)
        if (f->params[i].type == PARAM_FLOAT && strcmp(f->params[i].name, "epsilon") == 0)
            return &f->params[i];
    return NULL;
}

static apex_status function_whole(struct reader *r, const struct manifest_function *f)
{
    const struct manifest_param *epsilon = manifest_epsilon(f);
    if (f->is_private && (!epsilon || epsilon->min < 1e-6))
        return reader_fail(
            r, "a private function needs a float parameter epsilon, at least 0.000001");
    if (f->exports && !f->trains && !f->uses)
        return reader_fail(r, "exports goes with trains or uses");
    return APEX_OK;
}

static apex_status read_function(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"name", true, read_function_name}, {"datasets", true, read_function_datasets},
        {"rows", false, read_rows},         {"release", true, read_function_release},
        {"trains", false, read_trains},     {"uses", false, read_uses},
        {"exports", false, read_exports},   {"private", false, read_private},
        {"params", true, read_params}};
    struct manifest *m = context;
    struct reading g = {.m = m, .f = &m->functions[m->n_functions]};
    TRY(read_object(r, fields, 9, &g));
    if (g.f->n_datasets == 0 && !g.f->has_rows && !g.f->uses)
        return reader_fail(r, "a function needs datasets, rows or a model");
    TRY(function_whole(r, g.f));
    for (size_t i = 0; i < m->n_functions; i++)
        if (strcmp(m->functions[i].name, g.f->name) == 0)
            return reader_fail(r, "two functions have this name");
    m->n_functions++;
    return APEX_OK;
}

apex_status read_functions(struct reader *r, void *context)
{
    struct manifest *m = context;
    TRY(reader_array_new(r, FUNCTIONS_MAX, sizeof *m->functions, &m->functions));
    return read_array(r, m, 1, FUNCTIONS_MAX, read_function);
}
