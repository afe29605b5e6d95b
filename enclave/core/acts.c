#include "enclave/core/acts.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "enclave/core/host.h"
#include "common/ledger/policy.h"
#include "enclave/core/proof.h"
#include "enclave/core/runner.h"
#include "enclave/core/sealed_table.h"

#include <stdio.h>
#include <stdlib.h>

/* How many runs may wait is the enclave's to say, not a rule of the log: one that had lost a
 * manifest counted fewer, and its log must not be broken for who has it again. */
/* MANIFESTS_MAX: their texts; in memory they take some five times as much, at every start. */
enum { RUNS_PENDING_MAX = 256, RUNS_PENDING_OF_ONE = 32, CONTRIBUTED_MAX = 32768 };
enum { CONTRACTS_MAX = 16384, MANIFESTS_MAX = 64 << 20 };
/* Few sessions wait for witnesses at a time, or a party whose witnesses are away could keep all
 * of them, and with them everybody, waiting. Who finds no place is told at once. */
enum { WITNESS_WAIT_MS = 5000, WITNESS_WAITS_MAX = 2 };

struct taking {
    struct core *core;
    struct span bytes; /* the COSE_Sign1 */
    struct cose cose;
    struct act act;
    struct buffer manifest;   /* deploy: its text */
    struct table_facts facts; /* contribute */
    struct memory_file *kept; /* contribute: the rows, to be kept for runs */
    bool keeping;             /* kept_tables_begin was asked and has to be ended */
    uint64_t now_ms;          /* it was judged at, and is recorded at */
    uint64_t epsilon_micro;   /* run: what it would cost */
    uint64_t model;           /* run: the one it asks for, 0 the newest */
    int64_t expires_ms;       /* deploy: the manifest's */
    struct outcome *out;
};

static enum refusal refuse(struct outcome *out, enum refusal code, const char *detail)
{
    snprintf(out->detail, sizeof out->detail, "%s", detail);
    return code;
}

/* The signature, the form, the age, whether it is new, and whether its author has seen this
 * very log. Lock held. */
static enum refusal general(struct taking *t)
{
    uint8_t digest[HASH_LEN];
    uint64_t index;
    sha256(t->bytes, digest);
    if (digest_map_get(t->core->state.acts, digest, &index)) {
        snprintf(t->out->detail, sizeof t->out->detail, "%llu", (unsigned long long)index);
        return core_keep(t->core) == APEX_OK ? REFUSAL_REPLAYED : REFUSAL_STORAGE;
    }
    if (!proof_seen(t->core, t->act.seen_size, t->act.seen_root))
        return REFUSAL_UNKNOWN_CHECKPOINT;
    return policy_time(&t->act, t->now_ms);
}

static bool named(const struct core *core, const struct manifest *m)
{
    return policy_measurement(m, tee_kind(core->tee), tee_measurement(core->tee));
}

/* What one contract, or one party of it, may take of what all share. */
static size_t pending_of(const struct state *s, const struct contract *c)
{
    size_t n = 0;
    for (size_t i = s->n_runs, seen = 0; i-- > 0 && seen < s->n_pending;) {
        if (s->runs[i]->end != 0) continue;
        seen++;
        n += s->contracts[s->runs[i]->contract] == c;
    }
    return n;
}

static enum refusal room_to_contribute(const struct contract *c, const uint8_t *author)
{
    size_t party, contributors = 0, standing = 0, ever = 0;
    if (!contract_party(c, author, &party)) return REFUSAL_NOT_A_PARTY;
    for (size_t i = 0; i < c->manifest->n_parties; i++)
        contributors += (c->manifest->parties[i].may & MAY_CONTRIBUTE) != 0;
    for (size_t i = 0; i < c->n_contributions; i++) {
        bool own = c->contributions[i].party == party;
        ever += own;
        standing += own && !c->contributions[i].withdrawn;
    }
    return standing < ENTRY_INPUTS_MAX / contributors && ever < CONTRIBUTED_MAX / contributors
               ? REFUSAL_NONE
               : REFUSAL_CONTRIBUTIONS;
}

static enum refusal room_for(const struct taking *t, const struct contract *c)
{
    const struct state *s = &t->core->state;
    if (t->act.kind == ACT_CONTRIBUTE) return room_to_contribute(c, t->cose.kid);
    if (t->act.kind != ACT_RUN) return REFUSAL_NONE;
    return s->n_pending < RUNS_PENDING_MAX && pending_of(s, c) < RUNS_PENDING_OF_ONE
               ? REFUSAL_NONE
               : REFUSAL_BUSY;
}

static enum refusal judged(struct taking *t)
{
    t->now_ms = core_now(t->core);
    enum refusal no = general(t);
    if (no != REFUSAL_NONE) return no;
    const struct contract *c = state_contract(&t->core->state, t->act.address);
    if (!c) return t->act.kind == ACT_DEPLOY ? REFUSAL_NONE : REFUSAL_UNKNOWN_CONTRACT;
    bool leaving = t->act.kind == ACT_WITHDRAW || t->act.kind == ACT_CLOSE;
    if (c->manifest && !leaving && t->act.kind != ACT_DEPLOY && !named(t->core, c->manifest))
        return REFUSAL_WRONG_MEASUREMENT;
    no = policy_act(c, &t->act, t->cose.kid, t->now_ms);
    return no == REFUSAL_NONE ? room_for(t, c) : no;
}

static enum refusal judged_locked(struct taking *t)
{
    pthread_mutex_lock(&t->core->lock);
    enum refusal no = judged(t);
    pthread_mutex_unlock(&t->core->lock);
    return no;
}

static enum refusal blob_refusal(apex_status s)
{
    switch (s) {
    case APEX_OK: return REFUSAL_NONE;
    case APEX_E_NOT_FOUND: return REFUSAL_BLOB_MISSING;
    case APEX_E_UNTRUSTED: return REFUSAL_BLOB_TAMPERED;
    case APEX_E_LIMIT: return REFUSAL_BAD_MANIFEST;
    case APEX_E_IO: return REFUSAL_STORAGE;
    default: return REFUSAL_INTERNAL;
    }
}

/* The program the manifest names for this machine must be at hand and be what its digest says.
 */
static enum refusal program_check(struct taking *t, const struct manifest *m)
{
    const uint8_t *digest = runner_program_digest(m);
    if (!digest)
        return refuse(t->out, REFUSAL_BAD_MANIFEST,
                      "program: none for this machine's architecture");
    apex_status s = runner_program_check(t->core->runner, digest);
    return s == APEX_OK                                 ? REFUSAL_NONE
           : s == APEX_E_NOT_FOUND                      ? REFUSAL_PROGRAM_MISSING
           : s == APEX_E_UNTRUSTED || s == APEX_E_LIMIT ? REFUSAL_PROGRAM_TAMPERED
                                                        : REFUSAL_STORAGE;
}

static enum refusal deploy_check(struct taking *t)
{
    struct manifest *m = NULL;
    struct manifest_error e = {0};
    enum refusal no =
        blob_refusal(host_blob(t->core->link, t->act.address, MANIFEST_MAX, &t->manifest));
    if (no != REFUSAL_NONE) return no;
    apex_status s = manifest_parse(buffer_span(&t->manifest), &m, &e);
    if (s == APEX_E_MEMORY) return REFUSAL_INTERNAL;
    if (s != APEX_OK) {
        snprintf(t->out->detail, sizeof t->out->detail, "line %zu: %.80s: %s", e.line, e.where,
                 e.what ? e.what : "refused");
        return REFUSAL_BAD_MANIFEST;
    }
    no = policy_deploy(m, t->cose.kid, tee_kind(t->core->tee), tee_measurement(t->core->tee),
                       t->now_ms);
    t->expires_ms = m->expires_ms;
    if (no == REFUSAL_NONE) no = program_check(t, m);
    manifest_free(m);
    return no;
}

static struct table_source source_of(const struct taking *t, const struct contract *c,
                                     const struct manifest_dataset *d)
{
    return (struct table_source){.blob = t->act.blob,
                                 .address = c->address,
                                 .key = c->secret,
                                 .dataset = d,
                                 .author = t->cose.kid,
                                 .rows_max = c->manifest->quotas.rows_per_party};
}

/* Where in the rows the fault lies, for their author's eyes. */
static void detail_seal(struct taking *t, const struct contract *c,
                        const struct manifest_dataset *d, size_t party)
{
    char text[160];
    uint8_t info[INFO_MAX];
    struct seal_public to;
    size_t column = t->facts.bad_column < d->n_columns ? t->facts.bad_column : 0;
    int n = snprintf(text, sizeof text, "row %llu, column %s",
                     (unsigned long long)t->facts.bad_row + 1, d->columns[column].name);
    size_t info_len = seal_info("apex/detail/v1", c->address, (struct span){0}, info);
    uint8_t *room = buffer_reserve(&t->out->sealed, (size_t)n + HPKE_OVERHEAD);
    memcpy(to.bytes, c->manifest->parties[party].seal, sizeof to.bytes);
    if (room && hpke_seal(&to, span_of(info, info_len), (struct span){0},
                          span_of(text, (size_t)n), room) == APEX_OK)
        t->out->sealed.len += (size_t)n + HPKE_OVERHEAD;
}

/* Reads every row again. Contracts are never freed while the enclave runs and their manifests
 * never change, so that the long work needs no lock. */
static enum refusal contribute_check(struct taking *t, struct contract *c)
{
    size_t party;
    const struct manifest_dataset *d = manifest_dataset_by_name(c->manifest, t->act.name);
    struct table_source src = source_of(t, c, d);
    uint64_t room = kept_tables_begin(t->core->tables);
    t->keeping = room > 0;
    if (t->keeping && memory_file_new("table", &t->kept) != APEX_OK) t->kept = NULL;
    enum refusal no = sealed_table_open(t->core->link, &src, t->kept, room, &t->facts);
    if (no == REFUSAL_BAD_ROWS && t->facts.located && contract_party(c, t->cose.kid, &party))
        detail_seal(t, c, d, party);
    return no;
}

/* All that a run would rest on must be witnessed: what its contract has on record now. */
static bool run_witnessed(const struct taking *t, const struct contract *c)
{
    struct core *core = t->core;
    pthread_mutex_lock(&core->lock);
    uint64_t newest = c->n_entries ? c->entries[c->n_entries - 1] : 0;
    bool waits = core->witness_waits < WITNESS_WAITS_MAX;
    core->witness_waits += waits;
    pthread_mutex_unlock(&core->lock);
    bool is = core_witnessed(core, c->manifest, newest + 1, waits ? WITNESS_WAIT_MS : 0);
    pthread_mutex_lock(&core->lock);
    core->witness_waits -= waits;
    pthread_mutex_unlock(&core->lock);
    return is;
}

static enum refusal run_check(struct taking *t, struct contract *c)
{
    const struct manifest_function *f = manifest_function_by_name(c->manifest, t->act.name);
    BUFFER_CLEARED plain = {0};
    struct request r = {0};
    size_t bad = SIZE_MAX;
    if (!run_witnessed(t, c)) return REFUSAL_UNWITNESSED;
    enum refusal no = runner_request(t->core->link, c, t->cose.kid, t->act.blob,
                                     t->act.request_digest, &plain);
    if (no != REFUSAL_NONE) return no;
    apex_status s = request_parse(buffer_span(&plain), f, &r, &bad);
    if (s == APEX_OK && f->is_private)
        t->epsilon_micro = (uint64_t)(request_number(&r, "epsilon") * 1e6 + 0.5);
    if (s == APEX_OK && f->uses) t->model = (uint64_t)request_number(&r, "model");
    request_clear(&r);
    if (s == APEX_E_REFUSED)
        return refuse(t->out, REFUSAL_BAD_PARAMETER,
                      bad < f->n_params ? f->params[bad].name : "unknown name");
    if (s != APEX_OK) return REFUSAL_BAD_MESSAGE;
    if (!t->act.has_rows) return REFUSAL_NONE;
    struct table_source src = source_of(t, c, &c->manifest->datasets[f->rows]);
    src.blob = t->act.rows;
    return sealed_table_open(t->core->link, &src, NULL, 0, &t->facts);
}

/* What needs blobs of the host, done without the lock. */
static enum refusal blobs_check(struct taking *t)
{
    if (t->act.kind == ACT_DEPLOY) return deploy_check(t);
    if (t->act.kind != ACT_CONTRIBUTE && t->act.kind != ACT_RUN) return REFUSAL_NONE;
    pthread_mutex_lock(&t->core->lock);
    struct contract *c = state_contract(&t->core->state, t->act.address);
    pthread_mutex_unlock(&t->core->lock);
    return t->act.kind == ACT_CONTRIBUTE ? contribute_check(t, c) : run_check(t, c);
}

/* Rows of this party that count now: its quota. Heads of older contributions are read as
 * needed. Lock held. */
static enum refusal rows_quota(struct taking *t, struct contract *c, size_t party)
{
    uint64_t rows = t->facts.n_rows;
    for (size_t i = 0; i < c->n_contributions; i++) {
        struct contribution *n = &c->contributions[i];
        if (n->withdrawn || n->party != party) continue;
        if (contribution_know(t->core->link, c, n) != REFUSAL_NONE)
            continue; /* lost by the host: counts no more */
        rows += n->n_rows;
    }
    return rows > c->manifest->quotas.rows_per_party ? REFUSAL_QUOTA : REFUSAL_NONE;
}

static apex_status body_make(struct core *core, const struct act *act, uint64_t index,
                             struct span cose, struct buffer *body)
{
    struct body_act *b = calloc(1, sizeof *b);
    if (!b) return APEX_E_MEMORY;
    b->index = index;
    b->entry = cose;
    apex_status s = proof_make(core, act->seen_size, index, &b->proof);
    if (s == APEX_OK) body_act_write(b, body);
    free(b);
    return s == APEX_OK ? buffer_ok(body) : s;
}

static void contribution_note(struct contract *c, const struct table_facts *facts)
{
    struct contribution *n = &c->contributions[c->n_contributions - 1];
    n->known = true;
    n->n_rows = facts->n_rows;
    n->n_groups = facts->n_groups;
    memcpy(n->digest, facts->digest, sizeof n->digest);
}

/* Rows that were just checked are kept for the runs to come. */
static void rows_keep(struct taking *t)
{
    if (!t->kept || !t->facts.written || memory_file_seal(t->kept) != APEX_OK) return;
    kept_tables_give(t->core->tables, t->act.blob, t->facts.digest, t->kept);
    t->kept = NULL;
}

/* Nothing that was taken back, or that a contract was closed over, stays in memory. */
static void rows_forget(struct taking *t)
{
    const struct contract *c = state_contract(&t->core->state, t->act.address);
    if (t->act.kind != ACT_WITHDRAW && t->act.kind != ACT_CLOSE) return;
    for (size_t i = 0; c && i < c->n_contributions; i++)
        if (c->closed || c->contributions[i].withdrawn)
            kept_tables_drop(t->core->tables, c->contributions[i].blob);
}

static apex_status append(struct taking *t, struct entry *e)
{
    BUFFER_CLEARED cose = {0};
    e->kind = (unsigned)t->act.kind;
    e->time_ms = t->now_ms;
    e->has_address = true;
    memcpy(e->address, t->act.address, 32);
    e->act = t->bytes;
    e->epsilon_micro = t->epsilon_micro;
    apex_status kept =
        core_append(t->core, e, &t->act, t->cose.kid, buffer_span(&t->manifest), &cose);
    rows_forget(t); /* also when the host has yet to keep an entry that stands */
    if (t->act.kind == ACT_RUN) runner_wake(t->core->runner);
    TRY(kept);
    struct contract *c = state_contract(&t->core->state, t->act.address);
    if (t->act.kind == ACT_CONTRIBUTE) contribution_note(c, &t->facts);
    if (t->act.kind == ACT_CONTRIBUTE) rows_keep(t);
    return body_make(t->core, &t->act, e->index, buffer_span(&cose), &t->out->body);
}

/* It may have expired, and the node have filled, while its blobs were read. */
static enum refusal deploy_fits(const struct taking *t)
{
    const struct state *s = &t->core->state;
    if ((uint64_t)t->expires_ms <= t->now_ms) return REFUSAL_EXPIRED;
    return s->n_contracts < CONTRACTS_MAX &&
                   s->manifest_bytes + t->manifest.len <= MANIFESTS_MAX
               ? REFUSAL_NONE
               : REFUSAL_NODE_FULL;
}

/* Judged once more, since the lock was free meanwhile; then recorded. Lock held. */
static enum refusal record(struct taking *t)
{
    enum refusal no = judged(t);
    size_t party;
    struct contract *c = state_contract(&t->core->state, t->act.address);
    if (no == REFUSAL_NONE && t->act.kind == ACT_DEPLOY) no = deploy_fits(t);
    if (no == REFUSAL_NONE && t->act.kind == ACT_CONTRIBUTE &&
        contract_party(c, t->cose.kid, &party))
        no = rows_quota(t, c, party);
    if (no == REFUSAL_NONE && t->act.kind == ACT_RUN)
        no = policy_afford(&t->core->state, c,
                           manifest_function_by_name(c->manifest, t->act.name),
                           t->epsilon_micro, t->model);
    if (no != REFUSAL_NONE) return no;
    uint64_t before = merkle_tree_size(t->core->tree);
    struct entry *e = calloc(1, sizeof *e);
    apex_status s = e ? append(t, e) : APEX_E_MEMORY;
    free(e);
    if (s == APEX_OK) return REFUSAL_NONE;
    if (merkle_tree_size(t->core->tree) > before) return REFUSAL_NOT_YET_KEPT;
    return s == APEX_E_LIMIT || s == APEX_E_IO ? REFUSAL_STORAGE : REFUSAL_INTERNAL;
}

static enum refusal take(struct taking *t)
{
    if (cose_open(t->bytes, SPAN_TEXT(ACT_AAD), &t->cose) != APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    if (t->bytes.len > ACT_MAX || act_parse(t->cose.payload, &t->act) != APEX_OK)
        return REFUSAL_BAD_MESSAGE;
    enum refusal no = judged_locked(t);
    if (no == REFUSAL_NONE) no = blobs_check(t);
    if (no != REFUSAL_NONE) return no;
    pthread_mutex_lock(&t->core->lock);
    no = record(t);
    pthread_mutex_unlock(&t->core->lock);
    return no;
}

void act_take(struct core *core, struct span bytes, struct outcome *out)
{
    struct taking *t = calloc(1, sizeof *t);
    if (!t) {
        out->code = REFUSAL_INTERNAL;
        return;
    }
    t->core = core;
    t->bytes = bytes;
    t->out = out;
    out->code = take(t);
    memory_file_free(t->kept);
    if (t->keeping) kept_tables_end(core->tables);
    buffer_clear(&t->manifest);
    free(t);
}
