#include "tests/made_rows.h"

#include "common/num/random.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>

static const uint8_t seed[32] = {9};

struct made made_open(size_t n, size_t d, uint64_t stream)
{
    struct made m = {.n = n, .d = d};
    struct random_state r;
    random_seed(&r, seed, stream);
    for (size_t j = 0; j < d; j++)
        m.column[j] = calloc(n + 1, sizeof(double));
    m.weight = calloc(n + 1, sizeof(double));
    m.target = calloc(n + 1, sizeof(double));
    m.label = calloc(n + 1, sizeof(uint32_t));
    m.two = calloc(n + 1, sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        double common = random_unit(&r), z = 0;
        for (size_t j = 0; j < d; j++) {
            double u = random_unit(&r) + 0.5 * common - 0.75;
            z += (j % 2 ? -1.3 : 0.9) * u;
            m.column[j][i] = u * (double)(1 + j * j) + 100.0 * (double)j;
        }
        m.weight[i] = random_next(&r) % 5 ? 0.25 + random_unit(&r) : 0;
        m.target[i] = 7 + 3 * z + random_unit(&r);
        m.label[i] = (uint32_t)(random_next(&r) % MADE_CLASSES);
        if (random_unit(&r) < 0.6) m.label[i] = z < -0.5 ? 0 : z < 0 ? 1 : z < 0.5 ? 2 : 3;
        m.two[i] = random_unit(&r) < 1 / (1 + exp(-2 * z));
    }
    return m;
}

void made_close(struct made *m)
{
    for (size_t j = 0; j < m->d; j++)
        free(m->column[j]);
    free(m->weight);
    free(m->target);
    free(m->label);
    free(m->two);
}

struct num_source made_source(const struct made *m, const uint32_t *label)
{
    struct num_source source;
    const struct num_arrays arrays = {m->n,      m->d,      (const double *const *)m->column,
                                      m->weight, m->target, label};
    CHECK_OK(num_source_of_arrays(&arrays, &source));
    return source;
}

void near(double is, double want, double within)
{
    if (fabs(is - want) <= within * (1 + fabs(want))) return;
    print_message("%.12g is not %.12g\n", is, want);
    fail();
}
