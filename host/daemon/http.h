/* What a request asks for, parsed from its hostile bytes: target, Range, Content-Range. No
 * allocation; pure functions. */
#ifndef HOST_DAEMON_HTTP_H
#define HOST_DAEMON_HTTP_H

#include "common/base/span.h"
#include "common/merkle/tile.h"
#include "include/apex/status.h"

enum route {
    ROUTE_NONE,
    ROUTE_MESSAGE,
    ROUTE_CHECKPOINT,
    ROUTE_WITNESSED,
    ROUTE_TILE,
    ROUTE_BLOB,
    ROUTE_ATTESTATION,
    ROUTE_RUN,
    ROUTE_RUN_EVENTS,
    ROUTE_HEALTHZ,
    ROUTE_METRICS,
    N_ROUTES
};
/* "/blob/{digest}" and its kin: for logs and metrics. */
const char *route_name(enum route route);

enum { TARGET_MAX = 255 };
struct target {
    enum route route;
    uint8_t digest[32]; /* blob */
    uint8_t nonce[32];  /* attestation; zeros when none was given */
    uint64_t run;
    unsigned tile_level, tile_width;
    uint64_t tile_index;
};
/* The request target as sent: origin form, no percent escapes (no name here needs one), a query
 * only where one is known. APEX_E_NOT_FOUND: no such place. APEX_E_FORMAT: a place of ours with
 * a bad argument (target->route is set). APEX_E_LIMIT: longer than TARGET_MAX. */
apex_status target_parse(const char *text, struct target *target);

/* Range: bytes=FIRST-LAST | FIRST- | -SUFFIX (RFC 9110 section 14.1.2). Anything else, and
 * several ranges, read as none, as section 14.2 allows. RANGE_OUTSIDE: answer 416. */
enum range_kind { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE };
enum range_kind range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *len);

/* Content-Range: bytes FIRST-LAST/TOTAL (RFC 9110 section 14.4), FIRST <= LAST < TOTAL, all
 * known. */
apex_status content_range_parse(const char *text, uint64_t *first, uint64_t *len,
                                uint64_t *total);
/* Decimal digits, the whole text, at most 2^63-1. */
apex_status decimal_parse(const char *text, uint64_t *value);

#endif
