#include "enclave/core/host.h"

#include "common/base/endian.h"
#include "common/base/try.h"

void blob_reader_init(struct blob_reader *r, struct link *link,
                      const uint8_t digest[static HASH_LEN])
{
    *r = (struct blob_reader){.link = link};
    memcpy(r->digest, digest, HASH_LEN);
    sha256_init(&r->hash);
}

void blob_reader_clear(struct blob_reader *r)
{
    buffer_clear(&r->piece);
}

static struct span piece_unhashed(struct blob_reader *r)
{
    struct span bytes = {0};
    if (r->unhashed) bytes = span_of(r->piece.data + 8, r->piece.len - 8);
    r->unhashed = false;
    return bytes;
}

void blob_reader_hash_beside(struct blob_reader *r, struct sha256 *other, struct span bytes)
{
    sha256_update_two(&r->hash, piece_unhashed(r), other, bytes);
}

static apex_status piece_fetch(struct blob_reader *r)
{
    sha256_update(&r->hash, piece_unhashed(r));
    uint8_t head[HASH_LEN + 8 + 4];
    memcpy(head, r->digest, HASH_LEN);
    put_be64(head + HASH_LEN, r->offset);
    put_be32(head + HASH_LEN + 8, FRAME_BLOB_MAX);
    TRY(link_call(r->link, CALL_BLOB_GET, SPAN(head), (struct span){0}, &r->piece));
    if (r->piece.len < 8 || r->piece.len - 8 > FRAME_BLOB_MAX) return APEX_E_UNTRUSTED;
    uint64_t total = get_be64(r->piece.data);
    if (r->started && total != r->total) return APEX_E_UNTRUSTED;
    r->started = true;
    r->total = total;
    r->piece_at = 8;
    size_t n = r->piece.len - 8;
    if (r->offset > total || n > total - r->offset || (n == 0 && r->offset < total))
        return APEX_E_UNTRUSTED;
    r->offset += n;
    r->unhashed = !r->marked;
    return APEX_OK;
}

apex_status blob_reader_some(struct blob_reader *r, uint8_t *out, size_t len, size_t *got)
{
    *got = 0;
    while (*got < len) {
        size_t left = r->piece.len - r->piece_at;
        if (left == 0) {
            if (r->started && r->offset == r->total) return APEX_OK;
            TRY(piece_fetch(r));
            continue;
        }
        size_t n = left < len - *got ? left : len - *got;
        memcpy(out + *got, r->piece.data + r->piece_at, n);
        r->piece_at += n;
        *got += n;
    }
    return APEX_OK;
}

apex_status blob_reader_exact(struct blob_reader *r, uint8_t *out, size_t len)
{
    size_t got;
    TRY(blob_reader_some(r, out, len, &got));
    return got == len ? APEX_OK : APEX_E_UNTRUSTED;
}

apex_status blob_reader_end(struct blob_reader *r)
{
    if (!r->started || r->offset != r->total || r->piece_at != r->piece.len)
        return APEX_E_UNTRUSTED;
    uint8_t digest[HASH_LEN];
    sha256_update(&r->hash, piece_unhashed(r));
    sha256_final(&r->hash, digest);
    return memcmp(digest, r->digest, HASH_LEN) == 0 ? APEX_OK : APEX_E_UNTRUSTED;
}

apex_status host_blob(struct link *link, const uint8_t digest[static HASH_LEN], size_t max,
                      struct buffer *bytes)
{
    BLOB_READER_CLEARED r;
    blob_reader_init(&r, link, digest);
    uint8_t *room = buffer_reserve(bytes, max + 1);
    if (!room) return APEX_E_MEMORY;
    size_t got;
    TRY(blob_reader_some(&r, room, max + 1, &got));
    if (got > max) return APEX_E_LIMIT;
    TRY(blob_reader_end(&r));
    bytes->len += got;
    return APEX_OK;
}

static apex_status blob_put_large(struct link *link, struct span bytes, struct buffer *answer)
{
    uint8_t token[8] = {0};
    for (size_t at = 0; at < bytes.len; at += FRAME_BLOB_MAX) {
        size_t n = bytes.len - at < FRAME_BLOB_MAX ? bytes.len - at : FRAME_BLOB_MAX;
        TRY(link_call(link, CALL_BLOB_APPEND, SPAN(token), span_of(bytes.data + at, n),
                      answer));
        if (answer->len != sizeof token) return APEX_E_FORMAT;
        memcpy(token, answer->data, sizeof token);
    }
    return link_call(link, CALL_BLOB_FINISH, SPAN(token), (struct span){0}, answer);
}

apex_status host_blob_put(struct link *link, struct span bytes, uint8_t digest[static HASH_LEN])
{
    BUFFER_CLEARED answer = {0};
    if (bytes.len <= FRAME_BLOB_MAX)
        TRY(link_call(link, CALL_BLOB_PUT, bytes, (struct span){0}, &answer));
    else
        TRY(blob_put_large(link, bytes, &answer));
    sha256(bytes, digest);
    return span_equal(buffer_span(&answer), span_of(digest, HASH_LEN)) ? APEX_OK
                                                                       : APEX_E_UNTRUSTED;
}

apex_status host_log_read(struct link *link, uint64_t index, struct buffer *bundle)
{
    uint8_t head[12];
    put_be64(head, index);
    put_be32(head + 8, FRAME_BLOB_MAX);
    return link_call(link, CALL_LOG_READ, SPAN(head), (struct span){0}, bundle);
}

apex_status host_log_append(struct link *link, uint64_t index, struct span bundle)
{
    BUFFER_CLEARED answer = {0};
    uint8_t head[8];
    put_be64(head, index);
    return link_call(link, CALL_LOG_APPEND, SPAN(head), bundle, &answer);
}

apex_status host_checkpoint_put(struct link *link, struct span note)
{
    BUFFER_CLEARED answer = {0};
    return link_call(link, CALL_CHECKPOINT_PUT, note, (struct span){0}, &answer);
}

apex_status host_checkpoint_get(struct link *link, struct buffer *note)
{
    return link_call(link, CALL_CHECKPOINT_GET, (struct span){0}, (struct span){0}, note);
}

apex_status host_root_get(struct link *link, bool *wait, struct buffer *sealed)
{
    TRY(link_call(link, CALL_ROOT_GET, (struct span){0}, (struct span){0}, sealed));
    if (sealed->len == 0 || sealed->len > 1 + FRAME_ROOT_MAX || sealed->data[0] > 1)
        return APEX_E_FORMAT;
    *wait = sealed->data[0] == 1;
    memmove(sealed->data, sealed->data + 1, --sealed->len);
    return APEX_OK;
}

apex_status host_root_put(struct link *link, struct span sealed)
{
    BUFFER_CLEARED answer = {0};
    return link_call(link, CALL_ROOT_PUT, sealed, (struct span){0}, &answer);
}

apex_status host_witnessed_get(struct link *link, struct buffer *note)
{
    return link_call(link, CALL_WITNESSED_GET, (struct span){0}, (struct span){0}, note);
}
