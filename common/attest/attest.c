#include "common/attest/attest.h"

#include "common/attest/accept.h"
#include "common/attest/bundle.h"
#include "common/attest/evidence.h"
#include "common/attest/judge.h"
#include "common/base/try.h"
#include "common/base/wipe.h"

#include <stdio.h>
#include <stdlib.h>

struct verified_enclave {
    struct enclave_keys keys;
    bool simulated;
};

static const struct kind {
    const char *tee;
    bool (*judge)(const struct judging *j, struct verdict *v);
} kinds[] = {{"sim", sim_judge},
             {"sev-snp", snp_judge},
             {"nitro", nitro_judge},
             {"tdx", intel_judge},
             {"sgx", intel_judge}};

/* Nobody reads what evidence says that is not genuine. */
static void forget(struct verdict *v)
{
    wipe(&v->private_claims, sizeof v->private_claims);
    wipe(v->measurement, sizeof v->measurement);
    wipe(v->product, sizeof v->product);
    v->measurement_len = 0;
    v->findings = 0;
    v->time_ms = 0;
}

static const struct kind *kind_of(const char *tee)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(tee, kinds[i].tee) == 0) return &kinds[i];
    return NULL;
}

void judge_examine(const char *tee, const struct judging *what, struct verdict *v)
{
    struct judging j = *what;
    const struct kind *kind = kind_of(tee);
    if (!j.roots) j.roots = vendor_roots();
    snprintf(v->tee, sizeof v->tee, "%s", tee);
    if (!verdict_check(v, "tee-known", kind != NULL, REASON_TEE_UNKNOWN,
                       "this version can judge this kind of evidence"))
        return;
    v->simulated = kind->judge == sim_judge;
    v->genuine = kind->judge(&j, v) && v->reason == REASON_NONE;
    if (!v->genuine) forget(v);
}

void attest_examine(const char *tee, const struct judging *what, struct verdict *verdict)
{
    *verdict = (struct verdict){0};
    judge_examine(tee, what, verdict);
    verdict_conclude(verdict, NULL);
}

apex_status verdict_claims(const struct verdict *v, const struct claims **claims)
{
    if (!v->genuine) return APEX_E_UNTRUSTED;
    *claims = &v->private_claims;
    return APEX_OK;
}

static bool envelope_open(struct span evidence, struct judging *j, char tee[static 16],
                          struct verdict *v)
{
    struct evidence e = {0};
    bool formed = evidence_parse(evidence, &e) == APEX_OK;
    j->report = e.report;
    snprintf(tee, 16, "%.*s", (int)(e.tee.len < 15 ? e.tee.len : 15),
             e.tee.len ? (const char *)e.tee.data : "");
    if (!verdict_check(v, "envelope-form", formed, REASON_MALFORMED,
                       "the envelope has the agreed form"))
        return false;
    return e.supplements.len == 0 ||
           verdict_check(v, "supplements-form",
                         supplements_parse(e.supplements, &j->supplements) == APEX_OK,
                         REASON_MALFORMED,
                         "certificates and collateral beside the report have the agreed form");
}

static apex_status enclave_make(const struct enclave_keys *keys, bool simulated,
                                struct verified_enclave **enclave)
{
    struct verified_enclave *made = malloc(sizeof *made);
    if (!made) return APEX_E_MEMORY;
    *made = (struct verified_enclave){*keys, simulated};
    *enclave = made;
    return APEX_OK;
}

apex_status attest_verify(struct span evidence, const struct enclave_keys *keys,
                          const struct trust_policy *policy, uint64_t now_ms,
                          struct verdict *verdict, struct verified_enclave **enclave)
{
    uint8_t bound[REPORT_DATA_LEN];
    struct judging j = {.at_ms = now_ms, .report_data = SPAN(bound)};
    char tee[16];
    *verdict = (struct verdict){0};
    if (enclave) *enclave = NULL;
    attest_report_data(keys, bound);
    if (envelope_open(evidence, &j, tee, verdict)) bundles_examine(policy, tee, &j, verdict);
    verdict_hold_against(verdict, policy, now_ms);
    verdict_conclude(verdict, policy);
    if (!verdict->genuine || !verdict->acceptable) return APEX_E_UNTRUSTED;
    return enclave ? enclave_make(keys, verdict->simulated, enclave) : APEX_OK;
}

void verified_enclave_free(struct verified_enclave *enclave)
{
    free(enclave);
}

const struct enclave_keys *verified_enclave_keys(const struct verified_enclave *enclave)
{
    return &enclave->keys;
}

bool verified_enclave_simulated(const struct verified_enclave *enclave)
{
    return enclave->simulated;
}
