/* A bundle: what a site without a network needs to judge evidence, signed by an auditor.
 *
 * COSE_Sign1 (Ed25519, external data "apex/bundle/v1") over CBOR {1: "apex/bundle/v1", 2:
 * issued (Unix ms), 3: expires, 4: [[tee text, measurement bstr, label text], ...], 5:
 * [supplements bstr (supplements.h), ...]}.
 *
 * The measurements count where a policy names the auditor's key and an entry says "audited".
 * Collateral and revocation lists carry their vendor's own signatures: a bundle can complete
 * what evidence brings, or show that something was revoked; it can make nothing genuine. */
#ifndef COMMON_ATTEST_BUNDLE_H
#define COMMON_ATTEST_BUNDLE_H

#include "common/attest/attest.h"

enum {
    BUNDLE_MAX = 2 * 1024 * 1024,
    BUNDLE_MEASUREMENTS_MAX = 256,
    BUNDLE_SETS_MAX = 32,
    BUNDLE_LABEL_MAX = 100
};

/* Spans point into the bytes it was opened from, or that the writer lends. */
struct audited {
    struct span tee, measurement, label;
};
struct bundle {
    struct sign_public auditor; /* who signed it; whether to believe is the policy's */
    uint64_t issued_ms, expires_ms;
    size_t n_measurements, n_sets;
    struct audited measurements[BUNDLE_MEASUREMENTS_MAX];
    struct supplements sets[BUNDLE_SETS_MAX];
};

/* Signs and appends. APEX_E_USAGE: a count, label or length is out of bounds, or it expires
 * before it is issued. */
apex_status bundle_seal(const struct sign_secret *auditor, const struct bundle *bundle,
                        struct buffer *out);
/* APEX_E_FORMAT, APEX_E_LIMIT, or APEX_E_UNTRUSTED: the signature does not hold. */
apex_status bundle_open(struct span bytes, struct bundle *bundle);

/* The signed payload alone: what bundle_open() reads once the signature holds. */
apex_status bundle_parse(struct span payload, struct bundle *bundle);

/* Adds a bundle to a policy, which takes a copy. APEX_E_UNTRUSTED: the policy names no such
 * auditor, or the bundle is not valid at `now_ms`; *why (may be NULL) says which. */
apex_status trust_policy_add_bundle(struct trust_policy *policy, struct span bytes,
                                    uint64_t now_ms, const char **why);

/* Examines evidence as judge_examine() does, with what the policy's bundles hold. What a bundle
 * shows to be revoked stays revoked. policy may be NULL. */
void bundles_examine(const struct trust_policy *policy, const char *tee,
                     const struct judging *what, struct verdict *verdict);
/* An auditor of the policy vouches for this measurement; its label, else NULL. */
const struct audited *bundles_measurement(const struct trust_policy *policy, const char *tee,
                                          struct span measurement);

#endif
