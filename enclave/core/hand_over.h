/* The root secret from one enclave to another (common/wire/peer.h says what is said).
 *
 * Each judges the other by attest_verify() under its own policy, which nobody outside chooses:
 *   - the very same code on the same kind of machine, with firmware no older, always
 *     (tee_is_like); and
 *   - what the trust policy in the image's peers.json accepts, if there is one: it is measured
 *     with the image. (A simulated enclave takes the file from its operator.)
 * States of a giver's nonce: made -> used or forgotten after NONCES more; never twice. Of a
 * newcomer: waiting -> joined (knows its giver and the transcript) -> has the root. A giver
 * puts the newcomer and the digest of its own policy on record, and has the host keep it,
 * before the secret leaves; what leaves only the newcomer's attested key opens. */
#ifndef ENCLAVE_CORE_HAND_OVER_H
#define ENCLAVE_CORE_HAND_OVER_H

#include "enclave/core/acts.h"

enum { NONCES = 16 };

struct hand_over;
/* `peers`: the trust policy's text; empty: none. APEX_E_FORMAT: it does not read. */
apex_status hand_over_new(const struct tee *tee, struct span peers, struct hand_over **h);
void hand_over_free(struct hand_over *h);

/* The giver. hello also tells who a newcomer is. Lock not held. */
enum refusal hand_over_hello(struct core *core, struct outcome *out);
enum refusal hand_over_admit(struct core *core, struct span offer, struct outcome *out);
/* The newcomer; its one thread. receive fills the root and the checkpoint its log must have. */
enum refusal hand_over_join(struct core *core, struct span hello, struct outcome *out);
enum refusal hand_over_receive(struct core *core, struct span grant, struct root_secret *root,
                               struct floor *floor);

#endif
