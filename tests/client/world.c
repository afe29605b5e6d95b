#include "tests/client/world.h"

#include "client/lib/receipt.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static void party_new(struct apex_identity *p, const char *name)
{
    snprintf(p->name, sizeof p->name, "%s", name);
    sign_new(&p->sign_public, &p->sign);
    seal_new(&p->seal_public, &p->seal);
}

static void party_text(const struct apex_identity *p, bool last, bool may_run,
                       struct buffer *out)
{
    char sign[65], seal[65], line[400];
    hex_write(SPAN(p->sign_public.bytes), sign);
    hex_write(SPAN(p->seal_public.bytes), seal);
    snprintf(line, sizeof line,
             "{\"name\": \"%s\", \"sign\": \"%s\", \"seal\": \"%s\", \"may\": [\"contribute\", "
             "%s\"receive\", "
             "\"approve\", \"audit\"]}%s",
             p->name, sign, seal, may_run ? "\"run\", " : "", last ? "" : ",\n  ");
    buffer_text(out, line);
}

/* The measurement named is the enclave's, the program's digest is 32 times 0x5a. */
static void manifest_make(struct world *w)
{
    char measurement[65], program[65];
    uint8_t digest[32], named[32];
    memset(digest, 0x5a, sizeof digest);
    hex_write(SPAN(digest), program);
    memcpy(named, w->enclave[0].measurement, 32);
    if (w->lie == LIE_ENCLAVE_NOT_NAMED) named[0] ^= 1;
    hex_write(SPAN(named), measurement);
    buffer_text(&w->manifest, "{\n \"apex\": 1,\n \"name\": \"test-sites\",\n \"purpose\": "
                              "\"to be tested\",\n \"program\": "
                              "{\"x86_64\": \"sha256:");
    buffer_text(&w->manifest, program);
    buffer_text(&w->manifest, "\"},\n \"source\": {\"at\": \"contracts/test\", \"build\": "
                              "\"make\"},\n \"enclaves\": [{\"tee\": "
                              "\"sim\", \"measurement\": \"");
    buffer_text(&w->manifest, measurement);
    buffer_text(&w->manifest, "\"}],\n \"parties\": [");
    for (size_t i = 0; i < WORLD_PARTIES; i++)
        party_text(&w->party[i], i + 1 == WORLD_PARTIES, i + 1 < WORLD_PARTIES, &w->manifest);
    buffer_text(
        &w->manifest,
        "],\n \"datasets\": [{\"name\": \"customers\", \"columns\": [{\"name\": \"latitude\", "
        "\"type\": \"latitude\", "
        "\"unit\": \"degree\"}]}],\n \"functions\": [{\"name\": \"sites\", \"datasets\": "
        "[\"customers\"], \"release\": "
        "\"receivers\", \"params\": []}, {\"name\": \"coverage\", \"datasets\": "
        "[\"customers\"], \"release\": "
        "\"receivers\", \"params\": []}],\n \"release\": {\"minimum_rows\": 10, "
        "\"minimum_contributors\": 2, "
        "\"maximum_share\": 0.9},\n \"quotas\": {\"runs_per_party\": 10, \"rows_per_party\": "
        "1000, \"memory_mb\": 64, "
        "\"cpu_seconds\": 6, \"output_mb\": 1},\n \"expires\": \"2040-01-01T00:00:00Z\"\n}\n");
    CHECK_OK(buffer_ok(&w->manifest));
    sha256(buffer_span(&w->manifest), w->address);
}

static struct world *node_new(enum lie lie)
{
    struct world *w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    CHECK_OK(crypto_init());
    w->lie = lie;
    w->origin = WORLD_ORIGIN;
    w->tee = "sim";
    sign_new(&w->log_public, &w->log);
    CHECK_OK(ecdsa_from_seed((const uint8_t[32]){1}, &w->chain_public, &w->chain));
    CHECK_OK(merkle_tree_new(&w->tree));
    world_boot(w);
    return w;
}

struct world *world_new(enum lie lie)
{
    static const char *const names[] = {"kauri", "rimu", "totara"};
    struct world *w = node_new(lie);
    for (size_t i = 0; i < WORLD_PARTIES; i++)
        party_new(&w->party[i], names[i]);
    party_new(&w->stranger, "stranger");
    random_bytes(w->seed, sizeof w->seed);
    manifest_make(w);
    return w;
}

struct world *world_twin(const struct world *of)
{
    struct world *w = node_new(LIE_NONE);
    memcpy(w->party, of->party, sizeof w->party);
    w->stranger = of->stranger;
    memcpy(w->seed, of->seed, sizeof w->seed);
    memcpy(w->address, of->address, sizeof w->address);
    buffer_append(&w->manifest, buffer_span(&of->manifest));
    CHECK_OK(buffer_ok(&w->manifest));
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        buffer_clear(&w->entries[i]);
    merkle_tree_free(w->tree);
    buffer_clear(&w->manifest);
    buffer_clear(&w->request);
    buffer_clear(&w->note);
    free(w);
}

void world_evidence(const struct world *w, const struct world_enclave *e, struct buffer *out)
{
    uint8_t bound[REPORT_DATA_LEN];
    BUFFER_CLEARED report = {0};
    attest_report_data(&e->keys, bound);
    if (w->lie == LIE_EVIDENCE_OTHER_KEYS) bound[63] ^= 1;
    sim_report_write(e->measurement, bound, wall_clock_ms(), &report);
    evidence_write(w->tee, buffer_span(&report), (struct span){0}, out);
}

void world_boot(struct world *w)
{
    CHECK(w->n_enclaves < WORLD_ENCLAVES_MAX);
    struct world_enclave *e = &w->enclave[w->n_enclaves++];
    struct seal_secret seal;
    struct entry *entry = calloc(1, sizeof *entry);
    BUFFER_CLEARED evidence = {0};
    sign_new(&e->keys.identity, &e->identity);
    seal_new(&e->keys.identity_seal, &seal);
    e->keys.log = w->log_public;
    e->keys.chain = w->chain_public;
    if (w->lie == LIE_EVIDENCE_OTHER_LOG_KEY) e->keys.log.bytes[0] ^= 1;
    memset(e->measurement, 0x11, 32);
    world_evidence(w, e, &evidence);
    entry->kind = ENTRY_ENCLAVE;
    entry->evidence = buffer_span(&evidence);
    memcpy(entry->identity, e->keys.identity.bytes, 32);
    memcpy(entry->identity_seal, e->keys.identity_seal.bytes, 32);
    memcpy(entry->log_key, e->keys.log.bytes, 32);
    memcpy(entry->chain_key, e->keys.chain.bytes, sizeof entry->chain_key);
    world_entry(w, entry);
    free(entry);
}

uint64_t world_entry(struct world *w, struct entry *entry)
{
    BUFFER_CLEARED payload = {0};
    struct merkle_hash leaf;
    CHECK(w->n < WORLD_ENTRIES_MAX);
    bool lies = w->lie == LIE_ENTRY_BY_STRANGER && entry->kind == ENTRY_RESULT;
    const struct sign_secret *by =
        lies ? &w->stranger.sign : &w->enclave[w->n_enclaves - 1].identity;
    struct buffer *at = &w->entries[w->n];
    entry->index = w->n;
    entry->time_ms = wall_clock_ms();
    entry_write(entry, &payload);
    CHECK_OK(buffer_ok(&payload));
    CHECK_OK(cose_sign(by, SPAN_TEXT(ENTRY_AAD), buffer_span(&payload), at));
    merkle_leaf(buffer_span(at), &leaf);
    CHECK_OK(merkle_tree_append(w->tree, &leaf));
    return w->n++;
}

uint64_t world_act(struct world *w, const struct apex_identity *by, struct act *act)
{
    BUFFER_CLEARED payload = {0};
    BUFFER_CLEARED cose = {0};
    struct entry *entry = calloc(1, sizeof *entry);
    bool elsewhere = w->lie == LIE_RUN_OF_OTHER_CONTRACT && act->kind == ACT_RUN;
    memcpy(act->address, w->address, 32);
    if (elsewhere) act->address[0] ^= 1;
    act->time_ms = wall_clock_ms();
    random_bytes(act->nonce, sizeof act->nonce);
    act_write(act, &payload);
    CHECK_OK(cose_sign(&by->sign, SPAN_TEXT(ACT_AAD), buffer_span(&payload), &cose));
    entry->kind = (unsigned)act->kind;
    entry->has_address = true;
    memcpy(entry->address, w->address, 32);
    entry->act = buffer_span(&cose);
    uint64_t index = world_entry(w, entry);
    free(entry);
    return index;
}

void world_sign(struct world *w)
{
    const struct sign_secret *by =
        w->lie == LIE_CHECKPOINT_BY_OTHER_KEY ? &w->stranger.sign : &w->log;
    snprintf(w->head.origin, sizeof w->head.origin, "%s", WORLD_ORIGIN);
    w->head.size = w->n;
    CHECK_OK(merkle_tree_root(w->tree, w->n, &w->head.root));
    if (w->lie == LIE_CHECKPOINT_OTHER_ROOT) w->head.root.bytes[31] ^= 1;
    buffer_clear(&w->note);
    CHECK_OK(checkpoint_sign(&w->head, by, &w->note));
}

static void accept_all(struct world *w)
{
    for (size_t i = 0; i < WORLD_PARTIES; i++) {
        struct act act = {.kind = ACT_ACCEPT};
        bool last = i + 1 == WORLD_PARTIES;
        if (last && (w->lie == LIE_CONSENT_MISSING || w->lie == LIE_CONSENT_LATE)) continue;
        world_act(w, last && w->lie == LIE_CONSENT_BY_STRANGER ? &w->stranger : &w->party[i],
                  &act);
    }
}

static uint64_t contribute(struct world *w, size_t party, struct entry_input *input)
{
    const struct apex_identity *by =
        party == 1 && w->lie == LIE_INPUT_BY_STRANGER ? &w->stranger : &w->party[party];
    struct act act = {.kind = ACT_CONTRIBUTE, .name = SPAN_TEXT("customers")};
    random_bytes(act.blob, sizeof act.blob);
    memcpy(input->blob, act.blob, 32);
    if (party == 1 && w->lie == LIE_INPUT_OTHER_BLOB) input->blob[0] ^= 1;
    if (party == 1 && w->lie == LIE_INPUT_NO_CONTRIBUTION)
        act = (struct act){.kind = ACT_ACCEPT};
    return input->index = world_act(w, by, &act);
}

static uint64_t ask(struct world *w)
{
    struct request r = {0};
    struct act act = {.kind = ACT_RUN, .name = SPAN_TEXT("sites")};
    random_bytes(r.nonce, sizeof r.nonce);
    memcpy(r.seed, w->seed, sizeof r.seed);
    CHECK_OK(request_write(&r, &w->request));
    sha256(buffer_span(&w->request), act.request_digest);
    random_bytes(act.blob, sizeof act.blob);
    if (w->lie == LIE_REQUEST_OTHER) act.request_digest[0] ^= 1;
    if (w->lie == LIE_RUN_OF_OTHER_FUNCTION) act.name = SPAN_TEXT("coverage");
    act.has_rows = w->lie == LIE_ROWS_UNASKED;
    return world_act(w,
                     w->lie == LIE_RUN_BY_STRANGER
                         ? &w->stranger
                         : &w->party[w->lie == LIE_RUN_WITHOUT_RIGHT ? 2 : 0],
                     &act);
}

static void release(struct world *w)
{
    struct entry *e = &w->result_entry;
    struct sha256 h;
    e->kind = ENTRY_RESULT;
    e->has_address = true;
    memcpy(e->address, w->address, 32);
    e->run = w->run;
    memset(e->program, w->lie == LIE_PROGRAM_OTHER ? 0x5b : 0x5a, 32);
    sha256(buffer_span(&w->request), e->request);
    sha256_init(&h);
    sha256_update(&h, buffer_span(&w->request));
    sha256_update(&h, SPAN_TEXT(WORLD_OUTPUT));
    sha256_final(&h, e->output);
    if (w->lie == LIE_OUTPUT_OTHER) e->output[0] ^= 1;
    e->n_recipients = w->lie == LIE_RECIPIENT_LEFT_OUT ? WORLD_PARTIES - 1 : WORLD_PARTIES;
    for (size_t i = 0; i < e->n_recipients; i++)
        memcpy(e->recipients[i].key, w->party[i].sign_public.bytes, 32);
    if (w->lie == LIE_RECIPIENT_STRANGER)
        memcpy(e->recipients[1].key, w->stranger.sign_public.bytes, 32);
    e->used_model = w->lie == LIE_MODEL_USED;
    e->has_model = w->lie == LIE_MODEL_LEFT;
    w->result = world_entry(w, e);
}

void world_live(struct world *w)
{
    struct act deploy = {.kind = ACT_DEPLOY}, late = {.kind = ACT_ACCEPT};
    if (w->lie != LIE_NOT_DEPLOYED) world_act(w, &w->party[0], &deploy);
    accept_all(w);
    w->result_entry.n_inputs = w->lie == LIE_FEWER_INPUTS ? 1 : 2;
    contribute(w, 0, &w->result_entry.inputs[0]);
    if (w->lie != LIE_INPUT_AFTER_RUN && w->lie != LIE_FEWER_INPUTS)
        contribute(w, 1, &w->result_entry.inputs[1]);
    w->run = ask(w);
    if (w->lie == LIE_INPUT_AFTER_RUN) contribute(w, 1, &w->result_entry.inputs[1]);
    if (w->lie == LIE_CONSENT_LATE) world_act(w, &w->party[2], &late);
    release(w);
    world_sign(w);
}

char *world_receipt(struct world *w)
{
    struct apex_node *node = calloc(1, sizeof *node);
    struct apex_error error;
    struct result_package p = {.run = w->run,
                               .function = SPAN_TEXT("sites"),
                               .request = buffer_span(&w->request),
                               .output = SPAN_TEXT(WORLD_OUTPUT)};
    char *text = NULL;
    memcpy(p.address, w->address, 32);
    node->mirror = (struct mirror){w->tree, w->n, w->n, w->entries};
    node->seen = w->head;
    node->note = w->note;
    node->verdict.simulated = true;
    snprintf(node->url, sizeof node->url, "http://node.test");
    snprintf(node->origin, sizeof node->origin, "%s", WORLD_ORIGIN);
    hex_write(SPAN(w->log_public.bytes), node->verdict.log_key);
    CHECK_OK(
        receipt_write(node, buffer_span(&w->manifest), &p, &w->result_entry, &text, &error));
    free(node);
    return text;
}

char *world_policy(const struct world *w)
{
    char measurement[65], key[65], *text = malloc(1024);
    hex_write(SPAN(w->enclave[w->n_enclaves - 1].measurement), measurement);
    hex_write(SPAN(w->log_public.bytes), key);
    snprintf(text, 1024,
             "{\"apex\": 1, \"accept\": [{\"tee\": \"sim\", \"measurements\": [\"%s\"], "
             "\"maximum_age_s\": 3600}], \"distrust\": [], "
             "\"log\": {\"origin\": \"%s\", \"key\": \"%s\"}}",
             measurement, WORLD_ORIGIN, key);
    return text;
}
