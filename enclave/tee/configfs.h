/* Linux's configfs-tsm: a report for 64 bytes of ours, from whatever the machine is. Source:
 * Linux, Documentation/ABI/testing/configfs-tsm.
 *
 * One conversation: make an entry of a name nobody else has, write the bytes, read the report,
 * and see by `generation` that nobody wrote between. What can be refused for a moment is tried
 * again CONFIGFS_TRIES times with a pause that doubles, and no more. The kernel's side is given
 * as functions, so that tests play each of its moods. */
#ifndef ENCLAVE_TEE_CONFIGFS_H
#define ENCLAVE_TEE_CONFIGFS_H

#include "common/attest/attest.h"

enum {
    CONFIGFS_TRIES = 6,
    CONFIGFS_PAUSE_MS = 20,
    CONFIGFS_BLOB_MAX = 32 * 1024,
    PROVIDER_LEN = 32
};
#define CONFIGFS_REPORTS "/sys/kernel/config/tsm/report"

/* Each returns 0, or bytes, or -errno. Paths are whole. */
struct configfs {
    void *context;
    long (*make)(void *context, const char *folder);
    long (*drop)(void *context, const char *folder);
    long (*write)(void *context, const char *file, struct span bytes);       /* one write(2) */
    long (*read)(void *context, const char *file, uint8_t *out, size_t max); /* to its end */
    void (*pause)(void *context, unsigned ms);
};
extern const struct configfs configfs_system;

struct configfs_report {
    struct buffer report, auxiliary; /* cleared by the caller */
    char provider[PROVIDER_LEN];     /* "sev_guest", "tdx_guest", … */
};
/* APEX_E_NOT_FOUND: no configfs-tsm here, or nobody behind it. APEX_E_UNREACHABLE: busy, or
 * disturbed by others, to the last try. APEX_E_IO: it failed, or gave no report (an empty one
 * is what a TDX host with its quoting service down gives). APEX_E_LIMIT: larger than
 * CONFIGFS_BLOB_MAX. */
apex_status configfs_report(const struct configfs *c,
                            const uint8_t report_data[static REPORT_DATA_LEN],
                            struct configfs_report *r);

#endif
