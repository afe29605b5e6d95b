#include "client/lib/seal_table.h"

#include "client/lib/error.h"
#include "client/lib/rows_copy.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "common/crypto/stream.h"
#include "common/wire/package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct sealing {
    const struct seal_to *to;
    const struct apex_rows_options *options;
    struct apex_error *error;
    int fd;
    struct stream_key key;
    struct stream stream;
    uint8_t stream_header[STREAM_HEADER_LEN];
    struct sha256 digest;
    uint64_t n_groups;
    uint8_t *held; /* the group that is not yet known to be the last */
    size_t held_len;
    uint8_t *out; /* GROUP_BYTES + STREAM_OVERHEAD */
    FILE *copy;   /* checking: where the owner wants to see the rows, or NULL */
};

static apex_status spool_failed(struct apex_error *e)
{
    return apex_fail_path(e, errno == ENOSPC ? APEX_E_LIMIT : APEX_E_IO,
                          "the spool for ciphertext", "cannot be written", "nothing was sent");
}

static apex_status write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return APEX_E_IO;
        bytes += n;
        len -= (size_t)n;
    }
    return APEX_OK;
}

static apex_status chunk_write(struct sealing *s, bool last)
{
    if (stream_push(&s->stream, span_of(s->held, s->held_len), span_of(s->to->address, 32),
                    last, s->out) != APEX_OK)
        return apex_fail_memory(s->error);
    sha256_update(&s->digest, span_of(s->held, s->held_len));
    s->n_groups++;
    return write_all(s->fd, s->out, s->held_len + STREAM_OVERHEAD) == APEX_OK
               ? APEX_OK
               : spool_failed(s->error);
}

static apex_status take_group(void *context, struct span group)
{
    struct sealing *s = context;
    if (s->held_len > 0) TRY(chunk_write(s, false));
    memcpy(s->held, group.data, group.len);
    s->held_len = group.len;
    return APEX_OK;
}

/* An unnamed file where there is room: it goes with its descriptor. */
static int spool_open(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int fd = open(folder ? folder : "/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    snprintf(path, sizeof path, "%.4000s/apex-XXXXXX", folder ? folder : "/tmp");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

static apex_status head_write(struct sealing *s, uint64_t n_rows)
{
    uint8_t head[SEALED_TABLE_HEAD_LEN], secret[TABLE_SECRET_LEN], binding[HASH_LEN],
        info[INFO_MAX];
    const uint8_t zero = 0;
    struct table_secret t = {.n_rows = n_rows, .n_groups = s->n_groups};
    struct sha256 h;
    memcpy(t.key, s->key.bytes, 32);
    sha256_final(&s->digest, t.digest);
    table_secret_write(&t, secret);
    sha256_init(&h);
    sha256_update(&h, span_text(s->to->dataset));
    sha256_update(&h, span_of(&zero, 1));
    sha256_update(&h, span_of(s->to->author, 32));
    sha256_final(&h, binding);
    size_t info_len = seal_info("apex/table/v1", s->to->address, SPAN(binding), info);
    memcpy(head, SEALED_TABLE_MAGIC, SEALED_MAGIC_LEN);
    apex_status st = hpke_seal(&s->to->contract, span_of(info, info_len), (struct span){0},
                               SPAN(secret), head + SEALED_MAGIC_LEN);
    memcpy(head + SEALED_TABLE_HEAD_LEN - STREAM_HEADER_LEN, s->stream_header,
           STREAM_HEADER_LEN);
    wipe(secret, sizeof secret);
    wipe(&t, sizeof t);
    if (st != APEX_OK)
        return apex_fail(s->error, st, "the contract's key is not a key", "nothing was sent",
                         "trust nothing from this node", "the operator");
    return pwrite(s->fd, head, sizeof head, 0) == (ssize_t)sizeof head ? APEX_OK
                                                                       : spool_failed(s->error);
}

/* The blob's name, over the finished spool. */
static apex_status spool_digest(struct sealing *s, struct sealed_file *sealed)
{
    struct sha256 h;
    sha256_init(&h);
    sealed->size = 0;
    for (;;) {
        ssize_t n = pread(s->fd, s->out, GROUP_BYTES, (off_t)sealed->size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return spool_failed(s->error);
        if (n == 0) break;
        sha256_update(&h, span_of(s->out, (size_t)n));
        sealed->size += (uint64_t)n;
    }
    sha256_final(&h, sealed->digest);
    sealed->fd = s->fd;
    s->fd = -1;
    return APEX_OK;
}

static void report_fill(const struct complaints *c, const struct reader_summary *m,
                        struct apex_rows_report *r)
{
    *r = (struct apex_rows_report){.rows = m->rows,
                                   .bad_rows = c->total,
                                   .ignored_columns = m->ignored_columns,
                                   .n_bad = c->n};
    snprintf(r->format, sizeof r->format, "%s", m->format);
    snprintf(r->ignored, sizeof r->ignored, "%s", m->ignored);
    snprintf(r->offer, sizeof r->offer, "%s", m->offer);
    for (size_t i = 0; i < c->n; i++) {
        const struct complaint *from = &c->item[i];
        struct apex_bad_row *to = &r->bad[i];
        *to =
            (struct apex_bad_row){.row = from->row, .line = from->line, .reason = from->reason};
        snprintf(to->column, sizeof to->column, "%s", from->column);
        snprintf(to->value, sizeof to->value, "%s", from->value);
    }
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct sealing *s = context;
    if (s->options && s->options->progress)
        s->options->progress(s->options->context, s->to ? "checking and sealing" : "checking",
                             done, total);
}

static apex_status copy_group(void *context, struct span group)
{
    struct sealing *s = context;
    apex_status st = rows_copy_group(group, s->copy);
    if (st != APEX_E_IO) return st;
    return apex_fail(s->error, st, "the copy of the rows cannot be written", "nothing was sent",
                     "make room on the disk", "you");
}

static apex_status read_file(const char *path, const struct manifest_dataset *schema,
                             struct sealing *s, bool seal, struct apex_rows_report *report)
{
    struct complaints *c = calloc(1, sizeof *c);
    struct reader_summary m;
    struct reader_options o = {.map = s->options ? s->options->map : NULL,
                               .group = seal      ? take_group
                                        : s->copy ? copy_group
                                                  : NULL,
                               .progress = on_progress,
                               .context = s};
    if (!c) return apex_fail_memory(s->error);
    apex_status st = reader_run(path, schema, &o, c, &m, s->error);
    report_fill(c, &m, report);
    free(c);
    if (st == APEX_E_MEMORY) return apex_fail_memory(s->error);
    if (st != APEX_E_DATA) return st;
    char what[200];
    snprintf(what, sizeof what, "%llu of %llu rows are bad",
             (unsigned long long)report->bad_rows,
             (unsigned long long)(report->rows + report->bad_rows));
    return apex_fail(s->error, st, what, "nothing was sent",
                     "correct the rows listed, or take them out, and try again", "you");
}

apex_status check_table(const char *path, const struct manifest_dataset *schema,
                        const struct apex_rows_options *options,
                        struct apex_rows_report *report, struct apex_error *error)
{
    struct sealing s = {.options = options, .error = error, .fd = -1};
    const char *copy = options ? options->copy : NULL;
    int fd = copy ? open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (copy) s.copy = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (copy && !s.copy)
        return apex_fail_path(error, APEX_E_IO, copy, "cannot be written", "nothing was sent");
    if (s.copy) rows_copy_header(schema, s.copy);
    apex_status st = read_file(path, schema, &s, false, report);
    if (s.copy && fclose(s.copy) != 0 && st == APEX_OK)
        st = apex_fail_path(error, APEX_E_IO, copy, "cannot be written", "nothing was sent");
    return st;
}

static apex_status sealing_open(struct sealing *s)
{
    const uint8_t head[SEALED_TABLE_HEAD_LEN] = {0};
    s->fd = spool_open();
    if (s->fd < 0) return spool_failed(s->error);
    s->held = malloc(GROUP_BYTES);
    s->out = malloc(GROUP_BYTES + STREAM_OVERHEAD);
    if (!s->held || !s->out) return apex_fail_memory(s->error);
    stream_key_new(&s->key);
    stream_push_init(&s->stream, &s->key, s->stream_header);
    sha256_init(&s->digest);
    return write_all(s->fd, head, sizeof head) == APEX_OK ? APEX_OK : spool_failed(s->error);
}

static void sealing_close(struct sealing *s)
{
    if (s->held) wipe(s->held, GROUP_BYTES);
    free(s->held);
    free(s->out);
    if (s->fd >= 0) close(s->fd);
    wipe(s, sizeof *s);
    free(s);
}

apex_status seal_table(const char *path, const struct manifest_dataset *schema,
                       const struct seal_to *to, const struct apex_rows_options *options,
                       struct apex_rows_report *report, struct sealed_file *sealed,
                       struct apex_error *error)
{
    struct sealing *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
    if (!s) return apex_fail_memory(error);
    memset(s, 0, sizeof *s);
    sealed->fd = -1;
    s->to = to;
    s->options = options;
    s->error = error;
    s->fd = -1;
    apex_status st = sealing_open(s);
    if (st == APEX_OK) st = read_file(path, schema, s, true, report);
    if (st == APEX_OK) st = chunk_write(s, true);
    if (st == APEX_OK) st = head_write(s, report->rows);
    if (st == APEX_OK) st = spool_digest(s, sealed);
    if (st == APEX_OK) report->sealed_bytes = sealed->size;
    sealing_close(s);
    return st;
}
