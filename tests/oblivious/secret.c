/* PROGRAM            under valgrind: every case at every level
 * PROGRAM steps      every case at every level, step by step (trace.c)
 * PROGRAM bare       runs them unwatched: for looking at one with a debugger */
#include "tests/oblivious/secret.h"

#include "common/num/leak.h"
#include "common/num/simd.h"
#include "tests/oblivious/trace.h"

#include <stdio.h>
#include <valgrind/memcheck.h>

static bool stepping;
static const char *const level_name[] = {"portable", "AVX2", "AVX-512"};

void secret(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len);
}

void declassify(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
}

/* In place of the one in common/num. */
void num_leak(const void *bytes, size_t len)
{
    declassify(bytes, len);
    trace_leak(bytes, len, __builtin_return_address(0));
}

size_t rows_watched(size_t many, size_t few)
{
    return stepping ? few : many;
}

uint64_t oblivious_number(uint64_t seed, uint64_t i)
{
    uint64_t z = (seed << 32) + i + 0x9E3779B97F4A7C15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

double oblivious_unit(uint64_t seed, uint64_t i)
{
    return (double)(oblivious_number(seed, i) >> 11) * 0x1p-53;
}

static int say(bool good, const struct oblivious_case *c, const char *how, int level)
{
    printf("%s - %s%s (%s, %s)\n", good ? "ok" : "not ok",
           c->caught ? "noticed, a planted leak: " : "nothing follows a row: ", c->sentence,
           how, level_name[level]);
    fflush(stdout);
    return good ? 0 : 1;
}

static int watch_valgrind(const struct oblivious_case *c, int level)
{
    c->fill(1);
    unsigned before = (unsigned)VALGRIND_COUNT_ERRORS;
    c->run();
    bool seen = (unsigned)VALGRIND_COUNT_ERRORS > before;
    if (c->unseen_by_valgrind) return seen;
    return say(seen == c->caught, c, "valgrind", level);
}

/* A step is a trap, which takes 20 microseconds on a virtual machine. What valgrind has seen
 * wholly is stepped through for a while only. */
enum { STEPS_OF_512 = 120000, STEPS_BELOW = 5000 };

static int watch_steps(const struct oblivious_case *c, int level)
{
    char why[200];
    bool seen = !trace_compare(c, level == SIMD_LEVEL_512 ? STEPS_OF_512 : STEPS_BELOW, why);
    if (c->unseen_by_steps) return seen;
    int bad = say(seen == c->caught, c, "steps", level);
    printf("# %s\n", why);
    return bad;
}

int oblivious_main(int argc, char **argv, const struct oblivious_case *cases, size_t n)
{
    int failures = 0, best;
    bool bare = argc > 1 && argv[1][0] == 'b';
    stepping = argc > 1 && argv[1][0] == 's';
    if (!stepping && !bare && !RUNNING_ON_VALGRIND) {
        puts("not ok - this proof runs under valgrind: tests/oblivious/watch PROGRAM");
        return 2;
    }
    best = (int)simd_level();
    for (int level = 0; level <= best; level++) {
        simd_level_limit((enum simd_level)level);
        for (size_t i = 0; i < n; i++) {
            if (bare) {
                cases[i].fill(1);
                cases[i].run();
            } else if (stepping)
                failures += watch_steps(&cases[i], level);
            else
                failures += watch_valgrind(&cases[i], level);
        }
    }
    return failures ? 1 : 0;
}
