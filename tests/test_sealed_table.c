/* A host that seals tables of its own to a contract, which anybody can, and serves them under
 * the names of others'. */
#include "common/base/endian.h"
#include "common/crypto/random.h"
#include "common/crypto/stream.h"
#include "common/wire/table.h"
#include "enclave/core/sealed_table.h"
#include "tests/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOB_ROOM = 4 << 20, ROWS = 1000, CALL_HEAD = 9 };
struct blob {
    uint8_t bytes[BLOB_ROOM], name[HASH_LEN];
    size_t len;
};
static struct blob honest, forged, longer;
static _Atomic(struct blob *) served;
static struct manifest_column columns[2] = {{.name = "latitude", .type = COLUMN_LATITUDE},
                                            {.name = "longitude", .type = COLUMN_LONGITUDE}};
static struct manifest_dataset dataset = {.name = "customers", .n_columns = 2};
static struct seal_public to;
static struct seal_secret secret;
static const uint8_t address[32] = {7}, author[32] = {9};
static struct link *host_link;

static bool take(int fd, uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, bytes + at, len - at);
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

/* Answers every call with a piece of what is served, whatever its name. */
static void *host_serve(void *context)
{
    int fd = *(const int *)context;
    uint8_t head[CALL_HEAD], call[1 + HASH_LEN + 8 + 4], answer[CALL_HEAD + 1 + 8];
    while (take(fd, head, sizeof head) && take(fd, call, sizeof call)) {
        const struct blob *b = served;
        uint64_t offset = get_be64(call + 1 + HASH_LEN);
        size_t most = get_be32(call + 1 + HASH_LEN + 8),
               n = b->len - offset < most ? b->len - offset : most;
        put_be32(answer, (uint32_t)(5 + 1 + 8 + n));
        answer[4] = FRAME_ANSWER;
        memcpy(answer + 5, head + 5, 4);
        answer[9] = 0;
        put_be64(answer + 10, b->len);
        CHECK(write(fd, answer, sizeof answer) == (ssize_t)sizeof answer);
        for (size_t at = 0; at < n;) {
            ssize_t done = write(fd, b->bytes + offset + at, n - at);
            if (done <= 0) return NULL;
            at += (size_t)done;
        }
    }
    return NULL;
}

static void binding_write(uint8_t info[static INFO_MAX], size_t *len)
{
    uint8_t binding[HASH_LEN], text[9 + 1 + 32] = "customers";
    memcpy(text + 10, author, sizeof author);
    sha256(SPAN(text), binding);
    *len = seal_info("apex/table/v1", address, SPAN(binding), info);
}

/* From public facts alone: the contract's key, its address, the dataset, the author's key. */
static void blob_seal(struct blob *b, int32_t latitude, size_t n_rows)
{
    struct table_writer *w;
    struct stream_key key;
    struct stream s;
    struct sha256 digest;
    struct table_secret t = {.n_rows = n_rows};
    uint8_t head[TABLE_SECRET_LEN], info[INFO_MAX], *group = aligned_alloc(64, GROUP_BYTES);
    size_t len, info_len;
    bool full = false;
    CHECK_OK(table_writer_new(&dataset, &w));
    stream_key_new(&key);
    stream_push_init(&s, &key, b->bytes + SEALED_TABLE_HEAD_LEN - STREAM_HEADER_LEN);
    sha256_init(&digest);
    b->len = SEALED_TABLE_HEAD_LEN;
    for (size_t i = 0; i < n_rows; i++) {
        bool last = i + 1 == n_rows;
        table_writer_i32(w, 0, latitude);
        table_writer_i32(w, 1, (int32_t)i);
        CHECK_OK(table_writer_row_end(w, &full));
        if (!full && !last) continue;
        CHECK_OK(table_writer_take(w, last, group, &len));
        sha256_update(&digest, span_of(group, len));
        CHECK_OK(stream_push(&s, span_of(group, len), SPAN(address), last, b->bytes + b->len));
        b->len += len + STREAM_OVERHEAD;
        t.n_groups++;
    }
    memcpy(t.key, key.bytes, sizeof t.key);
    sha256_final(&digest, t.digest);
    table_secret_write(&t, head);
    binding_write(info, &info_len);
    memcpy(b->bytes, SEALED_TABLE_MAGIC, SEALED_MAGIC_LEN);
    CHECK_OK(hpke_seal(&to, span_of(info, info_len), (struct span){0}, SPAN(head),
                       b->bytes + SEALED_MAGIC_LEN));
    sha256(span_of(b->bytes, b->len), b->name);
    table_writer_free(w);
    free(group);
}

static struct table_source source_of(const struct blob *b)
{
    return (struct table_source){.blob = b->name,
                                 .address = address,
                                 .key = &secret,
                                 .dataset = &dataset,
                                 .author = author,
                                 .rows_max = UINT64_MAX};
}

/* Streams to the end: rows whose latitude is `latitude`, or why not. */
static enum refusal stream_all(const struct table_source *src, int32_t latitude, size_t *rows)
{
    static struct table_group g;
    struct table_stream *stream;
    struct span group = {.len = 1};
    *rows = 0;
    enum refusal no = table_stream_open(host_link, src, &stream);
    if (no != REFUSAL_NONE) return no;
    while (no == REFUSAL_NONE && group.len > 0) {
        no = table_stream_next(stream, &group);
        if (no != REFUSAL_NONE || group.len == 0) break;
        CHECK_OK(table_group_parse(group, &g));
        for (size_t i = 0; i < g.n_rows; i++)
            *rows += ((const int32_t *)g.columns[0].data)[i] == latitude;
    }
    table_stream_close(stream);
    return no;
}

static void a_forged_table_is_not_held(void **state)
{
    struct table_source src = source_of(&honest);
    struct table_facts facts;
    (void)state;
    served = &honest;
    CHECK(sealed_table_open(host_link, &src, NULL, 0, &facts) == REFUSAL_NONE);
    CHECK(facts.n_rows == ROWS && !facts.written);
    for (unsigned known = 0; known < 2; known++) {
        src.known = known;
        served = &forged;
        CHECK(sealed_table_open(host_link, &src, NULL, 0, &facts) == REFUSAL_BLOB_TAMPERED);
    }
}

/* Not at first, and not on a later pass. */
static void a_forged_table_is_not_streamed(void **state)
{
    struct table_source src = source_of(&honest);
    struct table_marks marks;
    struct table_facts facts;
    size_t rows;
    (void)state;
    served = &forged;
    CHECK(table_marks_make(host_link, &src, &marks, &facts) == REFUSAL_BLOB_TAMPERED);
    served = &longer;
    CHECK(table_marks_make(host_link, &src, &marks, &facts) == REFUSAL_BLOB_TAMPERED);
    served = &honest;
    CHECK(table_marks_make(host_link, &src, &marks, &facts) == REFUSAL_NONE);
    CHECK(facts.n_rows == ROWS && facts.n_groups == 1);
    src.marks = &marks;
    for (unsigned pass = 0; pass < 2; pass++)
        CHECK(stream_all(&src, 1, &rows) == REFUSAL_NONE && rows == ROWS);
    served = &forged;
    CHECK(stream_all(&src, 2, &rows) == REFUSAL_BLOB_TAMPERED && rows == 0);
    table_marks_clear(&marks);
}

/* The author and the host together have the key: pieces of the same head are others still. */
static void an_author_cannot_change_rows_between_passes(void **state)
{
    struct table_source src = source_of(&longer);
    struct table_marks marks;
    struct table_facts facts;
    size_t rows;
    (void)state;
    served = &longer;
    CHECK(table_marks_make(host_link, &src, &marks, &facts) == REFUSAL_NONE);
    CHECK(facts.n_groups == 2);
    src.marks = &marks;
    CHECK(stream_all(&src, 3, &rows) == REFUSAL_NONE && rows == facts.n_rows);
    longer.bytes[longer.len - 1] ^= 1;
    CHECK(stream_all(&src, 3, &rows) == REFUSAL_BLOB_TAMPERED && rows < facts.n_rows);
    longer.bytes[longer.len - 1] ^= 1;
    marks.piece[1][0] ^= 1; /* as if another piece, well sealed, stood there */
    CHECK(stream_all(&src, 3, &rows) == REFUSAL_BLOB_TAMPERED && rows < facts.n_rows);
    marks.piece[1][0] ^= 1;
    marks.n = 1;
    CHECK(stream_all(&src, 3, &rows) == REFUSAL_BLOB_TAMPERED && rows < facts.n_rows);
    table_marks_clear(&marks);
    src.marks = NULL;
    CHECK(stream_all(&src, 3, &rows) == REFUSAL_INTERNAL); /* nothing streams unmarked */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forged_table_is_not_held),
        cmocka_unit_test(a_forged_table_is_not_streamed),
        cmocka_unit_test(an_author_cannot_change_rows_between_passes)};
    int ends[2];
    pthread_t thread;
    if (crypto_init() != APEX_OK || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    dataset.columns = columns;
    seal_new(&to, &secret);
    blob_seal(&honest, 1, ROWS);
    blob_seal(&forged, 2, ROWS);
    blob_seal(&longer, 3, table_rows_per_group(&dataset) + 5);
    if (pthread_create(&thread, NULL, host_serve, &ends[1]) != 0 ||
        link_open(ends[0], &host_link) != APEX_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
