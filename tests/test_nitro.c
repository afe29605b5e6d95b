/* Nitro documents under a root of our own, and CBOR in all the shapes AWS writes and others
 * have tried. */
#include "common/attest/accept.h"
#include "common/attest/nitro_document.h"
#include "common/wire/cbor.h"
#include "tests/check.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static EVP_PKEY *root_key, *leaf_key;
static struct buffer root_der, between_der, leaf_der, mute_der, old_der;
static struct roots roots;
static struct verdict verdict;
static time_t
    now; /* one moment for certificates and judgements, however long the setup takes */
static uint64_t now_ms;

static void certificate_make(const char *subject, const char *issuer, EVP_PKEY *key, bool ca,
                             const char *usage, long from_s, long until_s, struct buffer *der)
{
    X509 *c = X509_new();
    uint8_t *bytes = NULL;
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               (const uint8_t *)subject, -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_ASC,
                               (const uint8_t *)issuer, -1, -1, 0);
    X509_time_adj(X509_getm_notBefore(c), from_s, &now);
    X509_time_adj(X509_getm_notAfter(c), until_s, &now);
    X509_set_pubkey(c, key);
    for (int i = 0; i < 2; i++) {
        const char *value = i == 0 ? (ca ? "critical,CA:TRUE" : "critical,CA:FALSE") : usage;
        X509_EXTENSION *e =
            value ? X509V3_EXT_conf_nid(NULL, NULL,
                                        i == 0 ? NID_basic_constraints : NID_key_usage, value)
                  : NULL;
        if (e) X509_add_ext(c, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(c, root_key, EVP_sha384()) > 0);
    int n = i2d_X509(c, &bytes);
    buffer_append(der, span_of(bytes, (size_t)n));
    OPENSSL_free(bytes);
    X509_free(c);
}

static int setup(void **state)
{
    (void)state;
    now = time(NULL);
    now_ms = (uint64_t)now * 1000;
    root_key = EVP_EC_gen("P-384");
    leaf_key = EVP_EC_gen("P-384");
    certificate_make("nitro", "nitro", root_key, true, "critical,keyCertSign", -86400, 86400,
                     &root_der);
    certificate_make("zone", "nitro", root_key, true, "critical,keyCertSign", -86400, 86400,
                     &between_der);
    certificate_make("leaf", "zone", leaf_key, false, "critical,digitalSignature", -3600, 3600,
                     &leaf_der);
    certificate_make("leaf", "zone", leaf_key, false, "critical,keyAgreement", -3600, 3600,
                     &mute_der);
    certificate_make("leaf", "zone", leaf_key, false, "critical,digitalSignature", -60, 7200,
                     &old_der);
    roots = *vendor_roots();
    roots.der[ROOT_AWS_NITRO] = buffer_span(&root_der);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(leaf_key);
    buffer_clear(&root_der);
    buffer_clear(&between_der);
    buffer_clear(&leaf_der);
    buffer_clear(&mute_der);
    buffer_clear(&old_der);
    return 0;
}

/* What a document is made of; zeros make a good one. */
struct shape {
    bool open;   /* indefinite maps and arrays */
    bool tagged; /* COSE tag 18 */
    bool debug;  /* PCR 0 to 2 zero */
    bool no_between, no_root_first, mute_leaf, unsigned_;
    const char *twice, *without, *extra; /* member names; extra: of a member nobody knows */
    int64_t age_ms;
    const struct buffer *leaf;
    bool chunked; /* user_data in pieces */
    size_t user_len, nonce_len, pcr_len, pcr_at, cabundle;
};

static void open_map(struct buffer *b, const struct shape *s, size_t n)
{
    if (s->open)
        buffer_u8(b, 0xbf);
    else
        cbor_put_map(b, n);
}

static void shut(struct buffer *b, const struct shape *s)
{
    if (s->open) buffer_u8(b, 0xff);
}

static void pcrs_put(struct buffer *b, const struct shape *s)
{
    uint8_t value[64];
    open_map(b, s, 4);
    for (unsigned i = 0; i < 4; i++) {
        memset(value, s->debug && i < 3 ? 0 : (int)(0x10 + i), sizeof value);
        cbor_put_uint(b, i == 3 && s->pcr_at ? s->pcr_at - 1 : i);
        cbor_put_bytes(b, span_of(value, i == 3 && s->pcr_len ? s->pcr_len : 48));
    }
    shut(b, s);
}

static void cabundle_put(struct buffer *b, const struct shape *s)
{
    size_t n = s->cabundle ? s->cabundle : 2u - s->no_between;
    if (s->open)
        buffer_u8(b, 0x9f);
    else
        cbor_put_array(b, n);
    for (size_t i = 0; i < n; i++)
        cbor_put_bytes(b, buffer_span((i == 0) != s->no_root_first ? &root_der : &between_der));
    shut(b, s);
}

static void member_put(struct buffer *b, const struct shape *s, const char *name)
{
    static const uint8_t filler[2048] = {5};
    cbor_put_text(b, name);
    if (strcmp(name, "module_id") == 0)
        cbor_put_text(b, "i-0123-enc4567");
    else if (strcmp(name, "digest") == 0)
        cbor_put_text(b, "SHA384");
    else if (strcmp(name, "timestamp") == 0)
        cbor_put_uint(b, (uint64_t)((int64_t)now_ms - s->age_ms));
    else if (strcmp(name, "pcrs") == 0)
        pcrs_put(b, s);
    else if (strcmp(name, "certificate") == 0)
        cbor_put_bytes(b, buffer_span(s->leaf        ? s->leaf
                                      : s->mute_leaf ? &mute_der
                                                     : &leaf_der));
    else if (strcmp(name, "cabundle") == 0)
        cabundle_put(b, s);
    else if (strcmp(name, "user_data") == 0 && s->chunked)
        buffer_append(b, span_of("\x5f\x41\x01\x41\x02\xff", 6));
    else if (strcmp(name, "user_data") == 0 && s->user_len)
        cbor_put_bytes(b, span_of(filler, s->user_len));
    else if (strcmp(name, "nonce") == 0 && s->nonce_len)
        cbor_put_bytes(b, span_of(filler, s->nonce_len));
    else
        cbor_put_null(b);
}

static void payload_make(const struct shape *s, struct buffer *b)
{
    static const char *const names[] = {"module_id",  "digest",      "timestamp",
                                        "pcrs",       "certificate", "cabundle",
                                        "public_key", "user_data",   "nonce"};
    open_map(b, s, 9u + (s->twice != NULL) + (s->extra != NULL) - (s->without != NULL));
    for (size_t i = 0; i < 9; i++)
        if (!s->without || strcmp(s->without, names[i]) != 0) member_put(b, s, names[i]);
    if (s->twice) member_put(b, s, s->twice);
    if (s->extra) member_put(b, s, s->extra);
    shut(b, s);
}

static void signature_make(struct span bytes, uint8_t out[96])
{
    uint8_t der[160];
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, leaf_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, bytes.data, bytes.len), 1);
    EVP_MD_CTX_free(ctx);
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 48);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 48, 48);
    ECDSA_SIG_free(sig);
}

static void document_make(const struct shape *s, struct buffer *out)
{
    static const uint8_t es384[] = {0xa1, 0x01, 0x38, 0x22};
    BUFFER_CLEARED payload = {0}, bytes = {0};
    uint8_t signature[96] = {1};
    payload_make(s, &payload);
    const struct nitro_document d = {.protected_header = SPAN(es384),
                                     .payload = buffer_span(&payload)};
    nitro_to_be_signed(&d, &bytes);
    if (!s->unsigned_) signature_make(buffer_span(&bytes), signature);
    if (s->tagged) buffer_u8(out, 0xd2);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, SPAN(es384));
    cbor_put_map(out, 0);
    cbor_put_bytes(out, buffer_span(&payload));
    cbor_put_bytes(out, SPAN(signature));
}

static void judged(const struct shape *s)
{
    BUFFER_CLEARED document = {0};
    document_make(s, &document);
    const struct judging j = {
        .report = buffer_span(&document), .roots = &roots, .at_ms = now_ms};
    attest_examine("nitro", &j, &verdict);
}

static void every_shape_gets_its_verdict(void **state)
{
    static const struct {
        struct shape s;
        enum reason why;
    } cases[] = {
        {{0}, REASON_NONE},
        {{.open = true}, REASON_NONE},
        {{.tagged = true}, REASON_NONE},
        {{.debug = true}, REASON_NONE},
        {{.extra = "new_member"}, REASON_NONE},
        {{.user_len = 1024, .nonce_len = 512}, REASON_NONE},
        {{.without = "nonce"}, REASON_NONE},
        {{.without = "public_key"}, REASON_NONE},
        {{.user_len = 1025}, REASON_MALFORMED},
        {{.nonce_len = 513}, REASON_MALFORMED},
        {{.chunked = true}, REASON_MALFORMED},
        {{.twice = "pcrs"}, REASON_MALFORMED},
        {{.twice = "user_data", .open = true}, REASON_MALFORMED},
        {{.twice = "timestamp"}, REASON_MALFORMED},
        {{.without = "pcrs"}, REASON_MALFORMED},
        {{.without = "module_id", .open = true}, REASON_MALFORMED},
        {{.without = "digest"}, REASON_MALFORMED},
        {{.without = "timestamp"}, REASON_MALFORMED},
        {{.without = "certificate"}, REASON_MALFORMED},
        {{.without = "cabundle"}, REASON_MALFORMED},
        {{.pcr_len = 31}, REASON_MALFORMED},
        {{.pcr_len = 64}, REASON_NONE},
        {{.pcr_at = 1}, REASON_MALFORMED},  /* PCR 0 twice */
        {{.pcr_at = 32}, REASON_NONE},      /* PCR 31 */
        {{.pcr_at = 33}, REASON_MALFORMED}, /* PCR 32 */
        {{.cabundle = 6}, REASON_MALFORMED},
        {{.cabundle = 5}, REASON_CHAIN_INVALID}, /* the same one four times */
        {{.no_between = true}, REASON_CHAIN_INVALID},
        {{.no_root_first = true}, REASON_ROOT_UNTRUSTED},
        {{.mute_leaf = true}, REASON_CHAIN_INVALID},
        {{.unsigned_ = true}, REASON_SIGNATURE_INVALID},
        {{.age_ms = 3500 * 1000}, REASON_NONE},
        {{.age_ms = 3700 * 1000}, REASON_MALFORMED},             /* before its certificate */
        {{.age_ms = -4 * 60 * 1000}, REASON_NONE},               /* clocks differ */
        {{.age_ms = -6 * 60 * 1000}, REASON_LEAF_NOT_YET_VALID}, /* from the future */
        {{.age_ms = -3700 * 1000}, REASON_MALFORMED},            /* after its certificate */
        {{.age_ms = 70 * 1000, .leaf = &old_der}, REASON_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        judged(&cases[i].s);
        if (verdict.reason != cases[i].why ||
            verdict.genuine != (cases[i].why == REASON_NONE)) {
            for (size_t k = 0; k < verdict.n_checks; k++)
                fprintf(stderr, "  %d %s: %s\n", (int)verdict.checks[k].result,
                        verdict.checks[k].name, verdict.checks[k].detail);
            fail_msg("shape %zu: %s", i, reason_name(verdict.reason));
        }
        CHECK((verdict.findings >> FINDING_DEBUG_PCRS_ZERO & 1) == cases[i].s.debug);
    }
}

static void a_document_cut_short_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    for (int open = 0; open < 2; open++) {
        BUFFER_CLEARED document = {0};
        struct nitro_document *d = calloc(1, sizeof *d);
        document_make(&(struct shape){.open = open}, &document);
        CHECK_OK(nitro_document_parse(buffer_span(&document), d));
        for (size_t len = 0; len < document.len; len++)
            CHECK_STATUS(nitro_document_parse(span_of(document.data, len), d), APEX_E_FORMAT);
        buffer_u8(&document, 0xff);
        CHECK_STATUS(nitro_document_parse(buffer_span(&document), d), APEX_E_FORMAT);
        free(d);
    }
}

/* The checks of a policy that fail, joined by commas; empty: it accepts. */
static const char *refused_by(const char *entry)
{
    static char names[256];
    char text[2048];
    struct trust_policy *p = NULL;
    struct policy_error e = {0};
    snprintf(text, sizeof text, "{\"apex\": 1, \"accept\": [{\"tee\": \"nitro\", %s}]}", entry);
    if (trust_policy_parse(span_text(text), &p, &e) != APEX_OK)
        fail_msg("%s: %s: %s", entry, e.where, e.what);
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

#define X8(x) x x x x x x x x
#define PCR(x) X8(x) X8(x) X8(x) X8(x) X8(x) X8(x)
#define IMAGE "\"measurements\": [\"" PCR("10") "\"]"
#define ZEROS "\"measurements\": [\"" PCR("00") "\"]"

static void a_policy_accepts_and_refuses_what_it_says(void **state)
{
    static const struct {
        bool debug;
        int64_t age_ms;
        const char *entry, *by;
    } cases[] = {
        {false, 0, IMAGE, ""},
        {false, 0, ZEROS, "measurement"},
        {true, 0, IMAGE, "measurement,debug"},
        {true, 0, ZEROS, "debug"},
        {true, 0, ZEROS ", \"nitro\": {\"allow\": [\"debug\"]}", ""},
        {true, 0, ZEROS ", \"nitro\": {\"allow\": [\"debug\"], \"pcr1\": [\"" PCR("00") "\"]}",
         "pcr1"}, /* zero is never in a policy */
        {false, 0,
         IMAGE ", \"nitro\": {\"pcr1\": [\"" PCR("11") "\"], \"pcr2\": [\"" PCR(
             "12") "\"], \"pcr3\": [\"" PCR("13") "\"]}",
         ""},
        {false, 0,
         IMAGE ", \"nitro\": {\"pcr1\": [\"" PCR("12") "\"], \"pcr2\": [\"" PCR("12") "\"]}",
         "pcr1"},
        {false, 0, IMAGE ", \"nitro\": {\"pcr8\": [\"" PCR("12") "\"]}", "pcr8"},
        {false, 0, IMAGE ", \"nitro\": {\"pcr4\": [\"" PCR("12") "\"]}", "pcr4"},
        {false, 30000, IMAGE ", \"maximum_age_s\": 60", ""},
        {false, 90000, IMAGE ", \"maximum_age_s\": 60", "age"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        judged(&(struct shape){.debug = cases[i].debug, .age_ms = cases[i].age_ms});
        CHECK(verdict.genuine);
        const char *by = refused_by(cases[i].entry);
        if (strcmp(by, cases[i].by) != 0)
            fail_msg("case %zu: refused by \"%s\", not \"%s\"", i, by, cases[i].by);
    }
}

static void rules_that_make_no_sense_do_not_parse(void **state)
{
    static const char *const rules[] = {"\"allow\": [\"smt\"]", "\"pcr1\": [\"00\"]",
                                        "\"pcr1\": []", "\"pcr0\": [\"" PCR("10") "\"]"};
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char text[1024];
        struct trust_policy *p = NULL;
        snprintf(text, sizeof text,
                 "{\"apex\": 1, \"accept\": [{\"tee\": \"nitro\", " IMAGE
                 ", \"nitro\": {%s}}]}",
                 rules[i]);
        CHECK_STATUS(trust_policy_parse(span_text(text), &p, NULL), APEX_E_FORMAT);
    }
}

static void the_keys_it_must_be_for_stand_in_user_data(void **state)
{
    static uint8_t filler[64] = {5}, other[64] = {6};
    BUFFER_CLEARED document = {0};
    (void)state;
    document_make(&(struct shape){.user_len = 64}, &document);
    struct judging j = {.report = buffer_span(&document),
                        .roots = &roots,
                        .at_ms = now_ms,
                        .report_data = SPAN(filler)};
    attest_examine("nitro", &j, &verdict);
    CHECK(verdict.genuine);
    j.report_data = SPAN(other);
    attest_examine("nitro", &j, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_KEY_BINDING_MISMATCH);
    j.report_data = span_of(filler, 63);
    attest_examine("nitro", &j, &verdict);
    CHECK(!verdict.genuine && verdict.reason == REASON_KEY_BINDING_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_gets_its_verdict),
        cmocka_unit_test(a_document_cut_short_or_followed_by_more_is_refused),
        cmocka_unit_test(a_policy_accepts_and_refuses_what_it_says),
        cmocka_unit_test(rules_that_make_no_sense_do_not_parse),
        cmocka_unit_test(the_keys_it_must_be_for_stand_in_user_data),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
