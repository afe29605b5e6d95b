#include "host/ledger/tail.h"

#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/merkle/tile.h"
#include "host/ledger/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORD_HEAD = 10, RECORD_CHECK = 8 };
#define TAIL_MAX ((size_t)1 << 31)

static void check_of(struct span record, uint8_t check[static RECORD_CHECK])
{
    uint8_t digest[32];
    merkle_digest(record, digest);
    memcpy(check, digest, RECORD_CHECK);
}

static apex_status entry_add(struct tail *t, struct span bytes, uint64_t end)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 256, len;
        if (!size_mul(cap, sizeof *t->entry, &len)) return APEX_E_LIMIT;
        struct tail_entry *more = realloc(t->entry, len);
        if (!more) return APEX_E_MEMORY;
        t->entry = more;
        t->cap = cap;
    }
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
    if (!copy) return APEX_E_MEMORY;
    if (bytes.len) memcpy(copy, bytes.data, bytes.len);
    t->entry[t->n++] = (struct tail_entry){span_of(copy, bytes.len), end};
    return APEX_OK;
}

static void entries_drop(struct tail *t, size_t from)
{
    while (t->n > from)
        free((void *)(uintptr_t)t->entry[--t->n].bytes.data);
}

static void record_write(uint64_t index, struct span entry, struct buffer *out)
{
    uint8_t check[RECORD_CHECK], len[2];
    size_t start = out->len;
    buffer_be64(out, index);
    put_be16(len, (uint16_t)entry.len);
    buffer_append(out, SPAN(len));
    buffer_append(out, entry);
    if (buffer_ok(out) != APEX_OK) return;
    check_of(span_of(out->data + start, out->len - start), check);
    buffer_append(out, SPAN(check));
}

static apex_status record_next(struct cursor *c, uint64_t *index, struct span *entry)
{
    const uint8_t *start = c->at;
    uint16_t len;
    struct span check;
    uint8_t want[RECORD_CHECK];
    TRY(cursor_be64(c, index));
    TRY(cursor_be16(c, &len));
    TRY(cursor_take(c, len, entry));
    check_of(span_of(start, RECORD_HEAD + (size_t)len), want);
    TRY(cursor_take(c, RECORD_CHECK, &check));
    return span_equal(check, SPAN(want)) ? APEX_OK : APEX_E_FORMAT;
}

/* Takes what is whole and in order; *end is where that ends. Records below `first` lie in full
 * bundles already. */
static apex_status records_load(struct tail *t, struct span bytes, uint64_t *end)
{
    struct cursor c = cursor_on(bytes);
    uint64_t index;
    struct span entry;
    *end = 0;
    while (cursor_left(&c) > 0 && record_next(&c, &index, &entry) == APEX_OK &&
           index <= t->first + t->n) {
        *end = (uint64_t)(c.at - bytes.data);
        if (index < t->first + t->n) continue;
        TRY(entry_add(t, entry, *end));
    }
    return APEX_OK;
}

apex_status tail_open(const char *path, uint64_t first, struct tail *t)
{
    BUFFER_CLEARED bytes = {0};
    uint64_t end;
    *t = (struct tail){.fd = -1, .first = first};
    apex_status s = file_read(path, TAIL_MAX, &bytes);
    if (s != APEX_OK && s != APEX_E_NOT_FOUND) return s;
    if (s == APEX_E_NOT_FOUND) TRY(file_replace_synced(path, (struct span){0}));
    t->fd = open(path, O_RDWR | O_CLOEXEC);
    if (t->fd < 0) return file_error();
    TRY(records_load(t, buffer_span(&bytes), &end));
    if (end < bytes.len && (ftruncate(t->fd, (off_t)end) != 0 || fsync(t->fd) != 0))
        return file_error();
    return APEX_OK;
}

void tail_close(struct tail *t)
{
    entries_drop(t, 0);
    free(t->entry);
    if (t->fd >= 0) close(t->fd);
    *t = (struct tail){.fd = -1};
}

static apex_status records_of(uint64_t index, struct span bundle, struct buffer *records)
{
    struct span entry;
    while (bundle.len > 0) {
        TRY(bundle_next(&bundle, &entry));
        record_write(index++, entry, records);
    }
    return buffer_ok(records);
}

static apex_status write_from(struct tail *t, uint64_t at, struct span records)
{
    if (ftruncate(t->fd, (off_t)at) != 0 || lseek(t->fd, (off_t)at, SEEK_SET) < 0)
        return file_error();
    TRY(file_write_at_end(t->fd, records));
    return fdatasync(t->fd) == 0 ? APEX_OK : file_error();
}

apex_status tail_append(struct tail *t, uint64_t index, struct span bundle)
{
    BUFFER_CLEARED records = {0};
    if (index < t->first || index > t->first + t->n) return APEX_E_USAGE;
    size_t keep = (size_t)(index - t->first);
    uint64_t at = keep > 0 ? t->entry[keep - 1].end : 0, end;
    TRY(records_of(index, bundle, &records));
    apex_status s = write_from(t, at, buffer_span(&records));
    if (s != APEX_OK) { /* back to what was kept; entries above it were never acknowledged by a
                           checkpoint */
        bool undone = ftruncate(t->fd, (off_t)at) == 0;
        (void)undone;
        entries_drop(t, keep);
        return s;
    }
    entries_drop(t, keep);
    struct cursor c = cursor_on(buffer_span(&records));
    while (cursor_left(&c) > 0) {
        struct span entry;
        TRY(record_next(&c, &index, &entry));
        end = at + (uint64_t)(c.at - records.data);
        TRY(entry_add(t, entry, end));
    }
    return APEX_OK;
}

apex_status tail_trim(const char *path, uint64_t first, struct tail *t)
{
    BUFFER_CLEARED records = {0};
    struct tail fresh;
    for (size_t i = (size_t)(first - t->first); i < t->n; i++)
        record_write(t->first + i, t->entry[i].bytes, &records);
    TRY(buffer_ok(&records));
    TRY(file_replace_synced(path, buffer_span(&records)));
    TRY(tail_open(path, first, &fresh));
    tail_close(t);
    *t = fresh;
    return APEX_OK;
}
