#include "client/lib/node.h"

#include "client/lib/trust_collateral.h"
#include "common/attest/accept.h"
#include "common/attest/bundle.h"
#include "common/attest/evidence.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>

enum { CERTIFICATES_MAX = 64 * 1024 };

/* What lies in files, loaded; `judging` points into it. */
struct loaded {
    struct buffer evidence, certificates;
    struct collateral collateral;
    struct judging judging;
    char tee[16];
};

static void loaded_clear(struct loaded *l)
{
    buffer_clear(&l->evidence);
    buffer_clear(&l->certificates);
    collateral_clear(&l->collateral);
}

static apex_status unknown(struct apex_error *error)
{
    return apex_fail(
        error, APEX_E_FORMAT,
        "this file is no evidence that this version knows: neither an envelope nor "
        "an SEV-SNP report, a TDX or SGX quote, or a Nitro document",
        "it was not judged", "check the file, or name its kind with --tee", "you");
}

static apex_status unpack(const struct apex_evidence *from, struct loaded *l,
                          struct apex_error *error)
{
    struct evidence e;
    struct span bytes = buffer_span(&l->evidence);
    l->judging.report = bytes;
    if (!from->tee && evidence_parse(bytes, &e) == APEX_OK) {
        snprintf(l->tee, sizeof l->tee, "%.*s", (int)(e.tee.len < 15 ? e.tee.len : 15),
                 (const char *)e.tee.data);
        l->judging.report = e.report;
        return supplements_parse(e.supplements, &l->judging.supplements) == APEX_OK
                   ? APEX_OK
                   : unknown(error);
    }
    const char *tee = from->tee ? from->tee : evidence_guess(bytes);
    if (!tee) return unknown(error);
    snprintf(l->tee, sizeof l->tee, "%s", tee);
    return APEX_OK;
}

static apex_status load(const struct apex_evidence *from, struct loaded *l,
                        struct apex_error *error)
{
    TRY(file_load(from->file, EVIDENCE_MAX, &l->evidence, error));
    TRY(unpack(from, l, error));
    if (from->certificates) {
        TRY(file_load(from->certificates, CERTIFICATES_MAX, &l->certificates, error));
        l->judging.supplements.part[SUPPLEMENT_CERTIFICATES] = buffer_span(&l->certificates);
    }
    if (from->collateral) {
        TRY(collateral_load(from->collateral, &l->collateral, error));
        collateral_lend(&l->collateral, &l->judging.supplements);
    }
    return APEX_OK;
}

/* The policy that was named; else the home's; else none. */
static apex_status policy_for(const struct apex_home *home, const struct apex_evidence *from,
                              uint64_t at_ms, struct trust_policy **policy,
                              struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    snprintf(path, sizeof path, "%s/trust.json", home->path);
    apex_status s =
        trust_load_file(home, from->policy ? from->policy : path, at_ms, policy, error);
    return s == APEX_E_NOT_FOUND && !from->policy ? APEX_OK : s;
}

static apex_status judge(const struct loaded *l, const struct trust_policy *policy,
                         struct apex_verdict *verdict, struct apex_error *error)
{
    const struct enclave_keys none = {0};
    struct verdict *v = calloc(1, sizeof *v);
    if (!v) return apex_fail_memory(error);
    bundles_examine(policy, l->tee, &l->judging, v);
    verdict_hold_against(v, policy, l->judging.at_ms);
    verdict_conclude(v, policy);
    verdict_copy(v, &none, "", verdict);
    verdict->log_key[0] = 0;
    verdict->at_ms = (int64_t)l->judging.at_ms;
    free(v);
    if (verdict->acceptable) return APEX_OK;
    return apex_fail(
        error, APEX_E_UNTRUSTED, verdict->sentence, "it was only looked at",
        policy ? "see every check by name above"
               : "write a policy with `apex trust init URL`, or name one with --policy",
        "you");
}

apex_status apex_trust_check_file(struct apex_home *home, const struct apex_evidence *evidence,
                                  struct apex_verdict *verdict, struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    struct loaded *l = calloc(1, sizeof *l);
    *verdict = (struct apex_verdict){0};
    if (!l) return apex_fail_memory(error);
    l->judging.at_ms = evidence->at_ms > 0 ? (uint64_t)evidence->at_ms : wall_clock_ms();
    apex_status s = load(evidence, l, error);
    if (s == APEX_OK) s = policy_for(home, evidence, l->judging.at_ms, &policy, error);
    if (s == APEX_OK) s = judge(l, policy, verdict, error);
    trust_policy_free(policy);
    loaded_clear(l);
    free(l);
    return s;
}
