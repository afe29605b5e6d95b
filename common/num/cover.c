#include "common/num/cover.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/num/leak.h"

#include <stdlib.h>
#include <string.h>

struct covering {
    const uint64_t *sets;
    size_t n_sets, words;
    uint64_t step;
    uint64_t *once, *twice; /* rows covered by one or more, two or more of those chosen */
    size_t *chosen, n_chosen;
};

static uint64_t ones(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return x * UINT64_C(0x0101010101010101) >> 56;
}

/* In whole steps; public from here on, since what is chosen follows from it. */
static uint64_t steps(const struct covering *w, uint64_t rows)
{
    /* As rows / step, of rows far below 2^50, without a division that takes its time. */
    uint64_t whole = (uint64_t)(int64_t)(((double)(int64_t)rows + 0.5) / (double)w->step);
    num_leak(&whole, sizeof whole);
    return whole;
}

static const uint64_t *set_at(const struct covering *w, size_t set)
{
    return w->sets + set * w->words;
}

static uint64_t covered(const struct covering *w)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < w->words; i++)
        rows += ones(w->once[i]);
    return rows;
}

static void covered_again(struct covering *w)
{
    memset(w->once, 0, w->words * sizeof *w->once);
    memset(w->twice, 0, w->words * sizeof *w->twice);
    for (size_t c = 0; c < w->n_chosen; c++)
        for (size_t i = 0; i < w->words; i++) {
            uint64_t own = set_at(w, w->chosen[c])[i];
            w->twice[i] |= w->once[i] & own;
            w->once[i] |= own;
        }
}

/* The set that adds most; false: none adds a step. */
static bool pick(struct covering *w)
{
    uint64_t most = 0, now = covered(w);
    size_t best = 0;
    for (size_t s = 0; s < w->n_sets; s++) {
        uint64_t rows = now;
        for (size_t i = 0; i < w->words; i++)
            rows += ones(set_at(w, s)[i] & ~w->once[i]);
        uint64_t gain = steps(w, rows) - steps(w, now);
        if (gain <= most) continue;
        most = gain;
        best = s;
    }
    if (most == 0) return false;
    w->chosen[w->n_chosen++] = best;
    covered_again(w);
    return true;
}

/* Takes out the set that is least missed; false: each is needed for `goal` steps. */
static bool drop(struct covering *w, uint64_t goal)
{
    uint64_t most = 0, now = covered(w);
    size_t at = SIZE_MAX;
    for (size_t c = 0; c < w->n_chosen; c++) {
        uint64_t left = now;
        for (size_t i = 0; i < w->words; i++)
            left -= ones(set_at(w, w->chosen[c])[i] & ~w->twice[i]);
        if (steps(w, left) < goal || steps(w, left) < most) continue;
        most = steps(w, left);
        at = c;
    }
    if (at == SIZE_MAX) return false;
    w->n_chosen--;
    memmove(w->chosen + at, w->chosen + at + 1, (w->n_chosen - at) * sizeof *w->chosen);
    covered_again(w);
    return true;
}

apex_status cover_choose(const uint64_t *sets, size_t n_sets, size_t words, uint64_t wanted,
                         uint64_t step, size_t *chosen, size_t *n_chosen)
{
    size_t bytes = 0;
    if (step == 0) return APEX_E_USAGE;
    if (!size_mul(words, 2 * sizeof *sets, &bytes)) return APEX_E_LIMIT;
    uint64_t *room = calloc(1, bytes + 1);
    if (!room) return APEX_E_MEMORY;
    struct covering w = {sets, n_sets, words, step, room, room + words, chosen, 0};
    uint64_t goal = wanted / step + (wanted % step > 0);
    while (steps(&w, covered(&w)) < goal && w.n_chosen < n_sets && pick(&w))
        ;
    uint64_t reached = steps(&w, covered(&w));
    while (w.n_chosen > 1 && drop(&w, reached < goal ? reached : goal))
        ;
    *n_chosen = w.n_chosen;
    free(room);
    return APEX_OK;
}
