/* A witness of logs, as c2sp.org/tlog-witness describes it: cosigns a checkpoint when it
 * contains every one it has cosigned before, and remembers it, durably, before it answers. It
 * sees sizes and hashes, nothing else. */
#include "client/lib/home.h"
#include "client/lib/node.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "common/merkle/base64.h"
#include "common/merkle/cosignature.h"
#include "common/merkle/note.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { LOGS_MAX = 64, KEY_FILE_MAX = 512 };
#define KEY_MAGIC "apex-witness-key/v1"

struct witnessed_log {
    char origin[ORIGIN_MAX + 1];
    struct sign_public key;
};
struct apex_witness {
    const struct apex_home *home;
    char name[ORIGIN_MAX + 1];
    struct sign_secret *key;
    struct sign_public public_key;
    size_t n_logs;
    struct witnessed_log logs[LOGS_MAX];
    int lock_fd; /* of the folder: one process cosigns with a key */
    pthread_mutex_t lock;
};
struct submission {
    struct witnessed_log *log;
    uint64_t old_size;
    struct merkle_proof proof;
    struct span note;
    struct checkpoint checkpoint;
};

static apex_status key_write(const char *path, const char *name, struct apex_error *error)
{
    uint8_t seed[SIGN_SEED_LEN];
    char hex[2 * SIGN_SEED_LEN + 1], text[KEY_FILE_MAX];
    random_bytes(seed, sizeof seed);
    hex_write(SPAN(seed), hex);
    int n = snprintf(text, sizeof text, KEY_MAGIC "\n%s\n%s\n", name, hex);
    apex_status s = file_save(path, span_of(text, (size_t)n), 0600, true, error);
    wipe(seed, sizeof seed);
    wipe(hex, sizeof hex);
    wipe(text, sizeof text);
    return s;
}

static apex_status key_parse(struct span file, struct apex_witness *w)
{
    struct span rest = file, line;
    uint8_t seed[SIGN_SEED_LEN];
    TRY(note_line(&rest, &line));
    if (!span_equal(line, SPAN_TEXT(KEY_MAGIC))) return APEX_E_FORMAT;
    TRY(note_line(&rest, &line));
    if (!note_name_valid(line)) return APEX_E_FORMAT;
    memcpy(w->name, line.data, line.len);
    TRY(note_line(&rest, &line));
    TRY(hex_parse(line, seed, sizeof seed));
    sign_from_seed(seed, &w->public_key, w->key);
    wipe(seed, sizeof seed);
    return rest.len == 0 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status key_load(struct apex_witness *w, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    BUFFER_CLEARED file = {0};
    TRY(home_file(w->home, "witness", "key", "", path, error));
    apex_status s = file_load(path, KEY_FILE_MAX, &file, error);
    if (s == APEX_E_NOT_FOUND)
        return apex_fail(error, s, "this home has no witness key", "nothing was done",
                         "make one with `apex witness new NAME`", "you");
    TRY(s);
    s = key_parse(buffer_span(&file), w);
    if (file.data) wipe(file.data, file.len);
    return s == APEX_OK ? s
                        : apex_fail_path(error, APEX_E_FORMAT, path, "is no witness key",
                                         "nothing was done");
}

apex_status apex_witness_new(struct apex_home *home, const char *name, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    if (!note_name_valid(span_text(name)))
        return apex_fail(error, APEX_E_USAGE,
                         "a witness's name has no spaces, no plus sign and at most 128 bytes",
                         "no key was made", "choose such as witness.example.com/w1", "you");
    TRY(home_file(home, "witness", "key", "", path, error));
    apex_status s = key_write(path, name, error);
    if (s != APEX_E_REFUSED) return s;
    return apex_fail(error, s, "this home has a witness key already", "it was left as it is",
                     "use it, or another --home: one key is one witness", "you");
}

static apex_status log_add(struct apex_witness *w, const char *vkey, struct apex_error *error)
{
    struct witnessed_log *log = &w->logs[w->n_logs];
    if (w->n_logs == LOGS_MAX ||
        note_vkey_parse(span_text(vkey), log->origin, &log->key) != APEX_OK)
        return apex_fail(error, APEX_E_USAGE, "this is no log's verifier key",
                         "nothing was done",
                         "take the one that `apex ledger key` or the log's operator tells: "
                         "NAME+HASH+KEY",
                         "you");
    w->n_logs++;
    return APEX_OK;
}

static apex_status lock_take(struct apex_witness *w, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    TRY(home_file(w->home, "witness", "lock", "", path, error));
    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock_fd >= 0 && flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0) return APEX_OK;
    return apex_fail(error, APEX_E_REFUSED, "another process cosigns with this key",
                     "nothing was done", "stop it, or use another --home", "you");
}

apex_status apex_witness_open(struct apex_home *home, const char *const *log_vkeys,
                              size_t n_logs, struct apex_witness **witness,
                              struct apex_error *error)
{
    struct apex_witness *w = calloc(1, sizeof *w);
    if (!w) return apex_fail_memory(error);
    w->home = home;
    w->lock_fd = -1;
    w->key = secret_alloc(sizeof *w->key);
    pthread_mutex_init(&w->lock, NULL);
    apex_status s = w->key ? key_load(w, error) : apex_fail_memory(error);
    if (s == APEX_OK && n_logs > 0) s = lock_take(w, error);
    for (size_t i = 0; s == APEX_OK && i < n_logs; i++)
        s = log_add(w, log_vkeys[i], error);
    if (s != APEX_OK) {
        apex_witness_close(w);
        return s;
    }
    *witness = w;
    return APEX_OK;
}

void apex_witness_close(struct apex_witness *w)
{
    if (!w) return;
    if (w->key) secret_free(w->key);
    if (w->lock_fd >= 0) close(w->lock_fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void apex_witness_vkey(const struct apex_witness *w, char vkey[static APEX_VKEY_MAX])
{
    struct witness_key k = {.key = w->public_key};
    char text[NOTE_VKEY_MAX] = "";
    memcpy(k.name, w->name, sizeof k.name);
    apex_status s = witness_key_write(&k, text);
    (void)s; /* the name was checked when the key was read */
    snprintf(vkey, APEX_VKEY_MAX, "%s", text);
}

static apex_status state_path(const struct apex_witness *w, const struct witnessed_log *log,
                              char path[static FULL_PATH_MAX], struct apex_error *error)
{
    char hex[33];
    uint8_t digest[32];
    merkle_digest(span_text(log->origin), digest);
    hex_write(span_of(digest, 16), hex);
    return home_file(w->home, "witness", hex, ".note", path, error);
}

/* The newest checkpoint of this log that was cosigned; size 0 and the empty root before. */
static apex_status state_load(const struct apex_witness *w, const struct witnessed_log *log,
                              struct checkpoint *c, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    BUFFER_CLEARED note = {0};
    *c = (struct checkpoint){0};
    merkle_empty(&c->root);
    TRY(state_path(w, log, path, error));
    apex_status s = file_load(path, NOTE_MAX, &note, error);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    return checkpoint_open(buffer_span(&note), log->origin, &log->key, c) == APEX_OK
               ? APEX_OK
               : apex_fail_path(error, APEX_E_UNTRUSTED, path, "is damaged",
                                "nothing was cosigned");
}

static apex_status body_parse(struct span body, struct submission *s)
{
    struct span line;
    TRY(note_line(&body, &line));
    if (line.len < 5 || memcmp(line.data, "old ", 4) != 0) return APEX_E_FORMAT;
    TRY(note_size_parse(span_of(line.data + 4, line.len - 4), &s->old_size));
    for (;;) {
        TRY(note_line(&body, &line));
        if (line.len == 0) break;
        if (s->proof.n == 63) return APEX_E_FORMAT;
        TRY(base64_parse(line, s->proof.hash[s->proof.n].bytes, MERKLE_HASH_LEN));
        s->proof.n++;
    }
    s->note = body;
    return checkpoint_parse_unverified(body, &s->checkpoint);
}

static struct witnessed_log *log_of(struct apex_witness *w, const char *origin)
{
    for (size_t i = 0; i < w->n_logs; i++)
        if (strcmp(w->logs[i].origin, origin) == 0) return &w->logs[i];
    return NULL;
}

static unsigned judged(const struct submission *s, const struct checkpoint *known)
{
    struct merkle_hash empty;
    merkle_empty(&empty);
    if (s->old_size > s->checkpoint.size) return 400;
    if (s->old_size != known->size) return 409;
    if (s->checkpoint.size == 0)
        return memcmp(&empty, &s->checkpoint.root, sizeof empty) == 0 && s->proof.n == 0 ? 200
                                                                                         : 422;
    if (s->old_size == 0) return s->proof.n == 0 ? 200 : 422;
    return merkle_check_consistency(known->size, &known->root, s->checkpoint.size,
                                    &s->checkpoint.root, &s->proof) == APEX_OK
               ? 200
               : 422;
}

static apex_status cosign(struct apex_witness *w, const struct submission *s,
                          struct buffer *reply, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    TRY(state_path(w, s->log, path, error));
    TRY(file_save(path, s->note, 0600, false, error));
    if (cosignature_make(s->note, w->name, w->key, wall_clock_ms() / 1000, reply) != APEX_OK)
        return apex_fail_memory(error);
    return APEX_OK;
}

static apex_status submitted(struct apex_witness *w, struct submission *s, unsigned *code,
                             struct buffer *reply, struct apex_error *error)
{
    struct checkpoint known;
    char size[24];
    TRY(state_load(w, s->log, &known, error));
    *code = judged(s, &known);
    if (*code == 200) return cosign(w, s, reply, error);
    snprintf(size, sizeof size, "%llu\n", (unsigned long long)known.size);
    if (*code == 409) buffer_text(reply, size);
    return buffer_ok(reply);
}

apex_status apex_witness_answer(struct apex_witness *w, const void *body, size_t len,
                                unsigned *code, char **reply, struct apex_error *error)
{
    struct submission s = {0};
    struct checkpoint signed_by_log;
    BUFFER_CLEARED text = {0};
    *code = 400;
    if (body_parse(span_of(body, len), &s) == APEX_OK) {
        s.log = log_of(w, s.checkpoint.origin);
        *code = !s.log ? 404
                : checkpoint_open(s.note, s.log->origin, &s.log->key, &signed_by_log) == APEX_OK
                    ? 200
                    : 403;
    }
    pthread_mutex_lock(&w->lock);
    apex_status status = *code == 200 ? submitted(w, &s, code, &text, error) : APEX_OK;
    pthread_mutex_unlock(&w->lock);
    if (status != APEX_OK) {
        *code = 500;
        return status;
    }
    buffer_u8(&text, 0);
    *reply = buffer_ok(&text) == APEX_OK ? strdup((const char *)text.data) : NULL;
    return *reply ? APEX_OK : apex_fail_memory(error);
}
