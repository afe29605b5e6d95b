/* A group of a table: what parses has every cell in reach, every code in its dictionary. */
#include "common/wire/table.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct table_group g;
    if (len == 0 || len > GROUP_BYTES) return 0;
    uint8_t *copy = aligned_alloc(64, (len + 63) / 64 * 64);
    if (!copy) return 0;
    memset(copy + len / 64 * 64, 0, (len + 63) / 64 * 64 - len / 64 * 64);
    memcpy(copy, data, len);
    if (table_group_parse(span_of(copy, (len + 63) / 64 * 64), &g) == APEX_OK)
        for (size_t c = 0; c < g.n_columns; c++)
            touch(&g.columns[c], g.n_rows);
    free(copy);
    return 0;
}
