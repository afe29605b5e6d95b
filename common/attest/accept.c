#include "common/attest/accept.h"

#include "common/attest/checks.h"
#include "common/attest/policy.h"
#include "common/base/hex.h"

#include <stdio.h>

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

static bool carries_time(const struct verdict *v)
{
    return strcmp(v->tee, "sim") == 0 || strcmp(v->tee, "nitro") == 0;
}

/* What the entry asks of this family beyond a measurement. */
static bool family_accepts(const struct accept *a, struct verdict *v)
{
    if (strcmp(v->tee, "tdx") == 0 || strcmp(v->tee, "sgx") == 0)
        return intel_rules_hold(&a->intel, &v->private_claims.of.intel, v);
    if (strcmp(v->tee, "sev-snp") == 0)
        return snp_rules_hold(&a->snp, &v->private_claims.of.snp, v);
    if (strcmp(v->tee, "nitro") == 0)
        return nitro_rules_hold(&a->nitro, &v->private_claims.of.nitro, v);
    return true;
}

/* The entry whose measurements hold this one: its own, or an auditor's where it asks for them.
 */
static const struct accept *match_find(const struct trust_policy *p, const struct verdict *v,
                                       const struct accept **of_kind,
                                       const struct audited **vouched)
{
    struct span measured = span_of(v->measurement, v->measurement_len);
    const struct audited *listed = bundles_measurement(p, v->tee, measured);
    *of_kind = NULL;
    *vouched = NULL;
    for (size_t i = 0; i < p->n_accept; i++) {
        if (strcmp(p->accept[i].tee, v->tee) != 0) continue;
        *of_kind = &p->accept[i];
        if (measurement_in(*of_kind, v)) return *of_kind;
        if (!(*of_kind)->audited || !listed) continue;
        *vouched = listed;
        return *of_kind;
    }
    return NULL;
}

/* Of a TD the beginning of each register: one of them may be all that differs. */
static void measurement_words(const struct verdict *v, char words[static 128])
{
    enum { REGISTER = 48, SHOWN = 10 };
    char hex[3][2 * REGISTER + 1] = {{0}};
    if (v->measurement_len != TD_MEASUREMENT_LEN) {
        hex_write(span_of(v->measurement,
                          v->measurement_len < REGISTER ? v->measurement_len : REGISTER),
                  hex[0]);
        snprintf(words, 128, "%.96s%s", hex[0], v->measurement_len > REGISTER ? "…" : "");
        return;
    }
    for (size_t i = 0; i < 3; i++)
        hex_write(span_of(v->measurement + i * REGISTER, SHOWN), hex[i]);
    snprintf(words, 128, "MRTD %.20s…, RTMR1 %.20s…, RTMR2 %.20s…", hex[0], hex[1], hex[2]);
}

static bool measurement_told(const struct accept *match, const struct audited *vouched,
                             struct verdict *v)
{
    char words[128];
    measurement_words(v, words);
    if (vouched)
        return verdict_check(v, "measurement", true, REASON_NONE,
                             "an auditor of the policy vouches for it: %.*s",
                             (int)vouched->label.len, (const char *)vouched->label.data);
    return verdict_check(v, "measurement", match != NULL, REASON_POLICY,
                         match ? "%s is in the policy" : "%s is not in the policy", words);
}

static bool age_told(const struct accept *match, struct verdict *v, uint64_t now_ms)
{
    if (!match) {
        verdict_not_asked(v, "age", "no accepted measurement to ask it for");
        return true;
    }
    if (!carries_time(v)) {
        verdict_not_asked(v, "age",
                          "such reports carry no time: fresh is the signed answer to "
                          "this client's nonce");
        return true;
    }
    return verdict_check(
        v, "age", young_enough(match, v, now_ms), REASON_POLICY,
        "the evidence is no older than the policy allows, and not from the future");
}

static bool policy_accepts(const struct trust_policy *p, struct verdict *v, uint64_t now_ms)
{
    const struct accept *of_kind;
    const struct audited *vouched;
    const struct accept *match = match_find(p, v, &of_kind, &vouched);
    bool fine = verdict_check(v, "not-distrusted", !distrusted(p, v->tee), REASON_POLICY,
                              "the policy does not distrust this family");
    fine &=
        verdict_check(v, "tee-accepted", of_kind != NULL, REASON_POLICY,
                      of_kind ? "the policy names %s" : "the policy does not name %s", v->tee);
    fine &= measurement_told(match, vouched, v);
    /* Without an accepted measurement the rules are told all the same: people want to know. */
    if (of_kind) fine &= family_accepts(match ? match : of_kind, v);
    return age_told(match, v, now_ms) && fine;
}

void verdict_hold_against(struct verdict *v, const struct trust_policy *policy, uint64_t now_ms)
{
    if (v->genuine && policy)
        v->acceptable = policy_accepts(policy, v, now_ms);
    else
        verdict_not_asked(v, "policy", "%s",
                          policy ? "evidence that is not genuine is not held against a policy"
                                 : "no policy was given");
}

/* What genuine evidence comes from, in words. */
static const char *machine_of(const struct verdict *v)
{
    static const struct {
        const char *tee, *words;
    } machines[] = {{"sev-snp", "an AMD SEV-SNP machine"},
                    {"tdx", "an Intel TDX machine"},
                    {"sgx", "an Intel SGX enclave"},
                    {"nitro", "an AWS Nitro enclave"}};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (strcmp(v->tee, machines[i].tee) == 0) return machines[i].words;
    return "a machine of its kind";
}

static bool debugged(const struct verdict *v)
{
    return v->findings >> FINDING_DEBUG_ALLOWED & 1 || v->findings >> FINDING_DEBUG & 1 ||
           v->findings >> FINDING_DEBUG_PCRS_ZERO & 1;
}

static const char *first_failure(const struct verdict *v)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (v->checks[i].result == CHECK_FAIL) return v->checks[i].detail;
    return "it was not asked";
}

void verdict_conclude(struct verdict *v, const struct trust_policy *asked)
{
    static const char simulated[] = "This enclave is SIMULATED: an ordinary process for "
                                    "development, which its operator can read. Its evidence is "
                                    "well-formed and bound to its keys";
    char genuine[200];
    if (!v->genuine) {
        snprintf(v->sentence, sizeof v->sentence,
                 "Nothing shows that its evidence is genuine, so trust nothing it says: %s.",
                 first_failure(v));
        return;
    }
    snprintf(genuine, sizeof genuine,
             v->simulated ? "%s%s" : "Its evidence is genuine: it comes from %s%s",
             v->simulated ? simulated : machine_of(v),
             debugged(v) ? ", in DEBUG mode, which its operator can read" : "");
    if (!asked)
        snprintf(v->sentence, sizeof v->sentence, "%s; no policy was given to judge it by.",
                 genuine);
    else if (v->acceptable)
        snprintf(v->sentence, sizeof v->sentence, "%s, and your policy accepts it.", genuine);
    else
        snprintf(v->sentence, sizeof v->sentence, "%s. But your policy does not accept it: %s.",
                 genuine, first_failure(v));
}
