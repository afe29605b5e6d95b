#include "common/attest/policy.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <stdio.h>
#include <stdlib.h>

static apex_status read_version(struct reader *r, void *context)
{
    uint64_t version;
    (void)context;
    TRY(read_count(r, 0, &version));
    return version == 1 ? APEX_OK
                        : reader_fail(r, "this client knows trust policies of version 1");
}

static apex_status read_tee(struct reader *r, void *context)
{
    static const char *const kinds[] = {"sim", "sev-snp", "tdx", "nitro", "sgx"};
    unsigned at;
    TRY(read_one_of(r, kinds, 5, "a tee is one of sim, sev-snp, tdx, nitro, sgx", &at));
    snprintf(((struct accept *)context)->tee, NAME_MAX_LEN + 1, "%s", kinds[at]);
    return APEX_OK;
}

static apex_status read_one_measurement(struct reader *r, void *context)
{
    struct accept *a = context;
    return read_measurement(r, &a->measurements[a->n_measurements++]);
}

static apex_status read_measurements(struct reader *r, void *context)
{
    return read_array(r, context, 1, MEASUREMENTS_MAX, read_one_measurement);
}
static apex_status read_age(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct accept *)context)->maximum_age_s);
}

static apex_status read_tdx(struct reader *r, void *context)
{
    struct accept *a = context;
    a->has_tdx = true;
    return intel_rules_read(r, true, &a->intel);
}

static apex_status read_sgx(struct reader *r, void *context)
{
    struct accept *a = context;
    a->has_sgx = true;
    return intel_rules_read(r, false, &a->intel);
}

static apex_status read_snp(struct reader *r, void *context)
{
    struct accept *a = context;
    a->has_snp = true;
    return snp_rules_read(r, &a->snp);
}

static apex_status read_nitro(struct reader *r, void *context)
{
    struct accept *a = context;
    a->has_nitro = true;
    return nitro_rules_read(r, &a->nitro);
}

/* Rules of one family in an entry for another would never be asked: nobody can mean that. */
static apex_status rules_fit(struct reader *r, const struct accept *a)
{
    const struct {
        bool has;
        const char *tee;
    } rules[] = {{a->has_snp, "sev-snp"},
                 {a->has_tdx, "tdx"},
                 {a->has_sgx, "sgx"},
                 {a->has_nitro, "nitro"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].has && strcmp(a->tee, rules[i].tee) != 0)
            return reader_fail(r, "rules must be named like the tee of their entry");
    if (a->maximum_age_s && strcmp(a->tee, "sim") != 0 && strcmp(a->tee, "nitro") != 0)
        return reader_fail(r,
                           "this hardware's reports carry no time: what is fresh is the "
                           "answer it signs to your client's nonce; leave maximum_age_s out");
    if (a->n_measurements == 0 && !a->audited)
        return reader_fail(r, "name measurements, or take an auditor's with \"audited\": true");
    for (size_t i = 0; i < a->n_measurements; i++) {
        const char *misfit = measurement_misfit(span_text(a->tee), a->measurements[i].len);
        if (misfit) return reader_fail(r, misfit);
    }
    return APEX_OK;
}

static apex_status read_audited(struct reader *r, void *context)
{
    return read_bool(r, &((struct accept *)context)->audited);
}

static apex_status read_accept(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"tee", true, read_tee},          {"measurements", false, read_measurements},
        {"audited", false, read_audited}, {"maximum_age_s", false, read_age},
        {"snp", false, read_snp},         {"tdx", false, read_tdx},
        {"sgx", false, read_sgx},         {"nitro", false, read_nitro}};
    struct trust_policy *p = context;
    struct accept *a = &p->accept[p->n_accept++];
    TRY(read_object(r, fields, sizeof fields / sizeof *fields, a));
    return rules_fit(r, a);
}

static apex_status read_accepts(struct reader *r, void *context)
{
    return read_array(r, context, 0, ACCEPT_MAX, read_accept);
}

static apex_status read_one_distrust(struct reader *r, void *context)
{
    struct trust_policy *p = context;
    return read_name(r, p->distrust[p->n_distrust++]);
}

static apex_status read_distrust(struct reader *r, void *context)
{
    return read_array(r, context, 0, DISTRUST_MAX, read_one_distrust);
}

static apex_status read_auditor(struct reader *r, void *context)
{
    struct trust_policy *p = context;
    char text[64 + 1];
    TRY(read_text(r, text, 64));
    if (hex_parse(span_text(text), p->auditors[p->n_auditors].bytes, 32) != APEX_OK)
        return reader_fail(r, "64 lower-case hex digits of an Ed25519 key are expected");
    p->n_auditors++;
    return APEX_OK;
}
static apex_status read_auditors(struct reader *r, void *context)
{
    return read_array(r, context, 0, AUDITORS_MAX, read_auditor);
}

static apex_status read_contract(struct reader *r, void *context)
{
    return read_text(r, ((struct high_value *)context)->contract, CONTRACT_TEXT_MAX);
}
static apex_status read_families(struct reader *r, void *context)
{
    uint64_t n;
    TRY(read_count(r, 4, &n));
    ((struct high_value *)context)->families = (unsigned)n;
    return n >= 2 ? APEX_OK : reader_fail(r, "from 2 to 4 families can be asked for");
}
static apex_status read_one_high_value(struct reader *r, void *context)
{
    static const struct field fields[] = {{"contract", true, read_contract},
                                          {"families", true, read_families}};
    struct trust_policy *p = context;
    return read_object(r, fields, 2, &p->high_value[p->n_high_value++]);
}
static apex_status read_high_value(struct reader *r, void *context)
{
    return read_array(r, context, 0, HIGH_VALUE_MAX, read_one_high_value);
}

static apex_status read_origin(struct reader *r, void *context)
{
    return read_text(r, ((struct pinned_log *)context)->origin, 128);
}

static apex_status read_log_key(struct reader *r, void *context)
{
    char text[64 + 1];
    TRY(read_text(r, text, 64));
    return hex_parse(span_text(text), ((struct pinned_log *)context)->key.bytes, 32) == APEX_OK
               ? APEX_OK
               : reader_fail(r, "64 lower-case hex digits are expected");
}

static apex_status read_log(struct reader *r, void *context)
{
    static const struct field fields[] = {{"origin", true, read_origin},
                                          {"key", true, read_log_key}};
    struct trust_policy *p = context;
    if (p->n_logs == LOGS_MAX) return reader_fail(r, "too many logs");
    return read_object(r, fields, 2, &p->logs[p->n_logs++]);
}

static apex_status read_logs(struct reader *r, void *context)
{
    return read_array(r, context, 1, LOGS_MAX, read_log);
}

static apex_status read_policy(struct reader *r, struct trust_policy *p)
{
    static const struct field fields[] = {{"apex", true, read_version},
                                          {"accept", true, read_accepts},
                                          {"distrust", false, read_distrust},
                                          {"auditors", false, read_auditors},
                                          {"high_value", false, read_high_value},
                                          {"log", false, read_log},
                                          {"logs", false, read_logs}};
    enum json_event e;
    TRY(read_object(r, fields, sizeof fields / sizeof *fields, p));
    return reader_next(r, &e);
}

apex_status trust_policy_parse(struct span json, struct trust_policy **policy,
                               struct policy_error *error)
{
    struct manifest_error where = {0};
    struct trust_policy *p = calloc(1, sizeof *p);
    struct reader *r = calloc(1, sizeof *r);
    apex_status s = p && r ? APEX_OK : APEX_E_MEMORY;
    if (s == APEX_OK) {
        reader_init(r, json);
        s = read_policy(r, p);
        reader_explain(r, s, &where);
    }
    free(r);
    if (error) {
        *error = (struct policy_error){
            .line = where.line, .column = where.column, .what = where.what};
        snprintf(error->where, sizeof error->where, "%.119s", where.where);
    }
    if (s != APEX_OK) {
        free(p);
        return s;
    }
    *policy = p;
    return APEX_OK;
}

void trust_policy_free(struct trust_policy *policy)
{
    if (policy) held_bundles_free(policy->bundles);
    free(policy);
}

apex_status trust_policy_log(const struct trust_policy *policy, const char *origin,
                             const struct sign_public *key)
{
    for (size_t i = 0; i < policy->n_logs; i++)
        if (memcmp(policy->logs[i].key.bytes, key->bytes, sizeof key->bytes) == 0 &&
            strcmp(policy->logs[i].origin, origin) == 0)
            return APEX_OK;
    return policy->n_logs ? APEX_E_UNTRUSTED : APEX_E_NOT_FOUND;
}

unsigned trust_policy_families(const struct trust_policy *policy, const char *contract)
{
    for (size_t i = 0; i < policy->n_high_value; i++)
        if (strcmp(policy->high_value[i].contract, contract) == 0)
            return policy->high_value[i].families;
    return 1;
}
