/* How far rows are from their site: order statistics of the sorted sample, as they may be told.
 */
#include "common/num/geo.h"
#include "contracts/cluster/measure.h"

#include <math.h>

static uint64_t bits_at(const struct measure *m, bool of_all, size_t s)
{
    uint64_t bits = m->chord[s];
    if (of_all) memcpy(&bits, &m->all[s], sizeof bits);
    return bits;
}

/* Of the sorted sample, what is to be looked at for the places first .. last: these alone, or
 * all, since a place is not public. */
struct look {
    size_t first, end;
};
static struct look look_at(const struct measure *m, uint64_t first, uint64_t last)
{
    return m->plain ? (struct look){(size_t)first, (size_t)last + 1}
                    : (struct look){0, m->n_sample};
}

/* The chord at a place of the sorted sample. */
static double chord_at(const struct measure *m, bool of_all, uint64_t place)
{
    uint64_t found = 0;
    double chord2;
    struct look look = look_at(m, place, place);
    for (size_t s = look.first; s < look.end; s++)
        found |= bits_at(m, of_all, s) & ((uint64_t)0 - (s == place));
    memcpy(&chord2, &found, sizeof chord2);
    return chord2;
}

/* As numpy's quantile: linear between the two nearest. */
static double quantile_km(const struct measure *m, bool of_all, uint64_t from, uint64_t n,
                          double q)
{
    double place = q * (double)(n - 1), low = floor(place);
    uint64_t at = from + (uint64_t)low, last = from + n - 1, next = at + (at < last);
    double a = geo_km(chord_at(m, of_all, at)), b = geo_km(chord_at(m, of_all, next));
    return a + (b - a) * (place - low);
}

/* Where the rows of a site, or all, lie in the sorted sample. */
struct rows_at {
    uint64_t from, n;
};
/* A window of them: its mean square chord, to what one row could move it by, and whose rows it
 * holds. */
struct window {
    double chord2;
    struct release_cell cell;
    bool passes;
};

static void window_count(const struct measure *m, bool of_all, uint64_t first,
                         struct release_cell *cell)
{
    struct look look = look_at(m, first, first + cell->rows - 1);
    for (size_t p = 0; p < m->rules.n_parties; p++) {
        uint64_t rows = 0;
        for (size_t s = look.first; s < look.end; s++)
            rows += (s - first < cell->rows) & ((bits_at(m, of_all, s) & MEASURE_TAG) == p);
        cell->by_party[p] = rows;
    }
}

static double window_mean(const struct measure *m, bool of_all, uint64_t first, uint64_t count)
{
    uint64_t bits;
    double sum = 0, chord2;
    struct look look = look_at(m, first, first + count - 1);
    for (size_t s = look.first; s < look.end; s++) {
        bits = bits_at(m, of_all, s) & ((uint64_t)0 - (s - first < count));
        bits &= ~(uint64_t)MEASURE_TAG;
        memcpy(&chord2, &bits, sizeof chord2);
        sum += chord2;
    }
    double wide = chord_at(m, of_all, first + count - 1) - chord_at(m, of_all, first);
    return release_to(sum / (double)count, release_precision(&m->rules, wide, count));
}

static struct window window_of(const struct measure *m, size_t c, struct rows_at rows, double q,
                               size_t widen)
{
    bool of_all = c == m->k;
    const struct release_cell *all = of_all ? &m->places->all : &m->cell[c];
    struct release_window at = release_window(&m->rules, all, (size_t)rows.n, q, widen);
    uint64_t first = rows.from + at.first;
    struct window w = {window_mean(m, of_all, first, at.count), {.rows = at.count}, false};
    window_count(m, of_all, first, &w.cell);
    w.passes = release_judge(&m->rules, &w.cell) == RELEASE_OK;
    return w;
}

static double window_km(double chord2)
{
    return geo_km(chord2 < 4 ? chord2 : 4);
}

/* The root mean square of distances around a quantile, over as many rows as the rules let pass;
 * no number where they do not. */
static double told_km(const struct measure *m, size_t c, struct rows_at rows, double q)
{
    if (release_is_loose(&m->rules)) return quantile_km(m, c == m->k, rows.from, rows.n, q);
    struct window window = window_of(m, c, rows, q, 1);
    return window.passes ? window_km(window.chord2) : NAN;
}

/* How far out minimum_rows rows may be, had they all that makes up the window of the greatest
 * distances, which is widened until the rules let it pass, at the end to all rows. */
static double reach_km(const struct measure *m, size_t c, struct rows_at rows)
{
    struct window window = {.passes = false};
    if (release_is_loose(&m->rules)) return told_km(m, c, rows, 1);
    for (size_t widen = 1; !window.passes && window.cell.rows < rows.n; widen *= 2)
        window = window_of(m, c, rows, 1, widen);
    return window_km(window.chord2 * (double)window.cell.rows / (double)m->rules.minimum_rows);
}

struct spread measure_spread(const struct measure *m, size_t c)
{
    bool of_all = c == m->k;
    struct rows_at rows = {0, of_all ? m->n_sampled : m->sampled[c]};
    if (rows.n == 0 || rows.n < m->rules.minimum_rows)
        return (struct spread){NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < c && !of_all; i++)
        rows.from += m->sampled[i];
    return (struct spread){told_km(m, c, rows, 0.5), told_km(m, c, rows, 0.95),
                           told_km(m, c, rows, 1), reach_km(m, c, rows)};
}
