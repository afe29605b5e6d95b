#include "common/wire/manifest_read.h"

#include "common/base/size.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_MAX = 15 };

void reader_init(struct reader *r, struct span text)
{
    json_init(&r->json, false);
    json_feed(&r->json, text, true);
}

apex_status reader_fail(struct reader *r, const char *what)
{
    if (!r->what) r->what = what;
    return APEX_E_FORMAT;
}

apex_status reader_peek(struct reader *r, enum json_event *e)
{
    if (!r->peeked) {
        apex_status s = json_next(&r->json, &r->next);
        if (s != APEX_OK) {
            apex_status said =
                reader_fail(r, s == APEX_E_LIMIT ? "too long or too deep" : "this is not JSON");
            (void)said;
            return s;
        }
    }
    r->peeked = true;
    *e = r->next;
    return APEX_OK;
}

apex_status reader_next(struct reader *r, enum json_event *e)
{
    TRY(reader_peek(r, e));
    r->peeked = false;
    return APEX_OK;
}

void reader_explain(const struct reader *r, apex_status s, struct manifest_error *error)
{
    *error =
        (struct manifest_error){.line = r->json.token_line, .column = r->json.token_column};
    if (s == APEX_OK) return;
    error->what = r->what              ? r->what
                  : s == APEX_E_MEMORY ? "there is no memory"
                                       : "it is not acceptable";
    size_t len = 0;
    for (size_t i = 0; i < r->depth && len < sizeof error->where; i++) {
        const char *dot = len ? "." : "";
        int n = r->path[i].key[0] ? snprintf(error->where + len, sizeof error->where - len,
                                             "%s%s", dot, r->path[i].key)
                                  : snprintf(error->where + len, sizeof error->where - len,
                                             "[%zu]", r->path[i].at);
        len += n > 0 ? (size_t)n : 0;
    }
}

apex_status reader_copy(struct reader *r, char *text, size_t max)
{
    struct span got = json_text(&r->json);
    if (got.len > max) return reader_fail(r, "the text is too long");
    for (size_t i = 0; i < got.len; i++)
        if (got.data[i] < 0x20 || got.data[i] == 0x7f)
            return reader_fail(r, "control characters are not allowed");
    memcpy(text, got.data, got.len);
    text[got.len] = 0;
    return APEX_OK;
}

apex_status reader_array_new(struct reader *r, size_t max, size_t item, void *array)
{
    void *old, *made;
    memcpy(&old, array, sizeof old);
    if (old) return reader_fail(r, "this key occurs twice");
    made = calloc(max, item);
    if (!made) return APEX_E_MEMORY;
    memcpy(array, &made, sizeof made);
    return APEX_OK;
}

void reader_array_fit(size_t n, size_t item, void *array)
{
    void *old;
    memcpy(&old, array, sizeof old);
    void *fit = realloc(old, n * item);
    if (fit) memcpy(array, &fit, sizeof fit);
}

static apex_status path_push(struct reader *r, const char *key, size_t at)
{
    if (r->depth == READER_DEPTH) return reader_fail(r, "too deep");
    snprintf(r->path[r->depth].key, sizeof r->path[r->depth].key, "%s", key);
    r->path[r->depth++].at = at;
    return APEX_OK;
}

/* On failure the path stays, to say where. */
static apex_status read_at_path(struct reader *r, const char *key, size_t at,
                                apex_status (*read)(struct reader *, void *), void *context)
{
    TRY(path_push(r, key, at));
    TRY(read(r, context));
    r->depth--;
    return APEX_OK;
}

/* A key that nobody knows may hold anything, and its name goes to terminals and into replies:
 * 20 bytes of it, what is not printable ASCII as question marks. */
static void key_show(struct span key, char name[static 24])
{
    size_t len = key.len < 20 ? key.len : 20;
    for (size_t i = 0; i < len; i++)
        name[i] = (char)(key.data[i] >= 0x20 && key.data[i] < 0x7f ? key.data[i] : '?');
    name[len] = 0;
    if (len == 0) snprintf(name, 24, "(empty)");
}

apex_status read_skip(struct reader *r)
{
    enum json_event e;
    size_t depth = 0;
    do {
        TRY(reader_next(r, &e));
        depth += e == JSON_OBJECT || e == JSON_ARRAY;
        depth -= e == JSON_OBJECT_END || e == JSON_ARRAY_END;
    } while (depth > 0);
    return APEX_OK;
}

static apex_status field_read(struct reader *r, const struct field *fields, size_t n, bool open,
                              uint32_t *seen, void *context)
{
    for (size_t i = 0; i < n; i++) {
        if (!span_equal(json_text(&r->json), span_text(fields[i].name))) continue;
        if (*seen & 1u << i) {
            TRY(path_push(r, fields[i].name, 0));
            return reader_fail(r, "this key occurs twice");
        }
        *seen |= 1u << i;
        return read_at_path(r, fields[i].name, 0, fields[i].read, context);
    }
    if (open) return read_skip(r);
    char name[24];
    key_show(json_text(&r->json), name);
    TRY(path_push(r, name, 0));
    return reader_fail(r, "this key is not known");
}

static apex_status object_read(struct reader *r, const struct field *fields, size_t n,
                               bool open, void *context)
{
    enum json_event e;
    uint32_t seen = 0;
    TRY(reader_next(r, &e));
    if (e != JSON_OBJECT) return reader_fail(r, "an object is expected");
    for (;;) {
        TRY(reader_next(r, &e));
        if (e == JSON_OBJECT_END) break;
        TRY(field_read(r, fields, n, open, &seen, context));
    }
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].required || seen & 1u << i) continue;
        TRY(path_push(r, fields[i].name, 0));
        return reader_fail(r, "this key is missing");
    }
    return APEX_OK;
}

apex_status read_object(struct reader *r, const struct field *fields, size_t n, void *context)
{
    return object_read(r, fields, n, false, context);
}

apex_status read_object_open(struct reader *r, const struct field *fields, size_t n,
                             void *context)
{
    return object_read(r, fields, n, true, context);
}

apex_status read_array(struct reader *r, void *context, size_t min, size_t max,
                       apex_status (*one)(struct reader *, void *))
{
    enum json_event e;
    size_t n = 0;
    TRY(reader_next(r, &e));
    if (e != JSON_ARRAY) return reader_fail(r, "an array is expected");
    for (;; n++) {
        TRY(reader_peek(r, &e));
        if (e == JSON_ARRAY_END) break;
        if (n == max) return reader_fail(r, "too many items");
        TRY(read_at_path(r, "", n, one, context));
    }
    if (n < min) return reader_fail(r, "too few items");
    return reader_next(r, &e);
}

apex_status read_text(struct reader *r, char *text, size_t max)
{
    enum json_event e;
    TRY(reader_next(r, &e));
    return e == JSON_STRING ? reader_copy(r, text, max) : reader_fail(r, "a text is expected");
}

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (!first && (c == '_' || c == '-'));
}

apex_status read_name(struct reader *r, char name[static NAME_MAX_LEN + 1])
{
    TRY(read_text(r, name, NAME_MAX_LEN));
    bool fine = name[0] != 0;
    for (size_t i = 0; name[i]; i++)
        fine &= name_char(name[i], i == 0);
    return fine ? APEX_OK
                : reader_fail(r, "a name is lower-case letters, digits, _ and -, and starts "
                                 "with a letter or digit");
}

apex_status read_bool(struct reader *r, bool *value)
{
    enum json_event e;
    TRY(reader_next(r, &e));
    *value = e == JSON_TRUE;
    return e == JSON_TRUE || e == JSON_FALSE ? APEX_OK
                                             : reader_fail(r, "true or false is expected");
}

static size_t significant_digits(struct span text, bool *plain)
{
    size_t digits = 0, zeros = 0;
    bool point = false;
    *plain = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t b = text.data[i];
        if (b == '.')
            point = true;
        else if (b == 'e' || b == 'E' || b == '+')
            *plain = false;
        else if (b == '0')
            zeros += digits > 0;
        else if (b != '-') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits + (point ? 0 : zeros);
}

apex_status read_number(struct reader *r, double *value)
{
    enum json_event e;
    bool plain;
    TRY(reader_next(r, &e));
    if (e != JSON_NUMBER) return reader_fail(r, "a number is expected");
    if (significant_digits(json_text(&r->json), &plain) > DIGITS_MAX || !plain)
        return reader_fail(
            r,
            "numbers have at most 15 digits and no exponent, so that they stay what they are");
    *value = json_number(&r->json);
    if (*value == 0) *value = 0;
    return APEX_OK;
}

apex_status read_count(struct reader *r, uint64_t max, uint64_t *value)
{
    double v;
    uint64_t most = max ? max : UINT64_C(1) << 53;
    TRY(read_number(r, &v));
    if (v < 0 || v > (double)most || v != (double)(uint64_t)v)
        return reader_fail(r, "a whole number in range is expected");
    *value = (uint64_t)v;
    return APEX_OK;
}

apex_status read_one_of(struct reader *r, const char *const *names, unsigned n,
                        const char *what, unsigned *at)
{
    char name[NAME_MAX_LEN + 1];
    TRY(read_text(r, name, NAME_MAX_LEN));
    for (*at = 0; *at < n; ++*at)
        if (strcmp(name, names[*at]) == 0) return APEX_OK;
    return reader_fail(r, what);
}

/* Days since 1970-01-01 of a proleptic Gregorian date. Source: H. Hinnant, chrono-compatible
 * low-level date algorithms. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400),
             doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static bool digits_of(const char *text, size_t n, unsigned *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *value = *value * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

static bool time_parse(const char *t, int64_t *ms)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y, mo, d, h, mi, s;
    if (strlen(t) != 20 || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' ||
        t[16] != ':' || t[19] != 'Z')
        return false;
    if (!digits_of(t, 4, &y) || !digits_of(t + 5, 2, &mo) || !digits_of(t + 8, 2, &d) ||
        !digits_of(t + 11, 2, &h) || !digits_of(t + 14, 2, &mi) || !digits_of(t + 17, 2, &s))
        return false;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > days[mo - 1] + (mo == 2 && leap) ||
        h > 23 || mi > 59 || s > 59)
        return false;
    *ms = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * 60000 + (int64_t)s * 1000;
    return true;
}

apex_status read_time(struct reader *r, int64_t *ms)
{
    char text[32];
    TRY(read_text(r, text, 31));
    return time_parse(text, ms)
               ? APEX_OK
               : reader_fail(r, "a time such as 2030-01-01T00:00:00Z is expected");
}
