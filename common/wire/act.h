/* An act: what a party asks the enclave to do and to record, signed by the party (COSE_Sign1,
 * aad "apex/act/v1"). Payload, deterministic CBOR: {1: "apex/act/v1", 2: kind, 3: address
 * bstr32, 4: time_ms, 5: nonce bstr16, 6: [seen size, seen root bstr32], 7: body} `seen` is the
 * newest checkpoint the author has verified (0 and the empty root before the first). Bodies:
 * deploy {} (the manifest is the blob named by the address); accept {}; contribute {1: dataset,
 * 2: blob bstr32}; withdraw {1: entry index of the contribution}; run {1: function, 2: request
 * digest bstr32, 3: request blob bstr32, ?4: rows blob bstr32}; close {}. */
#ifndef COMMON_WIRE_ACT_H
#define COMMON_WIRE_ACT_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum act_kind {
    ACT_DEPLOY = 1,
    ACT_ACCEPT = 2,
    ACT_CONTRIBUTE = 3,
    ACT_WITHDRAW = 4,
    ACT_RUN = 5,
    ACT_CLOSE = 8
};
enum { ACT_NONCE_LEN = 16, ACT_MAX = 4096 };
#define ACT_AAD "apex/act/v1"

struct act {
    enum act_kind kind;
    uint8_t address[32];
    uint64_t time_ms;
    uint8_t nonce[ACT_NONCE_LEN];
    uint64_t seen_size;
    uint8_t seen_root[32];
    struct span name;           /* contribute: dataset; run: function; lent */
    uint8_t blob[32];           /* contribute: sealed table; run: sealed request */
    uint8_t request_digest[32]; /* run: SHA-256 of the request's plaintext */
    bool has_rows;
    uint8_t rows[32]; /* run: sealed table of private rows */
    uint64_t index;   /* withdraw */
};

void act_write(const struct act *act, struct buffer *payload);
apex_status act_parse(struct span payload, struct act *act);

#endif
