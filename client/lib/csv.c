#include "client/lib/csv.h"

#include "client/lib/error.h"
#include "common/base/try.h"
#include "common/base/wipe.h"

#include <stdio.h>
#include <stdlib.h>

/* States of a field. A quote opens a quoted field only at its start; inside, "" is one quote.
 */
enum { FIELD_START, FIELD_PLAIN, FIELD_QUOTED, FIELD_QUOTE_SEEN };

static apex_status fail_at(struct csv *c, uint64_t line, const char *what)
{
    return apex_fail_at(c->in->error, APEX_E_FORMAT, line, what, "nothing was sent");
}

static apex_status ragged_row(struct csv *c)
{
    char value[64];
    snprintf(value, sizeof value, "%zu fields, not %zu", c->n_fields, c->n_expected);
    rows_complain(c->in, c->row, c->row_line, SPAN_TEXT(""), span_text(value),
                  c->n_fields < c->n_expected ? "the row has fewer fields than the first"
                                              : "the row has more fields than the first");
    return APEX_OK;
}

static apex_status data_row(struct csv *c)
{
    struct rows_in *in = c->in;
    c->row++;
    if (c->n_fields != c->n_expected) return ragged_row(c);
    for (size_t i = 0; i < in->schema->n_columns; i++) {
        struct span text = csv_cell(c, c->source[i]);
        c->raw[i] = (struct raw_cell){text.len ? CELL_TEXT : CELL_MISSING, text};
    }
    return rows_add(in, c->row, c->row_line, c->raw);
}

static apex_status first_row(struct csv *c)
{
    bool is_data;
    c->has_first_row = true;
    TRY(csv_first_row(c, &is_data));
    if (!c->in->options->careful) TRY(csv_quick_new(c));
    return is_data ? data_row(c) : APEX_OK;
}

/* Blank lines are no rows. */
static apex_status row_end(struct csv *c)
{
    bool blank = c->n_fields == 1 && c->end[0] == 0 && !c->quoted[0];
    apex_status s = blank ? APEX_OK : c->has_first_row ? data_row(c) : first_row(c);
    c->len = c->n_fields = 0;
    return s;
}

static apex_status field_end(struct csv *c)
{
    if (c->n_fields == FIELDS_PER_ROW_MAX)
        return fail_at(c, c->line, "a row has more than 1024 fields");
    c->end[c->n_fields++] = c->len;
    c->state = FIELD_START;
    return APEX_OK;
}

static apex_status bytes_put(struct csv *c, const uint8_t *bytes, size_t len)
{
    if (len > ROW_BYTES_MAX - c->len)
        return fail_at(c, c->row_line, "a row is longer than 1 MiB; is a quote left open?");
    memcpy(c->text + c->len, bytes, len);
    c->len += len;
    return APEX_OK;
}

static void field_begin(struct csv *c, bool quoted)
{
    if (c->n_fields == 0) c->row_line = c->line;
    if (c->n_fields < FIELDS_PER_ROW_MAX) c->quoted[c->n_fields] = quoted;
    c->state = quoted ? FIELD_QUOTED : FIELD_PLAIN;
}

/* Any byte outside quotes. */
static apex_status plain_byte(struct csv *c, const uint8_t *b)
{
    if (*b == c->delimiter) return field_end(c);
    if (*b == '\n' || *b == '\r') {
        TRY(field_end(c));
        return row_end(c);
    }
    if (c->state == FIELD_QUOTE_SEEN)
        return fail_at(c, c->line, "text follows a closing quote");
    return bytes_put(c, b, 1);
}

static apex_status byte_take(struct csv *c, const uint8_t *b)
{
    if (c->state == FIELD_START) {
        field_begin(c, *b == '"');
        return c->state == FIELD_QUOTED ? APEX_OK : plain_byte(c, b);
    }
    if (c->state == FIELD_QUOTED && *b != '"') return bytes_put(c, b, 1);
    if (c->state == FIELD_PLAIN || *b != '"') return plain_byte(c, b);
    c->state = c->state == FIELD_QUOTED ? FIELD_QUOTE_SEEN : FIELD_QUOTED;
    return c->state == FIELD_QUOTED ? bytes_put(c, b, 1) : APEX_OK;
}

/* How far the field goes on with bytes that mean nothing else. */
static size_t plain_run(const struct csv *c, struct span piece, size_t at)
{
    size_t n = at;
    if (c->state == FIELD_PLAIN)
        while (n < piece.len && piece.data[n] != c->delimiter && piece.data[n] != '\n' &&
               piece.data[n] != '\r')
            n++;
    if (c->state == FIELD_QUOTED)
        while (n < piece.len && piece.data[n] != '"' && piece.data[n] != '\n' &&
               piece.data[n] != '\r')
            n++;
    return n - at;
}

/* A line ends with LF, CR or CRLF; quoted ones count for the line numbers too. */
static void line_count(struct csv *c, uint8_t b)
{
    if (b == '\r' || (b == '\n' && !c->after_cr)) c->line++;
    c->after_cr = b == '\r';
}

static apex_status piece_take(struct csv *c, struct span piece)
{
    for (size_t i = 0; i < piece.len;) {
        bool row_ended = c->state == FIELD_START && c->n_fields == 0;
        if (row_ended && c->quick && !c->after_cr) TRY(csv_quick_rows(c, piece, &i));
        if (i == piece.len) break;
        const uint8_t *b = piece.data + i++;
        if (!(row_ended && c->after_cr && *b == '\n')) TRY(byte_take(c, b));
        line_count(c, *b);
        size_t n = plain_run(c, piece, i);
        if (n == 0) continue;
        TRY(bytes_put(c, piece.data + i, n));
        i += n;
        c->after_cr = false;
    }
    return APEX_OK;
}

static apex_status csv_run(struct csv *c, struct span piece)
{
    const char *why = column_map_parse(c->in->options->map, c->in->schema, &c->map);
    if (why)
        return apex_fail(c->in->error, APEX_E_USAGE, why, "nothing was sent",
                         "write --map 'column=name,…' with the dataset's columns on the left",
                         "you");
    c->delimiter = csv_delimiter(piece);
    while (piece.len > 0) {
        TRY(piece_take(c, piece));
        TRY(rows_piece(c->in, &piece));
    }
    if (c->state == FIELD_QUOTED)
        return fail_at(c, c->row_line, "a quote is opened and never closed");
    if (c->n_fields == 0 && c->state == FIELD_START) return APEX_OK;
    TRY(field_end(c));
    return row_end(c);
}

apex_status csv_read(struct rows_in *in, struct span first)
{
    struct csv *c = calloc(1, sizeof *c);
    uint8_t *text = malloc(ROW_BYTES_MAX);
    apex_status s = APEX_E_MEMORY;
    snprintf(in->summary->format, sizeof in->summary->format, "CSV");
    if (c && text) {
        c->in = in;
        c->line = 1;
        c->text = text;
        s = csv_run(c, first);
    }
    if (c) csv_quick_free(c);
    if (text) wipe(text, ROW_BYTES_MAX);
    free(text);
    free(c);
    return s;
}
