/* How long the jail takes from call to a program's end: the program refuses at once. Median and
 * 99th percentile of 300 runs, beside the peer: posix_spawn of /bin/true in the same run. */
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "enclave/core/jail.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 300, PROGRAM_MOST = 8 << 20 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, double *ms)
{
    qsort(ms, RUNS, sizeof *ms, order);
    printf("  %-40s median %6.3f ms  p99 %6.3f ms\n", name, ms[RUNS / 2], ms[RUNS * 99 / 100]);
}

static struct memory_file *file_of(struct span bytes)
{
    struct memory_file *f = NULL;
    if (memory_file_new("bench", &f) != APEX_OK || memory_file_append(f, bytes) != APEX_OK ||
        memory_file_seal(f) != APEX_OK)
        exit(1);
    return f;
}

int main(int argc, char **argv)
{
    static uint8_t program[PROGRAM_MOST];
    static double ms[RUNS];
    uint8_t digest[HASH_LEN];
    char report[200], *const words[] = {(char[]){"true"}, NULL};
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    ssize_t len = fd >= 0 ? read(fd, program, sizeof program) : -1;
    if (len <= 0 || crypto_init() != APEX_OK || jail_init(report, sizeof report) != APEX_OK)
        return 2;
    sha256(span_of(program, (size_t)len), digest);
    struct jail_job job = {.program = file_of(span_of(program, (size_t)len)),
                           .program_digest = digest,
                           .request = file_of(SPAN_TEXT("none")),
                           .limits = {.memory_bytes = 1 << 30,
                                      .cpu_seconds = 10,
                                      .wall_seconds = 10,
                                      .output_bytes = 1 << 20,
                                      .threads = 1}};
    printf("jail: %s\n", report);
    for (int i = 0; i < RUNS; i++) {
        struct jail_result result;
        double begin = now_ms();
        if (jail_run(&job, &result) != APEX_OK) return 1;
        ms[i] = now_ms() - begin;
        jail_result_clear(&result);
    }
    print("jail: hash, start, confine, end", ms);
    for (int i = 0; i < RUNS; i++) {
        pid_t pid;
        double begin = now_ms();
        if (posix_spawn(&pid, "/bin/true", NULL, NULL, words, NULL) != 0) return 1;
        waitpid(pid, NULL, 0);
        ms[i] = now_ms() - begin;
    }
    print("peer: posix_spawn of /bin/true", ms);
    return 0;
}
