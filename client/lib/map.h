/* What the owner says with --map: which column of the file is which of the dataset. */
#ifndef CLIENT_LIB_MAP_H
#define CLIENT_LIB_MAP_H

#include "common/wire/manifest.h"

struct column_map {
    bool given;                    /* there is a --map */
    size_t n;                      /* columns of the dataset it names */
    struct span name[COLUMNS_MAX]; /* of the file's column, by the dataset's; data NULL: not
                                      named. Lent from the text. */
};

/* "column=name,column=name"; NULL text: none given. Returns NULL, or why it is not one (a fixed
 * phrase). A name holds no comma; a column whose name does is given by its position. */
const char *column_map_parse(const char *text, const struct manifest_dataset *schema,
                             struct column_map *map);

#endif
