#include "client/lib/contribute.h"
#include "client/lib/params.h"
#include "client/lib/receipt.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    POLL_FIRST_MS = 1,
    POLL_MAX_MS = 200,
    PATIENCE_MS = 60000,
    RESULT_BLOB_MAX = RESULT_MAX + 4096
};

struct asking {
    struct apex_node *node;
    const struct apex_identity *identity;
    const struct apex_run_options *options;
    struct apex_error *error;
    struct buffer text; /* the manifest's */
    struct manifest *m;
    struct act act;
};

static apex_status untrusted(struct apex_error *e, const char *what)
{
    return apex_fail(e, APEX_E_UNTRUSTED, what, "the answer was not used",
                     "trust nothing from this node; show this to an auditor", "the operator");
}

static apex_status request_make(const struct asking *a, const struct manifest_function *f,
                                struct buffer *plain)
{
    struct request r;
    params_begin(f, &r);
    random_bytes(r.nonce, sizeof r.nonce);
    random_bytes(r.seed, sizeof r.seed);
    apex_status s = APEX_OK;
    if (a->options->seed_hex &&
        hex_parse(span_text(a->options->seed_hex), r.seed, 32) != APEX_OK)
        s = apex_fail(a->error, APEX_E_USAGE, "a seed is 64 lower-case hex digits",
                      "nothing was sent", "give one, or leave it out", "you");
    for (size_t i = 0; s == APEX_OK && i < a->options->n_params; i++)
        s = params_set(f, a->options->params[i], &r, a->error);
    if (s == APEX_OK) s = params_whole(&r, a->error);
    if (s == APEX_OK && request_write(&r, plain) != APEX_OK) s = apex_fail_memory(a->error);
    if (s == APEX_OK && plain->len > REQUEST_MAX)
        s = apex_fail(a->error, APEX_E_LIMIT, "the request is longer than 64 KiB",
                      "nothing was sent", "give fewer points", "you");
    request_clear(&r);
    return s;
}

static apex_status bytes_send(struct apex_node *node, struct span bytes,
                              uint8_t digest[static 32], struct apex_error *error)
{
    int fd = memfd_create("blob", MFD_CLOEXEC);
    if (fd < 0) return apex_fail_memory(error);
    apex_status s = write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len
                        ? APEX_OK
                        : apex_fail_memory(error);
    sha256(bytes, digest);
    if (s == APEX_OK) s = http_put_blob(node->http, digest, fd, bytes.len, NULL, NULL, error);
    close(fd);
    return s;
}

static apex_status request_send(struct asking *a, const struct manifest_function *f)
{
    BUFFER_CLEARED plain = {0};
    BUFFER_CLEARED sealed = {0};
    struct seal_public key;
    uint8_t info[INFO_MAX];
    TRY(request_make(a, f, &plain));
    sha256(buffer_span(&plain), a->act.request_digest);
    TRY(contract_key(a->node, a->m, a->act.address, &key, a->error));
    size_t info_len = seal_info("apex/request/v1", a->act.address,
                                SPAN(a->identity->sign_public.bytes), info);
    uint8_t *room = buffer_reserve(&sealed, plain.len + HPKE_OVERHEAD);
    if (!room) return apex_fail_memory(a->error);
    if (hpke_seal(&key, span_of(info, info_len), (struct span){0}, buffer_span(&plain), room) !=
        APEX_OK)
        return untrusted(a->error, "the contract's key is not a key");
    sealed.len = plain.len + HPKE_OVERHEAD;
    return bytes_send(a->node, buffer_span(&sealed), a->act.blob, a->error);
}

static apex_status own_rows_send(struct asking *a, const struct manifest_function *f)
{
    struct apex_rows_options o = {.map = a->options->map,
                                  .progress = a->options->progress,
                                  .context = a->options->context};
    if (!a->options->rows_file) return APEX_OK;
    if (!f->has_rows)
        return apex_fail(a->error, APEX_E_USAGE, "this function takes no rows with the request",
                         "nothing was sent", "leave --rows out", "you");
    struct apex_rows_report *report = calloc(1, sizeof *report);
    if (!report) return apex_fail_memory(a->error);
    apex_status s =
        rows_send(a->node, a->identity, a->act.address, a->m, &a->m->datasets[f->rows],
                  a->options->rows_file, &o, report, a->act.rows, a->error);
    a->act.has_rows = s == APEX_OK;
    if (s == APEX_E_DATA && report->n_bad) {
        char first[200];
        snprintf(first, sizeof first, "%.60s; the first is row %llu, column %s: %s",
                 a->error->what, (unsigned long long)report->bad[0].row, report->bad[0].column,
                 report->bad[0].reason);
        snprintf(a->error->what, sizeof a->error->what, "%s", first);
    }
    free(report);
    return s;
}

static apex_status ask(struct asking *a, const char *function, uint64_t *run)
{
    const struct manifest_function *f = manifest_function_by_name(a->m, span_text(function));
    char what[200];
    if (!f) {
        snprintf(what, sizeof what, "the contract has no function %.64s; it has %.64s%s",
                 function, a->m->functions[0].name, a->m->n_functions > 1 ? " and others" : "");
        return apex_fail(a->error, APEX_E_USAGE, what, "nothing was sent",
                         "see `apex contract show`", "you");
    }
    TRY(enclave_named(a->node, a->m, a->error));
    a->act.kind = ACT_RUN;
    a->act.name = span_text(f->name);
    TRY(request_send(a, f));
    TRY(own_rows_send(a, f));
    return node_act(a->node, a->identity, &a->act, run, a->error);
}

static apex_status run_state_get(struct apex_node *node, uint64_t run, struct body_run *body,
                                 struct apex_error *error)
{
    BUFFER_CLEARED query = {0};
    BUFFER_CLEARED bytes = {0};
    struct query q = {.index = run};
    struct reply reply;
    random_bytes(q.nonce, sizeof q.nonce);
    query_write(MESSAGE_RUN, &q, &query);
    TRY(node_message(node, MESSAGE_RUN, buffer_span(&query), &bytes, &reply, error));
    return body_run_parse(reply.body, body) == APEX_OK
               ? APEX_OK
               : untrusted(error, "the reply is not of the agreed form");
}

static void pause_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* With the run's number, by which its answer can be fetched later. */
static void tell(const struct asking *a, uint64_t run, const char *what, uint64_t done,
                 uint64_t total)
{
    char stage[64];
    if (!a->options || !a->options->progress) return;
    snprintf(stage, sizeof stage, "run %llu: %.32s", (unsigned long long)run, what);
    a->options->progress(a->options->context, stage, done, total);
}

/* The run goes on without us: how to come back for its answer. */
static apex_status leave(const struct asking *a, uint64_t run, apex_status s)
{
    char address[ADDRESS_TEXT_LEN + 1];
    address_write(a->act.address, address);
    snprintf(a->error->not_done, sizeof a->error->not_done,
             "the run is on record as entry %llu; its answer was not fetched",
             (unsigned long long)run);
    snprintf(a->error->next, sizeof a->error->next,
             "fetch the answer later with `apex result %s %llu`", address,
             (unsigned long long)run);
    return s;
}

/* Asks the enclave itself, ever less often; what the host says of progress is not needed. A
 * node that is away for a while (its enclave died and is started again, which computes the run
 * anew) is waited for. */
static apex_status wait_end(struct asking *a, uint64_t run, struct body_run *body)
{
    uint64_t answered_ms = wall_clock_ms();
    for (unsigned pause = POLL_FIRST_MS;;
         pause = pause * 2 < POLL_MAX_MS ? pause * 2 : POLL_MAX_MS) {
        apex_status s = run_state_get(a->node, run, body, a->error);
        if (s == APEX_OK) answered_ms = wall_clock_ms();
        if (s == APEX_OK && body->state >= RUN_RELEASED && body->index > 0) return APEX_OK;
        if (s == APEX_E_UNREACHABLE && wall_clock_ms() - answered_ms >= PATIENCE_MS)
            return leave(a, run, s);
        if (s != APEX_OK && s != APEX_E_UNREACHABLE) return s;
        tell(a, run,
             s != APEX_OK                   ? "waiting for the node"
             : body->state == RUN_REQUESTED ? "queued"
                                            : "computing",
             s == APEX_OK ? body->permille : 0, 1000);
        pause_ms(pause);
    }
}

static apex_status end_entry(struct asking *a, uint64_t run, uint64_t index, struct entry *e)
{
    struct cose cose;
    char detail[ENTRY_DETAIL_MAX + 1];
    TRY(node_refresh(a->node, a->error));
    TRY(node_mirror(a->node, a->error));
    if (index >= a->node->mirror.n ||
        cose_open(buffer_span(&a->node->mirror.entries[index]), SPAN_TEXT(ENTRY_AAD), &cose) !=
            APEX_OK ||
        entry_parse(cose.payload, e) != APEX_OK || e->run != run ||
        (e->kind != ENTRY_RESULT && e->kind != ENTRY_REFUSE))
        return untrusted(a->error, "the run's end is not in the log as the reply says");
    if (e->kind == ENTRY_RESULT) return APEX_OK;
    snprintf(detail, sizeof detail, "%.*s", (int)e->detail.len,
             e->detail.len ? (const char *)e->detail.data : "");
    apex_status s = apex_fail_refusal(a->error, APEX_E_REFUSED, e->code, detail);
    snprintf(a->error->not_done, sizeof a->error->not_done,
             "no answer was released; the refusal is entry %llu of the log",
             (unsigned long long)index);
    return s;
}

static apex_status result_open(struct asking *a, const struct entry *e, struct buffer *package)
{
    BUFFER_CLEARED sealed = {0};
    char hex[65], path[80];
    uint8_t digest[32], info[INFO_MAX];
    size_t i = 0;
    while (i < e->n_recipients &&
           memcmp(e->recipients[i].key, a->identity->sign_public.bytes, 32) != 0)
        i++;
    if (i == e->n_recipients)
        return apex_fail(a->error, APEX_E_REFUSED, "the result was not sealed to this identity",
                         "nothing was opened", "ask a party that may receive it",
                         "the parties");
    hex_write(SPAN(e->recipients[i].blob), hex);
    snprintf(path, sizeof path, "/blob/%s", hex);
    TRY(http_get(a->node->http, path, RESULT_BLOB_MAX, &sealed, a->error));
    sha256(buffer_span(&sealed), digest);
    if (memcmp(digest, e->recipients[i].blob, 32) != 0 || sealed.len < HPKE_OVERHEAD)
        return untrusted(a->error, "the sealed result is not the one in the log");
    size_t info_len = seal_info("apex/result/v1", a->act.address, (struct span){0}, info),
           len = sealed.len - HPKE_OVERHEAD;
    uint8_t *room = buffer_reserve(package, len ? len : 1);
    if (!room) return apex_fail_memory(a->error);
    if (hpke_open(&a->identity->seal, span_of(info, info_len), (struct span){0},
                  buffer_span(&sealed), room) != APEX_OK)
        return untrusted(a->error, "the sealed result does not open");
    package->len = len;
    return APEX_OK;
}

/* What was opened must be what the log committed to. */
static apex_status package_check(struct asking *a, const struct result_package *p,
                                 const struct entry *e, uint64_t run)
{
    struct sha256 h;
    uint8_t request[32], output[32];
    sha256(p->request, request);
    sha256_init(&h);
    sha256_update(&h, p->request);
    sha256_update(&h, p->output);
    sha256_final(&h, output);
    bool same = p->run == run && memcmp(p->address, a->act.address, 32) == 0 &&
                memcmp(request, e->request, 32) == 0 && memcmp(output, e->output, 32) == 0;
    return same ? APEX_OK : untrusted(a->error, "the result is not the one the log commits to");
}

static apex_status text_copy(struct span from, char **to, struct apex_error *error)
{
    *to = malloc(from.len + 1);
    if (!*to) return apex_fail_memory(error);
    memcpy(*to, from.data, from.len);
    (*to)[from.len] = 0;
    return APEX_OK;
}

static apex_status take_result(struct asking *a, uint64_t run, char **result, char **output)
{
    BUFFER_CLEARED bytes = {0};
    struct body_run body;
    struct result_package p;
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return apex_fail_memory(a->error);
    apex_status s = wait_end(a, run, &body);
    if (s == APEX_OK) s = end_entry(a, run, body.index, e);
    if (s == APEX_OK) s = result_open(a, e, &bytes);
    if (s == APEX_OK && result_package_parse(buffer_span(&bytes), &p) != APEX_OK)
        s = untrusted(a->error, "the result is not of the agreed form");
    if (s == APEX_OK) s = package_check(a, &p, e, run);
    if (s == APEX_OK && result)
        s = receipt_write(a->node, buffer_span(&a->text), &p, e, result, a->error);
    if (s == APEX_OK && output) s = text_copy(p.output, output, a->error);
    free(e);
    return s;
}

static apex_status asking_open(struct asking *a, const char *address)
{
    TRY(address_of(address, a->act.address, a->error));
    return node_manifest(a->node, a->act.address, &a->text, &a->m, a->error);
}

static void asking_close(struct asking *a)
{
    buffer_clear(&a->text);
    manifest_free(a->m);
}

apex_status apex_run(struct apex_node *node, const struct apex_identity *identity,
                     const char *address, const char *function,
                     const struct apex_run_options *options, char **result, char **output,
                     struct apex_error *error)
{
    static const struct apex_run_options none = {0};
    struct asking a = {.node = node,
                       .identity = identity,
                       .options = options ? options : &none,
                       .error = error};
    uint64_t run;
    apex_status s = asking_open(&a, address);
    if (s == APEX_OK) s = ask(&a, function, &run);
    if (s == APEX_OK) s = take_result(&a, run, result, output);
    asking_close(&a);
    return s;
}

apex_status apex_result(struct apex_node *node, const struct apex_identity *identity,
                        const char *address, uint64_t run, char **result, char **output,
                        struct apex_error *error)
{
    struct asking a = {.node = node, .identity = identity, .error = error};
    apex_status s = asking_open(&a, address);
    if (s == APEX_OK) s = take_result(&a, run, result, output);
    asking_close(&a);
    return s;
}
