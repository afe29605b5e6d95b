#include "client/lib/rows_copy.h"

#include "common/base/try.h"

#include <stdlib.h>
#include <time.h>

enum { PER_DEGREE = 10000000, A_DAY_S = 86400 };

static void text_put(struct span text, FILE *out)
{
    bool quote = false;
    for (size_t i = 0; i < text.len; i++)
        quote |= memchr(",\"\r\n;\t| ", text.data[i], 8) != NULL;
    if (quote) fputc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') fputc('"', out);
        fputc(text.data[i], out);
    }
    if (quote) fputc('"', out);
}

static void degrees_put(int32_t v, FILE *out)
{
    int64_t whole = v, size = whole < 0 ? -whole : whole;
    fprintf(out, "%s%lld.%07lld", v < 0 ? "-" : "", (long long)(size / PER_DEGREE),
            (long long)(size % PER_DEGREE));
}

static void date_put(int32_t days, FILE *out)
{
    char text[32] = "";
    time_t t = (time_t)days * A_DAY_S;
    struct tm tm;
    if (gmtime_r(&t, &tm)) strftime(text, sizeof text, "%Y-%m-%d", &tm);
    fputs(text, out);
}

static void cell_put(const struct table_column *c, const struct span *texts, size_t row,
                     FILE *out)
{
    if (c->validity && !(c->validity[row / 8] >> row % 8 & 1)) return;
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE: degrees_put(((const int32_t *)c->data)[row], out); return;
    case COLUMN_DATE: date_put(((const int32_t *)c->data)[row], out); return;
    case COLUMN_FLOAT64: fprintf(out, "%.17g", ((const double *)c->data)[row]); return;
    case COLUMN_INT64: fprintf(out, "%lld", (long long)((const int64_t *)c->data)[row]); return;
    case COLUMN_BOOL: fputs(((const uint8_t *)c->data)[row] ? "true" : "false", out); return;
    case COLUMN_CATEGORY: text_put(texts[((const uint32_t *)c->data)[row]], out); return;
    }
}

static apex_status dict_read(const struct table_column *c, struct span **texts)
{
    size_t at = 0;
    *texts = calloc(c->n_dict + 1, sizeof **texts);
    if (!*texts) return APEX_E_MEMORY;
    for (uint32_t i = 0; i < c->n_dict; i++)
        TRY(table_dict_next(c->dict, &at, &(*texts)[i]));
    return APEX_OK;
}

void rows_copy_header(const struct manifest_dataset *schema, FILE *out)
{
    for (size_t i = 0; i < schema->n_columns; i++)
        fprintf(out, "%s%s", i ? "," : "", schema->columns[i].name);
    fputc('\n', out);
}

apex_status rows_copy_group(struct span group, FILE *out)
{
    struct table_group *g = calloc(1, sizeof *g);
    struct span *texts[COLUMNS_MAX] = {NULL};
    apex_status s = g ? table_group_parse(group, g) : APEX_E_MEMORY;
    for (size_t i = 0; s == APEX_OK && i < g->n_columns; i++)
        if (g->columns[i].type == COLUMN_CATEGORY) s = dict_read(&g->columns[i], &texts[i]);
    for (size_t row = 0; s == APEX_OK && row < g->n_rows; row++) {
        for (size_t i = 0; i < g->n_columns; i++) {
            if (i) fputc(',', out);
            cell_put(&g->columns[i], texts[i], row, out);
        }
        fputc('\n', out);
    }
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        free(texts[i]);
    free(g);
    if (s != APEX_OK) return s == APEX_E_MEMORY ? s : APEX_E_BUG;
    return ferror(out) ? APEX_E_IO : APEX_OK;
}
