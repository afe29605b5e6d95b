#include "common/attest/snp_rules.h"

#include "common/attest/checks.h"
#include "common/base/hex.h"

#include <stdio.h>

static bool ask(struct verdict *v, const char *name, bool passes, const char *good,
                const char *bad)
{
    return verdict_check(v, name, passes, REASON_POLICY, "%s", passes ? good : bad);
}

/* ---- what may be on ---- */

static bool allowances_hold(const struct snp_rules *rules, const struct snp_report *r,
                            struct verdict *v)
{
    static const uint8_t zeros[SNP_CHIP_ID_LEN];
    const struct {
        const char *name;
        uint32_t allowance;
        bool is_so;
        const char *good, *bad;
    } asked[] = {
        {"debug", SNP_ALLOW_DEBUG, snp_bit(r->policy, SNP_POLICY_DEBUG),
         "the guest cannot be debugged",
         "DEBUG is allowed: the operator reads and changes this guest's memory"},
        {"migration", SNP_ALLOW_MIGRATION, snp_bit(r->policy, SNP_POLICY_MIGRATE_MA),
         "the guest cannot be moved to another machine",
         "a migration agent may move the guest, with all it holds, to another machine"},
        {"smt", SNP_ALLOW_SMT, snp_bit(r->policy, SNP_POLICY_SMT),
         "no other guest shares a core with this one",
         "the guest may run where its cores are shared (SMT): neighbours may learn of it"},
        {"cxl", SNP_ALLOW_CXL, snp_bit(r->policy, SNP_POLICY_CXL),
         "its memory is on the processor's own bus",
         "its memory may lie in devices on a CXL bus"},
        {"chip-named", SNP_ALLOW_MASKED_CHIP,
         !r->csp_id[0] && memcmp(r->chip_id, zeros, sizeof zeros) == 0,
         "the report names its chip, or the provider its key was given to",
         "the host had the chip's number left out"},
        {"firmware-committed", SNP_ALLOW_PROVISIONAL,
         !snp_tcb_equal(&r->current_tcb, &r->committed_tcb),
         "the firmware that runs cannot be taken back to an older one",
         "the firmware that runs is provisional: an older one can be put in its place"},
    };
    bool fine = true;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        fine &= asked[i].is_so && rules->allowed & asked[i].allowance
                    ? ask(v, asked[i].name, true, "it is so, and the policy allows it", "")
                    : ask(v, asked[i].name, !asked[i].is_so, asked[i].good, asked[i].bad);
    return fine;
}

static bool vmpl_holds(const struct snp_rules *rules, const struct snp_report *r,
                       struct verdict *v)
{
    if (r->vmpl > 3)
        return verdict_check(v, "vmpl", rules->allowed & SNP_ALLOW_VMPL, REASON_POLICY,
                             "the host asked for this report, not the guest");
    bool fine = r->vmpl <= rules->vmpl || rules->allowed & SNP_ALLOW_VMPL;
    return verdict_check(v, "vmpl", fine, REASON_POLICY,
                         "the report comes from privilege level %u of the guest; the policy "
                         "takes up to %u",
                         (unsigned)r->vmpl,
                         rules->allowed & SNP_ALLOW_VMPL ? 3u : (unsigned)rules->vmpl);
}

/* ---- what must be on ---- */

static bool required_is_so(enum snp_requirement what, const struct snp_report *r)
{
    switch (what) {
    case SNP_REQUIRE_SINGLE_SOCKET: return snp_bit(r->policy, SNP_POLICY_SINGLE_SOCKET);
    case SNP_REQUIRE_AES_256_XTS: return snp_bit(r->policy, SNP_POLICY_AES_256_XTS);
    case SNP_REQUIRE_RAPL_OFF: return snp_bit(r->policy, SNP_POLICY_RAPL_DIS);
    case SNP_REQUIRE_CIPHERTEXT_HIDING: return snp_bit(r->policy, SNP_POLICY_CIPHERTEXT_HIDING);
    case SNP_REQUIRE_PAGE_SWAP_DISABLE: return snp_bit(r->policy, SNP_POLICY_PAGE_SWAP_DISABLE);
    case SNP_REQUIRE_SMT_OFF: return !snp_bit(r->platform_info, SNP_PLATFORM_SMT);
    case SNP_REQUIRE_TSME: return snp_bit(r->platform_info, SNP_PLATFORM_TSME);
    case SNP_REQUIRE_ECC: return snp_bit(r->platform_info, SNP_PLATFORM_ECC);
    case SNP_REQUIRE_ALIAS_CHECK: return snp_bit(r->platform_info, SNP_PLATFORM_ALIAS_CHECK);
    case SNP_REQUIRE_AUTHOR_KEY: return r->author_key_en;
    default: return false;
    }
}

static bool requirements_hold(const struct snp_rules *rules, const struct snp_report *r,
                              struct verdict *v)
{
    static const struct {
        const char *name, *words;
    } asked[SNP_REQUIREMENTS] = {
        {"single-socket", "the guest is bound to one socket"},
        {"aes-256-xts", "memory is encrypted with AES-256-XTS"},
        {"rapl-off", "power readings that tell of the guest are off"},
        {"ciphertext-hiding", "the host cannot read the guest's encrypted memory"},
        {"page-swap-disable", "the host cannot move the guest's pages about"},
        {"smt-off", "the machine runs one thread a core"},
        {"tsme", "all memory of the machine is encrypted"},
        {"ecc", "memory corrects its errors"},
        {"alias-check", "the firmware looked for memory modules that lie about their size"},
        {"author-key", "an author's key vouched for the identity block at launch"},
    };
    bool fine = true;
    for (unsigned i = 0; i < SNP_REQUIREMENTS; i++)
        if (rules->required >> i & 1) {
            bool so = required_is_so(i, r);
            fine &= verdict_check(
                v, asked[i].name, so, REASON_POLICY, "%s%s",
                so ? "" : "the policy requires, and it is not so: ", asked[i].words);
        }
    return fine;
}

/* ---- how new the firmware is ---- */

static void tcb_text(const struct snp_tcb *t, enum snp_product product, char text[static 80])
{
    int n = product == SNP_TURIN ? snprintf(text, 80, "fmc %u, ", t->fmc) : 0;
    snprintf(text + n, 80 - (size_t)n, "bootloader %u, tee %u, snp %u, microcode %u",
             t->bootloader, t->tee, t->snp, t->microcode);
}

static bool minimum_holds(const struct snp_minimum *m, const struct snp_tcb *t,
                          enum snp_product product, const char *name, struct verdict *v)
{
    char has[80], wants[80];
    if (!m->named) {
        verdict_not_asked(v, name, "the policy names no minimum");
        return true;
    }
    if (!(m->named >> product & 1))
        return verdict_check(v, name, false, REASON_POLICY,
                             "the policy names no minimum for %s, so it takes none",
                             snp_product_name(product));
    bool fine = snp_tcb_at_most(&m->tcb[product], t);
    tcb_text(t, product, has);
    tcb_text(&m->tcb[product], product, wants);
    return fine ? verdict_check(v, name, true, REASON_NONE, "%s: at least what is asked", has)
                : verdict_check(v, name, false, REASON_POLICY,
                                "too old: %s; the policy wants %s", has, wants);
}

static bool version_at_least(const struct snp_version *a, const struct snp_version *b)
{
    if (a->major != b->major) return a->major > b->major;
    return a->minor != b->minor ? a->minor > b->minor : a->build >= b->build;
}

static bool firmware_holds(const struct snp_rules *rules, const struct snp_report *r,
                           struct verdict *v)
{
    bool fine = minimum_holds(&rules->tcb, &r->reported_tcb, r->product, "minimum-tcb", v);
    if (rules->launch_tcb.named)
        fine &= minimum_holds(&rules->launch_tcb, &r->launch_tcb, r->product,
                              "minimum-launch-tcb", v);
    if (rules->has_firmware)
        fine &= verdict_check(
            v, "minimum-firmware", version_at_least(&r->committed, &rules->firmware),
            REASON_POLICY, "SEV firmware %u.%u.%u; the policy wants %u.%u.%u or newer",
            r->committed.major, r->committed.minor, r->committed.build, rules->firmware.major,
            rules->firmware.minor, rules->firmware.build);
    if (rules->mitigations)
        fine &= ask(v, "mitigations",
                    (r->current_mitigations & rules->mitigations) == rules->mitigations,
                    "the mitigations asked for are in force",
                    "a mitigation the policy asks for is not in force, or not told of");
    if (rules->guest_svn)
        fine &= ask(v, "minimum-guest-svn", r->guest_svn >= rules->guest_svn,
                    "the guest is new enough", "the guest is older than the policy wants");
    return fine;
}

/* ---- whose, and which ---- */

static bool key_holds(const struct snp_rules *rules, const struct snp_report *r,
                      struct verdict *v)
{
    if (!r->csp_id[0])
        return ask(v, "provider", true, "signed by the chip's own key, no provider's", "");
    for (size_t i = 0; i < rules->n_providers; i++)
        if (strcmp(rules->providers[i], r->csp_id) == 0)
            return verdict_check(v, "provider", true, REASON_NONE,
                                 "the policy takes keys of %.100s", r->csp_id);
    return verdict_check(v, "provider", false, REASON_POLICY,
                         "signed by a key of %.60s, which the policy does not name: no chip of "
                         "its own vouches",
                         r->csp_id);
}

static const uint8_t *field_of(const struct snp_report *r, enum snp_field which)
{
    switch (which) {
    case SNP_FIELD_HOST_DATA: return r->host_data;
    case SNP_FIELD_ID_KEY: return r->id_key_digest;
    case SNP_FIELD_AUTHOR_KEY: return r->author_key_digest;
    case SNP_FIELD_FAMILY_ID: return r->family_id;
    case SNP_FIELD_IMAGE_ID: return r->image_id;
    default: return r->chip_id;
    }
}

static bool fields_hold(const struct snp_rules *rules, const struct snp_report *r,
                        struct verdict *v)
{
    static const char *const names[SNP_FIELDS] = {"host-data", "id-key",   "author-key-digest",
                                                  "family-id", "image-id", "chip-id"};
    bool fine = true;
    for (unsigned f = 0; f < SNP_FIELDS; f++) {
        size_t len = snp_field_len(f);
        bool found = false;
        char hex[2 * SNP_CHIP_ID_LEN + 1];
        if (rules->fields[f].n == 0) continue;
        for (size_t i = 0; i < rules->fields[f].n; i++)
            found |= memcmp(rules->fields[f].at[i], field_of(r, f), len) == 0;
        hex_write(span_of(field_of(r, f), len), hex);
        fine &= verdict_check(v, names[f], found, REASON_POLICY,
                              found ? "%s is in the policy" : "%s is not in the policy", hex);
    }
    return fine;
}

bool snp_rules_hold(const struct snp_rules *rules, const struct snp_report *report,
                    struct verdict *v)
{
    bool fine = allowances_hold(rules, report, v);
    fine &= vmpl_holds(rules, report, v);
    fine &= requirements_hold(rules, report, v);
    fine &= firmware_holds(rules, report, v);
    fine &= key_holds(rules, report, v);
    if (rules->revocation)
        fine &= ask(v, "revocation-asked", report->revocation_checked,
                    "AMD's revocation list was consulted",
                    "no revocation list came along, and the policy asks for it");
    return fields_hold(rules, report, v) && fine;
}
