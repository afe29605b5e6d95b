/* What a policy does with the bundles it was given. */
#include "common/attest/bundle.h"
#include "common/attest/judge.h"
#include "common/attest/policy.h"
#include "common/base/try.h"

#include <stdlib.h>

static bool names_auditor(const struct trust_policy *p, const struct sign_public *key)
{
    for (size_t i = 0; i < p->n_auditors; i++)
        if (memcmp(p->auditors[i].bytes, key->bytes, sizeof key->bytes) == 0) return true;
    return false;
}

static apex_status refuse(const char **why, const char *words, apex_status s)
{
    if (why) *why = words;
    return s;
}

static apex_status judge_bundle(const struct trust_policy *p, const struct held_bundle *b,
                                apex_status opened, uint64_t now_ms, const char **why)
{
    if (opened == APEX_E_UNTRUSTED) return refuse(why, "its signature does not hold", opened);
    if (opened != APEX_OK) return refuse(why, "it is not a bundle", opened);
    if (!names_auditor(p, &b->bundle.auditor))
        return refuse(why, "the trust policy does not name the auditor who signed it",
                      APEX_E_UNTRUSTED);
    if (now_ms < b->bundle.issued_ms)
        return refuse(why, "it was issued after this time", APEX_E_UNTRUSTED);
    if (now_ms > b->bundle.expires_ms) return refuse(why, "it has expired", APEX_E_UNTRUSTED);
    return APEX_OK;
}

apex_status trust_policy_add_bundle(struct trust_policy *policy, struct span bytes,
                                    uint64_t now_ms, const char **why)
{
    struct held_bundle *b = calloc(1, sizeof *b);
    if (!b) return refuse(why, "there is no memory", APEX_E_MEMORY);
    b->bytes.max = BUNDLE_MAX;
    buffer_append(&b->bytes, bytes);
    apex_status s = buffer_ok(&b->bytes) == APEX_OK
                        ? bundle_open(buffer_span(&b->bytes), &b->bundle)
                        : APEX_E_LIMIT;
    s = judge_bundle(policy, b, s, now_ms, why);
    if (s != APEX_OK) {
        held_bundles_free(b);
        return s;
    }
    b->next = policy->bundles;
    policy->bundles = b;
    return APEX_OK;
}

void held_bundles_free(struct held_bundle *first)
{
    while (first) {
        struct held_bundle *next = first->next;
        buffer_clear(&first->bytes);
        free(first);
        first = next;
    }
}

const struct audited *bundles_measurement(const struct trust_policy *policy, const char *tee,
                                          struct span measurement)
{
    for (const struct held_bundle *b = policy ? policy->bundles : NULL; b; b = b->next)
        for (size_t i = 0; i < b->bundle.n_measurements; i++) {
            const struct audited *a = &b->bundle.measurements[i];
            if (span_equal(a->tee, span_text(tee)) && span_equal(a->measurement, measurement))
                return a;
        }
    return NULL;
}

/* A chip's certificate where none came along, and AMD's revocation list. */
static bool merge_amd(const struct supplements *set, struct supplements *into)
{
    struct span *certificate = &into->part[SUPPLEMENT_CERTIFICATES];
    bool lacks = certificate->len == 0 && set->part[SUPPLEMENT_CERTIFICATES].len > 0;
    bool list = set->part[SUPPLEMENT_AMD_CRL].len > 0;
    if (lacks) *certificate = set->part[SUPPLEMENT_CERTIFICATES];
    if (list) into->part[SUPPLEMENT_AMD_CRL] = set->part[SUPPLEMENT_AMD_CRL];
    return lacks || list;
}

/* Intel's collateral is of one time and platform: taken whole, in place of what came along. */
static bool merge_intel(const struct supplements *set, struct supplements *into)
{
    bool any = false;
    for (unsigned i = SUPPLEMENT_TCB_INFO; i <= SUPPLEMENT_ROOT_CA_CRL; i++) {
        any = any || set->part[i].len > 0;
        into->part[i] = set->part[i];
    }
    return any;
}

/* What of `set` is of this family; false: nothing. */
static bool merge(const char *tee, const struct supplements *set, struct supplements *into)
{
    if (strcmp(tee, "sev-snp") == 0) return merge_amd(set, into);
    if (strcmp(tee, "tdx") == 0 || strcmp(tee, "sgx") == 0) return merge_intel(set, into);
    return false;
}

static size_t not_asked(const struct verdict *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n_checks; i++)
        n += v->checks[i].result == CHECK_NOT_ASKED;
    return n;
}

/* A set of another platform or time changes nothing; one that fits completes the evidence. */
static bool better(const struct verdict *a, const struct verdict *than)
{
    return a->genuine && (!than->genuine || not_asked(a) < not_asked(than));
}

static bool final(const struct verdict *v)
{
    return v->reason == REASON_REVOKED || v->reason == REASON_TCB_REVOKED;
}

struct trial {
    struct verdict before, tried;
};

static void with_sets(const struct bundle *b, const char *tee, const struct judging *what,
                      struct trial *t, struct verdict *v)
{
    for (size_t i = 0; i < b->n_sets && !final(v); i++) {
        struct judging j = *what;
        if (!merge(tee, &b->sets[i], &j.supplements)) continue;
        t->tried = t->before;
        judge_examine(tee, &j, &t->tried);
        if (!final(&t->tried) && !better(&t->tried, v)) continue;
        *v = t->tried;
        (void)verdict_check(
            v, "bundle", true, REASON_NONE,
            "an auditor's bundle was consulted beside what the evidence brought");
    }
}

void bundles_examine(const struct trust_policy *policy, const char *tee,
                     const struct judging *what, struct verdict *verdict)
{
    bool any = policy && policy->bundles;
    struct trial *t = any ? malloc(sizeof *t) : NULL;
    if (any && !t) { /* what a bundle knows to be revoked would be missed */
        (void)verdict_check(verdict, "bundle", false, REASON_INTERNAL, "there is no memory");
        return;
    }
    if (t) t->before = *verdict;
    judge_examine(tee, what, verdict);
    for (const struct held_bundle *b = any ? policy->bundles : NULL; b; b = b->next)
        with_sets(&b->bundle, tee, what, t, verdict);
    free(t);
}
