#include "client/lib/params.h"

#include "client/lib/home.h"
#include "common/base/try.h"
#include "common/wire/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS_FILE_MAX = 16 << 20 };

void params_begin(const struct manifest_function *f, struct request *r)
{
    *r = (struct request){.n_values = f->n_params};
    for (size_t i = 0; i < f->n_params; i++)
        r->values[i].param = &f->params[i];
}

static apex_status wrong(struct apex_error *e, const struct manifest_param *p, const char *why)
{
    char what[240], next[200] = "";
    snprintf(what, sizeof what, "parameter %.64s: %.120s", p->name, why);
    if (p->type == PARAM_INT || p->type == PARAM_FLOAT)
        snprintf(next, sizeof next, "give a number from %.15g to %.15g", p->min, p->max);
    for (size_t i = 0, len = 0;
         p->type == PARAM_CHOICE && i < p->n_choices && len < sizeof next - 70; i++)
        len += (size_t)snprintf(next + len, sizeof next - len, "%s%s",
                                i ? ", " : "give one of ", p->choices[i]);
    if (p->type == PARAM_BOOL) snprintf(next, sizeof next, "give true or false");
    if (p->type == PARAM_POINTS)
        snprintf(next, sizeof next,
                 "give at most %zu points of %zu numbers, such as [[1.5,2],[3,4]], or @FILE",
                 p->max_items, p->dims);
    return apex_fail(e, APEX_E_USAGE, what, "nothing was sent", next, "you");
}

static apex_status number_set(const char *text, struct request_value *v,
                              struct apex_error *error)
{
    char *end;
    v->number = strtod(text, &end);
    if (end == text || *end) return wrong(error, v->param, "not a number");
    if (v->param->type == PARAM_INT && v->number != floor(v->number))
        return wrong(error, v->param, "a whole number is expected");
    return v->number >= v->param->min && v->number <= v->param->max
               ? APEX_OK
               : wrong(error, v->param, "out of bounds");
}

static apex_status choice_set(const char *text, struct request_value *v,
                              struct apex_error *error)
{
    for (v->choice = 0; v->choice < v->param->n_choices; v->choice++)
        if (strcmp(v->param->choices[v->choice], text) == 0) return APEX_OK;
    return wrong(error, v->param, "not one of the choices");
}

static apex_status point_read(struct json *j, struct request_value *v)
{
    enum json_event e;
    for (size_t d = 0; d < v->param->dims; d++) {
        TRY(json_next(j, &e));
        if (e != JSON_NUMBER) return APEX_E_FORMAT;
        v->points[v->n_points * v->param->dims + d] = json_number(j);
        if (!isfinite(json_number(j))) return APEX_E_FORMAT;
    }
    TRY(json_next(j, &e));
    v->n_points++;
    return e == JSON_ARRAY_END ? APEX_OK : APEX_E_FORMAT;
}

static apex_status points_read(struct span text, struct request_value *v)
{
    enum json_event e;
    struct json *j = malloc(sizeof *j);
    v->points = calloc(v->param->max_items * v->param->dims + 1, sizeof *v->points);
    apex_status s = j && v->points ? APEX_OK : APEX_E_MEMORY;
    if (s == APEX_OK) {
        json_init(j, false);
        json_feed(j, text, true);
        s = json_next(j, &e);
        if (s == APEX_OK && e != JSON_ARRAY) s = APEX_E_FORMAT;
    }
    while (s == APEX_OK && (s = json_next(j, &e)) == APEX_OK && e != JSON_ARRAY_END)
        s = e == JSON_ARRAY && v->n_points < v->param->max_items ? point_read(j, v)
                                                                 : APEX_E_FORMAT;
    if (s == APEX_OK) s = json_next(j, &e);
    free(j);
    return s;
}

static apex_status points_set(const char *text, struct request_value *v,
                              struct apex_error *error)
{
    BUFFER_CLEARED file = {0};
    struct span json = span_text(text);
    if (text[0] == '@') {
        TRY(file_load(text + 1, POINTS_FILE_MAX, &file, error));
        json = buffer_span(&file);
    }
    return points_read(json, v) == APEX_OK
               ? APEX_OK
               : wrong(error, v->param, "not a list of points of the right kind and number");
}

static apex_status value_set(const char *text, struct request_value *v,
                             struct apex_error *error)
{
    switch (v->param->type) {
    case PARAM_INT:
    case PARAM_FLOAT: return number_set(text, v, error);
    case PARAM_CHOICE: return choice_set(text, v, error);
    case PARAM_POINTS: return points_set(text, v, error);
    case PARAM_BOOL: break;
    }
    v->number = strcmp(text, "true") == 0;
    return v->number != 0 || strcmp(text, "false") == 0
               ? APEX_OK
               : wrong(error, v->param, "neither true nor false");
}

apex_status params_set(const struct manifest_function *f, const char *text, struct request *r,
                       struct apex_error *error)
{
    const char *equals = strchr(text, '=');
    char what[240], names[200] = "";
    for (size_t i = 0, len = 0; i < f->n_params && len < sizeof names - 70; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                                f->params[i].name);
    for (size_t i = 0; equals && i < f->n_params; i++) {
        struct request_value *v = &r->values[i];
        if (!span_equal(span_of(text, (size_t)(equals - text)), span_text(f->params[i].name)))
            continue;
        if (v->given) return wrong(error, v->param, "given twice");
        v->given = true;
        return value_set(equals + 1, v, error);
    }
    snprintf(what, sizeof what,
             equals ? "the function has no parameter %.*s"
                    : "a parameter is given as name=value, not as %.*s",
             (int)(equals ? (equals - text < 64 ? equals - text : 64) : 64), text);
    snprintf(error->next, sizeof error->next, "%s", "");
    apex_status s = apex_fail(error, APEX_E_USAGE, what, "nothing was sent", "", "you");
    snprintf(error->next, sizeof error->next, "its parameters are: %.200s",
             names[0] ? names : "none");
    return s;
}

apex_status params_whole(const struct request *r, struct apex_error *error)
{
    for (size_t i = 0; i < r->n_values; i++)
        if (!r->values[i].given && !r->values[i].param->has_default &&
            r->values[i].param->type != PARAM_POINTS)
            return wrong(error, r->values[i].param, "must be given");
    return APEX_OK;
}
