/* From 32-byte digests to numbers: open addressing, grows by doubling, never forgets. The keys
 * are hashes or public keys, but chosen by others, so their place is taken from a keyed mix:
 * nobody outside can pile them up. */
#ifndef COMMON_LEDGER_DIGEST_MAP_H
#define COMMON_LEDGER_DIGEST_MAP_H

#include "common/base/span.h"
#include "include/apex/status.h"

struct digest_map;
apex_status digest_map_new(struct digest_map **map);
void digest_map_free(struct digest_map *map);
/* Sets; a key that is there already keeps its place and takes the new value. */
apex_status digest_map_put(struct digest_map *map, const uint8_t key[static 32],
                           uint64_t value);
bool digest_map_get(const struct digest_map *map, const uint8_t key[static 32],
                    uint64_t *value);

#endif
