#include "tests/real_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 4096, CELL_MAX = 64, GROUPS_MAX = 256 };

/* Rows are read again for two columns: the target's and the one that tells the owner. */
struct columns {
    size_t target, group; /* places in a line; SIZE_MAX if none */
    size_t n;
    char (*cell)[CELL_MAX]; /* n: the group's */
    double *number;         /* n: the target's */
};

static const json_t *about(const struct real_data *data, json_t *manifest)
{
    const char *path = json_string_value(json_object_get(data->reference, "file"));
    const json_t *files = json_object_get(manifest, "files"), *file;
    size_t i;
    json_array_foreach(files, i, file)
    {
        if (strcmp(json_string_value(json_object_get(file, "path")), path) == 0) return file;
    }
    abort();
}

/* The cell at a place, cut out of a line; the sets have no quotes. */
static void cell_at(const char *line, size_t place, char cell[CELL_MAX])
{
    for (; place > 0; place--)
        line = strchr(line, ',') + 1;
    size_t len = strcspn(line, ",\r\n");
    if (len >= CELL_MAX) abort();
    memcpy(cell, line, len);
    cell[len] = 0;
}

static size_t place_of(const char *header, const char *name)
{
    char cell[CELL_MAX];
    if (!name) return SIZE_MAX;
    for (size_t place = 0;; place++) {
        cell_at(header, place, cell);
        if (strcmp(cell, name) == 0) return place;
    }
}

static struct columns columns_read(const struct real_data *data, const json_t *file)
{
    struct columns c = {0};
    char path[256], line[LINE_MAX], cell[CELL_MAX];
    snprintf(path, sizeof path, "../shared/data/%s",
             json_string_value(json_object_get(data->reference, "file")));
    FILE *rows = fopen(path, "r");
    if (!rows || !fgets(line, sizeof line, rows)) abort();
    const json_t *owners = json_object_get(file, "enterprises");
    c.target = place_of(line, json_string_value(json_object_get(file, "target")));
    c.group = place_of(line, json_string_value(json_object_get(owners, "column")));
    size_t most = (size_t)json_integer_value(json_object_get(file, "rows"));
    c.cell = calloc(most, sizeof *c.cell);
    c.number = calloc(most, sizeof *c.number);
    if (!c.cell || !c.number) abort();
    for (; c.n < most && fgets(line, sizeof line, rows); c.n++) {
        cell_at(line, c.target, cell);
        c.number[c.n] = strtod(cell, NULL);
        if (c.group != SIZE_MAX) cell_at(line, c.group, c.cell[c.n]);
    }
    fclose(rows);
    return c;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The place of each row's text among the texts in bytewise order. */
static void groups_number(const struct columns *c, size_t *number)
{
    static char text[GROUPS_MAX][CELL_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t g = 0;
        while (g < n && strcmp(text[g], c->cell[i]) != 0)
            g++;
        if (g == GROUPS_MAX) abort();
        if (g == n) memcpy(text[n++], c->cell[i], CELL_MAX);
    }
    qsort(text, n, CELL_MAX, by_bytes);
    for (size_t i = 0; i < c->n; i++)
        for (size_t g = 0; g < n; g++)
            if (strcmp(text[g], c->cell[i]) == 0) number[i] = g;
}

static uint64_t splitmix(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct real_owner real_owner_open(const struct real_data *data)
{
    json_t *manifest = json_load_file("../shared/data/manifest.json", 0, NULL);
    if (!manifest) abort();
    const json_t *file = about(data, manifest), *owners = json_object_get(file, "enterprises");
    const char *rule = json_string_value(json_object_get(owners, "rule"));
    struct columns c = columns_read(data, file);
    struct real_owner o = {.n_owners =
                               (size_t)json_integer_value(json_object_get(owners, "n"))};
    size_t *group = calloc(c.n, sizeof *group);
    o.target = calloc(data->n, sizeof *o.target);
    o.owner = calloc(data->n, sizeof *o.owner);
    if (!group || !o.target || !o.owner) abort();
    if (c.group != SIZE_MAX) groups_number(&c, group);
    for (size_t i = 0; i < data->n; i++) {
        size_t row = data->row[i];
        o.target[i] = c.number[row];
        if (c.group == SIZE_MAX)
            o.owner[i] = (uint32_t)(splitmix((UINT64_C(2) << 32) + row) % o.n_owners);
        else if (rule && strstr(rule, "div 4"))
            o.owner[i] = (uint32_t)((strtoul(c.cell[row], NULL, 10) - 1) / 4);
        else
            o.owner[i] = (uint32_t)(group[row] % o.n_owners);
    }
    free(group);
    free(c.cell);
    free(c.number);
    json_decref(manifest);
    return o;
}

void real_owner_close(struct real_owner *owner)
{
    free(owner->target);
    free(owner->owner);
}
