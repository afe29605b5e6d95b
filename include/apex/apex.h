/* libapex: what a data owner's program needs. It verifies an enclave before it seals to it,
 * checks every reply against the log, and keeps receipts. Plaintext and keys stay in the
 * caller's process.
 *
 * Errors: every call that can fail takes a struct apex_error (never NULL) and fills it with
 * words for people: what happened, what was not done, what to do next, and who can. Texts in
 * errors, verdicts, verifications and events may hold what a node or a file says: it is UTF-8
 * that moves no cursor and hides nothing (other bytes stand as \xHH). Memory:
 * what an apex_*_new or _open gives is freed by the call named beside it; texts given out as
 * char * are freed with free(). Not thread-safe: one apex_home and what came from it in one
 * thread at a time. */
#ifndef APEX_APEX_H
#define APEX_APEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/apex/status.h"

#define APEX_API __attribute__((visibility("default")))

struct apex_error {
    apex_status status;
    char what[240], not_done[120], next[280], who[40];
    char refusal[40]; /* the stable name when the enclave or contract refused; else empty */
};

/* First thing in main: no core dumps, memory locked where allowed, libraries started. */
APEX_API apex_status apex_start(struct apex_error *error);

/* A folder of identities, trust policy and remembered checkpoints, made with mode 0700. NULL:
 * $APEX_HOME, else ~/.config/apex. */
struct apex_home;
APEX_API apex_status apex_home_open(const char *folder, struct apex_home **home,
                                    struct apex_error *error);
APEX_API void apex_home_close(struct apex_home *home);
APEX_API const char *apex_home_path(const struct apex_home *home);

/* A party's keys: Ed25519 to sign, X25519 to open results. The file has mode 0600; a passphrase
 * (may be NULL) seals it (Argon2id). An identity is never overwritten. name NULL at open: the
 * only one there is. */
struct apex_identity;
APEX_API apex_status apex_identity_new(struct apex_home *home, const char *name,
                                       const char *passphrase, struct apex_error *error);
APEX_API apex_status apex_identity_open(struct apex_home *home, const char *name,
                                        const char *passphrase, struct apex_identity **identity,
                                        struct apex_error *error);
APEX_API void apex_identity_free(struct apex_identity *identity);
APEX_API const char *apex_identity_name(const struct apex_identity *identity);
/* {"name":…,"sign":hex,"seal":hex}: what goes into a manifest. */
APEX_API char *apex_identity_public(const struct apex_identity *identity);

/* A check by name, as verdicts and verifications list them. result: 1 pass, 0 fail, -1 not
 * asked. */
struct apex_check {
    char name[48];
    int result;
    char detail[200];
};
/* A thing evidence says, by name, in words. */
struct apex_fact {
    char name[40], value[200];
};
struct apex_verdict {
    bool genuine, acceptable, simulated;
    char tee[16], measurement[289], origin[129], log_key[65];
    char product[16]; /* "Turin"; empty when there is none */
    char reason[40];  /* the stable name of why it was refused; "none" */
    int64_t at_ms;    /* the time it was judged as of */
    size_t n_checks;
    struct apex_check checks[64];
    size_t n_facts, n_findings; /* none unless genuine */
    struct apex_fact facts[48];
    struct apex_fact findings[16]; /* what a risk officer may mind */
    char sentence[400];
};

/* Writes a trust policy from a node's live evidence; refuses to overwrite one unless `replace`.
 * People are to look at it. What nobody should accept (debug, migration) is not written into
 * it.
 */
APEX_API apex_status apex_trust_init(struct apex_home *home, const char *url, bool replace,
                                     struct apex_verdict *verdict, struct apex_error *error);
/* Judges a node by the policy: its evidence, and (check "log-pinned") the log it keeps.
 * APEX_E_UNTRUSTED with the verdict filled when it does not hold. */
APEX_API apex_status apex_trust_check(struct apex_home *home, const char *url,
                                      struct apex_verdict *verdict, struct apex_error *error);
/* Keeps a node's live evidence in a file, unjudged: for apex_trust_check_file, and for
 * auditors. */
APEX_API apex_status apex_trust_evidence(const char *url, const char *path,
                                         struct apex_error *error);
/* The same of evidence in files, offline. */
struct apex_evidence {
    const char *file;         /* an evidence envelope, or a bare report, quote or document */
    const char *tee;          /* "sev-snp" and so on; NULL: told by its bytes */
    const char *certificates; /* SNP: the VCEK or VLEK, or the kernel's table; may be NULL */
    const char
        *collateral;    /* a folder: tcb_info.json, qe_identity.json, tcb_signing.pem,
                           pck_crl.der, root_ca_crl.der, amd_crl.der (or .pem); may be NULL */
    const char *policy; /* a policy's file; NULL: the home's, if there is one */
    int64_t at_ms;      /* Unix time to judge it as of; 0: now */
};
/* APEX_OK only when it is genuine and a policy accepts it; else APEX_E_UNTRUSTED with the
 * verdict filled. */
APEX_API apex_status apex_trust_check_file(struct apex_home *home,
                                           const struct apex_evidence *evidence,
                                           struct apex_verdict *verdict,
                                           struct apex_error *error);

/* Bundles of collateral, revocation lists and accepted measurements, signed by an auditor, for
 * sites without a network. */
struct apex_bundle {
    char auditor[65]; /* Ed25519 key */
    int64_t issued_ms, expires_ms;
    bool believed; /* the home's policy names the auditor, and it is valid now */
    char why[120]; /* why it is not */
    size_t n_measurements, n_sets;
    struct {
        char tee[16], measurement[289], label[104];
    } measurements[256];
};
/* inputs: JSON files {"measurements": [{"tee", "measurement", "label"}]}, and folders of
 * collateral as above. */
APEX_API apex_status apex_bundle_make(const struct apex_identity *auditor,
                                      const char *const *inputs, size_t n_inputs, unsigned days,
                                      const char *output, struct apex_error *error);
APEX_API apex_status apex_bundle_check(struct apex_home *home, const char *file,
                                       struct apex_bundle *bundle, struct apex_error *error);
/* Keeps it in the home: every later judgement consults it. APEX_E_UNTRUSTED: not believed. */
APEX_API apex_status apex_bundle_use(struct apex_home *home, const char *file,
                                     struct apex_bundle *bundle, struct apex_error *error);

/* Its text. NULL when there is none (APEX_E_NOT_FOUND in the error), or one that cannot be read
 * (any other status): that one is no leave to go without. */
APEX_API char *apex_trust_policy(struct apex_home *home, struct apex_error *error);

/* A node whose enclave the trust policy accepts and whose log is consistent with all this home
 * has seen of it. */
struct apex_node;
APEX_API apex_status apex_node_open(struct apex_home *home, const char *url,
                                    struct apex_node **node, struct apex_error *error);
APEX_API void apex_node_close(struct apex_node *node);
APEX_API bool apex_node_simulated(const struct apex_node *node);
APEX_API const struct apex_verdict *apex_node_verdict(const struct apex_node *node);

/* Contracts. A manifest is a file; its address is the hash of its bytes. */
struct apex_party {
    const char *name, *sign_hex, *seal_hex;
};
/* Fills a template (contracts/NAME/manifest.json) with program digest, the node's enclave and
 * parties that may do everything. */
APEX_API apex_status apex_manifest_new(struct apex_node *node, const char *template_path,
                                       const char *program_path,
                                       const struct apex_party *parties, size_t n_parties,
                                       const char *output_path, struct apex_error *error);
APEX_API apex_status apex_manifest_address(const char *manifest_path, char address[58],
                                           struct apex_error *error);
APEX_API apex_status apex_program_digest(const char *program_path, char hex[65],
                                         struct apex_error *error);
APEX_API apex_status apex_deploy(struct apex_node *node, const struct apex_identity *identity,
                                 const char *manifest_path, const char *program_path,
                                 char address[58], struct apex_error *error);
APEX_API apex_status apex_accept(struct apex_node *node, const struct apex_identity *identity,
                                 const char *address, struct apex_error *error);
APEX_API apex_status apex_close_contract(struct apex_node *node,
                                         const struct apex_identity *identity,
                                         const char *address, struct apex_error *error);
struct apex_contract_facts {
    char state[12], name[65], program[65];
    char key[65]; /* X25519, hex: what rows are sealed to */
    char *manifest;
    /* The privacy budget: what private answers may cost over the contract's life, and what the
     * log says they have cost. 0: none may be given. */
    uint64_t epsilon_micro, spent_micro; /* millionths */
    double delta;
    size_t n_entries;
    size_t n_parties;
    struct {
        char name[65];
        bool approves, accepted;
    } parties[64];
};
/* The addresses of all contracts in the node's log, oldest first; *addresses is freed with
 * free(). */
APEX_API apex_status apex_contracts(struct apex_node *node, char (**addresses)[58], size_t *n,
                                    struct apex_error *error);
APEX_API apex_status apex_contract_show(struct apex_node *node, const char *address,
                                        struct apex_contract_facts *facts,
                                        struct apex_error *error);

/* Rows. */
struct apex_bad_row {
    uint64_t row, line;
    char column[65], value[48];
    const char *reason;
};
struct apex_rows_report {
    uint64_t rows, bad_rows, ignored_columns, sealed_bytes;
    char format[16], ignored[160];
    char offer[224];     /* a --map that would fit, when the columns do not name themselves */
    char ciphertext[65]; /* its SHA-256, hex, when contributed */
    size_t n_bad;
    struct apex_bad_row bad[100];
    uint64_t contribution; /* the entry's index, when contributed */
};
typedef void (*apex_progress_fn)(void *context, const char *stage, uint64_t done,
                                 uint64_t total);
struct apex_rows_options {
    const char *map;
    const char *copy; /* apex_rows_check: also writes the rows, as they would be sealed, to this
                         file as CSV (mode 0600), while none is bad; NULL: it does not */
    apex_progress_fn progress;
    void *context;
};
/* Checks a file against a dataset of a manifest text; nothing leaves. APEX_E_DATA with the
 * report filled. */
APEX_API apex_status apex_rows_check(const char *manifest, const char *dataset,
                                     const char *file, const struct apex_rows_options *options,
                                     struct apex_rows_report *report, struct apex_error *error);
/* Checks, seals, uploads (resumably) and records. If any row is bad nothing leaves. */
APEX_API apex_status apex_contribute(struct apex_node *node,
                                     const struct apex_identity *identity, const char *address,
                                     const char *dataset, const char *file,
                                     const struct apex_rows_options *options,
                                     struct apex_rows_report *report, struct apex_error *error);
APEX_API apex_status apex_withdraw(struct apex_node *node, const struct apex_identity *identity,
                                   const char *address, uint64_t contribution,
                                   struct apex_error *error);

/* Runs. params: "name=value" texts; points as [[1,2],[3,4]] or @FILE holding that. seed_hex
 * NULL: random. */
struct apex_run_options {
    const char *const *params;
    size_t n_params;
    const char *rows_file, *map, *seed_hex;
    apex_progress_fn progress;
    void *context;
};
/* Asks, waits, fetches, opens, verifies. *result: the result file's text (JSON with receipt);
 * *output: the answer alone. Either may be NULL. */
APEX_API apex_status apex_run(struct apex_node *node, const struct apex_identity *identity,
                              const char *address, const char *function,
                              const struct apex_run_options *options, char **result,
                              char **output, struct apex_error *error);
/* The result of a run that was asked for earlier, or by another party, if it was sealed to this
 * identity. */
APEX_API apex_status apex_result(struct apex_node *node, const struct apex_identity *identity,
                                 const char *address, uint64_t run, char **result,
                                 char **output, struct apex_error *error);

/* A contract's history, every entry proven to be in the log. */
struct apex_event {
    uint64_t index, time_ms;
    uint64_t epsilon_micro; /* of a run: what it was charged to the privacy budget */
    char kind[12], who[65], what[160], refusal[40];
    /* Of a run, its result or refusal: which run, and how that run stands in the log:
     * requested, verified, refused, failed; with a chain also refunded. Else empty. */
    uint64_t run;
    char task[12];
    char request[65]; /* of a run: the digest a fee is deposited for; hex */
};
APEX_API apex_status apex_audit(struct apex_node *node, const char *address,
                                struct apex_event **events, size_t *n_events,
                                uint64_t *log_size, struct apex_error *error);

/* The whole log held against the rules its enclave should have kept: signatures, consent,
 * rights, order, quotas, privacy budgets, what results rest on and who received them. What
 * takes rows or ciphertexts to judge is not judged. *breaches: ours, free it. */
struct apex_breach {
    uint64_t index; /* of the entry */
    char rule[40];  /* "log-broken": not formed, signed or placed as an entry must be */
    char why[160];
};
struct apex_audit_report {
    uint64_t entries, acts, contracts, enclaves, runs, results;
    uint64_t manifests_lost; /* contracts that cannot be judged */
    bool broken; /* the last breach cannot follow at all, and nothing after it was read */
    size_t n_breaches;
};
APEX_API apex_status apex_audit_log(struct apex_node *node, struct apex_audit_report *report,
                                    struct apex_breach **breaches, struct apex_error *error);

/* Has the enclave compute a finished run again, from the same rows, program and request, and
 * tells whether the output's digest is the one in the log; of the answer nothing is told.
 * identity: a party that may audit. output: the digest now, in hex. */
APEX_API apex_status apex_audit_rerun(struct apex_node *node,
                                      const struct apex_identity *identity, const char *address,
                                      uint64_t run, bool *same, char output[65],
                                      struct apex_error *error);

/* Copies of the log as static files, verified as they are made and believed in nothing when
 * they are read. vkey: the log's verifier key, "NAME+HASH+KEY" (c2sp.org/signed-note). */
enum { APEX_VKEY_MAX = 200 };
APEX_API apex_status apex_log_key(struct apex_node *node, char vkey[APEX_VKEY_MAX],
                                  struct apex_error *error);
APEX_API apex_status apex_log_mirror(struct apex_node *node, const char *folder, uint64_t *size,
                                     struct apex_error *error);
/* Checkpoint, entries, tiles and every rule. APEX_E_UNTRUSTED: the copy is not the log's. */
APEX_API apex_status apex_log_check(const char *folder, const char *vkey,
                                    struct apex_audit_report *report,
                                    struct apex_breach **breaches, struct apex_error *error);
/* That an entry is in the log, with the witnesses' signatures (c2sp.org/tlog-proof). *text:
 * ours, free it. */
APEX_API apex_status apex_log_proof(struct apex_node *node, uint64_t index, char **text,
                                    struct apex_error *error);

/* Who has witnessed the log, of those a contract names: up to which size, and when; size 0: not
 * yet. */
struct apex_witness_seen {
    char name[129];
    uint64_t size, time_s;
};
struct apex_witnesses {
    uint64_t quorum;
    size_t n;
    struct apex_witness_seen seen[16];
};
APEX_API apex_status apex_witnesses(struct apex_node *node, const char *address,
                                    struct apex_witnesses *witnesses, struct apex_error *error);

/* A witness of logs (c2sp.org/tlog-witness): cosigns each checkpoint that contains all it
 * cosigned before. Its key and what it has seen lie in the home. */
struct apex_witness;
APEX_API apex_status apex_witness_new(struct apex_home *home, const char *name,
                                      struct apex_error *error);
/* log_vkeys: the logs it cosigns, "NAME+HASH+KEY". With none it only tells its own key. */
APEX_API apex_status apex_witness_open(struct apex_home *home, const char *const *log_vkeys,
                                       size_t n_logs, struct apex_witness **witness,
                                       struct apex_error *error);
APEX_API void apex_witness_close(struct apex_witness *witness);
APEX_API void apex_witness_vkey(const struct apex_witness *witness, char vkey[APEX_VKEY_MAX]);
/* Answers the body of one add-checkpoint request: *code is the HTTP status, *reply (ours: free
 * it) the text. Thread-safe. An error means that nothing was cosigned. */
APEX_API apex_status apex_witness_answer(struct apex_witness *witness, const void *body,
                                         size_t len, unsigned *code, char **reply,
                                         struct apex_error *error);

/* A result file, offline; and beside it, of up to three other nodes, the file with the same
 * answer: where the policy wants an answer signed by machines of several TEE families, theirs
 * count too. policy: a trust policy's text, or NULL (the evidence is then not held against
 * any). home: its bundles count where the policy names their auditor; NULL: none do. */
struct apex_result_file {
    const char *text;
    size_t len;
};
struct apex_verification {
    bool holds, simulated;
    size_t n_checks;
    struct apex_check checks[48];
    char sentences[3][240];
};
APEX_API apex_status apex_verify(const struct apex_home *home,
                                 const struct apex_result_file *files, size_t n,
                                 const char *policy, struct apex_verification *v,
                                 struct apex_error *error);

/* What a machine will measure when it starts an image: for a trust policy, before there is any
 * evidence. Texts are hex; an empty one cannot be known, and the `why` beside it says what is
 * lacking. */
struct apex_image_options {
    const char *folder;   /* holds vmlinuz, initrd.img and cmdline: what `make image` makes */
    const char *firmware; /* the firmware (OVMF) that starts it; NULL: not known */
    const char *cpu;      /* QEMU's processor model; NULL: EPYC-v4 */
    uint32_t vcpus;       /* virtual processors; 0: 1 */
    uint64_t features;    /* SEV_FEATURES; 0: 1, SNP alone */
};
struct apex_image_measurement {
    char hex[97], why[160];
};
struct apex_image_measurements {
    char kernel[65], initrd[65], cmdline[65], firmware[65]; /* SHA-256; cmdline with its NUL */
    char command_line[4097], cpu[32];
    uint32_t vcpus;
    uint64_t features;
    struct apex_image_measurement snp_qemu, snp_ec2; /* MEASUREMENT */
    /* MRTD of hypervisors that hash page by page (Linux 6.16 and later) and of older ones. */
    struct apex_image_measurement td_mrtd, td_mrtd_older, td_rtmr2;
};
APEX_API apex_status apex_image_measure(const struct apex_image_options *options,
                                        struct apex_image_measurements *m,
                                        struct apex_error *error);

/* A chain's register (docs/chain.md), read through one RPC that is believed in nothing it can
 * be held to: an anchor, a contract or a run counts when the key in the enclave's evidence has
 * signed its event. That it lies on the chain is the RPC's word. A failed check's detail begins
 * with the name of the rule, such as anchor-contradicts. */
struct apex_chain_options {
    const char *url, *registry; /* http(s)://…; 0x and 40 hex digits */
    uint64_t chain_id;          /* 0: whichever it has */
    uint64_t confirmations;     /* blocks deep; 0: 12 */
    unsigned timeout_ms;        /* for an answer; 0: 15000 */
};
/* Do chain, log and a result file tell the same? The file's own proof is apex_verify's
 * business. node NULL: the chain is held against the file alone. Remembers the anchor in `home`
 * (may be NULL). APEX_E_UNTRUSTED with the checks filled: they do not; APEX_E_UNREACHABLE and
 * others with no verdict, error.refusal the rule. */
APEX_API apex_status apex_verify_chain(struct apex_home *home, struct apex_node *node,
                                       const struct apex_chain_options *options,
                                       const char *result, size_t len,
                                       struct apex_verification *v, struct apex_error *error);
/* Does the chain hold all that the node's log says of a contract, and every anchor of that log?
 * Runs among `events` (apex_audit's; may be NULL) whose fee went back become "refunded"; of a
 * run's deposits the largest are looked at, and what was left is a check that was not asked. */
APEX_API apex_status apex_audit_chain(struct apex_home *home, struct apex_node *node,
                                      const struct apex_chain_options *options,
                                      const char *address, struct apex_event *events,
                                      size_t n_events, struct apex_verification *v,
                                      struct apex_error *error);
/* Waits until the chain has a contract, and for no longer than wait_ms; transaction: of its
 * record, 0x and 64 digits. APEX_E_UNREACHABLE: not yet. */
APEX_API apex_status apex_chain_wait(struct apex_node *node,
                                     const struct apex_chain_options *options,
                                     const char *address, uint64_t wait_ms,
                                     char transaction[67], struct apex_error *error);
/* The root secret of a node's enclave. Neither enclave believes who carries it. collateral: a
 * folder as apex_evidence's, put beside the evidence of both (TDX enclaves cannot judge one
 * another without); may be NULL. *entry: where
 * the log records it. */
APEX_API apex_status apex_hand_over(const char *from_url, const char *to_url,
                                    const char *collateral, uint64_t *entry,
                                    struct apex_error *error);
/* Recovery shares, each sealed to its holder, as JSON; anybody may have them. */
APEX_API apex_status apex_shares(const char *url, char **text, struct apex_error *error);
/* A holder's share, to an enclave that waits for it and that the trust policy accepts. */
APEX_API apex_status apex_recover(struct apex_home *home, const struct apex_identity *identity,
                                  const char *url, const char *shares, unsigned *have,
                                  unsigned *need, struct apex_error *error);

/* What this machine offers: lines of name, state and advice. */
APEX_API void apex_doctor(void (*line)(void *context, const char *name, const char *state,
                                       const char *advice),
                          void *context);

#endif
