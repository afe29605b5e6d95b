/* What a client posts and what the enclave answers.
 * Message: {1: "apex/message/v1", 2: type, 3: body bstr}
 *   1 act       body = COSE_Sign1 of an act
 *   2 attest    body = CBOR {1: nonce bstr32}
 *   3 contract  body = CBOR {1: nonce bstr32, 2: address bstr32}
 *   4 prove     body = CBOR {1: nonce bstr32, 2: [old size, old root], ?3: entry index}
 *   5 run       body = CBOR {1: nonce bstr32, 2: run index}            how far a run is
 *   6 statement body = CBOR {1: nonce bstr32, 2: [anchored size, anchored root], ?3: entry
 * index, 4: chain id, 5: registry bstr20, 6: payee bstr20} the statement for a chain of that
 * entry, or, without one, of the newest checkpoint (common/chain/statement.h); asked by the
 * host alone Reply: COSE_Sign1 by the enclave's identity (aad "apex/reply/v1"), payload {1:
 * "apex/reply/v1", 2: SHA-256 of the message bytes, 3: status (apex_status), 4: refusal code,
 * 5: detail text (public), 6: body bstr (below, empty unless status is OK), 7: sealed bstr
 * (HPKE to the author's key, row-level detail; may be empty)} Bodies, CBOR: act       {1: entry
 * index, 2: entry bstr, 3: proof} attest    {1: evidence bstr, 2: identity key, 3: identity
 * seal key, 4: log key, 5: origin text, 6: proof of consistency from size 0, 7: chain key
 * bstr33} contract {1: contract X25519 key bstr32, 2: state (1 deployed, 2 active, 3 expired, 4
 * closed), 3: [entry index...] all entries of the contract, 4: proof} prove     {1: entry bstr
 * (empty if none asked), 2: proof} run       {1: state (1 requested, 2 running, 3 released, 4
 * refused, 5 failed), 2: entry index of result or refuse (0 if none), 3: progress permille}
 * proof = {1: checkpoint note bstr, 2: [consistency hashes from the act's or request's seen
 * size], 3: [inclusion hashes of the entry]} */
#ifndef COMMON_WIRE_MESSAGE_H
#define COMMON_WIRE_MESSAGE_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum message_type {
    MESSAGE_ACT = 1,
    MESSAGE_ATTEST = 2,
    MESSAGE_CONTRACT = 3,
    MESSAGE_PROVE = 4,
    MESSAGE_RUN = 5,
    MESSAGE_STATEMENT = 6,
    /* Between enclaves, and of recovery shares: peer.h. */
    MESSAGE_HELLO = 7,
    MESSAGE_JOIN = 8,
    MESSAGE_ADMIT = 9,
    MESSAGE_RECEIVE = 10,
    MESSAGE_SHARES = 11,
    MESSAGE_RECOVER = 12,
    MESSAGE_RERUN = 13 /* rerun.h */
};
enum {
    MESSAGE_MAX = 64 * 1024,
    REPLY_MAX = 1024 * 1024,
    PROOF_HASHES_MAX = 64,
    MESSAGE_NONCE_LEN = 32,
    CONTRACT_ENTRIES_MAX = 16384
};
#define REPLY_AAD "apex/reply/v1"
enum contract_state {
    CONTRACT_DEPLOYED = 1,
    CONTRACT_ACTIVE = 2,
    CONTRACT_EXPIRED = 3,
    CONTRACT_CLOSED = 4
};
enum run_state {
    RUN_REQUESTED = 1,
    RUN_RUNNING = 2,
    RUN_RELEASED = 3,
    RUN_REFUSED = 4,
    RUN_FAILED = 5
};

/* A run as people know tasks from chains: requested, running, verified (released: its answer is
 * signed, its proof is public), refused, failed; "refunded" is the chain's to say. */
const char *task_name(unsigned run_state);
#define TASK_REFUNDED "refunded"

struct message {
    enum message_type type;
    struct span body;
};
struct query { /* bodies of types 2..6; fields not of the type are zero */
    uint8_t nonce[MESSAGE_NONCE_LEN];
    uint8_t address[32];
    uint64_t old_size;
    uint8_t old_root[32];
    bool has_index;
    uint64_t index; /* prove, statement: entry; run: run index */
    uint64_t chain_id;
    uint8_t registry[20], payee[20]; /* statement */
};
struct reply {
    uint8_t message_digest[32];
    apex_status status;
    unsigned code; /* enum refusal, 0 when none */
    struct span detail;
    struct span body, sealed;
};
struct wire_proof {
    struct span note;
    size_t n_consistency, n_inclusion;
    uint8_t consistency[PROOF_HASHES_MAX][32], inclusion[PROOF_HASHES_MAX][32];
};
struct body_act {
    uint64_t index;
    struct span entry;
    struct wire_proof proof;
};
struct body_attest {
    struct span evidence;
    uint8_t identity[32], identity_seal[32], log_key[32], chain_key[33];
    struct span origin;
    struct wire_proof proof;
};
struct body_contract {
    uint8_t key[32];
    enum contract_state state;
    size_t n_entries;
    uint64_t *entries; /* parse: points to caller's array of CONTRACT_ENTRIES_MAX */
    struct wire_proof proof;
};
struct body_prove {
    struct span entry;
    struct wire_proof proof;
};
struct body_run {
    enum run_state state;
    uint64_t index;
    unsigned permille;
};

/* What the enclave says to a chain. kind: enum statement_kind. */
enum { STATEMENT_WORDS_LEN_MAX = 8 * 32 };
struct body_statement {
    unsigned kind;
    struct span words;
    uint8_t r[32], s[32];
    unsigned parity;
    struct wire_proof proof;
};

void message_write(enum message_type type, struct span body, struct buffer *out);
apex_status message_parse(struct span bytes, struct message *m);
void query_write(enum message_type type, const struct query *q, struct buffer *out);
apex_status query_parse(enum message_type type, struct span bytes, struct query *q);
void reply_write(const struct reply *r, struct buffer *payload);
apex_status reply_parse(struct span payload, struct reply *r);
void body_act_write(const struct body_act *b, struct buffer *out);
apex_status body_act_parse(struct span bytes, struct body_act *b);
void body_attest_write(const struct body_attest *b, struct buffer *out);
apex_status body_attest_parse(struct span bytes, struct body_attest *b);
void body_contract_write(const struct body_contract *b, struct buffer *out);
apex_status body_contract_parse(struct span bytes, struct body_contract *b);
void body_prove_write(const struct body_prove *b, struct buffer *out);
apex_status body_prove_parse(struct span bytes, struct body_prove *b);
void body_run_write(const struct body_run *b, struct buffer *out);
apex_status body_run_parse(struct span bytes, struct body_run *b);
void body_statement_write(const struct body_statement *b, struct buffer *out);
apex_status body_statement_parse(struct span bytes, struct body_statement *b);

#endif
