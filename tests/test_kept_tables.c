#include "enclave/core/kept_tables.h"
#include "enclave/core/memory_file.h"
#include "tests/check.h"

#include <string.h>
#include <unistd.h>

enum { BYTES = 1000, ROOM = 3 * BYTES };

static void blob_name(uint8_t which, uint8_t blob[static 32])
{
    memset(blob, which, 32);
}

static struct memory_file *file_of(uint8_t which, size_t len)
{
    uint8_t bytes[ROOM + 1];
    struct memory_file *f;
    memset(bytes, which, sizeof bytes);
    CHECK_OK(memory_file_new("test", &f));
    CHECK_OK(memory_file_append(f, span_of(bytes, len)));
    CHECK_OK(memory_file_seal(f));
    return f;
}

static void give(struct kept_tables *k, uint8_t which, size_t len)
{
    uint8_t blob[32];
    blob_name(which, blob);
    kept_tables_give(k, blob, blob, file_of(which, len));
}

static struct memory_file *take(struct kept_tables *k, uint8_t which)
{
    uint8_t blob[32], digest[32] = {0};
    blob_name(which, blob);
    struct memory_file *f = kept_tables_take(k, blob, digest);
    CHECK(!f || memcmp(digest, blob, sizeof digest) == 0);
    return f;
}

static bool is_kept(struct kept_tables *k, uint8_t which)
{
    struct memory_file *f = take(k, which);
    memory_file_free(f);
    return f != NULL;
}

static void the_table_longest_unused_gives_way(void **state)
{
    struct kept_tables *k;
    (void)state;
    CHECK_OK(kept_tables_new(ROOM, &k));
    CHECK(!is_kept(k, 1));
    for (uint8_t i = 1; i <= 3; i++)
        give(k, i, BYTES);
    CHECK(is_kept(k, 2) && is_kept(k, 3) && is_kept(k, 1)); /* 2 is the oldest now */
    give(k, 4, BYTES);
    CHECK(is_kept(k, 1) && !is_kept(k, 2) && is_kept(k, 3) && is_kept(k, 4));
    give(k, 5, 2 * BYTES);
    CHECK(!is_kept(k, 1) && !is_kept(k, 3) && is_kept(k, 4) && is_kept(k, 5));
    give(k, 6, ROOM + 1); /* for which nobody gives way */
    CHECK(!is_kept(k, 6) && is_kept(k, 4) && is_kept(k, 5));
    kept_tables_free(k);
}

static void more_tables_than_places_give_way_too(void **state)
{
    struct kept_tables *k;
    (void)state;
    CHECK_OK(kept_tables_new(UINT64_MAX, &k));
    for (size_t i = 0; i < TABLES_KEPT; i++) {
        uint8_t blob[32] = {(uint8_t)i, (uint8_t)(i >> 8)};
        kept_tables_give(k, blob, blob, file_of(1, 1));
    }
    give(k, 250, 1);
    CHECK(is_kept(k, 250));
    const uint8_t first[32] = {0}, second[32] = {1};
    uint8_t digest[32];
    struct memory_file *f = kept_tables_take(k, second, digest);
    CHECK(kept_tables_take(k, first, digest) == NULL && f != NULL);
    memory_file_free(f);
    kept_tables_free(k);
}

/* What is given back, or evicted, stays whole for who has it; each has a place of its own to
 * read from. */
static void who_has_taken_a_table_keeps_it(void **state)
{
    struct kept_tables *k;
    uint8_t blob[32], got[BYTES], want[BYTES];
    (void)state;
    memset(want, 7, sizeof want);
    blob_name(7, blob);
    CHECK_OK(kept_tables_new(ROOM, &k));
    give(k, 7, BYTES);
    struct memory_file *one = take(k, 7), *two = take(k, 7);
    CHECK(one && two && memory_file_size(one) == BYTES);
    CHECK(read(one->fd, got, 100) == 100 && read(two->fd, got, BYTES) == BYTES);
    CHECK(memcmp(got, want, BYTES) == 0);
    CHECK(write(one->fd, got, 1) < 0);
    kept_tables_drop(k, blob);
    CHECK(!is_kept(k, 7));
    CHECK(pread(two->fd, got, BYTES, 0) == BYTES && memcmp(got, want, BYTES) == 0);
    give(k, 7, BYTES); /* contributed anew */
    CHECK(is_kept(k, 7));
    kept_tables_free(k);
    CHECK(pread(one->fd, got, BYTES, 0) == BYTES && memcmp(got, want, BYTES) == 0);
    memory_file_free(one);
    memory_file_free(two);
}

static void one_table_at_a_time_is_on_its_way(void **state)
{
    struct kept_tables *k;
    (void)state;
    CHECK(kept_tables_room() > 0);
    CHECK_OK(kept_tables_new(ROOM, &k));
    CHECK(kept_tables_begin(k) == ROOM);
    CHECK(kept_tables_begin(k) == 0);
    kept_tables_end(k);
    CHECK(kept_tables_begin(k) == ROOM);
    kept_tables_end(k);
    kept_tables_free(k);
    CHECK_OK(kept_tables_new(0, &k));
    CHECK(kept_tables_begin(k) == 0);
    give(k, 1, BYTES);
    CHECK(!is_kept(k, 1));
    kept_tables_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_longest_unused_gives_way),
                                       cmocka_unit_test(more_tables_than_places_give_way_too),
                                       cmocka_unit_test(who_has_taken_a_table_keeps_it),
                                       cmocka_unit_test(one_table_at_a_time_is_on_its_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
