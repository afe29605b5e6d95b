/* A manifest with every key there is, broken in every place: jansson walks it, so that no key
 * is forgotten. */
#include "common/base/buffer.h"
#include "common/wire/manifest.h"
#include "tests/check.h"

#include <jansson.h>
#include <malloc.h>

#define H8 "0123abcd"
#define H32 H8 H8 H8 H8
#define H64 H32 H32

static const char full[] =
    "{\"apex\": 1, \"name\": \"full\", \"purpose\": \"Every key there is.\",\n"
    " \"program\": {\"x86_64\": \"sha256:" H64 "\"},\n"
    " \"source\": {\"at\": \"contracts/full\", \"build\": \"make\"},\n"
    " \"enclaves\": [{\"tee\": \"sim\", \"measurement\": \"" H64
    "\"}, {\"tee\": \"sev-snp\", \"measurement\": \"" H64 H32 "\"}],\n"
    " \"parties\": [{\"name\": \"a\", \"sign\": \"" H64 "\", \"seal\": \"" H64
    "\", \"may\": [\"contribute\", \"run\", \"receive\", \"approve\", \"audit\"]},\n"
    "  {\"name\": \"b\", \"sign\": \"ff" H32 H8 H8 H8 "abcdef\", \"seal\": \"" H64
    "\", \"may\": []}],\n"
    " \"datasets\": [{\"name\": \"d\", \"columns\": [\n"
    "   {\"name\": \"lat\", \"type\": \"latitude\", \"unit\": \"degree\", \"min\": 10, "
    "\"max\": 50.5},\n"
    "   {\"name\": \"lon\", \"type\": \"longitude\"}, {\"name\": \"f\", \"type\": \"float64\", "
    "\"min\": -1.5, \"missing\": true},\n"
    "   {\"name\": \"i\", \"type\": \"int64\", \"max\": 4294967295}, {\"name\": \"c\", "
    "\"type\": \"category\", \"values\": [\"r\", \"Gr\u00fcn 2\"]}, {\"name\": \"o\", "
    "\"type\": \"bool\"},\n"
    "   {\"name\": \"t\", \"type\": \"date\", \"min\": 0, \"missing\": false}]},\n"
    "  {\"name\": \"e\", \"columns\": [{\"name\": \"f\", \"type\": \"float64\"}]}],\n"
    " \"functions\": [{\"name\": \"g\", \"datasets\": [\"d\", \"e\"], \"rows\": \"e\", "
    "\"release\": \"requester\", \"params\": [\n"
    "   {\"name\": \"n\", \"type\": \"int\", \"min\": -3, \"max\": 3, \"default\": 2}, "
    "{\"name\": \"x\", \"type\": \"float\", \"min\": 0.25, \"max\": 0.75},\n"
    "   {\"name\": \"y\", \"type\": \"bool\", \"default\": true}, {\"name\": \"z\", \"type\": "
    "\"choice\", \"choices\": [\"one\", \"two\"], \"default\": \"two\"},\n"
    "   {\"name\": \"p\", \"type\": \"points\", \"max_items\": 10, \"dims\": 3}]},\n"
    "  {\"name\": \"h\", \"datasets\": [\"e\"], \"release\": \"receivers\", \"trains\": true, "
    "\"params\": []},\n"
    "  {\"name\": \"u\", \"datasets\": [\"d\"], \"release\": \"receivers\", \"uses\": \"h\", "
    "\"exports\": true, \"private\": true, \"params\": [\n"
    "   {\"name\": \"epsilon\", \"type\": \"float\", \"min\": 0.01, \"max\": 9}]}],\n"
    " \"release\": {\"minimum_rows\": 10, \"minimum_contributors\": 2, \"maximum_share\": "
    "0.5},\n"
    " \"privacy\": {\"epsilon\": 2.5, \"delta\": 0.0001}, \"oblivious\": false,\n"
    " \"quotas\": {\"runs_per_party\": 1, \"rows_per_party\": 2, \"memory_mb\": 3, "
    "\"cpu_seconds\": 4, \"output_mb\": 5},\n"
    " \"expires\": \"2030-01-02T03:04:05Z\"}\n";

static void a_manifest_with_every_key_is_read(void **state)
{
    (void)state;
    struct manifest *m;
    struct manifest_error error;
    if (manifest_parse(span_text(full), &m, &error) != APEX_OK)
        fail_msg("%zu:%zu %s: %s", error.line, error.column, error.where, error.what);
    assert_string_equal(m->name, "full");
    assert_string_equal(m->purpose, "Every key there is.");
    CHECK(m->n_programs == 1 && m->programs[0].digest[0] == 0x01 &&
          m->programs[0].digest[31] == 0xcd);
    assert_string_equal(m->programs[0].arch, "x86_64");
    CHECK(m->n_enclaves == 2 && m->enclaves[0].measurement.len == 32 &&
          m->enclaves[1].measurement.len == 48);
    CHECK(m->n_parties == 2 && m->parties[0].may == 31 && m->parties[1].may == 0 &&
          m->parties[1].sign[0] == 0xff);
    CHECK(manifest_party_by_key(m, m->parties[1].sign) == &m->parties[1]);
    CHECK(manifest_party_by_key(m, (const uint8_t[32]){0}) == NULL);
    CHECK(m->n_datasets == 2 && m->datasets[0].n_columns == 7);
    CHECK(manifest_dataset_by_name(m, SPAN_TEXT("e")) == &m->datasets[1]);
    CHECK(manifest_dataset_by_name(m, SPAN_TEXT("f")) == NULL);
    static const struct manifest_column want[] = {
        {"lat", COLUMN_LATITUDE, "degree", false, true, true, 10, 50.5},
        {"lon", COLUMN_LONGITUDE, "", false, true, true, -180, 180},
        {"f", COLUMN_FLOAT64, "", true, true, false, -1.5, 0},
        {"i", COLUMN_INT64, "", false, false, true, 0, 4294967295.0},
        {"c", COLUMN_CATEGORY, "", false, false, false, 0, 0},
        {"o", COLUMN_BOOL, "", false, false, false, 0, 0},
        {"t", COLUMN_DATE, "", false, true, false, 0, 0}};
    for (size_t i = 0; i < 7; i++) {
        const struct manifest_column *c = &m->datasets[0].columns[i], *w = &want[i];
        assert_string_equal(c->name, w->name);
        assert_string_equal(c->unit, w->unit);
        CHECK(c->type == w->type && c->missing == w->missing && c->has_min == w->has_min &&
              c->has_max == w->has_max);
        CHECK(c->min == w->min && c->max == w->max);
    }
    const struct manifest_column *c = &m->datasets[0].columns[4];
    CHECK(c->n_values == 2 && manifest_column_allows(c, SPAN_TEXT("Gr\u00fcn 2")));
    CHECK(!manifest_column_allows(c, SPAN_TEXT("R")) &&
          !manifest_column_allows(c, SPAN_TEXT("")));
    CHECK(m->datasets[0].columns[0].n_values == 0 &&
          manifest_column_allows(&m->datasets[0].columns[0], SPAN_TEXT("any")));
    const struct manifest_function *f = manifest_function_by_name(m, SPAN_TEXT("g"));
    CHECK(f == &m->functions[0] && f->n_datasets == 2 && f->datasets[0] == 0 &&
          f->datasets[1] == 1 && f->has_rows && f->rows == 1);
    CHECK(f->to_requester && !m->functions[1].to_requester && f->n_params == 5 &&
          !m->functions[1].has_rows);
    CHECK(f->params[0].type == PARAM_INT && f->params[0].has_default && f->params[0].def == 2 &&
          f->params[0].min == -3);
    CHECK(f->params[1].type == PARAM_FLOAT && !f->params[1].has_default &&
          f->params[1].max == 0.75);
    CHECK(f->params[2].type == PARAM_BOOL && f->params[2].has_default && f->params[2].def == 1);
    CHECK(f->params[3].type == PARAM_CHOICE && f->params[3].n_choices == 2 &&
          f->params[3].def == 1);
    CHECK(f->params[4].type == PARAM_POINTS && f->params[4].max_items == 10 &&
          f->params[4].dims == 3);
    f = &m->functions[2];
    CHECK(m->functions[1].trains && !m->functions[1].uses && !m->functions[0].trains);
    CHECK(f->uses && f->model == 1 && f->exports && f->is_private && !f->trains);
    CHECK(manifest_epsilon(f) == &f->params[0] && manifest_epsilon(&m->functions[0]) == NULL);
    CHECK(m->privacy.given && m->privacy.epsilon_micro == 2500000 &&
          m->privacy.delta == 0.0001 && m->not_oblivious);
    CHECK(m->release.minimum_rows == 10 && m->release.minimum_contributors == 2 &&
          m->release.maximum_share == 0.5);
    CHECK(m->quotas.runs_per_party == 1 && m->quotas.rows_per_party == 2 &&
          m->quotas.memory_mb == 3 && m->quotas.cpu_seconds == 4);
    CHECK(m->quotas.output_mb == 5 && m->expires_ms == INT64_C(1893553445000));
    manifest_free(m);
}

/* Replaces the n-th (0: first) `find`; aborts the test when there is none, so that no case goes
 * stale. */
static void replaced(const char *text, const char *find, const char *put, struct buffer *out)
{
    const char *at = strstr(text, find);
    if (!at) fail_msg("no %s in the manifest", find);
    out->len = 0;
    buffer_append(out, span_of(text, (size_t)(at - text)));
    buffer_text(out, put);
    buffer_text(out, at + strlen(find));
    CHECK_OK(buffer_ok(out));
}

static void refused(struct span text, const char *where, const char *what)
{
    struct manifest *m = NULL;
    struct manifest_error error = {0};
    apex_status s = manifest_parse(text, &m, &error);
    if (s == APEX_OK) manifest_free(m);
    if (s != APEX_E_FORMAT || strcmp(error.where, where) != 0 || !strstr(error.what, what) ||
        error.line < 1 || error.column < 1)
        fail_msg("wanted %s: %s; got %d, %zu:%zu %s: %s", where, what, s, error.line,
                 error.column, error.where, error.what ? error.what : "");
    CHECK_STATUS(manifest_parse(text, &m, NULL), APEX_E_FORMAT);
}

/* A walk over all objects of the manifest. */
typedef void visit_fn(json_t *root, json_t *object, const char *path);

static void walk(json_t *root, json_t *node, const char *path, visit_fn *visit)
{
    char below[200];
    const char *key;
    json_t *value;
    size_t at;
    if (json_is_object(node) && strcmp(path, "program") != 0) {
        visit(root, node, path);
        json_object_foreach(node, key, value)
        {
            snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", key);
            walk(root, value, below, visit);
        }
    }
    json_array_foreach(node, at, value)
    {
        snprintf(below, sizeof below, "%s[%zu]", path, at);
        walk(root, value, below, visit);
    }
}

static void root_refused(const json_t *root, const char *path, const char *key,
                         const char *what)
{
    char where[200];
    char *text = json_dumps(root, JSON_INDENT(1));
    snprintf(where, sizeof where, "%s%s%s", path, *path && *key ? "." : "", key);
    refused(span_text(text), where, what);
    free(text);
}

static void unknown_key(json_t *root, json_t *object, const char *path)
{
    CHECK(json_object_set_new(object, "colour", json_integer(1)) == 0);
    root_refused(root, path, "colour", "not known");
    CHECK(json_object_del(object, "colour") == 0);
}

static void missing_key(json_t *root, json_t *object, const char *path)
{
    static const char *const optional[] = {
        "unit", "min",    "max",    "missing", "rows",    "default", "choices", "max_items",
        "dims", "values", "trains", "uses",    "exports", "private", "privacy", "oblivious"};
    size_t n = json_object_size(object);
    for (size_t i = 0; i < n; i++) {
        /* Copies, because taking a key out and putting it back would move it to the end. */
        json_t *copy = json_deep_copy(object);
        void *at = json_object_iter(object);
        for (size_t k = 0; k < i; k++)
            at = json_object_iter_next(object, at);
        char key[40];
        bool required = true;
        snprintf(key, sizeof key, "%s", json_object_iter_key(at));
        for (size_t k = 0; k < sizeof optional / sizeof *optional; k++)
            required &= strcmp(key, optional[k]) != 0;
        if (required) {
            json_object_del(object, key);
            bool referred =
                *path == 0 && strcmp(key, "datasets") == 0; /* the functions miss them first */
            root_refused(root, referred ? "functions[0].datasets[0]" : path,
                         referred ? "" : key, referred ? "no dataset" : "missing");
            json_object_clear(object);
            json_object_update(object, copy);
        }
        json_decref(copy);
    }
}

static void repeated_key(json_t *root, json_t *object, const char *path)
{
    size_t n = json_object_size(object);
    for (size_t i = 0; i < n; i++) {
        void *at = json_object_iter(object);
        for (size_t k = 0; k < i; k++)
            at = json_object_iter_next(object, at);
        char quoted[50], where[200];
        BUFFER_CLEARED out = {0};
        snprintf(quoted, sizeof quoted, "\"%s\"", json_object_iter_key(at));
        snprintf(where, sizeof where, "%s%s%s", path, *path ? "." : "",
                 json_object_iter_key(at));
        CHECK(json_object_set(object, "@again", json_object_iter_value(at)) == 0);
        char *text = json_dumps(root, 0);
        json_object_del(object, "@again");
        replaced(text, "\"@again\"", quoted, &out);
        refused(buffer_span(&out), where, "twice");
        free(text);
    }
}

static void wrong_type(json_t *root, json_t *object, const char *path)
{
    size_t n = json_object_size(object);
    for (size_t i = 0; i < n; i++) {
        void *at = json_object_iter(object);
        for (size_t k = 0; k < i; k++)
            at = json_object_iter_next(object, at);
        char key[40], where[200];
        json_t *value = json_incref(json_object_iter_value(at));
        snprintf(key, sizeof key, "%s", json_object_iter_key(at));
        snprintf(where, sizeof where, "%s%s%s", path, *path ? "." : "", key);
        const char *what = strcmp(key, "default") == 0 ? "default is" : "expected";
        json_object_set_new(object, key, json_null());
        root_refused(root, where, "", what);
        json_object_set_new(object, key, json_is_array(value) ? json_object() : json_array());
        root_refused(root, where, "", what);
        json_object_set_new(object, key, value);
    }
}

static void walked(visit_fn *visit)
{
    json_error_t error;
    json_t *root = json_loads(full, 0, &error);
    assert_non_null(root);
    walk(root, root, "", visit);
    json_decref(root);
}

static void an_unknown_key_is_refused_in_every_object(void **state)
{
    (void)state;
    walked(unknown_key);
}
static void a_missing_key_is_refused_in_every_object(void **state)
{
    (void)state;
    walked(missing_key);
}
static void a_repeated_key_is_refused_in_every_object(void **state)
{
    (void)state;
    walked(repeated_key);
}
static void a_value_of_another_type_is_refused_at_every_key(void **state)
{
    (void)state;
    walked(wrong_type);
}

static const struct {
    const char *find, *put, *where, *what;
} bounds[] = {
    {"\"apex\": 1", "\"apex\": 2", "apex", "version 1"},
    {"\"full\"", "\"Full\"", "name", "lower-case"},
    {"\"full\"", "\"\"", "name", "lower-case"},
    {"\"full\"", "\"-full\"", "name", "lower-case"},
    {"\"full\"", "\"_full\"", "name", "lower-case"},
    {"\"full\"", "\"fu ll\"", "name", "lower-case"},
    {"\"full\"", "\"f\\u00fcll\"", "name", "lower-case"},
    {"\"full\"", "\"" H64 "0\"", "name", "too long"},
    {"Every key", "Every\\nkey", "purpose", "control"},
    {"Every key", "Every\\u0000key", "purpose", "control"},
    {"Every key", "Every\\u007fkey", "purpose", "control"},
    {"\"sha256:" H64, "\"sha256:" H32, "program", "hex"},
    {"\"sha256:" H64, "\"sha512:" H64, "program", "sha256"},
    {"{\"x86_64\": \"sha256:" H64 "\"}", "{}", "program", "at least one"},
    {"\"x86_64\"", "\"x86_64\": \"sha256:" H64 "\", \"x86_64\"", "program", "twice"},
    {"\"measurement\": \"0123",
     "\"measurement\": \"0123"
     "0",
     "enclaves[0].measurement", "hex"},
    {"\"measurement\": \"0123", "\"measurement\": \"012X", "enclaves[0].measurement", "hex"},
    {"\"sev-snp\"", "\"tdx\"", "enclaves[1]", "MRTD alone accepts any kernel"},
    {"\"sev-snp\", \"measurement\": \"", "\"sev-snp\", \"measurement\": \"" H64 H64 H64,
     "enclaves[1]", "a TD's"},
    {"\"measurement\": \"0123", "\"measurement\": \"012A", "enclaves[0].measurement", "hex"},
    {"\"name\": \"b\"", "\"name\": \"a\"", "parties[1]", "this name"},
    {"\"sign\": \"ff" H32 H8 H8 H8 "abcdef\"", "\"sign\": \"" H64 "\"", "parties[1]",
     "signing key"},
    {"\"seal\": \"0", "\"seal\": \"", "parties[0].seal", "hex"},
    {"\"contribute\", \"run\"", "\"contribute\", \"contribute\"", "parties[0].may[1]", "twice"},
    {"\"contribute\", \"run\"", "\"contribute\", \"rule\"", "parties[0].may[1]", "one of"},
    {"\"approve\", ", "", "", "approve"},
    {"\"name\": \"e\", \"columns\"", "\"name\": \"d\", \"columns\"", "datasets[1]",
     "this name"},
    {"\"name\": \"lon\"", "\"name\": \"lat\"", "datasets[0].columns[1]", "this name"},
    {"\"float64\"", "\"float32\"", "datasets[0].columns[2].type", "one of"},
    {"[{\"name\": \"f\", \"type\": \"float64\"}]", "[]", "datasets[1].columns", "too few"},
    {"\"min\": 10", "\"min\": 60", "datasets[0].columns[0]", "above max"},
    {"\"min\": 10", "\"min\": -90.5", "datasets[0].columns[0]", "-90..90"},
    {"\"max\": 50.5", "\"max\": 91", "datasets[0].columns[0]", "-90..90"},
    {"\"type\": \"longitude\"", "\"type\": \"longitude\", \"max\": 180.5",
     "datasets[0].columns[1]", "-180..180"},
    {"\"type\": \"category\"", "\"type\": \"category\", \"min\": 1", "datasets[0].columns[4]",
     "no meaning"},
    {"\"type\": \"bool\"}", "\"type\": \"bool\", \"max\": 1}", "datasets[0].columns[5]",
     "no meaning"},
    {"[\"r\", ", "[\"r\", \"r\", ", "datasets[0].columns[4].values[1]", "twice"},
    {"[\"r\", ", "[\"\", ", "datasets[0].columns[4].values[0]", "at least one byte"},
    {"[\"r\", \"Gr\u00fcn 2\"]", "[]", "datasets[0].columns[4].values", "too few"},
    {"\"type\": \"bool\"}", "\"type\": \"bool\", \"values\": [\"true\"]}",
     "datasets[0].columns[5]", "a category only"},
    {"\"min\": 10", "\"min\": 1e1", "datasets[0].columns[0].min", "15 digits"},
    {"\"min\": 10", "\"min\": 10.12345678901234", "datasets[0].columns[0].min", "15 digits"},
    {"\"min\": 10", "\"min\": \"10\"", "datasets[0].columns[0].min", "number"},
    {"\"datasets\": [\"d\"", "\"datasets\": [\"q\"", "functions[0].datasets[0]", "no dataset"},
    {"\"datasets\": [\"d\", \"e\"]", "\"datasets\": [\"d\", \"d\"]", "functions[0].datasets[1]",
     "twice"},
    {"\"rows\": \"e\"", "\"rows\": \"q\"", "functions[0].rows", "no dataset"},
    {"\"datasets\": [\"e\"]", "\"datasets\": []", "functions[1]",
     "needs datasets, rows or a model"},
    {"\"uses\": \"h\"", "\"uses\": \"u\"", "functions[2].uses", "that trains"},
    {"\"uses\": \"h\"", "\"uses\": \"g\"", "functions[2].uses", "that trains"},
    {"\"trains\": true", "\"trains\": false", "functions[2].uses", "that trains"},
    {"\"uses\": \"h\", ", "", "functions[2]", "exports goes with"},
    {"\"name\": \"epsilon\"", "\"name\": \"eps\"", "functions[2]", "parameter epsilon"},
    {"\"min\": 0.01", "\"min\": 0", "functions[2]", "parameter epsilon"},
    {"\"epsilon\": 2.5", "\"epsilon\": 0", "privacy.epsilon", "0.000001"},
    {"\"epsilon\": 2.5", "\"epsilon\": 1000001", "privacy.epsilon", "1000000"},
    {"\"delta\": 0.0001", "\"delta\": -0.1", "privacy.delta", "0.01"},
    {"\"delta\": 0.0001", "\"delta\": 0.02", "privacy.delta", "0.01"},
    {"\"release\": \"requester\"", "\"release\": \"everyone\"", "functions[0].release",
     "receivers"},
    {"\"name\": \"h\"", "\"name\": \"g\"", "functions[1]", "this name"},
    {"\"name\": \"x\"", "\"name\": \"n\"", "functions[0].params[1]", "this name"},
    {"\"type\": \"int\"", "\"type\": \"integer\"", "functions[0].params[0].type", "one of"},
    {"\"min\": -3, ", "", "functions[0].params[0]", "need min and max"},
    {"\"min\": -3", "\"min\": 4", "functions[0].params[0]", "need min and max"},
    {"\"min\": -3", "\"min\": -3.5", "functions[0].params[0]", "whole"},
    {"\"default\": 2", "\"default\": 4", "functions[0].params[0]", "out of bounds"},
    {"\"default\": 2", "\"default\": 1.5", "functions[0].params[0]", "whole"},
    {"\"default\": 2", "\"default\": \"2\"", "functions[0].params[0]", "out of bounds"},
    {"\"default\": 2", "\"default\": true", "functions[0].params[0]", "out of bounds"},
    {"\"default\": true", "\"default\": 1", "functions[0].params[2]", "true or false"},
    {"\"default\": true", "\"default\": true, \"min\": 0", "functions[0].params[2]",
     "min and max"},
    {"\"default\": \"two\"", "\"default\": \"three\"", "functions[0].params[3]", "not one of"},
    {"\"default\": \"two\"", "\"default\": 1", "functions[0].params[3]", "not one of"},
    {"[\"one\", \"two\"]", "[\"one\", \"one\"]", "functions[0].params[3].choices[1]", "twice"},
    {"[\"one\", \"two\"]", "[]", "functions[0].params[3].choices", "too few"},
    {"\"choices\": [\"one\", \"two\"], \"default\": \"two\"", "\"default\": \"two\"",
     "functions[0].params[3]", "needs its choices"},
    {"\"max_items\": 10, ", "", "functions[0].params[4]", "both"},
    {"\"dims\": 3", "\"dims\": 0", "functions[0].params[4].dims", "at least one"},
    {"\"dims\": 3", "\"dims\": 65", "functions[0].params[4].dims", "in range"},
    {"\"max_items\": 10", "\"max_items\": 4097", "functions[0].params[4].max_items",
     "in range"},
    {"\"dims\": 3", "\"dims\": 3, \"default\": 1", "functions[0].params[4]", "no default"},
    {"\"minimum_rows\": 10", "\"minimum_rows\": 0", "release", "at least 1"},
    {"\"minimum_rows\": 10", "\"minimum_rows\": -1", "release.minimum_rows", "in range"},
    {"\"minimum_rows\": 10", "\"minimum_rows\": 1.5", "release.minimum_rows", "in range"},
    {"\"minimum_rows\": 10", "\"minimum_rows\": 9007199254740993", "release.minimum_rows",
     "15 digits"},
    {"\"minimum_contributors\": 2", "\"minimum_contributors\": 0", "release", "at least 1"},
    {"\"minimum_contributors\": 2", "\"minimum_contributors\": 3", "",
     "above the number of parties"},
    {"\"maximum_share\": 0.5", "\"maximum_share\": 0", "release.maximum_share", "above 0"},
    {"\"maximum_share\": 0.5", "\"maximum_share\": 1.01", "release.maximum_share", "above 0"},
    {"\"memory_mb\": 3", "\"memory_mb\": 1048577", "quotas.memory_mb", "in range"},
    {"\"cpu_seconds\": 4", "\"cpu_seconds\": 604801", "quotas.cpu_seconds", "in range"},
    {"\"output_mb\": 5", "\"output_mb\": 257", "quotas.output_mb", "in range"},
    {"2030-01-02T03:04:05Z", "2030-01-02T03:04:05", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "2030-02-29T03:04:05Z", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "2030-13-01T03:04:05Z", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "2030-01-02T24:04:05Z", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "2030-01-02T03:04:60Z", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "1969-12-31T23:59:59Z", "expires", "a time"},
    {"2030-01-02T03:04:05Z", "2030-01-02t03:04:05z", "expires", "a time"},
    {"\"2030-01-02T03:04:05Z\"}", "\"2030-01-02T03:04:05Z\"},", "", "JSON"},
    {"\"expires\"", "expires", "", "JSON"},
};

static void every_bound_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        BUFFER_CLEARED text = {0};
        replaced(full, bounds[i].find, bounds[i].put, &text);
        refused(buffer_span(&text), bounds[i].where, bounds[i].what);
    }
}

static void what_lies_just_inside_the_bounds_passes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\"full\"", "\"" H64 "\""},
        {"\"full\"", "\"0_-\""},
        {"\"min\": 10", "\"min\": -90"},
        {"\"max\": 50.5", "\"max\": 90"},
        {"\"min\": 10", "\"min\": 10.1234567890123"},
        {"\"min\": 10", "\"min\": -0"},
        {"\"dims\": 3", "\"dims\": 64"},
        {"\"max_items\": 10", "\"max_items\": 4096"},
        {"\"maximum_share\": 0.5", "\"maximum_share\": 1"},
        {"\"memory_mb\": 3", "\"memory_mb\": 1048576"},
        {"\"output_mb\": 5", "\"output_mb\": 256"},
        {"2030-01-02T03:04:05Z", "2028-02-29T23:59:59Z"},
        {"2030-01-02T03:04:05Z", "1970-01-01T00:00:00Z"},
        {"\"minimum_contributors\": 2", "\"minimum_contributors\": 1"},
        {"\"minimum_rows\": 10", "\"minimum_rows\": 900719925474099"},
        {"Every key", "Every\\u00e9 \xe2\x82\xac key"},
        {"\"default\": 2", "\"default\": -3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED text = {0};
        struct manifest *m;
        replaced(full, cases[i][0], cases[i][1], &text);
        CHECK_OK(manifest_parse(buffer_span(&text), &m, NULL));
        manifest_free(m);
    }
}

/* `one` repeated n times between commas, with # as its number. */
static void many(struct buffer *out, const char *one, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        buffer_text(out, i ? ", " : "");
        for (const char *c = one; *c; c++) {
            if (*c == '#')
                buffer_text(out, number);
            else
                buffer_u8(out, (uint8_t)*c);
        }
    }
    buffer_u8(out, 0);
}

static void arrays_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *find, *one, *where;
        size_t already, max;
    } cases[] = {
        {"\"enclaves\": [", "{\"tee\": \"sim\", \"measurement\": \"" H64 "\"}", "enclaves", 2,
         ENCLAVES_MAX},
        {"\"datasets\": [{",
         "{\"name\": \"x#\", \"columns\": [{\"name\": \"f\", \"type\": \"bool\"}]}", "datasets",
         2, DATASETS_MAX},
        {"\"columns\": [", "{\"name\": \"x#\", \"type\": \"bool\"}", "datasets[0].columns", 7,
         COLUMNS_MAX},
        {"\"functions\": [",
         "{\"name\": \"x#\", \"datasets\": [\"d\"], \"release\": \"requester\", \"params\": "
         "[]}",
         "functions", 3, FUNCTIONS_MAX},
        {"\"params\": [", "{\"name\": \"x#\", \"type\": \"bool\"}", "functions[0].params", 5,
         PARAMS_MAX},
        {"\"choices\": [", "\"x#\"", "functions[0].params[3].choices", 2, CHOICES_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t over = 0; over < 2; over++) {
            BUFFER_CLEARED items = {0}, put = {0}, text = {0};
            size_t open = strcspn(cases[i].find, "[") + 1;
            many(&items, cases[i].one, cases[i].max - cases[i].already + over);
            buffer_append(&put, span_of(cases[i].find, open));
            buffer_text(&put, (const char *)items.data);
            buffer_text(&put, ", ");
            buffer_text(&put, cases[i].find + open);
            buffer_u8(&put, 0);
            replaced(full, cases[i].find, (const char *)put.data, &text);
            struct manifest *m;
            if (over) {
                refused(buffer_span(&text), cases[i].where, "too many");
                continue;
            }
            CHECK_OK(manifest_parse(buffer_span(&text), &m, NULL));
            manifest_free(m);
        }
    }
}

static void a_manifest_cut_short_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    BUFFER_CLEARED text = {0};
    struct manifest *m;
    size_t whole = sizeof full - 2; /* without its last newline */
    for (size_t len = 0; len < whole; len++)
        CHECK_STATUS(manifest_parse(span_of(full, len), &m, NULL), APEX_E_FORMAT);
    CHECK_OK(manifest_parse(span_of(full, whole), &m, NULL));
    manifest_free(m);
    buffer_text(&text, full);
    buffer_text(&text, "{}");
    refused(buffer_span(&text), "", "JSON");
    text.len -= 2;
    while (text.len < MANIFEST_MAX)
        buffer_text(&text, " ");
    CHECK_OK(manifest_parse(buffer_span(&text), &m, NULL));
    manifest_free(m);
    buffer_text(&text, " ");
    CHECK_STATUS(manifest_parse(buffer_span(&text), &m, NULL), APEX_E_LIMIT);
}

/* The template's holes, as `apex contract new` fills them. */
static void template_read(const char *path, struct buffer *out)
{
    static const char *const holes[][2] = {
        {"@PROGRAM@", H64},
        {"@EXPIRES@", "2030-01-01T00:00:00Z"},
        {"@TEE@", "sim"},
        {"@MEASUREMENT@", H64},
        {"@PARTIES@", "{\"name\": \"a\", \"sign\": \"" H64 "\", \"seal\": \"" H64
                      "\", \"may\": [\"approve\"]}, "
                      "{\"name\": \"b\", \"sign\": \"ff" H32 H8 H8 H8
                      "abcdef\", \"seal\": \"" H64 "\", \"may\": [\"run\"]}"}};
    char raw[16384] = {0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    CHECK(fread(raw, 1, sizeof raw - 1, f) > 0);
    fclose(f);
    buffer_text(out, raw);
    buffer_u8(out, 0);
    for (size_t i = 0; i < 5; i++) {
        BUFFER_CLEARED next = {0};
        replaced((const char *)out->data, holes[i][0], holes[i][1], &next);
        out->len = 0;
        buffer_append(out, buffer_span(&next));
        buffer_u8(out, 0);
    }
    out->len--;
}

static void the_manifests_of_our_contracts_are_read(void **state)
{
    (void)state;
    static const char *const paths[] = {"contracts/cluster/manifest.json",
                                        "contracts/classify/manifest.json"};
    for (size_t i = 0; i < 2; i++) {
        BUFFER_CLEARED text = {0};
        struct manifest *m;
        struct manifest_error error;
        template_read(paths[i], &text);
        if (manifest_parse(buffer_span(&text), &m, &error) != APEX_OK)
            fail_msg("%s: %zu:%zu %s: %s", paths[i], error.line, error.column, error.where,
                     error.what);
        CHECK(m->n_parties == 2 && m->n_functions >= 3);
        manifest_free(m);
    }
}

static void a_place_is_a_line_and_a_column(void **state)
{
    (void)state;
    struct manifest *m;
    struct manifest_error error;
    CHECK_STATUS(manifest_parse(SPAN_TEXT("{\"apex\": 1,\n  \"name\": \"Bad\"}"), &m, &error),
                 APEX_E_FORMAT);
    CHECK(error.line == 2 && error.column == 11);
}

static void a_text_without_any_token_is_refused_at_its_start(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "  ", "\n\n"};
    for (size_t i = 0; i < 3; i++)
        refused(span_text(cases[i]), "",
                "JSON"); /* which holds line and column to 1 and more */
}

/* Places are printed on terminals and travel in replies, whose texts must be UTF-8. */
static void a_place_holds_printable_ascii_whatever_the_key(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\\u001b[2J", "?[2J"},
        {"", "(empty)"},
        {"\\u0000x", "?x"},
        {"a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
         "a???????????????????"},
        {"0123456789012345678901234", "01234567890123456789"},
        {"\\u007f", "?"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"%s\": 1}", cases[i][0]);
        refused(span_text(text), cases[i][1], "not known");
    }
}

static void an_address_is_read_as_it_is_written(void **state)
{
    (void)state;
    uint8_t address[32], again[32];
    char text[ADDRESS_TEXT_LEN + 1];
    for (size_t i = 0; i < 32; i++)
        address[i] = (uint8_t)(255 - 3 * i);
    address_write(address, text);
    CHECK(strlen(text) == ADDRESS_TEXT_LEN && memcmp(text, "apex1", 5) == 0);
    CHECK_OK(address_parse(span_text(text), again));
    assert_memory_equal(address, again, 32);
    CHECK_STATUS(address_parse(span_of(text, ADDRESS_TEXT_LEN - 1), again), APEX_E_FORMAT);
    CHECK_STATUS(address_parse(span_of(text, ADDRESS_TEXT_LEN + 1), again), APEX_E_FORMAT);
    text[0] = 'A';
    CHECK_STATUS(address_parse(span_text(text), again), APEX_E_FORMAT);
    text[0] = 'a';
    text[10] = '1'; /* not in the alphabet */
    CHECK_STATUS(address_parse(span_text(text), again), APEX_E_FORMAT);
}

static size_t held(void)
{
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

/* It is held as long as its contract, and anybody may deploy one. */
static void a_manifest_takes_memory_in_proportion_to_its_text(void **state)
{
    (void)state;
    BUFFER_CLEARED columns = {0}, text = {0};
    char one[100];
    for (int i = 0; i < COLUMNS_MAX; i++) {
        snprintf(one, sizeof one,
                 "%s{\"name\": \"c%d\", \"type\": \"category\", \"values\": [\"v\"]}",
                 i ? "," : "", i);
        buffer_text(&columns, one);
    }
    buffer_u8(&columns, 0);
    replaced(full, "{\"name\": \"f\", \"type\": \"float64\"}", (const char *)columns.data,
             &text);
    CHECK_OK(buffer_ok(&text));
    size_t before = held();
    struct manifest *m;
    CHECK_OK(manifest_parse(span_of(text.data, text.len - 1), &m, NULL));
    CHECK(m->datasets[1].n_columns == COLUMNS_MAX);
    CHECK(held() - before < 1 << 20);
    manifest_free(m);
    CHECK(held() <= before + 65536); /* and all of it comes back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_with_every_key_is_read),
        cmocka_unit_test(an_unknown_key_is_refused_in_every_object),
        cmocka_unit_test(a_missing_key_is_refused_in_every_object),
        cmocka_unit_test(a_repeated_key_is_refused_in_every_object),
        cmocka_unit_test(a_value_of_another_type_is_refused_at_every_key),
        cmocka_unit_test(every_bound_is_refused_with_its_place),
        cmocka_unit_test(what_lies_just_inside_the_bounds_passes),
        cmocka_unit_test(arrays_are_bounded),
        cmocka_unit_test(a_manifest_cut_short_or_followed_by_more_is_refused),
        cmocka_unit_test(the_manifests_of_our_contracts_are_read),
        cmocka_unit_test(a_place_is_a_line_and_a_column),
        cmocka_unit_test(a_text_without_any_token_is_refused_at_its_start),
        cmocka_unit_test(a_place_holds_printable_ascii_whatever_the_key),
        cmocka_unit_test(an_address_is_read_as_it_is_written),
        cmocka_unit_test(a_manifest_takes_memory_in_proportion_to_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
