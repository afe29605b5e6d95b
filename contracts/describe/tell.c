/* What the answers have in common. */
#include "contracts/describe/describe.h"

#include <stdlib.h>

static const char *type_name(enum apex_column_type type)
{
    static const char *const names[] = {
        [APEX_LATITUDE] = "latitude", [APEX_LONGITUDE] = "longitude",
        [APEX_FLOAT64] = "float64",   [APEX_INT64] = "int64",
        [APEX_CATEGORY] = "category", [APEX_BOOL] = "bool",
        [APEX_DATE] = "date"};
    return names[type];
}

void name_out(const struct telling *t, const struct apex_column *column)
{
    const char *type = type_name(column->type);
    apex_json_text(t->run, "column", column->name, strlen(column->name));
    apex_json_text(t->run, "type", type, strlen(type));
}

void cell_out(const struct telling *t, const struct release_cell *cell, uint64_t all)
{
    if (cell->reason != RELEASE_OK) {
        release_suppressed(t->run, &t->rules, cell->reason);
        return;
    }
    release_rows(t->run, &t->rules, "rows", cell->rows);
    apex_json_number(t->run, "share", release_ratio(&t->rules, cell->rows, all));
    if (!t->own)
        apex_json_integer(t->run, "contributors",
                          (int64_t)release_contributors(cell, t->rules.n_parties));
}

void count_out(const struct telling *t, const char *key, const struct release_cell *cell)
{
    if (cell->reason == RELEASE_OK)
        release_rows(t->run, &t->rules, key, cell->rows);
    else
        apex_json_null(t->run, key);
}

void rows_out(const struct telling *t, const struct release_cell *rows)
{
    release_demand(t->run, &t->rules, rows);
    release_rows(t->run, &t->rules, "rows", rows->rows);
    if (!t->own)
        apex_json_integer(t->run, "contributors",
                          (int64_t)release_contributors(rows, t->rules.n_parties));
}
