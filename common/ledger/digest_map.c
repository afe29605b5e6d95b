#include "common/ledger/digest_map.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/random.h"

#include <stdlib.h>

struct slot {
    uint8_t key[32];
    uint64_t value;
    bool used;
};
struct digest_map {
    struct slot *slots;
    size_t n, cap; /* cap is a power of two */
    uint64_t salt;
};

apex_status digest_map_new(struct digest_map **map)
{
    struct digest_map *m = calloc(1, sizeof *m);
    if (!m) return APEX_E_MEMORY;
    m->cap = 64;
    m->slots = calloc(m->cap, sizeof *m->slots);
    if (!m->slots) {
        free(m);
        return APEX_E_MEMORY;
    }
    random_bytes(&m->salt, sizeof m->salt);
    *map = m;
    return APEX_OK;
}

void digest_map_free(struct digest_map *map)
{
    if (!map) return;
    free(map->slots);
    free(map);
}

static struct slot *slot_of(struct slot *slots, size_t cap, uint64_t salt,
                            const uint8_t key[static 32])
{
    uint64_t h = salt;
    for (int i = 0; i < 4; i++) {
        h = (h ^ get_le64(key + 8 * i)) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
    }
    size_t at = (size_t)h & (cap - 1);
    while (slots[at].used && memcmp(slots[at].key, key, 32) != 0)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static apex_status grow(struct digest_map *m)
{
    if (m->cap > SIZE_MAX / 2 / sizeof *m->slots) return APEX_E_LIMIT;
    struct slot *slots = calloc(2 * m->cap, sizeof *slots);
    if (!slots) return APEX_E_MEMORY;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].used)
            *slot_of(slots, 2 * m->cap, m->salt, m->slots[i].key) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap *= 2;
    return APEX_OK;
}

apex_status digest_map_put(struct digest_map *map, const uint8_t key[static 32], uint64_t value)
{
    if (4 * (map->n + 1) > 3 * map->cap) TRY(grow(map));
    struct slot *s = slot_of(map->slots, map->cap, map->salt, key);
    if (!s->used) {
        memcpy(s->key, key, 32);
        s->used = true;
        map->n++;
    }
    s->value = value;
    return APEX_OK;
}

bool digest_map_get(const struct digest_map *map, const uint8_t key[static 32], uint64_t *value)
{
    const struct slot *s = slot_of(map->slots, map->cap, map->salt, key);
    if (s->used) *value = s->value;
    return s->used;
}
