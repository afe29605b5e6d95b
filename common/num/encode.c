#include "common/num/encode.h"

#include "common/num/parallel.h"
#include "common/num/random.h"
#include "common/num/vec.h"

#include <stdlib.h>

/* --- Fixed point ----------------------------------------------------------------------------
 */
static inline __attribute__((always_inline)) void fixed_body(const double *x, size_t n,
                                                             double mean, double sd,
                                                             int32_t *fixed)
{
    const double most = ENCODE_SD_MAX / ENCODE_STEP;
    for (size_t i = 0; i < n; i++) {
        double steps = (x[i] - mean) / sd * (1 / ENCODE_STEP);
        steps = vec_pick(-(uint64_t)(steps > most), most, steps);
        steps = vec_pick(-(uint64_t)(steps < -most), -most, steps);
        fixed[i] = (int32_t)vec_nearest(steps);
    }
}
#if SIMD_X86
SIMD_512 static void fixed_512(const double *x, size_t n, double mean, double sd, int32_t *out)
{
    fixed_body(x, n, mean, sd, out);
}
SIMD_256 static void fixed_256(const double *x, size_t n, double mean, double sd, int32_t *out)
{
    fixed_body(x, n, mean, sd, out);
}
#endif
static void fixed_any(const double *x, size_t n, double mean, double sd, int32_t *out)
{
    fixed_body(x, n, mean, sd, out);
}

void encode_fixed(const double *x, size_t n, double mean, double sd, int32_t *fixed)
{
    VEC_DISPATCH(fixed, x, n, mean, sd, fixed);
}

struct encoding {
    const struct num_source *rows;
    const double *mean, *sd;
    int32_t *const *fixed;
    uint32_t *weights;
};

static void encode_block(void *context, size_t index, unsigned thread)
{
    const struct encoding *e = context;
    struct num_block b;
    e->rows->block(e->rows->context, index, thread, &b);
    for (size_t f = 0; f < b.n_columns; f++)
        encode_fixed(b.column[f], b.n, e->mean[f], e->sd[f], e->fixed[f] + index * BLOCK_ROWS);
    for (size_t i = 0; e->weights && i < b.n; i++)
        e->weights[index * BLOCK_ROWS + i] = (uint32_t)(b.weight[i] > 0);
}

void encode_fixed_rows(const struct num_source *rows, unsigned threads, const double *mean,
                       const double *sd, int32_t *const *fixed, uint32_t *weights)
{
    struct encoding e = {rows, mean, sd, fixed, weights};
    parallel_blocks(threads, rows->n_blocks, encode_block, &e);
}

/* --- Categories -----------------------------------------------------------------------------
 */
static int text_order(const void *a, const void *b)
{
    const struct encode_text *x = a, *y = b;
    size_t least = x->len < y->len ? x->len : y->len;
    int order = least ? memcmp(x->bytes, y->bytes, least) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

size_t encode_categories(struct encode_text *texts, size_t n)
{
    size_t kept = 0;
    if (n > 0) qsort(texts, n, sizeof *texts, text_order);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || text_order(&texts[kept - 1], &texts[i]) != 0) texts[kept++] = texts[i];
    return kept;
}

size_t encode_rank(const struct encode_text *texts, size_t n, struct encode_text text)
{
    const struct encode_text *found =
        n ? bsearch(&text, texts, n, sizeof *texts, text_order) : NULL;
    return found ? (size_t)(found - texts) : n;
}

enum { RECODE_ROWS = 1024 };

static inline __attribute__((always_inline)) void recode_body(const uint32_t *codes, size_t n,
                                                              const uint32_t *rank_of,
                                                              size_t n_codes, uint32_t *ranks)
{
    uint32_t rank[RECODE_ROWS];
    for (size_t i = 0; i < n; i++)
        rank[i] = UINT32_MAX;
    for (uint32_t c = 0; c < n_codes; c++) {
        const uint32_t to = rank_of[c];
        for (size_t i = 0; i < n; i++) {
            uint32_t same = (uint32_t)0 - (uint32_t)(codes[i] == c);
            rank[i] ^= (rank[i] ^ to) & same;
        }
    }

    memcpy(ranks, rank, n * sizeof *ranks);
}
#if SIMD_X86
SIMD_512 static void recode_512(const uint32_t *codes, size_t n, const uint32_t *rank_of,
                                size_t n_codes, uint32_t *ranks)
{
    recode_body(codes, n, rank_of, n_codes, ranks);
}
SIMD_256 static void recode_256(const uint32_t *codes, size_t n, const uint32_t *rank_of,
                                size_t n_codes, uint32_t *ranks)
{
    recode_body(codes, n, rank_of, n_codes, ranks);
}
#endif
static void recode_any(const uint32_t *codes, size_t n, const uint32_t *rank_of, size_t n_codes,
                       uint32_t *ranks)
{
    recode_body(codes, n, rank_of, n_codes, ranks);
}

void encode_recode(const uint32_t *codes, size_t n, const uint32_t *rank_of, size_t n_codes,
                   uint32_t *ranks)
{
    for (size_t at = 0; at < n; at += RECODE_ROWS) {
        size_t some = n - at < RECODE_ROWS ? n - at : RECODE_ROWS;
        VEC_DISPATCH(recode, codes + at, some, rank_of, n_codes, ranks + at);
    }
}

void encode_one_hot(const uint32_t *ranks, size_t n, uint32_t category, double *column)
{
    for (size_t i = 0; i < n; i++)
        column[i] = vec_one(ranks[i] == category);
}

/* --- Split ----------------------------------------------------------------------------------
 */
uint64_t encode_hash(uint64_t seed, uint64_t row)
{
    uint64_t z = (seed << 32) + row + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct encode_key encode_key_of(const uint8_t seed[32], uint64_t stream)
{
    struct random_state r;
    random_seed(&r, seed, stream);
    uint64_t first = random_next(&r);
    return (struct encode_key){{first, random_next(&r)}};
}

static uint64_t turn(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turn(v[1], 13) ^ v[0];
    v[0] = turn(v[0], 32);
    v[2] += v[3];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turn(v[1], 17) ^ v[2];
    v[2] = turn(v[2], 32);
}

uint64_t encode_keyed_hash(const struct encode_key *key, uint64_t row)
{
    const uint64_t word[2] = {row, (uint64_t)8 << 56}; /* the message, then its length */
    uint64_t v[4] = {
        key->k[0] ^ UINT64_C(0x736f6d6570736575), key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261), key->k[1] ^ UINT64_C(0x7465646279746573)};
    for (int w = 0; w < 2; w++) {
        v[3] ^= word[w];
        sip_round(v);
        sip_round(v);
        v[0] ^= word[w];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void encode_test_rows(const struct encode_split *s, uint64_t first, size_t n, uint8_t *is_test)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t hash =
            s->key ? encode_keyed_hash(s->key, first + i) : encode_hash(s->seed, first + i);
        is_test[i] = hash % s->parts >= s->first_test;
    }
}
