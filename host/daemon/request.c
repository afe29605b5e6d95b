#include "host/daemon/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

const struct route_door route_doors[N_ROUTES] = {
    [ROUTE_MESSAGE] = {"POST", message_begin, message_data, message_end},
    [ROUTE_ATTESTATION] = {"GET", NULL, NULL, attestation_end},
    [ROUTE_CHECKPOINT] = {"GET, HEAD", NULL, NULL, checkpoint_end},
    [ROUTE_WITNESSED] = {"GET, HEAD", NULL, NULL, witnessed_end},
    [ROUTE_TILE] = {"GET, HEAD", NULL, NULL, tile_end},
    [ROUTE_BLOB] = {"GET, HEAD, PUT", blob_begin, blob_data, blob_end},
    [ROUTE_RUN] = {"GET", NULL, NULL, run_end},
    [ROUTE_RUN_EVENTS] = {"GET", NULL, NULL, run_events_end},
    [ROUTE_HEALTHZ] = {"GET, HEAD", NULL, NULL, healthz_end},
    [ROUTE_METRICS] = {"GET, HEAD", NULL, NULL, metrics_end},
};

const char *request_header(struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void answer_response(struct request *r, unsigned code, struct MHD_Response *response,
                     uint64_t len)
{
    if (!response) return; /* the connection is closed without an answer */
    if (r->response) {
        MHD_destroy_response(response);
        return;
    }
    r->response = response;
    r->code = code;
    r->bytes_out = r->method == METHOD_HEAD ? 0 : len;
    answer_header(r, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
}

void answer_header(struct request *r, const char *name, const char *value)
{
    if (!r->response) return;
    enum MHD_Result lost = MHD_add_response_header(r->response, name, value);
    (void)lost; /* no memory: the answer goes without it */
}

void answer_offset(struct request *r, uint64_t offset)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, offset);
    answer_header(r, "Upload-Offset", text);
}

static void answer_copy(struct request *r, unsigned code, const char *type, struct span bytes)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        bytes.len, (void *)(uintptr_t)bytes.data, MHD_RESPMEM_MUST_COPY);
    bool first = !r->response;
    answer_response(r, code, response, bytes.len);
    if (first) answer_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void answer_json(struct request *r, unsigned code, const char *json)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s\n", json);
    answer_copy(r, code, "application/json",
                span_of(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1));
}

void answer_error(struct request *r, unsigned code, const char *error, const char *next)
{
    char json[512]; /* both are our own words: nothing to escape */
    snprintf(json, sizeof json, "{\"error\":\"%s\",\"next\":\"%s\"}", error, next);
    answer_json(r, code, json);
    if (code == MHD_HTTP_SERVICE_UNAVAILABLE)
        answer_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "2");
}

void answer_bytes(struct request *r, const char *type, struct span bytes)
{
    answer_copy(r, MHD_HTTP_OK, type, bytes);
}

void answer_status(struct request *r, apex_status s)
{
    if (s == APEX_E_LIMIT)
        answer_error(
            r, MHD_HTTP_INSUFFICIENT_STORAGE,
            "the host's disk is full, or promised to uploads under way; nothing was kept",
            "try again later; if that does not help, the operator has to make room");
    else if (s == APEX_E_MEMORY)
        answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "the host is out of memory",
                     "try again later");
    else
        answer_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "the host's disk failed",
                     "tell the operator; its log says more");
}
