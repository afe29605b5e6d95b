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

void release_settle(const struct release_rules *rules, struct release_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i].reason = cells[i].rows == 0 && release_is_loose(rules)
                              ? RELEASE_OK
                              : release_judge(rules, &cells[i]);
    release_complement(rules, cells, n);
}

/* A table whose totals are told. The lines (rows, columns) whose totals are hidden are folded
 * into one, which stands last: nothing of it is told, and its own total follows. So every total
 * of a folded table is known, and a hidden cell is safe when it is a corner of a rectangle of
 * hidden cells that can move: one up, its neighbours down, the opposite one up, by as much as
 * the least of the four allows, and every sum stays what it is. */
struct line {
    size_t at; /* in the folded table */
    bool folded;
};
struct part {
    struct release_cell cell;
    bool folded, diagonal;
    uint64_t up, down; /* what it can move, for the viewer who knows most */
};
struct cross {
    const struct release_rules *rules;
    struct release_cell *cells; /* with totals, which stand last */
    size_t n_rows, n_columns;   /* without */
    bool diagonal_told;
    struct line *row, *column;
    struct part *parts; /* rows x columns */
    size_t rows, columns;
};

static struct release_cell *cross_cell(const struct cross *t, size_t row, size_t column)
{
    return &t->cells[row * (t->n_columns + 1) + column];
}

static void cell_add(const struct cross *t, const struct release_cell *from,
                     struct release_cell *to)
{
    to->rows += from->rows;
    for (size_t p = 0; p < t->rules->n_parties; p++)
        to->by_party[p] += from->by_party[p];
}

static void totals_make(const struct cross *t)
{
    for (size_t r = 0; r <= t->n_rows; r++)
        *cross_cell(t, r, t->n_columns) = (struct release_cell){0};
    for (size_t c = 0; c < t->n_columns; c++)
        *cross_cell(t, t->n_rows, c) = (struct release_cell){0};
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t c = 0; c < t->n_columns; c++) {
            const struct release_cell *from = cross_cell(t, r, c);
            cell_add(t, from, cross_cell(t, r, t->n_columns));
            cell_add(t, from, cross_cell(t, t->n_rows, c));
            cell_add(t, from, cross_cell(t, t->n_rows, t->n_columns));
        }
}

/* Totals one way are a list, told as any list is: whoever counts these texts alone tells the
 * same of them. Returns how many lines are left when the hidden ones are folded. */
static size_t margin_settle(const struct cross *t, bool of_rows, struct release_cell *list,
                            struct line *lines)
{
    size_t n = of_rows ? t->n_rows : t->n_columns, told = 0;
    for (size_t i = 0; i < n; i++)
        list[i] = *cross_cell(t, of_rows ? i : t->n_rows, of_rows ? t->n_columns : i);
    release_settle(t->rules, list, n);
    for (size_t i = 0; i < n; i++) {
        cross_cell(t, of_rows ? i : t->n_rows, of_rows ? t->n_columns : i)->reason =
            list[i].reason;
        lines[i].folded = is_hidden(&list[i]);
        if (!lines[i].folded) lines[i].at = told++;
    }
    for (size_t i = 0; i < n; i++)
        if (lines[i].folded) lines[i].at = told;
    return told < n ? told + 1 : n;
}

static void fold(const struct cross *t)
{
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t c = 0; c < t->n_columns; c++) {
            struct part *part = &t->parts[t->row[r].at * t->columns + t->column[c].at];
            part->folded = t->row[r].folded || t->column[c].folded;
            part->diagonal = t->diagonal_told && r == c;
            cell_add(t, cross_cell(t, r, c), &part->cell);
        }
}

/* What is told of a cell that is hidden, or would be: nothing of a folded one. */
static enum release_reason reason_hidden(const struct part *part)
{
    return part->folded                      ? RELEASE_WITHHELD
           : part->cell.reason == RELEASE_OK ? RELEASE_COMPLEMENT
                                             : part->cell.reason;
}

static void part_judge(const struct cross *t, struct part *part)
{
    struct release_cell *cell = &part->cell;
    cell->reason = cell->rows == 0 && release_is_loose(t->rules)
                       ? RELEASE_OK
                       : release_judge(t->rules, cell);
    part->up = part->down = NO_BOUND;
    for (size_t v = 0; v < viewers(t->rules); v++) {
        struct bounds b = bounds_of(t->rules, cell, reason_hidden(part), v);
        part->up = less(part->up, b.high >= NO_BOUND ? NO_BOUND : b.high - cell->rows);
        part->down = less(part->down, cell->rows > b.low ? cell->rows - b.low : 0);
    }
}

/* Whether the cell is free enough for every viewer when its partners can move so far. */
static bool wide_enough(const struct cross *t, const struct part *part, uint64_t up,
                        uint64_t down)
{
    const struct release_cell *cell = &part->cell;
    for (size_t v = 0; v < viewers(t->rules); v++) {
        struct bounds b = bounds_of(t->rules, cell, reason_hidden(part), v);
        uint64_t width = less(up, b.high >= NO_BOUND ? NO_BOUND : b.high - cell->rows) +
                         less(down, cell->rows - b.low);
        if (width < width_needed(t->rules, b)) return false;
    }
    return true;
}

static struct part *part_at(const struct cross *t, bool turned, size_t r, size_t c)
{
    return &t->parts[turned ? c * t->columns + r : r * t->columns + c];
}

static bool is_told(const struct part *part)
{
    return !part->folded && part->cell.reason == RELEASE_OK;
}

/* The rows that hiding the rectangle's other corners would take from the answer, plus one for
 * each; NO_BOUND where it does not protect. */
static uint64_t rectangle_cost(const struct cross *t, size_t r, size_t c, size_t r2, size_t c2)
{
    const struct part *own = &t->parts[r * t->columns + c], *p = &t->parts[r * t->columns + c2],
                      *q = &t->parts[r2 * t->columns + c], *o = &t->parts[r2 * t->columns + c2];
    uint64_t cost = 0;
    if (own->diagonal + o->diagonal != p->diagonal + q->diagonal) return NO_BOUND;
    if (is_told(p)) cost += p->cell.rows + 1;
    if (is_told(q)) cost += q->cell.rows + 1;
    if (is_told(o)) cost += o->cell.rows + 1;
    return wide_enough(t, own, less(o->up, less(p->down, q->down)),
                       less(o->down, less(p->up, q->up)))
               ? cost
               : NO_BOUND;
}

static void hide(struct part *part)
{
    if (is_told(part)) part->cell.reason = RELEASE_COMPLEMENT;
}

/* Hides the cheapest rectangle that protects the cell; false: there is none. */
static bool protect_by_rectangle(const struct cross *t, size_t r, size_t c)
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
    hide(part_at(t, false, r, best_c));
    hide(part_at(t, false, best_r, c));
    hide(part_at(t, false, best_r, best_c));
    return true;
}

/* Rectangles over the same two lines at once: the cell at (r, c) moves against that at (r2, c)
 * as far as all others of both lines together make up for, those that are hidden anyway first.
 * Returns the cost as of a rectangle; with `take` the parts are hidden. */
static uint64_t fan(const struct cross *t, bool turned, size_t r, size_t c, size_t r2,
                    bool take)
{
    struct part *own = part_at(t, turned, r, c), *next = part_at(t, turned, r2, c);
    size_t n = turned ? t->rows : t->columns;
    uint64_t up = 0, down = 0, cost = is_told(next) ? next->cell.rows + 1 : 0;
    if (own->diagonal || next->diagonal) return NO_BOUND;
    if (take) hide(next);
    for (size_t i = 0; i < 2 * n; i++) { /* twice: hidden ones, then all */
        struct part *p = part_at(t, turned, r, i % n), *o = part_at(t, turned, r2, i % n);
        bool told = is_told(p) || is_told(o);
        if (i % n == c || p->diagonal || o->diagonal || told == (i < n)) continue;
        up = plus(up, less(p->down, o->up));
        down = plus(down, less(p->up, o->down));
        cost += (is_told(p) ? p->cell.rows + 1 : 0) + (is_told(o) ? o->cell.rows + 1 : 0);
        if (take) hide(p), hide(o);
        if (wide_enough(t, own, less(up, next->down), less(down, next->up))) return cost;
    }
    return NO_BOUND;
}

/* Hides the cheapest fan, along rows or columns. */
static bool protect_by_fan(const struct cross *t, size_t r, size_t c)
{
    uint64_t best = NO_BOUND;
    size_t best_line = 0;
    bool best_turned = false;
    for (size_t i = 0; i < t->rows + t->columns; i++) {
        bool turned = i >= t->rows;
        size_t line = turned ? i - t->rows : i;
        if (line == (turned ? c : r)) continue;
        uint64_t cost = fan(t, turned, turned ? c : r, turned ? r : c, line, false);
        if (cost >= best) continue;
        best = cost;
        best_line = line;
        best_turned = turned;
    }
    return best < NO_BOUND && fan(t, best_turned, best_turned ? c : r, best_turned ? r : c,
                                  best_line, true) < NO_BOUND;
}

static bool protect_all(const struct cross *t)
{
    for (size_t r = 0; r < t->rows; r++)
        for (size_t c = 0; c < t->columns; c++)
            if (is_primary(&part_at(t, false, r, c)->cell) && !protect_by_rectangle(t, r, c) &&
                !protect_by_fan(t, r, c))
                return false;
    return true;
}

static void reasons_set(const struct cross *t, bool any)
{
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t c = 0; c < t->n_columns; c++) {
            const struct part *p = &t->parts[t->row[r].at * t->columns + t->column[c].at];
            cross_cell(t, r, c)->reason = any && !p->folded ? p->cell.reason : RELEASE_WITHHELD;
        }
    cross_cell(t, t->n_rows, t->n_columns)->reason = RELEASE_OK;
}

/* The diagonal's sum goes through folded lines, of which it is not known where. */
static bool has_folded(const struct cross *t)
{
    return t->parts[t->rows * t->columns - 1].folded;
}

/* list: room for the longer margin. */
static bool cross_settle(struct cross *t, struct release_cell *list)
{
    size_t n = (t->n_rows + 1) * (t->n_columns + 1);
    totals_make(t);
    t->rows = margin_settle(t, true, list, t->row);
    t->columns = margin_settle(t, false, list, t->column);
    fold(t);
    for (size_t i = 0; i < t->rows * t->columns; i++)
        part_judge(t, &t->parts[i]);
    bool any = n <= RELEASE_CROSS_MAX && !(t->diagonal_told && has_folded(t)) && protect_all(t);
    reasons_set(t, any);
    return any;
}

apex_status release_cross(const struct release_rules *rules, struct release_cell *cells,
                          size_t rows, size_t columns, bool diagonal_told, bool *any)
{
    size_t n = (rows + 1) * (columns + 1);
    struct cross t = {.rules = rules,
                      .cells = cells,
                      .n_rows = rows,
                      .n_columns = columns,
                      .diagonal_told = diagonal_told,
                      .row = calloc(rows + 1, sizeof *t.row),
                      .column = calloc(columns + 1, sizeof *t.column),
                      .parts = calloc(n, sizeof *t.parts)};
    struct release_cell *list = calloc(rows + columns + 1, sizeof *list);
    bool there = t.row && t.column && t.parts && list;
    *any = there && cross_settle(&t, list);
    free(t.row);
    free(t.column);
    free(t.parts);
    free(list);
    return there ? APEX_OK : APEX_E_MEMORY;
}
