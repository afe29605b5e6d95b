#include "common/attest/intel_rules.h"

#include "common/attest/checks.h"
#include "common/base/hex.h"

#include <stdio.h>

/* XFAM: x87 and SSE are always on; nothing outside the features TDX can give. Source: TDX
 * Module ABI, XFAM fixed bits. */
#define XFAM_NEEDED UINT64_C(0x3)
#define XFAM_POSSIBLE UINT64_C(0x6DBE7)
#define TD_KNOWN (TD_DEBUG | TD_SEPT_VE_DISABLE | TD_MIGRATABLE | TD_PKS | TD_KL | TD_PERFMON)

static bool ask(struct verdict *v, const char *name, bool passes, const char *good,
                const char *bad)
{
    return verdict_check(v, name, passes, REASON_POLICY, "%s", passes ? good : bad);
}

/* ---- how current the platform is ---- */

static bool advisory_accepted(const struct intel_rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->n_advisories; i++)
        if (strcmp(rules->advisories[i], id) == 0) return true;
    return false;
}

/* Those the policy does not accept, as many as there is room for; their number. */
static size_t advisories_unaccepted(const struct intel_rules *rules,
                                    const struct tcb_verdict *t, char *text, size_t room)
{
    size_t n = 0, len = 0;
    text[0] = 0;
    for (size_t i = 0; i < t->n_advisories; i++) {
        if (advisory_accepted(rules, t->advisories[i])) continue;
        size_t more = strlen(t->advisories[i]) + 2;
        if (len + more < room)
            len += (size_t)snprintf(text + len, room - len, "%s%s", n ? ", " : "",
                                    t->advisories[i]);
        n++;
    }
    return n;
}

static const char *status_words(enum tcb_status s)
{
    switch (s) {
    case TCB_SW_HARDENING_NEEDED: return "its software must work around known flaws";
    case TCB_CONFIGURATION_NEEDED: return "its firmware settings leave known flaws open";
    case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return "its settings and software must work around known flaws";
    case TCB_TD_RELAUNCH_ADVISED:
    case TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
        return "the machine was updated since this guest began: start it anew";
    default: return "microcode or firmware is old, the operator must update it";
    }
}

/* The day of a level, "2018-01-04". Source: H. Hinnant, chrono-compatible low-level date
 * algorithms, civil_from_days. */
static void day_write(int64_t ms, char text[static 16])
{
    uint32_t days = (uint32_t)(ms / 86400000) + 719468, era = days / 146097;
    uint32_t of_era = days % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100),
             month = (5 * of_year + 2) / 153;
    uint32_t day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    snprintf(text, 16, "%04u-%02u-%02u", (unsigned)(year + era * 400 + (month <= 2)) % 10000,
             (unsigned)month % 100, (unsigned)day % 100);
}

static bool status_hold(const struct intel_rules *rules, const struct intel_claims *c,
                        struct verdict *v)
{
    const struct tcb_verdict *t = &c->tcb;
    static const char name[] = "tcb-status";
    if (!c->has_tcb)
        return ask(v, name, false, "",
                   "no collateral came along: nobody knows how old the platform is");
    if (t->status == TCB_UP_TO_DATE)
        return ask(v, name, true, "the platform has all of Intel's fixes", "");
    char list[72], day[16];
    size_t n = advisories_unaccepted(rules, t, list, sizeof list);
    const char *status = tcb_status_name(t->status);
    if (rules->statuses >> t->status & 1 && n == 0)
        return verdict_check(v, name, true, REASON_NONE,
                             "%s: the policy accepts this status and all its advisories",
                             status);
    day_write(t->date_ms, day);
    return verdict_check(v, name, false, REASON_POLICY, "%s (a level of %s): %s%s%s", status,
                         day, status_words(t->status), n ? "; see " : "", list);
}

static bool currency_hold(const struct intel_rules *rules, const struct intel_claims *c,
                          struct verdict *v)
{
    bool fine = status_hold(rules, c, v);
    if (rules->revocation_waived)
        verdict_not_asked(v, "revocation-asked", "the policy waives revocation lists");
    else
        fine &= ask(v, "revocation-asked", c->revocation_checked,
                    "Intel's revocation lists were consulted",
                    "no revocation lists came along, and the policy asks for them");
    if (rules->minimum_evaluation)
        fine &= ask(v, "minimum-evaluation",
                    c->has_tcb && c->tcb.evaluation >= rules->minimum_evaluation,
                    "the collateral knows of all the policy wants it to",
                    "the collateral is from before what the policy wants it to know of");
    if (rules->minimum_qe_svn)
        fine &= ask(v, "minimum-qe-svn", c->qe_svn >= rules->minimum_qe_svn,
                    "the quoting enclave is new enough", "the quoting enclave is too old");
    if (rules->minimum_pce_svn)
        fine &= ask(v, "minimum-pce-svn", c->platform.pce_svn >= rules->minimum_pce_svn,
                    "the certification enclave is new enough",
                    "the certification enclave is too old");
    return fine;
}

/* ---- what may be on ---- */

static bool allowances_hold(const struct intel_rules *rules, const struct td_report *td,
                            struct verdict *v)
{
    static const uint8_t zeros[48];
    const struct {
        const char *name;
        uint32_t allowance;
        bool is_so;
        const char *good, *bad;
    } asked[] = {
        {"debug", ALLOW_DEBUG, td->attributes & TD_DEBUG, "the guest cannot be debugged",
         "the guest is in DEBUG mode: the operator reads and changes its memory"},
        {"sept-ve-disable", ALLOW_NO_SEPT_VE_DISABLE, !(td->attributes & TD_SEPT_VE_DISABLE),
         "pages taken away stop the guest",
         "the operator can take pages away and the guest is made to carry on"},
        {"migration", ALLOW_MIGRATABLE, td->attributes & TD_MIGRATABLE,
         "the guest cannot be moved to another machine",
         "the guest may be moved to another machine, with all it holds"},
        {"service-td", ALLOW_SERVICE_TD, memcmp(td->mr_service_td, zeros, 48) != 0,
         "no other guest serves this one",
         "another guest (a service TD) is bound to this one and may act on it"},
        {"protection-keys", ALLOW_PKS, td->attributes & TD_PKS,
         "supervisor protection keys are off", "supervisor protection keys are on"},
        {"key-locker", ALLOW_KL, td->attributes & TD_KL, "key locker is off",
         "key locker is on"},
        {"performance-counters", ALLOW_PERFMON, td->attributes & TD_PERFMON,
         "performance counters are off",
         "performance counters are on, and tell of what the guest does"},
    };
    bool fine = true;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        bool allowed = rules->allowed & asked[i].allowance;
        if (asked[i].is_so && allowed)
            fine &= ask(v, asked[i].name, true, "it is so, and the policy allows it", "");
        else
            fine &= ask(v, asked[i].name, !asked[i].is_so, asked[i].good, asked[i].bad);
    }
    return fine;
}

static bool attributes_hold(const struct td_report *td, struct verdict *v)
{
    bool known = (td->attributes & ~TD_KNOWN) == 0;
    bool possible = (td->xfam & XFAM_NEEDED) == XFAM_NEEDED && (td->xfam & ~XFAM_POSSIBLE) == 0;
    return ask(v, "td-attributes", known && possible,
               "no feature is on that this version does not know",
               "a feature is on that this version does not know");
}

/* ---- registers ---- */

static const char *const register_names[INTEL_REGISTERS] = {
    "rtmr0",        "rtmr1",    "rtmr2",           "rtmr3",    "mr-seam",
    "mr-config-id", "mr-owner", "mr-owner-config", "mr-signer"};

static const uint8_t *register_of(const struct intel_claims *c, enum intel_register which)
{
    switch (which) {
    case REGISTER_MR_SEAM: return c->td.mr_seam;
    case REGISTER_MR_CONFIG_ID: return c->td.mr_config_id;
    case REGISTER_MR_OWNER: return c->td.mr_owner;
    case REGISTER_MR_OWNER_CONFIG: return c->td.mr_owner_config;
    case REGISTER_MR_SIGNER: return c->sgx.mr_signer;
    default: return c->td.rtmr[which];
    }
}

static bool register_hold(const struct intel_rules *rules, enum intel_register which,
                          const struct intel_claims *c, struct verdict *v)
{
    size_t len = which == REGISTER_MR_SIGNER ? 32 : 48;
    const uint8_t *value = register_of(c, which);
    bool found = false;
    char hex[2 * 48 + 1];
    for (size_t i = 0; i < rules->registers[which].n; i++)
        found |= memcmp(rules->registers[which].at[i], value, len) == 0;
    hex_write(span_of(value, len), hex);
    return verdict_check(v, register_names[which], found, REASON_POLICY,
                         found ? "%s is in the policy" : "%s is not in the policy", hex);
}

static bool registers_hold(const struct intel_rules *rules, const struct intel_claims *c,
                           struct verdict *v)
{
    bool fine = true, any = false;
    for (enum intel_register r = 0; r < INTEL_REGISTERS; r++) {
        if (rules->registers[r].n == 0) continue;
        fine &= register_hold(rules, r, c, v);
        any = true;
    }
    if (!any && c->is_tdx)
        verdict_not_asked(
            v, "registers",
            "the policy names no RTMR0: the virtual hardware of the machine is not asked");
    return fine;
}

/* ---- each kind ---- */

static bool td_hold(const struct intel_rules *rules, const struct intel_claims *c,
                    struct verdict *v)
{
    bool fine = allowances_hold(rules, &c->td, v), reached = true, any = false;
    fine &= attributes_hold(&c->td, v);
    for (size_t i = 0; i < 16; i++) {
        any |= rules->minimum_tee_tcb_svn[i] != 0;
        reached &= c->td.tee_tcb_svn[i] >= rules->minimum_tee_tcb_svn[i];
    }
    if (any)
        fine &= ask(v, "minimum-tee-tcb-svn", reached, "the TDX module is new enough",
                    "the TDX module is older than the policy wants");
    return fine;
}

static bool sgx_hold(const struct intel_rules *rules, const struct intel_claims *c,
                     struct verdict *v)
{
    bool debug = c->sgx.attributes[0] & SGX_ATTRIBUTE_DEBUG;
    bool fine =
        ask(v, "debug", !debug || rules->allowed & ALLOW_DEBUG,
            debug ? "it is so, and the policy allows it" : "the enclave cannot be debugged",
            "the enclave is in DEBUG mode: the operator reads and changes its memory");
    if (rules->has_isv_prod_id)
        fine &= ask(v, "isv-prod-id", c->sgx.isv_prod_id == rules->isv_prod_id,
                    "it is the product the policy names", "it is another product");
    if (rules->minimum_isv_svn)
        fine &= ask(v, "minimum-isv-svn", c->sgx.isv_svn >= rules->minimum_isv_svn,
                    "the enclave is new enough", "the enclave is older than the policy wants");
    return fine;
}

bool intel_rules_hold(const struct intel_rules *rules, const struct intel_claims *c,
                      struct verdict *v)
{
    bool fine = currency_hold(rules, c, v);
    fine &= c->is_tdx ? td_hold(rules, c, v) : sgx_hold(rules, c, v);
    return registers_hold(rules, c, v) & fine;
}
