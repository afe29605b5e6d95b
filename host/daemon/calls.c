#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"
#include "host/daemon/host.h"
#include "host/ledger/files.h"

static apex_status blob_get(struct host *h, struct cursor *c, struct buffer *out)
{
    uint8_t digest[STORE_DIGEST_LEN], size[8];
    uint64_t offset, total;
    uint32_t len;
    TRY(cursor_copy(c, sizeof digest, digest));
    TRY(cursor_be64(c, &offset));
    TRY(cursor_be32(c, &len));
    TRY(cursor_end(c));
    if (len > FRAME_BLOB_MAX) return APEX_E_FORMAT;
    size_t at = out->len;
    buffer_append(out, SPAN(size)); /* its place; the size is known after the read */
    TRY(store_read(h->store, digest, offset, len, out, &total));
    put_be64(out->data + at, total);
    return APEX_OK;
}

static apex_status blob_put(struct host *h, struct cursor *c, struct buffer *out)
{
    uint8_t digest[STORE_DIGEST_LEN];
    if (cursor_left(c) > FRAME_BLOB_MAX) return APEX_E_FORMAT;
    TRY(store_put(h->store, span_of(c->at, cursor_left(c)), digest));
    buffer_append(out, SPAN(digest));
    return APEX_OK;
}

static apex_status blob_append(struct host *h, struct cursor *c, struct buffer *out)
{
    uint64_t token;
    TRY(cursor_be64(c, &token));
    if (cursor_left(c) > FRAME_BLOB_MAX) return APEX_E_FORMAT;
    TRY(store_piece_append(h->store, &token, span_of(c->at, cursor_left(c))));
    buffer_be64(out, token);
    return APEX_OK;
}

static apex_status blob_finish(struct host *h, struct cursor *c, struct buffer *out)
{
    uint8_t digest[STORE_DIGEST_LEN];
    uint64_t token;
    TRY(cursor_be64(c, &token));
    TRY(cursor_end(c));
    TRY(store_piece_finish(h->store, token, digest));
    buffer_append(out, SPAN(digest));
    return APEX_OK;
}

static apex_status log_read(struct host *h, struct cursor *c, struct buffer *out)
{
    uint64_t index;
    uint32_t max;
    TRY(cursor_be64(c, &index));
    TRY(cursor_be32(c, &max));
    TRY(cursor_end(c));
    return ledger_read(h->ledger, index, max < FRAME_BLOB_MAX ? max : FRAME_BLOB_MAX, out);
}

static apex_status log_append(struct host *h, struct cursor *c)
{
    uint64_t index;
    TRY(cursor_be64(c, &index));
    return ledger_append(h->ledger, index, span_of(c->at, cursor_left(c)));
}

static apex_status root_get(struct host *h, struct cursor *c, struct buffer *out)
{
    TRY(cursor_end(c));
    buffer_u8(out, h->wait_for_root);
    apex_status s = file_read(h->root_path, 1 + FRAME_ROOT_MAX, out);
    return s == APEX_E_NOT_FOUND ? APEX_OK : s;
}

static apex_status root_put(struct host *h, struct cursor *c)
{
    if (cursor_left(c) == 0 || cursor_left(c) > FRAME_ROOT_MAX) return APEX_E_FORMAT;
    return file_replace_synced(h->root_path, span_of(c->at, cursor_left(c)));
}

static apex_status call_dispatch(struct host *h, struct span call, struct buffer *out)
{
    struct cursor c = cursor_on(call);
    uint8_t op;
    TRY(cursor_u8(&c, &op));
    switch (op) {
    case CALL_BLOB_GET: return blob_get(h, &c, out);
    case CALL_BLOB_PUT: return blob_put(h, &c, out);
    case CALL_BLOB_APPEND: return blob_append(h, &c, out);
    case CALL_BLOB_FINISH: return blob_finish(h, &c, out);
    case CALL_LOG_READ: return log_read(h, &c, out);
    case CALL_LOG_APPEND: return log_append(h, &c);
    case CALL_CHECKPOINT_PUT:
        return ledger_checkpoint_put(h->ledger, span_of(c.at, cursor_left(&c)));
    case CALL_CHECKPOINT_GET: return ledger_checkpoint_get(h->ledger, out);
    case CALL_ROOT_GET: return root_get(h, &c, out);
    case CALL_ROOT_PUT: return root_put(h, &c);
    case CALL_WITNESSED_GET: return ledger_witnessed_get(h->ledger, out);
    default: return APEX_E_FORMAT;
    }
}

static enum call_status call_status_of(apex_status s)
{
    switch (s) {
    case APEX_OK: return CALL_OK;
    case APEX_E_NOT_FOUND: return CALL_NOT_FOUND;
    case APEX_E_LIMIT: return CALL_FULL;
    case APEX_E_FORMAT:
    case APEX_E_USAGE: return CALL_BAD;
    default: return CALL_IO;
    }
}

void host_call(struct host *host, struct span call, struct buffer *answer)
{
    buffer_u8(answer, CALL_OK);
    apex_status s = call_dispatch(host, call, answer);
    if (s == APEX_OK) s = buffer_ok(answer);
    if (s == APEX_OK) return;
    buffer_clear(answer);
    buffer_u8(answer, (uint8_t)call_status_of(s));
}
