#include "enclave/core/hand_over.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/ct.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "enclave/core/transcript.h"

#include <stdio.h>
#include <stdlib.h>

struct hand_over {
    struct trust_policy *same, *peers; /* peers NULL: none */
    uint8_t policy[HASH_LEN];          /* of both texts: what goes on record */
    struct {
        bool open;
        uint8_t nonce[32];
    } nonces[NONCES]; /* the giver's; the core's lock guards them */
    size_t next_nonce;
    bool joined; /* the newcomer's */
    struct peer_hello giver;
    uint8_t transcript[HASH_LEN];
};

/* "The same code as mine": the machine's own kind and measurement, whatever those are, under
 * the strict rules of its kind. */
static apex_status same_policy(const struct tee *tee, struct buffer *text)
{
    char hex[2 * MEASUREMENT_MAX + 1];
    hex_write(tee_measurement(tee), hex);
    buffer_text(text, "{\"apex\": 1, \"accept\": [{\"tee\": \"");
    buffer_text(text, tee_kind(tee));
    buffer_text(text, "\", \"measurements\": [\"");
    buffer_text(text, hex);
    buffer_text(text, "\"]");
    if (tee_threads_share(tee)) buffer_text(text, ", \"snp\": {\"allow\": [\"smt\"]}");
    buffer_text(text, "}], \"distrust\": []}");
    return buffer_ok(text);
}

apex_status hand_over_new(const struct tee *tee, struct span peers, struct hand_over **h)
{
    BUFFER_CLEARED text = {0};
    struct hand_over *made = calloc(1, sizeof *made);
    if (!made) return APEX_E_MEMORY;
    apex_status s = same_policy(tee, &text);
    if (s == APEX_OK) s = trust_policy_parse(buffer_span(&text), &made->same, NULL);
    if (s == APEX_OK && peers.len > 0) s = trust_policy_parse(peers, &made->peers, NULL);
    buffer_append(&text, peers);
    if (s == APEX_OK) s = buffer_ok(&text);
    if (s != APEX_OK) {
        hand_over_free(made);
        return s;
    }
    sha256(buffer_span(&text), made->policy);
    *h = made;
    return APEX_OK;
}

void hand_over_free(struct hand_over *h)
{
    if (!h) return;
    trust_policy_free(h->same);
    trust_policy_free(h->peers);
    free(h);
}

/* The first check that failed, in words: all of it is public. */
static void verdict_tell(const struct verdict *v, struct outcome *out)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (v->checks[i].result == CHECK_FAIL) {
            snprintf(out->detail, sizeof out->detail, "%.40s: %.110s", v->checks[i].name,
                     v->checks[i].detail);
            return;
        }
    snprintf(out->detail, sizeof out->detail,
             "it does not run the same code, or runs it on older firmware");
}

static enum refusal judge(const struct core *core, struct span evidence,
                          const struct enclave_keys *keys, struct outcome *out)
{
    const struct hand_over *h = core->hand_over;
    struct verdict *v = malloc(sizeof *v);
    if (!v) return REFUSAL_INTERNAL;
    bool fine = attest_verify(evidence, keys, h->same, clock_ms(), v, NULL) == APEX_OK &&
                tee_is_like(core->tee, evidence) == APEX_OK;
    if (!fine && h->peers)
        fine = attest_verify(evidence, keys, h->peers, clock_ms(), v, NULL) == APEX_OK;
    if (!fine) verdict_tell(v, out);
    free(v);
    return fine ? REFUSAL_NONE : REFUSAL_PEER;
}

static void hello_fill(const struct core *core, struct peer_hello *h)
{
    const struct enclave_keys *k = &core->keys->public_keys;
    h->evidence = buffer_span(&core->evidence);
    memcpy(h->identity, k->identity.bytes, 32);
    memcpy(h->identity_seal, k->identity_seal.bytes, 32);
    memcpy(h->log_key, k->log.bytes, 32);
    memcpy(h->chain_key, k->chain.bytes, sizeof h->chain_key);
}

enum refusal hand_over_hello(struct core *core, struct outcome *out)
{
    struct hand_over *h = core->hand_over;
    struct peer_hello hello = {0};
    random_bytes(hello.nonce, sizeof hello.nonce);
    pthread_mutex_lock(&core->lock);
    size_t at = h->next_nonce++ % NONCES;
    h->nonces[at].open = true;
    memcpy(h->nonces[at].nonce, hello.nonce, sizeof hello.nonce);
    hello_fill(core, &hello);
    peer_hello_write(&hello, &out->body);
    pthread_mutex_unlock(&core->lock);
    return buffer_ok(&out->body) == APEX_OK ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

/* Used up by being shown, whatever comes of it. */
static bool nonce_use(struct core *core, const uint8_t nonce[static 32])
{
    struct hand_over *h = core->hand_over;
    bool found = false;
    pthread_mutex_lock(&core->lock);
    for (size_t i = 0; i < NONCES; i++)
        if (h->nonces[i].open && memcmp(h->nonces[i].nonce, nonce, 32) == 0) {
            h->nonces[i].open = false;
            found = true;
        }
    pthread_mutex_unlock(&core->lock);
    return found;
}

/* Evidence that was renewed since the greeting makes another transcript: then it is begun anew.
 */
static apex_status transcript_ours(struct core *core, struct peer_hello *us,
                                   const struct peer_offer *o,
                                   uint8_t transcript[static HASH_LEN])
{
    pthread_mutex_lock(&core->lock);
    us->evidence = buffer_span(&core->evidence);
    apex_status s = transcript_make(us, o, transcript);
    pthread_mutex_unlock(&core->lock);
    return s;
}

static enum refusal offer_judge(struct core *core, const struct peer_offer *o,
                                uint8_t transcript[static HASH_LEN], struct outcome *out)
{
    struct enclave_keys keys = {0}; /* a newcomer has neither log nor chain key */
    struct sign_public signer;
    struct peer_hello us = {0};
    BUFFER_CLEARED text = {0};
    hello_fill(core, &us);
    memcpy(us.nonce, o->giver_nonce, sizeof us.nonce);
    memcpy(keys.identity.bytes, o->identity, 32);
    memcpy(keys.identity_seal.bytes, o->identity_seal, 32);
    memcpy(signer.bytes, o->identity, 32);
    if (memcmp(o->identity, us.identity, 32) == 0) return REFUSAL_PEER;
    if (transcript_ours(core, &us, o, transcript) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    transcript_newcomer(transcript, &text);
    if (buffer_ok(&text) != APEX_OK) return REFUSAL_INTERNAL;
    if (sign_check(&signer, buffer_span(&text), o->signature) != APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    return judge(core, o->evidence, &keys, out);
}

/* On record, and kept, before the secret leaves. Lock held. */
static enum refusal record(struct core *core, const struct peer_offer *o, uint64_t *index)
{
    const uint8_t nobody[32] = {0};
    BUFFER_CLEARED cose = {0};
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return REFUSAL_INTERNAL;
    e->kind = ENTRY_ENCLAVE;
    e->evidence = o->evidence;
    memcpy(e->identity, o->identity, 32);
    memcpy(e->identity_seal, o->identity_seal, 32);
    e->admitted = true;
    memcpy(e->peer_policy, core->hand_over->policy, HASH_LEN);
    apex_status s = core_append(core, e, NULL, nobody, (struct span){0}, &cose);
    *index = e->index;
    free(e);
    return s == APEX_OK ? REFUSAL_NONE : REFUSAL_STORAGE;
}

static enum refusal grant_make(struct core *core, const struct peer_offer *o,
                               const uint8_t transcript[static HASH_LEN], struct peer_grant *g)
{
    uint8_t info[TRANSCRIPT_INFO_MAX];
    struct seal_public to;
    BUFFER_CLEARED text = {0};
    size_t len = transcript_info(transcript, info);
    memcpy(to.bytes, o->identity_seal, sizeof to.bytes);
    memcpy(g->giver_nonce, o->giver_nonce, sizeof g->giver_nonce);
    if (hpke_seal(&to, span_of(info, len), (struct span){0}, SPAN(core->keys->root.bytes),
                  g->sealed) != APEX_OK)
        return REFUSAL_PEER; /* a key of small order */
    transcript_giver(transcript, g, &text);
    if (buffer_ok(&text) != APEX_OK) return REFUSAL_INTERNAL;
    sign_bytes(&core->keys->identity, buffer_span(&text), g->signature);
    return REFUSAL_NONE;
}

enum refusal hand_over_admit(struct core *core, struct span offer, struct outcome *out)
{
    struct peer_offer o;
    struct peer_grant g = {0};
    uint8_t transcript[HASH_LEN];
    if (peer_offer_parse(offer, &o) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    if (!nonce_use(core, o.giver_nonce)) return REFUSAL_REPLAYED;
    enum refusal no = offer_judge(core, &o, transcript, out);
    if (no != REFUSAL_NONE) return no;
    pthread_mutex_lock(&core->lock);
    no = record(core, &o, &g.index);
    g.note = buffer_span(&core->note);
    if (no == REFUSAL_NONE) no = grant_make(core, &o, transcript, &g);
    if (no == REFUSAL_NONE) peer_grant_write(&g, &out->body);
    pthread_mutex_unlock(&core->lock);
    if (no == REFUSAL_NONE && buffer_ok(&out->body) != APEX_OK) no = REFUSAL_INTERNAL;
    return no;
}

static enum refusal hello_judge(const struct core *core, const struct peer_hello *g,
                                struct outcome *out)
{
    struct enclave_keys keys;
    memcpy(keys.identity.bytes, g->identity, 32);
    memcpy(keys.identity_seal.bytes, g->identity_seal, 32);
    memcpy(keys.log.bytes, g->log_key, 32);
    memcpy(keys.chain.bytes, g->chain_key, sizeof keys.chain.bytes);
    if (memcmp(g->identity, core->keys->public_keys.identity.bytes, 32) == 0 ||
        ct_is_zero(g->log_key, sizeof g->log_key)) {
        snprintf(out->detail, sizeof out->detail, "it has no root secret to give");
        return REFUSAL_PEER;
    }
    return judge(core, g->evidence, &keys, out);
}

enum refusal hand_over_join(struct core *core, struct span hello, struct outcome *out)
{
    struct hand_over *h = core->hand_over;
    struct peer_hello g;
    struct peer_offer o = {.evidence = buffer_span(&core->evidence)};
    BUFFER_CLEARED text = {0};
    if (peer_hello_parse(hello, &g) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    enum refusal no = hello_judge(core, &g, out);
    if (no != REFUSAL_NONE) return no;
    memcpy(o.identity, core->keys->public_keys.identity.bytes, 32);
    memcpy(o.identity_seal, core->keys->public_keys.identity_seal.bytes, 32);
    memcpy(o.giver_nonce, g.nonce, sizeof o.giver_nonce);
    random_bytes(o.nonce, sizeof o.nonce);
    if (transcript_make(&g, &o, h->transcript) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    transcript_newcomer(h->transcript, &text);
    if (buffer_ok(&text) != APEX_OK) return REFUSAL_INTERNAL;
    sign_bytes(&core->keys->identity, buffer_span(&text), o.signature);
    h->giver = g;
    h->giver.evidence = (struct span){0}; /* lent by the message, which goes */
    h->joined = true;
    peer_offer_write(&o, &out->body);
    return buffer_ok(&out->body) == APEX_OK ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

/* The root secret must be the one of the log that the giver's evidence names. */
static enum refusal root_check(struct core *core, const struct root_secret *root,
                               const struct peer_grant *g, struct floor *floor)
{
    const struct peer_hello *giver = &core->hand_over->giver;
    struct checkpoint c;
    if (keys_root(core->keys, root) != APEX_OK ||
        memcmp(core->keys->public_keys.log.bytes, giver->log_key, 32) != 0)
        return REFUSAL_PEER;
    core_name(core);
    if (checkpoint_open(g->note, core->origin, &core->keys->public_keys.log, &c) != APEX_OK)
        return REFUSAL_PEER;
    floor->size = c.size;
    memcpy(floor->root, c.root.bytes, sizeof floor->root);
    return REFUSAL_NONE;
}

enum refusal hand_over_receive(struct core *core, struct span grant, struct root_secret *root,
                               struct floor *floor)
{
    const struct hand_over *h = core->hand_over;
    struct peer_grant g;
    struct sign_public giver;
    uint8_t info[TRANSCRIPT_INFO_MAX];
    BUFFER_CLEARED text = {0};
    if (peer_grant_parse(grant, &g) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    if (!h->joined || memcmp(g.giver_nonce, h->giver.nonce, sizeof g.giver_nonce) != 0)
        return REFUSAL_REPLAYED;
    memcpy(giver.bytes, h->giver.identity, 32);
    transcript_giver(h->transcript, &g, &text);
    if (buffer_ok(&text) != APEX_OK) return REFUSAL_INTERNAL;
    if (sign_check(&giver, buffer_span(&text), g.signature) != APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    size_t len = transcript_info(h->transcript, info);
    if (hpke_open(&core->keys->identity_seal, span_of(info, len), (struct span){0},
                  SPAN(g.sealed), root->bytes) != APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    return root_check(core, root, &g, floor);
}
