/* Which further cells to hide. What somebody can work out about hidden cells is kept as
 * bounds: a viewer is one party, which knows its own rows in every cell, or nobody in
 * particular; what it knows of a hidden cell's rows is at least `low` and at most `high`. */
#include "contracts/lib/release.h"

#include <stdlib.h>

static const uint64_t NO_BOUND = UINT64_MAX / 4; /* sums of four are still numbers */

struct bounds {
    uint64_t low, high;
};

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Viewers are the parties and, last, nobody in particular. Where one contributor is enough,
 * parties hide nothing from each other that the count of rows would tell. */
static size_t viewers(const struct release_rules *rules)
{
    return rules->minimum_contributors >= 2 ? rules->n_parties + 1 : 1;
}

static uint64_t own_rows(const struct release_rules *rules, const struct release_cell *cell,
                         size_t viewer)
{
    return viewers(rules) > 1 && viewer < rules->n_parties ? cell->by_party[viewer] : 0;
}

/* From the reason that is told, and the viewer's own rows. */
static struct bounds bounds_of(const struct release_rules *rules,
                               const struct release_cell *cell, enum release_reason reason,
                               size_t viewer)
{
    uint64_t m = rules->minimum_rows, own = own_rows(rules, cell, viewer),
             others = rules->minimum_contributors >= 2 ? m : 0;
    struct bounds b = {more(m, own), NO_BOUND};
    switch (reason) {
    case RELEASE_OK: return (struct bounds){cell->rows, cell->rows};
    case RELEASE_FEW_ROWS: return (struct bounds){own, m - 1};
    case RELEASE_FEW_CONTRIBUTORS:
        if (own > 0 && rules->minimum_contributors == 2) b.high = own; /* it is alone */
        break;
    case RELEASE_DOMINATED:
    case RELEASE_FEW_OTHERS: break;
    case RELEASE_COMPLEMENT: b.low = more(m, own + others); break;
    case RELEASE_WITHHELD: b.low = own; break;
    }
    return b;
}

static bool is_hidden(const struct release_cell *cell)
{
    return cell->reason != RELEASE_OK;
}

static bool is_primary(const struct release_cell *cell)
{
    return is_hidden(cell) && cell->reason != RELEASE_COMPLEMENT;
}

/* How far apart the least and the greatest possible number of rows must be. */
static uint64_t width_needed(const struct release_rules *rules, struct bounds b)
{
    return less(more(rules->minimum_rows, 2) - 1, b.high - b.low);
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return less(a + b, NO_BOUND);
}

static bool list_holds_for(const struct release_rules *rules, const struct release_cell *cells,
                           size_t n, size_t viewer)
{
    uint64_t rows = 0, low = 0, high = 0;
    size_t unbounded = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_hidden(&cells[i])) continue;
        struct bounds b = bounds_of(rules, &cells[i], cells[i].reason, viewer);
        rows += cells[i].rows;
        low += b.low;
        unbounded += b.high >= NO_BOUND;
        if (b.high < NO_BOUND) high = plus(high, b.high);
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_primary(&cells[i])) continue;
        struct bounds b = bounds_of(rules, &cells[i], cells[i].reason, viewer);
        bool others_end = unbounded == (b.high >= NO_BOUND);
        uint64_t others_most = b.high >= NO_BOUND ? high : high - b.high;
        uint64_t greatest = less(b.high, rows - (low - b.low));
        uint64_t least =
            others_end && rows > others_most ? more(b.low, rows - others_most) : b.low;
        if (greatest - least < width_needed(rules, b)) return false;
    }
    return true;
}

bool release_total_fits(const struct release_rules *rules, const struct release_cell *cells,
                        size_t n)
{
    for (size_t v = 0; v < viewers(rules); v++)
        if (!list_holds_for(rules, cells, n, v)) return false;
    return true;
}

static struct release_cell *smallest_released(struct release_cell *cells, size_t n)
{
    struct release_cell *least = NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_hidden(&cells[i]) && cells[i].rows > 0 &&
            (!least || cells[i].rows < least->rows))
            least = &cells[i];
    return least;
}

bool release_table(const struct release_rules *rules, struct release_cell *cells, size_t n)
{
    struct release_cell *further;
    while (!release_total_fits(rules, cells, n)) {
        size_t hidden = 0;
        for (size_t i = 0; i < n; i++)
            hidden += is_hidden(&cells[i]);
        for (size_t step = 0; step <= hidden / 32; step++) {
            further = smallest_released(cells, n);
            if (further) further->reason = RELEASE_COMPLEMENT;
        }
        if (further) continue;
        for (size_t i = 0; i < n; i++)
            if (is_hidden(&cells[i])) cells[i].reason = RELEASE_WITHHELD;
        return release_total_fits(rules, cells, n);
    }
    return true;
}

void release_complement(const struct release_rules *rules, struct release_cell *cells, size_t n)
{
    (void)release_table(rules, cells, n);
}

/* The table with its totals. A hidden cell is safe when it is a corner of a rectangle of
 * hidden cells that can move: one up, its neighbours down, the opposite one up, by as much as
 * the least of the four allows, and every sum stays what it is. In the row and column of
 * totals the signs turn over, since a total is the negative of what balances its cells. */
struct cross {
    const struct release_rules *rules;
    struct release_cell *cells;
    size_t rows, columns; /* with totals */
    bool diagonal_told;
    struct slack {
        uint64_t up, down; /* by the viewer who knows most: if it is hidden, or were */
    } * slack;
};

static size_t total_at(const struct cross *t)
{
    return t->rows * t->columns - 1;
}

static struct slack slack_as(const struct cross *t, size_t i, enum release_reason reason)
{
    const struct release_cell *cell = &t->cells[i];
    struct slack s = {NO_BOUND, NO_BOUND};
    for (size_t v = 0; v < viewers(t->rules); v++) {
        struct bounds b = bounds_of(t->rules, cell, reason, v);
        s.up = less(s.up, b.high >= NO_BOUND ? NO_BOUND : b.high - cell->rows);
        s.down = less(s.down, cell->rows > b.low ? cell->rows - b.low : 0);
    }
    return s;
}

/* What the cell can do, as it is or, still released, as a complement. */
static void slack_set(struct cross *t, size_t i)
{
    enum release_reason reason = t->cells[i].reason;
    t->slack[i] = i == total_at(t)
                      ? (struct slack){0, 0}
                      : slack_as(t, i, reason == RELEASE_OK ? RELEASE_COMPLEMENT : reason);
}

static void totals_make(struct cross *t)
{
    size_t last_row = t->rows - 1, last_column = t->columns - 1;
    for (size_t r = 0; r < t->rows; r++)
        for (size_t c = 0; c < t->columns; c++)
            if (r == last_row || c == last_column)
                t->cells[r * t->columns + c] = (struct release_cell){0};
    for (size_t r = 0; r < last_row; r++)
        for (size_t c = 0; c < last_column; c++) {
            const struct release_cell *from = &t->cells[r * t->columns + c];
            struct release_cell *to[] = {&t->cells[r * t->columns + last_column],
                                         &t->cells[last_row * t->columns + c],
                                         &t->cells[total_at(t)]};
            for (size_t k = 0; k < 3; k++) {
                to[k]->rows += from->rows;
                for (size_t p = 0; p < t->rules->n_parties; p++)
                    to[k]->by_party[p] += from->by_party[p];
            }
        }
}

static void cross_judge(struct cross *t)
{
    for (size_t i = 0; i < total_at(t); i++) {
        t->cells[i].reason = t->cells[i].rows == 0 && release_is_loose(t->rules)
                                 ? RELEASE_OK
                                 : release_judge(t->rules, &t->cells[i]);
        slack_set(t, i);
    }
    t->cells[total_at(t)].reason = RELEASE_OK;
    slack_set(t, total_at(t));
}

struct corner {
    size_t at;
    bool rises; /* when the cell to protect rises */
    int diagonal;
};

static struct corner corner_of(const struct cross *t, size_t r, size_t c, bool rises)
{
    bool turned = (r == t->rows - 1) != (c == t->columns - 1);
    bool inner = r < t->rows - 1 && c < t->columns - 1;
    return (struct corner){r * t->columns + c, rises != turned,
                           inner && r == c ? (rises ? 1 : -1) : 0};
}

static uint64_t corner_up(const struct cross *t, struct corner k)
{
    return k.rises ? t->slack[k.at].up : t->slack[k.at].down;
}

static uint64_t corner_down(const struct cross *t, struct corner k)
{
    return k.rises ? t->slack[k.at].down : t->slack[k.at].up;
}

/* Whether the cell is free enough for every viewer when its partners can move so far. */
static bool wide_enough(const struct cross *t, size_t at, uint64_t up, uint64_t down)
{
    const struct release_cell *cell = &t->cells[at];
    for (size_t v = 0; v < viewers(t->rules); v++) {
        struct bounds b = bounds_of(t->rules, cell, cell->reason, v);
        uint64_t width = less(up, b.high >= NO_BOUND ? NO_BOUND : b.high - cell->rows) +
                         less(down, cell->rows - b.low);
        if (width < width_needed(t->rules, b)) return false;
    }
    return true;
}

/* The rows that hiding the rectangle's other corners would take from the answer, plus one for
 * each; NO_BOUND where it does not protect. */
static uint64_t rectangle_cost(const struct cross *t, size_t r, size_t c, size_t r2, size_t c2)
{
    struct corner own = corner_of(t, r, c, true);
    bool up_is_up = own.rises; /* a total's own sign */
    struct corner k[] = {corner_of(t, r, c2, false), corner_of(t, r2, c, false),
                         corner_of(t, r2, c2, true)};
    uint64_t up = NO_BOUND, down = NO_BOUND, cost = 0;
    int diagonal = own.diagonal;
    for (size_t i = 0; i < 3; i++) {
        if (k[i].at == total_at(t)) return NO_BOUND;
        up = less(up, corner_up(t, k[i]));
        down = less(down, corner_down(t, k[i]));
        diagonal += k[i].diagonal;
        if (!is_hidden(&t->cells[k[i].at])) cost += t->cells[k[i].at].rows + 1;
    }
    if (t->diagonal_told && diagonal != 0) return NO_BOUND;
    return wide_enough(t, own.at, up_is_up ? up : down, up_is_up ? down : up) ? cost : NO_BOUND;
}

static void hide(struct cross *t, size_t at)
{
    if (!is_hidden(&t->cells[at])) t->cells[at].reason = RELEASE_COMPLEMENT;
}

/* Hides the cheapest rectangle that protects the cell; false: there is none. */
static bool protect(struct cross *t, size_t r, size_t c)
{
    uint64_t best = NO_BOUND;
    size_t best_r = 0, best_c = 0;
    for (size_t r2 = 0; r2 < t->rows && best > 0; r2++)
        for (size_t c2 = 0; c2 < t->columns && best > 0 && r2 != r; c2++) {
            uint64_t cost = c2 == c ? NO_BOUND : rectangle_cost(t, r, c, r2, c2);
            if (cost >= best) continue;
            best = cost;
            best_r = r2;
            best_c = c2;
        }
    if (best == NO_BOUND) return false;
    hide(t, r * t->columns + best_c);
    hide(t, best_r * t->columns + c);
    hide(t, best_r * t->columns + best_c);
    return true;
}

static bool protect_all(struct cross *t)
{
    for (size_t r = 0; r < t->rows; r++)
        for (size_t c = 0; c < t->columns; c++)
            if (is_primary(&t->cells[r * t->columns + c]) && !protect(t, r, c)) return false;
    return true;
}

apex_status release_cross(const struct release_rules *rules, struct release_cell *cells,
                          size_t rows, size_t columns, bool diagonal_told, bool *any)
{
    struct cross t = {rules, cells, rows + 1, columns + 1, diagonal_told, NULL};
    size_t n = t.rows * t.columns;
    *any = n <= RELEASE_CROSS_MAX;
    t.slack = calloc(n, sizeof *t.slack);
    if (!t.slack) return APEX_E_MEMORY;
    totals_make(&t);
    cross_judge(&t);
    *any = *any && protect_all(&t);
    for (size_t i = 0; !*any && i < total_at(&t); i++)
        cells[i].reason = RELEASE_WITHHELD;
    free(t.slack);
    return APEX_OK;
}
