/* Why the enclave or a contract says no: a fixed vocabulary, so that no row can ride out on an
 * error text. */
#ifndef COMMON_WIRE_REFUSAL_H
#define COMMON_WIRE_REFUSAL_H

/* X(NAME, number, "stable-name", "sentence: what happened", "what to do next", who can fix it)
 */
#define REFUSALS(X)                                                                            \
    X(NONE, 0, "none", "nothing was refused", "", "nobody")                                    \
    X(BAD_MESSAGE, 1, "bad-message", "the message is not of the agreed form",                  \
      "update the client", "the requester")                                                    \
    X(BAD_SIGNATURE, 2, "bad-signature", "the signature does not hold",                        \
      "sign with the identity named in the manifest", "the requester")                         \
    X(REPLAYED, 3, "replayed", "this very act is already in the log",                          \
      "nothing: it took effect the first time", "the requester")                               \
    X(STALE_TIME, 4, "stale-time",                                                             \
      "the act is dated more than 15 minutes away from the enclave's clock",                   \
      "correct this machine's clock and sign again", "the requester")                          \
    X(UNKNOWN_CHECKPOINT, 5, "unknown-checkpoint",                                             \
      "the log does not contain the checkpoint the requester has seen: it was rolled back or " \
      "forked",                                                                                \
      "trust nothing from this node; show both checkpoints to an auditor", "the operator")     \
    X(UNKNOWN_CONTRACT, 6, "unknown-contract", "no contract is deployed at this address",      \
      "check the address, or deploy the manifest", "the requester")                            \
    X(ALREADY_DEPLOYED, 7, "already-deployed", "the contract is already deployed",             \
      "nothing: use it", "the requester")                                                      \
    X(BAD_MANIFEST, 8, "bad-manifest", "the manifest is not acceptable",                       \
      "correct it as the detail says; the address will change", "the author of the manifest")  \
    X(NOT_A_PARTY, 9, "not-a-party", "the signer is not a party of this contract",             \
      "use the identity named in the manifest", "the requester")                               \
    X(NOT_PERMITTED, 10, "not-permitted", "the manifest does not give this party that right",  \
      "ask the parties for a manifest that does", "the parties")                               \
    X(NOT_ACTIVE, 11, "not-active",                                                            \
      "the contract is not active: not every approver has accepted it",                        \
      "wait for the other parties to accept", "the other approvers")                           \
    X(EXPIRED, 12, "expired", "the contract has expired", "deploy a new version",              \
      "the parties")                                                                           \
    X(CLOSED, 13, "closed", "the contract is closed", "deploy a new version", "the parties")   \
    X(ALREADY_ACCEPTED, 14, "already-accepted", "this party has already accepted",             \
      "nothing: consent is on record", "the requester")                                        \
    X(WRONG_MEASUREMENT, 15, "wrong-measurement",                                              \
      "the manifest does not accept this enclave's measurement",                               \
      "deploy on an enclave the manifest names", "the operator")                               \
    X(UNKNOWN_DATASET, 16, "unknown-dataset", "the manifest has no such dataset",              \
      "see `apex contract show`", "the requester")                                             \
    X(UNKNOWN_FUNCTION, 17, "unknown-function", "the manifest has no such function",           \
      "see `apex contract show`", "the requester")                                             \
    X(BAD_PARAMETER, 18, "bad-parameter",                                                      \
      "a parameter is missing, unknown, of the wrong type or out of bounds",                   \
      "see `apex contract show` for the bounds", "the requester")                              \
    X(BLOB_MISSING, 19, "blob-missing", "the host does not hold the named ciphertext",         \
      "send it again", "the operator")                                                         \
    X(BLOB_TAMPERED, 20, "blob-tampered", "stored ciphertext is not what was contributed",     \
      "the host changed it; contribute again and tell an auditor", "the operator")             \
    X(BAD_ROWS, 21, "bad-rows", "rows do not fit the dataset's columns",                       \
      "run `apex contribute --check` on the file", "the owner of the rows")                    \
    X(QUOTA, 22, "quota", "a quota of the manifest is used up",                                \
      "wait for a new version of the contract", "the parties")                                 \
    X(UNKNOWN_CONTRIBUTION, 23, "unknown-contribution", "no such contribution of this party",  \
      "see `apex audit`", "the requester")                                                     \
    X(ALREADY_WITHDRAWN, 24, "already-withdrawn", "the contribution is already withdrawn",     \
      "nothing", "the requester")                                                              \
    X(PROGRAM_MISSING, 25, "program-missing", "the host does not hold the contract program",   \
      "deploy it again with its program", "the operator")                                      \
    X(PROGRAM_TAMPERED, 26, "program-tampered",                                                \
      "the stored program is not the one the manifest names",                                  \
      "the host changed it; tell an auditor", "the operator")                                  \
    X(NO_DATA, 27, "no-data", "there are no rows to compute on", "contribute first",           \
      "the data owners")                                                                       \
    X(RULE_ROWS, 28, "rule-minimum-rows",                                                      \
      "the answer would rest on fewer rows than the release rules allow",                      \
      "ask for a coarser answer", "the requester")                                             \
    X(RULE_CONTRIBUTORS, 29, "rule-minimum-contributors",                                      \
      "the answer would rest on fewer contributors than the release rules allow",              \
      "wait for more contributors", "the data owners")                                         \
    X(RULE_K, 30, "rule-k",                                                                    \
      "k is above the number of rows divided by the minimum per cluster",                      \
      "ask for a smaller k", "the requester")                                                  \
    X(RULE_SHARE, 31, "rule-maximum-share", "one party's share of the rows is above the cap",  \
      "wait for more contributors", "the data owners")                                         \
    X(PROGRAM_CRASHED, 32, "program-crashed", "the contract program crashed",                  \
      "tell the author of the contract", "the author of the program")                          \
    X(PROGRAM_JAILBREAK, 33, "program-jailbreak",                                              \
      "the contract program tried something the jail forbids and was stopped",                 \
      "do not use this contract", "the author of the program")                                 \
    X(PROGRAM_TIMEOUT, 34, "program-timeout", "the contract program used up its time",         \
      "ask for less, or raise the quota in a new version", "the requester")                    \
    X(PROGRAM_MEMORY, 35, "program-memory", "the contract program used up its memory",         \
      "ask for less, or raise the quota in a new version", "the requester")                    \
    X(PROGRAM_OUTPUT, 36, "program-output",                                                    \
      "the contract program wrote too much, or something that is not a result",                \
      "tell the author of the contract", "the author of the program")                          \
    X(PROGRAM_SAID_NO, 37, "program-refused", "the contract program refused the request",      \
      "see the detail", "the requester")                                                       \
    X(STORAGE, 38, "storage",                                                                  \
      "the host could not keep what was asked of it (is its disk full?); nothing was "         \
      "recorded",                                                                              \
      "try again when the operator has made room", "the operator")                             \
    X(BUSY, 39, "busy", "the enclave has as many runs as it can hold", "try again later",      \
      "nobody")                                                                                \
    X(INTERNAL, 40, "internal", "the enclave met a condition it does not know",                \
      "report it with the time", "us")                                                         \
    X(UNKNOWN_RUN, 41, "unknown-run", "no such run",                                           \
      "name a run's own entry, not its result's: see `apex audit`", "the requester")           \
    X(DUPLICATE, 42, "duplicate", "this very ciphertext is already contributed",               \
      "nothing: it counts once", "the requester")                                              \
    X(BUDGET, 43, "privacy-budget",                                                            \
      "the answer would cost more than is left of the contract's privacy budget",              \
      "ask with a smaller epsilon, or deploy a new version with a new budget", "the parties")  \
    X(NO_MODEL, 44, "no-model",                                                                \
      "there is no model to use: none was trained, or rows it was trained on were withdrawn",  \
      "run the function that trains it", "the requester")                                      \
    X(NO_ROOT, 45, "no-root-secret",                                                           \
      "this enclave has no root secret yet: it serves no contract",                            \
      "hand one over from another node (apex node hand-over), or recover it from shares",      \
      "the operator")                                                                          \
    X(HAS_ROOT, 46, "has-root-secret", "this enclave has its root secret already",             \
      "nothing: it serves", "the requester")                                                   \
    X(PEER, 47, "peer-not-accepted",                                                           \
      "the other enclave is not one this enclave trades its root secret with",                 \
      "run the same image on both, or one that names the other in its peers.json",             \
      "the operator")                                                                          \
    X(NO_RECOVERY, 48, "no-recovery-policy",                                                   \
      "this image names nobody who holds recovery shares",                                     \
      "build the image with a recovery policy (make image RECOVERY=FILE)", "the operator")     \
    X(WRONG_SHARE, 49, "wrong-share",                                                          \
      "the share is not this holder's, of this policy, and of the log of those before",        \
      "fetch the shares again from a node of this image", "the holder")                        \
    X(UNWITNESSED, 50, "unwitnessed",                                                          \
      "too few of the contract's witnesses have cosigned the log up to here",                  \
      "ask again when they have; if they never do, show this log to an auditor",               \
      "the operator and the witnesses")                                                        \
    X(TAKEN_BACK, 51, "rows-taken-back",                                                       \
      "rows the run was to use were withdrawn before it was computed", "ask again",            \
      "the requester")                                                                         \
    X(NOT_YET_KEPT, 52, "not-yet-kept",                                                        \
      "the act is on record and took effect, but the host could not keep the log's new "       \
      "checkpoint (is its disk full?)",                                                        \
      "do not repeat it: see `apex audit` when the operator has made room", "the operator")    \
    X(NODE_FULL, 53, "node-full", "this node holds as many contracts as it can",               \
      "deploy on another node", "the operator")                                                \
    X(CONTRIBUTIONS, 54, "too-many-contributions",                                             \
      "this party has as many contributions in the contract as its share of 512 allows",       \
      "withdraw some, and contribute more rows at once", "the requester")

enum refusal {
#define X(name, number, stable, what, next, who) REFUSAL_##name = number,
    REFUSALS(X)
#undef X
};

struct refusal_text {
    const char *name, *what, *next, *who;
};
/* Never NULL; an unknown code reads as INTERNAL. */
const struct refusal_text *refusal_text(unsigned code);

#endif
