#include "client/lib/trust_facts.h"

#include "client/lib/show.h"
#include "common/base/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static void __attribute__((format(printf, 3, 4)))
fact(struct apex_verdict *v, const char *name, const char *format, ...)
{
    va_list words;
    char text[sizeof v->facts->value];
    if (v->n_facts == sizeof v->facts / sizeof *v->facts) return;
    struct apex_fact *f = &v->facts[v->n_facts++];
    snprintf(f->name, sizeof f->name, "%s", name);
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    text_tame(text, f->value, sizeof f->value);
}

static void fact_hex(struct apex_verdict *v, const char *name, const uint8_t *bytes, size_t len)
{
    char hex[2 * 64 + 1];
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    if (len > 64) len = 64;
    hex_write(span_of(bytes, len), hex);
    fact(v, name, "%s", any ? hex : "zeros");
}

static void fact_time(struct apex_verdict *v, const char *name, uint64_t ms)
{
    time_t at = (time_t)(ms / 1000);
    struct tm t;
    char text[40] = "";
    if (gmtime_r(&at, &t)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &t);
    fact(v, name, "%s", text);
}

static void fact_tcb(struct apex_verdict *v, const char *name, const struct snp_report *r,
                     const struct snp_tcb *t)
{
    char fmc[16] = "";
    if (r->product == SNP_TURIN) snprintf(fmc, sizeof fmc, "fmc %u, ", t->fmc);
    fact(v, name, "%sbootloader %u, tee %u, snp %u, microcode %u", fmc, t->bootloader, t->tee,
         t->snp, t->microcode);
}

static void snp_facts(const struct snp_report *r, struct apex_verdict *v)
{
    fact(v, "report version", "%u", (unsigned)r->version);
    fact(v, "signed by", "%s%s",
         r->csp_id[0] ? "a provider's key (VLEK), of " : "the chip's own key (VCEK)",
         r->csp_id);
    fact_hex(v, "chip", r->chip_id, r->product == SNP_TURIN ? 8 : 64);
    fact(v, "guest policy", "ABI %u.%u, debug %s, SMT %s, migration %s",
         (unsigned)(r->policy >> 8 & 0xff), (unsigned)(r->policy & 0xff),
         snp_bit(r->policy, SNP_POLICY_DEBUG) ? "ALLOWED" : "off",
         snp_bit(r->policy, SNP_POLICY_SMT) ? "allowed" : "off",
         snp_bit(r->policy, SNP_POLICY_MIGRATE_MA) ? "ALLOWED" : "off");
    fact(v, "privilege level", "VMPL %u", (unsigned)r->vmpl);
    fact(v, "firmware", "%u.%u.%u", r->current.major, r->current.minor, r->current.build);
    fact_tcb(v, "firmware level", r, &r->reported_tcb);
    fact(v, "guest version", "%u", (unsigned)r->guest_svn);
    fact_hex(v, "report data", r->report_data, sizeof r->report_data);
    fact_hex(v, "host data", r->host_data, sizeof r->host_data);
    fact_hex(v, "ID key digest", r->id_key_digest, sizeof r->id_key_digest);
}

static void nitro_facts(const struct nitro_claims *n, struct apex_verdict *v)
{
    fact(v, "module", "%s", n->module_id);
    fact_time(v, "made at", n->timestamp_ms);
    for (unsigned i = 0; i < NITRO_PCRS; i++) {
        char name[16];
        uint8_t any = 0;
        for (size_t k = 0; k < n->pcr[i].len; k++)
            any |= n->pcr[i].bytes[k];
        if (!any && i > 2) continue;
        snprintf(name, sizeof name, "PCR%u", i);
        fact_hex(v, name, n->pcr[i].bytes, n->pcr[i].len);
    }
    fact(v, "user data", "%u bytes", n->user_data.len);
    fact(v, "nonce", n->nonce.there ? "%u bytes" : "none", n->nonce.len);
}

static void intel_facts(const struct intel_claims *i, struct apex_verdict *v)
{
    fact(v, "quote version", "%u", (unsigned)i->version);
    fact_hex(v, "platform (FMSPC)", i->platform.fmspc, sizeof i->platform.fmspc);
    if (i->has_tcb) {
        fact(v, "status by Intel", "%s", tcb_status_name(i->tcb.status));
        for (size_t a = 0; a < i->tcb.n_advisories; a++)
            fact(v, "advisory", "%s", i->tcb.advisories[a]);
    } else
        fact(v, "status by Intel", "unknown: no collateral came along");
    if (i->is_tdx) { /* the other two are in the measurement */
        fact_hex(v, "RTMR0", i->td.rtmr[0], 48);
        fact_hex(v, "RTMR3", i->td.rtmr[3], 48);
    } else
        fact_hex(v, "MRSIGNER", i->sgx.mr_signer, 32);
    fact_hex(v, "report data", i->is_tdx ? i->td.report_data : i->sgx.report_data, 64);
}

static const char *finding_words(enum finding f)
{
    switch (f) {
    case FINDING_DEBUG_ALLOWED:
    case FINDING_DEBUG: return "DEBUG mode: the operator can read and change everything inside";
    case FINDING_DEBUG_PCRS_ZERO:
        return "DEBUG mode: nothing of the enclave was measured, and the operator can read it";
    case FINDING_SMT_ALLOWED:
        return "it may share a core with other guests (SMT), which may learn of it by timing";
    case FINDING_MIGRATION_ALLOWED:
    case FINDING_MIGRATABLE: return "it may be moved to another machine with all it holds";
    case FINDING_NO_CPUID_FIELDS:
        return "an old report: the processor is known by its certificate alone";
    case FINDING_VMPL_NONZERO:
        return "it was asked for from a lower privilege level: other software of the guest, "
               "such "
               "as the provider's, stands above";
    case FINDING_CHIP_ID_MASKED: return "which chip it was is not told";
    case FINDING_CURRENT_TCB_DIFFERS:
        return "newer firmware runs provisionally: the operator can go back to the older one";
    case FINDING_REPORTED_TCB_DIFFERS:
        return "the operator has the chip vouch for older firmware than it holds";
    case FINDING_NO_NONCE: return "no nonce: it may have been made at any time its date allows";
    case FINDING_SEPT_VE_DISABLE_UNSET:
        return "the operator can take pages away and the guest is made to carry on";
    default: return "";
    }
}

void facts_fill(const struct verdict *from, struct apex_verdict *to)
{
    const struct claims *claims;
    if (verdict_claims(from, &claims) != APEX_OK) return;
    if (strcmp(from->tee, "sev-snp") == 0) snp_facts(&claims->of.snp, to);
    if (strcmp(from->tee, "nitro") == 0) nitro_facts(&claims->of.nitro, to);
    if (strcmp(from->tee, "tdx") == 0 || strcmp(from->tee, "sgx") == 0)
        intel_facts(&claims->of.intel, to);
    for (unsigned f = 0; f < FINDINGS; f++) {
        if (!(from->findings >> f & 1) || to->n_findings == 16) continue;
        struct apex_fact *at = &to->findings[to->n_findings++];
        snprintf(at->name, sizeof at->name, "%s", finding_name(f));
        snprintf(at->value, sizeof at->value, "%s", finding_words(f));
    }
}
