/* Identities and the home folder that holds them: what is written, who may read it, and what is
 * made of a damaged file. */
#include "client/lib/home.h"
#include "client/lib/identity.h"
#include "common/crypto/random.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char folder[64];
    struct apex_home *home;
    struct apex_error error;
};

static void scene_open(struct scene *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/apex-test-id-XXXXXX");
    CHECK(mkdtemp(s->folder) != NULL);
    CHECK_OK(crypto_init());
    CHECK_OK(apex_home_open(s->folder, &s->home, &s->error));
}

static void scene_close(struct scene *s)
{
    char command[128];
    apex_home_close(s->home);
    snprintf(command, sizeof command, "rm -r %s", s->folder);
    CHECK(system(command) == 0);
}

static void id_path(const struct scene *s, const char *name, char path[160])
{
    snprintf(path, 160, "%s/identities/%s.id", s->folder, name);
}

static void file_read(const struct scene *s, const char *name, struct buffer *out)
{
    char path[160];
    struct apex_error e;
    id_path(s, name, path);
    buffer_clear(out);
    CHECK_OK(file_load(path, 4096, out, &e));
}

static void file_put(const struct scene *s, const char *name, struct span bytes)
{
    char path[160];
    struct apex_error e;
    id_path(s, name, path);
    CHECK_OK(file_save(path, bytes, 0600, false, &e));
}

static apex_status open_free(struct scene *s, const char *name, const char *passphrase)
{
    struct apex_identity *id = NULL;
    s->error = (struct apex_error){0};
    apex_status st = apex_identity_open(s->home, name, passphrase, &id, &s->error);
    if (st != APEX_OK)
        CHECK(!id && s->error.what[0] && s->error.not_done[0] && s->error.next[0] &&
              s->error.who[0]);
    apex_identity_free(id);
    return st;
}

static void an_identity_signs_and_opens_with_the_keys_it_shows(void **state)
{
    (void)state;
    struct scene s;
    struct apex_identity *id;
    uint8_t signature[SIGNATURE_LEN], sealed[5 + HPKE_OVERHEAD], opened[5];
    scene_open(&s);
    CHECK_OK(apex_identity_new(s.home, "kauri", NULL, &s.error));
    CHECK_OK(apex_identity_open(s.home, NULL, NULL, &id, &s.error));
    assert_string_equal(apex_identity_name(id), "kauri");
    sign_bytes(&id->sign, SPAN_TEXT("hello"), signature);
    CHECK_OK(sign_check(&id->sign_public, SPAN_TEXT("hello"), signature));
    CHECK_OK(hpke_seal(&id->seal_public, SPAN_TEXT("i"), (struct span){0}, SPAN_TEXT("hello"),
                       sealed));
    CHECK_OK(hpke_open(&id->seal, SPAN_TEXT("i"), (struct span){0}, SPAN(sealed), opened));
    CHECK(memcmp(opened, "hello", 5) == 0);
    char *shown = apex_identity_public(id);
    CHECK(strlen(shown) > 128 + 20 && strstr(shown, "\"kauri\"") != NULL);
    free(shown);
    apex_identity_free(id);
    scene_close(&s);
}

static void an_identity_is_never_overwritten_and_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct scene s;
    struct stat st;
    char path[160];
    BUFFER_CLEARED before = {0};
    BUFFER_CLEARED after = {0};
    scene_open(&s);
    CHECK_OK(apex_identity_new(s.home, "kauri", NULL, &s.error));
    file_read(&s, "kauri", &before);
    CHECK_STATUS(apex_identity_new(s.home, "kauri", NULL, &s.error), APEX_E_REFUSED);
    file_read(&s, "kauri", &after);
    CHECK(span_equal(buffer_span(&before), buffer_span(&after)));
    id_path(&s, "kauri", path);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    static const mode_t loose[] = {0640, 0604, 0620, 0660, 0777};
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++) {
        CHECK(chmod(path, loose[i]) == 0);
        CHECK_STATUS(open_free(&s, "kauri", NULL), APEX_E_REFUSED);
    }
    CHECK(chmod(path, 0400) == 0);
    CHECK_OK(open_free(&s, "kauri", NULL));
    scene_close(&s);
}

static void a_name_is_of_the_agreed_form_and_names_one_file(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "a/b",
        "../x",
        "A",
        "-a",
        "_a",
        "a b",
        "a\n",
        "é",
        "a.id",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct scene s;
    scene_open(&s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STATUS(apex_identity_new(s.home, bad[i], NULL, &s.error), APEX_E_USAGE);
        CHECK_STATUS(open_free(&s, bad[i], NULL), APEX_E_USAGE);
    }
    CHECK_STATUS(open_free(&s, "nobody", NULL), APEX_E_NOT_FOUND);
    CHECK_STATUS(open_free(&s, NULL, NULL), APEX_E_USAGE); /* none is there */
    CHECK_OK(apex_identity_new(s.home, "0-a_z9", NULL, &s.error));
    CHECK_OK(open_free(&s, NULL, NULL));
    CHECK_OK(apex_identity_new(s.home, "rimu", NULL, &s.error));
    CHECK_STATUS(open_free(&s, NULL, NULL), APEX_E_USAGE); /* which of two? */
    scene_close(&s);
}

static void an_identity_file_with_any_bit_changed_or_cut_short_is_not_used(void **state)
{
    (void)state;
    struct scene s;
    BUFFER_CLEARED file = {0};
    scene_open(&s);
    CHECK_OK(apex_identity_new(s.home, "kauri", NULL, &s.error));
    file_read(&s, "kauri", &file);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        /* The X25519 secret's five clamped bits are no part of the key (RFC 7748 section 5). */
        size_t seal_at = file.len - 32;
        if (bit / 8 == seal_at && bit % 8 < 3) continue;
        if (bit / 8 == file.len - 1 && bit % 8 >= 6) continue;
        file.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        file_put(&s, "kauri", buffer_span(&file));
        if (open_free(&s, "kauri", NULL) == APEX_OK)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        file.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t len = 0; len < file.len; len++) {
        file_put(&s, "kauri", span_of(file.data, len));
        CHECK_STATUS(open_free(&s, "kauri", NULL), APEX_E_FORMAT);
    }
    buffer_u8(&file, 0);
    file_put(&s, "kauri", buffer_span(&file));
    CHECK_STATUS(open_free(&s, "kauri", NULL), APEX_E_FORMAT);
    scene_close(&s);
}

static void a_passphrase_keeps_the_keys_out_of_the_file(void **state)
{
    (void)state;
    struct scene s;
    struct apex_identity *id;
    BUFFER_CLEARED file = {0};
    scene_open(&s);
    CHECK_OK(apex_identity_new(s.home, "kauri", "correct horse", &s.error));
    CHECK_OK(apex_identity_open(s.home, "kauri", "correct horse", &id, &s.error));
    file_read(&s, "kauri", &file);
    CHECK(memmem(file.data, file.len, id->sign.bytes, 32) == NULL);
    CHECK(memmem(file.data, file.len, id->seal.bytes, 32) == NULL);
    CHECK(memmem(file.data, file.len, id->sign_public.bytes, 32) != NULL);
    apex_identity_free(id);
    CHECK_STATUS(open_free(&s, "kauri", "correct horsf"), APEX_E_UNTRUSTED);
    CHECK(open_free(&s, "kauri", NULL) != APEX_OK);
    CHECK(strstr(s.error.what, "passphrase") != NULL);
    static const size_t places[] = {7, 20, 60, 80,
                                    100}; /* name length, keys, salt or box: each is bound */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        file.data[places[i]] ^= 4;
        file_put(&s, "kauri", buffer_span(&file));
        CHECK(open_free(&s, "kauri", "correct horse") != APEX_OK);
        file.data[places[i]] ^= 4;
    }
    scene_close(&s);
}

static void a_home_is_made_for_its_owner_and_one_that_cannot_be_is_said_so(void **state)
{
    (void)state;
    struct scene s;
    struct stat st;
    struct apex_home *home;
    char path[128];
    scene_open(&s);
    snprintf(path, sizeof path, "%s/new", s.folder);
    CHECK_OK(apex_home_open(path, &home, &s.error));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    assert_string_equal(apex_home_path(home), path);
    apex_home_close(home);
    snprintf(path, sizeof path, "%s/not/there", s.folder);
    CHECK_STATUS(apex_home_open(path, &home, &s.error), APEX_E_IO);
    CHECK(strstr(s.error.what, path) != NULL);
    scene_close(&s);
}

static void a_file_is_saved_whole_or_not_at_all(void **state)
{
    (void)state;
    struct scene s;
    char path[160], command[200];
    BUFFER_CLEARED got = {0};
    scene_open(&s);
    snprintf(path, sizeof path, "%s/f", s.folder);
    CHECK_OK(file_save(path, SPAN_TEXT("one"), 0600, true, &s.error));
    CHECK_STATUS(file_save(path, SPAN_TEXT("two"), 0600, true, &s.error), APEX_E_REFUSED);
    CHECK_OK(file_load(path, 100, &got, &s.error));
    CHECK(span_equal(buffer_span(&got), SPAN_TEXT("one")));
    CHECK_OK(file_save(path, SPAN_TEXT("three"), 0600, false, &s.error));
    buffer_clear(&got);
    CHECK_OK(file_load(path, 5, &got, &s.error));
    CHECK(span_equal(buffer_span(&got), SPAN_TEXT("three")));
    buffer_clear(&got);
    CHECK_STATUS(file_load(path, 4, &got, &s.error), APEX_E_LIMIT);
    CHECK_STATUS(file_load(s.folder, 100, &got, &s.error), APEX_E_IO);
    snprintf(path, sizeof path, "%s/no/f", s.folder);
    CHECK_STATUS(file_save(path, SPAN_TEXT("x"), 0600, false, &s.error), APEX_E_IO);
    snprintf(command, sizeof command, "test \"$(ls %s)\" = f", s.folder);
    CHECK(system(command) == 0); /* nothing half-written is left */
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_signs_and_opens_with_the_keys_it_shows),
        cmocka_unit_test(an_identity_is_never_overwritten_and_is_for_its_owner_alone),
        cmocka_unit_test(a_name_is_of_the_agreed_form_and_names_one_file),
        cmocka_unit_test(an_identity_file_with_any_bit_changed_or_cut_short_is_not_used),
        cmocka_unit_test(a_passphrase_keeps_the_keys_out_of_the_file),
        cmocka_unit_test(a_home_is_made_for_its_owner_and_one_that_cannot_be_is_said_so),
        cmocka_unit_test(a_file_is_saved_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
