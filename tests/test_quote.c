/* Intel quotes and collateral, parsed and matched, against what ../shared/vectors/attestation
 * says is in them; and every way to lie about a length. Signatures are judged elsewhere
 * (tests/test_attest_vectors.c). */
#include "common/attest/tcb.h"
#include "common/base/buffer.h"
#include "common/base/endian.h"
#include "common/base/hex.h"
#include "tests/check.h"

#include <jansson.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define FOLDER "../shared/vectors/attestation/"

static json_t *manifest;
static struct tcb_info info;
static struct qe_identity identity;

static int setup(void **state)
{
    (void)state;
    manifest = json_load_file(FOLDER "manifest.json", 0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(manifest);
    return 0;
}

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void file_read(const char *path, struct buffer *out)
{
    char full[512];
    uint8_t piece[4096];
    size_t n;
    snprintf(full, sizeof full, FOLDER "%s", path);
    FILE *f = fopen(full, "rb");
    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buffer_append(out, span_of(piece, n));
    fclose(f);
    CHECK_OK(buffer_ok(out));
}

static void hex_is(const void *bytes, size_t len, const json_t *o, const char *key)
{
    char hex[2 * 64 + 1];
    hex_write(span_of(bytes, len), hex);
    assert_string_equal(hex, text_at(o, key));
}

static void td_report_is(const struct td_report *r, const json_t *body)
{
    hex_is(r->tee_tcb_svn, 16, body, "tee_tcb_svn");
    hex_is(r->mr_seam, 48, body, "mrseam");
    hex_is(r->mr_signer_seam, 48, body, "mrsignerseam");
    hex_is(r->seam_attributes, 8, body, "seam_attributes");
    hex_is(r->mr_td, 48, body, "mrtd");
    hex_is(r->mr_config_id, 48, body, "mrconfigid");
    hex_is(r->mr_owner, 48, body, "mrowner");
    hex_is(r->mr_owner_config, 48, body, "mrownerconfig");
    hex_is(r->rtmr[0], 48, body, "rtmr0");
    hex_is(r->rtmr[1], 48, body, "rtmr1");
    hex_is(r->rtmr[2], 48, body, "rtmr2");
    hex_is(r->rtmr[3], 48, body, "rtmr3");
    hex_is(r->report_data, 64, body, "report_data");
    assert_int_equal(r->is_15, json_object_get(body, "tee_tcb_svn2") != NULL);
    if (!r->is_15) return;
    hex_is(r->tee_tcb_svn2, 16, body, "tee_tcb_svn2");
    hex_is(r->mr_service_td, 48, body, "mrservicetd");
}

static void td_attributes_are(const struct td_report *r, const json_t *body)
{
    const json_t *a = json_object_get(body, "td_attributes");
    static const struct {
        const char *name;
        uint64_t bit;
    } bits[] = {{"debug", TD_DEBUG},
                {"sept_ve_disable", TD_SEPT_VE_DISABLE},
                {"migratable", TD_MIGRATABLE},
                {"pks", TD_PKS},
                {"kl", TD_KL},
                {"perfmon", TD_PERFMON}};
    uint8_t raw[8];
    put_le64(raw, r->attributes);
    hex_is(raw, 8, a, "raw_le_hex");
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        assert_int_equal(json_is_true(json_object_get(a, bits[i].name)),
                         (r->attributes & bits[i].bit) != 0);
    put_le64(raw, r->xfam);
    hex_is(raw, 8, body, "xfam");
}

static void sgx_report_is(const struct sgx_report *r, const json_t *body)
{
    hex_is(r->cpu_svn, 16, body, "cpusvn");
    hex_is(r->misc_select, 4, body, "miscselect");
    hex_is(r->attributes, 16, body, "attributes");
    hex_is(r->mr_enclave, 32, body, "mrenclave");
    hex_is(r->mr_signer, 32, body, "mrsigner");
    hex_is(r->report_data, 64, body, "report_data");
    assert_int_equal(r->isv_prod_id, json_integer_value(json_object_get(body, "isvprodid")));
    assert_int_equal(r->isv_svn, json_integer_value(json_object_get(body, "isvsvn")));
    assert_int_equal((r->attributes[0] & SGX_ATTRIBUTE_DEBUG) != 0,
                     json_is_true(json_object_get(body, "debug")));
}

static void quote_is(const struct quote *q, struct span bytes, const json_t *expect)
{
    const json_t *body = json_object_get(expect, "body");
    size_t signed_len =
        (size_t)json_integer_value(json_array_get(json_object_get(expect, "signed_range"), 1));
    const uint8_t *end = q->certification_data.data + q->certification_data.len;
    assert_int_equal(q->signed_part.len, signed_len);
    CHECK(q->signed_part.data == bytes.data);
    assert_int_equal(end - bytes.data,
                     json_integer_value(json_object_get(expect, "quote_length")));
    assert_int_equal(q->qe_auth.len,
                     json_integer_value(json_object_get(expect, "qe_auth_data_len")));
    assert_int_equal(q->certification,
                     json_integer_value(json_object_get(expect, "certification_data_type")));
    if (q->tee == QUOTE_TEE_SGX) {
        sgx_report_is(&q->sgx, body);
        return;
    }
    td_report_is(&q->td, body);
    td_attributes_are(&q->td, body);
}

static bool is_quote(const json_t *v)
{
    const char *kind = text_at(v, "kind");
    return strcmp(kind, "tdx-quote") == 0 || strcmp(kind, "sgx-quote") == 0;
}

#define EACH_QUOTE(v)                                                                          \
    size_t i_;                                                                                 \
    json_t *v;                                                                                 \
    if (!manifest) skip();                                                                     \
    json_array_foreach(json_object_get(manifest, "vectors"), i_, v) if (is_quote(v))

static void a_quote_holds_what_its_vector_says(void **state)
{
    (void)state;
    size_t n = 0;
    EACH_QUOTE(v)
    {
        BUFFER_CLEARED bytes = {0};
        struct quote q;
        file_read(text_at(json_object_get(v, "files"), "quote"), &bytes);
        CHECK_OK(quote_parse(buffer_span(&bytes), &q));
        quote_is(&q, buffer_span(&bytes), json_object_get(v, "expect"));
        n++;
    }
    CHECK(n >= 12);
}

/* Cut anywhere before its own end a quote is refused; what follows that end is nobody's. */
static void a_quote_cut_short_is_refused_and_padding_is_not_read(void **state)
{
    (void)state;
    EACH_QUOTE(v)
    {
        BUFFER_CLEARED bytes = {0};
        struct quote q;
        size_t end = (size_t)json_integer_value(
            json_object_get(json_object_get(v, "expect"), "quote_length"));
        file_read(text_at(json_object_get(v, "files"), "quote"), &bytes);
        for (size_t len = 0; len < end; len++) {
            uint8_t *copy = malloc(len ? len : 1); /* so that valgrind sees one byte too far */
            memcpy(copy, bytes.data, len);
            CHECK_STATUS(quote_parse(span_of(copy, len), &q), APEX_E_FORMAT);
            free(copy);
        }
        CHECK_OK(quote_parse(span_of(bytes.data, end), &q));
    }
}

static void a_quote_that_lies_about_its_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *vector;
        size_t at;
        const char *hex;
    } cases[] = {
        {"tdx/v4-b0c06f-uptodate", 0, "0200"},
        {"tdx/v4-b0c06f-uptodate", 0, "0600"},
        {"tdx/v4-b0c06f-uptodate", 2, "0300"},
        {"tdx/v4-b0c06f-uptodate", 4, "82000000"},
        {"tdx/v4-b0c06f-uptodate", 12, "92"},
        {"tdx/v4-b0c06f-uptodate", 632, "ffffffff"},
        {"tdx/v4-b0c06f-uptodate", 764, "0500"}, /* not wrapped */
        {"tdx/v4-b0c06f-uptodate", 766, "00000000"},
        {"tdx/v4-b0c06f-uptodate", 766, "ffffffff"},
        {"tdx/v4-b0c06f-uptodate", 1218, "ffff"},
        {"tdx/v4-b0c06f-uptodate", 1218, "2100"},
        {"tdx/v4-b0c06f-uptodate", 1254, "ffffffff"},
        {"tdx/v5-90c06f-uptodate", 48, "0200"},
        {"tdx/v5-90c06f-uptodate", 48, "0100"},
        {"tdx/v5-90c06f-uptodate", 48, "0000"},
        {"tdx/v5-90c06f-uptodate", 48, "0400"},
        {"tdx/v5-90c06f-uptodate", 50, "89020000"},
        {"tdx/v5-90c06f-uptodate", 4, "00000000"},
        {"sgx/sgx-v3-00606a-oasis", 4, "81000000"}, /* a TD in a quote of version 3 */
    };
    if (!manifest) skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED bytes = {0};
        char path[128];
        struct quote q;
        snprintf(path, sizeof path, "%s/quote.bin", cases[i].vector);
        file_read(path, &bytes);
        CHECK_OK(quote_parse(buffer_span(&bytes), &q));
        CHECK_OK(hex_parse(span_text(cases[i].hex), bytes.data + cases[i].at,
                           strlen(cases[i].hex) / 2));
        if (quote_parse(buffer_span(&bytes), &q) == APEX_OK) fail_msg("case %zu", i);
    }
}

/* ---- the PCK certificate's extension ---- */

static bool extension_of(const struct quote *q, struct buffer *out)
{
    BIO *in = BIO_new_mem_buf(q->certification_data.data, (int)q->certification_data.len);
    X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    if (!leaf) return false;
    ASN1_OBJECT *oid = OBJ_txt2obj(PCK_EXTENSION_OID, 1);
    X509_EXTENSION *e = X509_get_ext(leaf, X509_get_ext_by_OBJ(leaf, oid, -1));
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
    buffer_append(out,
                  span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
    ASN1_OBJECT_free(oid);
    X509_free(leaf);
    return true;
}

static void a_pck_certificate_tells_its_platform(void **state)
{
    (void)state;
    size_t n = 0;
    EACH_QUOTE(v)
    {
        BUFFER_CLEARED bytes = {0}, extension = {0};
        const json_t *pck = json_object_get(json_object_get(v, "expect"), "pck");
        struct quote q;
        struct pck p;
        if (!pck) continue;
        file_read(text_at(json_object_get(v, "files"), "quote"), &bytes);
        CHECK_OK(quote_parse(buffer_span(&bytes), &q));
        CHECK(extension_of(&q, &extension));
        CHECK_OK(pck_parse(buffer_span(&extension), &p));
        hex_is(p.fmspc, 6, pck, "fmspc");
        assert_int_equal(p.pce_svn, json_integer_value(json_object_get(pck, "pcesvn")));
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(p.svn[i], json_integer_value(json_array_get(
                                           json_object_get(pck, "sgx_tcb_components"), i)));
        for (size_t len = 0; len < extension.len; len++)
            CHECK_STATUS(pck_parse(span_of(extension.data, len), &p), APEX_E_FORMAT);
        n++;
    }
    CHECK(n >= 9);
}

/* ---- collateral ---- */

/* Opens and parses a vector's set into `info` and `identity`. */
static void collateral_read(const json_t *files)
{
    BUFFER_CLEARED tcb = {0}, qe = {0};
    struct span inner;
    uint8_t signature[64];
    file_read(text_at(files, "tcb_info"), &tcb);
    file_read(text_at(files, "qe_identity"), &qe);
    CHECK_OK(signed_json_open(buffer_span(&tcb), "tcbInfo", &inner, signature));
    CHECK_OK(tcb_info_parse(inner, &info));
    CHECK_OK(signed_json_open(buffer_span(&qe), "enclaveIdentity", &inner, signature));
    CHECK_OK(qe_identity_parse(inner, &identity));
}

static const json_t *vector_named(const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(manifest, "vectors"), i,
                       v) if (strcmp(text_at(v, "name"), name) == 0) return v;
    fail_msg("no vector %s", name);
    return NULL;
}

static void collateral_holds_what_its_vector_says(void **state)
{
    (void)state;
    size_t i, n = 0;
    json_t *v;
    if (!manifest) skip();
    json_array_foreach(json_object_get(manifest, "vectors"), i, v)
    {
        if (strcmp(text_at(v, "kind"), "intel-collateral") != 0) continue;
        const json_t *expect = json_object_get(v, "expect");
        collateral_read(json_object_get(v, "files"));
        hex_is(info.fmspc, 6, expect, "fmspc");
        assert_int_equal(info.evaluation, json_integer_value(json_object_get(
                                              expect, "tcb_evaluation_data_number")));
        assert_int_equal(info.version,
                         json_integer_value(json_object_get(expect, "tcb_info_version")));
        assert_int_equal(info.is_tdx, strcmp(text_at(v, "tee"), "TDX") == 0);
        assert_int_equal(identity.is_td_qe, strcmp(text_at(expect, "qe_id"), "TD_QE") == 0);
        CHECK(info.dates.issued_ms < info.dates.next_update_ms);
        n++;
    }
    CHECK(n >= 7);
}

/* Intel's sample of TCB info version 2; its signature is of nobody we know, its form is real.
 */
static void tcb_info_of_version_2_is_read(void **state)
{
    (void)state;
    BUFFER_CLEARED bytes = {0};
    struct span inner;
    uint8_t signature[64];
    if (!manifest) skip();
    file_read("sgx/sgx-v3-intel-sample-untrusted-root/tcbInfo.json", &bytes);
    CHECK_OK(signed_json_open(buffer_span(&bytes), "tcbInfo", &inner, signature));
    CHECK_OK(tcb_info_parse(inner, &info));
    assert_int_equal(info.version, 2);
    CHECK(!info.is_tdx && info.n_levels > 1);
    for (size_t i = 1; i < info.n_levels; i++) /* highest first */
        CHECK(memcmp(info.levels[i - 1].sgx, info.levels[i].sgx, 16) >= 0);
}

static void advisories_are(const struct tcb_verdict *t, const json_t *want)
{
    for (size_t i = 0; i < json_array_size(want); i++) {
        bool found = false;
        for (size_t k = 0; k < t->n_advisories; k++)
            found |= strcmp(t->advisories[k], json_string_value(json_array_get(want, i))) == 0;
        CHECK(found);
    }
}

static void status_is(enum tcb_status got, const json_t *o, const char *key)
{
    const char *want = text_at(o, key);
    if (!want) want = "UpToDate"; /* no module to judge */
    if (strncmp(want, "NotSupported", 12) == 0) want = "NotSupported";
    assert_string_equal(tcb_status_name(got), want);
}

static void a_platform_stands_where_intels_own_order_puts_it(void **state)
{
    (void)state;
    size_t n = 0;
    EACH_QUOTE(v)
    {
        BUFFER_CLEARED bytes = {0}, extension = {0};
        const json_t *tcb = json_object_get(json_object_get(v, "expect"), "tcb");
        struct quote q;
        struct pck p;
        struct tcb_verdict t;
        if (!tcb) continue;
        file_read(text_at(json_object_get(v, "files"), "quote"), &bytes);
        CHECK_OK(quote_parse(buffer_span(&bytes), &q));
        CHECK(extension_of(&q, &extension));
        CHECK_OK(pck_parse(buffer_span(&extension), &p));
        collateral_read(json_object_get(vector_named(text_at(tcb, "collateral")), "files"));
        CHECK(qe_identity_fits(&identity, &q.qe));
        tcb_judge(&info, &identity, &p, &q, &t);
        status_is(t.platform, tcb, "platform_status");
        status_is(t.module, tcb, "module_status");
        status_is(t.qe, tcb, "qe_status");
        status_is(t.status, tcb, "converged_status");
        assert_int_equal(q.qe.isv_svn, json_integer_value(json_object_get(tcb, "qe_isvsvn")));
        advisories_are(&t, json_object_get(tcb, "advisories"));
        CHECK(t.module_known && t.module_as_told);
        n++;
    }
    printf("the TCB status of %zu platforms is Intel's\n", n);
    CHECK(n >= 8);
}

/* One change each to a good document. */
static void collateral_of_another_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"\"version\":3", "\"version\":4"},
        {"\"version\":3", "\"version\":2"}, /* TDX needs 3 */
        {"\"id\":\"TDX\"", "\"id\":\"tdx\""},
        {"\"id\":\"TDX\",", ""}, /* nobody says what it is about */
        {"\"tcbType\":0", "\"tcbType\":1"},
        {"\"fmspc\":\"B0C06F000000\"", "\"fmspc\":\"B0C06F0000\""},
        {"\"fmspc\":\"B0C06F000000\"", "\"fmspc\":\"B0C06F00000G\""},
        {"\"pceId\":\"0000\",", ""},
        {"\"pceId\":\"0000\",", "\"pceId\":\"0000\",\"pceId\":\"0000\","},
        {"\"issueDate\":\"2025-06-19T10:16:03Z\"", "\"issueDate\":\"2025-06-31T10:16:03Z\""},
        {"\"svn\":3,", "\"svn\":256,"},
        {"\"svn\":3,", "\"svn\":-1,"},
        {"\"svn\":3,", "\"svn\":3.5,"},
        {"{\"svn\":0},", ""}, /* fifteen components */
        {"{\"svn\":0},", "{\"svn\":0},{\"svn\":0},"},
        {"\"UpToDate\"", "\"uptodate\""},
        {"\"UpToDate\"", "\"NotSupported\""},
        {"\"tcbEvaluationDataNumber\":17", "\"tcbEvaluationDataNumber\":\"17\""},
        {"\"tdxModule\":", "\"module\":"},
        {"INTEL-SA-00", "INTEL SA 00"},
        {"{\"tcbInfo\"", "{\"tcbinfo\""},
        {"\"signature\"", "\"signatures\""},
        {"\"signature\":\"", "\"signature\":\"0"},
    };
    if (!manifest) skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED bytes = {0}, changed = {0};
        struct span inner;
        uint8_t signature[64];
        file_read("collateral/tdx-b0c06f-2025-06/tcb_info.json", &bytes);
        buffer_u8(&bytes, 0);
        char *at = strstr((char *)bytes.data, cases[i].from);
        if (!at) fail_msg("case %zu: %s is not there", i, cases[i].from);
        buffer_append(&changed, span_of(bytes.data, (size_t)(at - (char *)bytes.data)));
        buffer_text(&changed, cases[i].to);
        buffer_text(&changed, at + strlen(cases[i].from));
        apex_status s = signed_json_open(buffer_span(&changed), "tcbInfo", &inner, signature);
        if (s == APEX_OK) s = tcb_info_parse(inner, &info);
        if (s == APEX_OK) fail_msg("case %zu was taken: %s", i, cases[i].to);
    }
}

static void the_signed_bytes_are_found_as_they_stand(void **state)
{
    (void)state;
    static const char hex64[] =
        "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const struct {
        const char *before, *after;
        apex_status want;
    } cases[] = {
        {"{\"tcbInfo\":", ",\"signature\":\"%s\"}", APEX_OK},
        {" {\n\"tcbInfo\" : ", " ,\r\n \"signature\"\t: \"%s\" }\n", APEX_OK},
        {"{\"signature\":\"%s\",\"tcbInfo\":", "}", APEX_OK},
        {"{\"tcbInfo\":", "}", APEX_E_FORMAT},
        {"{\"tcbInfo\":", ",\"signature\":\"%s\"}x", APEX_E_FORMAT},
        {"{\"tcbInfo\":", ",\"signature\":\"%s\",\"more\":1}", APEX_E_FORMAT},
        {"{\"tcbInfo\":", ",\"tcbInfo\":{},\"signature\":\"%s\"}", APEX_E_FORMAT},
        {"[{\"tcbInfo\":", ",\"signature\":\"%s\"}]", APEX_E_FORMAT},
    };
    static const char inner_text[] = "{ \"a\" : [1, {\"}\":\"\\u007d\"}] ,\t\"b\":{} }";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char before[256], after[256];
        BUFFER_CLEARED doc = {0};
        struct span inner;
        uint8_t signature[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(before, sizeof before, cases[i].before, hex64);
        snprintf(after, sizeof after, cases[i].after, hex64);
#pragma GCC diagnostic pop
        buffer_text(&doc, before);
        buffer_text(&doc, inner_text);
        buffer_text(&doc, after);
        apex_status s = signed_json_open(buffer_span(&doc), "tcbInfo", &inner, signature);
        if (s != cases[i].want) fail_msg("case %zu: %d", i, s);
        if (s != APEX_OK) continue;
        CHECK(span_equal(inner, span_text(inner_text)));
        CHECK(signature[0] == 0 && signature[15] == 0xff && signature[63] == 0xff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_holds_what_its_vector_says),
        cmocka_unit_test(a_quote_cut_short_is_refused_and_padding_is_not_read),
        cmocka_unit_test(a_quote_that_lies_about_its_form_is_refused),
        cmocka_unit_test(a_pck_certificate_tells_its_platform),
        cmocka_unit_test(collateral_holds_what_its_vector_says),
        cmocka_unit_test(tcb_info_of_version_2_is_read),
        cmocka_unit_test(a_platform_stands_where_intels_own_order_puts_it),
        cmocka_unit_test(collateral_of_another_form_is_refused),
        cmocka_unit_test(the_signed_bytes_are_found_as_they_stand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
