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
        cbor_put_uint(b, memory_file_size(tables[i].file));
        cbor_put_bool(b, tables[i].is_private);
    }
}

static void request_put(const struct manifest *m, const struct manifest_function *f,
                        struct request *r, unsigned threads, struct buffer *b)
{
    cbor_put_map(b, 8);
    cbor_put_uint(b, 1);
    cbor_put_text(b, "apex/program/v1");
    cbor_put_uint(b, 2);
    cbor_put_text(b, f->name);
    cbor_put_uint(b, 3);
    params_put(r, b);
    cbor_put_uint(b, 4);
    cbor_put_bytes(b, SPAN(r->seed));
    cbor_put_uint(b, 5);
    cbor_put_map(b, 3);
    cbor_put_uint(b, 1);
    cbor_put_uint(b, m->release.minimum_rows);
    cbor_put_uint(b, 2);
    cbor_put_uint(b, m->release.minimum_contributors);
    cbor_put_uint(b, 3);
    cbor_put_float(b, m->release.maximum_share);
    cbor_put_uint(b, 6);
    cbor_put_uint(b, threads);
    cbor_put_uint(b, 7);
    cbor_put_uint(b, m->n_parties);
    cbor_put_uint(b, 8);
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

apex_status program_request_new(const struct contract *c, const struct manifest_function *f,
                                struct span request, const struct job_table *tables,
                                size_t n_tables, unsigned threads, struct memory_file **file)
{
    struct request r = {0};
    size_t bad;
    BUFFER_CLEARED b = {0};
    apex_status s = request_parse(request, f, &r, &bad);
    if (s == APEX_OK) request_put(c->manifest, f, &r, threads, &b);
    request_clear(&r);
    TRY(s);
    tables_put(c->manifest, tables, n_tables, &b);
    TRY(buffer_ok(&b));
    return file_of(buffer_span(&b), file);
}
