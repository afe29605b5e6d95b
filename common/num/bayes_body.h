/* The bodies of bayes_rows.c, once per instruction level; no guard: see common/num/vec.h. */

/* The weights of one class's rows, 0 for others and up to a multiple of 16; how many, and their
 * sum. */
SIMD_LEVEL static void LEVELED(own)(const struct num_block *b, uint32_t class_, double *own,
                                    double *rows, double *weight)
{
    double lanes[16];
    V sum0 = VF(set)(0), sum1 = VF(set)(0);
    uint32_t n_own = 0;
    for (size_t i = 0; i < b->n; i++) {
        uint64_t mask = (uint64_t)0 - (uint64_t)(b->label[i] == class_), bits;
        memcpy(&bits, &b->weight[i], sizeof bits);
        bits &= mask;
        memcpy(&own[i], &bits, sizeof bits);
        n_own += (uint32_t)(bits != 0); /* weights are 0 or more: no minus 0 */
    }
    for (size_t i = b->n; i % 16 != 0; i++)
        own[i] = 0;
    for (size_t i = 0; i < b->n; i += 16) {
        sum0 = VF(add)(sum0, VF(load)(own + i));
        sum1 = VF(add)(sum1, VF(load)(own + i + 8));
    }
    VF(store)(lanes, sum0);
    VF(store)(lanes + 8, sum1);
    *weight = vec_sum16(lanes);
    *rows = (double)n_own;
}

/* Sum of own x. */
SIMD_LEVEL static void LEVELED(first)(const double *own, const double *x, size_t n, double *sum)
{
    double lanes[16];
    V s0 = VF(set)(0), s1 = VF(set)(0);
    for (size_t i = 0; i < n; i += 16) {
        s0 = VF(add)(s0, VF(mul)(VF(load)(own + i), VF(load)(x + i)));
        s1 = VF(add)(s1, VF(mul)(VF(load)(own + i + 8), VF(load)(x + i + 8)));
    }
    VF(store)(lanes, s0);
    VF(store)(lanes + 8, s1);
    *sum = vec_sum16(lanes);
}

/* Sums of own (x - mean) and of own (x - mean)^2. */
SIMD_LEVEL static void LEVELED(second)(const double *own, const double *x, size_t n,
                                       double mean, double *sum, double *square)
{
    double lanes[16];
    V m = VF(set)(mean), s0 = VF(set)(0), s1 = s0, q0 = s0, q1 = s0;
    for (size_t i = 0; i < n; i += 16) {
        V d0 = VF(sub)(VF(load)(x + i), m), d1 = VF(sub)(VF(load)(x + i + 8), m);
        V w0 = VF(mul)(VF(load)(own + i), d0), w1 = VF(mul)(VF(load)(own + i + 8), d1);
        s0 = VF(add)(s0, w0);
        s1 = VF(add)(s1, w1);
        q0 = VF(add)(q0, VF(mul)(w0, d0));
        q1 = VF(add)(q1, VF(mul)(w1, d1));
    }
    VF(store)(lanes, s0);
    VF(store)(lanes + 8, s1);
    *sum = vec_sum16(lanes);
    VF(store)(lanes, q0);
    VF(store)(lanes + 8, q1);
    *square = vec_sum16(lanes);
}

/* GROUP rows against every class: the best class (as a double) and, if wanted, all scores. */
SIMD_LEVEL static inline __attribute__((always_inline)) void LEVELED(rows_classify)(
    const struct bayes *b, size_t d, const double *const *column, size_t first, double *label,
    double *joint)
{
    V best[GROUP / VEC], index[GROUP / VEC], x[4][GROUP / VEC];
    for (size_t g = 0; g < GROUP / VEC; g++) {
        best[g] = VF(set)(-INFINITY);
        index[g] = VF(set)(0);
        for (size_t f = 0; f < (d <= 4 ? d : 0); f++)
            x[f][g] = VF(load)(column[f] + first + VEC * g);
    }
    const double *constant = b->constant;
    for (size_t c = 0; c < b->n_classes; c++, constant += 1 + 2 * d) {
        V number = VF(set)((double)c), score[GROUP / VEC];
        for (size_t g = 0; g < GROUP / VEC; g++)
            score[g] = VF(set)(constant[0]);
        for (size_t f = 0; f < d; f++) {
            V scale = VF(set)(constant[1 + 2 * f]), offset = VF(set)(constant[2 + 2 * f]);
            for (size_t g = 0; g < GROUP / VEC; g++) {
                V at = d <= 4 ? x[f & 3][g] : VF(load)(column[f] + first + VEC * g);
                V away = VF(fma)(at, scale, offset);
                score[g] = VF(fnma)(away, away, score[g]);
            }
        }
        for (size_t g = 0; g < GROUP / VEC; g++) {
            index[g] = VF(select)(VF(greater)(score[g], best[g]), number, index[g]);
            best[g] = VF(max)(score[g], best[g]);
            if (joint) VF(store)(joint + c * BLOCK_ROWS + first + VEC * g, score[g]);
        }
    }
    for (size_t g = 0; g < GROUP / VEC; g++)
        VF(store)(label + VEC * g, index[g]);
}

SIMD_LEVEL static void LEVELED(classify)(const struct bayes *b, const double *const *column,
                                         size_t n, uint32_t *labels, double *joint)
{
    for (size_t i = 0; i < n; i += GROUP) {
        double label[GROUP];
        size_t left = n - i < GROUP ? n - i : GROUP;
        if (joint)
            LEVELED(rows_classify)(b, b->n_features, column, i, label, joint);
        else if (b->n_features == 2)
            LEVELED(rows_classify)(b, 2, column, i, label, NULL);
        else if (b->n_features == 3)
            LEVELED(rows_classify)(b, 3, column, i, label, NULL);
        else
            LEVELED(rows_classify)(b, b->n_features, column, i, label, NULL);
        for (size_t g = 0; g < left; g++)
            labels[i + g] = (uint32_t)(int32_t)label[g];
    }
}
