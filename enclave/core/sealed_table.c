#include "enclave/core/sealed_table.h"

#include "common/crypto/sign.h"
#include "common/crypto/stream.h"
#include "common/wire/table.h"

#include <stdlib.h>

enum { CHUNK_MAX = GROUP_BYTES + STREAM_OVERHEAD };

struct opening {
    const struct table_source *src;
    struct blob_reader reader;
    struct table_secret secret;
    struct stream stream;
    struct sha256 digest;
    uint8_t head[HASH_LEN];
    uint64_t n_rows, n_groups;
    uint8_t *sealed; /* CHUNK_MAX */
    uint8_t *plain;  /* GROUP_BYTES, 64-byte aligned */
};

static void dataset_binding(const struct table_source *src, uint8_t binding[static HASH_LEN])
{
    struct sha256 h;
    const uint8_t zero = 0;
    sha256_init(&h);
    sha256_update(&h, span_text(src->dataset->name));
    sha256_update(&h, span_of(&zero, 1));
    sha256_update(&h, span_of(src->author, SIGN_PUBLIC_LEN));
    sha256_final(&h, binding);
}

/* What the host got wrong, in the vocabulary of refusals. */
static enum refusal host_refusal(apex_status s)
{
    switch (s) {
    case APEX_OK: return REFUSAL_NONE;
    case APEX_E_NOT_FOUND: return REFUSAL_BLOB_MISSING;
    case APEX_E_UNTRUSTED: return REFUSAL_BLOB_TAMPERED;
    case APEX_E_LIMIT:
    case APEX_E_IO: return REFUSAL_STORAGE;
    default: return REFUSAL_INTERNAL;
    }
}

/* A head that does not open is the author's doing as well as the host's: the digest of the
 * whole tells which. */
static enum refusal head_open(struct opening *o)
{
    uint8_t head[SEALED_TABLE_HEAD_LEN], binding[HASH_LEN], info[INFO_MAX],
        plain[TABLE_SECRET_LEN];
    enum refusal no = host_refusal(blob_reader_exact(&o->reader, head, sizeof head));
    if (no != REFUSAL_NONE) return no;
    if (memcmp(head, SEALED_TABLE_MAGIC, SEALED_MAGIC_LEN) != 0) return REFUSAL_BAD_ROWS;
    sha256(SPAN(head), o->head);
    dataset_binding(o->src, binding);
    size_t info_len = seal_info("apex/table/v1", o->src->address, SPAN(binding), info);
    struct span box = span_of(head + SEALED_MAGIC_LEN, TABLE_SECRET_LEN + HPKE_OVERHEAD);
    apex_status s =
        hpke_open(o->src->key, span_of(info, info_len), (struct span){0}, box, plain);
    if (s == APEX_OK) s = table_secret_parse(plain, &o->secret);
    struct stream_key key;
    memcpy(key.bytes, o->secret.key, sizeof key.bytes);
    if (s == APEX_OK)
        s = stream_pull_init(&o->stream, &key,
                             head + SEALED_TABLE_HEAD_LEN - STREAM_HEADER_LEN);
    wipe(&key, sizeof key);
    wipe(plain, sizeof plain);
    return s == APEX_OK ? REFUSAL_NONE : REFUSAL_BAD_ROWS;
}

static enum refusal group_check(struct opening *o, size_t len, bool last,
                                struct table_facts *facts)
{
    struct table_group *g = malloc(sizeof *g);
    if (!g) return REFUSAL_INTERNAL;
    size_t row = 0, column = 0;
    apex_status s = last || len == GROUP_BYTES ? table_group_parse(span_of(o->plain, len), g)
                                               : APEX_E_FORMAT;
    if (s == APEX_OK && !o->src->known)
        s = table_group_check(g, o->src->dataset, &row, &column);
    facts->located = s == APEX_E_DATA;
    facts->bad_row = o->n_rows + row;
    facts->bad_column = column;
    if (s == APEX_OK) o->n_rows += g->n_rows;
    free(g);
    return s == APEX_OK ? REFUSAL_NONE : REFUSAL_BAD_ROWS;
}

/* Is this the piece that stood here when the whole was read? */
static bool marked(const struct opening *o, size_t len)
{
    const struct table_marks *m = o->src->marks;
    uint8_t digest[HASH_LEN];
    if (!m) return true;
    sha256(span_of(o->sealed, len), digest);
    return o->n_groups < m->n && memcmp(digest, m->piece[o->n_groups], sizeof digest) == 0;
}

static enum refusal chunk_open(struct opening *o, size_t *plain_len, bool *last,
                               struct table_facts *facts)
{
    size_t got;
    enum refusal no = host_refusal(blob_reader_some(&o->reader, o->sealed, CHUNK_MAX, &got));
    if (no != REFUSAL_NONE) return no;
    if (got <= STREAM_OVERHEAD || !marked(o, got)) return REFUSAL_BAD_ROWS;
    size_t len = got - STREAM_OVERHEAD;
    apex_status s = stream_pull(&o->stream, span_of(o->sealed, got),
                                span_of(o->src->address, 32), last, o->plain);
    if (s != APEX_OK) return s == APEX_E_MEMORY ? REFUSAL_INTERNAL : REFUSAL_BAD_ROWS;
    no = group_check(o, len, *last, facts);
    if (no != REFUSAL_NONE) return no;
    if (!o->src->known) blob_reader_hash_beside(&o->reader, &o->digest, span_of(o->plain, len));
    o->n_groups++;
    *plain_len = len;
    bool more = o->n_rows > o->secret.n_rows || o->n_groups > o->secret.n_groups;
    return more ? REFUSAL_BAD_ROWS : REFUSAL_NONE;
}

static enum refusal facts_match(struct opening *o)
{
    uint8_t digest[HASH_LEN];
    sha256_final(&o->digest, digest);
    bool same = o->n_rows == o->secret.n_rows && o->n_groups == o->secret.n_groups &&
                o->n_rows > 0 &&
                (o->src->known || memcmp(digest, o->secret.digest, sizeof digest) == 0);
    return same ? REFUSAL_NONE : REFUSAL_BAD_ROWS;
}

/* Bytes that do not open: if the blob as a whole is not what it is named after, the host
 * changed it. */
static enum refusal whose_fault(struct opening *o, enum refusal no)
{
    if (no != REFUSAL_BAD_ROWS) return no;
    size_t got = CHUNK_MAX;
    while (got == CHUNK_MAX) {
        enum refusal host =
            host_refusal(blob_reader_some(&o->reader, o->sealed, CHUNK_MAX, &got));
        if (host != REFUSAL_NONE) return host;
    }
    return blob_reader_end(&o->reader) == APEX_OK ? REFUSAL_BAD_ROWS : REFUSAL_BLOB_TAMPERED;
}

static enum refusal table_open(struct opening *o, struct memory_file *out, uint64_t out_max,
                               struct table_facts *facts)
{
    enum refusal no = head_open(o);
    if (no == REFUSAL_NONE && o->secret.n_rows > o->src->rows_max) return REFUSAL_QUOTA;
    facts->written = out && o->secret.n_groups <= out_max / GROUP_BYTES;
    for (bool last = false; no == REFUSAL_NONE && !last;) {
        size_t len = 0;
        no = chunk_open(o, &len, &last, facts);
        if (no == REFUSAL_NONE && facts->written)
            facts->written = memory_file_append(out, span_of(o->plain, len)) == APEX_OK;
    }
    if (no == REFUSAL_NONE) no = facts_match(o);
    return no == REFUSAL_NONE ? host_refusal(blob_reader_end(&o->reader)) : no;
}

static struct opening *opening_new(struct link *link, const struct table_source *src)
{
    struct opening *o = aligned_alloc(64, (sizeof *o + 63) / 64 * 64);
    if (!o) return NULL;
    memset(o, 0, sizeof *o);
    o->src = src;
    o->sealed = malloc(CHUNK_MAX);
    o->plain = aligned_alloc(64, GROUP_BYTES);
    blob_reader_init(&o->reader, link, src->blob);
    o->reader.marked = src->marks != NULL;
    sha256_init(&o->digest);
    return o;
}

static void opening_free(struct opening *o)
{
    blob_reader_clear(&o->reader);
    free(o->sealed);
    if (o->plain) wipe(o->plain, GROUP_BYTES);
    free(o->plain);
    wipe(o, sizeof *o);
    free(o);
}

enum refusal sealed_table_head(struct link *link, const struct table_source *src,
                               struct table_facts *facts)
{
    struct opening *o = opening_new(link, src);
    if (!o) return REFUSAL_INTERNAL;
    enum refusal no = head_open(o);
    *facts = (struct table_facts){.n_rows = o->secret.n_rows, .n_groups = o->secret.n_groups};
    memcpy(facts->digest, o->secret.digest, sizeof facts->digest);
    opening_free(o);
    return no;
}

enum refusal sealed_table_open(struct link *link, const struct table_source *src,
                               struct memory_file *out, uint64_t out_max,
                               struct table_facts *facts)
{
    struct opening *o = opening_new(link, src);
    *facts = (struct table_facts){0};
    if (!o) return REFUSAL_INTERNAL;
    enum refusal no =
        o->sealed && o->plain ? table_open(o, out, out_max, facts) : REFUSAL_INTERNAL;
    if (no == REFUSAL_BAD_ROWS) no = whose_fault(o, no);
    facts->n_rows = o->n_rows;
    facts->n_groups = o->n_groups;
    memcpy(facts->digest, o->secret.digest, sizeof facts->digest);
    opening_free(o);
    return no;
}

void table_marks_clear(struct table_marks *marks)
{
    free(marks->piece);
    *marks = (struct table_marks){0};
}

/* Every piece to the blob's end; no more than the head speaks of. */
static enum refusal pieces_mark(struct opening *o, struct table_marks *m)
{
    size_t got = CHUNK_MAX, room = 0;
    while (got == CHUNK_MAX) {
        enum refusal no =
            host_refusal(blob_reader_some(&o->reader, o->sealed, CHUNK_MAX, &got));
        if (no != REFUSAL_NONE) return no;
        if (got == 0) break;
        if (m->n == o->secret.n_groups) return REFUSAL_BLOB_TAMPERED;
        if (m->n == room) {
            room = 2 * room + 64;
            void *grown = realloc(m->piece, room * sizeof *m->piece);
            if (!grown) return REFUSAL_INTERNAL;
            m->piece = grown;
        }
        sha256(span_of(o->sealed, got), m->piece[m->n++]);
    }
    return host_refusal(blob_reader_end(&o->reader));
}

enum refusal table_marks_make(struct link *link, const struct table_source *src,
                              struct table_marks *marks, struct table_facts *facts)
{
    struct opening *o = opening_new(link, src);
    *marks = (struct table_marks){0};
    *facts = (struct table_facts){0};
    if (!o) return REFUSAL_INTERNAL;
    enum refusal no = o->sealed ? head_open(o) : REFUSAL_INTERNAL;
    if (no == REFUSAL_NONE) no = pieces_mark(o, marks);
    if (no == REFUSAL_BAD_ROWS) no = REFUSAL_BLOB_TAMPERED; /* it was good when recorded */
    memcpy(marks->head, o->head, sizeof marks->head);
    facts->n_rows = o->secret.n_rows;
    facts->n_groups = marks->n;
    memcpy(facts->digest, o->secret.digest, sizeof facts->digest);
    opening_free(o);
    if (no != REFUSAL_NONE) table_marks_clear(marks);
    return no;
}

struct table_stream {
    struct opening *opening;
    bool last;
};

enum refusal table_stream_open(struct link *link, const struct table_source *src,
                               struct table_stream **stream)
{
    struct table_stream *t = calloc(1, sizeof *t);
    if (t) t->opening = opening_new(link, src);
    if (!t || !t->opening || !t->opening->sealed || !t->opening->plain) {
        table_stream_close(t);
        return REFUSAL_INTERNAL;
    }
    enum refusal no = src->marks ? head_open(t->opening) : REFUSAL_INTERNAL;
    if (no == REFUSAL_NONE && memcmp(t->opening->head, src->marks->head, HASH_LEN) != 0)
        no = REFUSAL_BLOB_TAMPERED;
    if (no != REFUSAL_NONE) {
        table_stream_close(t);
        return no == REFUSAL_BAD_ROWS ? REFUSAL_BLOB_TAMPERED : no;
    }
    *stream = t;
    return REFUSAL_NONE;
}

enum refusal table_stream_next(struct table_stream *stream, struct span *group)
{
    struct table_facts facts = {0};
    size_t len = 0;
    *group = (struct span){0};
    if (stream->last) return REFUSAL_NONE;
    enum refusal no = chunk_open(stream->opening, &len, &stream->last, &facts);
    if (no == REFUSAL_NONE && stream->last) no = facts_match(stream->opening);
    /* It was whole when it was recorded: what does not open now, the host changed. */
    if (no == REFUSAL_BAD_ROWS) no = REFUSAL_BLOB_TAMPERED;
    if (no == REFUSAL_NONE) *group = span_of(stream->opening->plain, len);
    return no;
}

void table_stream_close(struct table_stream *stream)
{
    if (!stream) return;
    if (stream->opening) opening_free(stream->opening);
    free(stream);
}
