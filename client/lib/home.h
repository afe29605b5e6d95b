/* The client's folder, and small files that are written whole or not at all. */
#ifndef CLIENT_LIB_HOME_H
#define CLIENT_LIB_HOME_H

#include "client/lib/error.h"
#include "common/base/buffer.h"

enum { HOME_PATH_MAX = 3900, FULL_PATH_MAX = 4096 };
struct apex_home {
    char path[HOME_PATH_MAX];
};

apex_status file_load(const char *path, size_t max, struct buffer *bytes,
                      struct apex_error *error);
/* Durable and atomic. `exclusive`: APEX_E_REFUSED when the file is there already. */
apex_status file_save(const char *path, struct span bytes, unsigned mode, bool exclusive,
                      struct apex_error *error);
bool home_name_valid(const char *name); /* [a-z0-9][a-z0-9_-]*, at most 64 */
apex_status home_file(const struct apex_home *home, const char *folder, const char *name,
                      const char *suffix, char path[static FULL_PATH_MAX],
                      struct apex_error *error); /* makes the folder */

#endif
