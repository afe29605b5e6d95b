#include "common/ledger/state.h"

#include "common/base/endian.h"
#include "common/base/size.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/wire/message.h"

#include <stdlib.h>

apex_status state_init(struct state *s, contract_keys_fn contract_keys, const void *keys)
{
    *s = (struct state){.contract_keys = contract_keys, .keys = keys};
    TRY(digest_map_new(&s->addresses));
    TRY(digest_map_new(&s->acts));
    TRY(digest_map_new(&s->identities));
    return digest_map_new(&s->run_entries);
}

static void contract_free(struct contract *c)
{
    manifest_free(c->manifest);
    free(c->contributions);
    free(c->entries);
    free(c);
}

void state_clear(struct state *s)
{
    for (size_t i = 0; i < s->n_contracts; i++)
        contract_free(s->contracts[i]);
    for (size_t i = 0; i < s->n_runs; i++)
        free(s->runs[i]);
    while (s->secrets) {
        struct secret_room *room = s->secrets;
        s->secrets = room->next;
        secret_free(room->secrets);
        free(room);
    }
    free(s->contracts);
    free(s->runs);
    digest_map_free(s->addresses);
    digest_map_free(s->acts);
    digest_map_free(s->identities);
    digest_map_free(s->run_entries);
    *s = (struct state){0};
}

/* Room for one more item at the end of a growing array. */
static apex_status array_room(void *array, size_t n, size_t *cap, size_t item)
{
    if (n < *cap) return APEX_OK;
    size_t grown = *cap ? 2 * *cap : 16, bytes;
    void *old, *more;
    if (!size_mul(grown, item, &bytes)) return APEX_E_LIMIT;
    memcpy(&old, array, sizeof old);
    more = realloc(old, bytes);
    if (!more) return APEX_E_MEMORY;
    memcpy(array, &more, sizeof more);
    *cap = grown;
    return APEX_OK;
}

/* Runs are found by index through the same map as digests: the index in the first eight bytes.
 */
static void run_key(uint64_t index, uint8_t key[static 32])
{
    memset(key, 0, 32);
    put_be64(key, index);
}

struct contract *state_contract(const struct state *s, const uint8_t address[static 32])
{
    uint64_t at;
    return digest_map_get(s->addresses, address, &at) ? s->contracts[at] : NULL;
}

struct run *state_run(const struct state *s, uint64_t index)
{
    uint8_t key[32];
    uint64_t at;
    run_key(index, key);
    return digest_map_get(s->run_entries, key, &at) ? s->runs[at] : NULL;
}

unsigned contract_state_at(const struct contract *c, uint64_t now_ms)
{
    if (c->closed) return CONTRACT_CLOSED;
    if (c->manifest && c->manifest->expires_ms >= 0 &&
        now_ms >= (uint64_t)c->manifest->expires_ms)
        return CONTRACT_EXPIRED;
    return c->active ? CONTRACT_ACTIVE : CONTRACT_DEPLOYED;
}

struct contribution *contract_contribution(const struct contract *c, uint64_t index)
{
    for (size_t i = 0; i < c->n_contributions; i++)
        if (c->contributions[i].index == index) return &c->contributions[i];
    return NULL;
}

bool contract_model_stands(const struct contract *c, const struct run *r, uint64_t until)
{
    const struct manifest_function *f = &c->manifest->functions[r->function];
    for (size_t i = 0; i < r->n_visible && i < c->n_contributions; i++) {
        const struct contribution *n = &c->contributions[i];
        if (!n->withdrawn || n->withdrawn_at < r->index || n->withdrawn_at >= until) continue;
        for (size_t d = 0; d < f->n_datasets; d++)
            if (f->datasets[d] == n->dataset) return false;
    }
    return true;
}

const struct run *contract_model(const struct state *s, const struct contract *c,
                                 const struct manifest_function *f, uint64_t index,
                                 uint64_t before)
{
    for (size_t i = s->n_runs; i-- > 0;) {
        const struct run *r = s->runs[i];
        if (s->contracts[r->contract] != c || !r->has_model || r->function != f->model)
            continue;
        if ((index != 0 && r->index != index) || r->end >= before) continue;
        if (contract_model_stands(c, r, before)) return r;
    }
    return NULL;
}

bool contract_party(const struct contract *c, const uint8_t key[static 32], size_t *party)
{
    const struct manifest_party *p =
        c->manifest ? manifest_party_by_key(c->manifest, key) : NULL;
    if (p) *party = (size_t)(p - c->manifest->parties);
    return p != NULL;
}

/* A place for one more secret, taken only when it is counted. */
static struct secret_room *secret_room(struct state *s)
{
    if (s->secrets && s->secrets->used < SECRETS_A_ROOM) return s->secrets;
    struct secret_room *room = calloc(1, sizeof *room);
    if (room) room->secrets = secret_alloc(SECRETS_A_ROOM * sizeof *room->secrets);
    if (!room || !room->secrets) {
        free(room);
        return NULL;
    }
    room->next = s->secrets;
    return s->secrets = room;
}

static apex_status contract_fill(struct state *s, struct contract *c, struct span manifest)
{
    uint8_t digest[32];
    sha256(manifest, digest);
    /* A manifest the host lost or changed leaves a contract that can only be listed. */
    if (memcmp(digest, c->address, 32) == 0) TRY(manifest_parse(manifest, &c->manifest, NULL));
    if (!s->contract_keys) return APEX_OK;
    struct secret_room *room = secret_room(s);
    if (!room) return APEX_E_MEMORY;
    c->secret = &room->secrets[room->used];
    TRY(s->contract_keys(s->keys, c->address, &c->key, c->secret));
    room->used++;
    return APEX_OK;
}

static apex_status apply_deploy(struct state *s, const struct entry *e, struct span manifest)
{
    if (state_contract(s, e->address)) return APEX_E_UNTRUSTED;
    TRY(array_room(&s->contracts, s->n_contracts, &s->cap_contracts, sizeof *s->contracts));
    struct contract *c = calloc(1, sizeof *c);
    if (!c) return APEX_E_MEMORY;
    memcpy(c->address, e->address, 32);
    apex_status status = contract_fill(s, c, manifest);
    if (status == APEX_OK) status = digest_map_put(s->addresses, c->address, s->n_contracts);
    if (status != APEX_OK) {
        contract_free(c);
        return status;
    }
    s->contracts[s->n_contracts++] = c;
    s->manifest_bytes += manifest.len;
    return APEX_OK;
}

static apex_status apply_accept(struct contract *c, size_t party)
{
    c->accepted[party] = true;
    bool all = true;
    for (size_t i = 0; i < c->manifest->n_parties; i++)
        if (c->manifest->parties[i].may & MAY_APPROVE) all &= c->accepted[i];
    c->active = all;
    return APEX_OK;
}

static apex_status apply_contribute(struct contract *c, const struct entry *e,
                                    const struct act *act, size_t party)
{
    const struct manifest_dataset *d = manifest_dataset_by_name(c->manifest, act->name);
    if (!d) return APEX_E_UNTRUSTED;
    TRY(array_room(&c->contributions, c->n_contributions, &c->cap_contributions,
                   sizeof *c->contributions));
    struct contribution *n = &c->contributions[c->n_contributions++];
    *n = (struct contribution){
        .index = e->index, .party = party, .dataset = (size_t)(d - c->manifest->datasets)};
    memcpy(n->blob, act->blob, 32);
    return APEX_OK;
}

static apex_status apply_withdraw(struct contract *c, const struct entry *e,
                                  const struct act *act, size_t party)
{
    struct contribution *n = contract_contribution(c, act->index);
    if (!n || n->withdrawn || n->party != party) return APEX_E_UNTRUSTED;
    n->withdrawn = true;
    n->withdrawn_at = e->index;
    return APEX_OK;
}

static struct run *run_of(const struct state *s, const struct contract *c,
                          const struct entry *e, const struct act *act)
{
    const struct manifest_function *f = manifest_function_by_name(c->manifest, act->name);
    struct run *r = f ? calloc(1, sizeof *r) : NULL;
    if (!r) return NULL;
    *r = (struct run){.index = e->index,
                      .function = (size_t)(f - c->manifest->functions),
                      .has_rows = act->has_rows,
                      .n_visible = c->n_contributions,
                      .boots_before = s->boots,
                      .epsilon_micro = e->epsilon_micro,
                      .state = RUN_REQUESTED};
    memcpy(r->request, act->request_digest, 32);
    memcpy(r->request_blob, act->blob, 32);
    memcpy(r->rows, act->rows, 32);
    return r;
}

static apex_status apply_run(struct state *s, struct contract *c, const struct entry *e,
                             const struct act *act, size_t party)
{
    uint8_t key[32];
    uint64_t at;
    TRY(array_room(&s->runs, s->n_runs, &s->cap_runs, sizeof *s->runs));
    struct run *r = run_of(s, c, e, act);
    if (!r) return APEX_E_UNTRUSTED;
    digest_map_get(s->addresses, c->address, &at);
    r->contract = (size_t)at;
    r->party = party;
    run_key(e->index, key);
    apex_status status = digest_map_put(s->run_entries, key, s->n_runs);
    if (status != APEX_OK) {
        free(r);
        return status;
    }
    s->runs[s->n_runs++] = r;
    s->n_pending++;
    c->runs_of[party]++;
    c->spent_micro += r->epsilon_micro;
    return APEX_OK;
}

static apex_status apply_end(struct state *s, const struct contract *c, const struct entry *e)
{
    struct run *r = state_run(s, e->run);
    if (!c->manifest) return APEX_OK;
    if (!r || r->end != 0 || s->contracts[r->contract] != c) return APEX_E_UNTRUSTED;
    r->end = e->index;
    r->permille = 1000;
    r->has_model = e->has_model;
    memcpy(r->model, e->model, sizeof r->model);
    s->n_pending--;
    r->state = e->kind == ENTRY_RESULT ? RUN_RELEASED
               : e->state == 1         ? RUN_REFUSED
                                       : RUN_FAILED;
    return APEX_OK;
}

static apex_status apply_act(struct state *s, struct contract *c, const struct entry *e,
                             const struct act *act, const uint8_t author[static 32])
{
    size_t party;
    if (!c->manifest) return APEX_OK;
    if (!contract_party(c, author, &party)) return APEX_E_UNTRUSTED;
    switch (act->kind) {
    case ACT_DEPLOY: return APEX_OK;
    case ACT_ACCEPT: return apply_accept(c, party);
    case ACT_CONTRIBUTE: return apply_contribute(c, e, act, party);
    case ACT_WITHDRAW: return apply_withdraw(c, e, act, party);
    case ACT_RUN: return apply_run(s, c, e, act, party);
    case ACT_CLOSE: c->closed = true; return APEX_OK;
    }
    return APEX_E_UNTRUSTED;
}

static apex_status apply_enclave(struct state *s, const struct entry *e)
{
    if (e->admitted) return APEX_OK; /* on record; it signs nothing before its own start is */
    if (s->boots == 0) memcpy(s->first_chain, e->chain_key, sizeof s->first_chain);
    s->boots++;
    return digest_map_put(s->identities, e->identity, e->index);
}

static apex_status apply_contract(struct state *s, const struct entry *e, const struct act *act,
                                  const uint8_t author[static 32], struct span manifest)
{
    if (e->kind == (unsigned)ACT_DEPLOY) TRY(apply_deploy(s, e, manifest));
    struct contract *c = e->has_address ? state_contract(s, e->address) : NULL;
    if (!c) return APEX_E_UNTRUSTED;
    TRY(array_room(&c->entries, c->n_entries, &c->cap_entries, sizeof *c->entries));
    if (act)
        TRY(apply_act(s, c, e, act, author));
    else
        TRY(apply_end(s, c, e));
    c->entries[c->n_entries++] = e->index;
    return APEX_OK;
}

apex_status state_apply(struct state *s, const struct entry *entry, const struct act *act,
                        const uint8_t author[static 32], struct span manifest)
{
    if (entry->kind == ENTRY_ENCLAVE)
        TRY(apply_enclave(s, entry));
    else
        TRY(apply_contract(s, entry, act, author, manifest));
    if (entry->act.len > 0) {
        uint8_t digest[32];
        sha256(entry->act, digest);
        TRY(digest_map_put(s->acts, digest, entry->index));
    }
    if (act && entry->time_ms > s->last_time_ms) s->last_time_ms = entry->time_ms;
    return APEX_OK;
}
