#include "client/lib/node.h"

#include "client/lib/show.h"
#include "client/lib/trust_facts.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/merkle/note.h"
#include "common/wire/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DETAIL_MAX = 512 };

uint64_t wall_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static apex_status distrust(struct apex_error *e, const char *what)
{
    return apex_fail(e, APEX_E_UNTRUSTED, what, "nothing of it was used",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

void verdict_copy(const struct verdict *from, const struct enclave_keys *keys,
                  const char *origin, struct apex_verdict *to)
{
    *to = (struct apex_verdict){
        .genuine = from->genuine, .acceptable = from->acceptable, .simulated = from->simulated};
    text_tame(from->tee, to->tee, sizeof to->tee);
    text_tame(from->product, to->product, sizeof to->product);
    snprintf(to->reason, sizeof to->reason, "%s", reason_name(from->reason));
    hex_write(span_of(from->measurement, from->measurement_len), to->measurement);
    text_tame(origin, to->origin, sizeof to->origin);
    hex_write(SPAN(keys->log.bytes), to->log_key);
    text_tame(from->sentence, to->sentence, sizeof to->sentence);
    for (size_t i = 0; i < from->n_checks && i < sizeof to->checks / sizeof *to->checks; i++) {
        struct apex_check *c = &to->checks[to->n_checks++];
        snprintf(c->name, sizeof c->name, "%s", from->checks[i].name);
        text_tame(from->checks[i].detail, c->detail, sizeof c->detail);
        c->result = from->checks[i].result == CHECK_PASS   ? 1
                    : from->checks[i].result == CHECK_FAIL ? 0
                                                           : -1;
    }
    facts_fill(from, to);
}

/* *other: whether another enclave than `identity` signed it. */
static apex_status reply_check(struct span bytes, struct span message,
                               const struct sign_public *identity, struct reply *reply,
                               bool *other, struct apex_error *error)
{
    struct cose cose;
    uint8_t digest[32];
    *other = false;
    if (bytes.len == 0)
        return apex_fail(error, APEX_E_UNREACHABLE, "the enclave is too busy to answer",
                         "nothing was recorded as far as is known; trying again is safe",
                         "try again later", "the operator");
    if (cose_open(bytes, SPAN_TEXT(REPLY_AAD), &cose) != APEX_OK)
        return distrust(error, "the reply is not signed as it should be");
    *other = identity && memcmp(cose.kid, identity->bytes, 32) != 0;
    if (*other)
        return apex_fail(error, APEX_E_UNREACHABLE,
                         "the reply is signed by another enclave than the one attested: it may "
                         "have been started anew",
                         "nothing was recorded as far as is known",
                         "try again; it will be attested again", "the operator");
    if (reply_parse(cose.payload, reply) != APEX_OK)
        return distrust(error, "the reply is not of the agreed form");
    sha256(message, digest);
    if (memcmp(digest, reply->message_digest, 32) != 0)
        return distrust(error, "the reply answers another message");
    return APEX_OK;
}

static apex_status message_post(struct http *http, enum message_type type, struct span body,
                                struct buffer *message, struct buffer *bytes,
                                struct apex_error *error)
{
    message_write(type, body, message);
    if (buffer_ok(message) != APEX_OK) return apex_fail_memory(error);
    return http_post(http, "/message", buffer_span(message), REPLY_MAX, bytes, error);
}

apex_status node_ask(struct http *http, enum message_type type, struct span body,
                     struct buffer *bytes, struct reply *reply, struct sign_public *signer,
                     struct apex_error *error)
{
    BUFFER_CLEARED message = {0};
    struct cose cose;
    bool other;
    TRY(message_post(http, type, body, &message, bytes, error));
    TRY(reply_check(buffer_span(bytes), buffer_span(&message), NULL, reply, &other, error));
    TRY(cose_open(buffer_span(bytes), SPAN_TEXT(REPLY_AAD), &cose));
    memcpy(signer->bytes, cose.kid, sizeof signer->bytes);
    return APEX_OK;
}

static apex_status attest_body(struct http *http, struct buffer *bytes, struct reply *reply,
                               struct body_attest *body, struct apex_error *error)
{
    BUFFER_CLEARED query = {0};
    struct query q = {0};
    struct sign_public signer;
    random_bytes(q.nonce, sizeof q.nonce);
    query_write(MESSAGE_ATTEST, &q, &query);
    TRY(node_ask(http, MESSAGE_ATTEST, buffer_span(&query), bytes, reply, &signer, error));
    if (reply->code == REFUSAL_NO_ROOT)
        return apex_fail_refusal(error, reply->status, reply->code, "");
    if (reply->status != APEX_OK || body_attest_parse(reply->body, body) != APEX_OK)
        return distrust(error, "the node's evidence is not of the agreed form");
    /* Signed by the very identity that the evidence must bind. */
    if (memcmp(signer.bytes, body->identity, 32) != 0)
        return distrust(error, "the evidence was sent by one whom it does not name");
    return APEX_OK;
}

/* It stands on screens, in policies and in notes: printable ASCII that needs no quoting, and a
 * note's key name (c2sp.org/signed-note). */
static bool origin_valid(struct span origin)
{
    if (!note_name_valid(origin)) return false;
    for (size_t i = 0; i < origin.len; i++)
        if (origin.data[i] >= 0x7f || origin.data[i] == '"' || origin.data[i] == '\\')
            return false;
    return true;
}

apex_status node_evidence(struct http *http, struct buffer *evidence, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply reply;
    struct body_attest *body = calloc(1, sizeof *body);
    if (!body) return apex_fail_memory(error);
    apex_status s = attest_body(http, &bytes, &reply, body, error);
    if (s == APEX_OK) buffer_append(evidence, body->evidence);
    free(body);
    if (s == APEX_OK && buffer_ok(evidence) != APEX_OK) s = apex_fail_memory(error);
    return s;
}

apex_status node_attest(struct http *http, const struct trust_policy *policy,
                        struct verdict *verdict, struct enclave_keys *keys,
                        char origin[static ORIGIN_MAX + 1], struct verified_enclave **enclave,
                        struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply reply;
    struct body_attest *body = calloc(1, sizeof *body);
    if (!body) return apex_fail_memory(error);
    apex_status s = attest_body(http, &bytes, &reply, body, error);
    if (s == APEX_OK && !origin_valid(body->origin))
        s = distrust(error, "the log's name is not one that a log may have");
    if (s == APEX_OK) {
        memcpy(keys->identity.bytes, body->identity, 32);
        memcpy(keys->identity_seal.bytes, body->identity_seal, 32);
        memcpy(keys->log.bytes, body->log_key, 32);
        memcpy(keys->chain.bytes, body->chain_key, sizeof keys->chain.bytes);
        memcpy(origin, body->origin.data, body->origin.len);
        origin[body->origin.len] = 0;
        s = attest_verify(body->evidence, keys, policy, wall_clock_ms(), verdict, enclave);
        if (s == APEX_E_UNTRUSTED && (policy || !verdict->genuine))
            s = apex_fail(error, s, verdict->sentence, "nothing was sent to it",
                          "see `apex trust check` for every check by name", "the operator");
        else if (s == APEX_E_UNTRUSTED)
            s = APEX_OK; /* genuine, and no policy was asked */
    }
    free(body);
    return s;
}

/* Asks for evidence and takes the enclave it names, if the policy accepts it and it keeps the
 * same log. */
static apex_status node_meet(struct apex_node *node, struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    struct verified_enclave *enclave = NULL;
    struct enclave_keys keys;
    char origin[ORIGIN_MAX + 1];
    struct verdict *verdict = calloc(1, sizeof *verdict);
    if (!verdict) return apex_fail_memory(error);
    apex_status s = trust_load(node->home, &policy, error);
    if (s == APEX_OK)
        s = node_attest(node->http, policy, verdict, &keys, origin, &enclave, error);
    if (s == APEX_OK && trust_policy_log(policy, origin, &keys.log) == APEX_E_UNTRUSTED)
        s = distrust(
            error,
            "this node keeps another log than the trust policy names: its state was replaced");
    if (s == APEX_OK && node->enclave &&
        (memcmp(verified_enclave_keys(node->enclave)->log.bytes, keys.log.bytes, 32) != 0 ||
         strcmp(node->origin, origin) != 0))
        s = distrust(error,
                     "this node keeps another log than a moment ago: its state was replaced");
    if (s == APEX_OK) {
        verified_enclave_free(node->enclave);
        node->enclave = enclave;
        snprintf(node->origin, sizeof node->origin, "%s", origin);
        verdict_copy(verdict, &keys, origin, &node->verdict);
    } else
        verified_enclave_free(enclave);
    trust_policy_free(policy);
    free(verdict);
    return s;
}

apex_status node_message(struct apex_node *node, enum message_type type, struct span body,
                         struct buffer *bytes, struct reply *reply, struct apex_error *error)
{
    BUFFER_CLEARED message = {0};
    char detail[256];
    bool other;
    TRY(message_post(node->http, type, body, &message, bytes, error));
    apex_status s =
        reply_check(buffer_span(bytes), buffer_span(&message),
                    &verified_enclave_keys(node->enclave)->identity, reply, &other, error);
    if (other) { /* started anew, or another of the same node: met like the first, and asked
                    again */
        buffer_clear(bytes);
        TRY(node_meet(node, error));
        TRY(http_post(node->http, "/message", buffer_span(&message), REPLY_MAX, bytes, error));
        s = reply_check(buffer_span(bytes), buffer_span(&message),
                        &verified_enclave_keys(node->enclave)->identity, reply, &other, error);
    }
    TRY(s);
    if (reply->status == APEX_OK) return APEX_OK;
    snprintf(detail, sizeof detail, "%.*s",
             (int)(reply->detail.len < 200 ? reply->detail.len : 200),
             reply->detail.len ? (const char *)reply->detail.data : "");
    return apex_fail_refusal(error, reply->status, reply->code, detail);
}

static apex_status entry_is_act(struct span entry_bytes, uint64_t index, struct span act,
                                const struct apex_node *node)
{
    struct cose cose;
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return APEX_E_MEMORY;
    apex_status s = cose_open(entry_bytes, SPAN_TEXT(ENTRY_AAD), &cose);
    if (s == APEX_OK) s = entry_parse(cose.payload, e);
    if (s == APEX_OK &&
        (e->index != index || !span_equal(e->act, act) ||
         memcmp(cose.kid, verified_enclave_keys(node->enclave)->identity.bytes, 32) != 0))
        s = APEX_E_UNTRUSTED;
    free(e);
    return s;
}

/* In the log of the reply's own checkpoint: what is seen may be another process's newer one. */
static bool act_in_log(const struct apex_node *node, struct span act,
                       const struct body_act *body)
{
    struct checkpoint c;
    struct merkle_hash leaf;
    struct merkle_proof p;
    merkle_leaf(body->entry, &leaf);
    proof_hashes(body->proof.inclusion, body->proof.n_inclusion, &p);
    return checkpoint_open(body->proof.note, node->origin,
                           &verified_enclave_keys(node->enclave)->log, &c) == APEX_OK &&
           entry_is_act(body->entry, body->index, act, node) == APEX_OK &&
           merkle_check_inclusion(&leaf, body->index, c.size, &p, &c.root) == APEX_OK;
}

static apex_status act_reply_check(struct apex_node *node, struct span act,
                                   const struct reply *reply, uint64_t *index,
                                   struct apex_error *error)
{
    struct body_act *body = calloc(1, sizeof *body);
    if (!body) return apex_fail_memory(error);
    apex_status s = body_act_parse(reply->body, body) == APEX_OK
                        ? seen_advance(node, &body->proof, error)
                        : distrust(error, "the reply's proof is not of the agreed form");
    if (s != APEX_E_UNTRUSTED && !act_in_log(node, act, body))
        s = distrust(error, "the act is not in the log as the reply says");
    if (s != APEX_OK && s != APEX_E_UNTRUSTED)
        snprintf(error->not_done, sizeof error->not_done,
                 "but the act itself is in the log, as entry %llu",
                 (unsigned long long)body->index);
    *index = body->index;
    free(body);
    return s;
}

static apex_status act_sign(const struct apex_node *node, const struct apex_identity *identity,
                            struct act *act, struct buffer *cose)
{
    BUFFER_CLEARED payload = {0};
    act->time_ms = wall_clock_ms();
    random_bytes(act->nonce, sizeof act->nonce);
    act->seen_size = node->seen.size;
    memcpy(act->seen_root, node->seen.root.bytes, 32);
    act_write(act, &payload);
    TRY(buffer_ok(&payload));
    return cose_sign(&identity->sign, SPAN_TEXT(ACT_AAD), buffer_span(&payload), cose);
}

/* Every act has a fresh nonce, so "replayed" means that this one took effect and its answer was
 * lost on the way: the entry is looked up and held against what was sent. */
static apex_status replayed(struct apex_node *node, struct span act, const struct reply *reply,
                            uint64_t *index, struct apex_error *error)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)(reply->detail.len < 24 ? reply->detail.len : 24),
             reply->detail.len ? (const char *)reply->detail.data : "");
    *index = strtoull(text, NULL, 10);
    TRY(node_refresh(node, error));
    TRY(node_mirror(node, error));
    struct cose cose;
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return apex_fail_memory(error);
    bool same = *index < node->mirror.n &&
                cose_open(buffer_span(&node->mirror.entries[*index]), SPAN_TEXT(ENTRY_AAD),
                          &cose) == APEX_OK &&
                entry_parse(cose.payload, e) == APEX_OK && span_equal(e->act, act);
    free(e);
    return same ? APEX_OK
                : distrust(error, "the node says the act is in the log, but it is not");
}

/* What may name a row comes sealed to its author; it goes into the error's first sentence. */
static void detail_open(const struct apex_identity *identity, const struct act *act,
                        const struct reply *reply, struct apex_error *error)
{
    uint8_t info[INFO_MAX], text[DETAIL_MAX] = {0};
    char what[sizeof error->what];
    size_t info_len = seal_info("apex/detail/v1", act->address, (struct span){0}, info);
    if (reply->sealed.len <= HPKE_OVERHEAD || reply->sealed.len - HPKE_OVERHEAD >= sizeof text)
        return;
    if (hpke_open(&identity->seal, span_of(info, info_len), (struct span){0}, reply->sealed,
                  text) != APEX_OK)
        return;
    snprintf(what, sizeof what, "%.100s: %.120s", error->what, (const char *)text);
    text_tame(what, error->what, sizeof error->what);
    wipe(text, sizeof text);
    wipe(what, sizeof what);
}

apex_status node_act(struct apex_node *node, const struct apex_identity *identity,
                     struct act *act, uint64_t *index, struct apex_error *error)
{
    BUFFER_CLEARED cose = {0};
    apex_status s = act_sign(node, identity, act, &cose);
    if (s != APEX_OK) return apex_fail_memory(error);
    for (unsigned tries = 0;; tries++) {
        BUFFER_CLEARED bytes = {0};
        struct reply reply = {0};
        s = node_message(node, MESSAGE_ACT, buffer_span(&cose), &bytes, &reply, error);
        if (s == APEX_OK)
            return act_reply_check(node, buffer_span(&cose), &reply, index, error);
        if (reply.code == REFUSAL_REPLAYED)
            return replayed(node, buffer_span(&cose), &reply, index, error);
        detail_open(identity, act, &reply, error);
        if (s != APEX_E_UNREACHABLE || tries == 2) return s;
        struct timespec pause = {0, 300000000L};
        nanosleep(&pause, NULL);
    }
}

static apex_status node_fill(struct apex_node *node, const char *url, struct apex_error *error)
{
    TRY(http_open(url, &node->http, error));
    TRY(node_meet(node, error));
    TRY(seen_load(node, error));
    return node_refresh(node, error);
}

apex_status apex_node_open(struct apex_home *home, const char *url, struct apex_node **node,
                           struct apex_error *error)
{
    struct apex_node *n = calloc(1, sizeof *n);
    if (!n) return apex_fail_memory(error);
    n->home = home;
    snprintf(n->url, sizeof n->url, "%.500s", url);
    apex_status s = node_fill(n, url, error);
    if (s != APEX_OK) {
        apex_node_close(n);
        return s;
    }
    *node = n;
    return APEX_OK;
}

void apex_node_close(struct apex_node *node)
{
    if (!node) return;
    mirror_clear(&node->mirror);
    buffer_clear(&node->note);
    verified_enclave_free(node->enclave);
    http_close(node->http);
    free(node);
}

bool apex_node_simulated(const struct apex_node *node)
{
    return node->verdict.simulated;
}
const struct apex_verdict *apex_node_verdict(const struct apex_node *node)
{
    return &node->verdict;
}
