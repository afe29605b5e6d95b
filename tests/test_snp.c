/* SEV-SNP reports under an AMD of our own: what no published evidence shows. Then what a policy
 * may ask, and AMD's certificate table with its numbers moved. */
#include "common/attest/accept.h"
#include "common/attest/snp_certificate.h"
#include "common/base/endian.h"
#include "common/base/hex.h"
#include "tests/amd_world.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct amd_world milan, genoa, turin;
static struct verdict verdict;
static uint64_t now_ms;
static const uint8_t chip[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, turin_chip[8] = {9, 8, 7, 6};

static int setup(void **state)
{
    (void)state;
    now_ms = (uint64_t)time(NULL) * 1000;
    amd_open(&milan, "Milan");
    amd_open(&genoa, "Genoa");
    amd_open(&turin, "Turin");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    amd_close(&milan);
    amd_close(&genoa);
    amd_close(&turin);
    return 0;
}

static const struct amd_leaf milan_leaf = {.subject = "SEV-VCEK",
                                           .product = "Milan",
                                           .bootloader = 4,
                                           .tee = 0,
                                           .snp = 24,
                                           .microcode = 219,
                                           .fmc = -1,
                                           .chip = chip,
                                           .chip_len = 64,
                                           .days_from = -1,
                                           .days_until = 1};
static const struct amd_leaf turin_leaf = {.subject = "SEV-VCEK",
                                           .product = "Turin",
                                           .bootloader = 2,
                                           .tee = 1,
                                           .snp = 4,
                                           .microcode = 81,
                                           .fmc = 1,
                                           .chip = turin_chip,
                                           .chip_len = 8,
                                           .days_from = -1,
                                           .days_until = 1};

static void tcb_put(uint8_t *r, const char *hex)
{
    static const size_t at[] = {0x38, 0x180, 0x1e0, 0x1f0};
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(hex_parse(span_text(hex), r + at[i], 8));
}

/* A report as a careful operator's machine gives it. */
static void report_make(const char *product, uint8_t r[AMD_REPORT_LEN])
{
    bool is_turin = strcmp(product, "Turin") == 0;
    memset(r, 0, AMD_REPORT_LEN);
    put_le32(r, is_turin ? 5 : 3);
    put_le64(r + 8, UINT64_C(1) << SNP_POLICY_ONE);
    put_le32(r + 0x34, 1);
    memset(r + 0x50, 0x5a, 64);
    memset(r + 0x90, 0xab, 48);
    memset(r + 0xc0, 0xcd, 32);
    r[0x188] = is_turin ? 0x1a : 0x19;
    r[0x189] = is_turin ? 2 : strcmp(product, "Genoa") == 0 ? 0x11 : 1;
    memcpy(r + 0x1a0, is_turin ? turin_chip : chip, is_turin ? 8 : 64);
    tcb_put(r, is_turin ? "0102010400000051" : "04000000000018db");
    memcpy(r + 0x1e8, "\x1d\x37\x01", 3); /* 1.55.29 */
    memcpy(r + 0x1ec, "\x1d\x37\x01", 3);
}

static void judge(struct amd_world *w, const uint8_t *report, struct span leaf,
                  struct span list)
{
    struct judging j = {
        .report = span_of(report, AMD_REPORT_LEN), .roots = &w->roots, .at_ms = now_ms};
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = leaf;
    j.supplements.part[SUPPLEMENT_AMD_CRL] = list;
    attest_examine("sev-snp", &j, &verdict);
}

static void judged(struct amd_world *w, const struct amd_leaf *leaf, uint8_t *report)
{
    BUFFER_CLEARED der = {0};
    amd_leaf_make(w, leaf, &der);
    amd_sign(w, report);
    judge(w, report, buffer_span(&der), (struct span){0});
}

static void expect(const char *name, enum reason why)
{
    if (verdict.reason == why && verdict.genuine == (why == REASON_NONE)) return;
    for (size_t i = 0; i < verdict.n_checks; i++)
        fprintf(stderr, "  %d %s: %s\n", (int)verdict.checks[i].result, verdict.checks[i].name,
                verdict.checks[i].detail);
    fail_msg("%s: %s", name, reason_name(verdict.reason));
}

static void a_report_under_our_own_root_is_genuine_only_where_that_root_is_pinned(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    BUFFER_CLEARED der = {0};
    (void)state;
    report_make("Milan", r);
    judged(&milan, &milan_leaf, r);
    expect("milan", REASON_NONE);
    report_make("Turin", r);
    judged(&turin, &turin_leaf, r);
    expect("turin", REASON_NONE);
    assert_string_equal(verdict.product, "Turin");
    amd_leaf_make(&turin, &turin_leaf, &der);
    amd_sign(&turin, r);
    struct judging j = {.report = SPAN(r), .at_ms = now_ms};
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = buffer_span(&der);
    attest_examine("sev-snp", &j, &verdict);
    expect("the vendors' roots", REASON_CHAIN_INVALID);
}

static void what_a_certificate_says_decides(void **state)
{
    (void)state;
    struct amd_leaf l[24];
    enum reason why[24];
    size_t n = 0;
#define LEAF(reason, ...)                                                                      \
    do {                                                                                       \
        struct amd_leaf *leaf = &l[n];                                                         \
        *leaf = milan_leaf;                                                                    \
        __VA_ARGS__;                                                                           \
        why[n++] = (reason);                                                                   \
    } while (0)
    static uint8_t long_chip[66] = {4, 64, 1, 2, 3, 4, 5, 6, 7, 8, 9}, other[64] = {1, 2, 3};
    LEAF(REASON_TCB_MISMATCH, leaf->bootloader = 3);
    LEAF(REASON_TCB_MISMATCH, leaf->tee = 1);
    LEAF(REASON_TCB_MISMATCH, leaf->snp = 25);
    LEAF(REASON_TCB_MISMATCH, leaf->microcode = 218);
    LEAF(REASON_CHIP_ID_MISMATCH, leaf->chip = other);
    LEAF(REASON_MALFORMED, leaf->chip = long_chip; leaf->chip_len = 66); /* DER-wrapped */
    LEAF(REASON_MALFORMED, leaf->chip_len = 8);
    LEAF(REASON_MALFORMED, leaf->chip = NULL);
    LEAF(REASON_MALFORMED, leaf->microcode = -1);
    LEAF(REASON_MALFORMED, leaf->snp = -1);
    LEAF(REASON_MALFORMED, leaf->twice = true);
    LEAF(REASON_MALFORMED, leaf->ber_level = true; leaf->microcode = 4);
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->subject = "SEV-VLEK");
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->subject = "SEV-VCEK2");
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->subject = "my SEV-VCEK");
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->issuer = "SEV-Naples");
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->vlek = true); /* VCEK by the ASVK */
    LEAF(REASON_SIGNING_KEY_MISMATCH, leaf->by_ark = true);
    LEAF(REASON_CHAIN_INVALID, leaf->stranger = true);
    LEAF(REASON_LEAF_EXPIRED, leaf->days_from = -3; leaf->days_until = -1);
    LEAF(REASON_LEAF_NOT_YET_VALID, leaf->days_from = 1; leaf->days_until = 3);
    LEAF(REASON_SIGNATURE_INVALID, leaf->other_curve = true);
#undef LEAF
    for (size_t i = 0; i < n; i++) {
        uint8_t r[AMD_REPORT_LEN];
        char name[32];
        report_make("Milan", r);
        if (l[i].other_curve) { /* a P-256 key cannot make what goes into a report */
            BUFFER_CLEARED der = {0};
            amd_leaf_make(&milan, &l[i], &der);
            r[0x2a0] = r[0x2a0 + 72] = 1;
            judge(&milan, r, buffer_span(&der), (struct span){0});
        } else
            judged(&milan, &l[i], r);
        snprintf(name, sizeof name, "leaf %zu", i);
        expect(name, why[i]);
    }
}

static void each_level_of_turin_is_compared(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        uint8_t r[AMD_REPORT_LEN];
        struct amd_leaf leaf = turin_leaf;
        report_make("Turin", r);
        if (i == 0) leaf.fmc = 2;
        if (i == 1) leaf.bootloader = 1;
        if (i == 2) leaf.microcode = 80;
        if (i == 3) leaf.fmc = -1;
        if (i == 4) r[0x184] = 1;     /* a byte that Turin reserves */
        if (i == 5) r[0x1a0 + 8] = 1; /* a chip number longer than Turin's */
        judged(&turin, &leaf, r);
        expect("turin", i < 3    ? REASON_TCB_MISMATCH
                        : i == 5 ? REASON_CHIP_ID_MISMATCH
                                 : REASON_MALFORMED);
    }
}

static void what_the_report_says_decides(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        enum reason why;
        int finding; /* -1: none */
    } cases[] = {
        {0, 4, REASON_NONE, -1}, /* version 4 is laid out like 3 */
        {0, 6, REASON_MALFORMED, -1},
        {0x0a, 0x03, REASON_NONE, FINDING_SMT_ALLOWED},
        {0x0a, 0x0a, REASON_NONE, FINDING_DEBUG_ALLOWED},
        {0x0a, 0x06, REASON_NONE, FINDING_MIGRATION_ALLOWED},
        {0x0a, 0x01, REASON_MALFORMED, -1}, /* bit 17 must be one */
        {0x0b, 0x04, REASON_MALFORMED, -1}, /* a policy bit nobody has defined */
        {0x30, 3, REASON_NONE, FINDING_VMPL_NONZERO},
        {0x40, 0x65, REASON_NONE, -1}, /* platform bits, the undefined one among them */
        {0x48, 0x02, REASON_UNSIGNED_REPORT, -1},
        {0x48, 0x1c, REASON_UNSIGNED_REPORT, -1},
        {0x48, 0x08, REASON_MALFORMED, -1}, /* a signing key nobody has defined */
        {0x48, 0x20, REASON_MALFORMED, -1},
        {0x4c, 1, REASON_MALFORMED, -1},
        {0x188, 0x1a, REASON_PRODUCT_MISMATCH, -1},
        {0x189, 0x11, REASON_PRODUCT_MISMATCH, -1},
        {0x189, 0x55, REASON_PRODUCT_MISMATCH, -1},
        {0x18b, 1, REASON_MALFORMED, -1},
        {0x1eb, 1, REASON_MALFORMED, -1},
        {0x1f8, 1, REASON_MALFORMED, -1}, /* mitigations before version 5 */
        {0x208, 1, REASON_MALFORMED, -1},
        {0x29f, 1, REASON_MALFORMED, -1},
        {0x3e, 0x17, REASON_TCB_ORDER, -1},  /* current below committed and reported */
        {0x1e7, 0xdc, REASON_TCB_ORDER, -1}, /* committed above current */
        {0x1e7, 0xda, REASON_NONE, FINDING_CURRENT_TCB_DIFFERS},
        {0x187, 0xda, REASON_TCB_MISMATCH, -1},
        {0x3a, 1, REASON_MALFORMED, -1}, /* a TCB byte that Milan reserves */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t r[AMD_REPORT_LEN];
        char name[32];
        report_make("Milan", r);
        r[cases[i].at] = cases[i].value;
        judged(&milan, &milan_leaf, r);
        snprintf(name, sizeof name, "report %zu", i);
        expect(name, cases[i].why);
        if (cases[i].finding >= 0) CHECK(verdict.findings >> cases[i].finding & 1);
    }
}

static void levels_above_those_that_run_are_refused_component_by_component(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < 8; byte++) {
        uint8_t r[AMD_REPORT_LEN];
        if (byte >= 2 && byte <= 5) continue; /* reserved on Milan */
        report_make("Milan", r);
        for (size_t other = 0; other < 8; other++) /* the rest of "current" is far above */
            if (other < 2 || other > 5) r[0x38 + other] = 0xfe;
        r[0x38 + byte] = (uint8_t)(r[0x1e0 + byte] - 1);
        if (r[0x1e0 + byte] == 0) continue;
        judged(&milan, &milan_leaf, r);
        expect("order", REASON_TCB_ORDER);
    }
}

static void version_2_reports_are_of_the_product_of_their_issuer(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    struct amd_leaf leaf = milan_leaf;
    (void)state;
    report_make("Milan", r);
    put_le32(r, 2);
    judged(&milan, &milan_leaf, r);
    expect("CPUID in version 2", REASON_MALFORMED);
    memset(r + 0x188, 0, 3);
    judged(&milan, &milan_leaf, r);
    expect("version 2", REASON_NONE);
    CHECK(verdict.findings >> FINDING_NO_CPUID_FIELDS & 1);
    leaf.product = "Genoa";
    judged(&genoa, &leaf, r);
    expect("version 2 of Genoa", REASON_NONE);
    assert_string_equal(verdict.product, "Genoa");
}

static void a_providers_key_names_the_provider_and_no_chip(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    const struct claims *claims;
    struct amd_leaf leaf = milan_leaf;
    (void)state;
    leaf.subject = "SEV-VLEK";
    leaf.vlek = true;
    leaf.chip = NULL;
    leaf.csp = "CN=cc-test.example";
    report_make("Milan", r);
    r[0x48] = 4;
    memset(r + 0x1a0, 0, 64);
    judged(&milan, &leaf, r);
    expect("VLEK", REASON_NONE);
    CHECK(verdict.findings >> FINDING_CHIP_ID_MASKED & 1);
    CHECK_OK(verdict_claims(&verdict, &claims));
    assert_string_equal(claims->of.snp.csp_id, "CN=cc-test.example");
    r[0x48] = 0;
    judged(&milan, &leaf, r);
    expect("VLEK for a VCEK", REASON_SIGNING_KEY_MISMATCH);
    r[0x48] = 4;
    judged(&milan, &milan_leaf, r);
    expect("VCEK for a VLEK", REASON_SIGNING_KEY_MISMATCH);
    leaf.csp = NULL;
    judged(&milan, &leaf, r);
    expect("no provider", REASON_MALFORMED);
    leaf.csp = "evil\nname";
    judged(&milan, &leaf, r);
    expect("a provider of control characters", REASON_MALFORMED);
}

static void a_masked_chip_is_told(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    (void)state;
    report_make("Milan", r);
    memset(r + 0x1a0, 0, 64);
    judged(&milan, &milan_leaf, r);
    expect("masked", REASON_NONE);
    CHECK(verdict.findings >> FINDING_CHIP_ID_MASKED & 1);
}

static void revocation_lists_are_obeyed_and_can_be_made_a_must(void **state)
{
    static const struct {
        const char *name;
        int issuer; /* -1: no list at all */
        long serials[3], from, until;
        bool critical, required, flip;
        enum reason why;
    } cases[] = {
        {"none", -1, {0}, 0, 0, false, false, false, REASON_NONE},
        {"none, required", -1, {0}, 0, 0, false, true, false, REASON_COLLATERAL_MISSING},
        {"empty", 0, {0}, -1, 1, false, true, false, REASON_NONE},
        {"of others", 0, {99, 98, 0}, -1, 1, false, true, false, REASON_NONE},
        {"the ASK", 0, {99, 2, 0}, -1, 1, false, false, false, REASON_REVOKED},
        {"the leaf, by the ASK", 1, {77, 0}, -1, 1, false, false, false, REASON_REVOKED},
        {"by the ASK alone", 1, {0}, -1, 1, false, true, false, REASON_COLLATERAL_MISSING},
        {"stale", 0, {0}, -9, -1, false, false, false, REASON_COLLATERAL_EXPIRED},
        {"of tomorrow", 0, {0}, 1, 2, false, false, false, REASON_COLLATERAL_NOT_YET_VALID},
        {"partial", 0, {0}, -1, 1, true, false, false, REASON_MALFORMED},
        {"forged", 0, {0}, -1, 1, false, false, true, REASON_COLLATERAL_SIGNATURE_INVALID},
        {"of another maker", 3, {0}, -1, 1, false, false, false, REASON_COLLATERAL_MISSING},
    };
    uint8_t r[AMD_REPORT_LEN];
    BUFFER_CLEARED leaf = {0};
    (void)state;
    report_make("Milan", r);
    amd_leaf_make(&milan, &milan_leaf, &leaf);
    amd_sign(&milan, r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED list = {0};
        struct judging j = {.report = SPAN(r),
                            .roots = &milan.roots,
                            .at_ms = now_ms,
                            .revocation_required = cases[i].required};
        if (cases[i].issuer >= 0)
            amd_list_make(cases[i].issuer == 3 ? &genoa : &milan, cases[i].issuer % 3,
                          cases[i].serials, cases[i].from, cases[i].until, cases[i].critical,
                          &list);
        if (cases[i].flip) list.data[list.len - 5] ^= 1;
        j.supplements.part[SUPPLEMENT_CERTIFICATES] = buffer_span(&leaf);
        j.supplements.part[SUPPLEMENT_AMD_CRL] = buffer_span(&list);
        attest_examine("sev-snp", &j, &verdict);
        expect(cases[i].name, cases[i].why);
    }
}

/* The numbers in a table are the host's. */
static void a_certificate_table_is_read_within_its_bytes(void **state)
{
    static const uint8_t vcek[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                     0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
    static const struct {
        int64_t offset, len; /* added to the true ones */
        bool closed, named;
        enum reason why;
    } cases[] = {{0, 0, true, true, REASON_NONE},
                 {0, 1, true, true, REASON_MALFORMED},
                 {1, 0, true, true, REASON_MALFORMED},
                 {1, -1, true, true, REASON_MALFORMED},
                 {0, -1, true, true, REASON_MALFORMED},
                 {INT32_MAX, 0, true, true, REASON_MALFORMED},
                 {0, INT32_MAX, true, true, REASON_MALFORMED},
                 {0xfffffff0, 0x20, true, true, REASON_MALFORMED},
                 {0, 0, true, false, REASON_CHAIN_INVALID},
                 {0, 0, false, false, REASON_MALFORMED}};
    uint8_t r[AMD_REPORT_LEN];
    BUFFER_CLEARED leaf = {0};
    (void)state;
    report_make("Milan", r);
    amd_leaf_make(&milan, &milan_leaf, &leaf);
    amd_sign(&milan, r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED table = {0};
        uint8_t entry[24], end[24] = {0};
        memcpy(entry, vcek, 16);
        entry[15] ^= cases[i].named ? 0 : 1;
        put_le32(entry + 16, (uint32_t)(48 + cases[i].offset));
        put_le32(entry + 20, (uint32_t)((int64_t)leaf.len + cases[i].len));
        if (!cases[i].closed) memset(entry + 16, 0, 8);
        buffer_append(&table, SPAN(entry));
        if (cases[i].closed) {
            buffer_append(&table, SPAN(end));
            buffer_append(&table, buffer_span(&leaf));
        }
        judge(&milan, r, buffer_span(&table), (struct span){0});
        expect("table", cases[i].why);
        if (i > 0) continue; /* the certificate lies behind the table's end, not in it */
        judge(&milan, r, span_of(table.data, 48), (struct span){0});
        expect("a table cut short", REASON_MALFORMED);
        judge(&milan, r, span_of(table.data, table.len - 1), (struct span){0});
        expect("a table cut short by one", REASON_MALFORMED);
    }
}

/* outblob and auxblob as a kernel gave them on a Genoa machine. */
static void the_table_of_a_real_machine_holds_its_leaf(void **state)
{
    static uint8_t report[AMD_REPORT_LEN], aux[32768];
    FILE *f = fopen("../shared/vectors/attestation/snp/genoa-v3-configfs-tsm/report.bin", "rb");
    (void)state;
    assert_non_null(f);
    assert_int_equal(fread(report, 1, sizeof report, f), sizeof report);
    fclose(f);
    f = fopen("../shared/vectors/attestation/snp/genoa-v3-configfs-tsm/auxblob.bin", "rb");
    assert_non_null(f);
    size_t n = fread(aux, 1, sizeof aux, f);
    fclose(f);
    struct judging j = {.report = SPAN(report), .at_ms = UINT64_C(1793491200000)};
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = span_of(aux, n);
    attest_examine("sev-snp", &j, &verdict);
    expect("genoa", REASON_NONE);
    assert_string_equal(verdict.product, "Genoa");
    for (size_t at = 0; at < 96; at++) { /* the table's own bytes */
        aux[at] ^= 0x40;
        attest_examine("sev-snp", &j, &verdict);
        CHECK(verdict.genuine || verdict.reason == REASON_MALFORMED ||
              verdict.reason == REASON_CHAIN_INVALID ||
              verdict.reason == REASON_SIGNING_KEY_MISMATCH);
        aux[at] ^= 0x40;
    }
}

static void any_flipped_bit_of_a_report_is_refused(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    BUFFER_CLEARED der = {0};
    (void)state;
    report_make("Milan", r);
    amd_leaf_make(&milan, &milan_leaf, &der);
    amd_sign(&milan, r);
    for (size_t byte = 0; byte < sizeof r; byte += 3) {
        r[byte] ^= (uint8_t)(1u << byte % 8);
        judge(&milan, r, buffer_span(&der), (struct span){0});
        CHECK(!verdict.genuine && verdict.findings == 0 && verdict.measurement_len == 0);
        r[byte] ^= (uint8_t)(1u << byte % 8);
    }
}

#define AB8 "abababababababab"
#define CD8 "cdcdcdcdcdcdcdcd"
#define MEASURED AB8 AB8 AB8 AB8 AB8 AB8

/* The checks of a policy that fail, joined by commas; empty: it accepts. */
static const char *refused_by(const char *rules)
{
    static char names[512];
    char text[2048];
    struct trust_policy *p = NULL;
    struct policy_error e = {0};
    snprintf(text, sizeof text,
             "{\"apex\": 1, \"accept\": [{\"tee\": \"sev-snp\", \"measurements\": [\"" MEASURED
             "\"], \"snp\": {%s}}]}",
             rules);
    if (trust_policy_parse(span_text(text), &p, &e) != APEX_OK)
        fail_msg("%s: %s: %s", rules, e.where, e.what);
    verdict.n_checks = 0;
    verdict_hold_against(&verdict, p, now_ms);
    trust_policy_free(p);
    names[0] = 0;
    for (size_t i = 0, len = 0; i < verdict.n_checks; i++)
        if (verdict.checks[i].result == CHECK_FAIL)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? "," : "",
                                    verdict.checks[i].name);
    CHECK(verdict.acceptable == !names[0]);
    return names;
}

static void a_policy_accepts_and_refuses_what_it_says(void **state)
{
    static const struct {
        size_t at;
        uint8_t value; /* of the report; at 0: as it is */
        const char *rules, *by;
    } cases[] = {
        {0, 0, "", ""},
        {0x0a, 0x0a, "", "debug"},
        {0x0a, 0x0a, "\"allow\": [\"debug\"]", ""},
        {0x0a, 0x06, "", "migration"},
        {0x0a, 0x06, "\"allow\": [\"debug\", \"migration\"]", ""},
        {0x0a, 0x03, "", "smt"},
        {0x0a, 0x03, "\"allow\": [\"smt\"]", ""},
        {0x0a, 0x22, "", "cxl"},
        {0x0a, 0x22, "\"allow\": [\"cxl\"]", ""},
        {0x0a, 0x0f, "", "debug,migration,smt"},
        {0x30, 1, "", "vmpl"},
        {0x30, 1, "\"maximum_vmpl\": 1", ""},
        {0x30, 2, "\"maximum_vmpl\": 1", "vmpl"},
        {0x33, 0xff, "\"maximum_vmpl\": 3", "vmpl"}, /* not the guest's */
        {0x33, 0xff, "\"allow\": [\"vmpl\"]", ""},
        {0x1e7, 0xda, "", "firmware-committed"},
        {0x1e7, 0xda, "\"allow\": [\"provisional-firmware\"]", ""},
        {0, 0, "\"require\": [\"single-socket\"]", "single-socket"},
        {0x0a, 0x12, "\"require\": [\"single-socket\"]", ""},
        {0x0a, 0x42, "\"require\": [\"aes-256-xts\"]", ""},
        {0, 0, "\"require\": [\"aes-256-xts\", \"rapl-off\"]", "aes-256-xts,rapl-off"},
        {0x0a, 0x82, "\"require\": [\"rapl-off\"]", ""},
        {0x0b, 0x01, "\"require\": [\"ciphertext-hiding\"]", ""},
        {0x0b, 0x02, "\"require\": [\"page-swap-disable\"]", ""},
        {0, 0, "\"require\": [\"ciphertext-hiding\", \"page-swap-disable\"]",
         "ciphertext-hiding,page-swap-disable"},
        {0, 0, "\"require\": [\"smt-off\"]", ""},
        {0x40, 1, "\"require\": [\"smt-off\"]", "smt-off"},
        {0x40, 0x26, "\"require\": [\"tsme\", \"ecc\", \"alias-check\"]", ""},
        {0, 0, "\"require\": [\"tsme\", \"ecc\", \"alias-check\"]", "tsme,ecc,alias-check"},
        {0, 0, "\"require\": [\"author-key\"]", "author-key"},
        {0x48, 1, "\"require\": [\"author-key\"]", ""},
        {0, 0,
         "\"minimum_tcb\": {\"milan\": {\"bootloader\": 4, \"tee\": 0, \"snp\": 24, "
         "\"microcode\": 219}}",
         ""},
        {0, 0,
         "\"minimum_tcb\": {\"milan\": {\"bootloader\": 5, \"tee\": 0, \"snp\": 0, "
         "\"microcode\": 0}}",
         "minimum-tcb"},
        {0, 0,
         "\"minimum_tcb\": {\"milan\": {\"bootloader\": 0, \"tee\": 1, \"snp\": 0, "
         "\"microcode\": 0}}",
         "minimum-tcb"},
        {0, 0,
         "\"minimum_tcb\": {\"milan\": {\"bootloader\": 0, \"tee\": 0, \"snp\": 25, "
         "\"microcode\": 0}}",
         "minimum-tcb"},
        {0, 0,
         "\"minimum_tcb\": {\"milan\": {\"bootloader\": 0, \"tee\": 0, \"snp\": 0, "
         "\"microcode\": 220}}",
         "minimum-tcb"},
        {0, 0,
         "\"minimum_tcb\": {\"turin\": {\"fmc\": 0, \"bootloader\": 0, \"tee\": 0, \"snp\": 0, "
         "\"microcode\": 0}}",
         "minimum-tcb"}, /* a product that is not named */
        {0x1f7, 0xda,
         "\"minimum_launch_tcb\": {\"milan\": {\"bootloader\": 4, \"tee\": 0, \"snp\": 24, "
         "\"microcode\": 219}}",
         "minimum-launch-tcb"},
        {0, 0, "\"minimum_firmware\": \"1.55.29\"", ""},
        {0, 0, "\"minimum_firmware\": \"1.55.30\"", "minimum-firmware"},
        {0, 0, "\"minimum_firmware\": \"1.56.0\"", "minimum-firmware"},
        {0, 0, "\"minimum_firmware\": \"0.99.99\"", ""},
        {0, 0, "\"minimum_guest_svn\": 1", "minimum-guest-svn"},
        {6, 1, "\"minimum_guest_svn\": 65536", ""}, /* 32 bits of it */
        {0, 0, "\"mitigations\": 1", "mitigations"},
        {0, 0, "\"revocation\": true", "revocation-asked"},
        {0, 0, "\"host_data\": [\"" CD8 CD8 CD8 CD8 "\"]", ""},
        {0, 0, "\"host_data\": [\"" CD8 CD8 CD8 AB8 "\"]", "host-data"},
        {0, 0, "\"id_keys\": [\"" MEASURED "\"], \"author_keys\": [\"" MEASURED "\"]",
         "id-key,author-key-digest"},
        {0, 0, "\"family_ids\": [\"" AB8 AB8 "\"], \"image_ids\": [\"" AB8 AB8 "\"]",
         "family-id,image-id"},
        {0, 0,
         "\"chips\": [\"01020304050607080900000000000000" /* ... */
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000\"]",
         ""},
        {0, 0, "\"chips\": [\"" MEASURED AB8 AB8 "\"]", "chip-id"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t r[AMD_REPORT_LEN];
        report_make("Milan", r);
        if (cases[i].at == 0x33)
            memset(r + 0x30, 0xff, 4);
        else if (cases[i].at)
            r[cases[i].at] = cases[i].value;
        judged(&milan, &milan_leaf, r);
        expect("policy", REASON_NONE);
        const char *by = refused_by(cases[i].rules);
        if (strcmp(by, cases[i].by) != 0)
            fail_msg("case %zu, {%s}: refused by \"%s\", not \"%s\"", i, cases[i].rules, by,
                     cases[i].by);
    }
}

static void a_provider_and_a_masked_chip_must_be_named(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    struct amd_leaf leaf = milan_leaf;
    (void)state;
    report_make("Milan", r);
    memset(r + 0x1a0, 0, 64);
    judged(&milan, &leaf, r);
    assert_string_equal(refused_by(""), "chip-named");
    assert_string_equal(refused_by("\"allow\": [\"masked-chip\"]"), "");
    leaf.subject = "SEV-VLEK";
    leaf.vlek = true;
    leaf.csp = "CN=cc-test.example";
    r[0x48] = 4;
    judged(&milan, &leaf, r);
    assert_string_equal(refused_by(""), "provider");
    assert_string_equal(refused_by("\"providers\": [\"CN=cc-test\"]"), "provider");
    assert_string_equal(refused_by("\"providers\": [\"CN=other\", \"CN=cc-test.example\"]"),
                        "");
}

static void mitigations_are_read_from_version_5(void **state)
{
    uint8_t r[AMD_REPORT_LEN];
    (void)state;
    report_make("Turin", r);
    r[0x200] = 0x3f;
    judged(&turin, &turin_leaf, r);
    expect("turin", REASON_NONE);
    assert_string_equal(refused_by("\"mitigations\": 63"), "");
    assert_string_equal(refused_by("\"mitigations\": 64"), "mitigations");
    assert_string_equal(
        refused_by("\"minimum_tcb\": {\"turin\": {\"fmc\": 2, \"bootloader\": 0, "
                   "\"tee\": 0, \"snp\": 0, \"microcode\": 0}}"),
        "minimum-tcb");
}

static void rules_that_make_no_sense_do_not_parse(void **state)
{
    static const char *const rules[] = {
        "\"allow\": [\"everything\"]",
        "\"require\": [\"luck\"]",
        "\"maximum_vmpl\": 4",
        "\"minimum_tcb\": {}",
        "\"minimum_tcb\": {\"milan\": {\"bootloader\": 4, \"tee\": 0, \"snp\": 24}}",
        "\"minimum_tcb\": {\"milan\": {\"fmc\": 1, \"bootloader\": 4, \"tee\": 0, \"snp\": 24, "
        "\"microcode\": 1}}",
        "\"minimum_tcb\": {\"milan\": {\"bootloader\": 256, \"tee\": 0, \"snp\": 24, "
        "\"microcode\": 1}}",
        "\"minimum_tcb\": {\"naples\": {}}",
        "\"minimum_firmware\": \"1.55\"",
        "\"minimum_firmware\": \"1.55.300\"",
        "\"minimum_firmware\": \"01.55.29\"",
        "\"minimum_firmware\": \"1.55.29x\"",
        "\"host_data\": [\"" AB8 "\"]",
        "\"host_data\": []",
        "\"colour\": 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char text[1024];
        struct trust_policy *p = NULL;
        snprintf(text, sizeof text,
                 "{\"apex\": 1, \"accept\": [{\"tee\": \"sev-snp\", \"measurements\": "
                 "[\"" MEASURED "\"], \"snp\": {%s}}]}",
                 rules[i]);
        if (trust_policy_parse(span_text(text), &p, NULL) == APEX_OK)
            fail_msg("taken: %s", rules[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_under_our_own_root_is_genuine_only_where_that_root_is_pinned),
        cmocka_unit_test(what_a_certificate_says_decides),
        cmocka_unit_test(each_level_of_turin_is_compared),
        cmocka_unit_test(what_the_report_says_decides),
        cmocka_unit_test(levels_above_those_that_run_are_refused_component_by_component),
        cmocka_unit_test(version_2_reports_are_of_the_product_of_their_issuer),
        cmocka_unit_test(a_providers_key_names_the_provider_and_no_chip),
        cmocka_unit_test(a_masked_chip_is_told),
        cmocka_unit_test(revocation_lists_are_obeyed_and_can_be_made_a_must),
        cmocka_unit_test(a_certificate_table_is_read_within_its_bytes),
        cmocka_unit_test(the_table_of_a_real_machine_holds_its_leaf),
        cmocka_unit_test(any_flipped_bit_of_a_report_is_refused),
        cmocka_unit_test(a_policy_accepts_and_refuses_what_it_says),
        cmocka_unit_test(a_provider_and_a_masked_chip_must_be_named),
        cmocka_unit_test(mitigations_are_read_from_version_5),
        cmocka_unit_test(rules_that_make_no_sense_do_not_parse),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
