#include "client/lib/identity.h"

#include "client/lib/home.h"
#include "common/base/cursor.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/ct.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"
#include "common/crypto/secretbox.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SECRETS_LEN = 64, IDENTITY_FILE_MAX = 512 };
#define IDENTITY_MAGIC "APXID1"

static apex_status broken(struct apex_error *e)
{
    return apex_fail(e, APEX_E_FORMAT, "the identity file is damaged", "nothing was done",
                     "restore it from your backup", "you");
}

static void head_write(const struct apex_identity *id, bool sealed, struct buffer *out)
{
    buffer_text(out, IDENTITY_MAGIC);
    buffer_u8(out, sealed);
    buffer_u8(out, (uint8_t)strlen(id->name));
    buffer_text(out, id->name);
    buffer_append(out, SPAN(id->sign_public.bytes));
    buffer_append(out, SPAN(id->seal_public.bytes));
}

static apex_status file_write(const struct apex_identity *id, const char *passphrase,
                              struct buffer *out)
{
    uint8_t secrets[SECRETS_LEN], salt[PASSPHRASE_SALT_LEN], key[32],
        sealed[SECRETS_LEN + SECRETBOX_OVERHEAD];
    memcpy(secrets, id->sign.bytes, 32); /* libsodium's form begins with the seed */
    memcpy(secrets + 32, id->seal.bytes, 32);
    head_write(id, passphrase != NULL, out);
    apex_status s = APEX_OK;
    if (!passphrase)
        buffer_append(out, SPAN(secrets));
    else {
        random_bytes(salt, sizeof salt);
        s = kdf_passphrase(span_text(passphrase), salt, key);
        if (s == APEX_OK) secretbox_seal(key, buffer_span(out), SPAN(secrets), sealed);
        buffer_append(out, SPAN(salt));
        buffer_append(out, SPAN(sealed));
    }
    wipe(secrets, sizeof secrets);
    wipe(key, sizeof key);
    return s == APEX_OK ? buffer_ok(out) : s;
}

apex_status apex_identity_new(struct apex_home *home, const char *name, const char *passphrase,
                              struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    BUFFER_CLEARED file = {0};
    if (!home_name_valid(name))
        return apex_fail(
            error, APEX_E_USAGE,
            "a name is lower-case letters, digits, - and _, and starts with a letter or digit",
            "no identity was made", "choose another name", "you");
    TRY(home_file(home, "identities", name, ".id", path, error));
    struct apex_identity *id = secret_alloc(sizeof *id);
    if (!id) return apex_fail_memory(error);
    snprintf(id->name, sizeof id->name, "%s", name);
    sign_new(&id->sign_public, &id->sign);
    seal_new(&id->seal_public, &id->seal);
    apex_status s = file_write(id, passphrase, &file);
    secret_free(id);
    if (s != APEX_OK) return apex_fail_memory(error);
    s = file_save(path, buffer_span(&file), 0600, true, error);
    if (s == APEX_E_REFUSED)
        return apex_fail(error, s, "there is an identity of this name already",
                         "it was not touched", "choose another name, or use it", "you");
    return s;
}

static apex_status secrets_open(struct cursor *c, struct span head, bool sealed,
                                const char *passphrase, uint8_t secrets[static SECRETS_LEN],
                                struct apex_error *error)
{
    uint8_t salt[PASSPHRASE_SALT_LEN], key[32], box[SECRETS_LEN + SECRETBOX_OVERHEAD];
    if (!sealed)
        return cursor_copy(c, SECRETS_LEN, secrets) == APEX_OK && cursor_end(c) == APEX_OK
                   ? APEX_OK
                   : broken(error);
    if (!passphrase)
        return apex_fail(error, APEX_E_USAGE, "the identity is sealed with a passphrase",
                         "nothing was done", "set APEX_PASSPHRASE", "you");
    if (cursor_copy(c, sizeof salt, salt) != APEX_OK ||
        cursor_copy(c, sizeof box, box) != APEX_OK || cursor_end(c) != APEX_OK)
        return broken(error);
    if (kdf_passphrase(span_text(passphrase), salt, key) != APEX_OK)
        return apex_fail_memory(error);
    apex_status s = secretbox_open(key, head, SPAN(box), secrets);
    wipe(key, sizeof key);
    return s == APEX_OK
               ? s
               : apex_fail(error, APEX_E_UNTRUSTED, "the passphrase does not open the identity",
                           "nothing was done", "try the right passphrase", "you");
}

static apex_status parse(struct span file, const char *passphrase, struct apex_identity *id,
                         struct apex_error *error)
{
    struct cursor c = cursor_on(file);
    uint8_t sealed, name_len, secrets[SECRETS_LEN];
    struct span name;
    struct seal_public again;
    if (cursor_expect(&c, SPAN_TEXT(IDENTITY_MAGIC)) != APEX_OK ||
        cursor_u8(&c, &sealed) != APEX_OK || sealed > 1 ||
        cursor_u8(&c, &name_len) != APEX_OK || name_len < 1 || name_len > 64 ||
        cursor_take(&c, name_len, &name) != APEX_OK ||
        cursor_copy(&c, 32, id->sign_public.bytes) != APEX_OK ||
        cursor_copy(&c, 32, id->seal_public.bytes) != APEX_OK)
        return broken(error);
    memcpy(id->name, name.data, name.len);
    id->name[name.len] = 0;
    TRY(secrets_open(&c, span_of(file.data, (size_t)(c.at - file.data)), sealed, passphrase,
                     secrets, error));
    struct sign_public ours = id->sign_public;
    sign_from_seed(secrets, &id->sign_public, &id->sign);
    memcpy(id->seal.bytes, secrets + 32, 32);
    wipe(secrets, sizeof secrets);
    seal_public_of(&id->seal, &again);
    if (!ct_equal(ours.bytes, id->sign_public.bytes, 32) ||
        !ct_equal(again.bytes, id->seal_public.bytes, 32))
        return broken(error);
    return APEX_OK;
}

/* The only identity of a home, when none is named. */
static apex_status only_one(const struct apex_home *home, char name[static 65],
                            struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/identities", home->path);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t len = strlen(e->d_name);
        if (len < 4 || len > 67 || strcmp(e->d_name + len - 3, ".id") != 0) continue;
        snprintf(name, 65, "%.*s", (int)(len - 3), e->d_name);
        n++;
    }
    if (dir) closedir(dir);
    if (n == 1) return APEX_OK;
    return apex_fail(error, APEX_E_USAGE,
                     n ? "there are several identities here" : "there is no identity here",
                     "nothing was done",
                     n ? "say which one with --as NAME" : "make one with `apex id new NAME`",
                     "you");
}

static apex_status mode_check(const char *path, struct apex_error *error)
{
    struct stat st;
    if (stat(path, &st) != 0 || (st.st_mode & 077) == 0) return APEX_OK;
    return apex_fail(error, APEX_E_REFUSED, "the identity file can be read by others",
                     "it was not used", "take the others' rights away: chmod 600 on the file",
                     "you");
}

apex_status apex_identity_open(struct apex_home *home, const char *name, const char *passphrase,
                               struct apex_identity **identity, struct apex_error *error)
{
    char path[FULL_PATH_MAX], only[65];
    BUFFER_CLEARED file = {0};
    if (!name) {
        TRY(only_one(home, only, error));
        name = only;
    }
    if (!home_name_valid(name))
        return apex_fail(error, APEX_E_USAGE, "this is no name of an identity",
                         "nothing was done", "see `apex id show`", "you");
    TRY(home_file(home, "identities", name, ".id", path, error));
    TRY(mode_check(path, error));
    TRY(file_load(path, IDENTITY_FILE_MAX, &file, error));
    struct apex_identity *id = secret_alloc(sizeof *id);
    if (!id) return apex_fail_memory(error);
    apex_status s = parse(buffer_span(&file), passphrase, id, error);
    if (s == APEX_OK && strcmp(id->name, name) != 0) s = broken(error);
    if (s != APEX_OK) {
        secret_free(id);
        return s;
    }
    *identity = id;
    return APEX_OK;
}

void apex_identity_free(struct apex_identity *identity)
{
    if (identity) secret_free(identity);
}

const char *apex_identity_name(const struct apex_identity *identity)
{
    return identity->name;
}

char *apex_identity_public(const struct apex_identity *identity)
{
    char sign[65], seal[65], *text = malloc(320);
    if (!text) return NULL;
    hex_write(SPAN(identity->sign_public.bytes), sign);
    hex_write(SPAN(identity->seal_public.bytes), seal);
    snprintf(text, 320, "{\"name\": \"%s\", \"sign\": \"%s\", \"seal\": \"%s\"}",
             identity->name, sign, seal);
    return text;
}
