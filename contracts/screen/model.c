/* The model as bytes, which stay in the contract. */
#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "contracts/lib/model_bytes.h"
#include "contracts/screen/screen.h"

#include <math.h>
#include <stdlib.h>

enum { SCREEN_VERSION = 1 };

apex_status screen_leave(struct screen *s)
{
    const struct screen_model *m = &s->model;
    BUFFER_CLEARED out = {0};
    cbor_put_uint(&out, SCREEN_VERSION);
    TRY(encoding_write(&m->encoding, &out));
    model_put_doubles(&out, m->mean, m->d);
    model_put_doubles(&out, m->sd, m->d);
    cbor_put_uint(&out, m->k);
    model_put_doubles(&out, m->centroid, m->k * m->d);
    cbor_put_float(&out, m->median);
    cbor_put_float(&out, m->mad);
    cbor_put_float(&out, m->threshold);
    model_put_cell(&out, &s->rules, &m->trained);
    for (size_t c = 0; c < m->k; c++)
        model_put_cell(&out, &s->rules, &m->cluster[c]);
    TRY(buffer_ok(&out));
    return apex_model_leave(s->run, out.data, out.len);
}

static apex_status scale_parse(struct cursor *c, struct screen_model *m)
{
    TRY(encoding_parse(c, &m->encoding));
    m->d = m->encoding.n_features;
    if (m->encoding.kind != FRAME_NO_TARGET || m->d < 1 || m->d > KMEANS_DIMS_MAX)
        return APEX_E_FORMAT;
    m->mean = calloc(m->d, sizeof *m->mean);
    m->sd = calloc(m->d, sizeof *m->sd);
    if (!m->mean || !m->sd) return APEX_E_MEMORY;
    TRY(model_doubles(c, m->mean, m->d));
    TRY(model_doubles(c, m->sd, m->d));
    for (size_t f = 0; f < m->d; f++)
        if (!isfinite(m->mean[f]) || !isfinite(m->sd[f]) || !(m->sd[f] > 0))
            return APEX_E_FORMAT;
    return APEX_OK;
}

static apex_status clusters_parse(struct screen *s, struct cursor *c)
{
    struct screen_model *m = &s->model;
    uint64_t k;
    TRY(cbor_uint(c, &k));
    if (k < 1 || k > KMEANS_K_MAX) return APEX_E_FORMAT;
    m->k = (size_t)k;
    m->centroid = calloc(m->k * m->d, sizeof *m->centroid);
    m->cluster = calloc(m->k, sizeof *m->cluster);
    if (!m->centroid || !m->cluster) return APEX_E_MEMORY;
    TRY(model_doubles(c, m->centroid, m->k * m->d));
    for (size_t i = 0; i < m->k * m->d; i++)
        if (!isfinite(m->centroid[i])) return APEX_E_FORMAT;
    TRY(cbor_float(c, &m->median));
    TRY(cbor_float(c, &m->mad));
    TRY(cbor_float(c, &m->threshold));
    TRY(model_cell(c, &s->rules, &m->trained));
    for (size_t i = 0; i < m->k; i++)
        TRY(model_cell(c, &s->rules, &m->cluster[i]));
    return cursor_end(c);
}

apex_status screen_take(struct screen *s)
{
    const uint8_t *bytes;
    uint64_t version;
    size_t len = apex_model(s->run, &bytes);
    struct cursor c = cursor_on(span_of(bytes, len));
    TRY(cbor_uint(&c, &version));
    if (version != SCREEN_VERSION) return APEX_E_FORMAT;
    TRY(scale_parse(&c, &s->model));
    TRY(clusters_parse(s, &c));
    s->k_asked = s->model.k;
    return APEX_OK;
}
