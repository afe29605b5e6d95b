#include "common/ledger/policy.h"

#include "common/ledger/witnessed.h"
#include "common/wire/message.h"

enum refusal policy_time(const struct act *act, uint64_t now_ms)
{
    uint64_t away = act->time_ms > now_ms ? act->time_ms - now_ms : now_ms - act->time_ms;
    return away > ACT_SKEW_MS ? REFUSAL_STALE_TIME : REFUSAL_NONE;
}

bool policy_measurement(const struct manifest *m, const char *tee, struct span measurement)
{
    for (size_t i = 0; i < m->n_enclaves; i++) {
        const struct manifest_enclave *e = &m->enclaves[i];
        if (strcmp(e->tee, tee) == 0 &&
            span_equal(span_of(e->measurement.bytes, e->measurement.len), measurement))
            return true;
    }
    return false;
}

enum refusal policy_deploy(const struct manifest *m, const uint8_t author[static 32],
                           const char *tee, struct span measurement, uint64_t now_ms)
{
    struct witness_key keys[MANIFEST_WITNESSES_MAX];
    size_t at;
    if (!manifest_party_by_key(m, author)) return REFUSAL_NOT_A_PARTY;
    if (witnesses_parse(&m->witnesses, keys, &at) != APEX_OK) return REFUSAL_BAD_MANIFEST;
    if (!policy_measurement(m, tee, measurement)) return REFUSAL_WRONG_MEASUREMENT;
    if (m->expires_ms < 0 || (uint64_t)m->expires_ms <= now_ms) return REFUSAL_EXPIRED;
    return REFUSAL_NONE;
}

static enum refusal accept_allowed(const struct contract *c, size_t party)
{
    if (!(c->manifest->parties[party].may & MAY_APPROVE)) return REFUSAL_NOT_PERMITTED;
    return c->accepted[party] ? REFUSAL_ALREADY_ACCEPTED : REFUSAL_NONE;
}

static enum refusal contribute_allowed(const struct contract *c, const struct act *act,
                                       size_t party)
{
    if (!(c->manifest->parties[party].may & MAY_CONTRIBUTE)) return REFUSAL_NOT_PERMITTED;
    if (!manifest_dataset_by_name(c->manifest, act->name)) return REFUSAL_UNKNOWN_DATASET;
    size_t standing = 0;
    for (size_t i = 0; i < c->n_contributions; i++) {
        const struct contribution *n = &c->contributions[i];
        if (n->withdrawn) continue;
        standing++;
        if (memcmp(n->blob, act->blob, 32) == 0) return REFUSAL_DUPLICATE;
    }
    return standing < ENTRY_INPUTS_MAX ? REFUSAL_NONE : REFUSAL_CONTRIBUTIONS;
}

static enum refusal withdraw_allowed(const struct contract *c, const struct act *act,
                                     size_t party)
{
    const struct contribution *n = contract_contribution(c, act->index);
    if (!n || n->party != party) return REFUSAL_UNKNOWN_CONTRIBUTION;
    return n->withdrawn ? REFUSAL_ALREADY_WITHDRAWN : REFUSAL_NONE;
}

static enum refusal run_allowed(const struct contract *c, const struct act *act, size_t party)
{
    const struct manifest_function *f = manifest_function_by_name(c->manifest, act->name);
    if (!(c->manifest->parties[party].may & MAY_RUN)) return REFUSAL_NOT_PERMITTED;
    if (!f) return REFUSAL_UNKNOWN_FUNCTION;
    if (act->has_rows && !f->has_rows) return REFUSAL_BAD_PARAMETER;
    return c->runs_of[party] >= c->manifest->quotas.runs_per_party ? REFUSAL_QUOTA
                                                                   : REFUSAL_NONE;
}

/* What a contract's state allows: consent while it waits for it, all while it is active,
 * nothing after; rows can always be withdrawn and a contract always be closed. */
static enum refusal state_allows(unsigned state, enum act_kind kind)
{
    if (kind == ACT_WITHDRAW && state != CONTRACT_CLOSED) return REFUSAL_NONE;
    if (state == CONTRACT_CLOSED) return REFUSAL_CLOSED;
    if (kind == ACT_CLOSE) return REFUSAL_NONE;
    if (state == CONTRACT_EXPIRED) return REFUSAL_EXPIRED;
    return state == CONTRACT_ACTIVE || kind == ACT_ACCEPT ? REFUSAL_NONE : REFUSAL_NOT_ACTIVE;
}

enum refusal policy_act(const struct contract *c, const struct act *act,
                        const uint8_t author[static 32], uint64_t now_ms)
{
    size_t party;
    if (act->kind == ACT_DEPLOY) return REFUSAL_ALREADY_DEPLOYED;
    if (!c->manifest) return REFUSAL_BLOB_TAMPERED;
    if (!contract_party(c, author, &party)) return REFUSAL_NOT_A_PARTY;
    enum refusal no = state_allows(contract_state_at(c, now_ms), act->kind);
    if (no != REFUSAL_NONE) return no;
    switch (act->kind) {
    case ACT_ACCEPT: return accept_allowed(c, party);
    case ACT_CONTRIBUTE: return contribute_allowed(c, act, party);
    case ACT_WITHDRAW: return withdraw_allowed(c, act, party);
    case ACT_RUN: return run_allowed(c, act, party);
    case ACT_CLOSE:
        return c->manifest->parties[party].may & MAY_APPROVE ? REFUSAL_NONE
                                                             : REFUSAL_NOT_PERMITTED;
    default: return REFUSAL_BAD_MESSAGE;
    }
}

enum refusal policy_afford(const struct state *s, const struct contract *c,
                           const struct manifest_function *f, uint64_t epsilon_micro,
                           uint64_t model)
{
    const struct manifest_privacy *p = &c->manifest->privacy;
    if (f->uses && !contract_model(s, c, f, model, UINT64_MAX)) return REFUSAL_NO_MODEL;
    if (!f->is_private) return epsilon_micro == 0 ? REFUSAL_NONE : REFUSAL_BUDGET;
    return epsilon_micro > 0 && c->spent_micro <= p->epsilon_micro &&
                   epsilon_micro <= p->epsilon_micro - c->spent_micro
               ? REFUSAL_NONE
               : REFUSAL_BUDGET;
}

static bool input_allowed(const struct contract *c, const struct run *r,
                          const struct manifest_function *f, const struct entry_input *in)
{
    const struct contribution *n = contract_contribution(c, in->index);
    if (!n || n->index >= r->index || memcmp(n->blob, in->blob, sizeof n->blob) != 0)
        return false;
    if (n->withdrawn && n->withdrawn_at < r->index) return false;
    for (size_t d = 0; d < f->n_datasets; d++)
        if (f->datasets[d] == n->dataset) return true;
    return false;
}

static bool inputs_allowed(const struct contract *c, const struct run *r, const struct entry *e)
{
    const struct manifest_function *f = &c->manifest->functions[r->function];
    for (size_t i = 0; i < e->n_inputs; i++) {
        if (!input_allowed(c, r, f, &e->inputs[i])) return false;
        for (size_t j = 0; j < i; j++)
            if (e->inputs[j].index == e->inputs[i].index) return false;
    }
    return e->has_rows == r->has_rows &&
           (!r->has_rows || memcmp(e->rows, r->rows, sizeof r->rows) == 0);
}

/* A model is left by functions that train, and used by those that need one: one of this
 * contract, by the function named for it, of rows that nobody had withdrawn before the run. */
static bool model_allowed(const struct state *s, const struct contract *c, const struct run *r,
                          const struct entry *e)
{
    const struct manifest_function *f = &c->manifest->functions[r->function];
    if ((e->has_model && !f->trains) || e->used_model != f->uses) return false;
    if (!e->used_model) return true;
    const struct run *trained = state_run(s, e->model_run);
    return trained && s->contracts[trained->contract] == c && trained->has_model &&
           trained->function == f->model && contract_model_stands(c, trained, r->index);
}

/* The requester alone, or every party that may receive: neither fewer nor others. */
static bool recipients_allowed(const struct contract *c, const struct run *r,
                               const struct entry *e)
{
    const struct manifest *m = c->manifest;
    bool to_requester = m->functions[r->function].to_requester;
    size_t expected = 0;
    for (size_t i = 0; i < m->n_parties; i++) {
        bool receives = to_requester ? i == r->party : (m->parties[i].may & MAY_RECEIVE) != 0;
        if (!receives) continue;
        if (expected >= e->n_recipients ||
            memcmp(e->recipients[expected].key, m->parties[i].sign, 32) != 0)
            return false;
        expected++;
    }
    return expected == e->n_recipients;
}

static bool program_named(const struct manifest *m, const uint8_t digest[static 32])
{
    for (size_t i = 0; i < m->n_programs; i++)
        if (memcmp(m->programs[i].digest, digest, 32) == 0) return true;
    return false;
}

enum refusal policy_end(const struct state *s, const struct contract *c, const struct entry *e,
                        const char **why)
{
    const struct run *r = state_run(s, e->run);
    *why = "it ends a run that this contract does not have";
    if (!r || s->contracts[r->contract] != c) return REFUSAL_UNKNOWN_RUN;
    *why = "it ends a run that has ended before";
    if (r->end != 0) return REFUSAL_REPLAYED;
    if (e->kind != ENTRY_RESULT) return REFUSAL_NONE;
    *why = "it was computed by a program the manifest does not name";
    if (!program_named(c->manifest, e->program)) return REFUSAL_PROGRAM_TAMPERED;
    *why = "it answers another request than the run's";
    if (memcmp(e->request, r->request, sizeof r->request) != 0) return REFUSAL_BAD_MESSAGE;
    *why = "it was computed from rows that were not given to this function, or were withdrawn";
    if (!inputs_allowed(c, r, e)) return REFUSAL_UNKNOWN_CONTRIBUTION;
    *why = "it used or left a model that the manifest, or who withdrew rows, does not allow";
    if (!model_allowed(s, c, r, e)) return REFUSAL_NO_MODEL;
    *why = "it was sealed to others than the manifest says";
    if (!recipients_allowed(c, r, e)) return REFUSAL_NOT_PERMITTED;
    return REFUSAL_NONE;
}
