/* Tiles, bundles, signed notes and checkpoints. Oracles: the examples of c2sp.org/tlog-tiles
 * and c2sp.org/tlog-checkpoint, and the note and key of Go's golang.org/x/mod/sumdb/note. */
#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "common/merkle/base64.h"
#include "common/merkle/cosignature.h"
#include "common/merkle/note.h"
#include "common/merkle/tile.h"
#include "tests/check.h"

/* golang.org/x/mod/sumdb/note, example_test.go */
#define GO_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_SKEY "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz" /* after the last plus sign */
#define GO_TEXT                                                                                \
    "If you think cryptography is the answer to your problem,\nthen you don't know what your " \
    "problem is.\n"
#define GO_SIGNATURE                                                                           \
    "\n\xe2\x80\x94 PeterNeumann "                                                             \
    "x08go/ZJkuBS9UG/"                                                                         \
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

static void go_keys(struct sign_public *key, struct sign_secret *secret)
{
    uint8_t bytes[33];
    CHECK_OK(base64_parse(SPAN_TEXT(GO_SKEY), bytes, sizeof bytes));
    CHECK(bytes[0] == 1);
    sign_from_seed(bytes + 1, key, secret);
}

static void the_verifier_key_is_written_as_go_writes_it(void **state)
{
    (void)state;
    struct sign_public key;
    struct sign_secret secret;
    char vkey[NOTE_VKEY_MAX];
    go_keys(&key, &secret);
    CHECK_OK(note_vkey("PeterNeumann", &key, vkey));
    assert_string_equal(vkey, GO_VKEY);
    CHECK_STATUS(note_vkey("Peter Neumann", &key, vkey), APEX_E_USAGE);
    CHECK_STATUS(note_vkey("Peter+Neumann", &key, vkey), APEX_E_USAGE);
    CHECK_STATUS(note_vkey("", &key, vkey), APEX_E_USAGE);
}

/* Go's text is no checkpoint: the signature holds, and only then the text is found to be none.
 */
static void the_signature_of_gos_note_holds_and_a_changed_one_does_not(void **state)
{
    (void)state;
    struct sign_public key;
    struct sign_secret secret;
    struct checkpoint c;
    char note[] = GO_TEXT GO_SIGNATURE;
    go_keys(&key, &secret);
    CHECK_STATUS(checkpoint_open(span_text(note), "PeterNeumann", &key, &c), APEX_E_FORMAT);
    note[3] ^= 1;
    CHECK_STATUS(checkpoint_open(span_text(note), "PeterNeumann", &key, &c), APEX_E_UNTRUSTED);
}

static void a_checkpoint_of_c2sp_is_read(void **state)
{
    (void)state;
    struct checkpoint c;
    char root[65];
    CHECK_OK(checkpoint_parse_unverified(
        SPAN_TEXT("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/"
                  "Xajj7h2fB2MPA3j2jxq2I=\n\n"
                  "\xe2\x80\x94 example.com/behind-the-sofa "
                  "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
                  "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"),
        &c));
    assert_string_equal(c.origin, "example.com/behind-the-sofa");
    CHECK(c.size == 20852163);
    hex_write(SPAN(c.root.bytes), root);
    assert_string_equal(root,
                        "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
}

static struct sign_public node_key, other_key;
static struct sign_secret node_secret, other_secret;
static struct checkpoint made = {.origin = "apex.example/node", .size = 12345678901};

static void made_sign(const struct checkpoint *c, const struct sign_secret *secret,
                      struct buffer *note)
{
    merkle_leaf(SPAN_TEXT("root"), &made.root);
    CHECK_OK(checkpoint_sign(c, secret, note));
}

static void what_was_signed_opens(void **state)
{
    (void)state;
    BUFFER_CLEARED note = {0};
    struct checkpoint c;
    made_sign(&made, &node_secret, &note);
    CHECK_OK(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c));
    assert_string_equal(c.origin, made.origin);
    CHECK(c.size == made.size);
    assert_memory_equal(&c.root, &made.root, sizeof c.root);
    CHECK_STATUS(checkpoint_open(buffer_span(&note), made.origin, &other_key, &c),
                 APEX_E_UNTRUSTED);
    CHECK_STATUS(checkpoint_open(buffer_span(&note), "apex.example/nodf", &node_key, &c),
                 APEX_E_UNTRUSTED);
}

static void a_note_with_any_bit_flipped_does_not_open(void **state)
{
    (void)state;
    BUFFER_CLEARED note = {0};
    made_sign(&made, &node_secret, &note);
    for (size_t bit = 0; bit < 8 * note.len; bit++) {
        struct checkpoint c;
        note.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        apex_status s = checkpoint_open(buffer_span(&note), made.origin, &node_key, &c);
        CHECK(s == APEX_E_UNTRUSTED || s == APEX_E_FORMAT);
        note.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_note_cut_short_does_not_open(void **state)
{
    (void)state;
    BUFFER_CLEARED note = {0};
    made_sign(&made, &node_secret, &note);
    for (size_t len = 0; len < note.len; len++) {
        struct checkpoint c;
        CHECK_STATUS(checkpoint_open(span_of(note.data, len), made.origin, &node_key, &c),
                     APEX_E_FORMAT);
    }
}

/* The signature lines of two notes over one text, joined. */
static void line_add(struct buffer *note, struct span other)
{
    const uint8_t *blank = memmem(other.data, other.len, "\n\n", 2);
    assert_non_null(blank);
    buffer_append(note, span_of(blank + 2, other.len - (size_t)(blank + 2 - other.data)));
}

static void signatures_of_others_are_ignored_and_ours_stands_once(void **state)
{
    (void)state;
    BUFFER_CLEARED note = {0};
    BUFFER_CLEARED others = {0};
    struct checkpoint c;
    made_sign(&made, &node_secret, &note);
    made_sign(&made, &other_secret, &others);
    line_add(&note, buffer_span(&others));
    CHECK_OK(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c));
    CHECK_OK(checkpoint_open(buffer_span(&note), made.origin, &other_key, &c));
    buffer_text(
        &note,
        "\xe2\x80\x94 witness.example AAAA\n"); /* of another algorithm, another length */
    CHECK_OK(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c));
    line_add(&note, buffer_span(&others));
    CHECK_STATUS(checkpoint_open(buffer_span(&note), made.origin, &other_key, &c),
                 APEX_E_FORMAT);
}

static void a_line_that_is_no_signature_and_too_many_are_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED note = {0};
    struct checkpoint c;
    made_sign(&made, &node_secret, &note);
    size_t len = note.len;
    static const char *const bad[] = {"hello\n",
                                      "\n",
                                      "\xe2\x80\x94 \n",
                                      "\xe2\x80\x94 name\n",
                                      "\xe2\x80\x94 name \n",
                                      "\xe2\x80\x94 name AAA\n",
                                      "\xe2\x80\x94  AAAA\n",
                                      "\xe2\x80\x94 name AAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        note.len = len;
        buffer_text(&note, bad[i]);
        CHECK_STATUS(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c),
                     APEX_E_FORMAT);
    }
    note.len = len;
    for (int i = 1; i < NOTE_SIGNATURES_MAX; i++)
        buffer_text(&note, "\xe2\x80\x94 name AAAA\n");
    CHECK_OK(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c));
    buffer_text(&note, "\xe2\x80\x94 name AAAA\n");
    CHECK_STATUS(checkpoint_open(buffer_span(&note), made.origin, &node_key, &c), APEX_E_LIMIT);
}

static void checkpoint_texts_of_another_form_are_refused(void **state)
{
    (void)state;
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define REST "\n\n\xe2\x80\x94 n AAAA\n"
    static const struct {
        const char *note;
        apex_status status;
    } cases[] = {
        {"n\n0\n" ROOT REST, APEX_OK},
        {"n\n5\n" ROOT "\nextension" REST, APEX_OK},
        {"n\n9223372036854775807\n" ROOT REST, APEX_OK},
        {"n\n99999999999999999999\n" ROOT REST, APEX_E_FORMAT},
        {"n\n05\n" ROOT REST, APEX_E_FORMAT},
        {"n\n+5\n" ROOT REST, APEX_E_FORMAT},
        {"n\n5 \n" ROOT REST, APEX_E_FORMAT},
        {"n\n\n" ROOT REST, APEX_E_FORMAT},
        {"n\n-1\n" ROOT REST, APEX_E_FORMAT},
        {"n m\n5\n" ROOT REST, APEX_E_FORMAT},
        {"n+m\n5\n" ROOT REST, APEX_E_FORMAT},
        {"n\r\n5\n" ROOT REST, APEX_E_FORMAT},
        {"n\n5\nAAAA" REST, APEX_E_FORMAT},
        {"n\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=" REST,
         APEX_E_FORMAT}, /* a bit that says nothing is set */
        {"n\n5\n" ROOT "\n", APEX_E_FORMAT},
        {"\n\n\xe2\x80\x94 n AAAA\n", APEX_E_FORMAT},
        {"", APEX_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checkpoint c;
        CHECK_STATUS(checkpoint_parse_unverified(span_text(cases[i].note), &c),
                     cases[i].status);
    }
}

static void base64_agrees_with_rfc_4648_and_has_one_text_per_value(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {
        "Zh==", "Zm9=", "Zg=", "Zg", "Z===", "====", "Zg==\n", "Z g=", "Zm-_", "Zg==Zm8="};
    char text[16];
    uint8_t out[8];
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        size_t len = strlen(vectors[i][0]);
        base64_write(span_text(vectors[i][0]), text);
        assert_string_equal(text, vectors[i][1]);
        CHECK_OK(base64_parse(span_text(text), out, len));
        assert_memory_equal(out, vectors[i][0], len);
        CHECK_STATUS(base64_parse(span_text(text), out, len + 1), APEX_E_FORMAT);
        if (len > 0) CHECK_STATUS(base64_parse(span_text(text), out, len - 1), APEX_E_FORMAT);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!base64_valid(span_text(bad[i])));
}

static void tile_paths_have_one_form(void **state)
{
    (void)state;
    static const struct {
        unsigned level;
        uint64_t index;
        unsigned width;
        const char *path;
    } good[] = {
        {0, 0, 256, "tile/0/000"},
        {1, 5, 12, "tile/1/005.p/12"},
        {0, 1234067, 256, "tile/0/x001/x234/067"}, /* the example of c2sp.org/tlog-tiles */
        {TILE_ENTRIES, 999, 255, "tile/entries/999.p/255"},
        {TILE_ENTRIES, 1000, 256, "tile/entries/x001/000"},
        {7, 999999999999999999, 1, "tile/7/x999/x999/x999/x999/x999/999.p/1"},
    };
    static const char *const bad[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/x001/x002",
        "tile/0/001/002",
        "tile/0/x001/x/002",
        "tile/8/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000.p/999999999999",
        "tile/0/000.q/1",
        "tile/0/000 ",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/entries/",
        "tile/entries",
        "tile/Entries/000",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/255/000",
    };
    unsigned level, width;
    uint64_t index;
    char path[TILE_PATH_MAX];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(tile_path(good[i].level, good[i].index, good[i].width, path));
        assert_string_equal(path, good[i].path);
        CHECK_OK(tile_path_parse(path, &level, &index, &width));
        CHECK(level == good[i].level && index == good[i].index && width == good[i].width);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(tile_path_parse(bad[i], &level, &index, &width), APEX_E_FORMAT);
    CHECK_STATUS(tile_path(8, 0, 256, path), APEX_E_USAGE);
    CHECK_STATUS(tile_path(0, 0, 0, path), APEX_E_USAGE);
    CHECK_STATUS(tile_path(0, 0, 257, path), APEX_E_USAGE);
    CHECK_OK(tile_path(0, UINT64_MAX, 1, path)); /* the longest there is fits */
}

static void tiles_hold_the_hashes_of_their_level(void **state)
{
    (void)state;
    enum { SIZE = 256 * 3 + 7 };
    struct merkle_tree *t;
    struct merkle_hash h;
    CHECK_OK(merkle_tree_new(&t));
    for (uint64_t i = 0; i < SIZE; i++) {
        merkle_leaf(SPAN(((uint8_t[]){(uint8_t)i, (uint8_t)(i >> 8)})), &h);
        CHECK_OK(merkle_tree_append(t, &h));
    }
    static const struct {
        unsigned level;
        uint64_t size, index;
        unsigned width;
        apex_status status;
    } cases[] = {
        {0, SIZE, 0, 256, APEX_OK},        {0, SIZE, 3, 7, APEX_OK},
        {0, SIZE, 3, 6, APEX_OK},          {0, SIZE, 3, 8, APEX_E_USAGE},
        {0, 600, 2, 88, APEX_OK},          {0, 600, 2, 89, APEX_E_USAGE},
        {0, SIZE, 4, 1, APEX_E_USAGE},     {0, SIZE, UINT64_MAX / 256, 256, APEX_E_USAGE},
        {1, SIZE, 0, 3, APEX_OK},          {1, SIZE, 0, 4, APEX_E_USAGE},
        {1, 767, 0, 3, APEX_E_USAGE},      {2, SIZE, 0, 1, APEX_E_USAGE},
        {0, SIZE + 1, 0, 1, APEX_E_USAGE}, {8, SIZE, 0, 1, APEX_E_USAGE},
        {0, SIZE, 0, 0, APEX_E_USAGE},     {0, SIZE, 0, 257, APEX_E_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED out = {0};
        CHECK_STATUS(
            tile_write(t, cases[i].size, cases[i].level, cases[i].index, cases[i].width, &out),
            cases[i].status);
        if (cases[i].status != APEX_OK) continue;
        CHECK(out.len == 32u * cases[i].width);
        for (unsigned k = 0; k < cases[i].width; k++) {
            CHECK_OK(merkle_tree_node_at(t, 8 * cases[i].level, cases[i].index * 256 + k, &h));
            assert_memory_equal(out.data + 32u * k, h.bytes, 32);
        }
    }
    merkle_tree_free(t);
}

static void bundles_give_back_their_entries_and_refuse_what_is_cut(void **state)
{
    (void)state;
    static uint8_t big[ENTRY_MAX + 1];
    BUFFER_CLEARED bundle = {0};
    const struct span entries[] = {
        SPAN_TEXT("one"), SPAN_TEXT(""), {big, ENTRY_MAX}, SPAN_TEXT("four")};
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(bundle_write(entries[i], &bundle));
    size_t len = bundle.len;
    CHECK_STATUS(bundle_write(SPAN(big), &bundle), APEX_E_LIMIT);
    CHECK(bundle.len == len);
    struct span rest = buffer_span(&bundle), entry;
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(bundle_next(&rest, &entry));
        CHECK(span_equal(entry, entries[i]));
    }
    CHECK(rest.len == 0);
    CHECK_STATUS(bundle_next(&rest, &entry), APEX_E_FORMAT);
    for (size_t cut = 0; cut < 5; cut++) {
        rest = span_of(bundle.data, cut);
        CHECK_STATUS(bundle_next(&rest, &entry), APEX_E_FORMAT);
        CHECK(rest.len == cut);
    }
}

static int keys_setup(void **state)
{
    (void)state;
    if (crypto_init() != APEX_OK) return -1;
    sign_from_seed((const uint8_t[32]){1}, &node_key, &node_secret);
    sign_from_seed((const uint8_t[32]){2}, &other_key, &other_secret);
    return 0;
}

/* A cosignature made by Go's crypto/ed25519 over c2sp.org/tlog-cosignature's own example text
 * would be another implementation's word; tests/go/verify.go has that one. Here: form and
 * refusals. */
static void a_cosignature_holds_for_its_note_its_witness_and_its_time_alone(void **state)
{
    struct witness_key w = {.name = "witness.example/w1"},
                       other = {.name = "witness.example/w2"};
    struct sign_secret key, log;
    struct sign_public log_public;
    struct checkpoint c = {.origin = "example.com/behind-the-sofa", .size = 20852163};
    BUFFER_CLEARED note = {0};
    uint64_t time_s = 0;
    (void)state;
    sign_from_seed((const uint8_t[32]){3}, &w.key, &key);
    sign_from_seed((const uint8_t[32]){4}, &log_public, &log);
    other.key = w.key;
    CHECK_OK(checkpoint_sign(&c, &log, &note));
    CHECK(cosignature_check(buffer_span(&note), &w, &time_s) == APEX_E_NOT_FOUND);
    CHECK_OK(cosignature_make(buffer_span(&note), w.name, &key, 1679315147, &note));
    CHECK_OK(cosignature_check(buffer_span(&note), &w, &time_s));
    CHECK(time_s == 1679315147);
    CHECK(cosignature_check(buffer_span(&note), &other, &time_s) == APEX_E_NOT_FOUND);
    CHECK(cosignature_count(buffer_span(&note), &w, 1) == 1);
    struct checkpoint again;
    CHECK_OK(checkpoint_open(buffer_span(&note), c.origin, &log_public, &again));
    for (size_t bit = 0; bit < 8 * note.len; bit += 3) {
        note.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(cosignature_check(buffer_span(&note), &w, &time_s) != APEX_OK ||
              checkpoint_open(buffer_span(&note), c.origin, &log_public, &again) != APEX_OK);
        note.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* A second witness answers with a line in the first one's name, before or after the true one.
 */
static void a_forged_line_under_a_witness_s_name_does_not_undo_its_own(void **state)
{
    struct witness_key w = {.name = "witness.example/w1"};
    struct sign_secret key, log;
    struct sign_public log_public;
    struct checkpoint c = {.origin = "example.com/behind-the-sofa", .size = 7};
    uint8_t forged[NOTE_SIGNATURE_MAX] = {0};
    uint64_t time_s = 0;
    (void)state;
    sign_from_seed((const uint8_t[32]){3}, &w.key, &key);
    sign_from_seed((const uint8_t[32]){4}, &log_public, &log);
    note_key_id(w.name, NOTE_COSIGNATURE, &w.key, forged);
    forged[NOTE_KEY_ID_LEN + 7] = 1;
    for (int order = 0; order < 2; order++) {
        BUFFER_CLEARED note = {0};
        CHECK_OK(checkpoint_sign(&c, &log, &note));
        if (order == 0) CHECK_OK(note_signature_write(w.name, SPAN(forged), &note));
        CHECK(cosignature_count(buffer_span(&note), &w, 1) == 0);
        CHECK_OK(cosignature_make(buffer_span(&note), w.name, &key, 1679315147, &note));
        if (order == 1) CHECK_OK(note_signature_write(w.name, SPAN(forged), &note));
        CHECK_OK(cosignature_check(buffer_span(&note), &w, &time_s));
        CHECK(time_s == 1679315147);
        CHECK(cosignature_count(buffer_span(&note), &w, 1) == 1);
    }
}

static void a_verifier_key_is_read_back_and_refused_when_changed(void **state)
{
    struct witness_key w = {.name = "witness.example/w1"}, back;
    struct sign_secret key;
    struct sign_public log;
    char vkey[NOTE_VKEY_MAX], name[ORIGIN_MAX + 1];
    (void)state;
    /* One key: of fresh ones, one in 2^26 has a changed name or key with the same key id. */
    sign_from_seed((const uint8_t[32]){3}, &w.key, &key);
    CHECK_OK(witness_key_write(&w, vkey));
    CHECK_OK(witness_key_parse(span_text(vkey), &back));
    CHECK(strcmp(back.name, w.name) == 0 && memcmp(&back.key, &w.key, sizeof w.key) == 0);
    CHECK(note_vkey_parse(span_text(vkey), name, &log) == APEX_E_FORMAT); /* not a log's */
    for (size_t i = 0; vkey[i]; i++) {
        vkey[i] ^= 1;
        CHECK(witness_key_parse(span_text(vkey), &back) != APEX_OK);
        vkey[i] ^= 1;
        CHECK(witness_key_parse(span_of(vkey, i), &back) != APEX_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verifier_key_is_written_as_go_writes_it),
        cmocka_unit_test(the_signature_of_gos_note_holds_and_a_changed_one_does_not),
        cmocka_unit_test(a_checkpoint_of_c2sp_is_read),
        cmocka_unit_test(what_was_signed_opens),
        cmocka_unit_test(a_note_with_any_bit_flipped_does_not_open),
        cmocka_unit_test(a_note_cut_short_does_not_open),
        cmocka_unit_test(signatures_of_others_are_ignored_and_ours_stands_once),
        cmocka_unit_test(a_line_that_is_no_signature_and_too_many_are_refused),
        cmocka_unit_test(checkpoint_texts_of_another_form_are_refused),
        cmocka_unit_test(base64_agrees_with_rfc_4648_and_has_one_text_per_value),
        cmocka_unit_test(tile_paths_have_one_form),
        cmocka_unit_test(tiles_hold_the_hashes_of_their_level),
        cmocka_unit_test(bundles_give_back_their_entries_and_refuse_what_is_cut),
        cmocka_unit_test(a_cosignature_holds_for_its_note_its_witness_and_its_time_alone),
        cmocka_unit_test(a_forged_line_under_a_witness_s_name_does_not_undo_its_own),
        cmocka_unit_test(a_verifier_key_is_read_back_and_refused_when_changed),
    };
    return cmocka_run_group_tests(tests, keys_setup, NULL);
}
