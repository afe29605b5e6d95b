/* The state of all contracts: what one gets by applying the log's entries in order, and nothing
 * besides.
 *
 * state_apply() is the one place where entries change it, in the enclave at replay and at work
 * and in an auditor's client alike; whether an act is allowed is asked before, of policy.h.
 * Everything here is public (digests, keys, indexes) but the contract keys, which only the
 * enclave has, in locked memory. Not thread-safe: the enclave's core holds its lock. */
#ifndef COMMON_LEDGER_STATE_H
#define COMMON_LEDGER_STATE_H

#include "common/crypto/hpke.h"
#include "common/wire/entry.h"
#include "common/wire/manifest.h"
#include "common/ledger/digest_map.h"

struct contribution {
    uint64_t index; /* of its entry */
    size_t party, dataset;
    uint8_t blob[32];
    bool withdrawn;
    uint64_t withdrawn_at; /* index of the entry */
    bool known;            /* have the three below been read from the blob's sealed head? */
    uint64_t n_rows, n_groups;
    uint8_t digest[32]; /* of the plaintext */
};

struct run {
    uint64_t index; /* of its entry */
    size_t contract, party, function;
    uint8_t request[32], request_blob[32];
    bool has_rows;
    uint8_t rows[32];
    size_t n_visible;      /* contributions the contract had when the run was sequenced */
    uint64_t boots_before; /* enclave entries before the run's */
    unsigned state;        /* enum run_state */
    unsigned permille;
    uint64_t end;           /* index of the result or refuse entry, 0 while there is none */
    uint64_t epsilon_micro; /* what it was charged to the privacy budget */
    bool has_model;
    uint8_t model[32]; /* blob of the model it left */
};

struct contract {
    uint8_t address[32];
    struct manifest *
        manifest; /* NULL: its blob is missing or changed; then nothing but `entries` is kept */
    struct seal_public key;
    struct seal_secret *secret; /* in locked memory, of the state; NULL without contract_keys */
    bool accepted[PARTIES_MAX];
    bool active, closed;
    uint64_t runs_of[PARTIES_MAX];
    uint64_t spent_micro; /* of the privacy budget, by all runs accepted */
    size_t n_contributions, cap_contributions;
    struct contribution *contributions;
    size_t n_entries, cap_entries;
    uint64_t *entries;
};

/* Fills a contract's key pair. Only the enclave can; an auditor has none. */
typedef apex_status (*contract_keys_fn)(const void *context, const uint8_t address[static 32],
                                        struct seal_public *public_key,
                                        struct seal_secret *secret);

/* Secrets share locked memory: each piece of it costs a process four mappings of some 65,000.
 */
enum { SECRETS_A_ROOM = 256 };
struct secret_room {
    struct secret_room *next;
    size_t used;
    struct seal_secret *secrets;
};

struct state {
    contract_keys_fn contract_keys;
    const void *keys;
    struct secret_room *secrets;
    size_t n_contracts, cap_contracts;
    struct contract **contracts;
    uint64_t manifest_bytes; /* of all their texts */
    size_t n_runs, cap_runs;
    struct run **runs;              /* in the log's order */
    size_t n_pending;               /* runs without an end */
    struct digest_map *addresses;   /* address -> contract */
    struct digest_map *acts;        /* SHA-256 of an act's COSE bytes -> entry index */
    struct digest_map *identities;  /* Ed25519 key of an enclave -> entry index */
    struct digest_map *run_entries; /* digest of a run's index -> run */
    uint64_t boots;
    uint8_t first_chain[33]; /* chain key of the log's first enclave: part of its id there */
    uint64_t last_time_ms; /* of the last act: their time never runs backwards. That of a start
                              is the host's word alone, and would hold the log up for ever */
};

/* contract_keys may be NULL: contracts then have no keys. */
apex_status state_init(struct state *s, contract_keys_fn contract_keys, const void *keys);
void state_clear(struct state *s);

/* Applies one entry whose signatures are checked. `act` is the parsed act of `entry`, NULL when
 * it has none; `manifest` is the text for a deploy, empty when the host lost it.
 * APEX_E_UNTRUSTED: the entry does not follow from those before it. */
apex_status state_apply(struct state *s, const struct entry *entry, const struct act *act,
                        const uint8_t author[static 32], struct span manifest);

struct contract *state_contract(const struct state *s, const uint8_t address[static 32]);
struct run *state_run(const struct state *s, uint64_t index);
unsigned contract_state_at(const struct contract *c, uint64_t now_ms); /* enum contract_state */
/* The model a run of `f` uses: that of run `index` (0: the newest) of the function f names,
 * left before entry `before`, none of whose rows had been withdrawn by then; NULL: there is
 * none. */
const struct run *contract_model(const struct state *s, const struct contract *c,
                                 const struct manifest_function *f, uint64_t index,
                                 uint64_t before);
/* Has none of the rows that run `r` was trained on been withdrawn by entry `until`? Rows taken
 * back take the models made of them along: consent is to use, and a model is use. */
bool contract_model_stands(const struct contract *c, const struct run *r, uint64_t until);
/* The contribution with this entry index, or NULL. */
struct contribution *contract_contribution(const struct contract *c, uint64_t index);
bool contract_party(const struct contract *c, const uint8_t key[static 32], size_t *party);

#endif
