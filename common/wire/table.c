#include "common/wire/table.h"

#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/wire/cbor.h"

#include <math.h>

enum { FIXED_LEN = 16, VERSION = 1, HAS_VALIDITY = 1, ALIGN = 64 };
static const uint8_t magic[4] = {'A', 'P', 'X', 'G'};

/* The bytes of one cell, by type. */
size_t table_type_width(enum column_type type)
{
    static const size_t width[] = {
        [COLUMN_LATITUDE] = 4, [COLUMN_LONGITUDE] = 4, [COLUMN_FLOAT64] = 8, [COLUMN_INT64] = 8,
        [COLUMN_CATEGORY] = 4, [COLUMN_BOOL] = 1,      [COLUMN_DATE] = 4};
    return width[type];
}

static bool all_zero(const uint8_t *at, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= at[i];
    return any == 0;
}

/* Where the next piece must stand: pieces follow one another, 64-byte aligned, with zeros
 * between. */
struct layout {
    struct span bytes;
    size_t at;
};

static apex_status layout_take(struct layout *l, uint32_t offset, size_t len,
                               const uint8_t **piece)
{
    size_t aligned = (l->at + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (offset != aligned || aligned > l->bytes.len || len > l->bytes.len - aligned)
        return APEX_E_FORMAT;
    if (!all_zero(l->bytes.data + l->at, aligned - l->at)) return APEX_E_FORMAT;
    *piece = l->bytes.data + aligned;
    l->at = aligned + len;
    return APEX_OK;
}

static bool dict_text_valid(struct span text)
{
    if (text.len < 1 || text.len > CATEGORY_MAX || !cbor_utf8_valid(text)) return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) return false;
    return true;
}

apex_status table_dict_next(struct span dict, size_t *at, struct span *text)
{
    if (*at == 0) *at = 4;
    if (*at > dict.len || dict.len - *at < 2) return APEX_E_FORMAT;
    size_t len = get_le16(dict.data + *at);
    if (len > dict.len - *at - 2) return APEX_E_FORMAT;
    *text = span_of(dict.data + *at + 2, len);
    *at += 2 + len;
    return APEX_OK;
}

/* Strictly ascending texts, and nothing after the last. */
static apex_status dict_check(struct table_column *c)
{
    struct span last = {NULL, 0}, text;
    size_t at = 0;
    if (c->dict.len < 4) return APEX_E_FORMAT;
    c->n_dict = get_le32(c->dict.data);
    if (c->n_dict > GROUP_ROWS_MAX) return APEX_E_FORMAT;
    for (uint32_t i = 0; i < c->n_dict; i++) {
        TRY(table_dict_next(c->dict, &at, &text));
        if (!dict_text_valid(text)) return APEX_E_FORMAT;
        size_t shorter = text.len < last.len ? text.len : last.len;
        int order = i == 0 ? 1 : memcmp(text.data, last.data, shorter);
        if (order < 0 || (order == 0 && text.len <= last.len)) return APEX_E_FORMAT;
        last = text;
    }
    return (c->n_dict ? at : 4) == c->dict.len ? APEX_OK : APEX_E_FORMAT;
}

static bool cell_missing(const struct table_column *c, size_t row)
{
    return c->validity && !(c->validity[row >> 3] >> (row & 7) & 1);
}

static bool bits_beyond_zero(const uint8_t *bits, size_t n)
{
    return n % 8 == 0 || bits[n / 8] >> (n % 8) == 0;
}

static bool any_missing(const struct table_column *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cell_missing(c, i)) return true;
    return false;
}

/* Form of the cells: floats finite and no negative zero, codes in range and each used, bools 0
 * or 1, missing cells zero. */
static apex_status float_check(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]) || (v[i] == 0 && signbit(v[i]))) return APEX_E_FORMAT;
    return APEX_OK;
}

static apex_status codes_check(const struct table_column *c, size_t n)
{
    uint8_t used[GROUP_ROWS_MAX / 8 + 1] = {0};
    const uint32_t *code = c->data;
    uint32_t n_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (cell_missing(c, i)) continue;
        if (code[i] >= c->n_dict) return APEX_E_FORMAT;
        uint8_t bit = (uint8_t)(1u << (code[i] & 7));
        n_used += !(used[code[i] >> 3] & bit);
        used[code[i] >> 3] |= bit;
    }
    return n_used == c->n_dict ? APEX_OK : APEX_E_FORMAT;
}

static apex_status cells_check(const struct table_column *c, size_t n)
{
    const uint8_t *bytes = c->data;
    size_t width = table_type_width(c->type);
    for (size_t i = 0; c->validity && i < n; i++)
        if (cell_missing(c, i) && !all_zero(bytes + i * width, width)) return APEX_E_FORMAT;
    if (c->validity && (!bits_beyond_zero(c->validity, n) || !any_missing(c, n)))
        return APEX_E_FORMAT;
    if (c->type == COLUMN_FLOAT64) return float_check(c->data, n);
    if (c->type == COLUMN_CATEGORY) return codes_check(c, n);
    for (size_t i = 0; c->type == COLUMN_BOOL && i < n; i++)
        if (bytes[i] > 1) return APEX_E_FORMAT;
    return APEX_OK;
}

static apex_status column_head(struct cursor *head, struct table_column *c,
                               uint32_t at[static 4], uint8_t *flags)
{
    uint8_t type;
    uint16_t name_len;
    struct span pad;
    TRY(cursor_u8(head, &type));
    TRY(cursor_u8(head, flags));
    TRY(cursor_le16(head, &name_len));
    for (int i = 0; i < 4; i++)
        TRY(cursor_le32(head, &at[i]));
    if (type < COLUMN_LATITUDE || type > COLUMN_DATE || *flags > HAS_VALIDITY || name_len < 1 ||
        name_len > NAME_MAX_LEN)
        return APEX_E_FORMAT;
    c->type = (enum column_type)type;
    TRY(cursor_take(head, name_len, &c->name));
    TRY(cursor_take(head, (4 - name_len % 4) % 4, &pad));
    return all_zero(pad.data, pad.len) ? APEX_OK : APEX_E_FORMAT;
}

static apex_status column_parse(struct cursor *head, struct layout *l, size_t n_rows,
                                struct table_column *c)
{
    uint32_t at[4]; /* data, validity, dict, dict bytes */
    uint8_t flags;
    const uint8_t *piece;
    *c = (struct table_column){0};
    TRY(column_head(head, c, at, &flags));
    TRY(layout_take(l, at[0], n_rows * table_type_width(c->type), &piece));
    c->data = piece;
    if (flags & HAS_VALIDITY)
        TRY(layout_take(l, at[1], (n_rows + 7) / 8, &c->validity));
    else if (at[1] != 0)
        return APEX_E_FORMAT;
    if (c->type == COLUMN_CATEGORY) {
        TRY(layout_take(l, at[2], at[3], &piece));
        c->dict = span_of(piece, at[3]);
        TRY(dict_check(c));
    } else if (at[2] != 0 || at[3] != 0)
        return APEX_E_FORMAT;
    return cells_check(c, n_rows);
}

static apex_status group_head(struct cursor *c, size_t len, uint32_t *n_rows,
                              uint16_t *n_columns, uint32_t *head_len)
{
    uint16_t version;
    TRY(cursor_expect(c, SPAN(magic)));
    TRY(cursor_le16(c, &version));
    TRY(cursor_le16(c, n_columns));
    TRY(cursor_le32(c, n_rows));
    TRY(cursor_le32(c, head_len));
    bool fine = version == VERSION && *n_columns >= 1 && *n_columns <= COLUMNS_MAX &&
                *n_rows >= 1 && *n_rows <= GROUP_ROWS_MAX && *head_len % ALIGN == 0 &&
                *head_len >= FIXED_LEN && *head_len <= len;
    return fine ? APEX_OK : APEX_E_FORMAT;
}

apex_status table_group_parse(struct span bytes, struct table_group *g)
{
    struct cursor head = cursor_on(bytes);
    uint32_t n_rows, head_len;
    uint16_t n_columns;
    if (bytes.len > GROUP_BYTES || bytes.len % ALIGN != 0 ||
        ((uintptr_t)bytes.data & (ALIGN - 1)) != 0)
        return APEX_E_FORMAT;
    TRY(group_head(&head, bytes.len, &n_rows, &n_columns, &head_len));
    struct layout l = {bytes, head_len};
    head.end = bytes.data + head_len;
    for (size_t i = 0; i < n_columns; i++)
        TRY(column_parse(&head, &l, n_rows, &g->columns[i]));
    size_t head_left = cursor_left(&head);
    if (head_left >= ALIGN || !all_zero(head.at, head_left)) return APEX_E_FORMAT;
    /* The last group ends where its last piece does; full ones are padded with zeros. */
    if (bytes.len != GROUP_BYTES && bytes.len - l.at >= ALIGN) return APEX_E_FORMAT;
    if (!all_zero(bytes.data + l.at, bytes.len - l.at)) return APEX_E_FORMAT;
    g->n_rows = n_rows;
    g->n_columns = n_columns;
    return APEX_OK;
}

/* A cell's value as a number, for the bounds. */
static double narrow_number(enum column_type type, int32_t v)
{
    return type == COLUMN_DATE ? v : v / 1e7;
}

static double cell_number(const struct table_column *c, size_t row)
{
    switch (c->type) {
    case COLUMN_LATITUDE:
    case COLUMN_LONGITUDE:
    case COLUMN_DATE: return narrow_number(c->type, ((const int32_t *)c->data)[row]);
    case COLUMN_INT64: return (double)((const int64_t *)c->data)[row];
    default: return ((const double *)c->data)[row];
    }
}

static bool bounds_matter(const struct manifest_column *s)
{
    return (s->has_min || s->has_max) && s->type != COLUMN_CATEGORY && s->type != COLUMN_BOOL;
}

/* The first row whose text is none of the manifest's values. */
static apex_status values_check(const struct table_column *c, const struct manifest_column *s,
                                size_t n, size_t *row)
{
    const uint32_t *codes = c->data;
    struct span text;
    size_t first = n;
    for (size_t code = 0, at = 0; code < c->n_dict; code++) {
        TRY(table_dict_next(c->dict, &at, &text));
        if (manifest_column_allows(s, text)) continue;
        for (size_t i = 0; i < first; i++)
            if (codes[i] == code && !cell_missing(c, i)) first = i;
    }
    *row = first;
    return first == n ? APEX_OK : APEX_E_DATA;
}

/* Whether bounds hold for all of a column's cells, by its least and its greatest, since a
 * cell's value as a number grows with it. False: look at each. */
static bool bounds_hold(const struct table_column *c, const struct manifest_column *s, size_t n)
{
    const int32_t *v = c->data;
    bool narrow = table_type_width(c->type) == sizeof *v;
    if (!narrow || c->validity) return false;
    int32_t low = v[0], high = v[0];
    for (size_t i = 0; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    return (!s->has_min || narrow_number(c->type, low) >= s->min) &&
           (!s->has_max || narrow_number(c->type, high) <= s->max);
}

static apex_status column_check(const struct table_column *c, const struct manifest_column *s,
                                size_t n, size_t *row)
{
    if (c->validity && !s->missing) {
        for (*row = 0; !cell_missing(c, *row);)
            ++*row;
        return APEX_E_DATA;
    }
    if (s->n_values > 0) return values_check(c, s, n, row);
    if (!bounds_matter(s) || bounds_hold(c, s, n)) return APEX_OK;
    for (*row = 0; *row < n; ++*row) {
        if (cell_missing(c, *row)) continue;
        double v = cell_number(c, *row);
        if ((s->has_min && v < s->min) || (s->has_max && v > s->max)) return APEX_E_DATA;
    }
    return APEX_OK;
}

apex_status table_group_check(const struct table_group *g,
                              const struct manifest_dataset *schema, size_t *row,
                              size_t *column)
{
    size_t first_row = SIZE_MAX;
    if (g->n_columns != schema->n_columns) return APEX_E_FORMAT;
    for (size_t i = 0; i < g->n_columns; i++)
        if (g->columns[i].type != schema->columns[i].type ||
            !span_equal(g->columns[i].name, span_text(schema->columns[i].name)))
            return APEX_E_FORMAT;
    for (size_t i = 0; i < g->n_columns; i++) {
        size_t at = 0;
        if (column_check(&g->columns[i], &schema->columns[i], g->n_rows, &at) == APEX_OK ||
            at >= first_row)
            continue;
        first_row = *row = at;
        *column = i;
    }
    return first_row == SIZE_MAX ? APEX_OK : APEX_E_DATA;
}
