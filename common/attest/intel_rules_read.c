#include "common/attest/intel_rules.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

static apex_status read_status(struct reader *r, void *context)
{
    char name[48];
    struct intel_rules *rules = context;
    TRY(read_text(r, name, sizeof name - 1));
    for (int s = TCB_UP_TO_DATE; s < TCB_REVOKED; s++) {
        if (strcmp(name, tcb_status_name((enum tcb_status)s)) != 0) continue;
        rules->statuses |= UINT32_C(1) << s;
        return APEX_OK;
    }
    return reader_fail(r,
                       "a TCB status is one of Intel's, such as SWHardeningNeeded; Revoked is "
                       "never accepted");
}

static apex_status read_statuses(struct reader *r, void *context)
{
    return read_array(r, context, 0, TCB_REVOKED, read_status);
}

static apex_status read_advisory(struct reader *r, void *context)
{
    struct intel_rules *rules = context;
    char *id = rules->advisories[rules->n_advisories++];
    TRY(read_text(r, id, ADVISORY_LEN));
    return strncmp(id, "INTEL-", 6) == 0
               ? APEX_OK
               : reader_fail(r, "an advisory is named such as INTEL-SA-00615");
}

static apex_status read_advisories(struct reader *r, void *context)
{
    return read_array(r, context, 0, RULE_ADVISORIES_MAX, read_advisory);
}

static apex_status read_revocation(struct reader *r, void *context)
{
    bool asked;
    TRY(read_bool(r, &asked));
    ((struct intel_rules *)context)->revocation_waived = !asked;
    return APEX_OK;
}

static apex_status read_evaluation(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct intel_rules *)context)->minimum_evaluation);
}

static apex_status read_u16(struct reader *r, uint16_t *value)
{
    uint64_t v;
    TRY(read_count(r, UINT16_MAX, &v));
    *value = (uint16_t)v;
    return APEX_OK;
}

static apex_status read_qe_svn(struct reader *r, void *context)
{
    return read_u16(r, &((struct intel_rules *)context)->minimum_qe_svn);
}

static apex_status read_pce_svn(struct reader *r, void *context)
{
    return read_u16(r, &((struct intel_rules *)context)->minimum_pce_svn);
}

static apex_status read_isv_svn(struct reader *r, void *context)
{
    return read_u16(r, &((struct intel_rules *)context)->minimum_isv_svn);
}

static apex_status read_isv_prod_id(struct reader *r, void *context)
{
    struct intel_rules *rules = context;
    rules->has_isv_prod_id = true;
    return read_u16(r, &rules->isv_prod_id);
}

static apex_status read_allowance(struct reader *r, void *context)
{
    static const char *const names[] = {
        "debug", "no-sept-ve-disable", "migratable", "service-td", "pks", "kl", "perfmon"};
    unsigned at;
    TRY(read_one_of(r, names, 7,
                    "one of debug, no-sept-ve-disable, migratable, service-td, pks, kl and "
                    "perfmon can be allowed",
                    &at));
    ((struct intel_rules *)context)->allowed |= UINT32_C(1) << at;
    return APEX_OK;
}

static apex_status read_allow(struct reader *r, void *context)
{
    return read_array(r, context, 0, 7, read_allowance);
}

static apex_status read_hex(struct reader *r, uint8_t *out, size_t len)
{
    char text[96 + 1];
    TRY(read_text(r, text, sizeof text - 1));
    return hex_parse(span_text(text), out, len) == APEX_OK
               ? APEX_OK
               : reader_fail(r, "lower-case hex of the register's length is expected");
}

static apex_status read_tee_tcb_svn(struct reader *r, void *context)
{
    return read_hex(r, ((struct intel_rules *)context)->minimum_tee_tcb_svn, 16);
}

struct values {
    struct intel_rules *rules;
    enum intel_register which;
};

static apex_status read_value(struct reader *r, void *context)
{
    struct values *v = context;
    size_t *n = &v->rules->registers[v->which].n;
    TRY(read_hex(r, v->rules->registers[v->which].at[*n],
                 v->which == REGISTER_MR_SIGNER ? 32 : 48));
    ++*n;
    return APEX_OK;
}

#define READ_REGISTER(name, which)                                                             \
    static apex_status name(struct reader *r, void *context)                                   \
    {                                                                                          \
        return read_array(r, &(struct values){context, which}, 1, REGISTER_VALUES_MAX,         \
                          read_value);                                                         \
    }
READ_REGISTER(read_rtmr0, REGISTER_RTMR0)
READ_REGISTER(read_rtmr1, REGISTER_RTMR1)
READ_REGISTER(read_rtmr2, REGISTER_RTMR2)
READ_REGISTER(read_rtmr3, REGISTER_RTMR3)
READ_REGISTER(read_mr_seam, REGISTER_MR_SEAM)
READ_REGISTER(read_mr_config_id, REGISTER_MR_CONFIG_ID)
READ_REGISTER(read_mr_owner, REGISTER_MR_OWNER)
READ_REGISTER(read_mr_owner_config, REGISTER_MR_OWNER_CONFIG)
READ_REGISTER(read_mr_signer, REGISTER_MR_SIGNER)

apex_status intel_rules_read(struct reader *r, bool is_tdx, struct intel_rules *rules)
{
    static const struct field both[] = {{"statuses", false, read_statuses},
                                        {"advisories", false, read_advisories},
                                        {"revocation", false, read_revocation},
                                        {"minimum_evaluation", false, read_evaluation},
                                        {"minimum_qe_svn", false, read_qe_svn},
                                        {"minimum_pce_svn", false, read_pce_svn},
                                        {"allow", false, read_allow}};
    static const struct field tdx[] = {{"minimum_tee_tcb_svn", false, read_tee_tcb_svn},
                                       {"rtmr0", false, read_rtmr0},
                                       {"rtmr1", false, read_rtmr1},
                                       {"rtmr2", false, read_rtmr2},
                                       {"rtmr3", false, read_rtmr3},
                                       {"mr_seam", false, read_mr_seam},
                                       {"mr_config_id", false, read_mr_config_id},
                                       {"mr_owner", false, read_mr_owner},
                                       {"mr_owner_config", false, read_mr_owner_config}};
    static const struct field sgx[] = {{"mr_signer", false, read_mr_signer},
                                       {"isv_prod_id", false, read_isv_prod_id},
                                       {"minimum_isv_svn", false, read_isv_svn}};
    enum { N_BOTH = sizeof both / sizeof *both, N_TDX = sizeof tdx / sizeof *tdx };
    struct field all[N_BOTH + N_TDX];
    size_t more = is_tdx ? N_TDX : sizeof sgx / sizeof *sgx;
    memcpy(all, both, sizeof both);
    memcpy(all + N_BOTH, is_tdx ? tdx : sgx, more * sizeof *all);
    return read_object(r, all, N_BOTH + more, rules);
}
