/* The parts of private answers: the generator, exact noise, the accountant,
 * counts and means. */
#include "tests/check.h"
#include "tests/private_small.h"

#include "common/num/private_budget.h"
#include "common/num/private_count.h"
#include "common/num/private_match.h"
#include "common/num/private_noise.h"
#include "common/num/random.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start(struct private_random *r, uint8_t first)
{
    uint8_t key[PRIVATE_KEY_LEN] = {first, 1, 2, 3};
    private_random_init(r, key, 0);
}

/* --- the generator --- */

struct block_case {
    uint8_t key_step; /* key byte i is i * step, the last one plus key_last */
    uint8_t key_last;
    uint32_t counter;
    uint8_t nonce[12];
    const char *block;
};
/* RFC 8439 section 2.3.2 and appendix A.1, vectors 1, 2, 3 and 5. */
static const struct block_case block_cases[] = {
    {1,
     0,
     1,
     {0, 0, 0, 9, 0, 0, 0, 0x4a},
     "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
     "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
    {0,
     0,
     0,
     {0},
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {0,
     0,
     1,
     {0},
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {0,
     1,
     1,
     {0},
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
    {0,
     0,
     0,
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
     "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
     "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d"},
};

static void chacha_gives_the_blocks_of_rfc_8439(void **state)
{
    (void)state;
    for (enum simd_level level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit(level);
        for (size_t c = 0; c < sizeof block_cases / sizeof *block_cases; c++) {
            const struct block_case *k = &block_cases[c];
            uint8_t key[PRIVATE_KEY_LEN], block[64];
            char text[129];
            for (unsigned i = 0; i < sizeof key; i++)
                key[i] = (uint8_t)(i * k->key_step);
            key[31] = (uint8_t)(key[31] + k->key_last);
            private_random_block(key, k->counter, k->nonce, block);
            for (unsigned i = 0; i < sizeof block; i++)
                snprintf(text + 2 * i, 3, "%02x", block[i]);
            assert_string_equal(text, k->block);
        }
    }
    simd_level_limit(SIMD_LEVEL_512);
}

/* Numbers are blocks 0, 1, 2 ... of the stream, also where the counter's low
 * word ends. */
static void numbers_are_the_blocks_in_order(void **state)
{
    (void)state;
    for (enum simd_level level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        struct private_random r;
        const uint8_t key[PRIVATE_KEY_LEN] = {7};
        uint8_t nonce[12] = {0, 0, 0, 0, 5}, block[64];
        simd_level_limit(level);
        private_random_init(&r, key, 5);
        for (uint32_t b = 0; b < 40; b++) {
            private_random_block(key, b, nonce, block);
            for (unsigned i = 0; i < 8; i++) {
                uint64_t want = 0;
                for (unsigned j = 8; j-- > 0;)
                    want = want << 8 | block[8 * i + j];
                CHECK(private_random_next(&r) == want);
            }
        }
        private_random_init(&r, key, 5);
        r.input[12] = UINT32_MAX - 1; /* two blocks on, the next word counts */
        for (unsigned i = 0; i < 16; i++)
            (void)private_random_next(&r);
        nonce[0] = 1;
        private_random_block(key, 0, nonce, block);
        CHECK((uint8_t)private_random_next(&r) == block[0]);
        CHECK(r.input[13] == 1 && r.input[12] == 14);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

/* --- noise --- */

/* The chance of a chi-square this large, by Wilson and Hilferty: as a number of
 * deviations. */
static double chi_deviations(double chi, double degrees)
{
    return (cbrt(chi / degrees) - (1 - 2 / (9 * degrees))) / sqrt(2 / (9 * degrees));
}

/* Draws against weight(x): cells -cells..cells, and both tails together at the
 * ends. */
enum { DRAWS = 100000, CELLS_MAX = 400 };
static double draws_deviations(const struct private_noise *n,
                               long double (*weight)(double x, const struct private_noise *n),
                               int cells, uint8_t key)
{
    static long double expected[2 * CELLS_MAX + 1];
    static double seen[2 * CELLS_MAX + 1];
    struct private_random r;
    long double all = 0;
    double chi = 0;
    int used = 0;
    start(&r, key);
    memset(expected, 0, sizeof expected);
    memset(seen, 0, sizeof seen);
    for (int x = -60 * cells; x <= 60 * cells; x++) {
        int cell = x < -cells ? -cells : x > cells ? cells : x;
        expected[cell + cells] += weight(x, n);
        all += weight(x, n);
    }
    for (int i = 0; i < DRAWS; i++) {
        int64_t x = private_noise_draw(n, &r);
        int64_t cell = x < -cells ? -cells : x > cells ? cells : x;
        seen[cell + cells]++;
    }
    for (int c = 0; c <= 2 * cells; c++) {
        double e = (double)(expected[c] / all * DRAWS);
        CHECK(e > 4);
        chi += (seen[c] - e) * (seen[c] - e) / e;
        used++;
    }
    return chi_deviations(chi, used - 1);
}

static long double laplace_weight(double x, const struct private_noise *n)
{
    return expl(-fabsl((long double)x) * n->q / n->t);
}

static long double gaussian_weight(double x, const struct private_noise *n)
{
    return expl(-(long double)x * x / (2 * (long double)n->t * n->p / n->q));
}

struct noise_case {
    uint64_t sensitivity, budget; /* l1 and millionths of epsilon, or l2^2 and rho 1e-9 */
    int cells;
};

static void laplace_noise_has_the_exact_distribution(void **state)
{
    (void)state;
    static const struct noise_case cases[] = {
        {1, 1000000, 8},  {1, 100000, 70}, {1, 3000000, 2},   {3, 700000, 30},
        {5, 1234567, 30}, {1, 333333, 20}, {40, 1000000, 200}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (uint8_t key = 1; key <= 2; key++) {
            struct private_noise n;
            CHECK_OK(private_noise_laplace(cases[c].sensitivity, cases[c].budget, &n, NULL));
            double z = draws_deviations(&n, laplace_weight, cases[c].cells, key);
            CHECK(z < 4);
        }
}

static void gaussian_noise_has_the_exact_distribution(void **state)
{
    (void)state;
    static const struct noise_case cases[] = {
        {1, 500000000, 3}, {1, 5000000, 30},     {1, 3000000000, 1}, {7, 20000000, 45},
        {1, 50000, 300},   {100, 123456789, 65}, {1, 100000, 200}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (uint8_t key = 1; key <= 2; key++) {
            struct private_noise n;
            CHECK_OK(private_noise_gaussian(cases[c].sensitivity, cases[c].budget, &n, NULL));
            double z = draws_deviations(&n, gaussian_weight, cases[c].cells, key);
            CHECK(z < 4);
        }
}

/* Large scales, where the scale itself is an integer: distribution over 64
 * equally likely cells of the continuous one, which it is close to, and the
 * variance stated. */
static void wide_noise_has_the_variance_it_states(void **state)
{
    (void)state;
    for (unsigned bits = 20; bits <= 58; bits += 19)
        for (int gaussian = 0; gaussian <= 1; gaussian++) {
            struct private_noise n;
            struct private_random r;
            double squares = 0, fourth = 0, sum = 0;
            start(&r, (uint8_t)bits);
            if (gaussian)
                CHECK_OK(private_noise_gaussian((uint64_t)1 << bits, 12345678, &n, NULL));
            else
                CHECK_OK(private_noise_laplace((uint64_t)1 << bits / 2, 123456, &n, NULL));
            for (int i = 0; i < DRAWS; i++) {
                double x = (double)private_noise_draw(&n, &r) / sqrt(n.variance);
                sum += x;
                squares += x * x;
                fourth += x * x * x * x;
            }
            double kurtosis = gaussian ? 3 : 6;
            CHECK(fabs(sum / DRAWS) < 4 / sqrt(DRAWS));
            CHECK(fabs(squares / DRAWS - 1) < 4 * sqrt((kurtosis - 1) / DRAWS));
            CHECK(fabs(fourth / DRAWS / kurtosis - 1) < 0.1);
        }
}

/* P(|x| > m): Laplace e^-9 and Gaussian 4.5 s; a sampler cut short would have
 * none there. */
static void noise_has_its_tails(void **state)
{
    (void)state;
    struct private_noise n;
    struct private_random r;
    double beyond = 0, most = 0;
    start(&r, 77);
    CHECK_OK(private_noise_laplace(1, 1000000, &n, NULL));
    for (int i = 0; i < 10 * DRAWS; i++) {
        double x = fabs((double)private_noise_draw(&n, &r));
        beyond += x >= 9;
        most = x > most ? x : most;
    }
    double p = 2 * exp(-9.0) / (1 + exp(-1.0)), e = 10 * DRAWS * p;
    CHECK(fabs(beyond - e) < 4 * sqrt(e));
    CHECK(most >= 12 && most <= 24);
    CHECK_OK(private_noise_gaussian(1, 500000000, &n, NULL)); /* s = 1 */
    beyond = 0;
    for (int i = 0; i < 10 * DRAWS; i++)
        beyond += llabs(private_noise_draw(&n, &r)) >= 4;
    p = 0;
    double all = 1;
    for (int x = 1; x < 40; x++) {
        all += 2 * exp(-x * x / 2.0);
        p += x >= 4 ? 2 * exp(-x * x / 2.0) : 0;
    }
    e = 10 * DRAWS * p / all;
    CHECK(fabs(beyond - e) < 4 * sqrt(e));
}

static void coins_fall_with_probability_exp_minus_gamma(void **state)
{
    (void)state;
    static const struct {
        unsigned __int128 a, b;
    } cases[] = {{0, 1},
                 {1, 1},
                 {1, 3},
                 {999, 1000},
                 {(unsigned __int128)5 << 100, (unsigned __int128)7 << 100},
                 {UINT64_C(1) << 58, UINT64_C(3) << 58}};
    struct private_random r;
    start(&r, 9);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double p = exp(-(double)cases[c].a / (double)cases[c].b), heads = 0;
        for (int i = 0; i < DRAWS; i++) {
            uint64_t yes = private_bernoulli_exp(&r, cases[c].a, cases[c].b);
            CHECK(yes == 0 || yes == UINT64_MAX);
            heads += yes & 1;
        }
        CHECK(fabs(heads - DRAWS * p) <= 4 * sqrt(DRAWS * p * (1 - p)));
    }
}

/* How many numbers a draw takes does not follow the noise it returns: large and
 * small ones take as many on average. (Plain loops take |x| / t rounds more.)
 */
static void a_draw_takes_as_long_whatever_it_returns(void **state)
{
    (void)state;
    for (int gaussian = 0; gaussian <= 1; gaussian++) {
        struct private_noise n;
        struct private_random r;
        double took[2] = {0}, squares[2] = {0}, count[2] = {0};
        start(&r, 33);
        if (gaussian)
            CHECK_OK(private_noise_gaussian(1, 50000, &n, NULL));
        else
            CHECK_OK(private_noise_laplace(1, 20000, &n, NULL));
        for (int i = 0; i < DRAWS; i++) {
            uint64_t before = (uint64_t)r.input[12] * 16 + r.used;
            double x = fabs((double)private_noise_draw(&n, &r)) / sqrt(n.variance);
            double words = (double)((uint64_t)r.input[12] * 16 + r.used - before);
            int large = x > 1.5;
            took[large] += words;
            squares[large] += words * words;
            count[large]++;
        }
        double mean[2], error = 0;
        for (int k = 0; k < 2; k++) {
            CHECK(count[k] > 5000);
            mean[k] = took[k] / count[k];
            error += (squares[k] / count[k] - mean[k] * mean[k]) / count[k];
        }
        CHECK(fabs(mean[1] - mean[0]) < 4 * sqrt(error));
    }
}

static void noise_without_a_budget_is_refused(void **state)
{
    (void)state;
    struct private_noise n;
    struct num_place place = {0};
    CHECK_STATUS(private_noise_laplace(1, 0, &n, &place), APEX_E_USAGE);
    CHECK(place.fault == NUM_BUDGET);
    CHECK_STATUS(private_noise_gaussian(1, 0, &n, &place), APEX_E_USAGE);
    CHECK_STATUS(private_noise_laplace(UINT64_MAX, 1, &n, &place), APEX_E_LIMIT);
    CHECK(place.fault == NUM_RANGE);
    CHECK_OK(private_noise_gaussian(UINT64_MAX, 1, &n, NULL));
}

/* s^2 is never below what the guarantee needs, and not much above. */
static void gaussian_variance_is_rounded_up(void **state)
{
    (void)state;
    struct random_state random;
    const uint8_t seed[32] = {4};
    random_seed(&random, seed, 0);
    for (int i = 0; i < 10000; i++) {
        struct private_noise n;
        uint64_t l2 = random_next(&random) >> (10 + random_next(&random) % 50);
        uint64_t rho = 1 + (random_next(&random) >> (30 + random_next(&random) % 33));
        if (private_noise_gaussian(l2 ? l2 : 1, rho, &n, NULL) != APEX_OK) continue;
        long double need = (long double)(l2 ? l2 : 1) * 1e9L / (2 * (long double)rho);
        long double have = (long double)n.t * n.p / n.q;
        CHECK(have >= need * (1 - 1e-18L));
        CHECK(have <= need * (1 + 1e-4L) + 1.0L / 65536);
    }
}

/* --- the accountant --- */

/* The tight conversion, by brute force over alpha in long double. */
static long double delta_of(long double rho, long double epsilon)
{
    long double best = 1;
    for (long double alpha = 1.001L; alpha < 1e6L; alpha *= 1.001L) {
        long double d = expl((alpha - 1) * (alpha * rho - epsilon) - logl(alpha - 1) +
                             alpha * log1pl(-1 / alpha));
        best = d < best ? d : best;
    }
    return best;
}

static void rho_is_the_most_that_epsilon_and_delta_allow(void **state)
{
    (void)state;
    static const double epsilons[] = {0.1, 0.5, 1, 3, 10, 100}, deltas[] = {1e-2, 1e-5, 1e-9};
    for (size_t e = 0; e < 6; e++)
        for (size_t d = 0; d < 3; d++) {
            uint64_t micro = (uint64_t)(epsilons[e] * 1e6 + 0.5);
            uint64_t nano = private_rho_of(micro, deltas[d]);
            double rho = (double)nano * 1e-9, logs = log(1 / deltas[d]);
            /* Bun and Steinke, proposition 1.3, allows no more. */
            double plain = pow(sqrt(logs + epsilons[e]) - sqrt(logs), 2);
            CHECK(rho >= plain * 0.999999 - 1e-9 && rho < 12 * plain);
            CHECK(delta_of(rho, epsilons[e]) <= deltas[d] * (1 + 2e-4));
            CHECK(rho >= epsilons[e] * 0.999 ||
                  delta_of(rho * 1.001L + 2e-9L, epsilons[e]) > deltas[d]);
            /* Back again, and never cheaper. */
            uint64_t back = private_epsilon_of(nano, deltas[d]);
            CHECK(back <= micro + 1 && (double)back >= (double)micro * 0.99);
            CHECK(private_rho_of(back, deltas[d]) >= nano);
        }
    /* Canonne, Kamath and Steinke's figure 1 and the closed form's own numbers.
     */
    CHECK(private_rho_of(1000000, 1e-6) > 17400000);
}

static void what_nobody_can_spend_is_refused(void **state)
{
    (void)state;
    static const double wrong[] = {0, -1, -0.0, 1e-7, NAN, INFINITY, -INFINITY, 1000.1, 1e300};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct num_place place = {0};
        uint64_t micro = 5;
        CHECK_STATUS(private_epsilon_micro(wrong[i], &micro, &place), APEX_E_USAGE);
        CHECK(place.fault == NUM_BUDGET && micro == 5);
    }
    static const double deltas[] = {-1e-9, 0.011, NAN, INFINITY, 1e-310};
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        struct private_budget b;
        struct num_place place = {0};
        CHECK_STATUS(private_budget_open(&b, 1000000, deltas[i], &place), APEX_E_USAGE);
        CHECK(place.fault == NUM_BUDGET);
    }
    struct private_budget b;
    CHECK_STATUS(private_budget_open(&b, 0, 0, NULL), APEX_E_USAGE);
    CHECK_STATUS(private_budget_open(&b, UINT64_MAX, 0, NULL), APEX_E_USAGE);
}

static void nobody_spends_more_than_is_left(void **state)
{
    (void)state;
    for (int pure = 0; pure <= 1; pure++) {
        struct private_budget b;
        struct num_place place = {0};
        CHECK_OK(private_budget_open(&b, 1000000, pure ? 0 : 1e-6, &place));
        uint64_t total = b.total;
        CHECK(pure ? total == 1000000 : total > 0);
        CHECK_OK(private_budget_spend(&b, "counts", total / 2, &place));
        CHECK_OK(private_budget_spend(&b, "sums", total / 4, &place));
        CHECK_OK(private_budget_spend(&b, "counts", 1, &place));
        CHECK(b.n_spends == 2 && b.spends[0].amount == total / 2 + 1);
        uint64_t left = private_budget_left(&b);
        CHECK(left == total - total / 2 - total / 4 - 1);
        CHECK_STATUS(private_budget_spend(&b, "more", left + 1, &place), APEX_E_REFUSED);
        CHECK(place.fault == NUM_BUDGET);
        CHECK_STATUS(private_budget_spend(&b, "more", UINT64_MAX, &place), APEX_E_REFUSED);
        CHECK_STATUS(private_budget_spend(&b, "none", 0, &place), APEX_E_USAGE);
        CHECK(private_budget_left(&b) == left && b.n_spends == 2);
        CHECK_OK(private_budget_spend(&b, "rest", left, &place));
        CHECK_STATUS(private_budget_spend(&b, "rest", 1, &place), APEX_E_REFUSED);
    }
}

/* --- counts and means --- */

static void one_row_changes_counts_and_sums_by_no_more_than_stated(void **state)
{
    (void)state;
    static const struct private_bounds bounds[COLUMNS] = {{-1, 2}, {0, 1e-3}, {-1e99, 1e99}};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct small s;
        double l1, l2, most = PRIVATE_SUM_STEPS;
        small_fill(&s, seed);
        const struct private_classes classes = {CLASSES};
        small_changes(&s, CLASSES, private_classes_add, &classes, &l1, &l2);
        CHECK(l1 == 1 && l2 == 1);
        const struct private_bin_options bins = {seed % COLUMNS, 7, bounds[seed % COLUMNS]};
        small_changes(&s, 7, private_bins_add, &bins, &l1, &l2);
        CHECK(l1 == 1 && l2 == 1);
        const struct private_sum_options sums = {COLUMNS, bounds};
        small_changes(&s, 1 + COLUMNS, private_sums_add, &sums, &l1, &l2);
        CHECK(l1 <= 1 + COLUMNS * most && l2 <= 1 + COLUMNS * most * most);
        CHECK(l1 > most); /* the bound is not idle */
    }
}

static void counts_are_those_of_a_plain_loop(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct small s;
        int64_t counts[CLASSES], bins[9], want[CLASSES] = {0}, want_bins[9] = {0};
        small_fill(&s, seed);
        for (size_t i = 0; i < ROWS; i++) {
            double x = s.cells[1][i];
            if (s.weight[i] == 0) continue;
            want[s.label[i]]++;
            if (!(x > -1)) x = -1;
            int bin = x >= 2 ? 8 : (int)((x + 1) * 3);
            want_bins[bin > 8 ? 8 : bin]++;
        }
        const struct private_classes classes = {CLASSES};
        const struct private_bin_options options = {1, 9, {-1, 2}};
        small_sum(&s, 3, CLASSES, private_classes_add, &classes, counts);
        small_sum(&s, 2, 9, private_bins_add, &options, bins);
        assert_memory_equal(counts, want, sizeof want);
        assert_memory_equal(bins, want_bins, sizeof want_bins);
    }
}

static void matching_is_the_same_at_every_level(void **state)
{
    (void)state;
    enum { N = 1000, VALUES = 23 };
    uint32_t codes[N], values[VALUES];
    int64_t want[VALUES] = {0};
    for (uint32_t i = 0; i < N; i++)
        codes[i] = i * 2654435761u >> 27;
    for (uint32_t v = 0; v < VALUES; v++) {
        values[v] = v + 3;
        for (size_t i = 0; i < N; i++)
            want[v] += codes[i] == values[v];
    }
    for (enum simd_level level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        int64_t counts[VALUES] = {0};
        simd_level_limit(level);
        private_match(codes, N, values, VALUES, counts);
        assert_memory_equal(counts, want, sizeof want);
    }
    simd_level_limit(SIMD_LEVEL_512);
}

/* Two sets of rows that differ in one, many runs each: no answer is more than
 * e^epsilon times as frequent in one as in the other, and some answer is nearly
 * that much. */
static void an_audit_finds_the_epsilon_promised_and_no_more(void **state)
{
    (void)state;
    enum { RUNS = 100000, SPAN = 8 };
    static double seen[2][2 * SPAN + 1];
    struct private_random random;
    start(&random, 5);
    memset(seen, 0, sizeof seen);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < RUNS; i++) {
            int64_t count = 50 + side;
            struct private_budget budget;
            CHECK_OK(private_budget_open(&budget, 700000, 0, NULL));
            struct private_statistic s = {
                .what = "count", .values = &count, .n = 1, .l1 = 1, .l2_squared = 1};
            CHECK_OK(private_release(&s, budget.total, &budget, &random, NULL));
            int64_t at = count - 50 < -SPAN ? -SPAN : count - 50 > SPAN ? SPAN : count - 50;
            seen[side][at + SPAN]++;
        }
    double most = 0;
    for (int c = 0; c <= 2 * SPAN; c++) {
        double error = sqrt(1 / seen[0][c] + 1 / seen[1][c]);
        double ratio = fabs(log(seen[1][c] / seen[0][c]));
        CHECK(seen[0][c] > 10 && seen[1][c] > 10);
        CHECK(ratio <= 0.7 + 4.5 * error);
        if (error < 0.02 && ratio > most) most = ratio;
    }
    CHECK(most > 0.65);
}

static void means_come_near_and_stay_in_their_bounds(void **state)
{
    (void)state;
    enum { N = 20000 };
    static double a[N], b[N];
    const double *columns[2] = {a, b};
    const struct private_bounds bounds[2] = {{0, 10}, {-1, 1}};
    for (size_t i = 0; i < N; i++) {
        a[i] = (double)(i % 10);
        b[i] = i % 3 ? 0.25 : -7; /* the latter counts as -1 */
    }
    const struct num_arrays arrays = {.n_rows = N, .n_columns = 2, .column = columns};
    struct num_source rows;
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    for (int pure = 0; pure <= 1; pure++)
        for (uint64_t micro = 10; micro <= 1000000; micro *= 10) {
            struct private_budget budget;
            struct private_random random;
            struct num_place place = {0};
            double mean[2], deviation[2];
            struct private_means m = {.mean = mean, .deviation = deviation};
            start(&random, 8);
            CHECK_OK(private_budget_open(&budget, micro, pure ? 0 : 1e-2, &place));
            struct private_run run = {&budget, &random, 2};
            apex_status status = private_means(&rows, bounds, budget.total, &run, &m, &place);
            if (status != APEX_OK) { /* a budget too small to be divided */
                CHECK(place.fault == NUM_BUDGET && micro <= 100);
                continue;
            }
            for (size_t j = 0; j < 2; j++) {
                double want = j ? (0.25 * 13333 - 6667) / 20000 : 4.5;
                CHECK(mean[j] >= bounds[j].min && mean[j] <= bounds[j].max);
                if (micro >= 100000) CHECK(fabs(mean[j] - want) < 5 * deviation[j]);
            }
            CHECK(budget.spent == budget.total && budget.n_spends == 2);
        }
    num_source_of_arrays_free(&rows);
}

static void counts_refuse_what_they_cannot_count(void **state)
{
    (void)state;
    struct small s;
    small_fill(&s, 1);
    const struct num_arrays arrays = {
        .n_rows = ROWS, .n_columns = COLUMNS, .column = s.column, .label = s.label};
    struct num_source rows;
    struct private_budget budget;
    struct private_random random;
    struct num_place place = {0};
    int64_t counts[8];
    start(&random, 1);
    CHECK_OK(num_source_of_arrays(&arrays, &rows));
    CHECK_OK(private_budget_open(&budget, 1000, 0, NULL));
    struct private_run run = {&budget, &random, 1};
    static const struct private_bounds wrong[] = {{1, 1},     {2, 1},        {NAN, 1},
                                                  {0, NAN},   {0, INFINITY}, {-1e308, 1e308},
                                                  {0, 1e100}, {0, 1e-100},   {0, 1e-310}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_STATUS(private_histogram(&rows, 0, wrong[i], 4, 10, &run, counts, NULL, &place),
                     APEX_E_USAGE);
        CHECK(place.fault == NUM_RANGE);
    }
    const struct private_bounds good = {0, 1};
    CHECK_STATUS(private_histogram(&rows, 0, good, 0, 10, &run, counts, NULL, &place),
                 APEX_E_USAGE);
    CHECK_STATUS(private_histogram(&rows, COLUMNS, good, 4, 10, &run, counts, NULL, &place),
                 APEX_E_USAGE);
    CHECK_STATUS(private_class_counts(&rows, 0, 10, &run, counts, NULL, &place), APEX_E_USAGE);
    CHECK(place.fault == NUM_OPTION && budget.spent == 0);
    CHECK_STATUS(private_class_counts(&rows, CLASSES, 1001, &run, counts, NULL, &place),
                 APEX_E_REFUSED);
    CHECK(place.fault == NUM_BUDGET && budget.spent == 0);
    num_source_of_arrays_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chacha_gives_the_blocks_of_rfc_8439),
        cmocka_unit_test(numbers_are_the_blocks_in_order),
        cmocka_unit_test(laplace_noise_has_the_exact_distribution),
        cmocka_unit_test(gaussian_noise_has_the_exact_distribution),
        cmocka_unit_test(wide_noise_has_the_variance_it_states),
        cmocka_unit_test(noise_has_its_tails),
        cmocka_unit_test(coins_fall_with_probability_exp_minus_gamma),
        cmocka_unit_test(a_draw_takes_as_long_whatever_it_returns),
        cmocka_unit_test(noise_without_a_budget_is_refused),
        cmocka_unit_test(gaussian_variance_is_rounded_up),
        cmocka_unit_test(rho_is_the_most_that_epsilon_and_delta_allow),
        cmocka_unit_test(what_nobody_can_spend_is_refused),
        cmocka_unit_test(nobody_spends_more_than_is_left),
        cmocka_unit_test(one_row_changes_counts_and_sums_by_no_more_than_stated),
        cmocka_unit_test(counts_are_those_of_a_plain_loop),
        cmocka_unit_test(matching_is_the_same_at_every_level),
        cmocka_unit_test(an_audit_finds_the_epsilon_promised_and_no_more),
        cmocka_unit_test(means_come_near_and_stay_in_their_bounds),
        cmocka_unit_test(counts_refuse_what_they_cannot_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
