#include "tests/private_small.h"

#include "common/num/random.h"
#include "tests/check.h"

#include <math.h>

void small_fill(struct small *s, uint64_t seed)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 2, -1, -0.0};
    struct random_state random;
    uint8_t key[32] = {(uint8_t)seed, (uint8_t)(seed >> 8)};
    random_seed(&random, key, 1);
    s->n = ROWS;
    for (size_t j = 0; j <= COLUMNS; j++)
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t x = random_next(&random);
            double cell = x % 5 ? 4 * random_unit(&random) - 1.5 : odd[x / 5 % 8];
            *(j < COLUMNS ? &s->cells[j][i] : &s->target[i]) = cell;
        }
    for (size_t j = 0; j < COLUMNS; j++)
        s->column[j] = s->cells[j];
    for (size_t i = 0; i < ROWS; i++) {
        s->weight[i] = random_next(&random) % 6 ? 1 + random_unit(&random) : 0;
        s->label[i] = (uint32_t)(random_next(&random) % CLASSES);
    }
}

void small_rows(const struct small *s, struct num_source *rows)
{
    static struct num_arrays arrays; /* outlives the source, as its columns do */
    arrays = (struct num_arrays){.n_rows = s->n,
                                 .n_columns = COLUMNS,
                                 .column = s->column,
                                 .weight = s->weight,
                                 .target = s->target,
                                 .label = s->label};
    CHECK_OK(num_source_of_arrays(&arrays, rows));
}

void small_sum(const struct small *s, unsigned threads, size_t n_values, small_add *add,
               const void *context, int64_t *values)
{
    struct num_source rows;
    small_rows(s, &rows);
    const struct private_summing summing = {&rows, threads, n_values, add, context};
    CHECK_OK(private_sum(&summing, values));
    num_source_of_arrays_free(&rows);
}

void small_changes(struct small *s, size_t n_values, small_add *add, const void *context,
                   double *l1, double *l2)
{
    int64_t whole[SMALL_VALUES_MAX], less[SMALL_VALUES_MAX];
    CHECK(n_values <= SMALL_VALUES_MAX);
    small_sum(s, 1, n_values, add, context, whole);
    *l1 = *l2 = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0, squares = 0, kept = s->weight[i];
        s->weight[i] = 0;
        small_sum(s, 1, n_values, add, context, less);
        s->weight[i] = kept;
        for (size_t v = 0; v < n_values; v++) {
            double change = fabs((double)(whole[v] - less[v]));
            sum += change;
            squares += change * change;
        }
        *l1 = sum > *l1 ? sum : *l1;
        *l2 = squares > *l2 ? squares : *l2;
    }
}
