#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/wire/table.h"

#include <stdlib.h>

enum {
    ALIGN = 64,
    FIXED_LEN = 16,
    COLUMN_FIXED_LEN = 20,
    DICT_SPACE_MAX = 64 * 1024,
    ENTRY_SPACE = 2 + CATEGORY_MAX
};

/* The texts of one category column in this group, in order of arrival; ranked when the group is
 * taken. */
struct dict {
    size_t n, bytes; /* bytes: serialised length */
    uint32_t *slots; /* n_slots, at most half of them used: entry + 1, 0 empty */
    uint8_t (*text)[CATEGORY_MAX];
    uint8_t *len;
    uint32_t *rank;      /* entry -> code */
    uint32_t *order;     /* code -> entry */
    size_t cap, n_slots; /* n_slots: a power of two */
};
struct column_writer {
    enum column_type type;
    size_t width;
    uint8_t *data;     /* rows_max * width */
    uint8_t *validity; /* rows_max / 8 */
    bool any_missing;
    struct dict dict;
};
struct table_writer {
    const struct manifest_dataset *schema;
    size_t rows_max, n_rows, dict_space;
    struct column_writer *columns;
};

static size_t align(size_t n)
{
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t header_len(const struct manifest_dataset *s)
{
    size_t len = FIXED_LEN;
    for (size_t i = 0; i < s->n_columns; i++)
        len += COLUMN_FIXED_LEN + ((strlen(s->columns[i].name) + 3) & ~(size_t)3);
    return align(len);
}

/* Each category column may use this many bytes of a group for its dictionary. */
static size_t dict_space_of(const struct manifest_dataset *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_columns; i++)
        n += s->columns[i].type == COLUMN_CATEGORY;
    if (n == 0) return 0;
    size_t each = GROUP_BYTES / 4 / n;
    return each < DICT_SPACE_MAX ? each : DICT_SPACE_MAX;
}

static size_t space_for(const struct manifest_dataset *s, size_t rows)
{
    size_t len = header_len(s);
    for (size_t i = 0; i < s->n_columns; i++) {
        len += align(rows * table_type_width(s->columns[i].type));
        if (s->columns[i].missing) len += align((rows + 7) / 8);
        if (s->columns[i].type == COLUMN_CATEGORY) len += align(dict_space_of(s));
    }
    return len;
}

size_t table_rows_per_group(const struct manifest_dataset *schema)
{
    size_t rows = GROUP_ROWS_MAX;
    while (rows > ALIGN && space_for(schema, rows) > GROUP_BYTES)
        rows -= ALIGN;
    return rows;
}

static apex_status dict_new(struct dict *d, size_t space)
{
    d->cap = space / 3; /* of the shortest texts there are most */
    for (d->n_slots = 64; d->n_slots < 2 * d->cap;)
        d->n_slots *= 2;
    d->bytes = 4;
    d->slots = calloc(d->n_slots, sizeof *d->slots);
    d->text = calloc(d->cap, sizeof *d->text);
    d->len = calloc(d->cap, 1);
    d->rank = calloc(d->cap, sizeof *d->rank);
    d->order = calloc(d->cap, sizeof *d->order);
    return d->slots && d->text && d->len && d->rank && d->order ? APEX_OK : APEX_E_MEMORY;
}

static void dict_free(struct dict *d)
{
    if (d->text) wipe(d->text, d->cap * sizeof *d->text);
    free(d->slots);
    free(d->text);
    free(d->len);
    free(d->rank);
    free(d->order);
}

static apex_status column_new(const struct table_writer *w, const struct manifest_column *s,
                              struct column_writer *c)
{
    c->type = s->type;
    c->width = table_type_width(s->type);
    c->data = calloc(w->rows_max, c->width);
    c->validity = calloc(w->rows_max / 8 + 1, 1);
    if (!c->data || !c->validity) return APEX_E_MEMORY;
    return s->type == COLUMN_CATEGORY ? dict_new(&c->dict, w->dict_space) : APEX_OK;
}

static apex_status columns_new(struct table_writer *w)
{
    for (size_t i = 0; i < w->schema->n_columns; i++)
        TRY(column_new(w, &w->schema->columns[i], &w->columns[i]));
    return APEX_OK;
}

apex_status table_writer_new(const struct manifest_dataset *schema,
                             struct table_writer **writer)
{
    struct table_writer *w = calloc(1, sizeof *w);
    if (!w) return APEX_E_MEMORY;
    *w = (struct table_writer){.schema = schema,
                               .rows_max = table_rows_per_group(schema),
                               .dict_space = dict_space_of(schema)};
    w->columns = calloc(schema->n_columns, sizeof *w->columns);
    apex_status s = !w->columns                                    ? APEX_E_MEMORY
                    : space_for(schema, w->rows_max) > GROUP_BYTES ? APEX_E_LIMIT
                                                                   : columns_new(w);
    if (s != APEX_OK) {
        table_writer_free(w);
        return s;
    }
    *writer = w;
    return APEX_OK;
}

void table_writer_free(struct table_writer *w)
{
    if (!w) return;
    for (size_t i = 0; w->columns && i < w->schema->n_columns; i++) {
        struct column_writer *c = &w->columns[i];
        if (c->data) wipe(c->data, w->rows_max * c->width);
        free(c->data);
        free(c->validity);
        dict_free(&c->dict);
    }
    free(w->columns);
    free(w);
}

static void cell_put(struct table_writer *w, size_t column, const void *value, size_t len)
{
    struct column_writer *c = &w->columns[column];
    memcpy(c->data + w->n_rows * c->width, value, len);
    c->validity[w->n_rows >> 3] |= (uint8_t)(1u << (w->n_rows & 7));
}

void table_writer_i32(struct table_writer *w, size_t column, int32_t v)
{
    cell_put(w, column, &v, sizeof v);
}
void table_writer_i64(struct table_writer *w, size_t column, int64_t v)
{
    cell_put(w, column, &v, sizeof v);
}

void table_writer_f64(struct table_writer *w, size_t column, double v)
{
    if (v == 0) v = 0; /* one zero */
    cell_put(w, column, &v, sizeof v);
}

void table_writer_bool(struct table_writer *w, size_t column, bool v)
{
    uint8_t byte = v;
    cell_put(w, column, &byte, 1);
}

void table_writer_missing(struct table_writer *w, size_t column)
{
    w->columns[column].any_missing = true;
}

static uint32_t text_hash(struct span t)
{
    uint32_t h = 2166136261u; /* FNV-1a; the client's own rows, so nobody picks collisions */
    for (size_t i = 0; i < t.len; i++)
        h = (h ^ t.data[i]) * 16777619u;
    return h ^ h >> 15;
}

static apex_status dict_code(struct dict *d, struct span text, uint32_t *code)
{
    size_t at = text_hash(text) & (d->n_slots - 1);
    for (; d->slots[at]; at = (at + 1) & (d->n_slots - 1)) {
        *code = d->slots[at] - 1;
        if (d->len[*code] == text.len && memcmp(d->text[*code], text.data, text.len) == 0)
            return APEX_OK;
    }
    if (d->n == d->cap) return APEX_E_LIMIT;
    *code = (uint32_t)d->n++;
    d->slots[at] = *code + 1;
    d->len[*code] = (uint8_t)text.len;
    memcpy(d->text[*code], text.data, text.len);
    d->bytes += 2 + text.len;
    return APEX_OK;
}

apex_status table_writer_category(struct table_writer *w, size_t column, struct span text)
{
    uint32_t code;
    if (text.len < 1 || text.len > CATEGORY_MAX) return APEX_E_DATA;
    TRY(dict_code(&w->columns[column].dict, text, &code));
    cell_put(w, column, &code, sizeof code);
    return APEX_OK;
}

size_t table_writer_room(const struct table_writer *w)
{
    return w->rows_max - w->n_rows;
}

/* Bits from..from+n of a bitmap whose bytes are zero from there on. */
static void bits_set(uint8_t *bits, size_t from, size_t n)
{
    size_t end = from + n;
    for (; from < end && from % 8 != 0; from++)
        bits[from / 8] |= (uint8_t)(1u << from % 8);
    memset(bits + from / 8, 0xff, (end - from) / 8);
    if (end % 8 != 0 && from < end) bits[end / 8] = (uint8_t)((1u << end % 8) - 1);
}

void table_writer_items(struct table_writer *w, size_t column, const void *items,
                        const uint8_t *present, size_t n)
{
    struct column_writer *c = &w->columns[column];
    memcpy(c->data + w->n_rows * c->width, items, n * c->width);
    if (!present) {
        bits_set(c->validity, w->n_rows, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t row = w->n_rows + i;
        c->validity[row / 8] |= (uint8_t)((unsigned)(present[i] != 0) << row % 8);
        c->any_missing |= present[i] == 0;
    }
}

apex_status table_writer_row_end(struct table_writer *w, bool *full)
{
    return table_writer_rows_end(w, 1, full);
}

apex_status table_writer_rows_end(struct table_writer *w, size_t n, bool *full)
{
    w->n_rows += n;
    *full = w->n_rows == w->rows_max;
    for (size_t i = 0; i < w->schema->n_columns; i++) {
        const struct column_writer *c = &w->columns[i];
        if (c->type == COLUMN_CATEGORY)
            *full |= c->dict.bytes + ENTRY_SPACE > w->dict_space || c->dict.n == c->dict.cap;
    }
    return APEX_OK;
}

size_t table_writer_rows(const struct table_writer *w)
{
    return w->n_rows;
}

static bool text_before(const struct dict *d, uint32_t a, uint32_t b)
{
    size_t shorter = d->len[a] < d->len[b] ? d->len[a] : d->len[b];
    int order = memcmp(d->text[a], d->text[b], shorter);
    return order != 0 ? order < 0 : d->len[a] < d->len[b];
}

/* Heap sort of d->order by text: in place, no recursion, no worst case. */
static void sift(struct dict *d, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && text_before(d, d->order[child], d->order[child + 1])) child++;
        if (!text_before(d, d->order[root], d->order[child])) return;
        uint32_t t = d->order[root];
        d->order[root] = d->order[child];
        d->order[child] = t;
    }
}

static void dict_rank(struct dict *d)
{
    for (size_t i = 0; i < d->n; i++)
        d->order[i] = (uint32_t)i;
    for (size_t i = d->n / 2; i-- > 0;)
        sift(d, i, d->n);
    for (size_t n = d->n; n > 1; n--) {
        uint32_t t = d->order[0];
        d->order[0] = d->order[n - 1];
        d->order[n - 1] = t;
        sift(d, 0, n - 1);
    }
    for (size_t i = 0; i < d->n; i++)
        d->rank[d->order[i]] = (uint32_t)i;
}

static void dict_write(const struct dict *d, uint8_t *out)
{
    put_le32(out, (uint32_t)d->n);
    out += 4;
    for (size_t i = 0; i < d->n; i++) {
        uint32_t e = d->order[i];
        put_le16(out, d->len[e]);
        memcpy(out + 2, d->text[e], d->len[e]);
        out += 2 + d->len[e];
    }
}

static void codes_rank(struct column_writer *c, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (!(c->validity[i >> 3] >> (i & 7) & 1)) continue;
        uint32_t code;
        memcpy(&code, c->data + 4 * i, 4);
        memcpy(c->data + 4 * i, &c->dict.rank[code], 4);
    }
}

static uint32_t piece_put(uint8_t *out, size_t *at, const uint8_t *bytes, size_t len)
{
    size_t offset = align(*at);
    memcpy(out + offset, bytes, len);
    *at = offset + len;
    return (uint32_t)offset;
}

/* One column: its pieces at *at, its head at `head`; returns the head's length. */
static size_t column_put(struct table_writer *w, size_t i, uint8_t *out, uint8_t *head,
                         size_t *at)
{
    struct column_writer *c = &w->columns[i];
    const char *name = w->schema->columns[i].name;
    size_t name_len = strlen(name);
    if (c->type == COLUMN_CATEGORY) {
        dict_rank(&c->dict);
        codes_rank(c, w->n_rows);
    }
    head[0] = (uint8_t)c->type;
    head[1] = c->any_missing;
    put_le16(head + 2, (uint16_t)name_len);
    put_le32(head + 4, piece_put(out, at, c->data, w->n_rows * c->width));
    if (c->any_missing)
        put_le32(head + 8, piece_put(out, at, c->validity, (w->n_rows + 7) / 8));
    if (c->type == COLUMN_CATEGORY) {
        size_t offset = align(*at);
        dict_write(&c->dict, out + offset);
        *at = offset + c->dict.bytes;
        put_le32(head + 12, (uint32_t)offset);
        put_le32(head + 16, (uint32_t)c->dict.bytes);
    }
    memcpy(head + COLUMN_FIXED_LEN, name, name_len);
    return COLUMN_FIXED_LEN + ((name_len + 3) & ~(size_t)3);
}

static void writer_reset(struct table_writer *w)
{
    for (size_t i = 0; i < w->schema->n_columns; i++) {
        struct column_writer *c = &w->columns[i];
        wipe(c->data, w->n_rows * c->width);
        memset(c->validity, 0, w->rows_max / 8 + 1);
        c->any_missing = false;
        if (c->type != COLUMN_CATEGORY) continue;
        memset(c->dict.slots, 0, c->dict.n_slots * sizeof *c->dict.slots);
        c->dict.n = 0;
        c->dict.bytes = 4;
    }
    w->n_rows = 0;
}

apex_status table_writer_take(struct table_writer *w, bool last, uint8_t *out, size_t *len)
{
    if (w->n_rows == 0) return APEX_E_USAGE;
    size_t head_len = header_len(w->schema), at = head_len, head_at = FIXED_LEN;
    memset(out, 0, GROUP_BYTES);
    memcpy(out, "APXG", 4);
    put_le16(out + 4, 1);
    put_le16(out + 6, (uint16_t)w->schema->n_columns);
    put_le32(out + 8, (uint32_t)w->n_rows);
    put_le32(out + 12, (uint32_t)head_len);
    for (size_t i = 0; i < w->schema->n_columns; i++)
        head_at += column_put(w, i, out, out + head_at, &at);
    *len = last ? align(at) : GROUP_BYTES;
    writer_reset(w);
    return APEX_OK;
}
