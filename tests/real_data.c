#include "tests/real_data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 128, LINE_MAX = 4096 };

struct table {
    size_t n, cap, n_fields;
    char *names;
    char *name[FIELDS_MAX];
    char **cell; /* n x n_fields */
};

static char *copy_of(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    if (!copy) abort();
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

/* Cuts at commas; the sets have no quotes. */
static size_t fields_of(char *line, char **field)
{
    size_t n = 1;
    line[strcspn(line, "\r\n")] = 0;
    field[0] = line;
    for (char *at = line; (at = strchr(at, ',')) && n < FIELDS_MAX; n++) {
        *at++ = 0;
        field[n] = at;
    }
    return n;
}

static bool table_read(const char *path, struct table *t)
{
    char line[LINE_MAX], *field[FIELDS_MAX];
    FILE *file = fopen(path, "r");
    if (!file) return false;
    if (!fgets(line, sizeof line, file)) abort();
    t->names = copy_of(line);
    t->n_fields = fields_of(t->names, t->name);
    while (fgets(line, sizeof line, file)) {
        if (t->n == t->cap) {
            t->cap = t->cap ? 2 * t->cap : 1024;
            t->cell = realloc(t->cell, t->cap * t->n_fields * sizeof *t->cell);
            if (!t->cell) abort();
        }
        if (fields_of(line, field) != t->n_fields) abort();
        for (size_t f = 0; f < t->n_fields; f++)
            t->cell[t->n * t->n_fields + f] = copy_of(field[f]);
        t->n++;
    }
    fclose(file);
    return true;
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < t->n * t->n_fields; i++)
        free(t->cell[i]);
    free(t->cell);
    free(t->names);
}

static size_t field_named(const struct table *t, const char *name, size_t len)
{
    for (size_t f = 0; f < t->n_fields; f++)
        if (strlen(t->name[f]) == len && memcmp(t->name[f], name, len) == 0) return f;
    fprintf(stderr, "no column %s\n", name);
    abort();
}

static uint64_t splitmix(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct choice {
    size_t d, target;
    size_t field[FIELDS_MAX];
    const char *text[FIELDS_MAX]; /* of a 0/1 column, or NULL */
};

static void choice_read(const struct table *t, const json_t *task, struct choice *c)
{
    const json_t *columns = json_object_get(task, "columns"), *name;
    size_t i;
    c->d = json_array_size(columns);
    json_array_foreach(columns, i, name)
    {
        const char *text = json_string_value(name), *equals = strchr(text, '=');
        c->field[i] = field_named(t, text, equals ? (size_t)(equals - text) : strlen(text));
        c->text[i] = equals ? equals + 1 : NULL;
    }
    const char *target = json_string_value(json_object_get(task, "target"));
    c->target = field_named(t, target, strlen(target));
}

static uint32_t class_of(const json_t *classes, const char *text)
{
    uint32_t c = 0;
    while (c < json_array_size(classes) &&
           strcmp(json_string_value(json_array_get(classes, c)), text) != 0)
        c++;
    return c;
}

static bool row_whole(const struct choice *c, char *const *cell)
{
    for (size_t f = 0; f < c->d; f++)
        if (cell[c->field[f]][0] == 0) return false;
    return cell[c->target][0] != 0;
}

static void rows_fill(const struct table *t, const struct choice *c, const json_t *classes,
                      struct real_data *r)
{
    for (size_t i = 0; i < t->n; i++) {
        char *const *cell = t->cell + i * t->n_fields;
        if (!row_whole(c, cell)) continue;
        for (size_t f = 0; f < c->d; f++)
            r->column[f][r->n] = c->text[f]
                                     ? (double)(strcmp(cell[c->field[f]], c->text[f]) == 0)
                                     : strtod(cell[c->field[f]], NULL);
        r->label[r->n] = class_of(classes, cell[c->target]);
        r->is_test[r->n] = splitmix((UINT64_C(1) << 32) + i) % 10 >= 7;
        r->row[r->n++] = i;
    }
}

struct real_data *real_data_open(const char *name)
{
    char path[256];
    struct table t = {0};
    struct choice c;
    struct real_data *r = calloc(1, sizeof *r);
    snprintf(path, sizeof path, "../shared/data/reference/%s.json", name);
    if (!r) abort();
    r->reference = json_load_file(path, 0, NULL);
    if (r->reference)
        snprintf(path, sizeof path, "../shared/data/%s",
                 json_string_value(json_object_get(r->reference, "file")));
    if (!r->reference || !table_read(path, &t)) {
        json_decref(r->reference);
        free(r);
        return NULL;
    }
    const json_t *task = json_object_get(r->reference, "classification");
    if (!task) task = json_object_get(r->reference, "regression");
    choice_read(&t, task, &c);
    r->d = c.d;
    r->n_classes = json_array_size(json_object_get(task, "classes"));
    r->column = calloc(c.d, sizeof *r->column);
    for (size_t f = 0; f < c.d; f++)
        r->column[f] = calloc(t.n, sizeof(double));
    r->label = calloc(t.n, sizeof *r->label);
    r->is_test = calloc(t.n, sizeof *r->is_test);
    r->row = calloc(t.n, sizeof *r->row);
    rows_fill(&t, &c, json_object_get(task, "classes"), r);
    table_free(&t);
    return r;
}

void real_data_close(struct real_data *r)
{
    for (size_t f = 0; f < r->d; f++)
        free(r->column[f]);
    free(r->column);
    free(r->label);
    free(r->is_test);
    free(r->row);
    json_decref(r->reference);
    free(r);
}

const json_t *real_data_at(const struct real_data *r, ...)
{
    const json_t *at = r->reference;
    const char *key;
    va_list keys;
    va_start(keys, r);
    while ((key = va_arg(keys, const char *)))
        at = json_object_get(at, key);
    va_end(keys);
    return at;
}

struct real_part real_part_open(const struct real_data *r, bool is_test)
{
    struct real_part p = {.d = r->d, .column = calloc(r->d, sizeof *p.column)};
    for (size_t f = 0; f < r->d; f++)
        p.column[f] = calloc(r->n + 1, sizeof(double));
    p.label = calloc(r->n + 1, sizeof *p.label);
    for (size_t i = 0; i < r->n; i++) {
        if (r->is_test[i] != is_test) continue;
        for (size_t f = 0; f < r->d; f++)
            p.column[f][p.n] = r->column[f][i];
        p.label[p.n++] = r->label[i];
    }
    return p;
}

void real_part_close(struct real_part *p)
{
    for (size_t f = 0; f < p->d; f++)
        free(p->column[f]);
    free(p->column);
    free(p->label);
}
