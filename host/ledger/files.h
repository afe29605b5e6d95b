/* Small file operations with their durability said in the name. APEX_E_LIMIT: the disk is full.
 */
#ifndef HOST_LEDGER_FILES_H
#define HOST_LEDGER_FILES_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum { LEDGER_PATH_MAX = 4096 };

apex_status file_error(void);              /* from errno */
apex_status folder_make(const char *path); /* with its parents */
apex_status folder_sync(const char *path);
apex_status file_read(const char *path, size_t max,
                      struct buffer *bytes); /* APEX_E_NOT_FOUND */
apex_status file_write_at_end(int fd, struct span bytes);
/* Written beside and renamed: seen whole or not at all by readers; not yet durable. */
apex_status file_replace(const char *path, struct span bytes);
/* The same, and durable, its folder included. */
apex_status file_replace_synced(const char *path, struct span bytes);

#endif
