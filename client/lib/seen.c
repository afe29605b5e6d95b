/* The newest checkpoint of a log that this home has verified: HOME/checkpoints/<first 8 bytes
 * of the log key, hex>.note, a signed note. It only ever grows. Several processes may share a
 * home: each writes under a lock, and none puts an older note over a newer one. */
#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static const struct sign_public *log_key(const struct apex_node *node)
{
    return &verified_enclave_keys(node->enclave)->log;
}

static apex_status seen_path(const struct apex_node *node, const char *suffix,
                             char path[static FULL_PATH_MAX], struct apex_error *error)
{
    char hex[17];
    hex_write(span_of(log_key(node)->bytes, 8), hex);
    return home_file(node->home, "checkpoints", hex, suffix, path, error);
}

/* What the home holds: size 0 and the empty root before the first. `note` is filled with its
 * bytes. */
static apex_status note_load(const struct apex_node *node, const char *path,
                             struct checkpoint *c, struct buffer *note,
                             struct apex_error *error)
{
    *c = (struct checkpoint){0};
    merkle_empty(&c->root);
    apex_status s = file_load(path, NOTE_MAX, note, error);
    if (s == APEX_E_NOT_FOUND) return APEX_OK;
    TRY(s);
    if (checkpoint_open(buffer_span(note), node->origin, log_key(node), c) == APEX_OK)
        return APEX_OK;
    char what[240];
    snprintf(what, sizeof what, "the remembered checkpoint of this log is damaged: %.150s",
             path);
    return apex_fail(error, APEX_E_UNTRUSTED, what, "nothing was sent",
                     "restore that file from a backup; without it a rollback could pass unseen",
                     "you");
}

apex_status seen_load(struct apex_node *node, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    buffer_clear(&node->note);
    TRY(seen_path(node, ".note", path, error));
    return note_load(node, path, &node->seen, &node->note, error);
}

/* Under the lock. What another process has written since may be newer; it is then the one to
 * keep. */
static apex_status note_keep(const struct apex_node *node, const char *path,
                             struct apex_error *error)
{
    struct checkpoint kept;
    BUFFER_CLEARED note = {0};
    TRY(note_load(node, path, &kept, &note, error));
    if (kept.size == node->seen.size && memcmp(kept.root.bytes, node->seen.root.bytes, 32) != 0)
        return apex_fail(error, APEX_E_UNTRUSTED,
                         "the node has signed two logs of one length: it was forked",
                         "nothing of it was used",
                         "trust nothing from this node; show this to an auditor",
                         "the operator");
    if (kept.size >= node->seen.size) return APEX_OK;
    return file_save(path, buffer_span(&node->note), 0600, false, error);
}

static apex_status seen_save(const struct apex_node *node, struct apex_error *error)
{
    char path[FULL_PATH_MAX], lock[FULL_PATH_MAX];
    TRY(seen_path(node, ".note", path, error));
    TRY(seen_path(node, ".lock", lock, error));
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return apex_fail_path(error, APEX_E_IO, lock, "cannot be opened",
                              "the log's newest checkpoint was not remembered");
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        continue;
    apex_status s = note_keep(node, path, error);
    close(fd);
    return s;
}

static apex_status forged(struct apex_error *e, const char *what)
{
    return apex_fail(e, APEX_E_UNTRUSTED, what, "nothing of it was used",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

apex_status seen_advance(struct apex_node *node, const struct wire_proof *proof,
                         struct apex_error *error)
{
    struct checkpoint c;
    struct merkle_proof p;
    if (checkpoint_open(proof->note, node->origin, log_key(node), &c) != APEX_OK)
        return forged(error, "the log's checkpoint is not signed by its key");
    proof_hashes(proof->consistency, proof->n_consistency, &p);
    if (merkle_check_consistency(node->seen.size, &node->seen.root, c.size, &c.root, &p) !=
        APEX_OK)
        return forged(error, "the log does not contain the checkpoint seen before: it was "
                             "rolled back or forked");
    if (c.size == node->seen.size) return APEX_OK;
    buffer_clear(&node->note);
    buffer_append(&node->note, proof->note);
    if (buffer_ok(&node->note) != APEX_OK) return apex_fail_memory(error);
    node->seen = c;
    return seen_save(node, error);
}

void proof_hashes(const uint8_t hashes[][32], size_t n, struct merkle_proof *p)
{
    p->n = n;
    for (size_t i = 0; i < n; i++)
        memcpy(p->hash[i].bytes, hashes[i], 32);
}
