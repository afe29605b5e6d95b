/* The bodies of describe.c, once per instruction level; no guard: see common/num/vec.h. */

/* Sum of own x, and extremes of own cells (of others: +-infinity). */
SIMD_LEVEL static void LEVELED(first)(const struct describe_block *b, double *sum,
                                      double *least, double *most)
{
    double lanes[16];
    V s0 = VF(set)(0), s1 = s0, low = VF(set)(INFINITY), high = VF(set)(-INFINITY);
    const V half = VF(set)(0.5), far = VF(set)(INFINITY), near = VF(set)(-INFINITY);
    for (size_t i = 0; i < b->n; i += 16) {
        V x0 = VF(load)(b->value + i), x1 = VF(load)(b->value + i + 8);
        V own0 = VF(load)(b->own + i), own1 = VF(load)(b->own + i + 8);
        s0 = VF(add)(s0, VF(mul)(own0, x0));
        s1 = VF(add)(s1, VF(mul)(own1, x1));
        low = VF(min)(VF(select)(VF(greater)(own0, half), x0, far), low);
        low = VF(min)(VF(select)(VF(greater)(own1, half), x1, far), low);
        high = VF(max)(VF(select)(VF(greater)(own0, half), x0, near), high);
        high = VF(max)(VF(select)(VF(greater)(own1, half), x1, near), high);
    }
    VF(store)(lanes, s0);
    VF(store)(lanes + 8, s1);
    *sum = vec_sum16(lanes);
    VF(store)(lanes, high);
    VF(store)(lanes + 8, VF(sub)(VF(set)(0), low));
    *most = lanes[0];
    *least = lanes[8];
    for (int i = 1; i < 8; i++) {
        *most = vec_greatest(lanes[i], *most);
        *least = vec_greatest(lanes[8 + i], *least);
    }
    *least = -*least;
}

/* Sums of own powers about the mean, the first to the fourth. */
SIMD_LEVEL static void LEVELED(powers)(const struct describe_block *b, double mean,
                                       double power[4])
{
    double lanes[4][16];
    const V m = VF(set)(mean);
    V p[4][2];
    for (int k = 0; k < 4; k++)
        p[k][0] = p[k][1] = VF(set)(0);
    for (size_t i = 0; i < b->n; i += 16)
        for (size_t g = 0; g < 2; g++) {
            V d = VF(sub)(VF(load)(b->value + i + 8 * g), m);
            V own = VF(mul)(VF(load)(b->own + i + 8 * g), d), square = VF(mul)(own, d);
            p[0][g] = VF(add)(p[0][g], own);
            p[1][g] = VF(add)(p[1][g], square);
            p[2][g] = VF(add)(p[2][g], VF(mul)(square, d));
            p[3][g] = VF(add)(p[3][g], VF(mul)(VF(mul)(square, d), d));
        }
    for (int k = 0; k < 4; k++) {
        VF(store)(lanes[k], p[k][0]);
        VF(store)(lanes[k] + 8, p[k][1]);
        power[k] = vec_sum16(lanes[k]);
    }
}
