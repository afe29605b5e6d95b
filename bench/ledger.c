/* What a log costs: bench_ledger append FOLDER ENTRIES BATCH | replay ENTRIES | proof ENTRIES.
 * One line of JSON each. append   as the host keeps entries: each batch synced, its checkpoint
 * kept, synced, before the next; entries of 400 bytes replay   as the enclave reads a log at
 * its start: parse, hash, every rule, and the signatures of the newest 65,536 entries; runs and
 * their results of one contract proof    an inclusion proof of a random entry */
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "common/ledger/replay.h"
#include "common/merkle/tile.h"
#include "host/ledger/ledger.h"
#include "tests/client/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ENTRY_BYTES = 400, SIGNATURES = 1 << 16, PROOFS = 10000 };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench_ledger: %s\n", what);
    return 1;
}

static apex_status batch_append(struct ledger *l, struct merkle_tree *tree,
                                const struct sign_secret *key, size_t batch)
{
    BUFFER_CLEARED bundle = {0};
    BUFFER_CLEARED note = {0};
    struct checkpoint c = {.origin = "bench/log", .size = merkle_tree_size(tree) + batch};
    uint64_t first = merkle_tree_size(tree);
    for (size_t i = 0; i < batch; i++) {
        uint8_t entry[ENTRY_BYTES];
        struct merkle_hash leaf;
        random_bytes(entry, sizeof entry);
        TRY(bundle_write(SPAN(entry), &bundle));
        merkle_leaf(SPAN(entry), &leaf);
        TRY(merkle_tree_append(tree, &leaf));
    }
    TRY(ledger_append(l, first, buffer_span(&bundle)));
    TRY(merkle_tree_root(tree, c.size, &c.root));
    TRY(checkpoint_sign(&c, key, &note));
    return ledger_checkpoint_put(l, buffer_span(&note));
}

static int bench_append(const char *folder, size_t n, size_t batch)
{
    struct ledger *l;
    struct merkle_tree *tree;
    struct sign_public public_key;
    struct sign_secret key;
    if (crypto_init() != APEX_OK || ledger_open(folder, &l) != APEX_OK ||
        merkle_tree_new(&tree) != APEX_OK)
        return fail("the folder cannot be opened");
    sign_new(&public_key, &key);
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t at = 0; at < n; at += batch)
        if (batch_append(l, tree, &key, batch) != APEX_OK) return fail("an append failed");
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"entries\": %zu, \"seconds_wall\": %.6f, \"seconds_cpu\": %.6f}\n", n, wall, cpu);
    merkle_tree_free(tree);
    ledger_close(l);
    return 0;
}

static int bench_proof(size_t n)
{
    struct merkle_tree *tree;
    struct merkle_proof p;
    uint64_t state = 88172645463325252u;
    if (crypto_init() != APEX_OK || merkle_tree_new(&tree) != APEX_OK) return fail("no memory");
    for (size_t i = 0; i < n; i++) {
        struct merkle_hash leaf = {{0}};
        memcpy(leaf.bytes, &i, sizeof i);
        if (merkle_tree_append(tree, &leaf) != APEX_OK) return fail("no memory");
    }
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < PROOFS; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        if (merkle_tree_inclusion(tree, state % n, n, &p) != APEX_OK) return fail("no proof");
    }
    cpu = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / PROOFS;
    printf("{\"entries\": %zu, \"seconds_cpu\": %.9f}\n", n, cpu);
    merkle_tree_free(tree);
    return 0;
}

static struct buffer *logged;
static struct world *world;

static void entry_put(struct entry *e, size_t index)
{
    BUFFER_CLEARED payload = {0};
    e->index = index;
    e->time_ms = wall_clock_ms();
    entry_write(e, &payload);
    if (cose_sign(&world->enclave[0].identity, SPAN_TEXT(ENTRY_AAD), buffer_span(&payload),
                  &logged[index]) != APEX_OK)
        abort();
}

/* A run of the first party, and its result. */
static void pair_put(struct entry *e, const struct entry *result, size_t index)
{
    BUFFER_CLEARED payload = {0};
    BUFFER_CLEARED cose = {0};
    struct act act = {.kind = ACT_RUN, .name = SPAN_TEXT("sites"), .time_ms = wall_clock_ms()};
    memcpy(act.address, world->address, 32);
    memcpy(act.request_digest, result->request, 32);
    random_bytes(act.nonce, sizeof act.nonce);
    act_write(&act, &payload);
    if (cose_sign(&world->party[0].sign, SPAN_TEXT(ACT_AAD), buffer_span(&payload), &cose) !=
        APEX_OK)
        abort();
    *e = (struct entry){.kind = ACT_RUN, .has_address = true, .act = buffer_span(&cose)};
    memcpy(e->address, world->address, 32);
    entry_put(e, index);
    *e = *result;
    e->run = index;
    entry_put(e, index + 1);
}

static apex_status manifest_give(void *context, const uint8_t address[static 32],
                                 struct buffer *text)
{
    (void)context, (void)address;
    buffer_append(text, buffer_span(&world->manifest));
    return buffer_ok(text);
}

static size_t log_make(size_t n)
{
    struct entry *e = calloc(1, sizeof *e), *result = calloc(1, sizeof *result);
    world = world_new(LIE_NONE);
    world_live(world);
    logged = calloc(n + 2, sizeof *logged);
    if (!e || !result || !logged) abort();
    for (size_t i = 0; i < world->n; i++)
        logged[i] = world->entries[i];
    *result = world->result_entry;
    size_t at = world->n;
    for (; at + 1 < n; at += 2)
        pair_put(e, result, at);
    free(e);
    free(result);
    return at;
}

static int bench_replay(size_t n)
{
    struct state state;
    struct merkle_tree *tree;
    struct replay r;
    struct breach b;
    struct entry *e = calloc(1, sizeof *e);
    size_t breaches = 0, made = log_make(n);
    if (!e || state_init(&state, NULL, NULL) != APEX_OK || merkle_tree_new(&tree) != APEX_OK)
        return fail("no memory");
    replay_init(&r, &state, tree);
    r.manifest = manifest_give;
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < made; i++) {
        r.signatures = made - i <= SIGNATURES;
        if (replay_entry(&r, buffer_span(&logged[i]), e, &b) != APEX_OK)
            return fail("an entry does not follow");
        breaches +=
            b.rule != REFUSAL_NONE && b.rule != REFUSAL_QUOTA; /* ten runs are allowed */
    }
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"entries\": %zu, \"seconds_wall\": %.6f, \"seconds_cpu\": %.6f, \"breaches\": "
           "%zu}\n",
           made, wall, cpu, breaches);
    return breaches ? fail("the log breaks a rule") : 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "append") == 0)
        return bench_append(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "replay") == 0)
        return bench_replay(strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "proof") == 0)
        return bench_proof(strtoul(argv[2], NULL, 10));
    return fail("append FOLDER ENTRIES BATCH | replay ENTRIES | proof ENTRIES");
}
