#include "common/wire/manifest.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <stdlib.h>

/* Every reader below takes one JSON value. Objects list their keys in a table: name, required,
 * and who reads the value. */

static apex_status read_names(struct reader *r, void *context, size_t max,
                              apex_status (*one)(struct reader *, void *))
{
    return read_array(r, context, 0, max, one);
}

/* program: {"x86_64": "sha256:<64 hex>"} */
static apex_status read_program(struct reader *r, void *context)
{
    struct manifest *m = context;
    char text[7 + 64 + 1], arch[NAME_MAX_LEN + 1];
    enum json_event e;
    TRY(reader_next(r, &e));
    if (e != JSON_OBJECT)
        return reader_fail(r, "an object {\"x86_64\": \"sha256:…\"} is expected");
    for (;;) {
        TRY(reader_next(r, &e));
        if (e == JSON_OBJECT_END) break;
        struct manifest_program *p = &m->programs[m->n_programs];
        if (m->n_programs == PROGRAMS_MAX) return reader_fail(r, "too many architectures");
        TRY(reader_copy(r, arch, NAME_MAX_LEN));
        for (size_t i = 0; i < m->n_programs; i++)
            if (strcmp(m->programs[i].arch, arch) == 0)
                return reader_fail(r, "this key occurs twice");
        memcpy(p->arch, arch, sizeof arch);
        TRY(read_text(r, text, sizeof text - 1));
        if (strncmp(text, "sha256:", 7) != 0 ||
            hex_parse(span_text(text + 7), p->digest, 32) != APEX_OK)
            return reader_fail(r, "\"sha256:\" and 64 lower-case hex digits are expected");
        m->n_programs++;
    }
    return m->n_programs ? APEX_OK : reader_fail(r, "at least one architecture is needed");
}

static apex_status read_at(struct reader *r, void *context)
{
    return read_text(r, ((struct manifest *)context)->source, TEXT_MAX);
}
static apex_status read_build(struct reader *r, void *context)
{
    return read_text(r, ((struct manifest *)context)->build, TEXT_MAX);
}

static apex_status read_source(struct reader *r, void *context)
{
    static const struct field fields[] = {{"at", true, read_at}, {"build", true, read_build}};
    return read_object(r, fields, 2, context);
}

static apex_status read_tee(struct reader *r, void *context)
{
    return read_name(r, ((struct manifest_enclave *)context)->tee);
}

static apex_status read_measured(struct reader *r, void *context)
{
    return read_measurement(r, &((struct manifest_enclave *)context)->measurement);
}

static apex_status read_enclave(struct reader *r, void *context)
{
    static const struct field fields[] = {{"tee", true, read_tee},
                                          {"measurement", true, read_measured}};
    struct manifest *m = context;
    struct manifest_enclave *e = &m->enclaves[m->n_enclaves++];
    TRY(read_object(r, fields, 2, e));
    const char *misfit = measurement_misfit(span_text(e->tee), e->measurement.len);
    return misfit ? reader_fail(r, misfit) : APEX_OK;
}

static apex_status read_enclaves(struct reader *r, void *context)
{
    struct manifest *m = context;
    TRY(reader_array_new(r, ENCLAVES_MAX, sizeof *m->enclaves, &m->enclaves));
    return read_array(r, m, 1, ENCLAVES_MAX, read_enclave);
}

static apex_status read_key(struct reader *r, uint8_t key[static 32])
{
    char text[64 + 1];
    TRY(read_text(r, text, 64));
    return hex_parse(span_text(text), key, 32) == APEX_OK
               ? APEX_OK
               : reader_fail(r, "64 lower-case hex digits are expected");
}

static apex_status read_party_name(struct reader *r, void *context)
{
    return read_name(r, ((struct manifest_party *)context)->name);
}
static apex_status read_sign(struct reader *r, void *context)
{
    return read_key(r, ((struct manifest_party *)context)->sign);
}
static apex_status read_seal(struct reader *r, void *context)
{
    return read_key(r, ((struct manifest_party *)context)->seal);
}

static apex_status read_right(struct reader *r, void *context)
{
    static const char *const rights[] = {"contribute", "run", "receive", "approve", "audit"};
    struct manifest_party *p = context;
    char name[NAME_MAX_LEN + 1];
    TRY(read_name(r, name));
    for (unsigned i = 0; i < 5; i++) {
        if (strcmp(name, rights[i]) != 0) continue;
        if (p->may & 1u << i) return reader_fail(r, "this right is named twice");
        p->may |= 1u << i;
        return APEX_OK;
    }
    return reader_fail(r, "a right is one of contribute, run, receive, approve, audit");
}

static apex_status read_may(struct reader *r, void *context)
{
    return read_names(r, context, 5, read_right);
}

static apex_status read_party(struct reader *r, void *context)
{
    static const struct field fields[] = {{"name", true, read_party_name},
                                          {"sign", true, read_sign},
                                          {"seal", true, read_seal},
                                          {"may", true, read_may}};
    struct manifest *m = context;
    struct manifest_party *p = &m->parties[m->n_parties];
    TRY(read_object(r, fields, 4, p));
    for (size_t i = 0; i < m->n_parties; i++) {
        if (strcmp(m->parties[i].name, p->name) == 0)
            return reader_fail(r, "two parties have this name");
        if (memcmp(m->parties[i].sign, p->sign, 32) == 0)
            return reader_fail(r, "two parties have this signing key");
    }
    m->n_parties++;
    return APEX_OK;
}

static apex_status read_parties(struct reader *r, void *context)
{
    struct manifest *m = context;
    TRY(reader_array_new(r, PARTIES_MAX, sizeof *m->parties, &m->parties));
    return read_array(r, m, 1, PARTIES_MAX, read_party);
}

static apex_status read_column_name(struct reader *r, void *context)
{
    return read_name(r, ((struct manifest_column *)context)->name);
}
static apex_status read_unit(struct reader *r, void *context)
{
    return read_text(r, ((struct manifest_column *)context)->unit, NAME_MAX_LEN);
}
static apex_status read_missing(struct reader *r, void *context)
{
    return read_bool(r, &((struct manifest_column *)context)->missing);
}

static apex_status read_column_type(struct reader *r, void *context)
{
    static const char *const types[] = {"latitude", "longitude", "float64", "int64",
                                        "category", "bool",      "date"};
    struct manifest_column *c = context;
    unsigned at;
    TRY(read_one_of(
        r, types, 7,
        "a type is one of latitude, longitude, float64, int64, category, bool, date", &at));
    c->type = (enum column_type)(at + 1);
    return APEX_OK;
}

static apex_status read_column_min(struct reader *r, void *context)
{
    struct manifest_column *c = context;
    c->has_min = true;
    return read_number(r, &c->min);
}

static apex_status read_value(struct reader *r, void *context)
{
    struct manifest_column *c = context;
    char *value = c->values[c->n_values];
    TRY(read_text(r, value, CATEGORY_MAX));
    if (*value == 0) return reader_fail(r, "a value has at least one byte");
    if (c->n_values > 0 && manifest_column_allows(c, span_text(value)))
        return reader_fail(r, "this value is named twice");
    c->n_values++;
    return APEX_OK;
}

static apex_status read_values(struct reader *r, void *context)
{
    struct manifest_column *c = context;
    TRY(reader_array_new(r, VALUES_MAX, sizeof *c->values, &c->values));
    TRY(read_array(r, c, 1, VALUES_MAX, read_value));
    reader_array_fit(c->n_values, sizeof *c->values, &c->values);
    return APEX_OK;
}

static apex_status read_column_max(struct reader *r, void *context)
{
    struct manifest_column *c = context;
    c->has_max = true;
    return read_number(r, &c->max);
}

/* Places have bounds of their own; a manifest can only narrow them. */
static apex_status column_bounds(struct reader *r, struct manifest_column *c)
{
    double widest = c->type == COLUMN_LATITUDE ? 90 : c->type == COLUMN_LONGITUDE ? 180 : 0;
    bool unordered = c->type == COLUMN_CATEGORY || c->type == COLUMN_BOOL;
    if (unordered && (c->has_min || c->has_max))
        return reader_fail(r, "min and max have no meaning for this type");
    if (c->n_values > 0 && c->type != COLUMN_CATEGORY)
        return reader_fail(r, "values have a meaning for a category only");
    if (widest > 0 && !c->has_min) c->min = -widest;
    if (widest > 0 && !c->has_max) c->max = widest;
    if (widest > 0) {
        c->has_min = c->has_max = true;
        if (c->min < -widest || c->max > widest)
            return reader_fail(r, "latitudes lie in -90..90, longitudes in -180..180");
    }
    return c->has_min && c->has_max && c->min > c->max ? reader_fail(r, "min is above max")
                                                       : APEX_OK;
}

static apex_status read_column(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"name", true, read_column_name}, {"type", true, read_column_type},
        {"unit", false, read_unit},       {"min", false, read_column_min},
        {"max", false, read_column_max},  {"missing", false, read_missing},
        {"values", false, read_values}};
    struct manifest_dataset *d = context;
    struct manifest_column *c = &d->columns[d->n_columns++]; /* manifest_free finds it */
    TRY(read_object(r, fields, 7, c));
    for (struct manifest_column *other = d->columns; other < c; other++)
        if (strcmp(other->name, c->name) == 0)
            return reader_fail(r, "two columns have this name");
    return column_bounds(r, c);
}

static apex_status read_columns(struct reader *r, void *context)
{
    struct manifest_dataset *d = context;
    TRY(reader_array_new(r, COLUMNS_MAX, sizeof *d->columns, &d->columns));
    TRY(read_array(r, d, 1, COLUMNS_MAX, read_column));
    reader_array_fit(d->n_columns, sizeof *d->columns, &d->columns);
    return APEX_OK;
}

static apex_status read_dataset_name(struct reader *r, void *context)
{
    return read_name(r, ((struct manifest_dataset *)context)->name);
}

static apex_status read_dataset(struct reader *r, void *context)
{
    static const struct field fields[] = {{"name", true, read_dataset_name},
                                          {"columns", true, read_columns}};
    struct manifest *m = context;
    struct manifest_dataset *d = &m->datasets[m->n_datasets++];
    TRY(read_object(r, fields, 2, d));
    for (size_t i = 0; i + 1 < m->n_datasets; i++)
        if (strcmp(m->datasets[i].name, d->name) == 0)
            return reader_fail(r, "two datasets have this name");
    return APEX_OK;
}

static apex_status read_datasets(struct reader *r, void *context)
{
    struct manifest *m = context;
    TRY(reader_array_new(r, DATASETS_MAX, sizeof *m->datasets, &m->datasets));
    return read_array(r, m, 1, DATASETS_MAX, read_dataset);
}

static apex_status read_minimum_rows(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct manifest *)context)->release.minimum_rows);
}
static apex_status read_minimum_contributors(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct manifest *)context)->release.minimum_contributors);
}

static apex_status read_maximum_share(struct reader *r, void *context)
{
    double *share = &((struct manifest *)context)->release.maximum_share;
    TRY(read_number(r, share));
    return *share > 0 && *share <= 1
               ? APEX_OK
               : reader_fail(r, "a share above 0 and at most 1 is expected");
}

static apex_status read_release(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"minimum_rows", true, read_minimum_rows},
        {"minimum_contributors", true, read_minimum_contributors},
        {"maximum_share", true, read_maximum_share}};
    struct manifest *m = context;
    TRY(read_object(r, fields, 3, m));
    return m->release.minimum_rows >= 1 && m->release.minimum_contributors >= 1
               ? APEX_OK
               : reader_fail(r, "minima are at least 1");
}

static apex_status read_epsilon(struct reader *r, void *context)
{
    double epsilon;
    TRY(read_number(r, &epsilon));
    if (!(epsilon >= 1e-6 && epsilon <= 1e6))
        return reader_fail(r, "an epsilon of 0.000001 to 1000000 is expected");
    ((struct manifest *)context)->privacy.epsilon_micro = (uint64_t)(epsilon * 1e6 + 0.5);
    return APEX_OK;
}

static apex_status read_delta(struct reader *r, void *context)
{
    double *delta = &((struct manifest *)context)->privacy.delta;
    TRY(read_number(r, delta));
    return *delta >= 0 && *delta <= 0.01 ? APEX_OK
                                         : reader_fail(r, "a delta of 0 to 0.01 is expected");
}

static apex_status read_privacy(struct reader *r, void *context)
{
    static const struct field fields[] = {{"epsilon", true, read_epsilon},
                                          {"delta", true, read_delta}};
    ((struct manifest *)context)->privacy.given = true;
    return read_object(r, fields, 2, context);
}

static apex_status read_witness_key(struct reader *r, void *context)
{
    struct manifest_witnesses *w = &((struct manifest *)context)->witnesses;
    TRY(read_text(r, w->key[w->n], WITNESS_KEY_MAX));
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->key[i], w->key[w->n]) == 0)
            return reader_fail(r, "each witness is named once");
    w->n++;
    return APEX_OK;
}

static apex_status read_witness_keys(struct reader *r, void *context)
{
    return read_array(r, context, 1, MANIFEST_WITNESSES_MAX, read_witness_key);
}

static apex_status read_quorum(struct reader *r, void *context)
{
    return read_count(r, MANIFEST_WITNESSES_MAX,
                      &((struct manifest *)context)->witnesses.quorum);
}

static apex_status read_witnesses(struct reader *r, void *context)
{
    static const struct field fields[] = {{"quorum", true, read_quorum},
                                          {"keys", true, read_witness_keys}};
    const struct manifest_witnesses *w = &((struct manifest *)context)->witnesses;
    TRY(read_object(r, fields, 2, context));
    return w->quorum >= 1 && w->quorum <= w->n
               ? APEX_OK
               : reader_fail(r, "the quorum is at least 1 and at most the number of witnesses");
}

static apex_status read_oblivious(struct reader *r, void *context)
{
    bool oblivious;
    TRY(read_bool(r, &oblivious));
    ((struct manifest *)context)->not_oblivious = !oblivious;
    return APEX_OK;
}

static apex_status read_runs(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct manifest *)context)->quotas.runs_per_party);
}
static apex_status read_rows_quota(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct manifest *)context)->quotas.rows_per_party);
}
static apex_status read_memory(struct reader *r, void *context)
{
    return read_count(r, 1 << 20, &((struct manifest *)context)->quotas.memory_mb);
}
static apex_status read_cpu(struct reader *r, void *context)
{
    return read_count(r, 7 * 86400, &((struct manifest *)context)->quotas.cpu_seconds);
}
static apex_status read_output(struct reader *r, void *context)
{
    return read_count(r, 256, &((struct manifest *)context)->quotas.output_mb);
}

static apex_status read_quotas(struct reader *r, void *context)
{
    static const struct field fields[] = {{"runs_per_party", true, read_runs},
                                          {"rows_per_party", true, read_rows_quota},
                                          {"memory_mb", true, read_memory},
                                          {"cpu_seconds", true, read_cpu},
                                          {"output_mb", true, read_output}};
    return read_object(r, fields, 5, context);
}

static apex_status read_version(struct reader *r, void *context)
{
    uint64_t version;
    (void)context;
    TRY(read_count(r, 0, &version));
    return version == 1 ? APEX_OK : reader_fail(r, "this client knows manifests of version 1");
}

static apex_status read_manifest_name(struct reader *r, void *context)
{
    return read_name(r, ((struct manifest *)context)->name);
}
static apex_status read_purpose(struct reader *r, void *context)
{
    return read_text(r, ((struct manifest *)context)->purpose, TEXT_MAX);
}
static apex_status read_expires(struct reader *r, void *context)
{
    return read_time(r, &((struct manifest *)context)->expires_ms);
}

static apex_status whole(struct reader *r, const struct manifest *m)
{
    unsigned any = 0;
    for (size_t i = 0; i < m->n_parties; i++)
        any |= m->parties[i].may;
    if (!(any & MAY_APPROVE))
        return reader_fail(r, "at least one party must have the right to approve");
    if (m->release.minimum_contributors > m->n_parties)
        return reader_fail(r, "minimum_contributors is above the number of parties");
    for (size_t i = 0; i < m->n_functions; i++)
        if (m->functions[i].is_private && !m->privacy.given)
            return reader_fail(r, "private functions need a privacy budget");
    return APEX_OK;
}

static apex_status read_manifest(struct reader *r, struct manifest *m)
{
    /* "functions" refers to datasets by name, so it stands after them. */
    static const struct field fields[] = {
        {"apex", true, read_version},         {"name", true, read_manifest_name},
        {"purpose", true, read_purpose},      {"program", true, read_program},
        {"source", true, read_source},        {"enclaves", true, read_enclaves},
        {"parties", true, read_parties},      {"datasets", true, read_datasets},
        {"functions", true, read_functions},  {"release", true, read_release},
        {"privacy", false, read_privacy},     {"oblivious", false, read_oblivious},
        {"witnesses", false, read_witnesses}, {"quotas", true, read_quotas},
        {"expires", true, read_expires}};
    enum json_event e;
    TRY(read_object(r, fields, 15, m));
    TRY(whole(r, m));
    return reader_next(r, &e); /* JSON_END, or the parser refuses */
}

apex_status manifest_parse(struct span text, struct manifest **m, struct manifest_error *error)
{
    struct manifest_error ignored;
    struct manifest *made = calloc(1, sizeof *made);
    struct reader *r = calloc(1, sizeof *r);
    apex_status s = made && r ? APEX_OK : APEX_E_MEMORY;
    if (s == APEX_OK && text.len > MANIFEST_MAX) s = APEX_E_LIMIT;
    if (s == APEX_OK) {
        reader_init(r, text);
        s = read_manifest(r, made);
        reader_explain(r, s, error ? error : &ignored);
    }
    free(r);
    if (s != APEX_OK) {
        manifest_free(made);
        return s;
    }
    *m = made;
    return APEX_OK;
}

void manifest_free(struct manifest *m)
{
    if (!m) return;
    for (size_t i = 0; m->datasets && i < DATASETS_MAX; i++) {
        for (size_t k = 0; m->datasets[i].columns && k < m->datasets[i].n_columns; k++)
            free(m->datasets[i].columns[k].values);
        free(m->datasets[i].columns);
    }
    for (size_t i = 0; m->functions && i < FUNCTIONS_MAX; i++) {
        for (size_t k = 0; m->functions[i].params && k < PARAMS_MAX; k++)
            free(m->functions[i].params[k].choices);
        free(m->functions[i].params);
    }
    free(m->enclaves);
    free(m->parties);
    free(m->datasets);
    free(m->functions);
    free(m);
}

const struct manifest_party *manifest_party_by_key(const struct manifest *m,
                                                   const uint8_t sign[static 32])
{
    for (size_t i = 0; i < m->n_parties; i++)
        if (memcmp(m->parties[i].sign, sign, 32) == 0) return &m->parties[i];
    return NULL;
}

const struct manifest_dataset *manifest_dataset_by_name(const struct manifest *m,
                                                        struct span name)
{
    for (size_t i = 0; i < m->n_datasets; i++)
        if (span_equal(name, span_text(m->datasets[i].name))) return &m->datasets[i];
    return NULL;
}

const struct manifest_function *manifest_function_by_name(const struct manifest *m,
                                                          struct span name)
{
    for (size_t i = 0; i < m->n_functions; i++)
        if (span_equal(name, span_text(m->functions[i].name))) return &m->functions[i];
    return NULL;
}

void address_write(const uint8_t address[static 32], char text[static ADDRESS_TEXT_LEN + 1])
{
    memcpy(text, "apex1", 5);
    base32_write(address, text + 5);
}

apex_status address_parse(struct span text, uint8_t address[static 32])
{
    if (text.len != ADDRESS_TEXT_LEN || memcmp(text.data, "apex1", 5) != 0)
        return APEX_E_FORMAT;
    return base32_parse(span_of(text.data + 5, text.len - 5), address);
}
