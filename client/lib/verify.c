/* apex_verify: believes nothing in the file. What is proven hangs together so: the policy (or
 * the reader's own eyes) accepts the enclave's evidence; the evidence binds the enclave's
 * identity and the log key; the log key signs the checkpoint; every entry is included under the
 * checkpoint and signed by an enclave on record; every act in an entry is signed by its party;
 * the manifest is the one of the address; the result entry commits to program, inputs, request
 * and output. */
#include "client/lib/node.h"

#include "client/lib/show.h"
#include "client/lib/verify_parts.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/ledger/policy.h"
#include "common/wire/package.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECEIPT_FAMILIES_MAX = 8, ALSO_MAX = 3 };

static bool check(struct apex_verification *v, const char *name, bool passes,
                  const char *detail)
{
    struct apex_check *c = &v->checks[v->n_checks < 47 ? v->n_checks++ : 47];
    snprintf(c->name, sizeof c->name, "%s", name);
    text_tame(detail, c->detail, sizeof c->detail);
    c->result = passes;
    return passes;
}

static void not_asked(struct apex_verification *v, const char *name, const char *detail)
{
    (void)check(v, name, true, detail);
    v->checks[v->n_checks - 1].result = -1;
}

static bool log_checks(struct receipt *r, struct apex_verification *v)
{
    bool signed_ok = check(
        v, "checkpoint-signed",
        checkpoint_open(span_text(r->note), r->origin, &r->log_key, &r->checkpoint) == APEX_OK,
        "the log's checkpoint is signed by the log key");
    bool included = signed_ok, formed = true;
    for (size_t i = 0; i < r->n; i++) {
        struct merkle_hash leaf;
        merkle_leaf(buffer_span(&r->items[i].bytes), &leaf);
        included = included &&
                   merkle_check_inclusion(&leaf, r->items[i].index, r->checkpoint.size,
                                          &r->items[i].proof, &r->checkpoint.root) == APEX_OK;
        formed = formed && r->items[i].entry.index == r->items[i].index;
    }
    bool all = check(v, "entries-included", included && formed,
                     "every entry of the receipt is in the log, at its place");
    return signed_ok && all;
}

static bool keys_of(const struct entry *e, struct enclave_keys *keys)
{
    memcpy(keys->identity.bytes, e->identity, 32);
    memcpy(keys->identity_seal.bytes, e->identity_seal, 32);
    memcpy(keys->log.bytes, e->log_key, 32);
    memcpy(keys->chain.bytes, e->chain_key, sizeof keys->chain.bytes);
    return true;
}

static const struct receipt_item *signer_of(const struct receipt *r,
                                            const struct receipt_item *item)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].entry.kind == ENTRY_ENCLAVE && r->items[i].index <= item->index &&
            memcmp(r->items[i].entry.identity, item->cose.kid, 32) == 0)
            return &r->items[i];
    return NULL;
}

static bool signer_checks(const struct receipt *r, struct apex_verification *v)
{
    bool all = true, one_log = true;
    for (size_t i = 0; i < r->n; i++) {
        all = all && signer_of(r, &r->items[i]) != NULL;
        if (r->items[i].entry.kind == ENTRY_ENCLAVE)
            one_log = one_log && memcmp(r->items[i].entry.log_key, r->log_key.bytes, 32) == 0;
    }
    bool a = check(v, "entries-signed", all, "every entry is signed by an enclave on record");
    bool b = check(v, "log-key-bound", one_log,
                   "every enclave's evidence binds the key that signs this log");
    return a && b;
}

/* The TEE families of the enclaves that signed the result, each counted once. */
struct families {
    size_t n;
    char tee[RECEIPT_FAMILIES_MAX][16];
};

static bool is_of(const struct receipt *r, const struct receipt_item *item)
{
    return item->entry.has_address && memcmp(item->entry.address, r->address, 32) == 0 &&
           (!item->has_act || memcmp(item->act.address, r->address, 32) == 0);
}

/* The result of the run, if the receipt has one and no more than one. */
static const struct receipt_item *result_of(const struct receipt *r)
{
    const struct receipt_item *result = NULL;
    for (size_t i = 0; i < r->n; i++) {
        if (r->items[i].entry.kind != ENTRY_RESULT || r->items[i].entry.run != r->run ||
            !is_of(r, &r->items[i]))
            continue;
        if (result) return NULL;
        result = &r->items[i];
    }
    return result;
}

/* A quote of SGX and one of TDX rest on the same keys. */
static void family_add(struct families *f, const char *tee)
{
    if (strcmp(tee, "sgx") == 0) tee = "tdx";
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->tee[i], tee) == 0) return;
    if (f->n < RECEIPT_FAMILIES_MAX) snprintf(f->tee[f->n++], sizeof *f->tee, "%s", tee);
}

static bool families_check(const struct receipt *r, const struct trust_policy *policy,
                           const struct families *f, struct apex_verification *v)
{
    char address[ADDRESS_TEXT_LEN + 1], text[160];
    if (!policy) return true;
    address_write(r->address, address);
    unsigned wanted = trust_policy_families(policy, address);
    if (wanted < 2) return true;
    snprintf(text, sizeof text,
             "the policy wants this contract's answers signed by machines of %u different "
             "families; %zu did",
             wanted, f->n);
    return check(v, "families", f->n >= wanted, text);
}

/* The enclaves that signed what matters: consents, inputs, run and result. */
static bool evidence_checks(const struct receipt *r, const struct trust_policy *policy,
                            struct families *families, struct apex_verification *v)
{
    bool genuine = true, accepted = true;
    char sentence[240] = "";
    const struct receipt_item *result = result_of(r),
                              *signer = result ? signer_of(r, result) : NULL;
    struct verdict *verdict = calloc(1, sizeof *verdict);
    for (size_t i = 0; verdict && i < r->n; i++) {
        struct enclave_keys keys;
        if (r->items[i].entry.kind != ENTRY_ENCLAVE) continue;
        keys_of(&r->items[i].entry, &keys);
        /* Its age is judged at the time it was recorded: a receipt does not spoil. */
        apex_status s = attest_verify(r->items[i].entry.evidence, &keys, policy,
                                      r->items[i].entry.time_ms, verdict, NULL);
        genuine = genuine && verdict->genuine;
        accepted = accepted && s == APEX_OK;
        if (s == APEX_OK && !verdict->simulated && &r->items[i] == signer)
            family_add(families, verdict->tee);
        v->simulated = v->simulated || verdict->simulated;
        if (!sentence[0] || (policy && s != APEX_OK))
            snprintf(sentence, sizeof sentence, "%.239s", verdict->sentence);
    }
    free(verdict);
    bool a = check(v, "evidence-genuine", verdict && genuine,
                   "each enclave's evidence is well-formed and binds its keys");
    if (!policy) {
        not_asked(v, "evidence-accepted",
                  "no trust policy was given to hold the evidence against");
        return a;
    }
    bool b = check(v, "evidence-accepted", accepted, sentence);
    apex_status pinned = trust_policy_log(policy, r->origin, &r->log_key);
    if (pinned != APEX_E_NOT_FOUND)
        b &= check(v, "log-pinned", pinned == APEX_OK, "the log is one the trust policy names");
    return a && b;
}

static const struct receipt_item *item_at(const struct receipt *r, uint64_t index)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].index == index) return &r->items[i];
    return NULL;
}

static bool consent_checks(const struct receipt *r, struct apex_verification *v)
{
    bool deployed = false, all = true;
    for (size_t i = 0; i < r->n; i++)
        deployed = deployed || (r->items[i].has_act && r->items[i].act.kind == ACT_DEPLOY &&
                                is_of(r, &r->items[i]) && r->items[i].index < r->run &&
                                manifest_party_by_key(r->manifest, r->items[i].act_cose.kid));
    for (size_t p = 0; p < r->manifest->n_parties; p++) {
        bool accepted = !(r->manifest->parties[p].may & MAY_APPROVE);
        for (size_t i = 0; i < r->n && !accepted; i++)
            accepted = r->items[i].has_act && r->items[i].act.kind == ACT_ACCEPT &&
                       is_of(r, &r->items[i]) && r->items[i].index < r->run &&
                       memcmp(r->items[i].act_cose.kid, r->manifest->parties[p].sign, 32) == 0;
        all = all && accepted;
    }
    bool a =
        check(v, "deployed", deployed, "a party deployed this very manifest before the run");
    bool b = check(v, "consents", all,
                   "every approver had accepted this very manifest before the run");
    return a && b;
}

static bool run_checks(const struct receipt *r, const struct receipt_item *result,
                       struct apex_verification *v)
{
    const struct receipt_item *run = item_at(r, r->run);
    uint8_t digest[32];
    sha256(buffer_span(&r->request), digest);
    const struct manifest_party *by =
        run && run->has_act ? manifest_party_by_key(r->manifest, run->act_cose.kid) : NULL;
    bool asked = run && run->has_act && run->act.kind == ACT_RUN && is_of(r, run) && by &&
                 by->may & MAY_RUN && span_equal(run->act.name, span_text(r->function)) &&
                 run->index < result->index;
    bool a = check(v, "run-requested", asked,
                   "a party with the right to run asked for this function");
    bool b = check(v, "request",
                   asked && memcmp(run->act.request_digest, digest, 32) == 0 &&
                       memcmp(result->entry.request, digest, 32) == 0,
                   "the parameters are the ones the request committed to");
    bool rows = asked && run->act.has_rows == result->entry.has_rows &&
                (!run->act.has_rows || memcmp(run->act.rows, result->entry.rows, 32) == 0);
    bool c = check(v, "private-rows", rows,
                   "the requester's own rows, if any, are the ones of the request");
    return a && b && c;
}

static bool input_checks(const struct receipt *r, const struct receipt_item *result,
                         struct apex_verification *v)
{
    bool all = true;
    char detail[200];
    for (size_t i = 0; i < result->entry.n_inputs; i++) {
        const struct receipt_item *in = item_at(r, result->entry.inputs[i].index);
        const struct manifest_party *by =
            in && in->has_act ? manifest_party_by_key(r->manifest, in->act_cose.kid) : NULL;
        all = all && in && in->has_act && in->act.kind == ACT_CONTRIBUTE && is_of(r, in) &&
              by && by->may & MAY_CONTRIBUTE && in->index < r->run &&
              memcmp(in->act.blob, result->entry.inputs[i].blob, 32) == 0;
    }
    snprintf(detail, sizeof detail,
             "all %zu inputs were contributed, and signed for, by parties with that right",
             result->entry.n_inputs);
    return check(v, "inputs", all, detail);
}

static bool result_checks(const struct receipt *r, const struct receipt_item *result,
                          const struct trust_policy *policy, struct apex_verification *v)
{
    struct sha256 h;
    uint8_t output[32];
    bool program = false, measured = false;
    const struct receipt_item *signer = signer_of(r, result);
    struct enclave_keys keys;
    struct verdict *verdict = calloc(1, sizeof *verdict);
    for (size_t i = 0; i < r->manifest->n_programs; i++)
        program =
            program || memcmp(r->manifest->programs[i].digest, result->entry.program, 32) == 0;
    if (signer && verdict && keys_of(&signer->entry, &keys)) {
        apex_status ignored = attest_verify(signer->entry.evidence, &keys, policy,
                                            signer->entry.time_ms, verdict, NULL);
        (void)ignored; /* only its measurement is asked here; evidence_checks judged it */
        measured = policy_measurement(r->manifest, verdict->tee,
                                      span_of(verdict->measurement, verdict->measurement_len));
    }
    free(verdict);
    sha256_init(&h);
    sha256_update(&h, buffer_span(&r->request));
    sha256_update(&h, buffer_span(&r->output));
    sha256_final(&h, output);
    bool a = check(v, "enclave-named", measured,
                   "the enclave that computed it is one the manifest names");
    bool b = check(v, "program", program, "the program that ran is the one the manifest names");
    bool c = check(v, "output", memcmp(output, result->entry.output, 32) == 0,
                   "the answer is the one the enclave recorded, to the byte");
    bool d = check(v, "result-shown", r->result_is_output,
                   "the result shown in the file is that answer");
    return a && b && c && d;
}

static bool contract_checks(const struct receipt *r, const struct trust_policy *policy,
                            struct apex_verification *v)
{
    const struct receipt_item *result = result_of(r);
    uint8_t digest[32];
    sha256(span_text(r->manifest_text), digest);
    bool address = check(v, "address", memcmp(digest, r->address, 32) == 0,
                         "the manifest is the one of this address");
    if (!check(v, "result-recorded", result != NULL, "the log records one result of this run"))
        return false;
    bool fine = consent_checks(r, v);
    fine &= run_checks(r, result, v);
    fine &= input_checks(r, result, v);
    return result_checks(r, result, policy, v) && fine && address;
}

static void conclude(const struct receipt *r, struct apex_verification *v)
{
    if (!v->holds) {
        snprintf(v->sentences[0], sizeof v->sentences[0],
                 "This result does NOT verify: do not rely on it.");
        snprintf(v->sentences[1], sizeof v->sentences[1],
                 "The checks that failed are listed above; one is enough.");
        snprintf(v->sentences[2], sizeof v->sentences[2],
                 "Ask for the file again from a party that has the result, and show this one "
                 "to an auditor.");
        return;
    }
    char name[80], origin[80];
    text_tame(r->manifest->name, name, sizeof name);
    text_tame(r->origin, origin, sizeof origin);
    snprintf(v->sentences[0], sizeof v->sentences[0],
             "The program that contract %.70s names computed this answer from the recorded "
             "inputs, with the consent of every approver.",
             name);
    snprintf(v->sentences[1], sizeof v->sentences[1],
             "Each step is in the public log %.60s, signed by its parties and by the enclave.",
             origin);
    snprintf(v->sentences[2], sizeof v->sentences[2], "%s",
             v->simulated
                 ? "The enclave was SIMULATED: no hardware vouches that nobody saw the rows."
                 : "The enclave's evidence was made by the hardware it names.");
}

static apex_status policy_open(const struct apex_home *home, const char *text,
                               struct trust_policy **policy, struct apex_error *error)
{
    if (!text) return APEX_OK;
    apex_status s = trust_policy_parse(span_text(text), policy, NULL);
    if (s != APEX_OK)
        return apex_fail(error, s, "the trust policy is not acceptable", "nothing was verified",
                         "correct trust.json", "you");
    return home ? trust_bundles_add(home, wall_clock_ms(), *policy, error) : APEX_OK;
}

/* One file by itself; r holds it afterwards, whatever the outcome. */
static bool file_checks(const struct apex_result_file *file, const struct trust_policy *policy,
                        struct receipt *r, struct families *families,
                        struct apex_verification *v)
{
    const char *why = NULL;
    if (!check(v, "form", receipt_parse(file->text, file->len, r, &why) == APEX_OK,
               why ? why : "the file has the agreed form"))
        return false;
    bool holds = log_checks(r, v);
    holds &= signer_checks(r, v);
    holds &= evidence_checks(r, policy, families, v);
    return contract_checks(r, policy, v) && holds;
}

/* What was asked, but for the number used once: two nodes are asked in two messages. */
static apex_status asked(const struct receipt *r, struct buffer *out)
{
    const struct manifest_function *f =
        manifest_function_by_name(r->manifest, span_text(r->function));
    struct request *q = f ? calloc(1, sizeof *q) : NULL;
    size_t bad;
    if (!q) return APEX_E_FORMAT;
    apex_status s = request_parse(buffer_span(&r->request), f, q, &bad);
    memset(q->nonce, 0, sizeof q->nonce);
    if (s == APEX_OK) s = request_write(q, out);
    request_clear(q);
    free(q);
    return s;
}

/* How many of a result's inputs this party contributed to this dataset. */
static size_t inputs_by(const struct receipt *r, const struct entry *result, const uint8_t *key,
                        struct span dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_inputs; i++) {
        const struct receipt_item *in = item_at(r, result->inputs[i].index);
        n += in && memcmp(in->act_cose.kid, key, 32) == 0 && span_equal(in->act.name, dataset);
    }
    return n;
}

/* Ciphertexts are of each node's own key; whose they are, and how many, must be the same. Both
 * receipts hold by themselves, so every input is an act that is there. */
static bool same_inputs(const struct receipt *a, const struct receipt *b)
{
    const struct entry *of_a = &result_of(a)->entry, *of_b = &result_of(b)->entry;
    bool same = of_a->n_inputs == of_b->n_inputs && of_a->has_rows == of_b->has_rows;
    for (size_t i = 0; same && i < of_a->n_inputs; i++) {
        const struct receipt_item *in = item_at(a, of_a->inputs[i].index);
        same = inputs_by(a, of_a, in->act_cose.kid, in->act.name) ==
               inputs_by(b, of_b, in->act_cose.kid, in->act.name);
    }
    return same;
}

static bool same_answer(const struct receipt *a, const struct receipt *b)
{
    BUFFER_CLEARED of_a = {0};
    BUFFER_CLEARED of_b = {0};
    return memcmp(a->address, b->address, sizeof a->address) == 0 &&
           strcmp(a->function, b->function) == 0 && asked(a, &of_a) == APEX_OK &&
           asked(b, &of_b) == APEX_OK && span_equal(buffer_span(&of_a), buffer_span(&of_b)) &&
           span_equal(buffer_span(&a->output), buffer_span(&b->output));
}

static const char *first_failed(const struct apex_verification *v)
{
    for (size_t i = 0; i < v->n_checks; i++)
        if (v->checks[i].result == 0) return v->checks[i].name;
    return "none";
}

/* The same answer by another node: its machines count as well, if its file holds by itself. */
static bool also_checks(const struct receipt *r, const struct apex_result_file *file,
                        const struct trust_policy *policy, struct families *families,
                        struct apex_verification *v)
{
    struct receipt *other = calloc(1, sizeof *other);
    struct apex_verification *w = calloc(1, sizeof *w);
    struct families of_other = {0};
    char detail[160];
    bool holds = other && w && file_checks(file, policy, other, &of_other, w);
    snprintf(detail, sizeof detail,
             holds ? "the other file holds by itself" : "the other file fails check %.40s",
             w ? first_failed(w) : "memory");
    holds = check(v, "also-holds", holds, detail);
    if (holds)
        holds = check(v, "also-same-answer", same_answer(r, other),
                      "the other node was asked the same of the same contract, with the same "
                      "seed, and gave the same answer to the byte (functions that add noise or "
                      "use a kept model never do)");
    if (holds)
        holds = check(v, "also-same-inputs", same_inputs(r, other),
                      "both answers are of as many contributions, by the same parties, to the "
                      "same datasets");
    for (size_t i = 0; holds && i < of_other.n; i++)
        family_add(families, of_other.tee[i]);
    if (w) v->simulated = v->simulated || w->simulated;
    if (other) receipt_clear(other);
    free(other);
    free(w);
    return holds;
}

apex_status apex_verify(const struct apex_home *home, const struct apex_result_file *files,
                        size_t n, const char *policy_text, struct apex_verification *v,
                        struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    struct families families = {0};
    *v = (struct apex_verification){0};
    if (n == 0 || n > 1 + ALSO_MAX)
        return apex_fail(error, APEX_E_USAGE, "one file is verified, with up to 3 beside it",
                         "nothing was verified", "give fewer files", "you");
    struct receipt *r = calloc(1, sizeof *r);
    apex_status s =
        r ? policy_open(home, policy_text, &policy, error) : apex_fail_memory(error);
    if (s == APEX_OK) {
        v->holds = file_checks(&files[0], policy, r, &families, v);
        for (size_t i = 1; v->holds && i < n; i++)
            v->holds = also_checks(r, &files[i], policy, &families, v);
        v->holds = v->holds && families_check(r, policy, &families, v);
        conclude(r, v);
        receipt_clear(r);
    }
    free(r);
    trust_policy_free(policy);
    if (s != APEX_OK || v->holds) return s;
    return apex_fail(error, APEX_E_UNTRUSTED, "the result does not verify", "it proves nothing",
                     "see the checks that failed", "the one who gave you the file");
}
