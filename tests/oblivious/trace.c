/* The trap flag stops a process after each of its instructions; the handler below keeps the
 * instruction's address and a hash of the registers its memory operand is made of. A case runs
 * in a child of its own for each seed, forked from the same state, so that equal work has equal
 * addresses. The first run is kept, the others compared as they go, and the first step that
 * differs is told with its place in the source. */
#include "tests/oblivious/trace.h"

#include "tests/oblivious/operands.h"

#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { SEEDS = 2, TRIES = 12, STEPS_MAX = 1 << 26, STACK_BYTES = 1 << 17, LEAKS_MAX = 4096 };
enum ending { ENDED, PARTED, BY_VECTOR, LONGER, LEAKED };

struct step {
    uint32_t at, address;
};
struct record {
    enum ending ending;
    size_t n_steps, n_leaks, here; /* of the first run; steps of this run */
    uint64_t before, at, leak[LEAKS_MAX];
    struct step step[STEPS_MAX];
};
static struct record *record;
static bool active, keeping;
static size_t steps_most;
static size_t leaks_here, mask_offset;
static uint64_t before;

static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};

static _Noreturn void part(enum ending why, uint64_t at)
{
    record->ending = why;
    record->before = before;
    record->at = at;
    _exit(0);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t opmask(const ucontext_t *u, unsigned k)
{
    uint64_t value = 0;
    if (mask_offset)
        memcpy(&value, (const uint8_t *)u->uc_mcontext.fpregs + mask_offset + 8 * k,
               sizeof value);
    return value;
}

static uint64_t divisor(const ucontext_t *u, const struct operands *o)
{
    const greg_t *g = u->uc_mcontext.gregs;
    uint64_t value = 0, at = (uint64_t)o->offset;
    if (o->base >= 0) at += (uint64_t)g[greg_of[o->base]];
    if (o->index >= 0) at += (uint64_t)g[greg_of[o->index]] << o->scale;
    memcpy(&value, (const void *)(uintptr_t)at, o->divisor_len);
    return value;
}

static void on_step(int signal_number, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;
    uint64_t at = (uint64_t)u->uc_mcontext.gregs[REG_RIP], hash = 1;
    (void)signal_number, (void)info;
    struct operands o = operands_of((const uint8_t *)at);
    hash = mix(hash, (uint64_t)u->uc_mcontext.gregs[REG_RSP]);
    for (unsigned r = 0; r < 16; r++)
        if (o.registers >> r & 1) hash = mix(hash, (uint64_t)u->uc_mcontext.gregs[greg_of[r]]);
    if (o.divisor_len) hash = mix(hash, divisor(u, &o));
    if (o.mask) hash = mix(hash, opmask(u, o.mask));
    struct step step = {(uint32_t)at, (uint32_t)(hash >> 32)};
    size_t i = record->here++;
    if (i >= STEPS_MAX) part(LONGER, at);
    if (i >= steps_most) part(ENDED, at);
    if (o.by_vector) part(BY_VECTOR, at);
    if (keeping) {
        record->step[i] = step;
        record->n_steps = i + 1;
    } else if (i >= record->n_steps || record->step[i].at != step.at ||
               record->step[i].address != step.address)
        part(PARTED, at);
    before = at;
}

static void handler_install(void)
{
    static uint8_t stack[STACK_BYTES];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction act = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    unsigned a, b, c, d;
    if (__get_cpuid_count(0xD, 5, &a, &b, &c, &d) && a) mask_offset = b; /* opmask state */
    sigaltstack(&other, NULL);
    sigaction(SIGTRAP, &act, NULL);
}

/* Past the 128 bytes below the stack pointer that a leaf function may use. */
static inline __attribute__((always_inline)) void trap_flag(bool on)
{
    if (on)
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq;"
                         "lea 128(%%rsp), %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq;"
                         "lea 128(%%rsp), %%rsp" ::
                             : "memory", "cc");
}

void trace_leak(const void *bytes, size_t len, const void *from)
{
    uint64_t hash = 1;
    if (!active) return;
    trap_flag(false); /* what is compared here is the leak */
    for (size_t i = 0; i < len; i++)
        hash = mix(hash, ((const uint8_t *)bytes)[i]);
    size_t i = leaks_here++;
    if (keeping && i < LEAKS_MAX) record->leak[i] = hash;
    if (!keeping && i < LEAKS_MAX && record->leak[i] != hash)
        part(LEAKED, (uint64_t)(uintptr_t)from);
    trap_flag(true);
}

static _Noreturn void child(const struct oblivious_case *c, unsigned seed)
{
    handler_install();
    keeping = seed == 1;
    record->here = 0;
    c->fill(seed);
    active = true;
    trap_flag(true);
    c->run();
    trap_flag(false);
    active = false;
    if (keeping)
        record->n_leaks = leaks_here;
    else if (record->here != record->n_steps)
        part(PARTED, before);
    record->ending = ENDED;
    _exit(0);
}

/* "function at file:line". */
static void place_of(uint64_t at, char text[static 80])
{
    char command[100], line[2][200] = {"", ""};
    snprintf(command, sizeof command, "addr2line -sfe /proc/%d/exe %#llx", (int)getpid(),
             (unsigned long long)at);
    FILE *f = popen(command, "r");
    for (int i = 0; f && i < 2 && fgets(line[i], sizeof line[i], f); i++)
        line[i][strcspn(line[i], "\n")] = 0;
    if (f) pclose(f);
    snprintf(text, 80, "%.40s at %.30s", line[0], line[1]);
}

static bool ended(unsigned seed, int status, char why[static 200])
{
    char place[80], from[80];
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        snprintf(why, 200, "seed %u: the run ended by itself, status %#x", seed,
                 (unsigned)status);
        return false;
    }
    if (record->ending == ENDED) {
        snprintf(why, 200, "%s%zu steps, %zu leaks, the same for %u seeds",
                 record->n_steps == steps_most ? "the first " : "", record->n_steps,
                 record->n_leaks, seed);
        return record->n_steps > 0;
    }
    static const char *const words[] = {[PARTED] = "other instructions or addresses",
                                        [BY_VECTOR] = "an address from a vector",
                                        [LONGER] = "too many steps",
                                        [LEAKED] = "what num_leak gives away differs"};
    place_of(record->at, place);
    place_of(record->before, from);
    snprintf(why, 200, "seed %u, step %zu: %s: %s, from %s", seed, record->here,
             words[record->ending], place, from);
    return false;
}

bool trace_compare(const struct oblivious_case *c, size_t most, char why[static 200])
{
    bool same = true;
    steps_most = most;
    snprintf(why, 200, "no memory");
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (record == MAP_FAILED) return false;
    for (unsigned seed = 1, done = 0; done < SEEDS && same; seed++) {
        int status = -1;
        record->ending = PARTED;
        pid_t pid = fork();
        if (pid == 0) child(c, seed);
        if (pid < 0 || waitpid(pid, &status, 0) != pid) status = -1;
        /* Left out; looking up its place would move this process's heap, and so all addresses.
         */
        if (status == 0 && record->ending == LEAKED && seed < TRIES) continue;
        same = ended(seed, status, why);
        done += same;
    }
    munmap(record, sizeof *record);
    return same;
}
