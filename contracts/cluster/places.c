#include "contracts/cluster/places.h"

#include "common/base/try.h"
#include "common/num/geo.h"
#include "common/num/parallel.h"
#include "contracts/lib/run.h"

#include <stdlib.h>

#define WEIGHT_MOST 4294967295.0

struct places_scratch {
    uint8_t *present, *counts;
    uint32_t *weight;
    int32_t *vector[3];
};

static size_t column_of(struct apex_run *run, const struct apex_table *t,
                        enum apex_column_type type, const char *lacks)
{
    for (size_t c = 0; c < apex_table_columns(t); c++)
        if (apex_table_column_type(t, c) == type) return c;
    apex_refuse(run, APEX_REFUSE_PARAMETER, lacks);
}

/* What the manifest says of a column: may cells be missing, is a weight in its range? */
static void schema_check(struct places *p, const struct apex_table *t, size_t column)
{
    const struct apex_column *columns;
    size_t n = apex_schema(p->run, apex_table_dataset(t), &columns);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(columns[i].name, apex_table_column_name(t, column)) != 0) continue;
        p->missing |= columns[i].missing;
        bool bounded =
            columns[i].bounded && columns[i].min >= 0 && columns[i].max <= WEIGHT_MOST;
        if (columns[i].type == APEX_INT64 && !bounded)
            apex_refuse(p->run, APEX_REFUSE_PARAMETER,
                        "the weight column needs min and max within 0 and 4294967295");
    }
}

static void table_chunks(struct places *p, const struct apex_table *t)
{
    struct places_at at = {
        .table = t,
        .latitude = column_of(p->run, t, APEX_LATITUDE, "the dataset has no latitude column"),
        .longitude =
            column_of(p->run, t, APEX_LONGITUDE, "the dataset has no longitude column")};
    if (p->weighted)
        at.weight =
            column_of(p->run, t, APEX_INT64, "the dataset has no int64 column to weigh by");
    schema_check(p, t, at.latitude);
    schema_check(p, t, at.longitude);
    if (p->weighted) schema_check(p, t, at.weight);
    for (at.group = 0; at.group < apex_table_groups(t); at.group++) {
        at.first = p->n;
        at.n = t->group_rows[at.group];
        p->n += at.n;
        p->at[p->n_chunks++] = at;
    }
}

static struct places_scratch *scratch_new(void)
{
    struct places_scratch *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->present = aligned_alloc(64, GROUP_ROWS_MAX);
    s->counts = aligned_alloc(64, GROUP_ROWS_MAX);
    s->weight = aligned_alloc(64, GROUP_ROWS_MAX * sizeof *s->weight);
    if (!s->present || !s->counts || !s->weight) return NULL;
    memset(s->present, 1, GROUP_ROWS_MAX);
    return s;
}

static void validity_apply(const struct table_column *c, size_t n, uint8_t *present)
{
    for (size_t i = 0; c->validity && i < n; i++)
        present[i] &= c->validity[i >> 3] >> (i & 7) & 1;
}

/* 1 for a row all of whose cells are there. */
static void presence_fill(const struct places *p, const struct places_at *at,
                          const struct table_group *g, uint8_t *present)
{
    if (!p->missing) return; /* all ones, as the scratch was made */
    memset(present, 1, at->n);
    validity_apply(&g->columns[at->latitude], at->n, present);
    validity_apply(&g->columns[at->longitude], at->n, present);
    if (p->weighted) validity_apply(&g->columns[at->weight], at->n, present);
}

static void weights_fill(const int64_t *given, size_t n, struct places_scratch *s)
{
    for (size_t i = 0; i < n; i++) {
        s->weight[i] = (uint32_t)given[i] * s->present[i];
        s->counts[i] = s->weight[i] != 0;
    }
}

void places_chunk(struct places *p, size_t index, unsigned thread, struct places_chunk *out)
{
    const struct places_at *at = &p->at[index];
    struct places_scratch *s = p->scratch[thread];
    const struct table_group *g = run_group(at->table, at->group, thread);
    *out = (struct places_chunk){.n = at->n,
                                 .first = at->first,
                                 .party = apex_table_party(at->table),
                                 .latitude = g->columns[at->latitude].data,
                                 .longitude = g->columns[at->longitude].data,
                                 .told = p->weighted && !p->loose ? s->counts : s->present,
                                 .counts = p->weighted ? s->counts : s->present};
    presence_fill(p, at, g, s->present);
    if (p->weighted) weights_fill(g->columns[at->weight].data, at->n, s);
    for (size_t i = 0; !p->weighted && p->missing && i < at->n; i++)
        s->weight[i] = s->present[i];
    if (p->weighted || p->missing) out->weight = s->weight;
}

static uint64_t ones(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bytes[i];
    return sum;
}

/* How many rows count, by party, are told of, and have a missing cell. */
static void rows_count(struct places *p)
{
    bool all = !p->missing && !p->weighted;
    for (size_t c = 0; c < p->n_chunks; c++) {
        struct places_chunk chunk = {.n = p->at[c].n};
        if (!all) places_chunk(p, c, 0, &chunk);
        uint64_t count = all ? chunk.n : ones(chunk.counts, chunk.n);
        p->n_told += all ? chunk.n : ones(chunk.told, chunk.n);
        if (p->missing) p->n_dropped += chunk.n - ones(p->scratch[0]->present, chunk.n);
        p->all.by_party[apex_table_party(p->at[c].table)] += count;
        p->all.rows += count;
    }
}

apex_status places_open(struct apex_run *run, bool weighted, struct places *p)
{
    size_t n_groups = 0;
    unsigned threads = apex_threads(run);
    const struct release_rules rules = release_rules_of(run);
    *p =
        (struct places){.run = run,
                        .weighted = weighted,
                        .loose = release_is_loose(&rules),
                        .threads = threads < PLACES_THREADS_MAX ? threads : PLACES_THREADS_MAX};
    for (size_t i = 0; i < apex_tables(run); i++)
        n_groups += apex_table_groups(apex_table_at(run, i));
    p->at = calloc(n_groups + 1, sizeof *p->at);
    if (!p->at) return APEX_E_MEMORY;
    for (size_t i = 0; i < apex_tables(run); i++)
        table_chunks(p, apex_table_at(run, i));
    for (unsigned t = 0; t < p->threads; t++)
        if (!(p->scratch[t] = scratch_new())) return APEX_E_MEMORY;
    rows_count(p);
    return APEX_OK;
}

static apex_status planar_chunk(void *context, size_t index, unsigned thread,
                                struct kmeans_chunk *out)
{
    struct places_chunk c;
    places_chunk(context, index, thread, &c);
    *out = (struct kmeans_chunk){
        .n = c.n, .column = {c.latitude, c.longitude}, .weights = c.weight};
    return APEX_OK;
}

static apex_status sphere_chunk(void *context, size_t index, unsigned thread,
                                struct kmeans_chunk *out)
{
    struct places *p = context;
    struct places_scratch *s = p->scratch[thread];
    struct places_chunk c;
    places_chunk(p, index, thread, &c);
    *out = (struct kmeans_chunk){.n = c.n, .weights = c.weight};
    for (size_t d = 0; d < 3; d++)
        out->column[d] = p->vectors_held ? p->vector[d] + c.first : s->vector[d];
    if (!p->vectors_held)
        geo_vectors(c.latitude, c.longitude, c.n, s->vector[0], s->vector[1], s->vector[2]);
    return APEX_OK;
}

static void vectors_fill(void *context, size_t index, unsigned thread)
{
    struct places *p = context;
    struct places_chunk c;
    places_chunk(p, index, thread, &c);
    geo_vectors(c.latitude, c.longitude, c.n, p->vector[0] + c.first, p->vector[1] + c.first,
                p->vector[2] + c.first);
}

static apex_status vectors_open(struct places *p)
{
    p->vectors_held = !p->run->streamed;
    for (size_t d = 0; d < 3; d++) {
        if (p->vectors_held) p->vector[d] = malloc((p->n + 1) * sizeof(int32_t));
        if (p->vectors_held && !p->vector[d]) return APEX_E_MEMORY;
        for (unsigned t = 0; t < p->threads && !p->vectors_held; t++) {
            p->scratch[t]->vector[d] = malloc(GROUP_ROWS_MAX * sizeof(int32_t));
            if (!p->scratch[t]->vector[d]) return APEX_E_MEMORY;
        }
    }
    if (p->vectors_held) parallel_blocks(p->threads, p->n_chunks, vectors_fill, p);
    return APEX_OK;
}

apex_status places_source(struct places *p, bool sphere, struct kmeans_source *source)
{
    *source = (struct kmeans_source){.n = p->n,
                                     .d = sphere ? 3 : 2,
                                     .n_chunks = p->n_chunks,
                                     .chunk = sphere ? sphere_chunk : planar_chunk,
                                     .context = p};
    return sphere ? vectors_open(p) : APEX_OK;
}
