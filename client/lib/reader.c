#include "client/lib/reader.h"

#include "client/lib/error.h"
#include "client/lib/rows_in.h"
#include "client/lib/show.h"
#include "common/base/try.h"
#include "common/base/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SNIFF_BYTES = 4096 };

apex_status rows_piece(struct rows_in *in, struct span *piece)
{
    size_t len = 0;
    while (len < PIECE_BYTES) {
        ssize_t n = read(in->fd, in->piece + len, PIECE_BYTES - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return apex_fail(in->error, APEX_E_IO, "reading the file failed",
                             "nothing was sent", "look after the disk and try again", "you");
        if (n == 0) break;
        len += (size_t)n;
    }
    in->done += len;
    *piece = span_of(in->piece, len);
    if (in->options->progress && len > 0)
        in->options->progress(in->options->context, in->done, in->size);
    return APEX_OK;
}

void rows_complain(struct rows_in *in, uint64_t row, uint64_t line, struct span column,
                   struct span value, const char *reason)
{
    if (in->complaints->total++ >= COMPLAINTS_MAX) return;
    struct complaint *c = &in->complaints->item[in->complaints->n++];
    *c = (struct complaint){.row = row, .line = line, .reason = reason};
    text_show(column, c->column, sizeof c->column);
    text_show(value, c->value, sizeof c->value);
}

void rows_ignored(struct rows_in *in, struct span name)
{
    struct reader_summary *s = in->summary;
    char shown[NAME_MAX_LEN + 1];
    size_t len = strlen(s->ignored);
    text_show(name, shown, sizeof shown);
    s->ignored_columns++;
    if (len + 2 + strlen(shown) < sizeof s->ignored)
        snprintf(s->ignored + len, sizeof s->ignored - len, "%s%s", len ? ", " : "", shown);
}

static apex_status cell_put(struct table_writer *w, size_t i, enum column_type type,
                            const struct cell *c)
{
    if (c->missing) {
        table_writer_missing(w, i);
        return APEX_OK;
    }
    switch (type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
    case COLUMN_DATE: table_writer_i32(w, i, c->i32); return APEX_OK;
    case COLUMN_FLOAT64: table_writer_f64(w, i, c->f64); return APEX_OK;
    case COLUMN_INT64: table_writer_i64(w, i, c->i64); return APEX_OK;
    case COLUMN_BOOL: table_writer_bool(w, i, c->b); return APEX_OK;
    case COLUMN_CATEGORY: return table_writer_category(w, i, c->text);
    }
    return APEX_E_BUG;
}

static apex_status group_hand_on(struct rows_in *in, bool last)
{
    size_t len;
    TRY(table_writer_take(in->writer, last, in->group, &len));
    if (in->complaints->total > 0 || !in->options->group) return APEX_OK;
    return in->options->group(in->options->context, span_of(in->group, len));
}

static apex_status rows_ended(struct rows_in *in, size_t n)
{
    bool full = false;
    TRY(table_writer_rows_end(in->writer, n, &full));
    in->summary->rows += n;
    return full ? group_hand_on(in, false) : APEX_OK;
}

apex_status rows_add(struct rows_in *in, uint64_t row, uint64_t line,
                     const struct raw_cell *raw)
{
    bool good = true;
    for (size_t i = 0; i < in->schema->n_columns; i++) {
        const char *reason =
            cell_parse(&raw[i], &in->schema->columns[i], in->csv, &in->cells[i]);
        if (!reason) continue;
        rows_complain(in, row, line, span_text(in->schema->columns[i].name), raw[i].text,
                      reason);
        good = false;
        break;
    }
    if (!good) return APEX_OK;
    for (size_t i = 0; i < in->schema->n_columns; i++)
        TRY(cell_put(in->writer, i, in->schema->columns[i].type, &in->cells[i]));
    return rows_ended(in, 1);
}

static bool has_category(const struct manifest_dataset *schema)
{
    size_t i = 0;
    while (i < schema->n_columns && schema->columns[i].type != COLUMN_CATEGORY)
        i++;
    return i < schema->n_columns;
}

/* One category's text, or some items of any other type, from row `at` on. */
static apex_status items_put(struct rows_in *in, size_t i, const struct rows_column *c,
                             size_t at, size_t n)
{
    const uint8_t *present = c->present ? c->present + at : NULL;
    size_t width = table_type_width(in->schema->columns[i].type);
    if (in->schema->columns[i].type != COLUMN_CATEGORY) {
        table_writer_items(in->writer, i, (const uint8_t *)c->items + at * width, present, n);
        return APEX_OK;
    }
    if (!present || *present)
        return table_writer_category(in->writer, i, ((const struct span *)c->items)[at]);
    table_writer_missing(in->writer, i);
    return APEX_OK;
}

/* A dictionary may fill a group at any row, so with one there is one row at a time. */
apex_status rows_add_good(struct rows_in *in, const struct rows_column *columns, size_t n)
{
    bool one = has_category(in->schema);
    for (size_t at = 0, k; at < n; at += k) {
        size_t room = table_writer_room(in->writer);
        k = one ? 1 : n - at < room ? n - at : room;
        for (size_t i = 0; i < in->schema->n_columns; i++)
            TRY(items_put(in, i, &columns[i], at, k));
        TRY(rows_ended(in, k));
    }
    return APEX_OK;
}

static apex_status not_rows(struct rows_in *in, const char *what, const char *next)
{
    return apex_fail(in->error, APEX_E_FORMAT, what, "nothing was sent", next, "you");
}

static bool looks_binary(struct span first)
{
    size_t odd = 0, n = first.len < SNIFF_BYTES ? first.len : SNIFF_BYTES;
    for (size_t i = 0; i < n; i++) {
        uint8_t b = first.data[i];
        if (b == 0) return true;
        odd += b < 0x20 && b != '\n' && b != '\r' && b != '\t';
    }
    return odd * 20 > n;
}

/* By its mark, or by its zeros: of text in Latin letters every other byte is one. */
static bool looks_utf16(struct span first)
{
    size_t zeros[2] = {0, 0}, n = first.len < SNIFF_BYTES ? first.len : SNIFF_BYTES;
    if (n < 2) return false;
    if (first.data[0] + first.data[1] == 0xff + 0xfe) return true;
    for (size_t i = 0; i < n; i++)
        zeros[i & 1] += first.data[i] == 0;
    return (zeros[0] == 0) != (zeros[1] == 0) && (zeros[0] + zeros[1]) * 4 > n;
}

static bool looks_json(struct span first)
{
    size_t at = 0;
    while (at < first.len && memchr(" \n\r\t", first.data[at], 4))
        at++;
    return at < first.len && memchr("[{/", first.data[at], 3);
}

static apex_status read_by_format(struct rows_in *in)
{
    static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
    struct span first;
    TRY(rows_piece(in, &first));
    if (looks_utf16(first))
        return not_rows(in, "the file is UTF-16 text", "save it as UTF-8 and try again");
    if (first.len >= sizeof bom && memcmp(first.data, bom, sizeof bom) == 0)
        first = span_of(first.data + sizeof bom, first.len - sizeof bom);
    if (first.len == 0)
        return not_rows(in, "the file is empty (line 1, column 1)", "give a file with rows");
    if (looks_binary(first))
        return not_rows(in, "the file is not text", "give CSV, JSON, JSON lines or GeoJSON");
    in->csv = !looks_json(first);
    return in->csv ? csv_read(in, first) : json_rows_read(in, first);
}

static apex_status finish(struct rows_in *in)
{
    if (in->complaints->total > 0) return APEX_E_DATA;
    if (in->summary->rows == 0)
        return not_rows(in, "the file has no data rows", "give a file with rows");
    return table_writer_rows(in->writer) > 0 ? group_hand_on(in, true) : APEX_OK;
}

static apex_status rows_open(struct rows_in *in, const char *path)
{
    struct stat st = {0};
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return apex_fail_path(in->error, APEX_E_IO, path, "cannot be opened",
                              "nothing was sent");
    if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode))
        return apex_fail(in->error, APEX_E_FORMAT, "that is a folder, not a file",
                         "nothing was sent", "name the file with the rows", "you");
    if (S_ISREG(st.st_mode)) in->size = (uint64_t)st.st_size;
    in->space = calloc(1, PIECE_SLACK + PIECE_BYTES + PIECE_SLACK);
    in->group = aligned_alloc(64, GROUP_BYTES);
    in->cells = calloc(in->schema->n_columns, sizeof *in->cells);
    in->piece = in->space ? in->space + PIECE_SLACK : NULL;
    if (!in->piece || !in->group || !in->cells) return APEX_E_MEMORY;
    return table_writer_new(in->schema, &in->writer);
}

static void rows_close(struct rows_in *in)
{
    if (in->fd >= 0) close(in->fd);
    if (in->piece) wipe(in->piece, PIECE_BYTES);
    if (in->group) wipe(in->group, GROUP_BYTES);
    if (in->cells) wipe(in->cells, in->schema->n_columns * sizeof *in->cells);
    free(in->space);
    free(in->group);
    free(in->cells);
    table_writer_free(in->writer);
}

apex_status reader_run(const char *path, const struct manifest_dataset *schema,
                       const struct reader_options *options, struct complaints *complaints,
                       struct reader_summary *summary, struct apex_error *error)
{
    struct rows_in in = {.fd = -1,
                         .schema = schema,
                         .options = options,
                         .complaints = complaints,
                         .summary = summary,
                         .error = error};
    memset(complaints, 0, sizeof *complaints);
    *summary = (struct reader_summary){0};
    apex_status s = rows_open(&in, path);
    if (s == APEX_OK) s = read_by_format(&in);
    if (s == APEX_OK) s = finish(&in);
    rows_close(&in);
    return s;
}
