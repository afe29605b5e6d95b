/* How fast an owner's CSV becomes checked columns: reader_run, one thread, every rule kept. The
 * first two columns of the file are taken as TYPE.
 *     bench_ingest FILE=rows.csv [TYPE=degrees|float64] [RUNS=3] [LEVEL=0|1|2]
 * One line of JSON; the answer is the number of rows and the sum of each column as float64. */
#include "client/lib/reader.h"
#include "common/num/simd.h"
#include "include/apex/apex.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') return argv[i] + len + 1;
    return otherwise;
}

struct sums {
    double sum[2];
};

static apex_status group_sum(void *context, struct span group)
{
    static struct table_group g;
    struct sums *s = context;
    apex_status status = table_group_parse(group, &g);
    for (size_t i = 0; status == APEX_OK && i < 2; i++)
        for (size_t r = 0; r < g.n_rows; r++)
            s->sum[i] += g.columns[i].type == COLUMN_FLOAT64
                             ? ((const double *)g.columns[i].data)[r]
                             : ((const int32_t *)g.columns[i].data)[r] / 1e7;
    return status;
}

static apex_status group_leave(void *context, struct span group)
{
    (void)context;
    (void)group;
    return APEX_OK;
}

int main(int argc, char **argv)
{
    static struct complaints complaints;
    bool floats = strcmp(option(argc, argv, "TYPE", "degrees"), "float64") == 0;
    struct manifest_column columns[2] = {
        {.name = "latitude", .type = floats ? COLUMN_FLOAT64 : COLUMN_LATITUDE},
        {.name = "longitude", .type = floats ? COLUMN_FLOAT64 : COLUMN_LONGITUDE}};
    const struct manifest_dataset schema = {"rows", 2, columns};
    const char *path = option(argc, argv, "FILE", NULL);
    struct reader_summary summary;
    struct apex_error error = {0};
    struct sums sums = {{0}};
    struct reader_options o = {.map = "latitude=1,longitude=2", .group = group_leave};
    double cpu = 1e300, wall = 1e300;
    if (!path) return 2;
    simd_level_limit((enum simd_level)strtol(option(argc, argv, "LEVEL", "2"), NULL, 10));
    for (long run = strtol(option(argc, argv, "RUNS", "3"), NULL, 10); run > 0; run--) {
        double cpu_at = seconds(CLOCK_PROCESS_CPUTIME_ID), at = seconds(CLOCK_MONOTONIC);
        if (reader_run(path, &schema, &o, &complaints, &summary, &error) != APEX_OK) {
            fprintf(stderr, "%s: %s\n", path, error.what);
            return 1;
        }
        double c = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_at,
               w = seconds(CLOCK_MONOTONIC) - at;
        cpu = c < cpu ? c : cpu;
        wall = w < wall ? w : wall;
    }
    o.group = group_sum;
    o.context = &sums;
    if (reader_run(path, &schema, &o, &complaints, &summary, &error) != APEX_OK) return 1;
    printf("{\"op\": \"csv %s\", \"n\": %llu, \"level\": %d, \"seconds_cpu\": %.4f, "
           "\"seconds_wall\": %.4f, "
           "\"answer\": [%llu, %.17g, %.17g]}\n",
           floats ? "float64" : "degrees", (unsigned long long)summary.rows, (int)simd_level(),
           cpu, wall, (unsigned long long)summary.rows, sums.sum[0], sums.sum[1]);
    return 0;
}
