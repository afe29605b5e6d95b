/* C2SP tlog-tiles: the static files of a log. Source: c2sp.org/tlog-tiles.
 * A full tile holds 256 hashes; a partial one 1..255 and is named with ".p/W". */
#ifndef COMMON_MERKLE_TILE_H
#define COMMON_MERKLE_TILE_H

#include "common/merkle/tree.h"

enum { TILE_WIDTH = 256, TILE_PATH_MAX = 96, ENTRY_MAX = 65535 };

/* "tile/<level>/<index>[.p/<width>]" or, with level TILE_ENTRIES,
 * "tile/entries/<index>[.p/<width>]"; width 256 is full. */
enum { TILE_ENTRIES = 255 };
apex_status tile_path(unsigned level, uint64_t index, unsigned width,
                      char path[static TILE_PATH_MAX]);
/* The reverse, strict: for serving requests. */
apex_status tile_path_parse(const char *path, unsigned *level, uint64_t *index,
                            unsigned *width);
/* The `width` hashes of one tile, concatenated, out of a tree of `size` leaves. */
apex_status tile_write(const struct merkle_tree *tree, uint64_t size, unsigned level,
                       uint64_t index, unsigned width, struct buffer *out);
/* Entry bundles: each entry a big-endian uint16 length and its bytes. */
apex_status bundle_write(struct span entry, struct buffer *out);
apex_status bundle_next(struct span *bundle, struct span *entry);

#endif
