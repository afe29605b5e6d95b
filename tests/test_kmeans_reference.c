/* k-means against scikit-learn's results on real places: ../shared/data/reference. */
#include "common/num/kmeans.h"
#include "tests/check.h"
#include "tests/real_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define UNITS_PER_DEGREE 1e7
#define UNITS_PER_DEVIATION 1048576.0 /* 2^20 to a standard deviation */
enum { K_MAX = 100, LINE_MAX_LEN = 4096 };
static const uint8_t seed[32] = {5};

struct places {
    size_t n, d;
    int32_t *column[KMEANS_DIMS_MAX];
    uint32_t *weights, *labels;
};

static void places_free(struct places *p)
{
    for (size_t j = 0; j < p->d; j++)
        free(p->column[j]);
    free(p->weights);
    free(p->labels);
}

static void places_room(struct places *p, size_t n, size_t d)
{
    p->d = d;
    for (size_t j = 0; j < d; j++)
        CHECK(p->column[j] = calloc(n, sizeof(int32_t)));
    CHECK(p->weights = calloc(n, sizeof *p->weights));
    CHECK(p->labels = calloc(n, sizeof *p->labels));
}

static size_t column_named(const char *header, const char *name)
{
    size_t at = 0, len = strlen(name);
    for (const char *field = header; field; field = strchr(field, ','), at++) {
        field += *field == ',';
        if (strncmp(field, name, len) == 0 && strchr(",\r\n", field[len])) return at;
    }
    return SIZE_MAX;
}

static const char *field_at(const char *line, size_t at)
{
    while (at-- > 0)
        line = strchr(line, ',') + 1;
    return line;
}

static bool places_read(const char *name, const char *weight, struct places *p)
{
    char path[256], line[LINE_MAX_LEN];
    snprintf(path, sizeof path, "../shared/data/geo/%s.csv", name);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    CHECK(fgets(line, sizeof line, f));
    size_t by = weight ? column_named(line, weight) : 0;
    places_room(p, 200000, 2);
    while (fgets(line, sizeof line, f)) {
        for (size_t j = 0; j < 2; j++)
            p->column[j][p->n] =
                (int32_t)lrint(strtod(field_at(line, j), NULL) * UNITS_PER_DEGREE);
        if (weight) p->weights[p->n] = (uint32_t)strtoul(field_at(line, by), NULL, 10);
        p->n++;
    }
    fclose(f);
    return true;
}

static double number(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

struct answer {
    double centroids[K_MAX * KMEANS_DIMS_MAX];
    uint64_t weights[K_MAX], sizes[K_MAX];
    struct kmeans_result r;
};

static void fit(const struct places *p, bool weighted, struct kmeans_options o,
                struct answer *a)
{
    struct kmeans_arrays arrays = {
        .n = p->n, .d = p->d, .weights = weighted ? p->weights : NULL, .chunk_rows = 10007};
    memcpy(arrays.column, p->column, sizeof arrays.column);
    struct kmeans_source source = kmeans_source_of_arrays(&arrays);
    struct kmeans_chunk all = {.n = p->n};
    memcpy(all.column, p->column, sizeof all.column);
    *a = (struct answer){.r = {.centroids = a->centroids, .weights = a->weights}};
    o.seed = seed;
    o.threads = 2;
    CHECK_OK(kmeans_fit(&source, &o, &a->r, NULL));
    CHECK(a->r.converged);
    CHECK_OK(kmeans_assign(a->centroids, o.k, p->d, &all, p->labels, NULL));
    kmeans_count(p->labels, NULL, p->n, o.k, a->sizes);
}

static void run_compare(const struct places *p, const json_t *run)
{
    static struct answer a;
    static double start[2 * K_MAX];
    size_t k = (size_t)json_integer_value(json_object_get(run, "k"));
    bool weighted = json_is_true(json_object_get(run, "weighted"));
    const json_t *weights = json_object_get(run, "weight_per_cluster");
    double inertia = json_number_value(json_object_get(run, "inertia")),
           unit = UNITS_PER_DEGREE * UNITS_PER_DEGREE,
           bar = json_number_value(json_object_get(run, "best_of_5_kmeanspp_inertia"));
    for (size_t i = 0; i < 2 * k; i++)
        start[i] = number(json_array_get(json_object_get(run, "init"), i / 2), i % 2) *
                   UNITS_PER_DEGREE;
    fit(p, weighted, (struct kmeans_options){.k = k, .start = start}, &a);
    for (size_t i = 0; i < 2 * k; i++) {
        double wanted = number(json_array_get(json_object_get(run, "centroids"), i / 2), i % 2);
        CHECK(fabs(a.centroids[i] / UNITS_PER_DEGREE - wanted) < 1e-6);
    }
    for (size_t c = 0; c < k; c++) {
        CHECK(a.sizes[c] == (uint64_t)number(json_object_get(run, "sizes"), c));
        if (weights) CHECK(a.weights[c] == (uint64_t)number(weights, c));
    }
    CHECK(fabs(a.r.inertia / unit / inertia - 1) < 1e-6);
    fit(p, weighted, (struct kmeans_options){.k = k, .restarts = 5}, &a);
    CHECK(a.r.inertia / unit < 1.05 * bar);
}

static void runs_compare(const char *name, const char *weight)
{
    char path[256];
    struct places p = {0};
    snprintf(path, sizeof path, "../shared/data/reference/%s.json", name);
    json_t *reference = json_load_file(path, 0, NULL);
    if (!reference || !places_read(name, weight, &p)) skip();
    const json_t *runs = json_object_get(json_object_get(reference, "kmeans"), "runs"), *run;
    size_t i;
    CHECK(json_array_size(runs) > 0);
    json_array_foreach(runs, i, run) run_compare(&p, run);
    places_free(&p);
    json_decref(reference);
}

static void places_by_country_are_grouped_as_scikit_learn_does(void **state)
{
    (void)state;
    runs_compare("places_country", "population");
}

static void addresses_are_grouped_as_scikit_learn_does(void **state)
{
    (void)state;
    runs_compare("nz_addresses", NULL);
}

static void accidents_are_grouped_as_scikit_learn_does(void **state)
{
    (void)state;
    runs_compare("uk_accidents", NULL);
}

static void stores_are_grouped_as_scikit_learn_does(void **state)
{
    (void)state;
    runs_compare("us_stores", NULL);
}

static void hire_stations_are_grouped_as_scikit_learn_does(void **state)
{
    (void)state;
    runs_compare("london_cycle_hire", "bikes");
}

static void points_add(const char *path, struct places *p)
{
    json_t *list = json_load_file(path, 0, NULL);
    const json_t *point;
    size_t i;
    json_array_foreach(list, i, point)
    {
        p->column[0][p->n] = (int32_t)lrint(
            json_number_value(json_object_get(point, "latitude")) * UNITS_PER_DEGREE);
        p->column[1][p->n++] = (int32_t)lrint(
            json_number_value(json_object_get(point, "longitude")) * UNITS_PER_DEGREE);
    }
    json_decref(list);
}

static void the_first_applications_points_are_grouped_as_scikit_learn_does(void **state)
{
    static const struct {
        const char *size, *suffix;
    } sets[] = {{"mini", "_mini"}, {"full", ""}};
    json_t *reference = json_load_file("../shared/data/reference/apex.json", 0, NULL);
    (void)state;
    if (!reference) skip();
    for (size_t s = 0; s < 2; s++) {
        struct places p = {0};
        char path[256];
        const json_t *part = json_object_get(reference, sets[s].size), *run;
        size_t i;
        places_room(&p, 4000, 2);
        for (int file = 1; file <= 2; file++) {
            snprintf(path, sizeof path, "../shared/data/apex/telco_%d%s.json", file,
                     sets[s].suffix);
            points_add(path, &p);
        }
        CHECK(p.n == (size_t)json_integer_value(json_object_get(part, "points")));
        json_array_foreach(json_object_get(part, "kmeans"), i, run) run_compare(&p, run);
        places_free(&p);
    }
    json_decref(reference);
}

/* Standardised with the training rows' mean and deviation, as whole numbers. */
static void standardise(const struct real_data *data, struct places *p)
{
    for (size_t j = 0; j < data->d; j++) {
        long double sum = 0, squares = 0, n = 0;
        for (size_t i = 0; i < data->n; i++) {
            sum += data->is_test[i] ? 0 : data->column[j][i];
            n += !data->is_test[i];
        }
        for (size_t i = 0; i < data->n; i++)
            squares += data->is_test[i] ? 0 : powl(data->column[j][i] - sum / n, 2);
        long double deviation = sqrtl(squares / n);
        for (size_t i = 0; i < data->n; i++)
            p->column[j][i] = (int32_t)lrintl((data->column[j][i] - sum / n) / deviation *
                                              UNITS_PER_DEVIATION);
    }
    p->n = data->n;
}

static void claims_of_31_features_are_grouped_as_scikit_learn_does(void **state)
{
    static struct answer a;
    static double start[K_MAX * KMEANS_DIMS_MAX];
    struct real_data *data = real_data_open("vehicle_claims");
    struct places p = {0};
    (void)state;
    if (!data) skip();
    const json_t *run = real_data_at(data, "classification", "kmeans_on_standardised_features",
                                     (const char *)NULL);
    size_t k = (size_t)json_integer_value(json_object_get(run, "k"));
    places_room(&p, data->n, data->d);
    standardise(data, &p);
    for (size_t c = 0; c < k; c++) {
        size_t row = (size_t)number(json_object_get(run, "init_rows_among_used_rows"), c);
        for (size_t j = 0; j < p.d; j++)
            start[c * p.d + j] = p.column[j][row];
    }
    fit(&p, false, (struct kmeans_options){.k = k, .start = start}, &a);
    double inertia = json_number_value(json_object_get(run, "inertia"));
    CHECK(fabs(a.r.inertia / (UNITS_PER_DEVIATION * UNITS_PER_DEVIATION) / inertia - 1) < 1e-6);
    for (size_t c = 0; c < k; c++)
        CHECK(a.sizes[c] == (uint64_t)number(json_object_get(run, "sizes"), c));
    places_free(&p);
    real_data_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_by_country_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(addresses_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(accidents_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(stores_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(hire_stations_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(the_first_applications_points_are_grouped_as_scikit_learn_does),
        cmocka_unit_test(claims_of_31_features_are_grouped_as_scikit_learn_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
