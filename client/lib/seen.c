/* The newest checkpoint of a log that this home has verified: HOME/checkpoints/<first 8 bytes
 * of the log key, hex>.note, a signed note. It only ever grows: each one contains the one it
 * replaces. Several processes may share a home, and the node may show each another branch.
 *
 *     load -> is it ours? done
 *          -> is it what ours is proven to contain? put ours there (compare and swap, locked)
 *          -> else another process's: ask the node to prove that both are of one log, without
 *             the lock; the larger is ours from then on; load again
 *
 * Two that are not of one log are a fork: the other note is kept beside, as .fork. */
#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES_MAX = 100 }; /* each is another's step forward: the log's, or another process's */

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

static bool same_head(const struct checkpoint *a, const struct checkpoint *b)
{
    return a->size == b->size && memcmp(a->root.bytes, b->root.bytes, 32) == 0;
}

/* Puts our note where the kept one is, if that is the one that ours is proven to contain.
 * *kept: what is there now. */
static apex_status note_swap(const struct apex_node *node, const struct checkpoint *proven,
                             const struct checkpoint *ours, const struct buffer *our_note,
                             struct checkpoint *kept, struct buffer *note,
                             struct apex_error *error)
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
    buffer_clear(note);
    apex_status s = note_load(node, path, kept, note, error);
    if (s == APEX_OK && same_head(kept, proven) && !same_head(kept, ours)) {
        s = file_save(path, buffer_span(our_note), 0600, false, error);
        *kept = *ours;
    }
    close(fd);
    return s;
}

static apex_status forged(struct apex_error *e, const char *what)
{
    return apex_fail(e, APEX_E_UNTRUSTED, what, "nothing of it was used",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

static apex_status forked(const struct apex_node *node, struct span note,
                          struct apex_error *error)
{
    char path[FULL_PATH_MAX], next[sizeof error->next];
    apex_status s = seen_path(node, ".fork", path, error);
    if (s == APEX_OK) s = file_save(path, note, 0600, false, error);
    if (s == APEX_OK)
        snprintf(
            next, sizeof next,
            "trust nothing from this node; show an auditor its two checkpoints: %.170s and "
            ".note beside it",
            path);
    else
        snprintf(next, sizeof next,
                 "trust nothing from this node; show this to an auditor (the second checkpoint "
                 "could not be kept)");
    return apex_fail(error, APEX_E_UNTRUSTED,
                     "the node has shown this home two logs that are not one: it was forked",
                     "nothing of it was used", next, "the operator");
}

static apex_status head_open(const struct apex_node *node, const struct wire_proof *proof,
                             struct checkpoint *c, struct apex_error *error)
{
    return checkpoint_open(proof->note, node->origin, log_key(node), c) == APEX_OK
               ? APEX_OK
               : forged(error, "the log's checkpoint is not signed by its key");
}

static bool contains(const struct checkpoint *c, const struct checkpoint *old,
                     const struct wire_proof *proof)
{
    struct merkle_proof p;
    proof_hashes(proof->consistency, proof->n_consistency, &p);
    return merkle_check_consistency(old->size, &old->root, c->size, &c->root, &p) == APEX_OK;
}

/* The log's head and the proof that it contains `old`, unchecked; body lends from `bytes`. */
static apex_status prove(struct apex_node *node, const struct checkpoint *old,
                         struct buffer *bytes, struct reply *reply, struct body_prove *body,
                         struct apex_error *error)
{
    BUFFER_CLEARED query = {0};
    struct query q = {.old_size = old->size};
    random_bytes(q.nonce, sizeof q.nonce);
    memcpy(q.old_root, old->root.bytes, 32);
    query_write(MESSAGE_PROVE, &q, &query);
    TRY(node_message(node, MESSAGE_PROVE, buffer_span(&query), bytes, reply, error));
    return body_prove_parse(reply->body, body) == APEX_OK
               ? APEX_OK
               : forged(error, "the proof is not of the agreed form");
}

/* Leads `c` on to the log's head; *led false: the log does not contain it. */
static apex_status lead_on(struct apex_node *node, struct checkpoint *c, bool *led,
                           struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply reply = {0};
    struct checkpoint head;
    struct body_prove *body = calloc(1, sizeof *body);
    if (!body) return apex_fail_memory(error);
    apex_status s = prove(node, c, &bytes, &reply, body, error);
    if (s == APEX_OK) s = head_open(node, &body->proof, &head, error);
    *led = s == APEX_OK && contains(&head, c, &body->proof);
    if (*led) *c = head;
    free(body);
    return reply.code == REFUSAL_UNKNOWN_CHECKPOINT ? APEX_OK : s;
}

/* Two checkpoints that the log's key has signed are of one log if they lead to one head: the
 * one behind is led on until they meet. A head behind what was signed before is none of this
 * log. */
static apex_status same_log(struct apex_node *node, struct checkpoint a, struct checkpoint b,
                            bool *same, struct apex_error *error)
{
    *same = false;
    for (unsigned tries = 0; a.size != b.size; tries++) {
        struct checkpoint *behind = a.size < b.size ? &a : &b, *ahead = behind == &a ? &b : &a;
        bool led;
        if (tries == TRIES_MAX)
            return apex_fail(error, APEX_E_UNREACHABLE,
                             "the log grew at every question whether it is one",
                             "nothing of it was used", "try again", "you");
        TRY(lead_on(node, behind, &led, error));
        if (!led || behind->size < ahead->size) return APEX_OK;
    }
    *same = same_head(&a, &b);
    return APEX_OK;
}

/* `c`, proven to contain what was seen, becomes what is seen and kept; or what another process
 * has kept does, if it is the larger one. */
static apex_status seen_keep(struct apex_node *node, struct checkpoint *c, struct buffer *note,
                             struct apex_error *error)
{
    struct checkpoint kept, proven = node->seen;
    BUFFER_CLEARED other = {0};
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        bool same;
        TRY(note_swap(node, &proven, c, note, &kept, &other, error));
        if (same_head(&kept, c)) return APEX_OK;
        TRY(same_log(node, kept, *c, &same, error));
        if (!same) return forked(node, buffer_span(note), error);
        proven = kept;
        if (kept.size < c->size) continue;
        struct buffer ours = *note;
        *note = other;
        other = ours;
        *c = kept;
    }
    return apex_fail(error, APEX_E_UNREACHABLE,
                     "other commands on this home never let it remember the log's checkpoint",
                     "the checkpoint was not remembered", "try again", "you");
}

apex_status seen_advance(struct apex_node *node, const struct wire_proof *proof,
                         struct apex_error *error)
{
    struct checkpoint c;
    BUFFER_CLEARED note = {0};
    TRY(head_open(node, proof, &c, error));
    if (!contains(&c, &node->seen, proof))
        return forged(error, "the log does not contain the checkpoint seen before: it was "
                             "rolled back or forked");
    buffer_append(&note, proof->note);
    if (buffer_ok(&note) != APEX_OK) return apex_fail_memory(error);
    TRY(seen_keep(node, &c, &note, error));
    buffer_clear(&node->note);
    node->note = note;
    note = (struct buffer){0};
    node->seen = c;
    return APEX_OK;
}

apex_status seen_agrees(struct apex_node *node, const struct wire_proof *proof,
                        struct apex_error *error)
{
    struct checkpoint c;
    bool same;
    TRY(head_open(node, proof, &c, error));
    if (c.size < node->seen.size)
        return forged(error, "the node answers from an older log than the one seen before: it "
                             "was rolled back");
    TRY(same_log(node, c, node->seen, &same, error));
    return same ? APEX_OK : forked(node, proof->note, error);
}

apex_status node_refresh(struct apex_node *node, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply reply = {0};
    struct body_prove *body = calloc(1, sizeof *body);
    if (!body) return apex_fail_memory(error);
    apex_status s = prove(node, &node->seen, &bytes, &reply, body, error);
    if (s == APEX_OK) s = seen_advance(node, &body->proof, error);
    free(body);
    return s;
}

void proof_hashes(const uint8_t hashes[][32], size_t n, struct merkle_proof *p)
{
    p->n = n;
    for (size_t i = 0; i < n; i++)
        memcpy(p->hash[i].bytes, hashes[i], 32);
}
