/* Targets, Range and Content-Range as strangers send them. */
#include "common/base/hex.h"
#include "host/daemon/http.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds) abort();
}

static void target_try(const char *text)
{
    struct target t;
    char again[TARGET_MAX + 80], hex[65];
    apex_status s = target_parse(text, &t);
    if (s != APEX_OK) return;
    must(t.route > ROUTE_NONE && t.route < N_ROUTES && strlen(text) <= TARGET_MAX);
    must(!strchr(text, '%') && !strstr(text, ".."));
    if (t.route == ROUTE_BLOB) {
        hex_write(SPAN(t.digest), hex);
        snprintf(again, sizeof again, "/blob/%s", hex);
        must(strcmp(text, again) == 0);
    }
    if (t.route == ROUTE_RUN || t.route == ROUTE_RUN_EVENTS) {
        snprintf(again, sizeof again, "/runs/%llu%s", (unsigned long long)t.run,
                 t.route == ROUTE_RUN ? "" : "/events");
        must(strcmp(text, again) == 0);
    }
}

static void ranges_try(const char *text)
{
    static const uint64_t sizes[] = {0, 1, 1000, INT64_MAX, UINT64_MAX};
    uint64_t first, n, total;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (range_parse(text, sizes[i], &first, &n) == RANGE_PART)
            must(n > 0 && first < sizes[i] && n <= sizes[i] - first);
    if (content_range_parse(text, &first, &n, &total) == APEX_OK)
        must(n > 0 && first < total && n <= total - first);
    if (decimal_parse(text, &n) == APEX_OK) must(n <= INT64_MAX && strlen(text) <= 19);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    if (!text) return 0;
    if (len) memcpy(text, data, len);
    text[len] = '\0';
    target_try(text);
    ranges_try(text);
    free(text);
    return 0;
}
