/* Evidence from real machines, with the verdicts and reasons published beside it: every vector
 * at every time, every variant, and every recipe that spoils one. The manifest is the table. */
#include "tests/attest_case.h"

#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct kind {
    const char *kind;
    case_judge *judge; /* NULL: not judged by common/attest, for the reason given */
    case_compare *compare;
    const char *why_not;
} kinds[] = {
    {"snp-report", case_judge_snp, case_compare_snp, NULL},
    {"nitro-document", case_judge_nitro, case_compare_nitro, NULL},
    {"tdx-quote", case_judge_tdx, case_compare_tdx, NULL},
    {"sgx-quote", case_judge_sgx, case_compare_sgx, NULL},
    {"intel-collateral", NULL, NULL, "judged with each quote that names it"},
    {"snp-launch-digest", NULL, NULL,
     "inputs of a launch, not evidence; see the image's tests"},
    {"cca-token", NULL, NULL, "no CCA hardware vouches for anybody yet"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };
static struct {
    size_t vectors, times, variants, recipes;
} count[KINDS];

static json_t *manifest;
static struct verdict verdict;

static int setup(void **state)
{
    json_error_t error;
    (void)state;
    manifest = json_load_file(VECTORS "manifest.json", JSON_REJECT_DUPLICATES, &error);
    if (!manifest) fprintf(stderr, "manifest.json: line %d: %s\n", error.line, error.text);
    return manifest ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(manifest);
    return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *vector_of(const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(manifest, "vectors"), i,
                       v) if (strcmp(text_of(v, "name"), name) == 0) return v;
    fail_msg("no vector %s", name);
    return NULL;
}

static size_t kind_at(const json_t *vector)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].kind, text_of(vector, "kind")) == 0) return i;
    fail_msg("a kind that no test knows: %s", text_of(vector, "kind"));
    return 0;
}

static uint64_t ms_of(const char *iso)
{
    struct tm t = {0};
    if (!strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &t)) fail_msg("not a time: %s", iso);
    return (uint64_t)timegm(&t) * 1000;
}

static void load(const char *path, struct buffer *out)
{
    char full[512];
    uint8_t piece[4096];
    snprintf(full, sizeof full, VECTORS "%s", path);
    FILE *f = fopen(full, "rb");
    if (!f) fail_msg("%s cannot be read", full);
    buffer_clear(out);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buffer_append(out, span_of(piece, n));
    fclose(f);
    assert_int_equal(buffer_ok(out), APEX_OK);
}

static struct buffer *slot(struct attest_case *c, const char *role)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (strcmp(c->file[i].role, role) == 0) return &c->file[i].bytes;
    assert_true(c->n_files < CASE_FILES_MAX);
    struct case_file *f = &c->file[c->n_files++];
    snprintf(f->role, sizeof f->role, "%s", role);
    return &f->bytes;
}

/* A vector's files; those of the collateral it names come as "collateral.X". */
static void files_load(struct attest_case *c, const json_t *vector, const char *prefix)
{
    const char *role;
    json_t *path;
    json_object_foreach(json_object_get(vector, "files"), role, path)
    {
        char full[CASE_NAME_MAX];
        snprintf(full, sizeof full, "%s%s", prefix, role);
        if (strcmp(role, "collateral") == 0)
            files_load(c, vector_of(json_string_value(path)), "collateral.");
        else if (json_is_string(path))
            load(json_string_value(path), slot(c, full));
    }
}

static void case_open(const json_t *vector, struct attest_case *c)
{
    *c = (struct attest_case){.vector = vector};
    files_load(c, vector, "");
}

static void case_close(struct attest_case *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        buffer_clear(&c->file[i].bytes);
}

static size_t offset_in(const struct buffer *b, int64_t offset)
{
    size_t at = offset < 0 ? b->len - (size_t)-offset : (size_t)offset;
    assert_true(at < b->len);
    return at;
}

static void bytes_of(const json_t *step, struct buffer *out)
{
    const char *hex = text_of(step, "hex");
    size_t len = strlen(hex) / 2;
    assert_int_equal(hex_parse(span_text(hex), buffer_reserve(out, len), len), APEX_OK);
    out->len += len;
}

static void text_replace(struct buffer *b, const char *old, const char *new)
{
    size_t len = strlen(old), at = 0;
    BUFFER_CLEARED out = {0};
    while (at + len <= b->len && memcmp(b->data + at, old, len) != 0)
        at++;
    assert_true(at + len <= b->len);
    buffer_append(&out, span_of(b->data, at));
    buffer_text(&out, new);
    buffer_append(&out, span_of(b->data + at + len, b->len - at - len));
    buffer_clear(b);
    buffer_append(b, buffer_span(&out));
}

static void step_bytes(const char *op, const json_t *step, struct buffer *b)
{
    BUFFER_CLEARED bytes = {0};
    int64_t offset = json_integer_value(json_object_get(step, "offset"));
    int64_t length = json_integer_value(json_object_get(step, "length"));
    if (strcmp(op, "flip_bit") == 0)
        b->data[offset_in(b, offset)] ^=
            (uint8_t)(1u << json_integer_value(json_object_get(step, "bit")));
    else if (strcmp(op, "truncate") == 0)
        b->len = length < 0 ? b->len - (size_t)-length : (size_t)length;
    else if (strcmp(op, "replace_text") == 0)
        text_replace(b, text_of(step, "old"), text_of(step, "new"));
    else {
        bytes_of(step, &bytes);
        if (strcmp(op, "append") == 0)
            buffer_append(b, buffer_span(&bytes));
        else if (strcmp(op, "set_bytes") == 0)
            memcpy(b->data + offset_in(b, offset), bytes.data, bytes.len);
        else
            fail_msg("a step that no test knows: %s", op);
    }
}

static void step_apply(struct attest_case *c, const json_t *step)
{
    const char *op = text_of(step, "op"), *role = text_of(step, "file");
    if (strcmp(op, "use_file") == 0)
        load(text_of(step, "path"), slot(c, role));
    else if (strcmp(op, "use_vector_file") == 0)
        load(text_of(json_object_get(vector_of(text_of(step, "vector")), "files"),
                     text_of(step, "role")),
             slot(c, role));
    else if (strcmp(op, "use_collateral") == 0)
        files_load(c, vector_of(text_of(step, "collateral")), "collateral.");
    else
        step_bytes(op, step, slot(c, role));
}

static bool among(const json_t *reasons, const char *reason)
{
    size_t i;
    json_t *r;
    if (json_is_string(reasons)) return strcmp(json_string_value(reasons), reason) == 0;
    json_array_foreach(reasons, i,
                       r) if (strcmp(json_string_value(r), reason) == 0) return true;
    return false;
}

static void story_print(void)
{
    for (size_t i = 0; i < verdict.n_checks; i++)
        fprintf(stderr, "    %d %s: %s\n", (int)verdict.checks[i].result,
                verdict.checks[i].name, verdict.checks[i].detail);
}

/* `word` names the case; reasons and others: json texts or arrays of them, or NULL. */
static void expect(struct attest_case *c, const char *word, const json_t *want,
                   const json_t *reasons, const json_t *others)
{
    const struct kind *k = &kinds[kind_at(c->vector)];
    bool valid = strcmp(json_string_value(want), "valid") == 0;
    const char *why;
    k->judge(c, &verdict);
    why = reason_name(verdict.reason);
    bool right = verdict.genuine == valid &&
                 (valid || among(reasons, why) || (others && among(others, why)));
    if (!right) {
        story_print();
        fail_msg("%s, %s: %s (%s)", text_of(c->vector, "name"), word,
                 verdict.genuine ? "valid" : "invalid", why);
    }
    const struct claims *claims;
    if (!valid && (verdict_claims(&verdict, &claims) == APEX_OK || verdict.findings != 0 ||
                   verdict.measurement_len != 0))
        fail_msg("%s, %s: what failed can be read", text_of(c->vector, "name"), word);
}

static void findings_expect(const struct attest_case *c)
{
    const json_t *want = json_object_get(c->vector, "policy_findings");
    size_t n = 0;
    for (unsigned f = 0; f < FINDINGS; f++) {
        bool found = (verdict.findings >> f & 1) != 0;
        n += found;
        if (found != among(want, finding_name(f)))
            fail_msg("%s: %s is %s", text_of(c->vector, "name"), finding_name(f),
                     found ? "found" : "not found");
    }
    if (n != json_array_size(want))
        fail_msg("%s: %zu findings of %zu", text_of(c->vector, "name"), n,
                 json_array_size(want));
}

static void vector_run(const json_t *vector, size_t kind)
{
    struct attest_case c;
    size_t i;
    json_t *time, *variant;
    const json_t *others = json_object_get(vector, "also_acceptable_reasons");
    case_open(vector, &c);
    c.at_ms = json_is_string(json_object_get(vector, "at_time"))
                  ? ms_of(text_of(vector, "at_time"))
                  : 0;
    expect(&c, "as it is", json_object_get(vector, "verdict"),
           json_object_get(vector, "reason"), others);
    count[kind].vectors++;
    if (verdict.genuine) {
        findings_expect(&c);
        if (kinds[kind].compare) kinds[kind].compare(&c, &verdict);
    }
    json_array_foreach(json_object_get(vector, "variants"), i, variant)
    {
        c.option = text_of(variant, "option");
        expect(&c, c.option, json_object_get(variant, "verdict"),
               json_object_get(variant, "reason"), NULL);
        count[kind].variants++;
    }
    c.option = NULL;
    json_array_foreach(json_object_get(vector, "times"), i, time)
    {
        c.at_ms = ms_of(text_of(time, "at"));
        expect(&c, text_of(time, "at"), json_object_get(time, "verdict"),
               json_object_get(time, "reason"), others);
        count[kind].times++;
    }
    case_close(&c);
}

static void every_vector_gets_its_verdict_at_every_time(void **state)
{
    size_t i;
    json_t *vector;
    (void)state;
    json_array_foreach(json_object_get(manifest, "vectors"), i, vector)
    {
        size_t kind = kind_at(vector);
        if (kinds[kind].judge) vector_run(vector, kind);
    }
}

static void recipe_run(const json_t *recipe, const json_t *vector)
{
    struct attest_case c;
    size_t i;
    json_t *step;
    const char *at = text_of(recipe, "at");
    case_open(vector, &c);
    json_array_foreach(json_object_get(recipe, "steps"), i, step) step_apply(&c, step);
    if (!at) at = text_of(vector, "at_time");
    c.at_ms = at ? ms_of(at) : 0;
    expect(&c, text_of(recipe, "name"), json_object_get(recipe, "expect_verdict"),
           json_object_get(recipe, "expect_reason"), NULL);
    case_close(&c);
}

static void every_recipe_that_spoils_one_is_refused_for_its_reason(void **state)
{
    size_t i, k;
    json_t *recipe, *name;
    (void)state;
    json_array_foreach(json_object_get(manifest, "recipes"), i, recipe)
    {
        json_array_foreach(json_object_get(recipe, "apply_to"), k, name)
        {
            const json_t *vector = vector_of(json_string_value(name));
            size_t kind = kind_at(vector);
            if (!kinds[kind].judge) continue;
            recipe_run(recipe, vector);
            count[kind].recipes++;
        }
    }
    for (size_t kind = 0; kind < KINDS; kind++)
        if (kinds[kind].judge)
            printf("# %s: %zu vectors, at %zu times, %zu variants, %zu recipes\n",
                   kinds[kind].kind, count[kind].vectors, count[kind].times,
                   count[kind].variants, count[kind].recipes);
        else
            printf("# %s: not judged here: %s\n", kinds[kind].kind, kinds[kind].why_not);
}

static const json_t *root_entry(const char *file)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(manifest, "roots"), i,
                       r) if (strcmp(text_of(r, "file"), file) == 0) return r;
    fail_msg("%s is not in the manifest", file);
    return NULL;
}

static void the_roots_compiled_in_are_those_published(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROOTS; i++) {
        const json_t *entry = root_entry(root_file(i));
        CERTIFICATE_FREED *root = NULL;
        BUFFER_CLEARED pem = {0};
        char hex[65], name[CERTIFICATE_NAME_MAX];
        uint8_t digest[32];
        sha256(vendor_roots()->der[i], digest);
        hex_write(SPAN(digest), hex);
        assert_string_equal(hex, text_of(entry, "sha256_der"));
        CHECK_OK(certificate_parse(vendor_roots()->der[i], &root));
        CHECK_OK(certificate_subject(root, name));
        assert_string_equal(name, text_of(entry, "subject_cn"));
        load(root_file(i), &pem);
        CERTIFICATE_FREED *same = NULL;
        CHECK_OK(certificate_parse(buffer_span(&pem), &same));
        CHECK(certificate_same(root, same));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_roots_compiled_in_are_those_published),
        cmocka_unit_test(every_vector_gets_its_verdict_at_every_time),
        cmocka_unit_test(every_recipe_that_spoils_one_is_refused_for_its_reason),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
