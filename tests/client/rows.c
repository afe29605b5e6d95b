#include "tests/client/rows.h"

#include "common/base/try.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEGREES(most) .has_min = true, .has_max = true, .min = -(most), .max = (most)

static struct manifest_column all_columns[ROWS_COLUMNS] = {
    {.name = "lat", .type = COLUMN_LATITUDE, DEGREES(90)},
    {.name = "lon", .type = COLUMN_LONGITUDE, DEGREES(180)},
    {.name = "f", .type = COLUMN_FLOAT64, .missing = true},
    {.name = "i", .type = COLUMN_INT64, .missing = true},
    {.name = "c", .type = COLUMN_CATEGORY, .missing = true},
    {.name = "b", .type = COLUMN_BOOL, .missing = true},
    {.name = "d", .type = COLUMN_DATE, .missing = true},
};
const struct manifest_dataset rows_all = {"all", ROWS_COLUMNS, all_columns};

static struct manifest_column place_columns[2] = {
    {.name = "latitude", .type = COLUMN_LATITUDE, DEGREES(90)},
    {.name = "longitude", .type = COLUMN_LONGITUDE, DEGREES(180)},
};
const struct manifest_dataset rows_places = {"places", 2, place_columns};

static struct span dict_text(const struct table_column *c, uint32_t code)
{
    struct span text = {NULL, 0};
    size_t at = 0;
    for (uint32_t i = 0; i <= code; i++)
        if (table_dict_next(c->dict, &at, &text) != APEX_OK) abort();
    return text;
}

static void cell_write(const struct table_column *c, size_t row, struct buffer *out)
{
    char text[40];
    switch (c->type) {
    case COLUMN_CATEGORY:
        buffer_append(out, dict_text(c, ((const uint32_t *)c->data)[row]));
        return;
    case COLUMN_BOOL: buffer_text(out, ((const uint8_t *)c->data)[row] ? "t" : "f"); return;
    case COLUMN_FLOAT64:
        snprintf(text, sizeof text, "%.17g", ((const double *)c->data)[row]);
        break;
    case COLUMN_INT64:
        snprintf(text, sizeof text, "%lld", (long long)((const int64_t *)c->data)[row]);
        break;
    default: snprintf(text, sizeof text, "%d", ((const int32_t *)c->data)[row]);
    }
    buffer_text(out, text);
}

apex_status rows_write(struct span group, const struct manifest_dataset *schema,
                       struct buffer *cells)
{
    static struct table_group g;
    size_t row, column;
    TRY(table_group_parse(group, &g));
    TRY(table_group_check(&g, schema, &row, &column));
    for (size_t r = 0; r < g.n_rows; r++)
        for (size_t i = 0; i < g.n_columns; i++) {
            const struct table_column *c = &g.columns[i];
            bool missing = c->validity && !(c->validity[r / 8] >> r % 8 & 1);
            if (missing)
                buffer_text(cells, "-");
            else
                cell_write(c, r, cells);
            buffer_text(cells, i + 1 < g.n_columns ? "," : "\n");
        }
    return buffer_ok(cells);
}

struct taking {
    const struct manifest_dataset *schema;
    struct rows_read *r;
};

static apex_status take(void *context, struct span group)
{
    struct taking *t = context;
    t->r->n_groups++;
    return rows_write(group, t->schema, &t->r->cells);
}

void rows_from_path(const char *path, const char *map, const struct manifest_dataset *schema,
                    struct rows_read *r)
{
    struct taking t = {schema, r};
    struct reader_options o = {.map = map, .group = take, .context = &t};
    *r = (struct rows_read){0};
    r->status = reader_run(path, schema, &o, &r->complaints, &r->summary, &r->error);
}

void rows_from(struct span file, const char *map, const struct manifest_dataset *schema,
               struct rows_read *r)
{
    char path[40];
    int fd = memfd_create("rows", MFD_CLOEXEC);
    if (fd < 0) abort();
    for (size_t at = 0; at < file.len;) {
        ssize_t n = write(fd, file.data + at, file.len - at);
        if (n <= 0) abort();
        at += (size_t)n;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rows_from_path(path, map, schema, r);
    close(fd);
}

void rows_clear(struct rows_read *r)
{
    buffer_clear(&r->cells);
}

void rows_all_taken(const struct rows_case *cases, size_t n,
                    const struct manifest_dataset *schema)
{
    struct rows_read r;
    for (size_t i = 0; i < n; i++) {
        rows_from(span_text(cases[i].file), cases[i].map, schema, &r);
        buffer_u8(&r.cells, 0);
        if (r.status != APEX_OK || strcmp((const char *)r.cells.data, cases[i].cells) != 0)
            fail_msg("case %zu, %s: status %d, %s; read: %s", i, cases[i].file, (int)r.status,
                     r.error.what, (const char *)r.cells.data);
        rows_clear(&r);
    }
}

void rows_all_refused(const struct rows_refusal *cases, size_t n)
{
    struct rows_read r;
    for (size_t i = 0; i < n; i++) {
        const struct rows_refusal *c = &cases[i];
        rows_from(c->len ? span_of(c->file, c->len) : span_text(c->file), c->map, &rows_places,
                  &r);
        if (r.status != c->status || !strstr(r.error.what, c->what) || r.n_groups > 0 ||
            !strstr(r.error.not_done, "nothing was sent") || !r.error.next[0])
            fail_msg("case %zu, %s: status %d, \"%s\" (next: %s)", i, c->file, (int)r.status,
                     r.error.what, r.error.next);
        rows_clear(&r);
    }
}
