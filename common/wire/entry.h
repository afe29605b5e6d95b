/* An entry of the log: COSE_Sign1 by the enclave that sequenced it (aad "apex/entry/v1"), at
 * most ENTRY_MAX bytes. Payload: {1: "apex/entry/v1", 2: kind, 3: index, 4: time_ms, 5: address
 * bstr (32, or empty for enclave), ?6: act bstr (the party's COSE_Sign1), 7: body}. Kinds 1-5
 * and 8 are those of act.h and carry the act; the others: 6 result  {1: run index, 2: output
 * digest, 3: program digest, 4: request digest, 5: [[contribution index, blob digest]...], 6:
 * [[recipient's signing key, result blob digest]...], ?7: rows blob digest, ?8: digest of the
 * sealed model it left, ?9: run index that left the model it used} 7 refuse  {1: run
 * index, 2: state (1 refused, 2 failed), 3: refusal code (refusal.h), 4: detail text (public)}
 *   9 enclave {1: evidence bstr, 2: identity Ed25519 bstr32, 3: identity X25519 bstr32, 4: log
 * key Ed25519 bstr32, 5: chain key secp256k1 bstr33 (compressed), ?6:
 * digest of the policy under which the signer handed this one the root secret (log and chain
 * key are zeros then)} Body of the act kinds is {}, but of a run that is charged to the privacy
 * budget {1: millionths of epsilon}. */
#ifndef COMMON_WIRE_ENTRY_H
#define COMMON_WIRE_ENTRY_H

#include "common/wire/act.h"

enum entry_kind {
    ENTRY_RESULT = 6,
    ENTRY_REFUSE = 7,
    ENTRY_ENCLAVE = 9
}; /* and the act kinds */
enum { ENTRY_INPUTS_MAX = 512, ENTRY_RECIPIENTS_MAX = 64, ENTRY_DETAIL_MAX = 160 };
#define ENTRY_AAD "apex/entry/v1"

struct entry_input {
    uint64_t index;
    uint8_t blob[32];
};
struct entry_recipient {
    uint8_t key[32];
    uint8_t blob[32];
};

struct entry {
    unsigned kind;
    uint64_t index;
    uint64_t time_ms;
    bool has_address;
    uint8_t address[32];
    struct span act;                              /* COSE_Sign1 bytes, lent; len 0 when none */
    uint64_t epsilon_micro;                       /* run: what it costs, or 0 */
    uint64_t run;                                 /* result, refuse */
    uint8_t output[32], program[32], request[32]; /* result */
    bool has_rows;
    uint8_t rows[32];
    bool has_model;
    uint8_t model[32]; /* the blob of the model it left */
    bool used_model;
    uint64_t model_run; /* whose model it used */
    size_t n_inputs;
    struct entry_input inputs[ENTRY_INPUTS_MAX];
    size_t n_recipients;
    struct entry_recipient recipients[ENTRY_RECIPIENTS_MAX];
    unsigned state, code; /* refuse */
    struct span detail;
    struct span evidence; /* enclave */
    uint8_t identity[32], identity_seal[32], log_key[32], chain_key[33];
    bool admitted; /* enclave: by another, which signs, under its policy */
    uint8_t peer_policy[32];
};

void entry_write(const struct entry *entry, struct buffer *payload);
apex_status entry_parse(struct span payload, struct entry *entry);

#endif
