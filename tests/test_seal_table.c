/* What leaves the owner's machine: opened here again by the format's words, changed bit by bit,
 * and searched for plaintext. */
#include "client/lib/seal_table.h"
#include "common/base/endian.h"
#include "common/crypto/random.h"
#include "common/crypto/stream.h"
#include "common/wire/package.h"
#include "tests/check.h"
#include "tests/client/rows.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *group_bytes; /* GROUP_BYTES, 64-byte aligned */
static char folder[] = "/tmp/apex-seal-XXXXXX";
static struct verified_enclave *enclave;
static struct seal_secret contract;
static struct seal_to to;
static uint8_t address[32], author[32];
static struct apex_rows_report report;
static struct apex_error error;

/* An enclave that a policy accepts, as sealing demands. */
static struct verified_enclave *enclave_new(void)
{
    struct enclave_keys keys;
    struct sign_secret sign;
    struct seal_secret seal;
    uint8_t measurement[32] = {7}, data[REPORT_DATA_LEN];
    char hex[65] = "07", policy_text[300];
    BUFFER_CLEARED sim = {0};
    BUFFER_CLEARED evidence = {0};
    struct trust_policy *policy;
    struct verified_enclave *made = NULL;
    static struct verdict verdict;
    sign_new(&keys.identity, &sign);
    sign_new(&keys.log, &sign);
    seal_new(&keys.identity_seal, &seal);
    attest_report_data(&keys, data);
    sim_report_write(measurement, data, 1000, &sim);
    evidence_write("sim", buffer_span(&sim), (struct span){0}, &evidence);
    memset(hex + 2, '0', 62);
    snprintf(policy_text, sizeof policy_text,
             "{\"apex\": 1, \"accept\": [{\"tee\": \"sim\", \"measurements\": [\"%s\"], "
             "\"maximum_age_s\": 60}]}",
             hex);
    CHECK_OK(trust_policy_parse(span_text(policy_text), &policy, NULL));
    CHECK_OK(attest_verify(buffer_span(&evidence), &keys, policy, 1000, &verdict, &made));
    trust_policy_free(policy);
    return made;
}

static int setup(void **state)
{
    (void)state;
    CHECK_OK(crypto_init());
    if (!mkdtemp(folder) || setenv("TMPDIR", folder, 1) != 0) return -1;
    group_bytes = aligned_alloc(64, GROUP_BYTES);
    if (!group_bytes) return -1;
    enclave = enclave_new();
    memset(address, 0xa5, sizeof address);
    memset(author, 0x5a, sizeof author);
    to = (struct seal_to){
        .enclave = enclave, .address = address, .dataset = "locations", .author = author};
    seal_new(&to.contract, &contract);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    verified_enclave_free(enclave);
    free(group_bytes);
    return rmdir(folder); /* fails when anything was left there */
}

static void file_write(char path[static 64], struct span bytes)
{
    snprintf(path, 64, "%s/rows.csv", folder);
    FILE *f = fopen(path, "w");
    CHECK(f && fwrite(bytes.data, 1, bytes.len, f) == bytes.len && fclose(f) == 0);
}

/* Seals; *blob gets the bytes that would be sent. */
static apex_status seal(struct span file, const struct manifest_dataset *schema,
                        struct buffer *blob)
{
    struct sealed_file sealed = {.fd = 99};
    char path[64];
    struct stat st;
    file_write(path, file);
    apex_status s = seal_table(path, schema, &to, NULL, &report, &sealed, &error);
    unlink(path);
    CHECK((sealed.fd >= 0) == (s == APEX_OK));
    if (s != APEX_OK) return s;
    uint8_t *bytes = buffer_reserve(blob, sealed.size), digest[HASH_LEN];
    CHECK(bytes && pread(sealed.fd, bytes, sealed.size, 0) == (ssize_t)sealed.size);
    blob->len += sealed.size;
    CHECK(fstat(sealed.fd, &st) == 0 && (uint64_t)st.st_size == sealed.size &&
          (st.st_mode & 0777) == 0600 && st.st_nlink == 0);
    sha256(buffer_span(blob), digest);
    CHECK(memcmp(digest, sealed.digest, HASH_LEN) == 0 && report.sealed_bytes == sealed.size);
    close(sealed.fd);
    return APEX_OK;
}

/* Opens a blob as common/wire/package.h says, in words of its own; *cells gets its rows. */
struct opening {
    const char *dataset;
    const uint8_t *address, *author;
    const struct seal_secret *key;
};

static apex_status head_open(const struct opening *o, const uint8_t *head,
                             struct table_secret *secret)
{
    static const char purpose[] = "apex/table/v1";
    uint8_t info[sizeof purpose - 1 + 32 + 32], bound[100], plain[80];
    size_t name = strlen(o->dataset);
    if (memcmp(head, "APXSEAL2", 8) != 0) return APEX_E_UNTRUSTED;
    memcpy(bound, o->dataset, name + 1);
    memcpy(bound + name + 1, o->author, 32);
    memcpy(info, purpose, 13);
    memcpy(info + 13, o->address, 32);
    sha256(span_of(bound, name + 33), info + 45);
    apex_status s =
        hpke_open(o->key, SPAN(info), (struct span){0}, span_of(head + 8, 32 + 80 + 16), plain);
    if (s != APEX_OK) return s;
    memcpy(secret->key, plain, 32);
    memcpy(secret->digest, plain + 32, 32);
    secret->n_rows = get_be64(plain + 64);
    secret->n_groups = get_be64(plain + 72);
    return APEX_OK;
}

static apex_status groups_open(const struct opening *o, struct span blob,
                               const struct table_secret *secret,
                               const struct manifest_dataset *schema, struct buffer *cells)
{
    struct stream_key key;
    struct stream stream;
    struct sha256 hash;
    uint8_t digest[HASH_LEN];
    uint64_t n_groups = 0;
    bool last = false;
    memcpy(key.bytes, secret->key, 32);
    sha256_init(&hash);
    if (stream_pull_init(&stream, &key, blob.data + 136) != APEX_OK) return APEX_E_UNTRUSTED;
    for (size_t at = 160; at < blob.len; n_groups++) {
        size_t len = blob.len - at < GROUP_BYTES + 17 ? blob.len - at : GROUP_BYTES + 17;
        if (last || len < 17) return APEX_E_UNTRUSTED;
        apex_status s = stream_pull(&stream, span_of(blob.data + at, len),
                                    span_of(o->address, 32), &last, group_bytes);
        if (s == APEX_OK) s = rows_write(span_of(group_bytes, len - 17), schema, cells);
        if (s != APEX_OK) return s;
        sha256_update(&hash, span_of(group_bytes, len - 17));
        at += len;
    }
    sha256_final(&hash, digest);
    return last && n_groups == secret->n_groups && memcmp(digest, secret->digest, HASH_LEN) == 0
               ? APEX_OK
               : APEX_E_UNTRUSTED;
}

static apex_status blob_open(const struct opening *o, struct span blob,
                             const struct manifest_dataset *schema, struct buffer *cells,
                             uint64_t *n_rows)
{
    struct table_secret secret = {0};
    if (blob.len < 160) return APEX_E_UNTRUSTED;
    apex_status s = head_open(o, blob.data, &secret);
    *n_rows = secret.n_rows;
    return s == APEX_OK ? groups_open(o, blob, &secret, schema, cells) : s;
}

static const struct opening rightly = {"locations", address, author, &contract};

static void what_was_sealed_opens_to_the_same_rows(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 65535, 65536, 65537, 131072, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        BUFFER_CLEARED file = {0};
        BUFFER_CLEARED blob = {0};
        BUFFER_CLEARED cells = {0};
        BUFFER_CLEARED expected = {0};
        uint64_t seed = i, n_rows = 0;
        buffer_text(&file, "longitude,latitude\n");
        for (size_t k = 0; k < sizes[i]; k++) {
            char text[100];
            int lat = (int)(splitmix64(&seed) % 80000000),
                lon = (int)(splitmix64(&seed) % 170000000);
            snprintf(text, sizeof text, "-%d.%06d,%d.%06d\n", lon / 1000000, lon % 1000000,
                     lat / 1000000, lat % 1000000);
            buffer_text(&file, text);
            snprintf(text, sizeof text, "%d,%d\n", lat * 10, -lon * 10);
            buffer_text(&expected, text);
        }
        CHECK_OK(seal(buffer_span(&file), &rows_places, &blob));
        CHECK(report.rows == sizes[i] && report.bad_rows == 0 &&
              strcmp(report.format, "CSV") == 0);
        CHECK_OK(blob_open(&rightly, buffer_span(&blob), &rows_places, &cells, &n_rows));
        CHECK(n_rows == sizes[i] && span_equal(buffer_span(&cells), buffer_span(&expected)));
    }
}

static const char small[] =
    "latitude,longitude\n-36.8485123,174.7633456\n-41.2865789,174.7762345\n";

static bool opens(const struct opening *o, struct span blob)
{
    BUFFER_CLEARED cells = {0};
    uint64_t n_rows;
    return blob_open(o, blob, &rows_places, &cells, &n_rows) == APEX_OK;
}

static void any_flipped_bit_keeps_it_shut(void **state)
{
    (void)state;
    BUFFER_CLEARED blob = {0};
    CHECK_OK(seal(span_text(small), &rows_places, &blob));
    for (size_t bit = 0; bit < 8 * blob.len; bit++) {
        blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (opens(&rightly, buffer_span(&blob))) fail_msg("bit %zu", bit);
        blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(opens(&rightly, buffer_span(&blob)));
    for (size_t len = 0; len < blob.len; len++)
        CHECK(!opens(&rightly, span_of(blob.data, len)));
}

static void it_opens_for_its_contract_dataset_and_author_only(void **state)
{
    (void)state;
    BUFFER_CLEARED blob = {0};
    struct seal_public other_public;
    struct seal_secret other;
    uint8_t changed[32] = {1};
    seal_new(&other_public, &other);
    CHECK_OK(seal(span_text(small), &rows_places, &blob));
    const struct opening wrong[] = {{"location", address, author, &contract},
                                    {"locationss", address, author, &contract},
                                    {"locations", changed, author, &contract},
                                    {"locations", address, changed, &contract},
                                    {"locations", address, author, &other}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!opens(&wrong[i], buffer_span(&blob)));
    CHECK(opens(&rightly, buffer_span(&blob)));
}

static void chunks_do_not_change_places_and_none_is_dropped(void **state)
{
    (void)state;
    enum { CHUNK = GROUP_BYTES + 17 };
    BUFFER_CLEARED file = {0};
    BUFFER_CLEARED blob = {0};
    buffer_text(&file, "latitude,longitude\n");
    for (size_t i = 0; i < 3 * table_rows_per_group(&rows_places) + 9; i++)
        buffer_text(&file, "1,2\n"); /* full groups of equal plaintext */
    CHECK_OK(seal(buffer_span(&file), &rows_places, &blob));
    CHECK(opens(&rightly, buffer_span(&blob)) && blob.len > 160 + 3 * CHUNK);
    uint8_t *first = blob.data + 160, *second = first + CHUNK, *spare = malloc(CHUNK);
    CHECK(spare && memcmp(first, second, CHUNK) != 0);
    memcpy(spare, first, CHUNK);
    memmove(first, second, CHUNK);
    CHECK(!opens(&rightly, buffer_span(&blob))); /* one twice */
    memcpy(second, spare, CHUNK);
    CHECK(!opens(&rightly, buffer_span(&blob))); /* swapped */
    memmove(second, first, CHUNK);
    memcpy(first, spare, CHUNK);
    CHECK(opens(&rightly, buffer_span(&blob)));
    for (size_t n = 0; n <= 3; n++)
        CHECK(!opens(&rightly, span_of(blob.data, 160 + n * CHUNK))); /* cut at a chunk's end */
    memmove(first, second, blob.len - 160 - CHUNK);
    CHECK(!opens(&rightly, span_of(blob.data, blob.len - CHUNK))); /* the first left out */
    free(spare);
}

static void equal_rows_never_give_equal_bytes_twice(void **state)
{
    (void)state;
    BUFFER_CLEARED a = {0};
    BUFFER_CLEARED b = {0};
    CHECK_OK(seal(span_text(small), &rows_places, &a));
    CHECK_OK(seal(span_text(small), &rows_places, &b));
    CHECK(a.len == b.len && a.len == 160 + 256 + 17);
    size_t same = 0;
    for (size_t i = 8; i < a.len; i++)
        same += a.data[i] == b.data[i];
    CHECK(same < 20);
}

static size_t entries_in_folder(void)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' && strcmp(e->d_name, "rows.csv") != 0;
    if (d) closedir(d);
    return n;
}

static size_t open_files(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d) closedir(d);
    return n;
}

/* Reads what lies in the spool, by its descriptor, while it is being written. */
struct spying {
    struct buffer seen;
    size_t names;
};
static void spy(void *context, const char *stage, uint64_t done, uint64_t total)
{
    struct spying *s = context;
    (void)stage, (void)done, (void)total;
    s->names += entries_in_folder();
    for (int fd = 3; fd < 64; fd++) {
        char path[40], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n < 0) continue;
        target[n] = 0;
        if (!strstr(target, folder) || strstr(target, "rows.csv")) continue;
        uint8_t piece[4096];
        for (off_t at = (off_t)s->seen.len; (n = pread(fd, piece, sizeof piece, at)) > 0;
             at += n)
            buffer_append(&s->seen, span_of(piece, (size_t)n));
    }
}

static bool holds(struct span bytes, const void *what, size_t len)
{
    return bytes.data && memmem(bytes.data, bytes.len, what, len) != NULL;
}

static void no_plaintext_is_ever_in_the_spool_and_it_has_no_name(void **state)
{
    (void)state;
    enum { ROWS = 200000 };
    BUFFER_CLEARED file = {0};
    struct spying spying = {0};
    struct apex_rows_options o = {.progress = spy, .context = &spying};
    struct sealed_file sealed;
    char path[64];
    static int32_t lat[ROWS];
    uint64_t seed = 4;
    buffer_text(&file, "latitude,longitude\n");
    for (size_t i = 0; i < ROWS; i++) {
        char text[60];
        int32_t v = lat[i] = (int32_t)(splitmix64(&seed) % 900000000);
        snprintf(text, sizeof text, "%d.%07d,174.7633456\n", v / 10000000, v % 10000000);
        buffer_text(&file, text);
    }
    file_write(path, buffer_span(&file));
    CHECK_OK(seal_table(path, &rows_places, &to, &o, &report, &sealed, &error));
    spy(&spying, "", 0, 0); /* all of it */
    unlink(path);
    close(sealed.fd);
    CHECK(spying.names == 0 && spying.seen.len == sealed.size);
    static const int32_t lons[] = {1747633456, 1747633456};
    struct span seen = buffer_span(&spying.seen);
    CHECK(!holds(seen, lons, sizeof lons) && !holds(seen, "174.7633456", 11) &&
          !holds(seen, "latitude", 8));
    for (size_t i = 0; i + 1 < ROWS; i += 997)
        CHECK(!holds(seen, &lat[i], 8));
    buffer_clear(&spying.seen);
}

/* The search above finds what it looks for where it is. */
static apex_status search_group(void *context, struct span group)
{
    static const int32_t lons[] = {1747633456, 1747633456};
    *(bool *)context = holds(group, lons, sizeof lons) && holds(group, "latitude", 8);
    return APEX_OK;
}

static void the_search_for_plaintext_finds_it_in_an_unsealed_group(void **state)
{
    (void)state;
    bool found = false;
    char path[64];
    struct reader_options o = {.group = search_group, .context = &found};
    static struct complaints c;
    struct reader_summary summary;
    file_write(path, SPAN_TEXT("latitude,longitude\n1,174.7633456\n2,174.7633456\n"));
    CHECK_OK(reader_run(path, &rows_places, &o, &c, &summary, &error));
    unlink(path);
    CHECK(found);
}

static void nothing_is_kept_when_a_row_is_bad(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    BUFFER_CLEARED blob = {0};
    buffer_text(&file, "latitude,longitude\n");
    for (size_t i = 0; i < 140000; i++)
        buffer_text(&file, "1,2\n"); /* two groups are sealed before the bad row */
    buffer_text(&file, "3,\x1b[31mx\n");
    size_t before = open_files();
    CHECK_STATUS(seal(buffer_span(&file), &rows_places, &blob), APEX_E_DATA);
    CHECK(open_files() == before && entries_in_folder() == 0 && blob.len == 0);
    CHECK(report.rows == 140000 && report.bad_rows == 1 && report.n_bad == 1 &&
          report.sealed_bytes == 0);
    CHECK(report.bad[0].row == 140001 && report.bad[0].line == 140002 &&
          strcmp(report.bad[0].column, "longitude") == 0);
    CHECK(strcmp(report.bad[0].value, "\\x1b[31mx") == 0 &&
          strcmp(report.bad[0].reason, "not a number") == 0);
    CHECK(strcmp(error.what, "1 of 140001 rows are bad") == 0 &&
          strcmp(error.not_done, "nothing was sent") == 0);
}

static void a_spool_that_cannot_grow_ends_it(void **state)
{
    (void)state;
    BUFFER_CLEARED file = {0};
    BUFFER_CLEARED blob = {0};
    struct rlimit was, little = {2 << 20, RLIM_INFINITY};
    char path[64];
    struct sealed_file sealed = {.fd = 99};
    buffer_text(&file, "latitude,longitude\n");
    for (size_t i = 0; i < 300000; i++)
        buffer_text(&file, "1,2\n");
    file_write(path, buffer_span(&file));
    size_t before = open_files();
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
    little.rlim_max = was.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    apex_status s = seal_table(path, &rows_places, &to, NULL, &report, &sealed, &error);
    CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
    CHECK_STATUS(s, APEX_E_IO);
    CHECK(strstr(error.what, "spool") && sealed.fd == -1 && open_files() == before);
    setenv("TMPDIR", "/nonexistent", 1);
    s = seal_table(path, &rows_places, &to, NULL, &report, &sealed, &error);
    setenv("TMPDIR", folder, 1);
    unlink(path);
    CHECK_STATUS(s, APEX_E_IO);
    CHECK(strstr(error.what, "spool") && sealed.fd == -1 && open_files() == before);
}

static void checking_alone_leaves_nothing_behind(void **state)
{
    (void)state;
    char path[64];
    file_write(path, span_text(small));
    size_t before = open_files();
    CHECK_OK(check_table(path, &rows_places, NULL, &report, &error));
    CHECK(report.rows == 2 && report.sealed_bytes == 0 && open_files() == before);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_to_the_same_rows),
        cmocka_unit_test(any_flipped_bit_keeps_it_shut),
        cmocka_unit_test(it_opens_for_its_contract_dataset_and_author_only),
        cmocka_unit_test(chunks_do_not_change_places_and_none_is_dropped),
        cmocka_unit_test(equal_rows_never_give_equal_bytes_twice),
        cmocka_unit_test(no_plaintext_is_ever_in_the_spool_and_it_has_no_name),
        cmocka_unit_test(the_search_for_plaintext_finds_it_in_an_unsealed_group),
        cmocka_unit_test(nothing_is_kept_when_a_row_is_bad),
        cmocka_unit_test(a_spool_that_cannot_grow_ends_it),
        cmocka_unit_test(checking_alone_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
