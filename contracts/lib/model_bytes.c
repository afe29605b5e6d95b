#include "contracts/lib/model_bytes.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

void model_put_doubles(struct buffer *out, const double *x, size_t n)
{
    cbor_put_bytes(out, span_of((const uint8_t *)x, n * sizeof *x));
}

apex_status model_array(struct cursor *c, void *to, size_t len)
{
    struct span bytes;
    TRY(cbor_bytes(c, &bytes));
    if (bytes.len != len) return APEX_E_FORMAT;
    if (len) memcpy(to, bytes.data, len);
    return APEX_OK;
}

apex_status model_doubles(struct cursor *c, double *x, size_t n)
{
    return model_array(c, x, n * sizeof *x);
}

void model_put_cell(struct buffer *out, const struct release_rules *rules,
                    const struct release_cell *cell)
{
    cbor_put_array(out, rules->n_parties);
    for (size_t p = 0; p < rules->n_parties; p++)
        cbor_put_uint(out, cell->by_party[p]);
}

apex_status model_cell(struct cursor *c, const struct release_rules *rules,
                       struct release_cell *cell)
{
    size_t n;
    TRY(cbor_array(c, &n));
    if (n != rules->n_parties) return APEX_E_FORMAT;
    for (size_t p = 0; p < n; p++) {
        TRY(cbor_uint(c, &cell->by_party[p]));
        cell->rows += cell->by_party[p];
    }
    cell->reason = release_judge(rules, cell);
    return APEX_OK;
}
