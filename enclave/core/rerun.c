#include "enclave/core/rerun.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/ledger/policy.h"
#include "common/wire/rerun.h"
#include "enclave/core/proof.h"
#include "enclave/core/runner.h"

#include <stdlib.h>

struct demand {
    struct core *core;
    struct rerun r;
    struct run *run;
    struct entry *logged;
    struct buffer bytes; /* of the entry; its spans point here */
};

/* Who may audit may demand it, of a run that has an answer. Lock held. */
static enum refusal allowed(struct demand *d, const uint8_t author[static 32])
{
    size_t party;
    const struct act dated = {.time_ms = d->r.time_ms};
    enum refusal no = policy_time(&dated, core_now(d->core));
    if (no != REFUSAL_NONE) return no;
    const struct contract *c = state_contract(&d->core->state, d->r.address);
    if (!c) return REFUSAL_UNKNOWN_CONTRACT;
    if (!c->manifest) return REFUSAL_BLOB_TAMPERED;
    if (!contract_party(c, author, &party)) return REFUSAL_NOT_A_PARTY;
    if (!(c->manifest->parties[party].may & MAY_AUDIT)) return REFUSAL_NOT_PERMITTED;
    /* Expired is not closed: until it is, who gave rows can still take them back. */
    if (c->closed) return REFUSAL_CLOSED;
    d->run = state_run(&d->core->state, d->r.run);
    if (!d->run || d->core->state.contracts[d->run->contract] != c ||
        d->run->state != RUN_RELEASED)
        return REFUSAL_UNKNOWN_RUN;
    return d->core->rerunning ? REFUSAL_BUSY : REFUSAL_NONE;
}

static enum refusal logged_read(struct demand *d)
{
    struct cose cose;
    apex_status s = proof_entry(d->core, d->run->end, &d->bytes);
    if (s == APEX_OK) s = cose_parse(buffer_span(&d->bytes), &cose);
    if (s == APEX_OK) s = entry_parse(cose.payload, d->logged);
    return s == APEX_OK         ? REFUSAL_NONE
           : s == APEX_E_MEMORY ? REFUSAL_INTERNAL
                                : REFUSAL_STORAGE;
}

static enum refusal begin(struct demand *d, const uint8_t author[static 32])
{
    pthread_mutex_lock(&d->core->lock);
    enum refusal no = allowed(d, author);
    if (no == REFUSAL_NONE) no = logged_read(d);
    if (no == REFUSAL_NONE) d->core->rerunning = true;
    pthread_mutex_unlock(&d->core->lock);
    return no;
}

static enum refusal compute_again(struct demand *d, struct outcome *out)
{
    struct body_rerun b = {.result = d->run->end};
    enum refusal no = runner_again(d->core->runner, d->run, d->logged, b.output);
    pthread_mutex_lock(&d->core->lock);
    d->core->rerunning = false;
    pthread_mutex_unlock(&d->core->lock);
    if (no != REFUSAL_NONE) return no;
    b.same = memcmp(b.output, d->logged->output, sizeof b.output) == 0;
    body_rerun_write(&b, &out->body);
    return buffer_ok(&out->body) == APEX_OK ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

enum refusal rerun_answer(struct core *core, struct span body, struct outcome *out)
{
    struct cose cose;
    struct demand d = {.core = core};
    if (cose_open(body, SPAN_TEXT(RERUN_AAD), &cose) != APEX_OK) return REFUSAL_BAD_SIGNATURE;
    if (rerun_parse(cose.payload, &d.r) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    d.logged = malloc(sizeof *d.logged);
    enum refusal no = d.logged ? begin(&d, cose.kid) : REFUSAL_INTERNAL;
    if (no == REFUSAL_NONE) no = compute_again(&d, out);
    buffer_clear(&d.bytes);
    free(d.logged);
    return no;
}
