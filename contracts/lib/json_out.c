#include "contracts/lib/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void run_json_flush(struct apex_run *run)
{
    for (size_t at = 0; at < run->out_len;) {
        ssize_t n = write(APEX_FD_RESULT, run->out + at, run->out_len - at);
        if (n <= 0) _exit(RUN_EXIT_OUTPUT);
        at += (size_t)n;
    }
    run->out_len = 0;
}

static void put(struct apex_run *run, const char *bytes, size_t len)
{
    while (len > 0) {
        if (run->out_len == OUT_BYTES) run_json_flush(run);
        size_t n = OUT_BYTES - run->out_len < len ? OUT_BYTES - run->out_len : len;
        memcpy(run->out + run->out_len, bytes, n);
        run->out_len += n;
        bytes += n;
        len -= n;
    }
}

static void put_text(struct apex_run *run, const char *text, size_t len)
{
    put(run, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char escaped[8];
        if (c == '"' || c == '\\') {
            escaped[0] = '\\';
            escaped[1] = (char)c;
            put(run, escaped, 2);
        } else if (c < 0x20) {
            put(run, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        } else {
            put(run, text + i, 1);
        }
    }
    put(run, "\"", 1);
}

/* The comma before an item, and its key in an object. */
static void item(struct apex_run *run, const char *key)
{
    if (run->has_items[run->depth]) put(run, ",", 1);
    run->has_items[run->depth] = true;
    if (!key) return;
    put_text(run, key, strlen(key));
    put(run, ":", 1);
}

/* has_items also remembers, above, which bracket closes: kept in a parallel bit per level. */
static uint32_t arrays; /* bit d: the container at depth d is an array */

static void open_level(struct apex_run *run, const char *key, bool array)
{
    item(run, key);
    if (run->depth + 1 == JSON_NESTING_MAX) _exit(RUN_EXIT_BROKEN);
    put(run, array ? "[" : "{", 1);
    run->has_items[++run->depth] = false;
    uint32_t bit = UINT32_C(1) << run->depth;
    arrays = array ? arrays | bit : arrays & ~bit;
}

void apex_json_object(struct apex_run *run, const char *key)
{
    open_level(run, key, false);
}
void apex_json_array(struct apex_run *run, const char *key)
{
    open_level(run, key, true);
}

void apex_json_end(struct apex_run *run)
{
    if (run->depth == 0) _exit(RUN_EXIT_BROKEN);
    put(run, arrays >> run->depth & 1 ? "]" : "}", 1);
    run->depth--;
}

/* The shortest decimal that reads back as the same double. */
void apex_json_number(struct apex_run *run, const char *key, double value)
{
    char text[40];
    int len = 0;
    if (!isfinite(value)) {
        apex_json_null(run, key);
        return;
    }
    item(run, key);
    if (value == 0) value = 0; /* one zero */
    for (int digits = 1; digits <= 17; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    put(run, text, (size_t)len);
}

void apex_json_integer(struct apex_run *run, const char *key, int64_t value)
{
    char text[24];
    item(run, key);
    put(run, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}

void apex_json_text(struct apex_run *run, const char *key, const char *text, size_t len)
{
    item(run, key);
    put_text(run, text, len);
}

void apex_json_bool(struct apex_run *run, const char *key, bool value)
{
    item(run, key);
    put(run, value ? "true" : "false", value ? 4 : 5);
}

void apex_json_null(struct apex_run *run, const char *key)
{
    item(run, key);
    put(run, "null", 4);
}
