/* How far rows are from their site: order statistics of the sorted sample, as they may be told.
 */
#include "common/num/geo.h"
#include "contracts/cluster/measure.h"

#include <math.h>

/* Chords of the sorted sample: by site, or of all rows. */
static const uint64_t *chords_of(const struct measure *m, bool of_all)
{
    return of_all ? m->chord_all : m->chord;
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
    const uint64_t *bits = chords_of(m, of_all);
    struct look look = look_at(m, place, place);
    for (size_t s = look.first; s < look.end; s++)
        found |= bits[s] & ((uint64_t)0 - (s == place));
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

static double chord_of(uint64_t bits)
{
    double chord2;
    bits &= ~(uint64_t)MEASURE_TAG;
    memcpy(&chord2, &bits, sizeof chord2);
    return chord2;
}

/* In one pass over what is to be looked at. */
static void window_read(const struct measure *m, bool of_all, uint64_t first, struct window *w)
{
    const uint64_t *chord = chords_of(m, of_all), count = w->cell.rows;
    uint64_t least = 0, greatest = 0;
    double sum = 0;
    struct look look = look_at(m, first, first + count - 1);
    for (size_t s = look.first; s < look.end; s++) {
        uint64_t at = s - first, inside = (uint64_t)0 - (at < count), bits = chord[s] & inside;
        least |= bits & ((uint64_t)0 - (at == 0));
        greatest |= bits & ((uint64_t)0 - (at == count - 1));
        sum += chord_of(bits);
        for (size_t p = 0; p < m->rules.n_parties; p++)
            w->cell.by_party[p] += inside & ((bits & MEASURE_TAG) == p);
    }
    double wide = chord_of(greatest) - chord_of(least);
    w->chord2 = release_to(sum / (double)count, release_precision(&m->rules, wide, count));
}

static struct window window_of(const struct measure *m, size_t c, struct rows_at rows, double q,
                               size_t widen)
{
    bool of_all = c == m->k;
    const struct release_cell *all = of_all ? &m->places->all : &m->cell[c];
    struct release_window at = release_window(&m->rules, all, (size_t)rows.n, q, widen);
    struct window w = {.cell.rows = at.count};
    window_read(m, of_all, rows.from + at.first, &w);
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
    struct window window = window_of(m, c, rows, q, 1);
    return window.passes ? window_km(window.chord2) : NAN;
}

/* The greatest distance, and how far out minimum_rows rows may be, had they all that makes up
 * its window, which is widened until the rules let it pass, at the end to all rows. */
static void most_find(const struct measure *m, size_t c, struct rows_at rows, struct spread *s)
{
    struct window window = window_of(m, c, rows, 1, 1);
    s->most_km = window.passes ? window_km(window.chord2) : NAN;
    for (size_t widen = 2; !window.passes && window.cell.rows < rows.n; widen *= 2)
        window = window_of(m, c, rows, 1, widen);
    s->reach_km =
        window_km(window.chord2 * (double)window.cell.rows / (double)m->rules.minimum_rows);
}

static struct spread quantiles_of(const struct measure *m, bool of_all, struct rows_at rows)
{
    double most = quantile_km(m, of_all, rows.from, rows.n, 1);
    return (struct spread){quantile_km(m, of_all, rows.from, rows.n, 0.5),
                           quantile_km(m, of_all, rows.from, rows.n, 0.95), most, most};
}

struct spread measure_spread(const struct measure *m, size_t c)
{
    bool of_all = c == m->k;
    struct rows_at rows = {0, of_all ? m->n_sampled : m->sampled[c]};
    struct spread s = {NAN, NAN, NAN, NAN};
    if (rows.n == 0 || rows.n < m->rules.minimum_rows) return s;
    for (size_t i = 0; i < c && !of_all; i++)
        rows.from += m->sampled[i];
    if (release_is_loose(&m->rules)) return quantiles_of(m, of_all, rows);
    s.median_km = told_km(m, c, rows, 0.5);
    s.p95_km = told_km(m, c, rows, 0.95);
    most_find(m, c, rows, &s);
    return s;
}

double measure_reach(const struct measure *m, size_t c)
{
    double reach_km = measure_spread(m, c).reach_km;
    return isnan(reach_km) && c != m->k ? measure_reach(m, m->k) : reach_km;
}
