#include "host/daemon/http.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#define BLOB_PREFIX "/blob/"
#define TILE_PREFIX "/tile/"
#define RUN_PREFIX "/runs/"
#define EVENTS_SUFFIX "/events"
#define ATTESTATION "/attestation"
#define NONCE_KEY "?nonce="
enum { DECIMAL_MAX = 19 };

const char *route_name(enum route route)
{
    static const char *const names[N_ROUTES] = {"other",
                                                "/message",
                                                "/checkpoint",
                                                "/checkpoint.witnessed",
                                                "/tile/{path}",
                                                "/blob/{digest}",
                                                "/attestation",
                                                "/runs/{run}",
                                                "/runs/{run}/events",
                                                "/healthz",
                                                "/metrics"};
    return (unsigned)route < N_ROUTES ? names[route] : names[ROUTE_NONE];
}

/* Reads digits up to the first byte that is none. */
static apex_status decimal_read(const char **text, uint64_t *value)
{
    uint64_t v = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (at - *text >= DECIMAL_MAX) return APEX_E_FORMAT;
        v = v * 10 + (uint64_t)(*at - '0');
    }
    if (at == *text || v > INT64_MAX) return APEX_E_FORMAT;
    *text = at;
    *value = v;
    return APEX_OK;
}

apex_status decimal_parse(const char *text, uint64_t *value)
{
    TRY(decimal_read(&text, value));
    return *text == '\0' ? APEX_OK : APEX_E_FORMAT;
}

static bool text_skip(const char **text, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(*text, prefix, n) != 0) return false;
    *text += n;
    return true;
}

static apex_status run_parse(const char *text, struct target *t)
{
    t->route = ROUTE_RUN;
    const char *end = text;
    TRY(decimal_read(&end, &t->run));
    if (end - text > 1 && *text == '0') return APEX_E_FORMAT; /* one name per run */
    if (*end == '\0') return APEX_OK;
    t->route = ROUTE_RUN_EVENTS;
    return strcmp(end, EVENTS_SUFFIX) == 0 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status attestation_parse(const char *text, struct target *t)
{
    t->route = ROUTE_ATTESTATION;
    if (*text == '\0') return APEX_OK;
    if (!text_skip(&text, NONCE_KEY)) return APEX_E_FORMAT;
    return hex_parse(span_text(text), t->nonce, sizeof t->nonce);
}

static bool plain_parse(const char *text, struct target *t)
{
    static const struct {
        const char *path;
        enum route route;
    } plain[] = {{"/message", ROUTE_MESSAGE},
                 {"/checkpoint", ROUTE_CHECKPOINT},
                 {"/checkpoint.witnessed", ROUTE_WITNESSED},
                 {"/healthz", ROUTE_HEALTHZ},
                 {"/metrics", ROUTE_METRICS}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(text, plain[i].path) == 0) t->route = plain[i].route;
    return t->route != ROUTE_NONE;
}

apex_status target_parse(const char *text, struct target *target)
{
    *target = (struct target){.route = ROUTE_NONE};
    if (strnlen(text, TARGET_MAX + 1) > TARGET_MAX) return APEX_E_LIMIT;
    if (plain_parse(text, target)) return APEX_OK;
    const char *rest = text;
    if (text_skip(&rest, BLOB_PREFIX)) {
        target->route = ROUTE_BLOB;
        return hex_parse(span_text(rest), target->digest, sizeof target->digest);
    }
    if (text_skip(&rest, TILE_PREFIX)) {
        target->route = ROUTE_TILE;
        return tile_path_parse(text + 1, &target->tile_level, &target->tile_index,
                               &target->tile_width);
    }
    if (text_skip(&rest, RUN_PREFIX)) return run_parse(rest, target);
    if (text_skip(&rest, ATTESTATION) && (*rest == '\0' || *rest == '?'))
        return attestation_parse(rest, target);
    return APEX_E_NOT_FOUND;
}

enum range_kind range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *len)
{
    uint64_t a = 0, b = 0;
    if (!text || !text_skip(&text, "bytes=")) return RANGE_NONE;
    if (*text == '-') {
        if (decimal_parse(text + 1, &b) != APEX_OK) return RANGE_NONE;
        if (b == 0 || size == 0) return RANGE_OUTSIDE;
        *len = b < size ? b : size;
        *first = size - *len;
        return RANGE_PART;
    }
    if (decimal_read(&text, &a) != APEX_OK || *text++ != '-') return RANGE_NONE;
    if (*text == '\0')
        b = INT64_MAX;
    else if (decimal_parse(text, &b) != APEX_OK || b < a)
        return RANGE_NONE;
    if (a >= size) return RANGE_OUTSIDE;
    *first = a;
    *len = (b < size ? b + 1 : size) - a;
    return RANGE_PART;
}

apex_status content_range_parse(const char *text, uint64_t *first, uint64_t *len,
                                uint64_t *total)
{
    uint64_t last;
    if (!text_skip(&text, "bytes ")) return APEX_E_FORMAT;
    TRY(decimal_read(&text, first));
    if (*text++ != '-') return APEX_E_FORMAT;
    TRY(decimal_read(&text, &last));
    if (*text++ != '/') return APEX_E_FORMAT;
    TRY(decimal_parse(text, total));
    if (*first > last || last >= *total) return APEX_E_FORMAT;
    *len = last - *first + 1;
    return APEX_OK;
}
