#include "contracts/lib/release.h"

#include <stdio.h>

struct release_rules release_rules_of(const struct apex_run *run)
{
    return (struct release_rules){apex_minimum_rows(run), apex_minimum_contributors(run),
                                  apex_maximum_share(run), apex_parties(run)};
}

uint64_t release_contributors(const struct release_cell *cell, size_t n_parties)
{
    uint64_t n = 0;
    for (size_t p = 0; p < n_parties; p++)
        n += cell->by_party[p] > 0;
    return n;
}

enum release_reason release_judge(const struct release_rules *rules,
                                  const struct release_cell *cell)
{
    uint64_t most = 0;
    if (cell->rows < rules->minimum_rows) return RELEASE_FEW_ROWS;
    if (release_contributors(cell, rules->n_parties) < rules->minimum_contributors)
        return RELEASE_FEW_CONTRIBUTORS;
    for (size_t p = 0; p < rules->n_parties; p++)
        if (cell->by_party[p] > most) most = cell->by_party[p];
    return (double)most > rules->maximum_share * (double)cell->rows ? RELEASE_DOMINATED
                                                                    : RELEASE_OK;
}

static struct release_cell *smallest_released(struct release_cell *cells, size_t n)
{
    struct release_cell *least = NULL;
    for (size_t i = 0; i < n; i++)
        if (cells[i].reason == RELEASE_OK && cells[i].rows > 0 &&
            (!least || cells[i].rows < least->rows))
            least = &cells[i];
    return least;
}

void release_complement(const struct release_rules *rules, struct release_cell *cells, size_t n)
{
    for (;;) {
        size_t hidden = 0;
        uint64_t rows = 0;
        for (size_t i = 0; i < n; i++) {
            if (cells[i].reason == RELEASE_OK) continue;
            hidden++;
            rows += cells[i].rows;
        }
        struct release_cell *more = smallest_released(cells, n);
        if (hidden == 0 || !more || (hidden >= 2 && rows >= rules->minimum_rows)) return;
        more->reason = RELEASE_COMPLEMENT;
    }
}

void release_words(const struct release_rules *rules, enum release_reason reason,
                   char text[static 120])
{
    switch (reason) {
    case RELEASE_FEW_ROWS:
        snprintf(text, 120, "fewer than %llu rows", (unsigned long long)rules->minimum_rows);
        return;
    case RELEASE_FEW_CONTRIBUTORS:
        snprintf(text, 120, "fewer than %llu contributors",
                 (unsigned long long)rules->minimum_contributors);
        return;
    case RELEASE_DOMINATED:
        snprintf(text, 120, "one party holds more than %.0f %% of its rows",
                 100 * rules->maximum_share);
        return;
    case RELEASE_COMPLEMENT:
        snprintf(text, 120, "another suppressed cell would follow from the total");
        return;
    case RELEASE_OK: text[0] = 0;
    }
}

void release_demand(struct apex_run *run, const struct release_rules *rules,
                    const struct release_cell *all)
{
    static const enum apex_refusal why[] = {[RELEASE_FEW_ROWS] = APEX_REFUSE_ROWS,
                                            [RELEASE_FEW_CONTRIBUTORS] =
                                                APEX_REFUSE_CONTRIBUTORS,
                                            [RELEASE_DOMINATED] = APEX_REFUSE_SHARE};
    char text[120];
    if (all->rows == 0) apex_refuse(run, APEX_REFUSE_NO_DATA, "no rows without missing values");
    enum release_reason reason = release_judge(rules, all);
    if (reason == RELEASE_OK) return;
    release_words(rules, reason, text);
    apex_refuse(run, why[reason], text);
}

void release_share(struct apex_run *run, const struct release_rules *rules, const char *key,
                   const struct release_cell *inside, const struct release_cell *all)
{
    struct release_cell outside = {.rows = all->rows - inside->rows};
    for (size_t p = 0; p < rules->n_parties; p++)
        outside.by_party[p] = all->by_party[p] - inside->by_party[p];
    bool told = release_judge(rules, inside) == RELEASE_OK &&
                (outside.rows == 0 || release_judge(rules, &outside) == RELEASE_OK);
    if (rules->minimum_rows <= 1 && rules->minimum_contributors <= 1)
        told = true; /* no minimum: zero is a number like others */
    if (told)
        apex_json_number(run, key, (double)inside->rows / (double)all->rows);
    else
        apex_json_null(run, key);
}

void release_count(struct apex_run *run, const struct release_rules *rules, const char *key,
                   uint64_t count)
{
    if (count > 0 && count < rules->minimum_rows)
        apex_json_null(run, key);
    else
        apex_json_integer(run, key, (int64_t)count);
}
