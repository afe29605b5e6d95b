#include "contracts/lib/release.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_LEN = 120 };

struct release_rules release_rules_of(const struct apex_run *run)
{
    return (struct release_rules){apex_minimum_rows(run), apex_minimum_contributors(run),
                                  apex_maximum_share(run), apex_parties(run), 1};
}

bool release_is_loose(const struct release_rules *rules)
{
    return rules->minimum_rows <= 1 && rules->minimum_contributors <= 1;
}

uint64_t release_contributors(const struct release_cell *cell, size_t n_parties)
{
    uint64_t n = 0;
    for (size_t p = 0; p < n_parties; p++)
        n += cell->by_party[p] > 0;
    return n;
}

static uint64_t most_of_one(const struct release_rules *rules, const struct release_cell *cell)
{
    uint64_t most = 0;
    for (size_t p = 0; p < rules->n_parties; p++)
        most ^= (most ^ cell->by_party[p]) & -(uint64_t)(cell->by_party[p] > most);
    return most;
}

enum release_reason release_judge(const struct release_rules *rules,
                                  const struct release_cell *cell)
{
    uint64_t most = most_of_one(rules, cell);
    unsigned reason = RELEASE_OK;
    double most_allowed = rules->maximum_share * (double)(int64_t)cell->rows;
    bool fails[RELEASE_FEW_OTHERS + 1];
    fails[RELEASE_FEW_ROWS] = cell->rows < rules->minimum_rows;
    fails[RELEASE_FEW_CONTRIBUTORS] =
        release_contributors(cell, rules->n_parties) < rules->minimum_contributors;
    fails[RELEASE_DOMINATED] = (double)(int64_t)most > most_allowed;
    fails[RELEASE_FEW_OTHERS] =
        (rules->minimum_contributors >= 2) & (cell->rows - most < rules->minimum_rows);
    for (unsigned r = RELEASE_FEW_OTHERS; r > RELEASE_OK; r--) /* the first that holds stays */
        reason ^= (reason ^ r) & -(unsigned)fails[r];
    return (enum release_reason)reason;
}

void release_cells_of(const struct release_rules *rules, const uint64_t *counts, size_t n,
                      struct release_cell *cells)
{
    for (size_t i = 0; i < n; i++) {
        cells[i] = (struct release_cell){0};
        for (size_t p = 0; p < rules->n_parties; p++) {
            cells[i].by_party[p] = counts[i * rules->n_parties + p];
            cells[i].rows += cells[i].by_party[p];
        }
        cells[i].reason = release_judge(rules, &cells[i]);
    }
}

size_t release_k_most(const struct release_rules *rules, uint64_t n)
{
    return (size_t)(n / (rules->minimum_rows > 1 ? rules->minimum_rows : 1));
}

void release_words(const struct release_rules *rules, enum release_reason reason,
                   char text[static 120])
{
    unsigned long long rows = rules->minimum_rows, contributors = rules->minimum_contributors;
    switch (reason) {
    case RELEASE_FEW_ROWS: snprintf(text, WORDS_LEN, "fewer than %llu rows", rows); return;
    case RELEASE_FEW_CONTRIBUTORS:
        snprintf(text, WORDS_LEN, "fewer than %llu contributors", contributors);
        return;
    case RELEASE_DOMINATED:
        snprintf(text, WORDS_LEN, "one party holds more than %.0f %% of its rows",
                 100 * rules->maximum_share);
        return;
    case RELEASE_FEW_OTHERS:
        snprintf(text, WORDS_LEN, "fewer than %llu rows besides those of one party", rows);
        return;
    case RELEASE_COMPLEMENT:
        snprintf(text, WORDS_LEN, "another suppressed cell would follow from the total");
        return;
    case RELEASE_WITHHELD:
        snprintf(text, WORDS_LEN,
                 "too few rows or contributors, here or in a cell that would follow");
        return;
    case RELEASE_OK: text[0] = 0;
    }
}

void release_suppressed(struct apex_run *run, const struct release_rules *rules,
                        enum release_reason reason)
{
    char words[WORDS_LEN];
    release_words(rules, reason, words);
    apex_json_text(run, "suppressed", words, strlen(words));
}

void release_demand(struct apex_run *run, const struct release_rules *rules,
                    const struct release_cell *all)
{
    static const enum apex_refusal why[] = {[RELEASE_FEW_ROWS] = APEX_REFUSE_ROWS,
                                            [RELEASE_FEW_CONTRIBUTORS] =
                                                APEX_REFUSE_CONTRIBUTORS,
                                            [RELEASE_DOMINATED] = APEX_REFUSE_SHARE,
                                            [RELEASE_FEW_OTHERS] = APEX_REFUSE_SHARE};
    char text[WORDS_LEN];
    if (all->rows == 0) apex_refuse(run, APEX_REFUSE_NO_DATA, "no rows without missing values");
    enum release_reason reason = release_judge(rules, all);
    if (reason == RELEASE_OK) return;
    release_words(rules, reason, text);
    apex_refuse(run, why[reason], text);
}

uint64_t release_round(const struct release_rules *rules, uint64_t count)
{
    uint64_t base = rules->round_to, rest;
    if (base <= 1) return count;
    rest = count % base;
    return rest >= base - rest && count <= UINT64_MAX - base ? count - rest + base
                                                             : count - rest;
}

struct release_rules release_coarse(const struct release_rules *rules)
{
    struct release_rules coarse = *rules;
    if (coarse.round_to < rules->minimum_rows) coarse.round_to = rules->minimum_rows;
    return coarse;
}

double release_ratio(const struct release_rules *rules, uint64_t part, uint64_t whole)
{
    uint64_t a = release_round(rules, part), b = release_round(rules, whole);
    if (b == 0) return 0;
    return a < b ? (double)a / (double)b : 1;
}

void release_rows(struct apex_run *run, const struct release_rules *rules, const char *key,
                  uint64_t rows)
{
    apex_json_integer(run, key, (int64_t)release_round(rules, rows));
}

bool release_share_told(const struct release_rules *rules, const struct release_cell *inside,
                        const struct release_cell *all)
{
    struct release_cell outside = {.rows = all->rows - inside->rows};
    if (release_is_loose(rules)) return true;
    for (size_t p = 0; p < rules->n_parties; p++)
        outside.by_party[p] = all->by_party[p] - inside->by_party[p];
    return release_judge(rules, inside) == RELEASE_OK &&
           (outside.rows == 0 || release_judge(rules, &outside) == RELEASE_OK);
}

void release_share(struct apex_run *run, const struct release_rules *rules, const char *key,
                   const struct release_cell *inside, const struct release_cell *all)
{
    const struct release_rules coarse = release_coarse(rules);
    if (release_share_told(rules, inside, all))
        apex_json_number(
            run, key,
            inside->rows < all->rows ? release_ratio(&coarse, inside->rows, all->rows) : 1);
    else
        apex_json_null(run, key);
}

void release_count(struct apex_run *run, const struct release_rules *rules, const char *key,
                   uint64_t count)
{
    if (count > 0 && count < rules->minimum_rows)
        apex_json_null(run, key);
    else
        release_rows(run, rules, key, count);
}

static double window_rows(const struct release_rules *rules, const struct release_cell *all)
{
    double rows = rules->minimum_rows > 1 ? (double)rules->minimum_rows : 1;
    double others = (double)(all->rows - most_of_one(rules, all));
    bool alone = rules->minimum_contributors < 2 && rules->maximum_share >= 1;
    return alone ? rows : ceil(2 * rows * (double)all->rows / others); /* may be infinite */
}

struct release_window release_window(const struct release_rules *rules,
                                     const struct release_cell *all, size_t n, double q,
                                     size_t widen)
{
    double wanted = window_rows(rules, all) * (double)widen;
    size_t count = wanted < (double)n ? (size_t)wanted : n;
    double middle = floor(q * (double)(n - 1) + 0.5),
           first = middle - (double)((count - 1) / 2);
    if (!(first > 0)) first = 0; /* q that is no number too */
    return (struct release_window){first < (double)(n - count) ? (size_t)first : n - count,
                                   count};
}

double release_precision(const struct release_rules *rules, double reach, uint64_t rows)
{
    double least = 2 * fabs(reach) / (double)rows;
    int exponent;
    if (release_is_loose(rules) || !(least > 0) || !isfinite(least)) return 0;
    double fraction = frexp(least, &exponent); /* least = fraction * 2^exponent, 1/2 or more */
    return ldexp(1, fraction > 0.5 ? exponent : exponent - 1);
}

double release_to(double value, double precision)
{
    return precision > 0 ? floor(value / precision + 0.5) * precision : value;
}
