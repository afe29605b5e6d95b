/* HPKE sealing with the sender's ephemeral key given from outside, so that it can be held
 * against RFC 9180's vectors. Nothing but hpke.c and its tests includes this: an ephemeral key
 * that seals twice gives both plaintexts away. */
#ifndef COMMON_CRYPTO_HPKE_EPHEMERAL_H
#define COMMON_CRYPTO_HPKE_EPHEMERAL_H

#include "common/crypto/hpke.h"

apex_status hpke_seal_ephemeral(const struct seal_secret *ephemeral,
                                const struct seal_public *to, struct span info, struct span aad,
                                struct span plaintext, uint8_t *out);

#endif
