#include "contracts/classify/rows.h"

#include "common/base/size.h"
#include "common/base/try.h"

#include <stdlib.h>

static bool chosen(const struct apex_table *t, const struct rows_choice *c)
{
    return apex_table_private(t) == c->is_private &&
           strcmp(apex_table_dataset(t), c->dataset) == 0;
}

bool rows_any(const struct apex_run *run, const struct rows_choice *choice)
{
    for (size_t i = 0; i < apex_tables(run); i++)
        if (chosen(apex_table_at(run, i), choice)) return true;
    return false;
}

static bool present(struct apex_cells c, size_t i)
{
    return !c.validity || c.validity[i >> 3] >> (i & 7) & 1;
}

/* The first category column, or the number of columns. */
static size_t label_column(const struct apex_table *t)
{
    size_t c = 0;
    while (c < apex_table_columns(t) && apex_table_column_type(t, c) != APEX_CATEGORY)
        c++;
    return c;
}

static int name_order(const void *a, const void *b)
{
    const struct class_name *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static apex_status class_add(struct classes *k, const char *text, size_t len)
{
    if (k->n == k->cap) {
        size_t cap = k->cap ? 2 * k->cap : 64, bytes;
        if (!size_mul(cap, sizeof *k->name, &bytes)) return APEX_E_LIMIT;
        struct class_name *more = realloc(k->name, bytes);
        if (!more) return APEX_E_MEMORY;
        k->name = more;
        k->cap = cap;
    }
    struct class_name *n = &k->name[k->n++];
    memcpy(n->text, text, len);
    n->text[len] = 0;
    n->len = len;
    return APEX_OK;
}

static void classes_sort(struct classes *k)
{
    size_t kept = 0;
    if (k->n) qsort(k->name, k->n, sizeof *k->name, name_order);
    for (size_t i = 0; i < k->n; i++)
        if (kept == 0 || name_order(&k->name[kept - 1], &k->name[i]) != 0)
            k->name[kept++] = k->name[i];
    k->n = kept;
}

/* Dictionaries hold each used text of their group once; the codes are below the greatest one
 * that occurs, plus one. */
static apex_status group_classes(const struct apex_table *t, size_t g, size_t column,
                                 struct classes *k)
{
    struct apex_cells cells = apex_table_cells(t, g, column);
    uint32_t top = 0;
    bool any = false;
    for (size_t i = 0; i < cells.n; i++) {
        if (!present(cells, i)) continue;
        uint32_t code = ((const uint32_t *)cells.data)[i];
        if (!any || code > top) top = code;
        any = true;
    }
    for (uint32_t code = 0; any && code <= top; code++) {
        size_t len;
        const char *text = apex_table_category(t, g, column, code, &len);
        TRY(class_add(k, text, len));
    }
    return APEX_OK;
}

apex_status classes_load(struct apex_run *run, const struct rows_choice *choice,
                         struct classes *classes)
{
    for (size_t i = 0; i < apex_tables(run); i++) {
        const struct apex_table *t = apex_table_at(run, i);
        if (!chosen(t, choice)) continue;
        size_t column = label_column(t);
        if (column == apex_table_columns(t))
            apex_refuse(run, APEX_REFUSE_PARAMETER, "training rows need a category column");
        for (size_t g = 0; g < apex_table_groups(t); g++)
            TRY(group_classes(t, g, column, classes));
        classes_sort(classes);
        if (classes->n > CLASSES_MAX)
            apex_refuse(run, APEX_REFUSE_OTHER, "more than 65536 classes");
    }
    return APEX_OK;
}

static uint32_t class_rank(const struct classes *k, const char *text, size_t len)
{
    struct class_name want;
    memcpy(want.text, text, len);
    want.len = len;
    const struct class_name *found =
        k->n ? bsearch(&want, k->name, k->n, sizeof *k->name, name_order) : NULL;
    return found ? (uint32_t)(found - k->name) : NO_LABEL;
}

/* From a group's codes to ranks. */
static uint32_t *ranks_of(const struct apex_table *t, size_t g, size_t column,
                          const struct classes *k)
{
    struct apex_cells cells = apex_table_cells(t, g, column);
    uint32_t top = 0;
    for (size_t i = 0; i < cells.n; i++)
        if (((const uint32_t *)cells.data)[i] > top) top = ((const uint32_t *)cells.data)[i];
    uint32_t *rank = malloc(((size_t)top + 1) * sizeof *rank);
    for (uint32_t code = 0; rank && code <= top; code++) {
        size_t len = 0;
        const char *text = apex_table_category(t, g, column, code, &len);
        rank[code] = class_rank(k, text, len);
    }
    return rank;
}

static double number_at(const struct apex_table *t, size_t column, struct apex_cells c,
                        size_t i)
{
    switch (apex_table_column_type(t, column)) {
    case APEX_LATITUDE:
    case APEX_LONGITUDE: return ((const int32_t *)c.data)[i] / 1e7;
    case APEX_DATE: return ((const int32_t *)c.data)[i];
    case APEX_INT64: return (double)((const int64_t *)c.data)[i];
    case APEX_BOOL: return ((const uint8_t *)c.data)[i];
    default: return ((const double *)c.data)[i];
    }
}

struct group_cells {
    size_t n_features, column[FEATURES_MAX];
    struct apex_cells cells[FEATURES_MAX];
};

static void group_open(const struct apex_table *t, size_t g, struct group_cells *gc)
{
    gc->n_features = 0;
    for (size_t c = 0; c < apex_table_columns(t) && gc->n_features < FEATURES_MAX; c++) {
        if (apex_table_column_type(t, c) == APEX_CATEGORY) continue;
        gc->column[gc->n_features] = c;
        gc->cells[gc->n_features++] = apex_table_cells(t, g, c);
    }
}

static bool features_at(const struct apex_table *t, const struct group_cells *gc, size_t i,
                        double *row)
{
    for (size_t f = 0; f < gc->n_features; f++) {
        if (!present(gc->cells[f], i)) return false;
        row[f] = number_at(t, gc->column[f], gc->cells[f], i);
    }
    return true;
}

static apex_status group_load(const struct apex_table *t, size_t g, bool labelled,
                              const struct classes *k, uint32_t first, struct rows *r)
{
    struct group_cells *gc = malloc(sizeof *gc);
    size_t column = label_column(t);
    bool has_label = column < apex_table_columns(t);
    struct apex_cells labels = apex_table_cells(t, g, has_label ? column : 0);
    uint32_t *rank = has_label ? ranks_of(t, g, column, k) : NULL;
    if (!gc || (has_label && !rank)) return APEX_E_MEMORY;
    group_open(t, g, gc);
    for (size_t i = 0; i < labels.n; i++) {
        bool known = has_label && present(labels, i);
        if (!features_at(t, gc, i, r->feature + r->n * r->n_features) || (labelled && !known)) {
            r->n_dropped++;
            continue;
        }
        r->label[r->n] = known ? rank[((const uint32_t *)labels.data)[i]] : NO_LABEL;
        r->party[r->n] = (uint8_t)apex_table_party(t);
        r->origin[r->n++] = first + (uint32_t)i;
        r->all.by_party[apex_table_party(t)]++;
    }
    free(rank);
    free(gc);
    return APEX_OK;
}

static size_t features_of(const struct apex_table *t)
{
    size_t n = 0;
    for (size_t c = 0; c < apex_table_columns(t); c++)
        n += apex_table_column_type(t, c) != APEX_CATEGORY;
    return n;
}

static apex_status room(struct apex_run *run, const struct rows_choice *choice, struct rows *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < apex_tables(run); i++) {
        const struct apex_table *t = apex_table_at(run, i);
        if (!chosen(t, choice)) continue;
        n += apex_table_rows(t);
        r->n_features = features_of(t);
    }
    size_t cells;
    if (n >= UINT32_MAX ||
        !size_mul((size_t)n + 1, (r->n_features ? r->n_features : 1) * sizeof(double), &cells))
        return APEX_E_LIMIT;
    r->feature = malloc(cells);
    r->label = malloc((n + 1) * sizeof *r->label);
    r->party = malloc(n + 1);
    r->origin = malloc((n + 1) * sizeof *r->origin);
    return r->feature && r->label && r->party && r->origin ? APEX_OK : APEX_E_MEMORY;
}

apex_status rows_load(struct apex_run *run, const struct rows_choice *choice,
                      const struct classes *classes, struct rows *rows)
{
    *rows = (struct rows){0};
    TRY(room(run, choice, rows));
    for (size_t i = 0; i < apex_tables(run); i++) {
        const struct apex_table *t = apex_table_at(run, i);
        uint32_t first = 0;
        if (!chosen(t, choice)) continue;
        for (size_t g = 0; g < apex_table_groups(t); g++) {
            TRY(group_load(t, g, choice->labelled, classes, first, rows));
            first += (uint32_t)apex_table_cells(t, g, 0).n;
        }
    }
    rows->all.rows = rows->n;
    return APEX_OK;
}
