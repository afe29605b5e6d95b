#include "common/attest/attest.h"

#include "common/attest/evidence.h"
#include "common/attest/policy.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/ct.h"

#include <stdio.h>
#include <stdlib.h>

struct verified_enclave {
    struct enclave_keys keys;
    bool simulated;
};

static bool check(struct verdict *v, const char *name, bool passes, const char *detail)
{
    struct check *c = &v->checks[v->n_checks++];
    c->name = name;
    c->result = passes ? CHECK_PASS : CHECK_FAIL;
    snprintf(c->detail, sizeof c->detail, "%s", detail);
    return passes;
}

static void not_asked(struct verdict *v, const char *name, const char *detail)
{
    (void)check(v, name, true, detail);
    v->checks[v->n_checks - 1].result = CHECK_NOT_ASKED;
}

/* Is it what it says it is? For the sim: well-formed, and made for these very keys; nothing
 * more can be known. */
static bool sim_genuine(struct span report, const struct enclave_keys *keys, struct verdict *v)
{
    struct sim_report r;
    uint8_t bound[REPORT_DATA_LEN];
    if (!check(v, "evidence-form", sim_report_parse(report, &r) == APEX_OK,
               "the report has the agreed form"))
        return false;
    attest_report_data(keys, bound);
    if (!check(v, "keys-bound", ct_equal(bound, r.report_data, sizeof bound),
               "the evidence was made for the keys this enclave uses"))
        return false;
    not_asked(v, "hardware", "no hardware vouches for a simulated enclave");
    memcpy(v->measurement, r.measurement, sizeof r.measurement);
    v->measurement_len = sizeof r.measurement;
    v->time_ms = r.time_ms;
    return true;
}

static bool distrusted(const struct trust_policy *p, const char *tee)
{
    for (size_t i = 0; i < p->n_distrust; i++)
        if (strcmp(p->distrust[i], tee) == 0) return true;
    return false;
}

static bool measurement_in(const struct accept *a, const struct verdict *v)
{
    for (size_t i = 0; i < a->n_measurements; i++)
        if (a->measurements[i].len == v->measurement_len &&
            memcmp(a->measurements[i].bytes, v->measurement, v->measurement_len) == 0)
            return true;
    return false;
}

static bool young_enough(const struct accept *a, const struct verdict *v, uint64_t now_ms)
{
    uint64_t skew = 5 * 60 * 1000, age = now_ms > v->time_ms ? now_ms - v->time_ms : 0;
    if (v->time_ms > now_ms + skew) return false;
    return a->maximum_age_s == 0 || age / 1000 <= a->maximum_age_s;
}

static bool policy_accepts(const struct trust_policy *p, struct verdict *v, uint64_t now_ms)
{
    const struct accept *of_kind = NULL, *match = NULL;
    for (size_t i = 0; i < p->n_accept; i++) {
        if (strcmp(p->accept[i].tee, v->tee) != 0) continue;
        of_kind = &p->accept[i];
        if (!match && measurement_in(of_kind, v)) match = of_kind;
    }
    char text[160], hex[2 * MEASUREMENT_MAX + 1];
    hex_write(span_of(v->measurement, v->measurement_len), hex);
    bool fine = check(v, "not-distrusted", !distrusted(p, v->tee),
                      "the policy does not distrust this family");
    snprintf(text, sizeof text, of_kind ? "the policy names %s" : "the policy does not name %s",
             v->tee);
    fine &= check(v, "tee-accepted", of_kind != NULL, text);
    snprintf(text, sizeof text, match ? "%.64s is in the policy" : "%.64s is not in the policy",
             hex);
    fine &= check(v, "measurement", match != NULL, text);
    if (match)
        fine &=
            check(v, "age", young_enough(match, v, now_ms),
                  "the evidence is no older than the policy allows, and not from the future");
    else
        not_asked(v, "age", "no accepted measurement to ask it for");
    return fine;
}

static void conclude(struct verdict *v, bool has_policy)
{
    const char *what = v->simulated ? "This enclave is SIMULATED: an ordinary process for "
                                      "development, which its operator can read. "
                                    : "";
    const char *genuine = v->genuine ? "Its evidence is well-formed and bound to its keys"
                                     : "Its evidence is not genuine: trust nothing it says";
    const char *policy = !v->genuine     ? ""
                         : !has_policy   ? "; no policy was given to judge it by"
                         : v->acceptable ? ", and your policy accepts it"
                                         : ", but your policy does not accept it";
    snprintf(v->sentence, sizeof v->sentence, "%s%s%s.", what, genuine, policy);
}

static void judge(struct span evidence, const struct enclave_keys *keys,
                  const struct trust_policy *policy, uint64_t now_ms, struct verdict *v)
{
    struct evidence e = {0};
    bool formed = check(v, "envelope-form", evidence_parse(evidence, &e) == APEX_OK,
                        "the envelope has the agreed form");
    if (!formed) return;
    snprintf(v->tee, sizeof v->tee, "%.*s",
             (int)(e.tee.len < sizeof v->tee ? e.tee.len : sizeof v->tee - 1),
             (const char *)e.tee.data);
    v->simulated = span_equal(e.tee, SPAN_TEXT("sim"));
    if (!check(v, "tee-known", v->simulated, "this version can judge this kind of evidence"))
        return;
    v->genuine = check(v, "no-supplements", e.supplements.len == 0,
                       "a simulated enclave carries no certificates") &&
                 sim_genuine(e.report, keys, v);
    if (v->genuine && policy)
        v->acceptable = policy_accepts(policy, v, now_ms);
    else
        not_asked(v, "policy",
                  policy ? "evidence that is not genuine is not held against a policy"
                         : "no policy was given");
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
    *verdict = (struct verdict){0};
    if (enclave) *enclave = NULL;
    judge(evidence, keys, policy, now_ms, verdict);
    conclude(verdict, policy != NULL);
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
