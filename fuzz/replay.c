/* Runs a fuzz target on its corpus and on seeded mutations of it: the short fuzz run of `make
 * check`, the same on every machine. Coverage-guided fuzzing is `make fuzz`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
/* Where a target has it: how many inputs came past its parsers; every file has to. */
__attribute__((weak)) size_t fuzz_reached(void);

enum { INPUT_MAX = 1 << 20, MUTATIONS = 400 };

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* An exact-size copy, so that a sanitizer or valgrind sees the first byte past the end. */
static void run_copy(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) abort();
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static size_t mutate(const uint8_t *data, size_t len, uint64_t *seed, uint8_t *out)
{
    size_t n = len;
    memcpy(out, data, len);
    for (uint64_t i = splitmix64(seed) % 4 + 1; i > 0 && n > 0; i--) {
        uint64_t r = splitmix64(seed), at = (r >> 8) % n;
        switch (r % 6) {
        case 0: out[at] ^= (uint8_t)(1u << (r >> 60 & 7)); break;
        case 1: out[at] = (uint8_t)(r >> 48); break;
        case 2: out[at] = r >> 63 ? 0xff : 0; break;
        case 3: n = at; break; /* truncate */
        case 4:
            memmove(out + at, out + at + 1, n - at - 1);
            n--;
            break;
        default: /* insert */
            if (n + 1 > INPUT_MAX) break;
            memmove(out + at + 1, out + at, n - at);
            out[at] = (uint8_t)(r >> 48);
            n++;
        }
    }
    return n;
}

static int stale;

static size_t reached(void)
{
    return fuzz_reached ? fuzz_reached() : 0;
}

static int run_file(const char *path, uint8_t *data, uint8_t *out)
{
    FILE *f = fopen(path, "rb");
    if (!f) return -1;
    size_t len = fread(data, 1, INPUT_MAX - 16, f);
    fclose(f);
    size_t before = reached();
    run_copy(data, len);
    stale += fuzz_reached && reached() == before;
    uint64_t seed = len;
    int rounds = len > 65536 ? MUTATIONS / 10 : MUTATIONS;
    for (int i = 0; i < rounds; i++)
        run_copy(out, mutate(data, len, &seed, out));
    return 0;
}

static int is_seed(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    uint8_t *data = malloc(INPUT_MAX), *out = malloc(INPUT_MAX + 16);
    struct dirent *
        *seeds; /* by name: some targets remember, and folders have orders of their own */
    int n = argc == 2 ? scandir(argv[1], &seeds, is_seed, alphasort) : -1;
    if (n < 0 || !data || !out) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    int files = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], seeds[i]->d_name);
        if (run_file(path, data, out) == 0) files++;
        free(seeds[i]);
    }
    free(seeds);
    run_copy(out, 0);
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    if (stale) {
        printf("not ok - %s: %d seeds that no parser takes; make them again (fuzz/corpus)\n",
               name, stale);
        return 1;
    }
    printf("%s - %s survives its corpus (%d files) and seeded mutations of it\n",
           files ? "ok" : "not ok", name, files);
    free(data);
    free(out);
    return files ? 0 : 1;
}
