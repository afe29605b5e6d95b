#include "enclave/core/program_request.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "common/wire/package.h"

#include <stdlib.h>

static int order_of(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

int job_table_order(const void *a, const void *b)
{
    const struct job_table *x = a, *y = b;
    int order = order_of(x->is_private, y->is_private);
    if (!order) order = order_of(x->dataset, y->dataset);
    if (!order) order = order_of(x->party, y->party);
    return order ? order : memcmp(x->digest, y->digest, sizeof x->digest);
}

static void value_put(const struct request_value *v, struct buffer *b)
{
    const struct manifest_param *p = v->param;
    switch (p->type) {
    case PARAM_INT: cbor_put_int(b, (int64_t)v->number); return;
    case PARAM_FLOAT: cbor_put_float(b, v->number); return;
    case PARAM_BOOL: cbor_put_bool(b, v->number != 0); return;
    case PARAM_CHOICE: cbor_put_text(b, p->choices[v->choice]); return;
    case PARAM_POINTS: break;
    }
    cbor_put_array(b, v->n_points);
    for (size_t i = 0; i < v->n_points; i++) {
        cbor_put_array(b, p->dims);
        for (size_t d = 0; d < p->dims; d++)
            cbor_put_float(b, v->points[i * p->dims + d]);
    }
}

/* Map keys ascend as their encodings do: shorter names first, then bytewise (RFC 8949
 * section 4.2.1). */
static int value_order(const void *a, const void *b)
{
    const char *x = ((const struct request_value *)a)->param->name,
               *y = ((const struct request_value *)b)->param->name;
    int order = order_of(strlen(x), strlen(y));
    return order ? order : strcmp(x, y);
}

static void params_put(struct request *r, struct buffer *b)
{
    qsort(r->values, r->n_values, sizeof *r->values, value_order);
    cbor_put_map(b, r->n_values);
    for (size_t i = 0; i < r->n_values; i++) {
        cbor_put_text(b, r->values[i].param->name);
        value_put(&r->values[i], b);
    }
}

static void tables_put(const struct manifest *m, const struct job_table *tables, size_t n,
                       struct buffer *b)
{
    cbor_put_array(b, n);
    for (size_t i = 0; i < n; i++) {
        cbor_put_array(b, 4);
        cbor_put_text(b, m->datasets[tables[i].dataset].name);
        cbor_put_uint(b, tables[i].party);
        cbor_put_uint(b, tables[i].size);
        cbor_put_bool(b, tables[i].is_private);
    }
}

static void rules_put(const struct manifest_release *release, struct buffer *b)
{
    cbor_put_map(b, 3);
    cbor_put_uint(b, 1);
    cbor_put_uint(b, release->minimum_rows);
    cbor_put_uint(b, 2);
    cbor_put_uint(b, release->minimum_contributors);
    cbor_put_uint(b, 3);
    cbor_put_float(b, release->maximum_share);
}

/* A run's part of the contract's delta is its part of epsilon: so deltas of all runs add up to
 * no more than the manifest's, as epsilons do. */
static double delta_of(const struct program_setup *p)
{
    const struct manifest_privacy *all = &p->contract->manifest->privacy;
    if (!p->noise || all->epsilon_micro == 0) return 0;
    return all->delta * ((double)p->epsilon_micro / (double)all->epsilon_micro);
}

static void options_put(const struct program_setup *p, struct buffer *b)
{
    const struct manifest *m = p->contract->manifest;
    cbor_put_map(b, 6);
    cbor_put_uint(b, 1);
    cbor_put_bool(b, !m->not_oblivious);
    cbor_put_uint(b, 2);
    cbor_put_bool(b, p->function->exports);
    cbor_put_uint(b, 3);
    cbor_put_uint(b, p->model_len);
    cbor_put_uint(b, 4);
    cbor_put_bytes(b, span_of(p->noise, p->noise ? 32 : 0));
    cbor_put_uint(b, 5);
    cbor_put_float(b, delta_of(p));
    cbor_put_uint(b, 6);
    cbor_put_bool(b, p->streamed);
}

static void column_put(const struct manifest_column *c, struct buffer *b)
{
    bool bounded = c->has_min && c->has_max;
    cbor_put_array(b, 5);
    cbor_put_text(b, c->name);
    cbor_put_uint(b, (uint64_t)c->type);
    cbor_put_bool(b, c->missing);
    cbor_put_array(b, bounded ? 2 : 0);
    if (bounded) {
        cbor_put_float(b, c->min);
        cbor_put_float(b, c->max);
    }
    cbor_put_array(b, c->n_values);
    for (size_t i = 0; i < c->n_values; i++)
        cbor_put_text(b, c->values[i]);
}

static bool given(const struct manifest_function *f, size_t dataset)
{
    for (size_t i = 0; i < f->n_datasets; i++)
        if (f->datasets[i] == dataset) return true;
    return f->has_rows && f->rows == dataset;
}

/* The columns of the datasets this function may be given, rows there or not. */
static void schemas_put(const struct manifest *m, const struct manifest_function *f,
                        struct buffer *b)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_datasets; i++)
        n += given(f, i);
    cbor_put_array(b, n);
    for (size_t i = 0; i < m->n_datasets; i++) {
        const struct manifest_dataset *d = &m->datasets[i];
        if (!given(f, i)) continue;
        cbor_put_array(b, 2);
        cbor_put_text(b, d->name);
        cbor_put_array(b, d->n_columns);
        for (size_t c = 0; c < d->n_columns; c++)
            column_put(&d->columns[c], b);
    }
}

static void request_put(const struct program_setup *p, struct request *r, struct buffer *b)
{
    const struct manifest *m = p->contract->manifest;
    cbor_put_map(b, 10);
    cbor_put_uint(b, 1);
    cbor_put_text(b, "apex/program/v1");
    cbor_put_uint(b, 2);
    cbor_put_text(b, p->function->name);
    cbor_put_uint(b, 3);
    params_put(r, b);
    cbor_put_uint(b, 4);
    cbor_put_bytes(b, SPAN(r->seed));
    cbor_put_uint(b, 5);
    rules_put(&m->release, b);
    cbor_put_uint(b, 6);
    cbor_put_uint(b, p->threads);
    cbor_put_uint(b, 7);
    cbor_put_uint(b, m->n_parties);
    cbor_put_uint(b, 8);
    tables_put(m, p->tables, p->n_tables, b);
    cbor_put_uint(b, 9);
    options_put(p, b);
    cbor_put_uint(b, 10);
    schemas_put(m, p->function, b);
}

static apex_status file_of(struct span bytes, struct memory_file **file)
{
    struct memory_file *f;
    TRY(memory_file_new("request", &f));
    apex_status s = memory_file_append(f, bytes);
    if (s == APEX_OK) s = memory_file_seal(f);
    if (s != APEX_OK) {
        memory_file_free(f);
        return s;
    }
    *file = f;
    return APEX_OK;
}

apex_status program_request_new(const struct program_setup *setup, struct memory_file **file)
{
    struct request r = {0};
    size_t bad;
    BUFFER_CLEARED b = {0};
    apex_status s = request_parse(setup->request, setup->function, &r, &bad);
    if (s == APEX_OK) request_put(setup, &r, &b);
    request_clear(&r);
    TRY(s);
    TRY(buffer_ok(&b));
    return file_of(buffer_span(&b), file);
}
