#include "enclave/core/job.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/kdf.h"
#include "common/wire/json.h"
#include "common/wire/message.h"
#include "common/wire/package.h"
#include "common/wire/table.h"
#include "enclave/core/feeder.h"
#include "enclave/core/host.h"
#include "enclave/core/model.h"
#include "common/ledger/policy.h"
#include "enclave/core/program_request.h"
#include "enclave/core/runner.h"
#include "enclave/core/sealed_table.h"
#include "include/apex/contract.h"

#include <stdio.h>
#include <stdlib.h>

enum { STARTS_MAX = 3, WALL_GRACE_S = 10, WITNESS_WAIT_MS = 60000 };
#define MIB UINT64_C(1048576)

struct job {
    struct core *core;
    struct run *run;
    struct contract *contract;
    const struct manifest_function *function;
    const uint8_t *author;     /* of the run */
    const struct entry *again; /* the result on record, when it is computed once more */
    struct buffer request;     /* plaintext */
    size_t n_inputs;
    struct job_table tables[JAIL_TABLES_MAX];
    bool streamed;             /* tables are fed to the program, not held */
    struct memory_file *model; /* the one it uses */
    struct jail_result result;
    struct span left; /* the model it left, at the end of the output */
    struct entry *entry;
    bool failed;     /* as against refused */
    bool taken_back; /* rows it was sequenced with were withdrawn since: were it computed on the
                        rest, one charge would buy as many answers as there are withdrawals */
    char detail[ENTRY_DETAIL_MAX];
};

static bool wanted(const struct job *j, size_t dataset)
{
    for (size_t i = 0; i < j->function->n_datasets; i++)
        if (j->function->datasets[i] == dataset) return true;
    return false;
}

/* The contributions this run sees: those sequenced before it and not withdrawn since. Lock
 * held. */
static void inputs_list(struct job *j)
{
    for (size_t i = 0; i < j->run->n_visible && j->n_inputs < JAIL_TABLES_MAX - 2; i++) {
        const struct contribution *n = &j->contract->contributions[i];
        if (!wanted(j, n->dataset)) continue;
        j->taken_back |= n->withdrawn && n->withdrawn_at > j->run->index;
        if (n->withdrawn) continue;
        struct job_table *t = &j->tables[j->n_inputs++];
        *t = (struct job_table){.index = n->index, .dataset = n->dataset, .party = n->party};
        memcpy(t->blob, n->blob, 32);
        if (!n->known) continue;
        t->size = n->n_groups * GROUP_BYTES;
        memcpy(t->digest, n->digest, sizeof t->digest);
    }
}

static struct table_source source_of(const struct job *j, const struct job_table *t)
{
    const struct manifest *m = j->contract->manifest;
    return (struct table_source){.blob = t->blob,
                                 .address = j->contract->address,
                                 .key = j->contract->secret,
                                 .dataset = &m->datasets[t->dataset],
                                 .author = m->parties[t->party].sign,
                                 .rows_max = UINT64_MAX};
}

/* Rows that are in memory, checked. */
static bool table_kept(struct job *j, struct job_table *t)
{
    if (!t->is_private) t->file = kept_tables_take(j->core->tables, t->blob, t->digest);
    if (t->file) t->size = memory_file_size(t->file);
    return t->file != NULL;
}

/* How large it will be, which the log does not tell of tables from before this boot. */
static enum refusal table_measure(struct job *j, struct job_table *t)
{
    struct table_facts facts = {0};
    struct table_source src = source_of(j, t);
    if (table_kept(j, t) || t->size > 0) return REFUSAL_NONE;
    enum refusal no = sealed_table_head(j->core->link, &src, &facts);
    if (facts.n_groups > UINT64_MAX / GROUP_BYTES) return REFUSAL_BAD_ROWS;
    t->size = facts.n_groups * GROUP_BYTES;
    memcpy(t->digest, facts.digest, sizeof t->digest);
    return no;
}

static enum refusal table_load(struct job *j, struct job_table *t)
{
    struct table_facts facts;
    struct table_source src = source_of(j, t);
    if (t->file) return REFUSAL_NONE;
    src.known =
        true; /* checked whole before it was recorded; held back until its hash is seen */
    if (memory_file_new("table", &t->file) != APEX_OK) return REFUSAL_INTERNAL;
    enum refusal no = sealed_table_open(j->core->link, &src, t->file, UINT64_MAX, &facts);
    memcpy(t->digest, facts.digest, sizeof t->digest);
    t->size = memory_file_size(t->file);
    if (no == REFUSAL_NONE && !facts.written) no = REFUSAL_PROGRAM_MEMORY;
    if (no == REFUSAL_NONE && memory_file_seal(t->file) != APEX_OK) no = REFUSAL_INTERNAL;
    if (no != REFUSAL_NONE) {
        memory_file_free(t->file);
        t->file = NULL;
    }
    return no;
}

/* A table that is fed to the program. What was believed of it till now, a head told. */
static enum refusal table_mark(struct job *j, struct job_table *t)
{
    struct table_facts facts;
    struct table_source src = source_of(j, t);
    memory_file_free(t->file);
    t->file = NULL;
    enum refusal no = table_marks_make(j->core->link, &src, &t->marks, &facts);
    memcpy(t->digest, facts.digest, sizeof t->digest);
    t->size = facts.n_groups * GROUP_BYTES;
    return no;
}

static size_t tables_of(const struct job *j)
{
    return j->n_inputs + j->run->has_rows;
}

/* Tables that take more than half of what the program may use are not held but fed to it. */
static enum refusal tables_load(struct job *j)
{
    enum refusal no = REFUSAL_NONE;
    uint64_t total = 0;
    if (j->run->has_rows) {
        struct job_table *t = &j->tables[j->n_inputs];
        *t = (struct job_table){
            .dataset = j->function->rows, .party = j->run->party, .is_private = true};
        memcpy(t->blob, j->run->rows, 32);
    }
    if (tables_of(j) == 0 && !j->function->uses) return REFUSAL_NO_DATA;
    for (size_t i = 0; i < tables_of(j) && no == REFUSAL_NONE; i++) {
        no = table_measure(j, &j->tables[i]);
        total += j->tables[i].size;
    }
    j->streamed = total > j->contract->manifest->quotas.memory_mb * MIB / 2;
    for (size_t i = 0; i < tables_of(j) && no == REFUSAL_NONE; i++)
        no = (j->streamed ? table_mark : table_load)(j, &j->tables[i]);
    return no;
}

static void progress(void *context, unsigned percent)
{
    struct job *j = context;
    if (j->again) return;
    pthread_mutex_lock(&j->core->lock);
    j->run->permille = percent > 100 ? 1000 : percent * 10;
    pthread_mutex_unlock(&j->core->lock);
    link_event(j->core->link, j->run->index, RUN_RUNNING, j->run->permille, 0);
}

static enum refusal said(struct job *j)
{
    static const enum refusal code[] = {[APEX_REFUSE_NO_DATA] = REFUSAL_NO_DATA,
                                        [APEX_REFUSE_ROWS] = REFUSAL_RULE_ROWS,
                                        [APEX_REFUSE_CONTRIBUTORS] = REFUSAL_RULE_CONTRIBUTORS,
                                        [APEX_REFUSE_K] = REFUSAL_RULE_K,
                                        [APEX_REFUSE_SHARE] = REFUSAL_RULE_SHARE,
                                        [APEX_REFUSE_PARAMETER] = REFUSAL_BAD_PARAMETER};
    unsigned why = j->result.said;
    snprintf(j->detail, sizeof j->detail, "%s", j->result.detail);
    return why < sizeof code / sizeof *code && code[why] != REFUSAL_NONE
               ? code[why]
               : REFUSAL_PROGRAM_SAID_NO;
}

/* A result is JSON, whole: control characters and broken UTF-8 reach nobody's terminal. */
static bool output_is_json(const struct jail_result *r)
{
    struct json *parser = malloc(sizeof *parser);
    enum json_event e = JSON_MORE;
    if (!parser) return false;
    json_init(parser, false);
    json_feed(parser, span_of(r->output, r->output_len), true);
    while (e != JSON_END && json_next(parser, &e) == APEX_OK) {
    }
    free(parser);
    return e == JSON_END;
}

static enum refusal ended(struct job *j)
{
    j->failed = j->result.end != JAIL_SAID_NO;
    switch (j->result.end) {
    case JAIL_RELEASED:
        if (j->function->trains) j->left = model_split(&j->result);
        return output_is_json(&j->result) ? REFUSAL_NONE : REFUSAL_PROGRAM_OUTPUT;
    case JAIL_SAID_NO: return said(j);
    case JAIL_CRASHED: return REFUSAL_PROGRAM_CRASHED;
    case JAIL_BREACH: return REFUSAL_PROGRAM_JAILBREAK;
    case JAIL_TIMEOUT: return REFUSAL_PROGRAM_TIMEOUT;
    case JAIL_MEMORY: return REFUSAL_PROGRAM_MEMORY;
    case JAIL_OUTPUT: return REFUSAL_PROGRAM_OUTPUT;
    case JAIL_PROGRAM_TAMPERED: return REFUSAL_PROGRAM_TAMPERED;
    case JAIL_MACHINE: break;
    }
    return REFUSAL_INTERNAL;
}

/* A thread has a stack and rooms of its own. Where the quota is small there are fewer threads,
 * or what runs on two processors would fail on sixteen; no answer shows how many there were. */
static unsigned threads_within(const struct manifest_quotas *q, unsigned threads)
{
    enum { MB_A_THREAD = 16 };
    uint64_t most = q->memory_mb / MB_A_THREAD;
    return most < 1 ? 1 : most < threads ? (unsigned)most : threads;
}

static struct jail_limits limits_of(const struct job *j, const struct jail_job *jj,
                                    unsigned threads)
{
    const struct manifest_quotas *q = &j->contract->manifest->quotas;
    uint64_t tables = 0;
    for (size_t i = 0; i < jj->n_tables; i++)
        tables += memory_file_size(jj->tables[i]); /* the model among them */
    return (struct jail_limits){.memory_bytes = q->memory_mb * MIB + tables,
                                .cpu_seconds = q->cpu_seconds,
                                .wall_seconds = q->cpu_seconds + WALL_GRACE_S,
                                .output_bytes = q->output_mb * MIB,
                                .threads = threads};
}

/* The noise of a private answer: another key for another question or other rows, the same when
 * a run is computed again, so that a host that kills runs learns no second sample. */
static apex_status noise_key(const struct job *j, uint8_t key[static 32])
{
    uint8_t prk[32], index[8];
    struct sha256 h;
    put_be64(index, j->run->index);
    hkdf_extract(SPAN_TEXT("apex/noise/v1"), SPAN(j->contract->secret->bytes), prk);
    sha256_init(&h);
    sha256_update(&h, SPAN(index));
    sha256_update(&h, SPAN(j->run->request));
    for (size_t i = 0; i < tables_of(j); i++)
        sha256_update(&h, SPAN(j->tables[i].blob));
    if (j->entry->used_model) {
        put_be64(index, j->entry->model_run);
        sha256_update(&h, SPAN(index));
    }
    sha256_final(&h, key);
    apex_status s = hkdf_expand(prk, span_of(key, 32), key, 32);
    wipe(prk, sizeof prk);
    return s;
}

/* The model that is asked for, as it was when the run was sequenced: a run that is computed
 * again is computed on the same. None, if rows of it were withdrawn since. */
static enum refusal model_take(struct job *j)
{
    struct request r = {0};
    size_t bad;
    if (!j->function->uses) return REFUSAL_NONE;
    if (request_parse(buffer_span(&j->request), j->function, &r, &bad) != APEX_OK)
        return REFUSAL_INTERNAL;
    uint64_t index = (uint64_t)request_number(&r, "model");
    request_clear(&r);
    if (j->again) index = j->again->model_run;
    pthread_mutex_lock(&j->core->lock);
    const struct run *trained =
        contract_model(&j->core->state, j->contract, j->function, index, j->run->index);
    if (trained && !contract_model_stands(j->contract, trained, UINT64_MAX)) trained = NULL;
    pthread_mutex_unlock(&j->core->lock);
    if (!trained) return REFUSAL_NO_MODEL;
    j->entry->used_model = true;
    j->entry->model_run = trained->index;
    return model_open(j->core->link, j->contract, trained, &j->model);
}

/* *no: what kept the feeder from giving a group. */
static apex_status run_fed(struct job *j, struct jail_job *jj, enum refusal *no)
{
    struct feeder *feeder;
    struct table_source *sources = calloc(tables_of(j), sizeof *sources);
    apex_status s = sources ? APEX_OK : APEX_E_MEMORY;
    for (size_t i = 0; s == APEX_OK && i < tables_of(j); i++) {
        sources[i] = source_of(j, &j->tables[i]);
        sources[i].marks = &j->tables[i].marks;
        sources[i].known = true;
    }
    if (s == APEX_OK) s = feeder_new(j->core->link, sources, tables_of(j), &feeder);
    if (s == APEX_OK) {
        jj->feed = feeder_program_end(feeder);
        s = jail_run(jj, &j->result);
        *no = feeder_end(feeder);
    }
    free(sources);
    return s;
}

static enum refusal jail_fill_and_run(struct job *j, struct memory_file *program,
                                      const uint8_t *digest, unsigned threads)
{
    struct jail_job jj = {
        .program = program, .program_digest = digest, .progress = progress, .context = j};
    uint8_t noise[32];
    threads = threads_within(&j->contract->manifest->quotas, threads);
    struct program_setup setup = {.contract = j->contract,
                                  .function = j->function,
                                  .request = buffer_span(&j->request),
                                  .n_tables = tables_of(j),
                                  .streamed = j->streamed,
                                  .tables = j->tables,
                                  .threads = threads,
                                  .model_len = j->model ? memory_file_size(j->model) : 0,
                                  .epsilon_micro = j->run->epsilon_micro,
                                  .noise = j->function->is_private ? noise : NULL};
    if (noise_key(j, noise) != APEX_OK) return REFUSAL_INTERNAL;
    apex_status s = program_request_new(&setup, &jj.request);
    wipe(noise, sizeof noise);
    if (s != APEX_OK) return REFUSAL_INTERNAL;
    for (size_t i = 0; i < setup.n_tables && !j->streamed; i++)
        jj.tables[jj.n_tables++] = j->tables[i].file;
    if (j->model) jj.tables[jj.n_tables++] = j->model;
    jj.limits = limits_of(j, &jj, threads);
    enum refusal no = REFUSAL_NONE;
    s = j->streamed ? run_fed(j, &jj, &no) : jail_run(&jj, &j->result);
    memory_file_free(jj.request);
    if (no != REFUSAL_NONE) return no;
    return s == APEX_OK ? ended(j) : REFUSAL_INTERNAL;
}

static enum refusal compute(struct job *j, struct programs *programs, unsigned threads)
{
    const uint8_t *digest = runner_program_digest(j->contract->manifest);
    struct memory_file *program;
    j->failed = true;
    if (!policy_measurement(j->contract->manifest, tee_kind(j->core->tee),
                            tee_measurement(j->core->tee)))
        return REFUSAL_WRONG_MEASUREMENT;
    if (j->taken_back && !j->again) {
        j->failed = false;
        return REFUSAL_TAKEN_BACK;
    }
    enum refusal no = runner_request(j->core->link, j->contract, j->author,
                                     j->run->request_blob, j->run->request, &j->request);
    if (no == REFUSAL_NONE) no = tables_load(j);
    if (no == REFUSAL_NONE) no = model_take(j);
    if (no == REFUSAL_NO_DATA || no == REFUSAL_NO_MODEL) j->failed = false;
    if (no != REFUSAL_NONE) return no;
    qsort(j->tables, tables_of(j), sizeof *j->tables, job_table_order);
    if (!digest) return REFUSAL_PROGRAM_MISSING;
    apex_status s = programs_take(programs, digest, &program);
    if (s != APEX_OK)
        return s == APEX_E_NOT_FOUND   ? REFUSAL_PROGRAM_MISSING
               : s == APEX_E_UNTRUSTED ? REFUSAL_PROGRAM_TAMPERED
                                       : REFUSAL_INTERNAL;
    no = jail_fill_and_run(j, program, digest, threads);
    programs_release(programs, program);
    return no;
}

static apex_status seal_for(struct job *j, struct span package, size_t party)
{
    const struct manifest_party *p = &j->contract->manifest->parties[party];
    struct entry_recipient *r = &j->entry->recipients[j->entry->n_recipients];
    BUFFER_CLEARED sealed = {0};
    uint8_t info[INFO_MAX];
    struct seal_public to;
    size_t info_len = seal_info("apex/result/v1", j->contract->address, (struct span){0}, info);
    uint8_t *room = buffer_reserve(&sealed, package.len + HPKE_OVERHEAD);
    if (!room) return APEX_E_MEMORY;
    memcpy(to.bytes, p->seal, sizeof to.bytes);
    TRY(hpke_seal(&to, span_of(info, info_len), (struct span){0}, package, room));
    TRY(host_blob_put(j->core->link, span_of(room, package.len + HPKE_OVERHEAD), r->blob));
    memcpy(r->key, p->sign, sizeof r->key);
    j->entry->n_recipients++;
    return APEX_OK;
}

/* To the requester alone, or to every party that may receive. */
static apex_status seal_all(struct job *j)
{
    const struct manifest *m = j->contract->manifest;
    struct result_package p = {.run = j->run->index,
                               .function = span_text(j->function->name),
                               .request = buffer_span(&j->request),
                               .output = span_of(j->result.output, j->result.output_len)};
    BUFFER_CLEARED package = {0};
    memcpy(p.address, j->contract->address, 32);
    result_package_write(&p, &package);
    TRY(buffer_ok(&package));
    for (size_t i = 0; i < m->n_parties; i++) {
        bool receives = j->function->to_requester ? i == j->run->party
                                                  : (m->parties[i].may & MAY_RECEIVE) != 0;
        if (receives) TRY(seal_for(j, buffer_span(&package), i));
    }
    if (j->left.len == 0) return APEX_OK;
    j->entry->has_model = true;
    return model_keep(j->core->link, j->contract, j->run, j->left, j->entry->model);
}

static void result_fill(struct job *j)
{
    struct entry *e = j->entry;
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, buffer_span(&j->request));
    sha256_update(&h, span_of(j->result.output, j->result.output_len));
    sha256_final(&h, e->output);
    e->kind = ENTRY_RESULT;
    memcpy(e->program, runner_program_digest(j->contract->manifest), 32);
    memcpy(e->request, j->run->request, 32);
    for (size_t i = 0; i < tables_of(j); i++) {
        const struct job_table *t = &j->tables[i];
        if (t->is_private) {
            e->has_rows = true;
            memcpy(e->rows, t->blob, 32);
            continue;
        }
        struct entry_input *n = &e->inputs[e->n_inputs++];
        n->index = t->index;
        memcpy(n->blob, t->blob, 32);
    }
}

static void refusal_fill(struct job *j, enum refusal no)
{
    j->entry->kind = ENTRY_REFUSE;
    j->entry->state = j->failed ? 2 : 1;
    j->entry->code = no;
    j->entry->detail = span_text(j->detail);
}

/* A host that cannot keep the end of a run leaves the run waiting; it is computed again later,
 * with the same answer. */
static void end_append(struct job *j)
{
    const uint8_t nobody[32] = {0};
    BUFFER_CLEARED cose = {0};
    j->entry->has_address = true;
    memcpy(j->entry->address, j->contract->address, 32);
    j->entry->run = j->run->index;
    pthread_mutex_lock(&j->core->lock);
    apex_status s = core_append(j->core, j->entry, NULL, nobody, (struct span){0}, &cose);
    if (s != APEX_OK && !j->core->unkept) j->run->state = RUN_REQUESTED;
    pthread_mutex_unlock(&j->core->lock);
    if (s == APEX_OK)
        link_event(j->core->link, j->run->index, j->run->state, 1000, j->run->end);
}

/* Rows that had to be fetched are kept for the next run, unless they were taken back. */
static void tables_keep(struct job *j)
{
    pthread_mutex_lock(&j->core->lock);
    for (size_t i = 0; i < tables_of(j); i++) {
        struct job_table *t = &j->tables[i];
        if (!t->file || t->is_private || j->contract->closed) continue;
        const struct contribution *n = contract_contribution(j->contract, t->index);
        if (!n || n->withdrawn) continue;
        kept_tables_give(j->core->tables, t->blob, t->digest, t->file);
        t->file = NULL;
    }
    pthread_mutex_unlock(&j->core->lock);
}

static void job_clear(struct job *j)
{
    for (size_t i = 0; i < JAIL_TABLES_MAX; i++) {
        memory_file_free(j->tables[i].file);
        table_marks_clear(&j->tables[i].marks);
    }
    if (j->model) memory_file_free(j->model);
    jail_result_clear(&j->result);
    buffer_clear(&j->request);
    free(j->entry);
    free(j);
}

static struct job *job_new(struct core *core, struct run *run)
{
    struct job *j = calloc(1, sizeof *j);
    struct entry *e = calloc(1, sizeof *e);
    if (!j || !e) {
        free(j);
        free(e);
        return NULL;
    }
    j->core = core;
    j->run = run;
    j->entry = e;
    pthread_mutex_lock(&core->lock);
    j->contract = core->state.contracts[run->contract];
    j->function = &j->contract->manifest->functions[run->function];
    j->author = j->contract->manifest->parties[run->party].sign;
    inputs_list(j);
    bool hopeless = core->state.boots - run->boots_before > STARTS_MAX;
    pthread_mutex_unlock(&core->lock);
    if (hopeless)
        snprintf(j->detail, sizeof j->detail, "given up after %d starts", (int)STARTS_MAX);
    return j;
}

void job_do(struct core *core, struct programs *programs, struct run *run, unsigned threads)
{
    struct job *j = job_new(core, run);
    if (!j) return;
    link_event(core->link, run->index, RUN_RUNNING, 0, 0);
    j->failed = true;
    enum refusal no = j->detail[0] ? REFUSAL_INTERNAL : REFUSAL_NONE;
    /* No answer leaves before the witnesses have seen that it was asked for. */
    if (no == REFUSAL_NONE &&
        !core_witnessed(core, j->contract->manifest, run->index + 1, WITNESS_WAIT_MS))
        no = REFUSAL_UNWITNESSED;
    if (no == REFUSAL_NONE) no = compute(j, programs, threads);
    if (no == REFUSAL_NONE) {
        result_fill(j);
        if (seal_all(j) != APEX_OK) {
            j->failed = true;
            memset(j->entry, 0, sizeof *j->entry);
            no = REFUSAL_STORAGE;
        }
    }
    if (no != REFUSAL_NONE) {
        j->entry->used_model = j->entry->has_model = false;
        refusal_fill(j, no);
    }
    tables_keep(j); /* before the end is told: who then asks again finds them kept */
    end_append(j);
    job_clear(j);
}

/* The contributions that the result on record names, as they stand now. Lock held. */
static enum refusal inputs_again(struct job *j)
{
    j->n_inputs = 0;
    for (size_t i = 0; i < j->again->n_inputs; i++) {
        const struct contribution *n =
            contract_contribution(j->contract, j->again->inputs[i].index);
        if (!n || j->n_inputs == JAIL_TABLES_MAX - 2) return REFUSAL_UNKNOWN_CONTRIBUTION;
        if (n->withdrawn) return REFUSAL_ALREADY_WITHDRAWN;
        struct job_table *t = &j->tables[j->n_inputs++];
        *t = (struct job_table){.index = n->index, .dataset = n->dataset, .party = n->party};
        memcpy(t->blob, n->blob, sizeof t->blob);
    }
    return REFUSAL_NONE;
}

enum refusal job_again(struct core *core, struct programs *programs, struct run *run,
                       unsigned threads, const struct entry *logged, uint8_t output[static 32])
{
    struct job *j = job_new(core, run);
    if (!j) return REFUSAL_INTERNAL;
    j->again = logged;
    pthread_mutex_lock(&core->lock);
    enum refusal no = inputs_again(j);
    pthread_mutex_unlock(&core->lock);
    if (no == REFUSAL_NONE) no = compute(j, programs, threads);
    if (no == REFUSAL_NONE) {
        result_fill(j);
        memcpy(output, j->entry->output, sizeof j->entry->output);
    }
    tables_keep(j);
    job_clear(j);
    return no;
}
