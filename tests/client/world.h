/* A whole small world in memory, with fresh keys: an enclave, its log, three parties and a
 * contract that ran once. Tests of the client stand on it, and make it lie in one place at a
 * time. */
#ifndef TESTS_CLIENT_WORLD_H
#define TESTS_CLIENT_WORLD_H

#include "client/lib/node.h"
#include "common/wire/package.h"

enum { WORLD_PARTIES = 3, WORLD_ENTRIES_MAX = 800, WORLD_ENCLAVES_MAX = 8 };
#define WORLD_ORIGIN "apex.test/log"
#define WORLD_OUTPUT                                                                           \
    "{\"rows\":30,\"sites\":[{\"latitude\":-36.8485,\"rows\":12},{\"latitude\":-41.25,"        \
    "\"rows\":18}],\"done\":true}"

/* One lie at a time; everything else holds, signatures included. */
enum lie {
    LIE_NONE,
    LIE_EVIDENCE_OTHER_KEYS,
    LIE_EVIDENCE_OTHER_LOG_KEY,
    LIE_ENCLAVE_NOT_NAMED,
    LIE_ENTRY_BY_STRANGER,
    LIE_NOT_DEPLOYED,
    LIE_CONSENT_MISSING,
    LIE_CONSENT_LATE,
    LIE_CONSENT_BY_STRANGER,
    LIE_RUN_BY_STRANGER,
    LIE_RUN_WITHOUT_RIGHT,
    LIE_RUN_OF_OTHER_FUNCTION,
    LIE_RUN_OF_OTHER_CONTRACT,
    LIE_REQUEST_OTHER,
    LIE_ROWS_UNASKED,
    LIE_INPUT_OTHER_BLOB,
    LIE_INPUT_BY_STRANGER,
    LIE_INPUT_AFTER_RUN,
    LIE_INPUT_NO_CONTRIBUTION,
    LIE_PROGRAM_OTHER,
    LIE_OUTPUT_OTHER,
    LIE_CHECKPOINT_BY_OTHER_KEY,
    LIE_CHECKPOINT_OTHER_ROOT,
    LIE_COUNT,
    /* What a receipt cannot show, and the log does. */
    LIE_RECIPIENT_LEFT_OUT = LIE_COUNT,
    LIE_RECIPIENT_STRANGER,
    LIE_MODEL_USED,
    LIE_MODEL_LEFT,
    LIE_FEWER_INPUTS, /* one party's contribution came later */
};

struct world_enclave {
    struct enclave_keys keys;
    struct sign_secret identity;
    uint8_t measurement[32]; /* of its evidence, whenever that is asked for */
};
struct world {
    enum lie lie;
    const char *origin, *tee; /* as the node and its evidence tell them */
    struct sign_secret log;
    struct sign_public log_public;
    struct ecdsa_public chain_public;
    struct ecdsa_secret chain;
    size_t n_enclaves;
    struct world_enclave enclave[WORLD_ENCLAVES_MAX]; /* the last one signs */
    struct apex_identity party[WORLD_PARTIES], stranger;
    struct buffer manifest;
    uint8_t address[32];
    struct buffer request;
    uint8_t seed[32]; /* of the request */
    struct merkle_tree *tree;
    size_t n;
    struct buffer entries[WORLD_ENTRIES_MAX];
    struct buffer note;
    struct checkpoint head;
    uint64_t run, result;
    struct entry result_entry;
};

/* Keys, a manifest and an enclave on record; nothing else has happened. Free it with
 * world_free. */
struct world *world_new(enum lie lie);
/* Another node's: its own enclave and log, the same parties and contract. */
struct world *world_twin(const struct world *of);
void world_free(struct world *w);
/* Another start of the enclave: a new identity with its evidence, on record. */
void world_boot(struct world *w);
uint64_t world_entry(struct world *w, struct entry *entry);
/* An act as party `by` signs it, put into the log. */
uint64_t world_act(struct world *w, const struct apex_identity *by, struct act *act);
/* The log's head, signed. */
void world_sign(struct world *w);
/* Deploys, accepts, contributes, runs and releases. */
void world_live(struct world *w);
/* The result file the client would write. */
char *world_receipt(struct world *w);
/* A trust policy that accepts the last enclave's measurement and pins the log. */
char *world_policy(const struct world *w);
void world_evidence(const struct world *w, const struct world_enclave *e, struct buffer *out);

#endif
