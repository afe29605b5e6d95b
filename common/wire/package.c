#include "common/wire/package.h"

#include "common/base/endian.h"
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/wire/cbor.h"

#include <math.h>
#include <stdlib.h>

#define RESULT_NAME "apex/result/v1"
#define REQUEST_NAME "apex/request/v1"

void table_secret_write(const struct table_secret *s, uint8_t out[static TABLE_SECRET_LEN])
{
    memcpy(out, s->key, 32);
    memcpy(out + 32, s->digest, 32);
    put_be64(out + 64, s->n_rows);
    put_be64(out + 72, s->n_groups);
}

apex_status table_secret_parse(const uint8_t in[static TABLE_SECRET_LEN],
                               struct table_secret *s)
{
    memcpy(s->key, in, 32);
    memcpy(s->digest, in + 32, 32);
    s->n_rows = get_be64(in + 64);
    s->n_groups = get_be64(in + 72);
    return s->n_rows > 0 && s->n_groups > 0 && s->n_groups <= s->n_rows ? APEX_OK
                                                                        : APEX_E_FORMAT;
}

size_t seal_info(const char *purpose, const uint8_t address[static 32], struct span extra,
                 uint8_t out[static INFO_MAX])
{
    size_t len = strlen(purpose);
    if (len > INFO_MAX - 32 || extra.len > INFO_MAX - 32 - len) return 0;
    memcpy(out, purpose, len);
    memcpy(out + len, address, 32);
    if (extra.len) memcpy(out + len + 32, extra.data, extra.len);
    return len + 32 + extra.len;
}

void result_package_write(const struct result_package *p, struct buffer *out)
{
    cbor_put_map(out, 6);
    cbor_put_uint(out, 1);
    cbor_put_text(out, RESULT_NAME);
    cbor_put_uint(out, 2);
    cbor_put_bytes(out, SPAN(p->address));
    cbor_put_uint(out, 3);
    cbor_put_uint(out, p->run);
    cbor_put_uint(out, 4);
    cbor_put_text_span(out, p->function);
    cbor_put_uint(out, 5);
    cbor_put_bytes(out, p->request);
    cbor_put_uint(out, 6);
    cbor_put_bytes(out, p->output);
}

apex_status result_package_parse(struct span bytes, struct result_package *p)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    TRY(cbor_map(&c, &n));
    if (n != 6) return APEX_E_FORMAT;
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, RESULT_NAME));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes_exact(&c, p->address, 32));
    TRY(cbor_key(&c, 3));
    TRY(cbor_uint(&c, &p->run));
    TRY(cbor_key(&c, 4));
    TRY(cbor_text(&c, &p->function));
    TRY(cbor_key(&c, 5));
    TRY(cbor_bytes(&c, &p->request));
    TRY(cbor_key(&c, 6));
    TRY(cbor_bytes(&c, &p->output));
    return cursor_end(&c);
}

/* A number of either kind: ints may stand where a float is asked, not the reverse. */
static apex_status number_parse(struct cursor *c, double *value)
{
    enum cbor_type type;
    int64_t i;
    TRY(cbor_peek(c, &type));
    if (type == CBOR_FLOAT) return cbor_float(c, value);
    TRY(cbor_int(c, &i));
    *value = (double)i;
    return APEX_OK;
}

static apex_status bounded(double v, const struct manifest_param *p)
{
    return isfinite(v) && v >= p->min && v <= p->max ? APEX_OK : APEX_E_REFUSED;
}

static apex_status int_parse(struct cursor *c, struct request_value *v)
{
    enum cbor_type type;
    int64_t i;
    TRY(cbor_peek(c, &type));
    if (type != CBOR_UINT && type != CBOR_NEGATIVE) return APEX_E_REFUSED;
    TRY(cbor_int(c, &i));
    if (i > INT64_C(9007199254740992) || i < -INT64_C(9007199254740992)) return APEX_E_REFUSED;
    v->number = (double)i;
    return bounded(v->number, v->param);
}

static apex_status choice_parse(struct cursor *c, struct request_value *v)
{
    struct span text;
    if (cbor_text(c, &text) != APEX_OK) return APEX_E_REFUSED;
    for (size_t i = 0; i < v->param->n_choices; i++) {
        if (!span_equal(text, span_text(v->param->choices[i]))) continue;
        v->choice = i;
        return APEX_OK;
    }
    return APEX_E_REFUSED;
}

static apex_status point_parse(struct cursor *c, const struct manifest_param *p, double *point)
{
    size_t dims;
    TRY(cbor_array(c, &dims));
    if (dims != p->dims) return APEX_E_REFUSED;
    for (size_t d = 0; d < dims; d++) {
        TRY(number_parse(c, &point[d]));
        if (!isfinite(point[d])) return APEX_E_REFUSED;
    }
    return APEX_OK;
}

static apex_status points_parse(struct cursor *c, struct request_value *v)
{
    size_t n, cells;
    if (cbor_array(c, &n) != APEX_OK || n > v->param->max_items) return APEX_E_REFUSED;
    if (!size_mul(n, v->param->dims, &cells)) return APEX_E_LIMIT;
    v->points = calloc(cells ? cells : 1, sizeof *v->points);
    if (!v->points) return APEX_E_MEMORY;
    v->n_points = n;
    for (size_t i = 0; i < n; i++)
        TRY(point_parse(c, v->param, v->points + i * v->param->dims));
    return APEX_OK;
}

static apex_status bool_parse(struct cursor *c, struct request_value *v)
{
    bool b;
    if (cbor_bool(c, &b) != APEX_OK) return APEX_E_REFUSED;
    v->number = b;
    return APEX_OK;
}

static apex_status value_parse(struct cursor *c, struct request_value *v)
{
    v->given = true;
    switch (v->param->type) {
    case PARAM_INT: return int_parse(c, v);
    case PARAM_FLOAT:
        if (number_parse(c, &v->number) != APEX_OK) return APEX_E_REFUSED;
        return bounded(v->number, v->param);
    case PARAM_BOOL: return bool_parse(c, v);
    case PARAM_CHOICE: return choice_parse(c, v);
    case PARAM_POINTS: return points_parse(c, v);
    }
    return APEX_E_BUG;
}

static apex_status values_parse(struct cursor *c, struct request *r, size_t *bad)
{
    size_t n;
    TRY(cbor_map(c, &n));
    for (size_t i = 0; i < n; i++) {
        struct span name;
        size_t at = 0;
        TRY(cbor_text(c, &name));
        while (at < r->n_values && !span_equal(name, span_text(r->values[at].param->name)))
            at++;
        *bad = at < r->n_values ? at : SIZE_MAX;
        if (at == r->n_values || r->values[at].given) return APEX_E_REFUSED;
        TRY(value_parse(c, &r->values[at]));
    }
    return APEX_OK;
}

static apex_status defaults_fill(struct request *r, size_t *bad)
{
    for (size_t i = 0; i < r->n_values; i++) {
        struct request_value *v = &r->values[i];
        *bad = i;
        if (v->given || v->param->type == PARAM_POINTS) continue;
        if (!v->param->has_default) return APEX_E_REFUSED;
        v->number = v->param->def;
        if (v->param->type == PARAM_CHOICE) v->choice = (size_t)v->param->def;
    }
    return APEX_OK;
}

static apex_status request_head(struct cursor *c, struct request *r)
{
    size_t n;
    TRY(cbor_map(c, &n));
    if (n != 4) return APEX_E_FORMAT;
    TRY(cbor_key(c, 1));
    TRY(cbor_text_is(c, REQUEST_NAME));
    TRY(cbor_key(c, 2));
    TRY(cbor_bytes_exact(c, r->nonce, sizeof r->nonce));
    TRY(cbor_key(c, 3));
    TRY(cbor_bytes_exact(c, r->seed, sizeof r->seed));
    return cbor_key(c, 4);
}

static apex_status request_read(struct span bytes, struct request *r, size_t *bad)
{
    struct cursor c = cursor_on(bytes);
    TRY(cbor_check(bytes)); /* ascending keys, shortest heads: one request, one form */
    TRY(request_head(&c, r));
    TRY(values_parse(&c, r, bad));
    TRY(cursor_end(&c));
    return defaults_fill(r, bad);
}

apex_status request_parse(struct span bytes, const struct manifest_function *f,
                          struct request *r, size_t *bad)
{
    *r = (struct request){.n_values = f->n_params};
    *bad = SIZE_MAX;
    if (bytes.len > REQUEST_MAX) return APEX_E_LIMIT;
    for (size_t i = 0; i < f->n_params; i++)
        r->values[i].param = &f->params[i];
    apex_status s = request_read(bytes, r, bad);
    if (s != APEX_OK) request_clear(r);
    return s;
}

double request_number(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n_values; i++)
        if (strcmp(r->values[i].param->name, name) == 0) return r->values[i].number;
    return 0;
}

void request_clear(struct request *r)
{
    for (size_t i = 0; i < r->n_values; i++)
        free(r->values[i].points);
    *r = (struct request){0};
}

static void value_write(const struct request_value *v, struct buffer *b)
{
    switch (v->param->type) {
    case PARAM_INT: cbor_put_int(b, (int64_t)v->number); return;
    case PARAM_FLOAT: cbor_put_float(b, v->number); return;
    case PARAM_BOOL: cbor_put_bool(b, v->number != 0); return;
    case PARAM_CHOICE: cbor_put_text(b, v->param->choices[v->choice]); return;
    case PARAM_POINTS: break;
    }
    cbor_put_array(b, v->n_points);
    for (size_t i = 0; i < v->n_points; i++) {
        cbor_put_array(b, v->param->dims);
        for (size_t d = 0; d < v->param->dims; d++)
            cbor_put_float(b, v->points[i * v->param->dims + d]);
    }
}

/* CBOR's order of text keys: shorter first, then bytewise. */
static bool name_before(const char *a, const char *b)
{
    size_t x = strlen(a), y = strlen(b);
    return x != y ? x < y : strcmp(a, b) < 0;
}

static const struct request_value *next_given(const struct request *r,
                                              const struct request_value *after)
{
    const struct request_value *next = NULL;
    for (size_t i = 0; i < r->n_values; i++) {
        const struct request_value *v = &r->values[i];
        if (!v->given || (after && !name_before(after->param->name, v->param->name))) continue;
        if (!next || name_before(v->param->name, next->param->name)) next = v;
    }
    return next;
}

apex_status request_write(const struct request *r, struct buffer *out)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_values; i++)
        n += r->values[i].given;
    cbor_put_map(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, REQUEST_NAME);
    cbor_put_uint(out, 2);
    cbor_put_bytes(out, SPAN(r->nonce));
    cbor_put_uint(out, 3);
    cbor_put_bytes(out, SPAN(r->seed));
    cbor_put_uint(out, 4);
    cbor_put_map(out, n);
    for (const struct request_value *v = next_given(r, NULL); v; v = next_given(r, v)) {
        cbor_put_text(out, v->param->name);
        value_write(v, out);
    }
    return buffer_ok(out);
}
