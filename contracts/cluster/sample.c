#include "contracts/cluster/sample.h"

#include "common/base/try.h"
#include "common/num/geo.h"
#include "common/num/random.h"

#include <stdlib.h>

enum { ROWS_STREAM = 78 };

void sample_draw(const struct apex_run *run, size_t n, size_t some, uint64_t stream,
                 uint32_t *drawn)
{
    struct random_state r;
    random_seed(&r, apex_seed(run), stream);
    for (size_t s = 0; s < some; s++) {
        size_t first = (size_t)((unsigned __int128)n * s / some),
               next = (size_t)((unsigned __int128)n * (s + 1) / some);
        drawn[s] = (uint32_t)(first + (size_t)(random_unit(&r) * (double)(next - first)));
    }
}

static apex_status room_make(struct sample *s)
{
    s->latitude = malloc((s->n + 1) * sizeof *s->latitude);
    s->longitude = malloc((s->n + 1) * sizeof *s->longitude);
    s->weight = malloc((s->n + 1) * sizeof *s->weight);
    s->used = malloc(s->n + 1);
    s->party = malloc(s->n + 1);
    for (size_t d = 0; d < 3; d++)
        if (!(s->vector[d] = malloc((s->n + 1) * sizeof(int32_t)))) return APEX_E_MEMORY;
    return s->latitude && s->longitude && s->weight && s->used && s->party ? APEX_OK
                                                                           : APEX_E_MEMORY;
}

static void rows_take(struct places *p, const uint32_t *drawn, struct sample *s)
{
    size_t at = 0;
    for (size_t c = 0; c < p->n_chunks; c++) {
        struct places_chunk chunk;
        places_chunk(p, c, 0, &chunk);
        for (; at < s->n && drawn[at] < chunk.first + chunk.n; at++) {
            size_t i = drawn[at] - chunk.first;
            s->latitude[at] = chunk.latitude[i];
            s->longitude[at] = chunk.longitude[i];
            s->weight[at] = s->used[at] = chunk.counts[i];
            s->party[at] = (uint8_t)chunk.party;
            s->all.by_party[chunk.party] += chunk.counts[i];
            s->all.rows += chunk.counts[i];
        }
    }
}

apex_status sample_open(struct places *p, size_t most, bool sphere, struct sample *s)
{
    *s = (struct sample){.n = p->n < most ? p->n : most};
    uint32_t *drawn = malloc((s->n + 1) * sizeof *drawn);
    if (p->n > UINT32_MAX) return APEX_E_LIMIT;
    if (!drawn) return APEX_E_MEMORY;
    TRY(room_make(s));
    sample_draw(p->run, p->n, s->n, ROWS_STREAM, drawn);
    rows_take(p, drawn, s);
    free(drawn);
    geo_vectors(s->latitude, s->longitude, s->n, s->vector[0], s->vector[1], s->vector[2]);
    s->arrays = (struct kmeans_arrays){.n = s->n, .d = sphere ? 3 : 2, .weights = s->weight};
    for (size_t d = 0; d < 3; d++)
        s->arrays.column[d] = sphere ? s->vector[d] : d == 0 ? s->latitude : s->longitude;
    return APEX_OK;
}

void sample_clear(struct sample *s)
{
    free(s->latitude);
    free(s->longitude);
    free(s->weight);
    free(s->used);
    free(s->party);
    for (size_t d = 0; d < 3; d++)
        free(s->vector[d]);
    *s = (struct sample){0};
}
