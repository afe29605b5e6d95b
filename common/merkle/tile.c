#include "common/merkle/tile.h"

#include "common/base/endian.h"
#include "common/base/try.h"

#include <stdio.h>

enum { LEVELS_MAX = 8, TILE_HEIGHT = 8 };

/* c2sp.org/tlog-tiles: the index in groups of three digits, all but the last prefixed with x.
 */
static int index_write(uint64_t index, char *text, size_t room)
{
    uint16_t part[8];
    int n = 0, len = 0;
    do {
        part[n++] = (uint16_t)(index % 1000);
        index /= 1000;
    } while (index > 0);
    while (n-- > 0)
        len += snprintf(text + len, room - (size_t)len, n > 0 ? "x%03u/" : "%03u", part[n]);
    return len;
}

apex_status tile_path(unsigned level, uint64_t index, unsigned width,
                      char path[static TILE_PATH_MAX])
{
    int n;
    if ((level >= LEVELS_MAX && level != TILE_ENTRIES) || width < 1 || width > TILE_WIDTH)
        return APEX_E_USAGE;
    if (level == TILE_ENTRIES)
        n = snprintf(path, TILE_PATH_MAX, "tile/entries/");
    else
        n = snprintf(path, TILE_PATH_MAX, "tile/%u/", level);
    n += index_write(index, path + n, TILE_PATH_MAX - (size_t)n);
    if (width < TILE_WIDTH) snprintf(path + n, TILE_PATH_MAX - (size_t)n, ".p/%u", width);
    return APEX_OK;
}

static bool three_digits(const char **p, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < 3; i++) {
        if (**p < '0' || **p > '9') return false;
        *value = *value * 10 + (uint64_t)(*(*p)++ - '0');
    }
    return true;
}

static bool index_parse(const char **p, uint64_t *index)
{
    uint64_t part;
    *index = 0;
    for (int groups = 0; groups < 6; groups++) {
        bool more = **p == 'x';
        if (more) (*p)++;
        if (!three_digits(p, &part)) return false;
        *index = *index * 1000 + part;
        if (!more) return true;
        if (*(*p)++ != '/') return false;
    }
    return false;
}

/* One form per tile: what is parsed is written again and compared, so leading zeros and the
 * like fall out. */
apex_status tile_path_parse(const char *path, unsigned *level, uint64_t *index, unsigned *width)
{
    const char *p = path;
    char again[TILE_PATH_MAX];
    if (strncmp(p, "tile/", 5) != 0) return APEX_E_FORMAT;
    p += 5;
    if (strncmp(p, "entries/", 8) == 0) {
        *level = TILE_ENTRIES;
        p += 8;
    } else {
        if (*p < '0' || *p >= '0' + LEVELS_MAX || p[1] != '/') return APEX_E_FORMAT;
        *level = (unsigned)(*p - '0');
        p += 2;
    }
    if (!index_parse(&p, index)) return APEX_E_FORMAT;
    *width = TILE_WIDTH;
    if (strncmp(p, ".p/", 3) == 0) {
        *width = 0;
        for (p += 3; *p >= '0' && *p <= '9' && *width < TILE_WIDTH; p++)
            *width = *width * 10 + (unsigned)(*p - '0');
        if (*width < 1 || *width >= TILE_WIDTH) return APEX_E_FORMAT;
    }
    if (*p != 0) return APEX_E_FORMAT;
    TRY(tile_path(*level, *index, *width, again));
    return strcmp(again, path) == 0 ? APEX_OK : APEX_E_FORMAT;
}

apex_status tile_write(const struct merkle_tree *tree, uint64_t size, unsigned level,
                       uint64_t index, unsigned width, struct buffer *out)
{
    if (level >= LEVELS_MAX || width < 1 || width > TILE_WIDTH || size > merkle_tree_size(tree))
        return APEX_E_USAGE;
    uint64_t at_level = size >> TILE_HEIGHT * level;
    if (index > at_level / TILE_WIDTH || index * TILE_WIDTH + width > at_level)
        return APEX_E_USAGE;
    for (uint64_t i = index * TILE_WIDTH; i < index * TILE_WIDTH + width; i++) {
        struct merkle_hash h;
        TRY(merkle_tree_node_at(tree, TILE_HEIGHT * level, i, &h));
        buffer_append(out, SPAN(h.bytes));
    }
    return buffer_ok(out);
}

apex_status bundle_write(struct span entry, struct buffer *out)
{
    uint8_t len[2];
    if (entry.len > ENTRY_MAX) return APEX_E_LIMIT;
    put_be16(len, (uint16_t)entry.len);
    buffer_append(out, SPAN(len));
    buffer_append(out, entry);
    return buffer_ok(out);
}

apex_status bundle_next(struct span *bundle, struct span *entry)
{
    if (bundle->len < 2) return APEX_E_FORMAT;
    size_t len = get_be16(bundle->data);
    if (len > bundle->len - 2) return APEX_E_FORMAT;
    *entry = span_of(bundle->data + 2, len);
    *bundle = span_of(bundle->data + 2 + len, bundle->len - 2 - len);
    return APEX_OK;
}
