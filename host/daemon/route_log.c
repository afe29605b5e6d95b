#include "host/daemon/request.h"

#define FOREVER "public, max-age=31536000, immutable"

void checkpoint_end(struct request *r)
{
    BUFFER_CLEARED note = {0};
    apex_status s = ledger_checkpoint_get(r->host->ledger, &note);
    if (s != APEX_OK) {
        answer_status(r, s);
        return;
    }
    if (note.len == 0) {
        answer_error(r, MHD_HTTP_NOT_FOUND, "the log has no checkpoint yet",
                     "wait for the enclave's first start to end");
        return;
    }
    answer_bytes(r, "text/plain; charset=utf-8", buffer_span(&note));
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
}

void witnessed_end(struct request *r)
{
    BUFFER_CLEARED note = {0};
    apex_status s = ledger_witnessed_get(r->host->ledger, &note);
    if (s == APEX_OK && note.len == 0)
        answer_error(r, MHD_HTTP_NOT_FOUND, "no witness has cosigned a checkpoint of this log",
                     "ask the operator to name witnesses with --witness");
    else if (s != APEX_OK)
        answer_status(r, s);
    else {
        answer_bytes(r, "text/plain; charset=utf-8", buffer_span(&note));
        answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    }
}

void tile_end(struct request *r)
{
    char path[TILE_PATH_MAX];
    BUFFER_CLEARED bytes = {0};
    apex_status s =
        tile_path(r->target.tile_level, r->target.tile_index, r->target.tile_width, path);
    if (s == APEX_OK) s = ledger_tile(r->host->ledger, path, &bytes);
    if (s == APEX_E_NOT_FOUND || s == APEX_E_FORMAT) {
        answer_error(r, MHD_HTTP_NOT_FOUND, "the log has no such tile",
                     "see /checkpoint for its size");
        return;
    }
    if (s != APEX_OK) {
        answer_status(r, s);
        return;
    }
    answer_bytes(r, "application/octet-stream", buffer_span(&bytes));
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, FOREVER);
}
