/* A whole contract on a hostile request and mutated tables, as its program sees them: linked
 * once with each contract. Input: length of the request (u32 big-endian), the request, its
 * tables, its model.
 *
 * What the enclave has made sure of is made sure of here: tables are of their dataset's
 * columns, parameters are there and within bounds. From there on a run ends in one of three
 * ways: an answer that is JSON, a refusal in words, or for want of memory; a status that means
 * a bug aborts. _exit, write and the allocator are wrapped by the linker: an exit jumps back
 * here, what a program would leave to the end of its process is freed, and memory ends at a
 * limit. */
#include "common/base/endian.h"
#include "common/wire/json.h"
#include "contracts/lib/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t fuzz_reached(void);

enum { SLOTS = 1 << 16, MEMORY_MAX = 192 << 20, ANSWER_MAX = 4 << 20, RETURNED = -1 };

/* --- Memory of a run ------------------------------------------------------------------------
 */
void *__real_malloc(size_t n);
void *__real_realloc(void *at, size_t n);
void *__real_aligned_alloc(size_t unit, size_t n);
void __real_free(void *at);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t unit);
void *__wrap_realloc(void *at, size_t n);
void *__wrap_aligned_alloc(size_t unit, size_t n);
void __wrap_free(void *at);

static struct {
    bool running;
    size_t n, bytes;
    struct {
        void *at;
        size_t len;
    } slot[SLOTS];
} heap;

static size_t slot_of(const void *at)
{
    size_t i = (size_t)((uintptr_t)at >> 4) * 0x9E3779B1u % SLOTS;
    while (heap.slot[i].at && heap.slot[i].at != at)
        i = (i + 1) % SLOTS;
    return i;
}

static void *kept(void *at, size_t len)
{
    if (!at) return NULL;
    size_t i = slot_of(at);
    heap.slot[i].at = at;
    heap.slot[i].len = len;
    heap.bytes += len;
    heap.n++;
    return at;
}

/* False: not one of the run's. Entries behind it move up, so that none is lost. */
static bool forgotten(void *at)
{
    size_t i = slot_of(at);
    if (!heap.slot[i].at) return false;
    heap.bytes -= heap.slot[i].len;
    heap.n--;
    heap.slot[i].at = NULL;
    for (size_t j = (i + 1) % SLOTS; heap.slot[j].at; j = (j + 1) % SLOTS) {
        void *moved = heap.slot[j].at;
        size_t len = heap.slot[j].len;
        heap.slot[j].at = NULL;
        size_t to = slot_of(moved);
        heap.slot[to].at = moved;
        heap.slot[to].len = len;
    }
    return true;
}

static bool room(size_t n)
{
    return n <= MEMORY_MAX && heap.bytes + n <= MEMORY_MAX && heap.n < SLOTS / 2;
}

void *__wrap_malloc(size_t n)
{
    if (!heap.running) return __real_malloc(n);
    return room(n) ? kept(__real_malloc(n), n) : NULL;
}

void *__wrap_calloc(size_t n, size_t unit)
{
    if (unit && n > SIZE_MAX / unit) return NULL;
    void *at = __wrap_malloc(n * unit);
    if (at) memset(at, 0, n * unit);
    return at;
}

void *__wrap_aligned_alloc(size_t unit, size_t n)
{
    if (!heap.running) return __real_aligned_alloc(unit, n);
    return room(n) ? kept(__real_aligned_alloc(unit, n), n) : NULL;
}

void *__wrap_realloc(void *at, size_t n)
{
    if (!heap.running) return __real_realloc(at, n);
    if (!room(n)) return NULL;
    if (at) forgotten(at);
    return kept(__real_realloc(at, n), n);
}

void __wrap_free(void *at)
{
    if (at) forgotten(at);
    __real_free(at);
}

static void heap_end(void)
{
    heap.running = false;
    for (size_t i = 0; i < SLOTS && heap.n > 0; i++) {
        if (!heap.slot[i].at) continue;
        __real_free(heap.slot[i].at);
        heap.slot[i].at = NULL;
        heap.n--;
    }
    memset(&heap, 0, sizeof heap);
}

/* --- Exits and what is written --------------------------------------------------------------
 */
_Noreturn void __wrap__exit(int code);
_Noreturn void __real__exit(int code);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __real_write(int fd, const void *bytes, size_t len);

static jmp_buf end;
static uint8_t answer[ANSWER_MAX];
static size_t answer_len;

_Noreturn void __wrap__exit(int code)
{
    if (!heap.running) __real__exit(code);
    longjmp(end, code);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (!heap.running) return __real_write(fd, bytes, len);
    if (fd != APEX_FD_RESULT) return (ssize_t)len;
    if (len > ANSWER_MAX - answer_len) return -1;
    memcpy(answer + answer_len, bytes, len);
    answer_len += len;
    return (ssize_t)len;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    (void)fd;
    (void)bytes;
    (void)at;
    return (ssize_t)len;
}

static void answer_check(void)
{
    static struct json j;
    enum json_event e;
    json_init(&j, false);
    json_feed(&j, span_of(answer, answer_len), true);
    do {
        if (json_next(&j, &e) != APEX_OK || e == JSON_MORE) abort();
    } while (e != JSON_END);
}

/* --- What the enclave has made sure of ------------------------------------------------------
 */
static const struct {
    const char *name, *text;
    double least, most;
} params[] = {{"k", "", 1, 9},
              {"restarts", "", 1, 2},
              {"max_rounds", "", 0, 50},
              {"radius_km", "", 0.001, 20000},
              {"metric", "planar", 0, 0},
              {"k_least", "", 1, 6},
              {"k_most", "", 1, 6},
              {"share", "", 0, 1},
              {"candidates", "", 1, 9},
              {"method", "", 0, 0},
              {"penalty", "", 0, 1e6},
              {"rounds", "", 1, 4},
              {"depth", "", 1, 3},
              {"rate", "", 0.001, 1},
              {"over", "all", 0, 0},
              {"rule", "mad", 0, 0},
              {"c", "", 0, 1000},
              {"quantile", "", 0, 1},
              {"bins", "", 1, 40},
              {"column", "", 0, 0},
              {"down", "", 0, 0},
              {"across", "", 0, 0},
              {"start", "", 0, 0},
              {"sites", "", 0, 0},
              {"edges", "", 0, 0},
              {"epsilon", "", 0.01, 4}};

static struct run_param *param_of(struct apex_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_params; i++)
        if (strcmp(run->params[i].name, name) == 0) return &run->params[i];
    if (run->n_params == PARAMS_MAX) return NULL;
    struct run_param *p = &run->params[run->n_params++];
    *p = (struct run_param){0};
    memcpy(p->name, name, strlen(name));
    return p;
}

static bool params_hold(struct apex_run *run)
{
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        struct run_param *p = param_of(run, params[i].name);
        if (!p) return false;
        if (!(p->number >= params[i].least)) p->number = params[i].least;
        if (!(p->number <= params[i].most)) p->number = params[i].most;
        if (p->text[0] == 0) memcpy(p->text, params[i].text, strlen(params[i].text));
        for (size_t c = 0; c < p->n_points * p->dims; c++)
            if (!isfinite(p->points[c])) return false;
    }
    return true;
}

static bool group_fits(const struct table_group *g, const struct run_schema *s)
{
    if (g->n_columns != s->n_columns) return false;
    for (size_t c = 0; c < s->n_columns; c++) {
        const struct table_column *t = &g->columns[c];
        if ((unsigned)t->type != (unsigned)s->columns[c].type ||
            !span_equal(t->name, span_of(s->columns[c].name, strlen(s->columns[c].name))) ||
            (t->validity && !s->columns[c].missing))
            return false;
    }
    return true;
}

static bool table_fits(const struct apex_run *run, const struct apex_table *t)
{
    const struct run_schema *schema = NULL;
    for (size_t i = 0; i < run->n_schemas; i++)
        if (strcmp(run->schemas[i].dataset, t->dataset) == 0) schema = &run->schemas[i];
    if (!schema) return false;
    for (size_t g = 0; g < t->n_groups; g++)
        if (!group_fits(&t->groups[g], schema)) return false;
    return true;
}

/* 64-byte aligned, as a mapping is. */
static const uint8_t *taken(struct span *rest, uint64_t size)
{
    if (size > rest->len || size > 4 * (uint64_t)GROUP_BYTES) return NULL;
    uint8_t *to = aligned_alloc(64, ((size_t)size + 64) / 64 * 64);
    if (!to) return NULL;
    if (size) memcpy(to, rest->data, (size_t)size);
    *rest = span_of(rest->data + size, rest->len - (size_t)size);
    return to;
}

static bool opened(struct span request, struct span rest, struct apex_run *run)
{
    if (run_parse(request, run) != APEX_OK || run->streamed || !params_hold(run)) return false;
    run->threads = 1; /* an exit jumps back here from this thread alone */
    for (size_t i = 0; i < run->n_tables; i++) {
        struct apex_table *t = &run->tables[i];
        if (!(t->bytes = taken(&rest, t->size)) || run_table_parse(t) != APEX_OK ||
            !table_fits(run, t))
            return false;
    }
    return !run->model_size || (run->model = taken(&rest, run->model_size));
}

/* The exit's code, or RETURNED with a status. */
static int ended(struct apex_run *run, apex_status *status)
{
    int code = setjmp(end);
    if (code != 0) return code;
    *status = apex_contract(run);
    if (*status == APEX_OK && run->depth != 0) abort();
    if (*status == APEX_OK) run_json_flush(run);
    return RETURNED;
}

/* How many inputs a contract was asked with: seeds whose form is out of date reach none. */
static size_t reached;

size_t fuzz_reached(void)
{
    return reached;
}

/* What a contract left is sealed by the enclave; one that does not parse ends as failed. */
static void judge(const struct apex_run *run, int code, apex_status s)
{
    bool model = run->model_size > 0;
    if (code == RETURNED && s == APEX_OK) {
        answer_check();
        return;
    }
    bool bug =
        code == RETURNED ? s != APEX_E_MEMORY && s != APEX_E_LIMIT : code == RUN_EXIT_BROKEN;
    if (bug && !model) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct apex_run run;
    if (len < 4 || get_be32(data) > len - 4) return 0;
    struct span request = span_of(data + 4, get_be32(data)),
                rest = span_of(data + 4 + request.len, len - 4 - request.len);
    memset(&run, 0, sizeof run);
    answer_len = 0;
    heap.running = true;
    if (opened(request, rest, &run)) {
        apex_status s = APEX_OK;
        reached++;
        int code = ended(&run, &s);
        judge(&run, code, s);
    }
    heap_end();
    return 0;
}
