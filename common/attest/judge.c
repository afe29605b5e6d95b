#include "common/attest/judge.h"

#include "common/crypto/ct.h"

bool judge_binding(const struct judging *j, struct span bound, enum reason why,
                   struct verdict *v)
{
    if (!j->report_data.data) {
        verdict_not_asked(v, "keys-bound", "nobody said which keys the evidence must be for");
        return true;
    }
    bool same =
        j->report_data.len == bound.len && ct_equal(j->report_data.data, bound.data, bound.len);
    return verdict_check(v, "keys-bound", same, why, "%s",
                         same ? "the evidence was made for the keys this enclave uses"
                              : "the evidence was made for other keys than these");
}

static bool of_revocation(enum reason why)
{
    return why == REASON_REVOKED || why == REASON_COLLATERAL_MISSING ||
           why == REASON_COLLATERAL_EXPIRED || why == REASON_COLLATERAL_NOT_YET_VALID ||
           why == REASON_COLLATERAL_SIGNATURE_INVALID;
}

static const char *chain_words(enum reason why)
{
    switch (why) {
    case REASON_ROOT_UNTRUSTED: return "the certificates end in a root that is not";
    case REASON_LEAF_EXPIRED:
        return "a certificate had expired at that time; else up to a root of";
    case REASON_LEAF_NOT_YET_VALID:
        return "a certificate was not valid yet at that time; else up to a root of";
    case REASON_INTERNAL: return "no memory to check the certificates of";
    default: return "the certificates do not lead to the root of";
    }
}

static const char *revocation_words(enum reason why)
{
    switch (why) {
    case REASON_REVOKED: return "has revoked a certificate of this chain";
    case REASON_COLLATERAL_MISSING:
        return "publishes revocation lists, but the one needed is not here";
    case REASON_COLLATERAL_EXPIRED:
        return "has newer revocation lists than the one here, which is out of date";
    case REASON_COLLATERAL_NOT_YET_VALID:
        return "issued the revocation list here after the time asked for";
    default: return "did not sign the revocation list here";
    }
}

bool judge_chain(const struct chain *chain, const char *vendor, struct verdict *v)
{
    enum reason why = chain_verify(chain);
    if (why != REASON_NONE && !of_revocation(why))
        return verdict_check(v, "chain", false, why, "%s %s", chain_words(why), vendor);
    (void)verdict_check(v, "chain", true, REASON_NONE,
                        "the certificates lead to the root of %s that is compiled in", vendor);
    if (why != REASON_NONE)
        return verdict_check(v, "not-revoked", false, why, "%s %s", vendor,
                             revocation_words(why));
    if (chain->n_lists > 0)
        return verdict_check(v, "not-revoked", true, REASON_NONE,
                             "no certificate is in a revocation list of %s", vendor);
    verdict_not_asked(v, "not-revoked", "no revocation list of %s is here to look into",
                      vendor);
    return true;
}
