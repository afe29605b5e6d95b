#include "client/lib/node.h"

#include "client/lib/trust_collateral.h"
#include "common/attest/bundle.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/wire/manifest_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LIST_MAX = 256 * 1024, A_DAY_MS = 86400000 };

/* ---- making one ---- */

struct listed {
    char tee[NAME_MAX_LEN + 1], label[BUNDLE_LABEL_MAX + 1];
    struct measurement measurement;
};
struct making {
    struct bundle bundle;
    size_t n_listed;
    struct listed listed[BUNDLE_MEASUREMENTS_MAX];
    struct collateral sets[BUNDLE_SETS_MAX];
};

static apex_status read_tee(struct reader *r, void *context)
{
    return read_name(r, ((struct listed *)context)->tee);
}
static apex_status read_label(struct reader *r, void *context)
{
    return read_text(r, ((struct listed *)context)->label, BUNDLE_LABEL_MAX);
}
static apex_status read_measured(struct reader *r, void *context)
{
    return read_measurement(r, &((struct listed *)context)->measurement);
}
static apex_status read_one(struct reader *r, void *context)
{
    static const struct field fields[] = {{"tee", true, read_tee},
                                          {"measurement", true, read_measured},
                                          {"label", true, read_label}};
    struct making *m = context;
    if (m->n_listed == BUNDLE_MEASUREMENTS_MAX) return reader_fail(r, "too many items");
    struct listed *l = &m->listed[m->n_listed++];
    TRY(read_object(r, fields, 3, l));
    const char *misfit = measurement_misfit(span_text(l->tee), l->measurement.len);
    return misfit ? reader_fail(r, misfit) : APEX_OK;
}
static apex_status read_list(struct reader *r, void *context)
{
    return read_array(r, context, 1, BUNDLE_MEASUREMENTS_MAX, read_one);
}

static apex_status list_load(const char *path, struct making *m, struct apex_error *error)
{
    static const struct field fields[] = {{"measurements", true, read_list}};
    BUFFER_CLEARED text = {0};
    struct manifest_error where = {0};
    enum json_event e;
    char what[400];
    TRY(file_load(path, LIST_MAX, &text, error));
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return apex_fail_memory(error);
    reader_init(r, buffer_span(&text));
    apex_status s = read_object(r, fields, 1, m);
    if (s == APEX_OK) s = reader_next(r, &e);
    reader_explain(r, s, &where);
    free(r);
    if (s == APEX_OK) return s;
    snprintf(what, sizeof what, "%.80s is no list of measurements: line %zu, %.40s: %.200s",
             path, where.line, where.where, where.what ? where.what : "not JSON");
    return apex_fail(
        error, s, what, "no bundle was made",
        "write {\"measurements\": [{\"tee\": …, \"measurement\": …, \"label\": …}]}", "you");
}

static apex_status input_load(const char *path, struct making *m, struct apex_error *error)
{
    struct stat is;
    if (stat(path, &is) == 0 && S_ISDIR(is.st_mode)) {
        if (m->bundle.n_sets == BUNDLE_SETS_MAX)
            return apex_fail(error, APEX_E_LIMIT, "too many folders of collateral",
                             "no bundle was made", "make two bundles", "you");
        return collateral_load(path, &m->sets[m->bundle.n_sets++], error);
    }
    return list_load(path, m, error);
}

static void lend(struct making *m)
{
    struct bundle *b = &m->bundle;
    for (size_t i = 0; i < m->n_listed; i++)
        b->measurements[i] = (struct audited){
            span_text(m->listed[i].tee),
            span_of(m->listed[i].measurement.bytes, m->listed[i].measurement.len),
            span_text(m->listed[i].label)};
    b->n_measurements = m->n_listed;
    for (size_t i = 0; i < b->n_sets; i++)
        collateral_lend(&m->sets[i], &b->sets[i]);
}

apex_status apex_bundle_make(const struct apex_identity *auditor, const char *const *inputs,
                             size_t n_inputs, unsigned days, const char *output,
                             struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct making *m = calloc(1, sizeof *m);
    if (!m) return apex_fail_memory(error);
    apex_status s = APEX_OK;
    for (size_t i = 0; i < n_inputs && s == APEX_OK; i++)
        s = input_load(inputs[i], m, error);
    if (s == APEX_OK) {
        lend(m);
        m->bundle.issued_ms = wall_clock_ms();
        m->bundle.expires_ms = m->bundle.issued_ms + (uint64_t)days * A_DAY_MS;
        s = bundle_seal(&auditor->sign, &m->bundle, &bytes);
        if (s != APEX_OK)
            s = apex_fail(error, s, "the bundle would be too large, or holds what it must not",
                          "no bundle was made", "give it fewer files", "you");
    }
    if (s == APEX_OK) s = file_save(output, buffer_span(&bytes), 0644, false, error);
    for (size_t i = 0; i < BUNDLE_SETS_MAX; i++)
        collateral_clear(&m->sets[i]);
    free(m);
    return s;
}

/* ---- looking at one, and keeping it ---- */

static void tell(const struct bundle *from, struct apex_bundle *to)
{
    hex_write(SPAN(from->auditor.bytes), to->auditor);
    to->issued_ms = (int64_t)from->issued_ms;
    to->expires_ms = (int64_t)from->expires_ms;
    to->n_sets = from->n_sets;
    to->n_measurements = from->n_measurements;
    for (size_t i = 0; i < from->n_measurements; i++) {
        const struct audited *a = &from->measurements[i];
        snprintf(to->measurements[i].tee, sizeof to->measurements[i].tee, "%.*s",
                 (int)a->tee.len, (const char *)a->tee.data);
        hex_write(a->measurement, to->measurements[i].measurement);
        snprintf(to->measurements[i].label, sizeof to->measurements[i].label, "%.*s",
                 (int)a->label.len, a->label.len ? (const char *)a->label.data : "");
    }
}

static apex_status look(struct apex_home *home, const char *file, struct buffer *bytes,
                        struct apex_bundle *bundle, struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    const char *why = "there is no trust policy that could name its auditor";
    struct apex_error none;
    *bundle = (struct apex_bundle){0};
    TRY(file_load(file, BUNDLE_MAX, bytes, error));
    struct bundle *b = calloc(1, sizeof *b);
    if (!b) return apex_fail_memory(error);
    apex_status s = bundle_open(buffer_span(bytes), b);
    if (s == APEX_OK) tell(b, bundle);
    free(b);
    if (s != APEX_OK)
        return apex_fail(error, s,
                         s == APEX_E_UNTRUSTED ? "the bundle's signature does not hold"
                                               : "this is not a bundle",
                         "it was not taken", "ask its auditor for it again", "the auditor");
    if (trust_load(home, &policy, &none) == APEX_OK)
        bundle->believed = trust_policy_add_bundle(policy, buffer_span(bytes), wall_clock_ms(),
                                                   &why) == APEX_OK;
    trust_policy_free(policy);
    if (!bundle->believed) snprintf(bundle->why, sizeof bundle->why, "%s", why);
    return APEX_OK;
}

apex_status apex_bundle_check(struct apex_home *home, const char *file,
                              struct apex_bundle *bundle, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    return look(home, file, &bytes, bundle, error);
}

apex_status apex_bundle_use(struct apex_home *home, const char *file,
                            struct apex_bundle *bundle, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    uint8_t digest[32];
    char name[17], path[FULL_PATH_MAX], what[240];
    TRY(look(home, file, &bytes, bundle, error));
    if (!bundle->believed) {
        snprintf(what, sizeof what, "the bundle is not believed: %s", bundle->why);
        return apex_fail(
            error, APEX_E_UNTRUSTED, what, "it was not kept",
            "name the auditor's key under \"auditors\" in trust.json, if you know it "
            "to be theirs",
            "you");
    }
    sha256(buffer_span(&bytes), digest);
    hex_write(span_of(digest, 8), name);
    TRY(home_file(home, "bundles", name, ".bundle", path, error));
    return file_save(path, buffer_span(&bytes), 0600, false, error);
}
