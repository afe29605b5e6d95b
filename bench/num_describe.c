/* What a column holds: num_describe op=moments|quantiles|histogram|screen file=PATH n=N
 * [repeat=] [threads=] [level=0|1|2]. The file holds a column of N doubles, then another.
 * Prints the least time of some; answer of moments: mean, variance, skewness, kurtosis, least
 * and most; of quantiles: at 1, 25, 50, 75 and 99 of a hundred; of histogram: 64 counts between
 * -4 and 4; of screen: the median of the absolute values as scores, 1.4826 of their median
 * absolute deviation, and how many lie 3 of those above. */
#include "bench/columns.h"
#include "common/num/describe.h"
#include "common/num/screen.h"
#include "common/num/simd.h"

#include <math.h>

enum { BINS = 64 };
static const double shares[] = {0.01, 0.25, 0.5, 0.75, 0.99};

struct bench {
    struct describe_array column;
    struct describe_source source;
    unsigned threads;
    double answer[BINS];
    size_t n_answer;
};

static apex_status moments(struct bench *b)
{
    struct describe_moments m;
    apex_status s = describe_column(&b->source, b->threads, &m, NULL);
    const double answer[] = {m.mean, m.variance, m.skewness, m.kurtosis, m.least, m.most};
    b->n_answer = sizeof answer / sizeof *answer;
    memcpy(b->answer, answer, sizeof answer);
    return s;
}

static apex_status quantiles(struct bench *b)
{
    b->n_answer = sizeof shares / sizeof *shares;
    return describe_quantiles(&b->source, b->threads, shares, b->n_answer, b->answer, NULL);
}

static apex_status histogram(struct bench *b)
{
    double edges[BINS + 1];
    uint64_t counts[BINS + 3];
    for (size_t i = 0; i <= BINS; i++)
        edges[i] = (double)i / 8 - 4;
    apex_status s = describe_histogram(&b->source, b->threads, edges, BINS + 1, counts, NULL);
    b->n_answer = BINS;
    for (size_t i = 0; i < BINS; i++)
        b->answer[i] = (double)counts[i + 1];
    return s;
}

static apex_status screen(struct bench *b)
{
    const struct screen_rule rule = {.kind = SCREEN_MAD, .c = 3};
    struct screen_threshold t;
    apex_status s = screen_threshold_of(&b->column, &rule, b->threads, &t, NULL);
    uint8_t *flags = malloc(b->column.n_rows);
    if (s != APEX_OK || !flags) return APEX_E_MEMORY;
    b->answer[0] = t.median;
    b->answer[1] = SCREEN_MAD_TO_SD * t.mad;
    b->answer[2] =
        (double)screen_flag(b->column.value, NULL, b->column.n_rows, t.threshold, flags);
    b->n_answer = 3;
    free(flags);
    return APEX_OK;
}

static apex_status (*operation(const char *name))(struct bench *)
{
    static const struct {
        const char *name;
        apex_status (*work)(struct bench *);
    } known[] = {{"moments", moments},
                 {"quantiles", quantiles},
                 {"histogram", histogram},
                 {"screen", screen}};
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].work;
    fprintf(stderr, "num_describe: op=moments|quantiles|histogram|screen file=PATH n=ROWS\n");
    exit(1);
}

int main(int argc, char **argv)
{
    const char *file = NULL, *op = NULL;
    size_t n = 0, repeat = 3, threads = 1, level = 2;
    const struct bench_number numbers[] = {
        {"n=", &n}, {"repeat=", &repeat}, {"threads=", &threads}, {"level=", &level}};
    arguments_take(argc, argv, &file, &op, numbers, sizeof numbers / sizeof *numbers);
    apex_status (*work)(struct bench *) = operation(file && n && repeat ? op : NULL);
    double *cells = columns_read(file, n, 1), cpu = INFINITY, wall = INFINITY;
    struct bench b = {.column = {.n_rows = n, .value = cells}, .threads = (unsigned)threads};
    simd_level_limit((enum simd_level)level);
    for (size_t i = 0; i < n && work == screen; i++)
        cells[i] = fabs(cells[i]);
    b.source = describe_source_of_array(&b.column);
    for (size_t i = 0; i < repeat; i++) {
        double c = seconds(CLOCK_PROCESS_CPUTIME_ID), w = seconds(CLOCK_MONOTONIC);
        if (work(&b) != APEX_OK) return 1;
        cpu = fmin(cpu, seconds(CLOCK_PROCESS_CPUTIME_ID) - c);
        wall = fmin(wall, seconds(CLOCK_MONOTONIC) - w);
    }
    printf("{\"op\": \"%s\", \"n\": %zu, \"seconds_cpu\": %.6f, \"seconds_wall\": %.6f, "
           "\"answer\": [",
           op, n, cpu, wall);
    for (size_t i = 0; i < b.n_answer; i++)
        printf("%s%.17g", i ? ", " : "", b.answer[i]);
    printf("]}\n");
    free(cells);
    return 0;
}
