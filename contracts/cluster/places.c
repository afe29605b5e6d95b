#include "contracts/cluster/places.h"

#include "common/base/try.h"

#include <stdlib.h>

struct columns {
    size_t latitude, longitude, weight;
};

static size_t column_of(struct apex_run *run, const struct apex_table *t,
                        enum apex_column_type type, const char *lacks)
{
    for (size_t c = 0; c < apex_table_columns(t); c++)
        if (apex_table_column_type(t, c) == type) return c;
    apex_refuse(run, APEX_REFUSE_PARAMETER, lacks);
}

static apex_status room(struct apex_run *run, bool weighted, struct places *p)
{
    uint64_t n = 0;
    for (size_t i = 0; i < apex_tables(run); i++)
        n += apex_table_rows(apex_table_at(run, i));
    if (n > UINT32_MAX) return APEX_E_LIMIT;
    p->latitude = malloc((n + 1) * sizeof *p->latitude);
    p->longitude = malloc((n + 1) * sizeof *p->longitude);
    p->party = malloc(n + 1);
    p->weight = weighted ? malloc((n + 1) * sizeof *p->weight) : NULL;
    return p->latitude && p->longitude && p->party && (!weighted || p->weight) ? APEX_OK
                                                                               : APEX_E_MEMORY;
}

static bool present(struct apex_cells c, size_t i)
{
    return !c.validity || c.validity[i >> 3] >> (i & 7) & 1;
}

static void group_load(struct apex_run *run, const struct apex_table *t, size_t g,
                       const struct columns *at, struct places *p)
{
    struct apex_cells la = apex_table_cells(t, g, at->latitude),
                      lo = apex_table_cells(t, g, at->longitude);
    struct apex_cells we = p->weight ? apex_table_cells(t, g, at->weight) : la;
    for (size_t i = 0; i < la.n; i++) {
        if (!present(la, i) || !present(lo, i) || !present(we, i)) {
            p->n_dropped++;
            continue;
        }
        if (p->weight) {
            int64_t w = ((const int64_t *)we.data)[i];
            if (w < 0 || w > UINT32_MAX)
                apex_refuse(run, APEX_REFUSE_PARAMETER,
                            "a weight is negative or above 4294967295");
            p->weight[p->n] = (uint32_t)w;
        }
        p->latitude[p->n] = ((const int32_t *)la.data)[i];
        p->longitude[p->n] = ((const int32_t *)lo.data)[i];
        p->party[p->n++] = (uint8_t)apex_table_party(t);
        p->all.by_party[apex_table_party(t)]++;
    }
}

apex_status places_load(struct apex_run *run, bool weighted, struct places *p)
{
    *p = (struct places){0};
    TRY(room(run, weighted, p));
    for (size_t i = 0; i < apex_tables(run); i++) {
        const struct apex_table *t = apex_table_at(run, i);
        struct columns at = {
            column_of(run, t, APEX_LATITUDE, "the dataset has no latitude column"),
            column_of(run, t, APEX_LONGITUDE, "the dataset has no longitude column"), 0};
        if (weighted)
            at.weight =
                column_of(run, t, APEX_INT64, "the dataset has no int64 column to weigh by");
        for (size_t g = 0; g < apex_table_groups(t); g++)
            group_load(run, t, g, &at, p);
    }
    p->all.rows = p->n;
    return APEX_OK;
}
