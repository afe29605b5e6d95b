#include "contracts/lib/column.h"

#include "common/base/try.h"
#include "common/num/cells.h"

#include <stdlib.h>

bool column_is_number(const struct apex_column *c)
{
    return c->type != APEX_CATEGORY && c->type != APEX_BOOL;
}

const struct apex_column *column_find(const struct apex_run *run, const char *dataset,
                                      const char *name)
{
    const struct apex_column *columns;
    size_t n = apex_schema(run, dataset, &columns);
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return &columns[i];
    return NULL;
}

static void cells_fill(void *context, size_t index, unsigned thread, struct describe_cells *out)
{
    struct column *c = context;
    struct num_block block;
    uint8_t *present = c->present[thread];
    c->frame.source.block(&c->frame, index, thread, &block);
    for (size_t i = 0; i < block.n; i++)
        present[i] = block.weight[i] > 0;
    *out = (struct describe_cells){block.n, block.column[0], present, NULL,
                                   frame_parties(&c->frame, thread)};
}

static void rows_by_party(struct column *c)
{
    for (size_t t = 0; t < c->frame.n_tables; t++) {
        c->rows.by_party[apex_table_party(c->frame.tables[t].table)] += c->frame.tables[t].n;
        c->rows.rows += c->frame.tables[t].n;
    }
}

apex_status column_open(struct apex_run *run, const char *dataset, bool is_private,
                        const struct apex_column *schema, struct column *c)
{
    struct frame_choice choice = {.dataset = dataset, .is_private = is_private};
    *c = (struct column){0};
    memcpy(c->feature.column, schema->name, sizeof c->feature.column);
    c->like =
        (struct encoding){.kind = FRAME_NO_TARGET, .n_features = 1, .features = &c->feature};
    if (column_is_number(schema)) {
        choice.like = &c->like;
    } else {
        choice.target = schema->name;
        choice.kind = FRAME_LABELS;
        choice.bare = true;
    }
    TRY(frame_open(run, &choice, &c->frame));
    c->present = malloc(FRAME_THREADS_MAX * sizeof *c->present);
    if (!c->present) return APEX_E_MEMORY;
    c->source =
        (struct describe_source){c->frame.n_rows, c->frame.source.n_blocks, cells_fill, c};
    rows_by_party(c);
    return APEX_OK;
}

void column_close(struct column *c)
{
    frame_close(&c->frame);
    free(c->present);
    *c = (struct column){0};
}

apex_status column_present(struct column *c, struct release_cell *cell)
{
    return frame_count(&c->frame, cell);
}

apex_status column_texts_count(struct column *c, const struct release_rules *rules,
                               struct release_cell *cells)
{
    size_t k = c->frame.encoding->n_classes;
    uint64_t *counts = calloc((k + 1) * rules->n_parties, sizeof *counts);
    if (!counts) return APEX_E_MEMORY;
    for (size_t b = 0; b < c->frame.source.n_blocks; b++) {
        struct num_block block;
        c->frame.source.block(&c->frame, b, 0, &block);
        struct cells_rows rows = {block.n, block.label, block.weight, NULL,
                                  frame_parties(&c->frame, 0)};
        cells_count(&rows, k, rules->n_parties, counts);
    }
    for (size_t p = 0; p < rules->n_parties; p++) {
        uint64_t with = 0;
        for (size_t i = 0; i < k; i++)
            with += counts[i * rules->n_parties + p];
        counts[k * rules->n_parties + p] = c->rows.by_party[p] - with;
    }
    release_cells_of(rules, counts, k + 1, cells);
    free(counts);
    return APEX_OK;
}
