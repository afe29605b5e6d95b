/* Oracles: the vectors of RFC 6962's reference implementation, and the recursive definitions of
 * RFC 6962 section 2.1 written down once more, without a tree. */
#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "common/merkle/tree.h"
#include "tests/check.h"

enum { SIZE_TRIED_MAX = 70 };

static struct merkle_hash leaves[SIZE_TRIED_MAX];
static struct merkle_tree *tree;

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static size_t split(size_t n)
{
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

/* MTH(D[start:start+n]) */
static struct merkle_hash mth(size_t start, size_t n)
{
    struct merkle_hash root;
    if (n == 0) {
        merkle_digest((struct span){0}, root.bytes);
    } else if (n == 1) {
        root = leaves[start];
    } else {
        size_t k = split(n);
        struct merkle_hash l = mth(start, k), r = mth(start + k, n - k);
        merkle_node(&l, &r, &root);
    }
    return root;
}

/* PATH(m, D[start:start+n]) */
static void path(size_t m, size_t start, size_t n, struct merkle_proof *p)
{
    if (n <= 1) return;
    size_t k = split(n);
    if (m < k) {
        path(m, start, k, p);
        p->hash[p->n++] = mth(start + k, n - k);
    } else {
        path(m - k, start + k, n - k, p);
        p->hash[p->n++] = mth(start, k);
    }
}

/* SUBPROOF(m, D[start:start+n], b) */
static void subproof(size_t m, size_t start, size_t n, bool b, struct merkle_proof *p)
{
    if (m == n) {
        if (!b) p->hash[p->n++] = mth(start, n);
        return;
    }
    size_t k = split(n);
    if (m <= k) {
        subproof(m, start, k, b, p);
        p->hash[p->n++] = mth(start + k, n - k);
    } else {
        subproof(m - k, start + k, n - k, false, p);
        p->hash[p->n++] = mth(start, k);
    }
}

static bool proofs_equal(const struct merkle_proof *a, const struct merkle_proof *b)
{
    return a->n == b->n && memcmp(a->hash, b->hash, a->n * sizeof a->hash[0]) == 0;
}

static int tree_setup(void **state)
{
    (void)state;
    if (crypto_init() != APEX_OK || merkle_tree_new(&tree) != APEX_OK) return -1;
    for (size_t i = 0; i < SIZE_TRIED_MAX; i++) {
        const uint8_t entry[] = {(uint8_t)i, 'x'};
        merkle_leaf(SPAN(entry), &leaves[i]);
        if (merkle_tree_append(tree, &leaves[i]) != APEX_OK) return -1;
    }
    return 0;
}

static int tree_teardown(void **state)
{
    (void)state;
    merkle_tree_free(tree);
    return 0;
}

static void the_roots_are_those_of_the_certificate_transparency_vectors(void **state)
{
    static const struct {
        const char *leaf;
        size_t len;
        const char *root; /* of the tree that ends with this leaf */
    } cases[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4,
         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct merkle_tree *t;
    struct merkle_hash leaf, root;
    char hex[65];
    (void)state;
    CHECK_OK(merkle_tree_new(&t));
    CHECK_OK(merkle_tree_root(t, 0, &root));
    hex_write(SPAN(root.bytes), hex);
    assert_string_equal(hex,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        merkle_leaf(span_of(cases[i].leaf, cases[i].len), &leaf);
        CHECK_OK(merkle_tree_append(t, &leaf));
        CHECK_OK(merkle_tree_root(t, i + 1, &root));
        hex_write(SPAN(root.bytes), hex);
        assert_string_equal(hex, cases[i].root);
    }
    merkle_tree_free(t);
}

static void every_root_is_that_of_the_definition(void **state)
{
    (void)state;
    struct merkle_hash root, want;
    for (size_t n = 0; n <= SIZE_TRIED_MAX; n++) {
        CHECK_OK(merkle_tree_root(tree, n, &root));
        want = mth(0, n);
        CHECK(same(&root, &want));
    }
    CHECK_STATUS(merkle_tree_root(tree, SIZE_TRIED_MAX + 1, &root), APEX_E_USAGE);
}

static void every_inclusion_proof_is_that_of_the_definition_and_holds(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SIZE_TRIED_MAX; n++) {
        struct merkle_hash root = mth(0, n);
        for (size_t m = 0; m < n; m++) {
            struct merkle_proof got, want = {.n = 0};
            path(m, 0, n, &want);
            CHECK_OK(merkle_tree_inclusion(tree, m, n, &got));
            CHECK(proofs_equal(&got, &want));
            CHECK_OK(merkle_check_inclusion(&leaves[m], m, n, &got, &root));
        }
    }
}

static void every_consistency_proof_is_that_of_the_definition_and_holds(void **state)
{
    (void)state;
    for (size_t n = 0; n <= SIZE_TRIED_MAX; n++) {
        struct merkle_hash root = mth(0, n);
        for (size_t m = 0; m <= n; m++) {
            struct merkle_hash old = mth(0, m);
            struct merkle_proof got, want = {.n = 0};
            if (m > 0) subproof(m, 0, n, true, &want);
            CHECK_OK(merkle_tree_consistency(tree, m, n, &got));
            CHECK(proofs_equal(&got, &want));
            CHECK_OK(merkle_check_consistency(m, &old, n, &root, &got));
        }
    }
}

static void proofs_outside_the_tree_are_not_made(void **state)
{
    (void)state;
    struct merkle_proof p;
    CHECK_STATUS(merkle_tree_inclusion(tree, 5, 5, &p), APEX_E_USAGE);
    CHECK_STATUS(merkle_tree_inclusion(tree, 0, 0, &p), APEX_E_USAGE);
    CHECK_STATUS(merkle_tree_inclusion(tree, 0, SIZE_TRIED_MAX + 1, &p), APEX_E_USAGE);
    CHECK_STATUS(merkle_tree_consistency(tree, 6, 5, &p), APEX_E_USAGE);
    CHECK_STATUS(merkle_tree_consistency(tree, 6, SIZE_TRIED_MAX + 1, &p), APEX_E_USAGE);
}

/* What a proof is checked by, so that inclusion and consistency go through the same mill. */
struct claim {
    bool inclusion;
    size_t m, n;
    struct merkle_hash first, root; /* the leaf or the old root, and the root */
};

static apex_status claim_check(const struct claim *c, const struct merkle_proof *p)
{
    if (c->inclusion) return merkle_check_inclusion(&c->first, c->m, c->n, p, &c->root);
    return merkle_check_consistency(c->m, &c->first, c->n, &c->root, p);
}

static void flip(uint8_t *bytes, size_t bit)
{
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void claim_holds_only_unchanged(struct claim *c, struct merkle_proof *p)
{
    CHECK_OK(claim_check(c, p));
    for (size_t bit = 0; bit < 8 * MERKLE_HASH_LEN * p->n; bit++) {
        flip(p->hash[0].bytes, bit);
        CHECK_STATUS(claim_check(c, p), APEX_E_UNTRUSTED);
        flip(p->hash[0].bytes, bit);
    }
    for (size_t bit = 0; bit < 8 * MERKLE_HASH_LEN; bit++) {
        flip(c->root.bytes, bit);
        CHECK_STATUS(claim_check(c, p), APEX_E_UNTRUSTED);
        flip(c->root.bytes, bit);
        flip(c->first.bytes, bit);
        CHECK_STATUS(claim_check(c, p), APEX_E_UNTRUSTED);
        flip(c->first.bytes, bit);
    }
}

static void proof_of_another_length_is_refused(const struct claim *c,
                                               const struct merkle_proof *p)
{
    struct merkle_proof more = *p;
    const struct merkle_hash extras[] = {c->root, c->first, leaves[0]};
    for (size_t i = 0; i < 3; i++) {
        more.hash[p->n] = extras[i];
        more.n = p->n + 1;
        CHECK_STATUS(claim_check(c, &more), APEX_E_UNTRUSTED);
        memmove(more.hash + 1, p->hash, p->n * sizeof p->hash[0]); /* in front instead */
        more.hash[0] = extras[i];
        CHECK_STATUS(claim_check(c, &more), APEX_E_UNTRUSTED);
        more = *p;
    }
    for (size_t gone = 0; gone < p->n; gone++) {
        struct merkle_proof less = *p;
        memmove(less.hash + gone, less.hash + gone + 1, (p->n - gone - 1) * sizeof p->hash[0]);
        less.n = p->n - 1;
        CHECK_STATUS(claim_check(c, &less), APEX_E_UNTRUSTED);
    }
}

static void any_flipped_bit_in_an_inclusion_proof_is_refused(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 20; n++)
        for (size_t m = 0; m < n; m++) {
            struct claim c = {true, m, n, leaves[m], mth(0, n)};
            struct merkle_proof p;
            CHECK_OK(merkle_tree_inclusion(tree, m, n, &p));
            claim_holds_only_unchanged(&c, &p);
        }
}

static void any_flipped_bit_in_a_consistency_proof_is_refused(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 20; n++)
        for (size_t m = 1; m < n; m++) {
            struct claim c = {false, m, n, mth(0, m), mth(0, n)};
            struct merkle_proof p;
            CHECK_OK(merkle_tree_consistency(tree, m, n, &p));
            claim_holds_only_unchanged(&c, &p);
        }
}

static void a_hash_more_or_less_is_refused(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SIZE_TRIED_MAX; n++)
        for (size_t m = 0; m < n; m++) {
            struct claim c = {true, m, n, leaves[m], mth(0, n)};
            struct merkle_proof p;
            CHECK_OK(merkle_tree_inclusion(tree, m, n, &p));
            proof_of_another_length_is_refused(&c, &p);
            if (m == 0) continue;
            c = (struct claim){false, m, n, mth(0, m), mth(0, n)};
            CHECK_OK(merkle_tree_consistency(tree, m, n, &p));
            proof_of_another_length_is_refused(&c, &p);
        }
}

static void a_proof_holds_for_its_index_and_its_sizes_alone(void **state)
{
    (void)state;
    struct merkle_proof p;
    for (size_t n = 1; n <= 24; n++)
        for (size_t m = 0; m < n; m++) {
            struct merkle_hash root = mth(0, n);
            CHECK_OK(merkle_tree_inclusion(tree, m, n, &p));
            for (size_t other = 0; other < n + 2; other++)
                if (other != m)
                    CHECK_STATUS(merkle_check_inclusion(&leaves[m], other, n, &p, &root),
                                 APEX_E_UNTRUSTED);
            CHECK_STATUS(merkle_check_inclusion(&leaves[m], m, 0, &p, &root), APEX_E_UNTRUSTED);
            CHECK_STATUS(merkle_check_inclusion(&leaves[m], m, m, &p, &root), APEX_E_UNTRUSTED);
        }
    struct merkle_hash root = mth(0, 8), old = mth(0, 5), none = mth(0, 0);
    CHECK_OK(merkle_tree_consistency(tree, 5, 8, &p));
    CHECK_STATUS(merkle_check_consistency(9, &old, 8, &root, &p), APEX_E_UNTRUSTED);
    CHECK_STATUS(merkle_check_consistency(0, &none, 8, &root, &p), APEX_E_UNTRUSTED);
    CHECK_STATUS(merkle_check_consistency(8, &root, 8, &root, &p), APEX_E_UNTRUSTED);
    p.n = 0;
    CHECK_STATUS(merkle_check_consistency(8, &old, 8, &root, &p), APEX_E_UNTRUSTED);
    CHECK_STATUS(merkle_check_consistency(5, &old, 8, &root, &p), APEX_E_UNTRUSTED);
    p.n = MERKLE_PROOF_MAX + 1;
    CHECK_STATUS(merkle_check_consistency(5, &old, 8, &root, &p), APEX_E_UNTRUSTED);
    CHECK_STATUS(merkle_check_inclusion(&leaves[0], 0, 8, &p, &root), APEX_E_UNTRUSTED);
}

/* The proof's claim once more, straight from the definition: hashes are taken from the end of
 * the proof, as the recursion goes down. False when there are too few. */
static bool inclusion_root(size_t m, size_t n, const struct merkle_hash *leaf,
                           const struct merkle_proof *p, size_t *left, struct merkle_hash *root)
{
    *root = *leaf;
    if (n == 1) return true;
    size_t k = split(n);
    if (*left == 0) return false;
    const struct merkle_hash *other = &p->hash[--*left];
    struct merkle_hash below;
    bool fine = m < k ? inclusion_root(m, k, leaf, p, left, &below)
                      : inclusion_root(m - k, n - k, leaf, p, left, &below);
    if (m < k)
        merkle_node(&below, other, root);
    else
        merkle_node(other, &below, root);
    return fine;
}

static bool consistency_roots(size_t m, size_t n, bool b, const struct merkle_hash *old,
                              const struct merkle_proof *p, size_t *left,
                              struct merkle_hash roots[static 2])
{
    if (m == n && b) {
        roots[0] = roots[1] = *old;
        return true;
    }
    if (*left == 0) return false;
    const struct merkle_hash *other = &p->hash[--*left];
    if (m == n) {
        roots[0] = roots[1] = *other;
        return true;
    }
    size_t k = split(n);
    if (m <= k) {
        bool fine = consistency_roots(m, k, b, old, p, left, roots);
        merkle_node(&roots[1], other, &roots[1]);
        return fine;
    }
    bool fine = consistency_roots(m - k, n - k, false, old, p, left, roots);
    merkle_node(other, &roots[0], &roots[0]);
    merkle_node(other, &roots[1], &roots[1]);
    return fine;
}

static bool claim_holds(const struct claim *c, const struct merkle_proof *p)
{
    struct merkle_hash roots[2];
    size_t left = p->n;
    if (c->inclusion)
        return inclusion_root(c->m, c->n, &c->first, p, &left, &roots[0]) && left == 0 &&
               same(&roots[0], &c->root);
    return consistency_roots(c->m, c->n, true, &c->first, p, &left, roots) && left == 0 &&
           same(&roots[0], &c->first) && same(&roots[1], &c->root);
}

/* Every proof up to 12 leaves is put forward for every other index and size: some hold, where
 * the path has the same shape, and the definition says which. */
static void a_proof_put_forward_for_other_sizes_holds_when_the_definition_says_so(void **state)
{
    enum { MOST = 12 };
    size_t held = 0;
    (void)state;
    for (size_t at = 0; at < (size_t)2 * MOST * MOST * MOST * MOST; at++) {
        bool inclusion = at % 2;
        size_t rest = at / 2, m = rest % MOST, n = rest / MOST % MOST + 1;
        size_t m2 = rest / MOST / MOST % MOST, n2 = rest / MOST / MOST / MOST + 1;
        struct merkle_proof p;
        if (inclusion ? m >= n || m2 >= n2 : m < 1 || m > n || m2 < 1 || m2 > n2) continue;
        if (inclusion)
            CHECK_OK(merkle_tree_inclusion(tree, m, n, &p));
        else
            CHECK_OK(merkle_tree_consistency(tree, m, n, &p));
        struct claim c = {inclusion, m2, n2, inclusion ? leaves[m] : mth(0, m), mth(0, n)};
        bool holds = claim_holds(&c, &p);
        CHECK((claim_check(&c, &p) == APEX_OK) == holds);
        CHECK(holds || m != m2 || n != n2);
        held += holds;
    }
    CHECK(held > 2 * 70 && held < 2000);
}

/* The largest sizes there are: the walk ends and refuses. */
static void absurd_sizes_are_refused_at_once(void **state)
{
    (void)state;
    struct merkle_proof p = {.n = MERKLE_PROOF_MAX};
    struct merkle_hash root = mth(0, 3);
    for (uint64_t back = 0; back < 3; back++) {
        CHECK_STATUS(
            merkle_check_inclusion(&root, UINT64_MAX - 1 - back, UINT64_MAX, &p, &root),
            APEX_E_UNTRUSTED);
        CHECK_STATUS(merkle_check_consistency(UINT64_MAX - back, &root, UINT64_MAX, &root, &p),
                     APEX_E_UNTRUSTED);
        CHECK_STATUS(merkle_check_consistency(1 + back, &root, UINT64_MAX, &root, &p),
                     APEX_E_UNTRUSTED);
    }
}

static void truncating_and_appending_again_gives_the_same_tree(void **state)
{
    (void)state;
    struct merkle_tree *t;
    for (size_t to = 0; to <= 40; to++) {
        struct merkle_hash got, want, leaf;
        CHECK_OK(merkle_tree_new(&t));
        for (size_t i = 0; i < 40; i++)
            CHECK_OK(merkle_tree_append(t, &leaves[SIZE_TRIED_MAX - 1 - i]));
        CHECK_STATUS(merkle_tree_truncate(t, 41), APEX_E_USAGE);
        CHECK_OK(merkle_tree_truncate(t, 0));
        for (size_t i = 0; i < 40; i++)
            CHECK_OK(merkle_tree_append(t, &leaves[i]));
        CHECK_OK(merkle_tree_truncate(t, to));
        CHECK(merkle_tree_size(t) == to);
        CHECK_STATUS(merkle_tree_leaf_at(t, to, &leaf), APEX_E_USAGE);
        for (size_t n = to; n <= 50; n++) {
            CHECK_OK(merkle_tree_root(t, n, &got));
            want = mth(0, n);
            CHECK(same(&got, &want));
            CHECK_OK(merkle_tree_append(t, &leaves[n]));
            CHECK_OK(merkle_tree_leaf_at(t, n, &leaf));
            CHECK(same(&leaf, &leaves[n]));
        }
        merkle_tree_free(t);
    }
}

static void nodes_are_the_roots_of_complete_subtrees(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 8; level++) {
        size_t width = (size_t)1 << level, n = SIZE_TRIED_MAX >> level;
        struct merkle_hash got, want;
        for (size_t i = 0; i < n; i++) {
            CHECK_OK(merkle_tree_node_at(tree, level, i, &got));
            want = mth(i * width, width);
            CHECK(same(&got, &want));
        }
        CHECK_STATUS(merkle_tree_node_at(tree, level, n, &got), APEX_E_USAGE);
    }
    struct merkle_hash ignored;
    CHECK_STATUS(merkle_tree_node_at(tree, 64, 0, &ignored), APEX_E_USAGE);
}

static void digests_in_pieces_are_digests_of_the_whole(void **state)
{
    (void)state;
    uint8_t bytes[200], whole[32], pieces[32];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    merkle_digest(SPAN(bytes), whole);
    for (size_t piece = 1; piece <= sizeof bytes; piece++) {
        struct merkle_digester d;
        merkle_digester_init(&d);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            merkle_digester_update(
                &d, span_of(bytes + at, sizeof bytes - at < piece ? sizeof bytes - at : piece));
        merkle_digester_final(&d, pieces);
        assert_memory_equal(whole, pieces, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_roots_are_those_of_the_certificate_transparency_vectors),
        cmocka_unit_test(every_root_is_that_of_the_definition),
        cmocka_unit_test(every_inclusion_proof_is_that_of_the_definition_and_holds),
        cmocka_unit_test(every_consistency_proof_is_that_of_the_definition_and_holds),
        cmocka_unit_test(proofs_outside_the_tree_are_not_made),
        cmocka_unit_test(any_flipped_bit_in_an_inclusion_proof_is_refused),
        cmocka_unit_test(any_flipped_bit_in_a_consistency_proof_is_refused),
        cmocka_unit_test(a_hash_more_or_less_is_refused),
        cmocka_unit_test(a_proof_holds_for_its_index_and_its_sizes_alone),
        cmocka_unit_test(a_proof_put_forward_for_other_sizes_holds_when_the_definition_says_so),
        cmocka_unit_test(absurd_sizes_are_refused_at_once),
        cmocka_unit_test(truncating_and_appending_again_gives_the_same_tree),
        cmocka_unit_test(nodes_are_the_roots_of_complete_subtrees),
        cmocka_unit_test(digests_in_pieces_are_digests_of_the_whole),
    };
    return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
