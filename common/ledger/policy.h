/* May this be recorded? Every rule of design section 4 that needs no row and no blob, in one
 * place, without side effects: the enclave asks before it appends, and asks again of every
 * entry at replay, as an auditor does (replay.h). `now_ms` is the time the entry carries.
 * Leaks: the answer, which is public. */
#ifndef COMMON_LEDGER_POLICY_H
#define COMMON_LEDGER_POLICY_H

#include "common/wire/refusal.h"
#include "common/ledger/state.h"

enum { ACT_SKEW_MS = 15 * 60 * 1000 };

/* Does the manifest name this very enclave? Asked at every act that brings rows or answers, not
 * at the deployment alone: another build that got hold of the root secret must not serve a
 * contract that did not agree to it. */
bool policy_measurement(const struct manifest *m, const char *tee, struct span measurement);
enum refusal policy_time(const struct act *act, uint64_t now_ms);
/* For a deploy, of a manifest not yet in the state. */
enum refusal policy_deploy(const struct manifest *m, const uint8_t author[static 32],
                           const char *tee, struct span measurement, uint64_t now_ms);
/* For all other acts on a contract. */
enum refusal policy_act(const struct contract *c, const struct act *act,
                        const uint8_t author[static 32], uint64_t now_ms);
/* What a run needs of its contract besides the right: a model to use (that of run `model`, 0
 * for the newest), and privacy left. A run is charged when it is accepted, before anything is
 * computed, and stays charged: nobody can learn an answer and take the charge back. */
enum refusal policy_afford(const struct state *s, const struct contract *c,
                           const struct manifest_function *f, uint64_t epsilon_micro,
                           uint64_t model);
/* The end of a run, as the log tells it: of a run that has none yet, by the program and for the
 * request it was asked for, from contributions that were there and not withdrawn before it, to
 * the parties that may receive. *why (fixed text) tells what is not so. */
enum refusal policy_end(const struct state *s, const struct contract *c, const struct entry *e,
                        const char **why);

#endif
