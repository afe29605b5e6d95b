#include "enclave/tee/configfs.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_LEN = 96, FILE_LEN = 128 };

static bool passes(long error)
{
    return error == -EBUSY || error == -EINTR || error == -EAGAIN || error == -ETIMEDOUT ||
           error == -EEXIST; /* a name twice: try another */
}

static apex_status status_of(long error)
{
    if (error >= 0) return APEX_OK;
    if (passes(error)) return APEX_E_UNREACHABLE;
    return error == -ENOENT || error == -ENXIO || error == -ENODEV || error == -ENOTDIR
               ? APEX_E_NOT_FOUND
               : APEX_E_IO;
}

static long attribute_read(const struct configfs *c, const char *folder, const char *name,
                           uint8_t *out, size_t max)
{
    char file[FILE_LEN];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    return c->read(c->context, file, out, max);
}

static apex_status text_read(const struct configfs *c, const char *folder, const char *name,
                             char *text, size_t size)
{
    long n = attribute_read(c, folder, name, (uint8_t *)text, size - 1);
    text[n > 0 && (size_t)n < size ? n : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    TRY(status_of(n));
    return (size_t)n < size ? APEX_OK : APEX_E_IO;
}

static apex_status generation_read(const struct configfs *c, const char *folder,
                                   unsigned long long *generation)
{
    char text[24], *end;
    TRY(text_read(c, folder, "generation", text, sizeof text));
    if (text[0] < '0' || text[0] > '9') return APEX_E_IO;
    *generation = strtoull(text, &end, 10);
    return *end == 0 ? APEX_OK : APEX_E_IO;
}

static apex_status blob_read(const struct configfs *c, const char *folder, const char *name,
                             struct buffer *blob)
{
    uint8_t *room = buffer_reserve(blob, CONFIGFS_BLOB_MAX + 1);
    if (!room) return APEX_E_MEMORY;
    long n = attribute_read(c, folder, name, room, CONFIGFS_BLOB_MAX + 1);
    TRY(status_of(n));
    if (n > CONFIGFS_BLOB_MAX) return APEX_E_LIMIT;
    blob->len = (size_t)n;
    return APEX_OK;
}

static apex_status inblob_write(const struct configfs *c, const char *folder,
                                const uint8_t report_data[static REPORT_DATA_LEN])
{
    char file[FILE_LEN];
    snprintf(file, sizeof file, "%s/inblob", folder);
    long n = c->write(c->context, file, span_of(report_data, REPORT_DATA_LEN));
    TRY(status_of(n));
    return n == REPORT_DATA_LEN ? APEX_OK : APEX_E_IO;
}

/* Since our one write nobody else wrote. */
static apex_status still(const struct configfs *c, const char *folder, unsigned long long began)
{
    unsigned long long now;
    TRY(generation_read(c, folder, &now));
    return now == began + 1 ? APEX_OK : APEX_E_UNREACHABLE;
}

static apex_status converse(const struct configfs *c, const char *folder,
                            const uint8_t report_data[static REPORT_DATA_LEN],
                            struct configfs_report *r)
{
    unsigned long long began;
    TRY(generation_read(c, folder, &began));
    TRY(inblob_write(c, folder, report_data));
    TRY(blob_read(c, folder, "outblob", &r->report));
    TRY(still(c, folder, began));
    if (r->report.len == 0) return APEX_E_IO;
    TRY(text_read(c, folder, "provider", r->provider, sizeof r->provider));
    apex_status s = blob_read(c, folder, "auxblob", &r->auxiliary);
    if (s == APEX_E_NOT_FOUND) r->auxiliary.len = 0; /* this provider has none */
    if (s != APEX_OK && s != APEX_E_NOT_FOUND) return s;
    return still(c, folder, began);
}

static apex_status try_once(const struct configfs *c,
                            const uint8_t report_data[static REPORT_DATA_LEN],
                            struct configfs_report *r)
{
    uint8_t name[8];
    char hex[2 * sizeof name + 1], folder[FOLDER_LEN];
    random_bytes(name, sizeof name);
    hex_write(SPAN(name), hex);
    snprintf(folder, sizeof folder, CONFIGFS_REPORTS "/apex-%s", hex);
    TRY(status_of(c->make(c->context, folder)));
    apex_status s = converse(c, folder, report_data, r);
    long left = c->drop(c->context, folder);
    (void)left; /* an entry that stays costs a name and nothing else */
    return s;
}

apex_status configfs_report(const struct configfs *c,
                            const uint8_t report_data[static REPORT_DATA_LEN],
                            struct configfs_report *r)
{
    apex_status s = APEX_E_UNREACHABLE;
    for (unsigned i = 0; i < CONFIGFS_TRIES && s == APEX_E_UNREACHABLE; i++) {
        if (i > 0) c->pause(c->context, CONFIGFS_PAUSE_MS << i);
        r->report.len = r->auxiliary.len = 0;
        s = try_once(c, report_data, r);
    }
    return s;
}
