/* What both sides of a hand-over sign and seal under: everything said so far, and a label of
 * who says it (common/wire/peer.h). */
#ifndef ENCLAVE_CORE_TRANSCRIPT_H
#define ENCLAVE_CORE_TRANSCRIPT_H

#include "common/crypto/hash.h"
#include "common/wire/peer.h"

enum { TRANSCRIPT_INFO_MAX = 64 };

/* APEX_E_FORMAT: evidence that is no envelope. */
apex_status transcript_make(const struct peer_hello *giver, const struct peer_offer *newcomer,
                            uint8_t transcript[static HASH_LEN]);
/* What the newcomer signs, and what the giver signs with its grant. */
void transcript_newcomer(const uint8_t transcript[static HASH_LEN], struct buffer *out);
void transcript_giver(const uint8_t transcript[static HASH_LEN], const struct peer_grant *g,
                      struct buffer *out);
/* HPKE's info for the root secret; gives its length. */
size_t transcript_info(const uint8_t transcript[static HASH_LEN],
                       uint8_t out[static TRANSCRIPT_INFO_MAX]);

#endif
