#include "tests/attest_case.h"

#include "common/base/hex.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

struct span case_file(const struct attest_case *c, const char *role)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (strcmp(c->file[i].role, role) == 0) return buffer_span(&c->file[i].bytes);
    return (struct span){0};
}

void case_root(const struct attest_case *c, const char *role, enum root which,
               struct roots *roots)
{
    struct span pem = case_file(c, role);
    if (pem.data) roots->der[which] = pem;
}

static const json_t *at_path(const json_t *from, const char *path)
{
    char word[CASE_NAME_MAX];
    while (from && *path) {
        size_t len = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)len, path);
        from = json_object_get(from, word);
        path += path[len] ? len + 1 : len;
    }
    return from;
}

static const json_t *expected(const struct attest_case *c, const char *path)
{
    return at_path(json_object_get(c->vector, "expect"), path);
}

static const char *name_of(const struct attest_case *c)
{
    return json_string_value(json_object_get(c->vector, "name"));
}

void case_expect_text(const struct attest_case *c, const char *path, const char *text)
{
    const json_t *want = expected(c, path);
    if (want && !json_is_null(want) && strcmp(json_string_value(want), text) != 0)
        fail_msg("%s: %s is %s, not %s", name_of(c), path, text, json_string_value(want));
}

void case_expect_hex(const struct attest_case *c, const char *path, struct span bytes)
{
    char *text = malloc(2 * bytes.len + 1);
    assert_non_null(text);
    hex_write(bytes, text);
    case_expect_text(c, path, text);
    free(text);
}

void case_expect_int(const struct attest_case *c, const char *path, uint64_t value)
{
    const json_t *want = expected(c, path);
    if (!want || json_is_null(want)) return;
    uint64_t number = json_is_string(want) ? strtoull(json_string_value(want), NULL, 0)
                                           : (uint64_t)json_integer_value(want);
    if (number != value)
        fail_msg("%s: %s is %llu, not %llu", name_of(c), path, (unsigned long long)value,
                 (unsigned long long)number);
}

void case_expect_bool(const struct attest_case *c, const char *path, bool value)
{
    const json_t *want = expected(c, path);
    if (want && json_is_boolean(want) && json_is_true(want) != value)
        fail_msg("%s: %s is %d", name_of(c), path, value);
}
