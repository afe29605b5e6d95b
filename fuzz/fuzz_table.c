/* A group of a table: what parses has every cell in reach, every code in its dictionary, and is
 * the same bytes when it is written again from its cells. */
#include "tests/rebuild.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void touch(const struct table_column *c, size_t n)
{
    struct span text;
    size_t at = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->validity) sum += c->validity[i / 8];
        if (c->type == COLUMN_CATEGORY) {
            uint32_t code = ((const uint32_t *)c->data)[i];
            if ((!c->validity || c->validity[i / 8] >> i % 8 & 1) && code >= c->n_dict) abort();
        }
        sum += ((const uint8_t *)c->data)[i];
    }
    for (uint32_t i = 0; i < c->n_dict; i++)
        if (table_dict_next(c->dict, &at, &text) != APEX_OK) abort();
    __asm__ __volatile__("" : : "r"(sum));
}

/* The parser takes groups that our writer would have split: those are left out. */
static void again(const struct table_group *g, const uint8_t *bytes, size_t len)
{
    static struct manifest_column columns[COLUMNS_MAX];
    static _Alignas(64) uint8_t out[GROUP_BYTES];
    const struct manifest_dataset schema = {"", g->n_columns, columns};
    size_t out_len;
    if (!rebuild_schema(g, columns) || g->n_rows > table_rows_per_group(&schema)) return;
    apex_status s = rebuild(g, &schema, len < GROUP_BYTES, out, &out_len);
    if (s == APEX_E_LIMIT) return;
    if (s != APEX_OK || out_len != len || memcmp(out, bytes, len) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct table_group g;
    if (len == 0 || len > GROUP_BYTES) return 0;
    uint8_t *copy = aligned_alloc(64, (len + 63) / 64 * 64);
    if (!copy) return 0;
    memset(copy + len / 64 * 64, 0, (len + 63) / 64 * 64 - len / 64 * 64);
    memcpy(copy, data, len);
    len = (len + 63) / 64 * 64;
    if (table_group_parse(span_of(copy, len), &g) == APEX_OK) {
        for (size_t c = 0; c < g.n_columns; c++)
            touch(&g.columns[c], g.n_rows);
        again(&g, copy, len);
    }
    free(copy);
    return 0;
}
