/* May this act be recorded? Every rule of design section 4 that needs no row and no blob, in
 * one place, without side effects. `now_ms` is the enclave's clock. Leaks: the answer, which is
 * public. */
#ifndef ENCLAVE_CORE_POLICY_H
#define ENCLAVE_CORE_POLICY_H

#include "common/wire/refusal.h"
#include "enclave/core/state.h"

enum { ACT_SKEW_MS = 15 * 60 * 1000, RUNS_PENDING_MAX = 64 };

/* Does the manifest name this very enclave? Asked at every act that brings rows or answers, not
 * at the deployment alone: another build that got hold of the root secret must not serve a
 * contract that did not agree to it. */
bool policy_measurement(const struct manifest *m, const char *tee, struct span measurement);
enum refusal policy_time(const struct act *act, uint64_t now_ms);
/* For a deploy, of a manifest not yet in the state. */
enum refusal policy_deploy(const struct manifest *m, const uint8_t author[static 32],
                           const char *tee, struct span measurement, uint64_t now_ms);
/* For all other acts on a contract. */
enum refusal policy_act(const struct state *s, const struct contract *c, const struct act *act,
                        const uint8_t author[static 32], uint64_t now_ms);

#endif
