/* A node whose evidence the trust policy accepts. Everything it says is checked here: replies
 * against its attested identity, checkpoints against its log key, logs against what this home
 * has seen before. */
#ifndef CLIENT_LIB_NODE_H
#define CLIENT_LIB_NODE_H

#include "client/lib/home.h"
#include "client/lib/http.h"
#include "client/lib/identity.h"
#include "common/attest/attest.h"
#include "common/attest/signer.h"
#include "common/merkle/checkpoint.h"
#include "common/merkle/tree.h"
#include "common/wire/act.h"
#include "common/wire/entry.h"
#include "common/wire/manifest.h"
#include "common/wire/message.h"
#include "common/wire/refusal.h"

struct mirror {
    struct merkle_tree *tree;
    size_t n, cap;
    struct buffer *entries;
}; /* the log's entries, read and hashed */
struct apex_node {
    const struct apex_home *home;
    struct http *http;
    char url[512];
    struct verified_enclave *enclave;
    struct apex_verdict verdict;
    char origin[ORIGIN_MAX + 1];
    struct checkpoint seen; /* newest, verified */
    struct buffer note;     /* its signed note */
    struct mirror mirror;
};

uint64_t wall_clock_ms(void);
/* Gives a policy the home's bundles. One that is not believed now (expired, or its auditor not
 * named) is passed over; `apex trust bundle check` tells why. */
apex_status trust_bundles_add(const struct apex_home *home, uint64_t at_ms,
                              struct trust_policy *policy, struct apex_error *error);
/* Loads and parses HOME/trust.json, with the bundles the home keeps. APEX_E_NOT_FOUND when
 * there is none. */
apex_status trust_load(const struct apex_home *home, struct trust_policy **policy,
                       struct apex_error *error);
/* The same of a policy in another file, judged as of `at_ms`: a bundle of the home counts while
 * it is valid. */
apex_status trust_load_file(const struct apex_home *home, const char *path, uint64_t at_ms,
                            struct trust_policy **policy, struct apex_error *error);
/* Asks for evidence and judges it; *enclave stays NULL when it is not accepted. keys, origin as
 * the node says. */
apex_status node_evidence(struct http *http, struct buffer *evidence,
                          struct apex_error *error); /* its envelope, unjudged */
apex_status node_attest(struct http *http, const struct trust_policy *policy,
                        struct verdict *verdict, struct enclave_keys *keys,
                        char origin[static ORIGIN_MAX + 1], struct verified_enclave **enclave,
                        struct apex_error *error);
void verdict_copy(const struct verdict *from, const struct enclave_keys *keys,
                  const char *origin, struct apex_verdict *to);

/* Sends a message to whoever is there: the reply answers it and is signed by *signer, of whom
 * nothing is known. A refusal is the reply's. */
apex_status node_ask(struct http *http, enum message_type type, struct span body,
                     struct buffer *bytes, struct reply *reply, struct sign_public *signer,
                     struct apex_error *error);
/* Sends a message and checks the reply's signature and that it answers this message. *reply
 * lends from `bytes`. A refusal comes back as the reply's status, with the error filled. An
 * enclave that was started anew in the meantime is attested first. */
apex_status node_message(struct apex_node *node, enum message_type type, struct span body,
                         struct buffer *bytes, struct reply *reply, struct apex_error *error);
/* Brings `seen` forward to the node's newest checkpoint, proving that it contains the old one,
 * and remembers it. */
apex_status node_refresh(struct apex_node *node, struct apex_error *error);
/* What this home remembers of the node's log (seen.c): `seen` and `note` from the home folder.
 * APEX_E_UNTRUSTED: the file is damaged. */
apex_status seen_load(struct apex_node *node, struct apex_error *error);
/* Takes a checkpoint in, if it is signed and contains the one seen, and remembers it durably.
 * Where another process of this home has remembered one meanwhile, the node must prove that
 * both are of one log; the larger is `seen` then. APEX_E_UNTRUSTED: rolled back or forked;
 * then, as after any failure, `seen` is as it was. */
apex_status seen_advance(struct apex_node *node, const struct wire_proof *proof,
                         struct apex_error *error);
/* The checkpoint that an answer comes with is of the log seen, and not older. */
apex_status seen_agrees(struct apex_node *node, const struct wire_proof *proof,
                        struct apex_error *error);
void proof_hashes(const uint8_t hashes[][32], size_t n, struct merkle_proof *p);
/* Signs and sends an act, and checks that its entry is in the log. *index: where. Sent again
 * after a lost answer it takes effect once. */
apex_status node_act(struct apex_node *node, const struct apex_identity *identity,
                     struct act *act, uint64_t *index, struct apex_error *error);
/* Reads the log up to `seen` and checks it against the checkpoint's root. */
apex_status node_mirror(struct apex_node *node, struct apex_error *error);
/* The checkpoint that witnesses cosigned, if the node has one and it is the log's, and none
 * that the mirror does not reach. Whose lines it bears is not looked at. */
bool node_witnessed(struct apex_node *node, struct buffer *note, struct checkpoint *c);
void mirror_clear(struct mirror *m);
/* The entries of one bundle that are not yet here; its first is entry `first` of `size`. */
apex_status mirror_bundle_add(struct mirror *m, struct span bundle, uint64_t first,
                              uint64_t size);
/* Contract key, state and entries as the enclave says now, by the log seen or what it has grown
 * to. entries: CONTRACT_ENTRIES_MAX of the caller's. */
apex_status node_contract(struct apex_node *node, const uint8_t address[static 32],
                          struct body_contract *body, struct buffer *bytes,
                          struct apex_error *error);
/* The manifest's text, checked against the address, and parsed (either may be NULL). */
apex_status node_manifest(struct apex_node *node, const uint8_t address[static 32],
                          struct buffer *text, struct manifest **manifest,
                          struct apex_error *error);
apex_status address_of(const char *text, uint8_t address[static 32], struct apex_error *error);

#endif
