/* What two enclaves say to one another when one hands its root secret to the other, and what
 * parties send who recover it from shares. Whoever carries these between them (the operator's
 * `apex node`) is believed in nothing.
 *
 * Hand-over, from the giver G to the newcomer N; each message is the body of a message of
 * message.h, each answer the body of its reply:
 *
 *   hello, to G: {1: nonce bstr32} (a query) -> {1: evidence bstr, 2: identity, 3: identity
 * X25519, 4: log key, 5: chain key bstr33, 6: nonce of G bstr32}. A newcomer answers too: log
 * and chain key zeros, nonce of no use.
 *
 *   join, to N: the answer of hello -> {1: evidence bstr, 2: identity, 3: identity X25519, 4:
 * nonce of N, 5: nonce of G, 6: signature of N bstr64}
 *
 *   admit, to G: the answer of join -> {1: nonce of G, 2: root secret sealed to N (HPKE), 3:
 * checkpoint note bstr, 4: index of the entry that records it, 5: signature of G bstr64}
 *
 *   receive, to N: the answer of admit -> {}
 *
 * Both signatures are Ed25519 by the identity that the evidence binds, over a label of the role
 * and what follows, so that neither can be shown as the other's:
 *
 *   N: "apex/hand-over/newcomer/v1" || T
 *
 *   G: "apex/hand-over/giver/v1" || T || SHA-256(sealed) || SHA-256(note)
 *
 *   T = SHA-256("apex/hand-over/v1" || both nonces, G's first || G's identity, X25519, log key,
 * chain key || N's identity, X25519 || SHA-256(report) of G, of N)
 *
 * HPKE's info is "apex/hand-over/root/v1" || T. Reports, not envelopes, are in T: who carries
 * them may add certificates and collateral.
 *
 * Recovery shares: Shamir's (common/crypto/shamir.h), one per holder named in the recovery
 * policy, sealed to the holder by HPKE with info "apex/share/v1".
 *
 *   shares, to a serving enclave: {1: nonce} -> {1: recovery policy's digest bstr32, 2:
 * [[holder's Ed25519 key, sealed share]…]}
 *
 *   share: {1: "apex/share/v1", 2: place, 3: m, 4: n, 5: 32 bytes, 6: log key, 7: recovery
 * policy's digest, 8: log key's signature over "apex/share/v1" || SHA-256(fields 1 to 7 as
 * here)}
 *
 *   recover, to a newcomer: COSE_Sign1 by the holder (aad "apex/recover/v1") over {1:
 * "apex/recover/v1", 2: newcomer's identity, 3: the share sealed to its X25519 key with info
 * "apex/recover/v1" || newcomer's identity || holder's key} -> {1: shares here, 2: shares
 * needed} */
#ifndef COMMON_WIRE_PEER_H
#define COMMON_WIRE_PEER_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    PEER_EVIDENCE_MAX = 48 * 1024,
    PEER_NOTE_MAX = 4096,
    ROOT_SEALED_LEN = 32 + 48,
    SHARE_MAX = 512,
    HOLDERS_MAX = 32
};
#define RECOVER_AAD "apex/recover/v1"

struct peer_hello {
    struct span evidence;
    uint8_t identity[32], identity_seal[32], log_key[32], chain_key[33], nonce[32];
};
struct peer_offer {
    struct span evidence;
    uint8_t identity[32], identity_seal[32], nonce[32], giver_nonce[32], signature[64];
};
struct peer_grant {
    uint8_t giver_nonce[32], sealed[ROOT_SEALED_LEN];
    struct span note;
    uint64_t index;
    uint8_t signature[64];
};
struct sealed_share {
    uint8_t holder[32];
    struct span sealed;
};
struct sealed_shares {
    uint8_t recovery[32];
    size_t n;
    struct sealed_share share[HOLDERS_MAX];
};
struct share {
    unsigned at, m, n;
    uint8_t bytes[32], log_key[32], recovery[32], signature[64];
};
struct recover {
    uint8_t newcomer[32];
    struct span sealed;
};
struct recovered {
    unsigned have, need;
};

void peer_hello_write(const struct peer_hello *h, struct buffer *out);
apex_status peer_hello_parse(struct span bytes, struct peer_hello *h);
void peer_offer_write(const struct peer_offer *o, struct buffer *out);
apex_status peer_offer_parse(struct span bytes, struct peer_offer *o);
void peer_grant_write(const struct peer_grant *g, struct buffer *out);
apex_status peer_grant_parse(struct span bytes, struct peer_grant *g);
void sealed_shares_write(const struct sealed_shares *s, struct buffer *out);
apex_status sealed_shares_parse(struct span bytes, struct sealed_shares *s);
/* Fields 1 to 7, as they stand in a share: what its signature is over. */
void share_head_write(const struct share *s, struct buffer *out);
void share_write(const struct share *s, struct buffer *out);
apex_status share_parse(struct span bytes, struct share *s);
void recover_write(const struct recover *r, struct buffer *out);
apex_status recover_parse(struct span bytes, struct recover *r);
void recovered_write(const struct recovered *r, struct buffer *out);
apex_status recovered_parse(struct span bytes, struct recovered *r);

#endif
