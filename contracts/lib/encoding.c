#include "common/base/try.h"
#include "common/wire/cbor.h"
#include "contracts/lib/frame.h"

#include <stdlib.h>

void encoding_clear(struct encoding *e)
{
    free(e->features);
    free(e->classes);
    *e = (struct encoding){0};
}

static void text_put(const struct encoding_text *t, struct buffer *out)
{
    cbor_put_text_span(out, span_of(t->text, t->len));
}

apex_status encoding_write(const struct encoding *e, struct buffer *out)
{
    cbor_put_array(out, 4);
    cbor_put_uint(out, (uint64_t)e->kind);
    cbor_put_text(out, e->target);
    cbor_put_array(out, e->n_features);
    for (size_t i = 0; i < e->n_features; i++) {
        cbor_put_array(out, 3);
        cbor_put_text(out, e->features[i].column);
        cbor_put_bool(out, e->features[i].is_category);
        text_put(&e->features[i].category, out);
    }
    cbor_put_array(out, e->n_classes);
    for (size_t i = 0; i < e->n_classes; i++)
        text_put(&e->classes[i], out);
    return buffer_ok(out);
}

static apex_status text_parse(struct cursor *c, char *text, size_t max, size_t *len)
{
    struct span s;
    TRY(cbor_text(c, &s));
    if (s.len > max) return APEX_E_FORMAT;
    memcpy(text, s.data, s.len);
    text[s.len] = 0;
    *len = s.len;
    return APEX_OK;
}

static apex_status features_parse(struct cursor *c, struct encoding *e)
{
    size_t n, len;
    TRY(cbor_array(c, &e->n_features));
    if (e->n_features > FEATURES_MAX) return APEX_E_FORMAT;
    e->features = calloc(e->n_features + 1, sizeof *e->features);
    if (!e->features) return APEX_E_MEMORY;
    for (size_t i = 0; i < e->n_features; i++) {
        struct encoding_feature *f = &e->features[i];
        TRY(cbor_array(c, &n));
        if (n != 3) return APEX_E_FORMAT;
        TRY(text_parse(c, f->column, NAME_MAX_LEN, &len));
        TRY(cbor_bool(c, &f->is_category));
        TRY(text_parse(c, f->category.text, CATEGORY_MAX, &f->category.len));
    }
    return APEX_OK;
}

static apex_status classes_parse(struct cursor *c, struct encoding *e)
{
    TRY(cbor_array(c, &e->n_classes));
    if (e->n_classes > CLASSES_MAX) return APEX_E_FORMAT;
    e->classes = calloc(e->n_classes + 1, sizeof *e->classes);
    if (!e->classes) return APEX_E_MEMORY;
    for (size_t i = 0; i < e->n_classes; i++)
        TRY(text_parse(c, e->classes[i].text, CATEGORY_MAX, &e->classes[i].len));
    return APEX_OK;
}

apex_status encoding_parse(struct cursor *c, struct encoding *e)
{
    size_t n, len;
    uint64_t kind;
    *e = (struct encoding){0};
    TRY(cbor_array(c, &n));
    if (n != 4) return APEX_E_FORMAT;
    TRY(cbor_uint(c, &kind));
    if (kind > FRAME_NUMBERS) return APEX_E_FORMAT;
    e->kind = (enum frame_target)kind;
    TRY(text_parse(c, e->target, NAME_MAX_LEN, &len));
    TRY(features_parse(c, e));
    return classes_parse(c, e);
}
