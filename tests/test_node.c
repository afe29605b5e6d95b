/* A client and its node: what a hostile, forgetful or restarted node says, and what a home
 * folder remembers. The node is tests/client/fake_node.h, over real HTTP. */
#include "client/lib/contribute.h"
#include "common/crypto/random.h"
#include "tests/check.h"
#include "tests/client/fake_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    struct world *w;
    struct fake_node *f;
    struct apex_home *home;
    char folder[64];
    struct apex_error error;
};

static void file_put(const struct scene *s, const char *name, const char *text)
{
    char path[128];
    struct apex_error e;
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    CHECK_OK(file_save(path, span_text(text), 0600, false, &e));
}

static void policy_put(const struct scene *s)
{
    char *policy = world_policy(s->w);
    file_put(s, "trust.json", policy);
    free(policy);
}

static void scene_open(struct scene *s, enum lie lie)
{
    memset(s, 0, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/apex-test-node-XXXXXX");
    CHECK(mkdtemp(s->folder) != NULL);
    s->w = world_new(lie);
    s->f = fake_start(s->w);
    CHECK_OK(apex_home_open(s->folder, &s->home, &s->error));
    policy_put(s);
}

static void scene_close(struct scene *s)
{
    char command[128];
    fake_stop(s->f);
    world_free(s->w);
    apex_home_close(s->home);
    snprintf(command, sizeof command, "rm -r %s", s->folder);
    CHECK(system(command) == 0);
}

static void words_check(const struct apex_error *e)
{
    CHECK(e->what[0] && e->not_done[0] && e->next[0] && e->who[0]);
}

static apex_status try_open(struct scene *s, struct apex_node **node)
{
    *node = NULL;
    s->error = (struct apex_error){0};
    apex_status st = apex_node_open(s->home, fake_url(s->f), node, &s->error);
    if (st != APEX_OK) {
        CHECK(*node == NULL && s->error.status == st);
        words_check(&s->error);
    }
    return st;
}

static struct apex_node *must_open(struct scene *s)
{
    struct apex_node *node;
    CHECK_OK(try_open(s, &node));
    return node;
}

static apex_status open_close(struct scene *s)
{
    struct apex_node *node;
    apex_status st = try_open(s, &node);
    apex_node_close(node);
    return st;
}

/* One act of the first party; *index is where it went. */
static apex_status act_once(struct scene *s, struct apex_node *node, uint64_t *index)
{
    struct act act = {.kind = ACT_DEPLOY};
    memcpy(act.address, s->w->address, 32);
    s->error = (struct apex_error){0};
    apex_status st = node_act(node, &s->w->party[0], &act, index, &s->error);
    if (st != APEX_OK) words_check(&s->error);
    return st;
}

static void note_path(const struct scene *s, const char *suffix, char path[128])
{
    char hex[17];
    for (int i = 0; i < 8; i++)
        snprintf(hex + 2 * i, 3, "%02x", s->w->log_public.bytes[i]);
    snprintf(path, 128, "%s/checkpoints/%s%s", s->folder, hex, suffix);
}

static void note_read(const struct scene *s, struct buffer *note)
{
    char path[128];
    struct apex_error e;
    note_path(s, ".note", path);
    buffer_clear(note);
    CHECK_OK(file_load(path, NOTE_MAX, note, &e));
}

static void note_write(const struct scene *s, struct span note)
{
    char path[128];
    struct apex_error e;
    note_path(s, ".note", path);
    CHECK_OK(file_save(path, note, 0600, false, &e));
}

static uint64_t remembered(const struct scene *s)
{
    BUFFER_CLEARED note = {0};
    struct checkpoint c;
    note_read(s, &note);
    CHECK_OK(checkpoint_open(buffer_span(&note), WORLD_ORIGIN, &s->w->log_public, &c));
    return c.size;
}

static void a_node_the_policy_accepts_is_opened_and_its_checkpoint_remembered(void **state)
{
    (void)state;
    struct scene s;
    struct stat st;
    char path[128];
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    CHECK(apex_node_simulated(node) && apex_node_verdict(node)->acceptable);
    CHECK(remembered(&s) == 1);
    CHECK_OK(act_once(&s, node, &index));
    CHECK(index == 1 && s.w->n == 2 && remembered(&s) == 2);
    note_path(&s, ".note", path);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    apex_node_close(node);
    CHECK_OK(open_close(&s));
    scene_close(&s);
}

static void a_home_without_a_fitting_policy_opens_nothing(void **state)
{
    (void)state;
    struct scene s;
    char path[128], *policy;
    scene_open(&s, LIE_NONE);
    static const char *const broken[] = {
        "", "{", "{\"apex\": 1}",
        "{\"apex\": 1, \"accept\": [], \"distrust\": [], \"more\": 1}", "\x80"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        file_put(&s, "trust.json", broken[i]);
        CHECK(open_close(&s) != APEX_OK && strstr(s.error.what, "policy") != NULL);
    }
    policy = world_policy(s.w);
    memcpy(strstr(policy, "1111"), "2222", 4);
    file_put(&s, "trust.json", policy);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    free(policy);
    policy = world_policy(s.w);
    char *key = strstr(policy, "\"key\": \"") + 8;
    *key = *key == '0' ? '1' : '0';
    file_put(&s, "trust.json", policy);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(strstr(s.error.what, "another log") != NULL);
    free(policy);
    snprintf(path, sizeof path, "%s/trust.json", s.folder);
    CHECK(unlink(path) == 0);
    CHECK_STATUS(open_close(&s), APEX_E_NOT_FOUND);
    CHECK(strstr(s.error.next, "apex trust init") != NULL);
    scene_close(&s);
}

static void evidence_made_for_other_keys_opens_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, LIE_EVIDENCE_OTHER_KEYS);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(s.w->n == 1 && fake_requests(s.f) == 1);
    scene_close(&s);
}

static const struct {
    enum trick trick;
    apex_status status;
} answers[] = {
    {TRICK_LOSE_QUESTION, APEX_E_UNREACHABLE},
    {TRICK_LOSE_ANSWER, APEX_E_UNREACHABLE},
    {TRICK_CUT_ANSWER, APEX_E_UNREACHABLE},
    {TRICK_UNAVAILABLE, APEX_E_UNREACHABLE},
    {TRICK_NOT_FOUND, APEX_E_NOT_FOUND},
    {TRICK_GARBAGE, APEX_E_UNTRUSTED},
    {TRICK_EMPTY, APEX_E_UNREACHABLE},
    {TRICK_ENDLESS, APEX_E_LIMIT},
    {TRICK_FLIP, APEX_E_UNTRUSTED},
    {TRICK_BY_STRANGER, APEX_E_UNTRUSTED},
    {TRICK_OTHER_MESSAGE, APEX_E_UNTRUSTED},
};

static void no_evidence_is_taken_from_a_node_that_answers_badly(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, LIE_NONE);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        fake_trick_attest(s.f, answers[i].trick, 1);
        if ((int)open_close(&s) != (int)answers[i].status)
            fail_msg("trick %d: %s", (int)answers[i].trick, s.error.what);
        if (fake_tricks_left(s.f) != 0)
            fail_msg("trick %d was not met: %s", (int)answers[i].trick, s.error.what);
    }
    CHECK_OK(open_close(&s));
    scene_close(&s);
}

static void an_act_answered_badly_is_never_taken_for_recorded(void **state)
{
    (void)state;
    static const enum trick tricks[] = {
        TRICK_GARBAGE,       TRICK_EMPTY,       TRICK_FLIP,        TRICK_BY_STRANGER,
        TRICK_OTHER_MESSAGE, TRICK_NOT_LOGGED,  TRICK_OTHER_ENTRY, TRICK_CHECKPOINT_FORGED,
        TRICK_ENDLESS,       TRICK_UNAVAILABLE,
    };
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        struct merkle_hash root;
        fake_trick(s.f, tricks[i], 100);
        CHECK(act_once(&s, node, &index) != APEX_OK);
        CHECK(fake_tricks_left(s.f) < 100);
        CHECK_OK(
            merkle_tree_root(s.w->tree, node->seen.size, &root)); /* nothing but the true log */
        CHECK(memcmp(root.bytes, node->seen.root.bytes, 32) == 0);
        fake_trick(s.f, TRICK_NONE, 0);
    }
    CHECK_OK(act_once(&s, node, &index));
    apex_node_close(node);
    scene_close(&s);
}

static void an_act_whose_answer_was_lost_is_recorded_once(void **state)
{
    (void)state;
    static const enum trick tricks[] = {TRICK_LOSE_QUESTION, TRICK_LOSE_ANSWER,
                                        TRICK_CUT_ANSWER, TRICK_UNAVAILABLE, TRICK_EMPTY};
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        size_t before = s.w->n;
        fake_trick(s.f, tricks[i], 1);
        CHECK_OK(act_once(&s, node, &index));
        CHECK(index == before && s.w->n == before + 1 && node->seen.size == before + 1);
    }
    apex_node_close(node);
    scene_close(&s);
}

static void an_enclave_started_anew_is_attested_before_it_is_asked_again(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    world_boot(s.w);
    CHECK_OK(act_once(&s, node, &index));
    CHECK(index == 2 && memcmp(verified_enclave_keys(node->enclave), &s.w->enclave[1].keys,
                               sizeof(struct enclave_keys)) == 0);
    world_boot(s.w);
    s.w->lie = LIE_EVIDENCE_OTHER_KEYS; /* and the next one cannot show evidence for its keys */
    CHECK_STATUS(act_once(&s, node, &index), APEX_E_UNTRUSTED);
    apex_node_close(node);
    scene_close(&s);
}

static void a_restart_with_another_log_is_noticed(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    char *policy = world_policy(s.w), *log = strstr(policy, ", \"log\"");
    snprintf(log, 3, "}"); /* even where the policy pins no log */
    file_put(&s, "trust.json", policy);
    free(policy);
    struct apex_node *node = must_open(&s);
    sign_new(&s.w->log_public, &s.w->log);
    world_boot(s.w);
    CHECK_STATUS(act_once(&s, node, &index), APEX_E_UNTRUSTED);
    CHECK(strstr(s.error.what, "another log") != NULL);
    apex_node_close(node);
    scene_close(&s);
}

static void a_log_rolled_back_or_forked_is_noticed_by_whoever_saw_more(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    for (int i = 0; i < 5; i++)
        CHECK_OK(act_once(&s, node, &index));
    fake_rollback(s.f, 3);
    CHECK_STATUS(node_refresh(node, &s.error), APEX_E_UNTRUSTED);
    CHECK_STATUS(act_once(&s, node, &index), APEX_E_UNTRUSTED);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(strstr(s.error.what, "rolled back or forked") != NULL);
    while (s.w->n < 9) /* grown past what was seen, with other entries */
        world_boot(s.w);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(remembered(&s) == 6);
    apex_node_close(node);
    scene_close(&s);
}

static void a_remembered_checkpoint_with_any_bit_changed_is_an_error_that_names_the_file(
    void **state)
{
    (void)state;
    struct scene s;
    BUFFER_CLEARED note = {0};
    char path[128];
    scene_open(&s, LIE_NONE);
    CHECK_OK(open_close(&s));
    note_read(&s, &note);
    note_path(&s, ".note", path);
    for (size_t i = 0; i < note.len; i++) {
        note.data[i] ^= (uint8_t)(1u << (i % 8));
        note_write(&s, buffer_span(&note));
        CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
        CHECK(strstr(s.error.what, path) != NULL && strstr(s.error.next, "backup") != NULL);
        note.data[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t len = 0; len < note.len; len += 7) {
        note_write(&s, span_of(note.data, len));
        CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    }
    note_write(&s, buffer_span(&note));
    CHECK_OK(open_close(&s));
    scene_close(&s);
}

static void an_older_checkpoint_never_replaces_a_newer_one(void **state)
{
    (void)state;
    struct scene s;
    BUFFER_CLEARED newer = {0};
    uint64_t index;
    struct wire_proof proof = {0};
    scene_open(&s, LIE_NONE);
    struct apex_node *slow = must_open(&s), *quick = must_open(&s);
    CHECK_OK(act_once(&s, quick, &index));
    world_sign(s.w); /* the answer that reaches the slow process late: the log at 2 entries */
    BUFFER_CLEARED late = {0};
    struct merkle_proof p;
    buffer_append(&late, buffer_span(&s.w->note));
    CHECK_OK(merkle_tree_consistency(s.w->tree, 1, 2, &p));
    for (size_t i = 0; i < p.n; i++)
        memcpy(proof.consistency[proof.n_consistency++], p.hash[i].bytes, 32);
    proof.note = buffer_span(&late);
    for (int i = 0; i < 3; i++)
        CHECK_OK(act_once(&s, quick, &index));
    CHECK(remembered(&s) == 5);
    CHECK_OK(seen_advance(slow, &proof, &s.error));
    CHECK(slow->seen.size == 5 && remembered(&s) == 5); /* proven to be of one log */
    note_read(&s, &newer); /* and a backup put in place is brought forward again */
    note_write(&s, buffer_span(&late));
    CHECK_OK(open_close(&s));
    CHECK(remembered(&s) == 5);
    apex_node_close(slow);
    apex_node_close(quick);
    scene_close(&s);
}

/* No two of its entries are the same. */
static void grow(struct scene *s, size_t n)
{
    while (s->w->n < n) {
        struct act act = {.kind = ACT_ACCEPT};
        world_act(s->w, &s->w->party[0], &act);
    }
}

/* What the home keeps beside its checkpoint of a log that was forked. */
static uint64_t forked_at(const struct scene *s)
{
    BUFFER_CLEARED note = {0};
    struct checkpoint c;
    struct apex_error e;
    char path[128];
    note_path(s, ".fork", path);
    if (file_load(path, NOTE_MAX, &note, &e) != APEX_OK) return 0;
    CHECK_OK(checkpoint_open(buffer_span(&note), WORLD_ORIGIN, &s->w->log_public, &c));
    return c.size;
}

/* Two processes of one home start from one checkpoint. The node shows one of them a branch of
 * `n` entries, and then another to the other: of `m`. */
static void two_branches(size_t n, size_t m)
{
    struct scene s;
    scene_open(&s, LIE_NONE);
    struct apex_node *one = must_open(&s), *two = must_open(&s);
    grow(&s, n);
    CHECK_OK(node_refresh(one, &s.error));
    fake_rollback(s.f, 1);
    grow(&s, m);
    CHECK_STATUS(node_refresh(two, &s.error), APEX_E_UNTRUSTED);
    words_check(&s.error);
    CHECK(strstr(s.error.what, "forked") != NULL && strstr(s.error.next, ".fork") != NULL);
    CHECK(remembered(&s) == n && forked_at(&s) == m);
    CHECK(two->seen.size == 1);
    CHECK_STATUS(node_refresh(two, &s.error), APEX_E_UNTRUSTED); /* nor at the second try */
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(remembered(&s) == n);
    apex_node_close(one);
    apex_node_close(two);
    scene_close(&s);
}

static void a_fork_shown_to_two_processes_is_noticed_however_long_its_branches_are(void **state)
{
    (void)state;
    static const size_t sizes[] = {2, 3, 4, 5, 8, 9};
    enum { N = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            two_branches(sizes[i], sizes[j]);
}

static void processes_of_one_home_that_see_one_log_go_on_from_the_newest(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    char path[128];
    scene_open(&s, LIE_NONE);
    struct apex_node *node[3] = {must_open(&s), must_open(&s), must_open(&s)};
    for (size_t i = 0; i < 12; i++) {
        struct apex_node *who = node[i * i % 3]; /* they rest for different times */
        CHECK_OK(act_once(&s, who, &index));
        CHECK(who->seen.size == s.w->n && remembered(&s) == s.w->n);
        CHECK_OK(node_mirror(who, &s.error));
    }
    note_path(&s, ".note", path); /* lost: begun anew, from what this process has seen */
    CHECK(unlink(path) == 0);
    CHECK_OK(act_once(&s, node[0], &index));
    CHECK(remembered(&s) == s.w->n && forked_at(&s) == 0);
    for (size_t i = 0; i < 3; i++)
        apex_node_close(node[i]);
    scene_close(&s);
}

/* ---- the state of a contract ---- */

static apex_status contract_state(struct scene *s, struct apex_node *node,
                                  enum contract_state *is)
{
    BUFFER_CLEARED bytes = {0};
    uint64_t entries[16];
    struct body_contract body = {.entries = entries};
    s->error = (struct apex_error){0};
    apex_status st = node_contract(node, s->w->address, &body, &bytes, &s->error);
    if (st != APEX_OK) words_check(&s->error);
    *is = body.state;
    return st;
}

static void contract_close(struct scene *s)
{
    struct act act = {.kind = ACT_CLOSE};
    world_act(s->w, &s->w->party[0], &act);
}

static void an_old_reply_answers_no_new_question(void **state)
{
    (void)state;
    struct scene s;
    enum contract_state is;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    CHECK_OK(contract_state(&s, node, &is));
    CHECK(is == CONTRACT_ACTIVE);
    contract_close(&s);
    fake_trick_attest(s.f, TRICK_REPLAY, 3);
    CHECK_STATUS(contract_state(&s, node, &is), APEX_E_UNTRUSTED);
    CHECK(strstr(s.error.what, "another message") != NULL);
    CHECK_STATUS(node_refresh(node, &s.error), APEX_E_UNTRUSTED);
    CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
    CHECK(fake_tricks_left(s.f) == 0);
    CHECK_OK(contract_state(&s, node, &is));
    CHECK(is == CONTRACT_CLOSED);
    apex_node_close(node);
    scene_close(&s);
}

static void a_contracts_state_by_an_older_or_another_log_is_not_believed(void **state)
{
    (void)state;
    struct scene s;
    enum contract_state is;
    scene_open(&s, LIE_NONE);
    contract_close(&s);
    struct apex_node *node = must_open(&s);
    contract_close(&s); /* grown since: proven to be of one log */
    CHECK_OK(contract_state(&s, node, &is));
    CHECK(is == CONTRACT_CLOSED);
    for (size_t n = 1; n < 5; n++) { /* older, as long, longer */
        fake_rollback(s.f, 1);
        grow(&s, n);
        CHECK_STATUS(contract_state(&s, node, &is), APEX_E_UNTRUSTED);
        CHECK(strstr(s.error.what, n < 2 ? "rolled back" : "forked") != NULL);
    }
    apex_node_close(node);
    scene_close(&s);
}

static void a_log_that_does_not_hash_to_its_checkpoint_is_not_read(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    for (int i = 0; i < 3; i++)
        CHECK_OK(act_once(&s, node, &index));
    CHECK_OK(node_mirror(node, &s.error));
    CHECK(node->mirror.n == 4);
    mirror_clear(&node->mirror);
    for (size_t i = 0; i < 4; i++) {
        s.w->entries[i].data[s.w->entries[i].len - 1] ^= 1;
        CHECK_STATUS(node_mirror(node, &s.error), APEX_E_UNTRUSTED);
        CHECK(node->mirror.n == 0);
        s.w->entries[i].data[s.w->entries[i].len - 1] ^= 1;
    }
    CHECK_OK(node_mirror(node, &s.error));
    apex_node_close(node);
    scene_close(&s);
}

static unsigned bundles_read(struct scene *s)
{
    struct apex_node *node = must_open(s);
    unsigned before = fake_bundles(s->f);
    CHECK_OK(node_mirror(node, &s->error));
    CHECK(node->mirror.n == s->w->n);
    apex_node_close(node);
    return fake_bundles(s->f) - before;
}

static void kept_put(const struct scene *s, size_t at, bool cut)
{
    char path[128], *slash;
    struct apex_error e;
    BUFFER_CLEARED bundle = {0};
    note_path(s, "-0.bundle", path);
    slash = strstr(path, "checkpoints/");
    memmove(slash + 8, slash + 12, strlen(slash + 12) + 1);
    memcpy(slash, "entries/", 8);
    CHECK_OK(file_load(path, 1 << 24, &bundle, &e));
    bundle.data[at % bundle.len] ^= 1;
    if (cut) bundle.len /= 2;
    CHECK_OK(file_save(path, buffer_span(&bundle), 0600, false, &e));
}

static void full_bundles_are_read_once_and_kept_ones_are_believed_no_more_than_the_node(
    void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, LIE_NONE);
    grow(&s, 2 * 256 + 20);
    CHECK(bundles_read(&s) == 3);
    CHECK(bundles_read(&s) == 1); /* the one that still grows */
    for (size_t i = 0; i < 8; i++) {
        kept_put(&s, i * 997, i == 7);
        CHECK(bundles_read(&s) > 1);
        CHECK(bundles_read(&s) == 1);
    }
    grow(&s, 2 * 256 + 256);
    struct apex_node *node = must_open(&s);
    fake_rollback(s.f, 2 * 256 + 10); /* the node no longer has what it signed */
    CHECK(node_mirror(node, &s.error) != APEX_OK);
    apex_node_close(node);
    scene_close(&s);
}

static void a_home_that_cannot_be_written_says_that_the_act_is_recorded(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    char path[128];
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    note_path(&s, ".lock", path);
    CHECK(unlink(path) == 0 &&
          mkdir(path, 0700) ==
              0); /* root may write anywhere, but not into a folder as into a file */
    CHECK_STATUS(act_once(&s, node, &index), APEX_E_IO);
    CHECK(s.w->n == 2 && strstr(s.error.not_done, "entry 1") != NULL);
    apex_node_close(node);
    scene_close(&s);
}

static int sparse_file(uint64_t size)
{
    int fd = memfd_create("sealed", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

/* 70 MiB go in three stretches. */
static void an_upload_goes_on_where_it_broke(void **state)
{
    (void)state;
    static const enum trick tricks[] = {
        TRICK_NONE,           TRICK_UPLOAD_BREAKS, TRICK_LOSE_QUESTION, TRICK_UNAVAILABLE,
        TRICK_UPLOAD_MANGLES, TRICK_UPLOAD_LIES,   TRICK_UPLOAD_FORGETS};
    const uint64_t size = 70u << 20;
    const uint8_t digest[32] = {1};
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        struct scene s;
        struct http *http;
        scene_open(&s, LIE_NONE);
        int fd = sparse_file(size);
        CHECK_OK(http_open(fake_url(s.f), &http, &s.error));
        fake_trick(s.f, tricks[i], 2);
        if (http_put_blob(http, digest, fd, size, NULL, NULL, &s.error) != APEX_OK)
            fail_msg("trick %d: %s", (int)tricks[i], s.error.what);
        CHECK(fake_blob_len(s.f) == size);
        uint64_t before = fake_requests(s.f);
        CHECK_OK(http_put_blob(http, digest, fd, size, NULL, NULL, &s.error));
        CHECK(fake_requests(s.f) == before + 1); /* what is whole is not sent again */
        http_close(http);
        close(fd);
        scene_close(&s);
    }
}

static void an_upload_the_node_never_keeps_ends_with_an_error(void **state)
{
    (void)state;
    static const struct {
        enum trick trick;
        apex_status status;
    } cases[] = {
        {TRICK_UPLOAD_FORGETS, APEX_E_UNREACHABLE},
        {TRICK_DISK_FULL, APEX_E_LIMIT},
    };
    const uint64_t size = 40u << 20;
    const uint8_t digest[32] = {1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        struct http *http;
        scene_open(&s, LIE_NONE);
        int fd = sparse_file(size);
        CHECK_OK(http_open(fake_url(s.f), &http, &s.error));
        fake_trick(s.f, cases[i].trick, 1000);
        CHECK_STATUS(http_put_blob(http, digest, fd, size, NULL, NULL, &s.error),
                     cases[i].status);
        words_check(&s.error);
        CHECK(fake_requests(s.f) < 20);
        http_close(http);
        close(fd);
        scene_close(&s);
    }
}

static void a_node_that_is_not_there_or_not_named_rightly_is_said_so(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        apex_status status;
    } cases[] = {
        {"http://127.0.0.1:1", APEX_E_UNREACHABLE},
        {"ftp://127.0.0.1", APEX_E_USAGE},
        {"127.0.0.1:80", APEX_E_USAGE},
        {"", APEX_E_USAGE},
        {"http://", APEX_E_USAGE},
        {"https:///", APEX_E_USAGE},
        {"file:///etc/passwd", APEX_E_USAGE},
    };
    struct scene s;
    struct apex_node *node;
    scene_open(&s, LIE_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s.error = (struct apex_error){0};
        CHECK_STATUS(apex_node_open(s.home, cases[i].url, &node, &s.error), cases[i].status);
        words_check(&s.error);
    }
    scene_close(&s);
}

/* Nothing that a terminal would obey, hide or turn. */
static void tame_check(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f) fail_msg("a control character: %s", text);
    CHECK(!strstr(text, "\xc2\x9b") && !strstr(text, "\xe2\x80\xae"));
}

static void a_log_with_a_name_that_is_none_is_of_no_node(void **state)
{
    (void)state;
    static const char *const names[] = {"x" SCREEN_TRICKS,    "x y", "x\ny",  "x+y",        "",
                                        "x\", \"key\": \"00", "x\\", "x\x7f", "caf\xc3\xa9"};
    struct scene s;
    char path[128];
    BUFFER_CLEARED before = {0};
    scene_open(&s, LIE_NONE);
    snprintf(path, sizeof path, "%s/trust.json", s.folder);
    CHECK_OK(file_load(path, 4096, &before, &s.error));
    struct apex_verdict *v = calloc(1, sizeof *v);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        BUFFER_CLEARED after = {0};
        s.w->origin = names[i];
        CHECK_STATUS(open_close(&s), APEX_E_UNTRUSTED);
        CHECK_STATUS(apex_trust_init(s.home, fake_url(s.f), true, v, &s.error),
                     APEX_E_UNTRUSTED);
        CHECK(strstr(s.error.what, "name") != NULL);
        words_check(&s.error);
        tame_check(s.error.what);
        CHECK_OK(file_load(path, 4096, &after, &s.error));
        CHECK(span_equal(buffer_span(&before), buffer_span(&after)));
    }
    free(v);
    scene_close(&s);
}

static void what_a_stranger_says_moves_no_cursor(void **state)
{
    (void)state;
    struct scene s;
    uint64_t index;
    char *shares;
    scene_open(&s, LIE_NONE);
    struct apex_node *node = must_open(&s);
    fake_trick(s.f, TRICK_REFUSES, 2);
    CHECK_STATUS(act_once(&s, node, &index), APEX_E_REFUSED);
    CHECK(strstr(s.error.what, "well\\x1b[2J") != NULL);
    tame_check(s.error.what);
    CHECK_STATUS(apex_shares(fake_url(s.f), &shares, &s.error), APEX_E_REFUSED);
    CHECK(strstr(s.error.what, "well\\x1b[2J") != NULL);
    tame_check(s.error.what);
    apex_node_close(node);
    struct apex_verdict *v = calloc(1, sizeof *v);
    s.w->tee = "\x1b[8m\xc2\x9b\", \"a";
    CHECK_STATUS(apex_trust_check(s.home, fake_url(s.f), v, &s.error), APEX_E_UNTRUSTED);
    CHECK(v->n_checks > 0 && strstr(v->tee, "\\x1b[8m") != NULL);
    tame_check(v->tee);
    tame_check(v->sentence);
    tame_check(s.error.what);
    for (size_t i = 0; i < v->n_checks; i++)
        tame_check(v->checks[i].detail);
    free(v);
    scene_close(&s);
}

/* As world_policy, of two measurements: all bytes 0x11, all bytes 0x22. */
static void two_measurements_put(const struct scene *s)
{
    char text[1200], other[65], *policy = world_policy(s->w),
                                *list = strstr(policy, "\"measurements\": [");
    memset(other, '2', 64);
    other[64] = 0;
    list += strlen("\"measurements\": [");
    snprintf(text, sizeof text, "%.*s\"%s\", %s", (int)(list - policy), policy, other, list);
    file_put(s, "trust.json", text);
    free(policy);
}

/* Rows for a node whose enclave was started anew since it was met, with this measurement. */
static apex_status rows_after_restart(struct scene *s, uint8_t measurement)
{
    char file[128];
    uint8_t blob[32];
    struct manifest *m;
    struct apex_rows_report *report = calloc(1, sizeof *report);
    snprintf(file, sizeof file, "%s/rows.csv", s->folder);
    CHECK_OK(manifest_parse(buffer_span(&s->w->manifest), &m, NULL));
    struct apex_node *node = must_open(s);
    world_boot(s->w);
    memset(s->w->enclave[1].measurement, measurement, 32);
    CHECK_OK(enclave_named(node, m, &s->error)); /* the one that was met is */
    apex_status st = rows_send(node, &s->w->party[0], s->w->address, m, &m->datasets[0], file,
                               NULL, report, blob, &s->error);
    apex_node_close(node);
    manifest_free(m);
    free(report);
    return st;
}

static void an_enclave_met_on_the_way_gets_rows_only_if_the_contract_names_it(void **state)
{
    (void)state;
    for (uint8_t measurement = 0x11; measurement <= 0x22; measurement += 0x11) {
        struct scene s;
        bool named = measurement == 0x11;
        scene_open(&s, LIE_NONE);
        two_measurements_put(&s);
        file_put(&s, "rows.csv", "latitude\n-36.8\n-41.2\n");
        CHECK_STATUS(rows_after_restart(&s, measurement), named ? APEX_OK : APEX_E_UNTRUSTED);
        CHECK(named || strstr(s.error.what, "not one the contract names") != NULL);
        CHECK((fake_blob_len(s.f) > 0) == named);
        scene_close(&s);
    }
}

static void a_node_that_keeps_another_log_than_the_pinned_one_is_not_acceptable(void **state)
{
    (void)state;
    struct scene s;
    struct apex_verdict *v = calloc(1, sizeof *v);
    scene_open(&s, LIE_NONE);
    for (int pinned = 1; pinned >= -1; pinned--) { /* this log, another one, none */
        char *policy = world_policy(s.w), *key = strstr(policy, "\"key\": \"") + 8;
        if (pinned == 0) *key = *key == '0' ? '1' : '0';
        if (pinned < 0) snprintf(strstr(policy, ", \"log\""), 3, "}");
        file_put(&s, "trust.json", policy);
        free(policy);
        CHECK_STATUS(apex_trust_check(s.home, fake_url(s.f), v, &s.error),
                     pinned == 0 ? APEX_E_UNTRUSTED : APEX_OK);
        const struct apex_check *last = &v->checks[v->n_checks - 1];
        CHECK(strcmp(last->name, "log-pinned") == 0 && last->result == pinned);
        CHECK(v->genuine && v->acceptable == (pinned != 0));
        if (pinned != 0) continue;
        CHECK(strcmp(v->reason, "log-pinned") == 0 && strstr(v->sentence, "another log"));
        CHECK(strcmp(s.error.what, v->sentence) == 0);
        words_check(&s.error);
    }
    free(v);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_the_policy_accepts_is_opened_and_its_checkpoint_remembered),
        cmocka_unit_test(a_home_without_a_fitting_policy_opens_nothing),
        cmocka_unit_test(evidence_made_for_other_keys_opens_nothing),
        cmocka_unit_test(no_evidence_is_taken_from_a_node_that_answers_badly),
        cmocka_unit_test(an_act_answered_badly_is_never_taken_for_recorded),
        cmocka_unit_test(an_act_whose_answer_was_lost_is_recorded_once),
        cmocka_unit_test(an_enclave_started_anew_is_attested_before_it_is_asked_again),
        cmocka_unit_test(a_restart_with_another_log_is_noticed),
        cmocka_unit_test(a_log_rolled_back_or_forked_is_noticed_by_whoever_saw_more),
        cmocka_unit_test(
            a_remembered_checkpoint_with_any_bit_changed_is_an_error_that_names_the_file),
        cmocka_unit_test(an_older_checkpoint_never_replaces_a_newer_one),
        cmocka_unit_test(
            a_fork_shown_to_two_processes_is_noticed_however_long_its_branches_are),
        cmocka_unit_test(processes_of_one_home_that_see_one_log_go_on_from_the_newest),
        cmocka_unit_test(an_old_reply_answers_no_new_question),
        cmocka_unit_test(a_contracts_state_by_an_older_or_another_log_is_not_believed),
        cmocka_unit_test(a_log_that_does_not_hash_to_its_checkpoint_is_not_read),
        cmocka_unit_test(
            full_bundles_are_read_once_and_kept_ones_are_believed_no_more_than_the_node),
        cmocka_unit_test(a_home_that_cannot_be_written_says_that_the_act_is_recorded),
        cmocka_unit_test(an_upload_goes_on_where_it_broke),
        cmocka_unit_test(an_upload_the_node_never_keeps_ends_with_an_error),
        cmocka_unit_test(a_node_that_is_not_there_or_not_named_rightly_is_said_so),
        cmocka_unit_test(a_log_with_a_name_that_is_none_is_of_no_node),
        cmocka_unit_test(an_enclave_met_on_the_way_gets_rows_only_if_the_contract_names_it),
        cmocka_unit_test(a_node_that_keeps_another_log_than_the_pinned_one_is_not_acceptable),
        cmocka_unit_test(what_a_stranger_says_moves_no_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
