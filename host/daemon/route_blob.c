#include "host/daemon/request.h"

#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FOREVER "public, max-age=31536000, immutable"
enum { ETAG_LEN = 2 * STORE_DIGEST_LEN + 2 };

/* ---- PUT ---- */

static void answer_upload(struct request *r, apex_status s, uint64_t offset)
{
    switch (s) {
    case APEX_E_USAGE:
    case APEX_E_REFUSED:
        answer_error(
            r, MHD_HTTP_CONFLICT,
            "the stretch does not begin where the kept part ends, or another upload goes on",
            "go on from Upload-Offset");
        answer_offset(r, offset);
        return;
    case APEX_E_UNTRUSTED:
        answer_error(r, MHD_HTTP_UNPROCESSABLE_CONTENT,
                     "the bytes are not the ones the address names; they were discarded",
                     "send the blob again from the start");
        return;
    default: answer_status(r, s); return;
    }
}

static void answer_whole(struct request *r)
{
    answer_json(r, MHD_HTTP_CREATED, "{\"whole\":true}");
}

/* The stretch that the head announces; false when it was answered. */
static bool stretch_read(struct request *r, struct stretch *st)
{
    const char *range = request_header(r, MHD_HTTP_HEADER_CONTENT_RANGE);
    if (!r->has_length) {
        answer_error(r, MHD_HTTP_LENGTH_REQUIRED, "the upload does not say how long it is",
                     "send Content-Length");
        return false;
    }
    *st = (struct stretch){.len = r->body_len, .total = r->body_len};
    if (range && (content_range_parse(range, &st->first, &st->len, &st->total) != APEX_OK ||
                  st->len != r->body_len)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST,
                     "Content-Range does not read, or does not fit Content-Length",
                     "send Content-Range: bytes FIRST-LAST/TOTAL");
        return false;
    }
    if (st->total > r->host->blob_max) {
        answer_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "the blob is larger than this node takes",
                     "split the data, or ask the operator");
        return false;
    }
    return true;
}

void blob_begin(struct request *r)
{
    struct stretch st;
    uint64_t offset = 0;
    bool whole = false;
    if (r->method != METHOD_PUT || !stretch_read(r, &st)) return;
    apex_status s =
        upload_begin(r->host->store, r->target.digest, &st, &r->upload, &whole, &offset);
    if (s != APEX_OK)
        answer_upload(r, s, offset);
    else if (whole)
        answer_whole(r);
}

static uint64_t offset_now(struct request *r)
{
    uint64_t offset = 0;
    bool whole;
    apex_status s = store_look(r->host->store, r->target.digest, &whole, &offset);
    return s == APEX_OK ? offset : 0;
}

void blob_data(struct request *r, struct span bytes)
{
    if (!r->upload) return;
    apex_status s = upload_write(r->upload, bytes);
    if (s == APEX_OK) return;
    upload_abandon(r->upload);
    r->upload = NULL;
    answer_upload(r, s, offset_now(r));
}

static void put_end(struct request *r)
{
    uint64_t offset = 0;
    bool whole = false;
    struct upload *u = r->upload;
    r->upload = NULL;
    if (!u) return; /* answered at the beginning */
    apex_status s = upload_end(u, &whole, &offset);
    if (s != APEX_OK)
        answer_upload(r, s, offset_now(r));
    else if (whole)
        answer_whole(r);
    else {
        answer_json(r, MHD_HTTP_ACCEPTED, "{\"whole\":false}");
        answer_offset(r, offset);
    }
}

/* ---- GET, HEAD ---- */

static void etag_of(const struct request *r, char etag[static ETAG_LEN + 1])
{
    etag[0] = '"';
    hex_write(SPAN(r->target.digest), etag + 1);
    etag[ETAG_LEN - 1] = '"';
    etag[ETAG_LEN] = '\0';
}

static void answer_missing(struct request *r)
{
    uint64_t offset = offset_now(r);
    answer_error(r, MHD_HTTP_NOT_FOUND, "this node does not hold the whole blob",
                 "upload it from Upload-Offset on");
    answer_offset(r, offset);
}

static void answer_outside(struct request *r, const struct blob *blob)
{
    char text[40];
    snprintf(text, sizeof text, "bytes */%" PRIu64, blob->size);
    answer_error(r, MHD_HTTP_RANGE_NOT_SATISFIABLE, "the range lies outside the blob",
                 "see Content-Range for its size");
    answer_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

/* The response owns the descriptor from here on. */
static void answer_part(struct request *r, struct blob *blob, enum range_kind kind,
                        uint64_t first, uint64_t len)
{
    char text[80], etag[ETAG_LEN + 1];
    struct MHD_Response *response =
        len > 0 ? MHD_create_response_from_fd_at_offset64(len, blob->fd, first) : NULL;
    if (response)
        *blob = (struct blob){-1, blob->size};
    else if (len == 0)
        response =
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    answer_response(r, kind == RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response,
                    len);
    etag_of(r, etag);
    answer_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    answer_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    answer_header(r, MHD_HTTP_HEADER_ETAG, etag);
    answer_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, FOREVER);
    if (kind != RANGE_PART) return;
    snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
             first + len - 1, blob->size);
    answer_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

static enum range_kind range_of(struct request *r, uint64_t size, uint64_t *first,
                                uint64_t *len)
{
    char etag[ETAG_LEN + 1];
    const char *only_if = request_header(r, MHD_HTTP_HEADER_IF_RANGE);
    *first = 0;
    *len = size;
    etag_of(r, etag);
    if (r->method != METHOD_GET || (only_if && strcmp(only_if, etag) != 0)) return RANGE_NONE;
    return range_parse(request_header(r, MHD_HTTP_HEADER_RANGE), size, first, len);
}

static void get_end(struct request *r)
{
    struct blob blob = {.fd = -1};
    bool whole = true;
    uint64_t offset, first, len;
    apex_status s = APEX_OK;
    /* HEAD speaks of durable things only; GET may show a blob a moment before it is. */
    if (r->method == METHOD_HEAD)
        s = store_look(r->host->store, r->target.digest, &whole, &offset);
    if (s == APEX_OK && !whole) s = APEX_E_NOT_FOUND;
    if (s == APEX_OK) s = store_blob_open(r->host->store, r->target.digest, &blob);
    if (s == APEX_E_NOT_FOUND) {
        answer_missing(r);
        return;
    }
    if (s != APEX_OK) {
        answer_status(r, s);
        return;
    }
    enum range_kind kind = range_of(r, blob.size, &first, &len);
    if (kind == RANGE_OUTSIDE)
        answer_outside(r, &blob);
    else
        answer_part(r, &blob, kind, first, len);
    blob_close(&blob);
}

void blob_end(struct request *r)
{
    if (r->method == METHOD_PUT)
        put_end(r);
    else
        get_end(r);
}
