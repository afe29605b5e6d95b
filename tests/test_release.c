/* The oracle knows what the reader of an answer knows: numbers that are told, reasons, totals,
 * and as one of the parties its own rows. It tries every way to fill the hidden cells. */
#include "common/num/random.h"
#include "contracts/lib/column.h"
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTIES = 3, SIDE_MAX = 10 };

/* What release.c asks of the runtime. */
static char told[200];
static enum apex_refusal refusal;
static jmp_buf refused;

uint64_t apex_minimum_rows(const struct apex_run *run)
{
    (void)run;
    return 10;
}
uint64_t apex_minimum_contributors(const struct apex_run *run)
{
    (void)run;
    return 2;
}
double apex_maximum_share(const struct apex_run *run)
{
    (void)run;
    return 0.9;
}
size_t apex_parties(const struct apex_run *run)
{
    (void)run;
    return PARTIES;
}
void apex_json_number(struct apex_run *run, const char *key, double value)
{
    (void)run;
    snprintf(told, sizeof told, "%s: %g", key, value);
}
void apex_json_integer(struct apex_run *run, const char *key, int64_t value)
{
    (void)run;
    snprintf(told, sizeof told, "%s: %lld", key, (long long)value);
}
void apex_json_null(struct apex_run *run, const char *key)
{
    (void)run;
    snprintf(told, sizeof told, "%s: null", key);
}
void apex_json_text(struct apex_run *run, const char *key, const char *text, size_t len)
{
    (void)run;
    snprintf(told, sizeof told, "%s: %.*s", key, (int)len, text);
}
void apex_refuse(struct apex_run *run, enum apex_refusal why, const char *detail)
{
    (void)run;
    refusal = why;
    snprintf(told, sizeof told, "%s", detail);
    longjmp(refused, 1);
}

static struct release_cell cell_of(uint64_t a, uint64_t b, uint64_t c)
{
    return (struct release_cell){.rows = a + b + c, .by_party = {a, b, c}};
}

static void a_cell_is_judged_by_rows_contributors_share_and_what_is_left_without_a_party(
    void **state)
{
    static const struct release_rules strict = {10, 2, 0.9, PARTIES, 1},
                                      loose = {1, 1, 1, PARTIES, 1},
                                      one = {10, 1, 1, PARTIES, 1};
    static const struct {
        const struct release_rules *rules;
        uint64_t a, b, c;
        enum release_reason reason;
    } cases[] = {{&strict, 4, 5, 0, RELEASE_FEW_ROWS},
                 {&strict, 0, 0, 0, RELEASE_FEW_ROWS},
                 {&strict, 40, 0, 0, RELEASE_FEW_CONTRIBUTORS},
                 {&strict, 9, 1, 0, RELEASE_FEW_OTHERS},
                 {&strict, 91, 9, 0, RELEASE_DOMINATED},
                 {&strict, 90, 10, 0, RELEASE_OK},
                 {&strict, 80, 9, 0, RELEASE_FEW_OTHERS},
                 {&strict, 80, 5, 5, RELEASE_OK},
                 {&strict, 10, 10, 0, RELEASE_OK},
                 {&strict, 10, 9, 0, RELEASE_FEW_OTHERS},
                 {&loose, 1, 0, 0, RELEASE_OK},
                 {&loose, 0, 0, 0, RELEASE_FEW_ROWS},
                 {&one, 10, 0, 0, RELEASE_OK},
                 {&one, 9, 0, 0, RELEASE_FEW_ROWS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct release_cell cell = cell_of(cases[i].a, cases[i].b, cases[i].c);
        assert_int_equal(release_judge(cases[i].rules, &cell), cases[i].reason);
    }
}

/* Rules so small that every filling can be tried. A list is a table of one row whose totals
 * but the grand one are not told. */
struct world {
    struct release_rules rules;
    size_t rows, columns; /* with totals */
    bool diagonal_told;
    struct release_cell cell[SIDE_MAX * SIDE_MAX];
    /* The search: who looks, and which cell is held at which value. */
    size_t viewer, held;
    uint64_t value[SIDE_MAX * SIDE_MAX], held_value, row_sum[SIDE_MAX], column_sum[SIDE_MAX];
};

static size_t last(const struct world *w)
{
    return w->rows * w->columns - 1;
}

/* Whether a cell could have x rows, by its reason and the viewer's own rows. */
static bool possible(const struct world *w, size_t i, uint64_t x)
{
    uint64_t m = w->rules.minimum_rows,
             mine = w->viewer < PARTIES ? w->cell[i].by_party[w->viewer] : 0;
    if (w->cell[i].reason == RELEASE_OK) return x == w->cell[i].rows;
    if (x < mine) return false;
    switch (w->cell[i].reason) {
    case RELEASE_FEW_ROWS: return x < m;
    case RELEASE_FEW_CONTRIBUTORS:
        return x >= m && (mine == 0 || x == mine || w->rules.minimum_contributors > 2);
    case RELEASE_COMPLEMENT:
        return x >= m && (w->rules.minimum_contributors < 2 || x - mine >= m);
    case RELEASE_DOMINATED:
    case RELEASE_FEW_OTHERS: return x >= m;
    default: return true;
    }
}

static uint64_t most_of(const struct world *w, size_t i)
{
    return w->cell[i].reason == RELEASE_OK ? w->cell[i].rows : w->cell[last(w)].rows;
}

static bool totals_fit(const struct world *w)
{
    uint64_t diagonal = 0, true_diagonal = 0, all = 0;
    for (size_t r = 0; r + 1 < w->rows; r++)
        all += w->row_sum[r];
    for (size_t c = 0; c + 1 < w->columns; c++)
        if (!possible(w, (w->rows - 1) * w->columns + c, w->column_sum[c])) return false;
    for (size_t k = 0; k + 1 < w->rows && k + 1 < w->columns; k++) {
        diagonal += w->value[k * w->columns + k];
        true_diagonal += w->cell[k * w->columns + k].rows;
    }
    return all == w->cell[last(w)].rows && (!w->diagonal_told || diagonal == true_diagonal);
}

/* Fills inner cells from i on. */
static bool fill(struct world *w, size_t i)
{
    size_t r = i / w->columns, c = i % w->columns, total = r * w->columns + w->columns - 1;
    if (c == w->columns - 1)
        return possible(w, total, w->row_sum[r]) &&
               (r + 2 < w->rows ? fill(w, i + 1) : totals_fit(w));
    uint64_t low = 0, high = most_of(w, total) - w->row_sum[r],
             room = most_of(w, (w->rows - 1) * w->columns + c) - w->column_sum[c];
    if (room < high) high = room;
    if (w->cell[i].reason == RELEASE_OK) low = w->cell[i].rows;
    if (w->cell[i].reason == RELEASE_OK && low < high) high = low;
    if (i == w->held) low = w->held_value;
    if (i == w->held && low < high) high = low;
    for (uint64_t x = low; x <= high; x++) {
        if (!possible(w, i, x)) continue;
        w->value[i] = x;
        w->row_sum[r] += x;
        w->column_sum[c] += x;
        bool found = fill(w, i + 1);
        w->row_sum[r] -= x;
        w->column_sum[c] -= x;
        if (found) return true;
    }
    return false;
}

/* Whether the viewer cannot rule out that cell i, inner or a total, has x rows.
 */
static bool could_be(struct world *w, size_t i, uint64_t x)
{
    size_t r = i / w->columns, c = i % w->columns;
    bool inner = r + 1 < w->rows && c + 1 < w->columns;
    struct release_cell kept = w->cell[i];
    if (!possible(w, i, x)) return false;
    w->held = inner ? i : SIZE_MAX;
    w->held_value = x;
    if (!inner) w->cell[i] = (struct release_cell){.rows = x, .reason = RELEASE_OK};
    bool found = fill(w, 0);
    w->cell[i] = kept;
    return found;
}

/* How many numbers of rows the reason alone leaves open, up to `enough`. */
static uint64_t open_by_reason(const struct world *w, size_t i, uint64_t enough)
{
    uint64_t n = 0;
    for (uint64_t x = 0; x < 1000 && n < enough; x++)
        n += possible(w, i, x);
    return n;
}

/* How far apart possible numbers of rows lie, plus one; up to `enough`. What is possible has
 * no gaps, but where a sum across (the diagonal's) is told. */
static uint64_t open_to_viewer(struct world *w, size_t i, uint64_t enough)
{
    uint64_t low = w->cell[i].rows, high = low, n = w->cell[last(w)].rows;
    assert_true(could_be(w, i, low)); /* the oracle rules out no truth */
    for (uint64_t gap = 1; gap <= (w->diagonal_told ? 2u : 1u); gap++) {
        while (high + 1 - low < enough && low >= gap && could_be(w, i, low - gap))
            low -= gap;
        while (high + 1 - low < enough && high + gap <= n && could_be(w, i, high + gap))
            high += gap;
    }
    return high + 1 - low;
}

static bool is_primary(const struct release_cell *c)
{
    return c->reason != RELEASE_OK && c->reason != RELEASE_COMPLEMENT;
}

static bool in_lines_told(const struct world *w, size_t i)
{
    return w->cell[i / w->columns * w->columns + w->columns - 1].reason == RELEASE_OK &&
           w->cell[(w->rows - 1) * w->columns + i % w->columns].reason == RELEASE_OK;
}

/* The number of hidden cells that somebody pins down further than the rules allow. */
static size_t pinned(struct world *w)
{
    size_t n = 0, viewers = w->rules.minimum_contributors >= 2 ? PARTIES + 1 : 1;
    uint64_t enough = w->rules.minimum_rows > 2 ? w->rules.minimum_rows : 2;
    for (size_t v = 0; v < viewers; v++) {
        w->viewer = viewers == 1 ? PARTIES : v;
        for (size_t i = 0; i < last(w); i++)
            if (is_primary(&w->cell[i]) && w->cell[i].reason != RELEASE_WITHHELD)
                n += open_to_viewer(w, i, enough) < open_by_reason(w, i, enough);
            else if (is_primary(&w->cell[i]) && i / w->columns + 1 < w->rows &&
                     i % w->columns + 1 < w->columns && in_lines_told(w, i) &&
                     release_judge(&w->rules, &w->cell[i]) != RELEASE_OK)
                n += open_to_viewer(w, i, enough) < enough;
    }
    return n;
}

/* The table with its hidden rows and columns as one each, whose totals follow. */
static struct world folded(const struct world *w)
{
    struct world f = {.rules = w->rules, .diagonal_told = w->diagonal_told};
    size_t row[SIDE_MAX], column[SIDE_MAX], n = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        size_t *to = pass ? column : row, lines = pass ? w->columns : w->rows, kept = 0;
        for (size_t i = 0; i + 1 < lines; i++) {
            size_t total = pass ? (w->rows - 1) * w->columns + i : (i + 1) * w->columns - 1;
            to[i] = w->cell[total].reason == RELEASE_OK ? kept++ : SIDE_MAX;
        }
        n = kept;
        for (size_t i = 0; i + 1 < lines; i++)
            if (to[i] == SIDE_MAX) to[i] = kept, n = kept + 1;
        to[lines - 1] = n;
        *(pass ? &f.columns : &f.rows) = n + 1;
    }
    for (size_t i = 0; i <= last(w); i++) {
        size_t r = i / w->columns, c = i % w->columns;
        struct release_cell *to = &f.cell[row[r] * f.columns + column[c]];
        bool total = row[r] + 1 == f.rows || column[c] + 1 == f.columns;
        to->rows += w->cell[i].rows;
        for (size_t p = 0; p < PARTIES; p++)
            to->by_party[p] += w->cell[i].by_party[p];
        to->reason = total ? RELEASE_OK : w->cell[i].reason;
    }
    return f;
}

static struct random_state randomness;

static uint64_t below(uint64_t n)
{
    return random_next(&randomness) % n;
}

static void cells_draw(struct world *w, size_t rows, size_t columns, uint64_t most)
{
    w->rows = rows + 1;
    w->columns = columns + 1;
    memset(w->cell, 0, sizeof w->cell);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            uint64_t scale = below(4) == 0 ? 1 : most;
            struct release_cell *cell = &w->cell[r * w->columns + c];
            *cell =
                cell_of(below(scale + 1), below(scale + 1), below(3) ? 0 : below(scale + 1));
        }
}

static struct release_rules rules_draw(void)
{
    static const double share[] = {0.7, 0.9, 1};
    return (struct release_rules){2 + below(3), 1 + below(3), share[below(3)], PARTIES, 1};
}

static void list_total(struct world *w)
{
    for (size_t i = 0; i <= last(w); i++)
        if (i >= w->columns - 1) w->cell[i] = (struct release_cell){.reason = RELEASE_WITHHELD};
    for (size_t i = 0; i + 1 < w->columns; i++) {
        w->cell[i].reason = release_judge(&w->rules, &w->cell[i]);
        w->cell[last(w)].rows += w->cell[i].rows;
        for (size_t p = 0; p < PARTIES; p++)
            w->cell[last(w)].by_party[p] += w->cell[i].by_party[p];
    }
    w->cell[last(w)].reason = release_judge(&w->rules, &w->cell[last(w)]);
}

static void no_hidden_cell_of_a_list_follows_from_its_total(void **state)
{
    size_t some = 0, lists = 0, careless = 0;
    (void)state;
    while (lists < 4000) {
        struct world w = {.rules = rules_draw()};
        cells_draw(&w, 1, 2 + below(4), 3 + below(4));
        list_total(&w);
        if (w.cell[last(&w)].reason != RELEASE_OK) continue;
        lists++;
        careless += pinned(&w) > 0;
        CHECK(release_table(&w.rules, w.cell, w.columns - 1));
        size_t hidden = 0;
        for (size_t i = 0; i + 1 < w.columns; i++)
            hidden += w.cell[i].reason != RELEASE_OK;
        some += hidden > 0 && hidden < w.columns - 1;
        assert_int_equal(pinned(&w), 0);
    }
    /* The oracle finds cells where nothing more is hidden, and not everything is.
     */
    CHECK(careless > lists / 4);
    CHECK(some > lists / 20);
}

static void no_hidden_cell_of_a_table_follows_from_totals_both_ways(void **state)
{
    size_t tables = 0, some = 0, none = 0;
    (void)state;
    while (tables < 600) {
        struct world w = {.rules = rules_draw()};
        bool any;
        size_t rows = 2 + below(2), columns = 2 + below(2);
        w.rules.minimum_rows = 2 + below(2);
        cells_draw(&w, rows, columns, 2 + below(4));
        w.diagonal_told = rows == columns && below(3) == 0;
        CHECK_OK(release_cross(&w.rules, w.cell, rows, columns, w.diagonal_told, &any));
        if (release_judge(&w.rules, &w.cell[last(&w)]) != RELEASE_OK) continue;
        tables++;
        size_t hidden = 0;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                hidden += w.cell[r * w.columns + c].reason != RELEASE_OK;
        some += any && hidden > 0 && hidden < rows * columns;
        none += !any;
        CHECK(any || hidden == rows * columns);
        if (!any && w.diagonal_told) continue;
        struct world f = folded(&w);
        assert_int_equal(pinned(&w), 0);
        if (f.rows > 2 && f.columns > 2) assert_int_equal(pinned(&f), 0);
    }
    CHECK(some > tables / 50 && none > 0);
}

static void totals_of_a_table_are_told_as_the_lists_that_they_are(void **state)
{
    size_t hidden = 0;
    (void)state;
    for (size_t t = 0; t < 2000; t++) {
        struct world w = {.rules = rules_draw()};
        struct release_cell list[SIDE_MAX];
        bool any;
        size_t rows = 2 + below(3), columns = 2 + below(3);
        cells_draw(&w, rows, columns, 2 + below(9));
        CHECK_OK(release_cross(&w.rules, w.cell, rows, columns, false, &any));
        for (size_t r = 0; r < rows; r++)
            list[r] = w.cell[(r + 1) * w.columns - 1];
        release_settle(&w.rules, list, rows);
        for (size_t r = 0; r < rows; r++) {
            assert_int_equal(list[r].reason, w.cell[(r + 1) * w.columns - 1].reason);
            for (size_t c = 0; list[r].reason != RELEASE_OK && c < columns; c++, hidden++)
                assert_int_equal(w.cell[r * w.columns + c].reason, RELEASE_WITHHELD);
        }
    }
    CHECK(hidden > 100);
}

/* Gaussian elimination modulo a prime: an unknown follows from the sums when a row of the
 * reduced system holds it alone. */
enum { UNKNOWNS_MAX = SIDE_MAX * SIDE_MAX, EQUATIONS_MAX = 2 * SIDE_MAX + 1 };
static const uint64_t PRIME = 2147483647;
static uint64_t system_of[EQUATIONS_MAX][UNKNOWNS_MAX];

static uint64_t inverse(uint64_t a)
{
    uint64_t result = 1;
    for (uint64_t e = PRIME - 2; e > 0; e >>= 1, a = a * a % PRIME)
        if (e & 1) result = result * a % PRIME;
    return result;
}

static size_t equations_make(const struct world *w)
{
    size_t n = 0, columns = w->columns;
    memset(system_of, 0, sizeof system_of);
    for (size_t r = 0; r < w->rows; r++, n++)
        for (size_t c = 0; c < columns; c++)
            if (w->cell[r * columns + c].reason != RELEASE_OK)
                system_of[n][r * columns + c] = c + 1 < columns ? 1 : PRIME - 1;
    for (size_t c = 0; c < columns; c++, n++)
        for (size_t r = 0; r < w->rows; r++)
            if (w->cell[r * columns + c].reason != RELEASE_OK)
                system_of[n][r * columns + c] = r + 1 < w->rows ? 1 : PRIME - 1;
    for (size_t k = 0; w->diagonal_told && k + 1 < columns; k++)
        if (w->cell[k * columns + k].reason != RELEASE_OK) system_of[n][k * columns + k] = 1;
    return n + 1;
}

static size_t determined(const struct world *w)
{
    size_t n = equations_make(w), unknowns = last(w), rank = 0, found = 0;
    for (size_t c = 0; c < unknowns && rank < n; c++) {
        size_t pivot = rank;
        while (pivot < n && system_of[pivot][c] == 0)
            pivot++;
        if (pivot == n) continue;
        for (size_t k = 0; k < unknowns; k++) {
            uint64_t x = system_of[pivot][k];
            system_of[pivot][k] = system_of[rank][k];
            system_of[rank][k] = x;
        }
        uint64_t scale = inverse(system_of[rank][c]);
        for (size_t k = 0; k < unknowns; k++)
            system_of[rank][k] = system_of[rank][k] * scale % PRIME;
        for (size_t r = 0; r < n; r++) {
            uint64_t factor = system_of[r][c];
            for (size_t k = 0; r != rank && factor && k < unknowns; k++)
                system_of[r][k] =
                    (system_of[r][k] + (PRIME - factor) * system_of[rank][k]) % PRIME;
        }
        rank++;
    }
    for (size_t r = 0; r < rank; r++) {
        size_t held = 0, at = 0;
        for (size_t k = 0; k < unknowns; k++)
            if (system_of[r][k]) held++, at = k;
        found += held == 1 && is_primary(&w->cell[at]);
    }
    return found;
}

static void no_hidden_cell_follows_by_elimination(void **state)
{
    size_t some = 0, careless = 0;
    enum { TABLES = 3000 };
    (void)state;
    for (size_t t = 0; t < TABLES; t++) {
        struct world w = {.rules = {10, 1 + below(3), 0.9, PARTIES, 1}};
        size_t rows = 2 + below(8), columns = 2 + below(8), hidden = 0;
        bool any;
        cells_draw(&w, rows, columns, 5 + below(200));
        w.diagonal_told = rows == columns && below(2);
        CHECK_OK(release_cross(&w.rules, w.cell, rows, columns, w.diagonal_told, &any));
        if (any) assert_int_equal(determined(&w), 0);
        for (size_t i = 0; i < last(&w); i++)
            hidden += w.cell[i].reason != RELEASE_OK;
        some += any && hidden > 0 && hidden < last(&w);
        for (size_t i = 0; i < last(&w); i++)
            if (w.cell[i].reason == RELEASE_COMPLEMENT) w.cell[i].reason = RELEASE_OK;
        careless += any && determined(&w) > 0;
    }
    CHECK(some > TABLES / 10);
    CHECK(careless > TABLES / 10);
}

static void what_satisfies_the_rules_is_all_told(void **state)
{
    struct release_cell list[3] = {cell_of(20, 20, 0), cell_of(10, 0, 10), cell_of(50, 30, 9)},
                        table[9] = {0};
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    bool any;
    (void)state;
    for (size_t i = 0; i < 3; i++)
        list[i].reason = release_judge(&rules, &list[i]);
    CHECK(release_table(&rules, list, 3));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list[i].reason, RELEASE_OK);
    table[0] = table[4] = cell_of(30, 20, 10);
    table[1] = table[3] = cell_of(10, 20, 0);
    CHECK_OK(release_cross(&rules, table, 2, 2, true, &any));
    CHECK(any);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(table[i].reason, RELEASE_OK);
    assert_int_equal(table[8].rows, 180);
    assert_int_equal(table[2].rows, 90);
    assert_int_equal(table[6].by_party[1], 40);
}

static void a_loose_contract_hides_nothing(void **state)
{
    struct release_rules rules = {1, 1, 1, PARTIES, 1};
    bool any;
    (void)state;
    for (size_t t = 0; t < 200; t++) {
        struct world w = {.rules = rules};
        cells_draw(&w, 3, 3, 2);
        CHECK_OK(release_cross(&rules, w.cell, 3, 3, true, &any));
        CHECK(any);
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(w.cell[i].reason, RELEASE_OK);
    }
}

static void too_large_a_table_is_withheld_wholly(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    size_t side = 128, n = (side + 1) * (side + 1);
    struct release_cell *cell = calloc(n, sizeof *cell);
    bool any = true;
    (void)state;
    CHECK(cell);
    for (size_t i = 0; i < n; i++)
        cell[i] = cell_of(20, 20, 0);
    CHECK_OK(release_cross(&rules, cell, side, side, false, &any));
    CHECK(!any);
    for (size_t i = 0; i + 1 < n; i++) {
        bool inner = i / (side + 1) < side && i % (side + 1) < side;
        assert_int_equal(cell[i].reason, inner ? RELEASE_WITHHELD : RELEASE_OK);
    }
    assert_int_equal(cell[n - 1].reason, RELEASE_OK);
    free(cell);
}

static void counts_are_rounded_half_up_and_shares_made_of_rounded_counts(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 5};
    static const uint64_t cases[][3] = {
        {0, 5, 0},    {2, 5, 0},    {3, 5, 5},   {7, 5, 5},   {8, 5, 10},
        {15, 10, 20}, {14, 10, 10}, {17, 1, 17}, {17, 0, 17}, {UINT64_MAX, 10, UINT64_MAX - 5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rules.round_to = cases[i][1];
        assert_int_equal(release_round(&rules, cases[i][0]), cases[i][2]);
    }
    rules.round_to = 10;
    CHECK(release_ratio(&rules, 14, 96) == 0.1);
    CHECK(release_ratio(&rules, 3, 4) == 0);
    CHECK(release_ratio(&rules, 15, 15) == 1);
    rules.round_to = 1;
    CHECK(release_coarse(&rules).round_to == 10);
    CHECK(release_ratio(&rules, 397, 400) != release_ratio(&rules, 398, 400));
    const struct release_rules coarse = release_coarse(&rules), loose = {1, 1, 1, PARTIES, 1};
    CHECK(release_ratio(&coarse, 397, 400) == release_ratio(&coarse, 398, 400));
    CHECK(release_coarse(&loose).round_to == 1);
    rules.round_to = 10;
    release_rows(NULL, &rules, "rows", 123);
    assert_string_equal(told, "rows: 120");
    release_count(NULL, &rules, "dropped", 9);
    assert_string_equal(told, "dropped: null");
    release_count(NULL, &rules, "dropped", 0);
    assert_string_equal(told, "dropped: 0");
    release_count(NULL, &rules, "dropped", 16);
    assert_string_equal(told, "dropped: 20");
}

static void a_share_is_told_only_when_inside_and_outside_satisfy_the_rules(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    static const struct {
        uint64_t in_a, in_b, all_a, all_b;
        const char *words;
    } cases[] = {{20, 20, 40, 40, "share: 0.5"},
                 {40, 40, 40, 40, "share: 1"},
                 {1, 0, 40, 40, "share: null"},
                 {0, 0, 40, 40, "share: null"},
                 {40, 39, 40, 40, "share: null"},
                 {40, 0, 40, 40, "share: null"},
                 {30, 20, 40, 40, "share: 0.625"},
                 {30, 16, 40, 40, "share: 0.625"}, /* to the nearest ten rows */
                 {30, 14, 40, 40, "share: 0.5"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct release_cell inside = cell_of(cases[i].in_a, cases[i].in_b, 0),
                            all = cell_of(cases[i].all_a, cases[i].all_b, 0);
        release_share(NULL, &rules, "share", &inside, &all);
        assert_string_equal(told, cases[i].words);
    }
}

static void a_window_is_as_wide_as_the_rules_need_it_twice(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1}, loose = {1, 1, 1, PARTIES, 1};
    static const struct {
        uint64_t a, b, c;
        size_t n;
        double q;
        size_t widen, first, count;
    } cases[] = {{100, 100, 0, 200, 0.5, 1, 81, 40}, {100, 100, 0, 200, 0, 1, 0, 40},
                 {100, 100, 0, 200, 1, 1, 160, 40},  {100, 100, 0, 200, 0.95, 1, 160, 40},
                 {100, 100, 100, 300, 0, 1, 0, 30},  {100, 100, 0, 200, 0, 2, 0, 80},
                 {180, 20, 0, 200, 1, 1, 0, 200},    {1800, 200, 0, 2000, 1, 1, 1800, 200},
                 {100, 100, 0, 7, 0.5, 1, 0, 7},     {100, 100, 0, 41, 1, 1, 1, 40},
                 {100, 100, 0, 1, 0.5, 1, 0, 1},     {200, 0, 0, 200, 0.5, 1, 0, 200}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct release_cell all = cell_of(cases[i].a, cases[i].b, cases[i].c);
        struct release_window w =
            release_window(&rules, &all, cases[i].n, cases[i].q, cases[i].widen);
        assert_int_equal(w.first, cases[i].first);
        assert_int_equal(w.count, cases[i].count);
    }
    for (size_t n = 1; n < 50; n++)
        for (double q = 0; q <= 1; q += 0.125) {
            struct release_cell all = cell_of(n, 0, 0);
            struct release_window w = release_window(&loose, &all, n, q, 1);
            CHECK(w.count == 1 && w.first < n);
        }
}

enum { CELLS = 400 };
struct owned { /* a cell and whose it is */
    double value;
    uint8_t party;
};

static int by_value(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* The window around a quantile and all that equals its ends, cell by cell. */
static bool window_by_hand(const struct release_rules *rules, const struct owned *sorted,
                           const struct release_cell *all, double q, size_t widen, double *mean)
{
    struct release_window w = release_window(rules, all, (size_t)all->rows, q, widen);
    double least = sorted[w.first].value, greatest = sorted[w.first + w.count - 1].value;
    struct release_cell cell = {0};
    long double sum = 0;
    for (size_t i = 0; i < all->rows; i++)
        if (sorted[i].value >= least && sorted[i].value <= greatest) {
            cell.rows++;
            cell.by_party[sorted[i].party]++;
            sum += sorted[i].value;
        }
    *mean = release_to((double)(sum / (long double)cell.rows),
                       release_precision(rules, greatest - least, cell.rows));
    return release_judge(rules, &cell) == RELEASE_OK;
}

/* Numbers of few values, so that many are equal; `apart`: a party's lie beside the others'. */
static struct release_cell owned_draw(struct owned *cell, size_t n, bool apart)
{
    struct release_cell all = {0};
    for (size_t i = 0; i < n; i++) {
        cell[i].party = (uint8_t)below(PARTIES);
        cell[i].value = (double)(below(40) + (apart ? 25 * cell[i].party : 0)) / 8;
        all.by_party[cell[i].party]++;
        all.rows++;
    }
    return all;
}

static void a_quantile_is_told_where_its_window_is_a_cell_that_may_be(void **state)
{
    static const double q[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    const struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    size_t seen[2] = {0};
    (void)state;
    for (size_t t = 0; t < 60; t++) {
        struct owned cell[CELLS];
        double value[CELLS];
        uint8_t party[CELLS];
        struct told_quantiles found;
        struct release_cell all = owned_draw(cell, 60 + below(CELLS - 60), t % 2);
        for (size_t i = 0; i < all.rows; i++)
            value[i] = cell[i].value, party[i] = cell[i].party;
        struct describe_array a = {(size_t)all.rows, value, NULL, NULL, party};
        struct describe_source s = describe_source_of_array(&a);
        CHECK_OK(told_quantiles(&rules, &s, 1, &all, q, TOLD_QUANTILES, &found, NULL));
        qsort(cell, (size_t)all.rows, sizeof *cell, by_value);
        for (size_t i = 0; i < TOLD_QUANTILES; i++) {
            double mean;
            size_t widen = 1;
            while (!window_by_hand(&rules, cell, &all, q[i], widen, &mean))
                widen *= 2;
            seen[widen == 1]++;
            CHECK(found.told[i] == (widen == 1));
            CHECK(found.value[i] == mean);
        }
    }
    CHECK(seen[0] > 20 && seen[1] > 100);
}

static void a_mean_is_told_no_finer_than_one_row_moves_it(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1}, loose = {1, 1, 1, PARTIES, 1};
    (void)state;
    for (size_t t = 0; t < 2000; t++) {
        uint64_t rows = 10 + below(100000);
        double reach = random_unit(&randomness) * 10 + 1e-9, mean = random_unit(&randomness);
        double precision = release_precision(&rules, reach, rows), told_mean;
        int exponent;
        CHECK(precision >= 2 * reach / (double)rows && precision < 4 * reach / (double)rows);
        CHECK(frexp(precision, &exponent) == 0.5);
        told_mean = release_to(mean, precision);
        CHECK(fabs(told_mean - mean) <= precision / 2);
        CHECK(fmod(told_mean, precision) == 0);
    }
    CHECK(release_precision(&rules, 16, 32) == 1);
    CHECK(release_precision(&loose, 1, 10) == 0);
    CHECK(release_precision(&rules, 0, 10) == 0);
    CHECK(release_to(0.123456789, 0) == 0.123456789);
    CHECK(release_to(-2.5, 1) == -2);
}

static void a_total_fits_only_beside_cells_that_do_not_follow(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    struct release_cell few[] = {cell_of(5, 4, 0), cell_of(4, 5, 0), cell_of(50, 50, 0)},
                        room[] = {cell_of(3, 4, 0), cell_of(50, 0, 0), cell_of(50, 50, 0)};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        few[i].reason = release_judge(&rules, &few[i]);
        room[i].reason = release_judge(&rules, &room[i]);
    }
    CHECK(!release_total_fits(&rules, few, 3));  /* 9 + 9 = 18, both below 10 */
    CHECK(!release_total_fits(&rules, room, 3)); /* the second's owner knows its 50 */
    CHECK(release_total_fits(&rules, room + 2, 1));
    rules.minimum_contributors = 1;
    room[1].reason = RELEASE_DOMINATED;
    CHECK(release_total_fits(&rules, room, 3));
}

static void k_is_bounded_by_rows_over_minimum_rows(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    (void)state;
    assert_int_equal(release_k_most(&rules, 99), 9);
    assert_int_equal(release_k_most(&rules, 9), 0);
    rules.minimum_rows = 0;
    assert_int_equal(release_k_most(&rules, 99), 99);
}

static void an_answer_that_fails_the_rules_as_a_whole_is_refused(void **state)
{
    struct release_rules rules = release_rules_of(NULL);
    static const struct {
        uint64_t a, b;
        enum apex_refusal why;
        const char *words;
    } cases[] = {{0, 0, APEX_REFUSE_NO_DATA, "no rows"},
                 {5, 4, APEX_REFUSE_ROWS, "fewer than 10 rows"},
                 {50, 0, APEX_REFUSE_CONTRIBUTORS, "fewer than 2 contributors"},
                 {99, 1, APEX_REFUSE_SHARE, "more than 90 %"},
                 {15, 9, APEX_REFUSE_SHARE, "besides those of one party"},
                 {15, 10, 0, ""}};
    (void)state;
    assert_int_equal(rules.minimum_rows, 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct release_cell all = cell_of(cases[i].a, cases[i].b, 0);
        refusal = 0;
        told[0] = 0;
        if (setjmp(refused) == 0) release_demand(NULL, &rules, &all);
        assert_int_equal(refusal, cases[i].why);
        CHECK(strstr(told, cases[i].words));
    }
}

static void every_reason_has_words_and_none_has_a_count(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    (void)state;
    for (int reason = RELEASE_FEW_ROWS; reason <= RELEASE_WITHHELD; reason++) {
        release_suppressed(NULL, &rules, (enum release_reason)reason);
        CHECK(strlen(told) > strlen("suppressed: ") + 10);
        CHECK(strlen(told) < strlen("suppressed: ") + 120);
    }
}

static void counts_by_party_become_judged_cells(void **state)
{
    struct release_rules rules = {10, 2, 0.9, PARTIES, 1};
    static const uint64_t counts[] = {10, 10, 0, 3, 0, 2};
    struct release_cell cells[2];
    (void)state;
    release_cells_of(&rules, counts, 2, cells);
    assert_int_equal(cells[0].rows, 20);
    assert_int_equal(cells[0].reason, RELEASE_OK);
    assert_int_equal(cells[1].rows, 5);
    assert_int_equal(cells[1].by_party[2], 2);
    assert_int_equal(cells[1].reason, RELEASE_FEW_ROWS);
}

int main(void)
{
    static const uint8_t seed[32] = {7};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_cell_is_judged_by_rows_contributors_share_and_what_is_left_without_a_party),
        cmocka_unit_test(no_hidden_cell_of_a_list_follows_from_its_total),
        cmocka_unit_test(no_hidden_cell_of_a_table_follows_from_totals_both_ways),
        cmocka_unit_test(totals_of_a_table_are_told_as_the_lists_that_they_are),
        cmocka_unit_test(no_hidden_cell_follows_by_elimination),
        cmocka_unit_test(what_satisfies_the_rules_is_all_told),
        cmocka_unit_test(a_loose_contract_hides_nothing),
        cmocka_unit_test(too_large_a_table_is_withheld_wholly),
        cmocka_unit_test(counts_are_rounded_half_up_and_shares_made_of_rounded_counts),
        cmocka_unit_test(a_share_is_told_only_when_inside_and_outside_satisfy_the_rules),
        cmocka_unit_test(a_window_is_as_wide_as_the_rules_need_it_twice),
        cmocka_unit_test(a_quantile_is_told_where_its_window_is_a_cell_that_may_be),
        cmocka_unit_test(a_mean_is_told_no_finer_than_one_row_moves_it),
        cmocka_unit_test(a_total_fits_only_beside_cells_that_do_not_follow),
        cmocka_unit_test(k_is_bounded_by_rows_over_minimum_rows),
        cmocka_unit_test(an_answer_that_fails_the_rules_as_a_whole_is_refused),
        cmocka_unit_test(every_reason_has_words_and_none_has_a_count),
        cmocka_unit_test(counts_by_party_become_judged_cells),
    };
    random_seed(&randomness, seed, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
