#include "client/lib/map.h"

static size_t column_named(const struct manifest_dataset *schema, struct span name)
{
    size_t i = 0;
    while (i < schema->n_columns && !span_equal(name, span_text(schema->columns[i].name)))
        i++;
    return i;
}

static const char *pair_take(struct span pair, const struct manifest_dataset *schema,
                             struct column_map *map)
{
    const uint8_t *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    if (!equals) return "--map is not of the form column=name,column=name";
    size_t at = (size_t)(equals - pair.data), i = column_named(schema, span_of(pair.data, at));
    if (i == schema->n_columns) return "--map names a column that the dataset has not";
    if (map->name[i].data) return "--map names a column of the dataset twice";
    if (at + 1 == pair.len) return "--map is not of the form column=name,column=name";
    map->name[i] = span_of(equals + 1, pair.len - at - 1);
    map->n++;
    return NULL;
}

const char *column_map_parse(const char *text, const struct manifest_dataset *schema,
                             struct column_map *map)
{
    *map = (struct column_map){.given = text != NULL};
    for (; text; text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL) {
        const char *why = pair_take(span_of(text, strcspn(text, ",")), schema, map);
        if (why) return why;
    }
    return NULL;
}
