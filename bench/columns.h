/* What the benches of models on columns share: arguments NAME=VALUE, the file of columns,
 * clocks. */
#ifndef BENCH_COLUMNS_H
#define BENCH_COLUMNS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench_number {
    const char *name; /* with its = */
    size_t *number;
};

static inline double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void arguments_take(int argc, char **argv, const char **file, const char **op,
                                  const struct bench_number *numbers, size_t n)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "file=", 5) == 0) *file = argv[i] + 5;
        if (strncmp(argv[i], "op=", 3) == 0) *op = argv[i] + 3;
        for (size_t k = 0; k < n; k++)
            if (strncmp(argv[i], numbers[k].name, strlen(numbers[k].name)) == 0)
                *numbers[k].number = strtoul(argv[i] + strlen(numbers[k].name), NULL, 10);
    }
}

/* d columns of n doubles and the target behind them; ours to free(). Ends the program where the
 * file does not hold as many. */
static inline double *columns_read(const char *file, size_t n, size_t d)
{
    size_t count = n * (d + 1);
    double *cells = aligned_alloc(64, (count * sizeof *cells + 63) / 64 * 64);
    FILE *f = fopen(file, "rb");
    if (!cells || !f || fread(cells, sizeof *cells, count, f) != count) {
        fprintf(stderr, "bench: %s does not hold %zu doubles\n", file, count);
        exit(1);
    }
    fclose(f);
    return cells;
}

#endif
