#include "client/lib/trust_write.h"

#include "common/base/hex.h"

#include <stdarg.h>
#include <stdio.h>

enum { A_DAY_S = 86400, DAYS = 30 };

static void __attribute__((format(printf, 2, 3)))
put(struct buffer *out, const char *format, ...)
{
    char text[1024];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    buffer_text(out, text);
}

/* A JSON string, whatever it holds. */
static void put_text(struct buffer *out, const char *text)
{
    buffer_u8(out, '"');
    for (const char *p = text; *p; p++) {
        if ((uint8_t)*p < 0x20)
            put(out, "\\u%04x", (unsigned)*p);
        else
            put(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    buffer_u8(out, '"');
}

static void put_hex(struct buffer *out, const char *name, const uint8_t *bytes, size_t len)
{
    char hex[2 * 64 + 1];
    hex_write(span_of(bytes, len), hex);
    put(out, ",\n        \"%s\": [\"%s\"]", name, hex);
}

static bool any(const uint8_t *bytes, size_t len)
{
    uint8_t all = 0;
    for (size_t i = 0; i < len; i++)
        all |= bytes[i];
    return all != 0;
}

static void snp_write(const struct snp_report *r, struct buffer *out)
{
    static const char *const names[] = {"milan", "genoa", "turin"};
    const struct {
        const char *name;
        bool is_so;
    } allowed[] = {
        {"smt", snp_bit(r->policy, SNP_POLICY_SMT)},
        {"cxl", snp_bit(r->policy, SNP_POLICY_CXL)},
        {"masked-chip", !r->csp_id[0] && !any(r->chip_id, sizeof r->chip_id)},
        {"provisional-firmware", !snp_tcb_equal(&r->current_tcb, &r->committed_tcb)}};
    const struct snp_tcb *t = &r->reported_tcb;
    put(out, ",\n      \"snp\": {\n        \"minimum_tcb\": {\"%s\": {", names[r->product]);
    if (r->product == SNP_TURIN) put(out, "\"fmc\": %u, ", t->fmc);
    put(out, "\"bootloader\": %u, \"tee\": %u, \"snp\": %u, \"microcode\": %u}}", t->bootloader,
        t->tee, t->snp, t->microcode);
    if (r->vmpl > 0 && r->vmpl <= 3) put(out, ",\n        \"maximum_vmpl\": %u", r->vmpl);
    put(out, ",\n        \"allow\": [");
    for (size_t i = 0, n = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (allowed[i].is_so) put(out, "%s\"%s\"", n++ ? ", " : "", allowed[i].name);
    put(out, "]");
    if (r->csp_id[0]) {
        put(out, ",\n        \"providers\": [");
        put_text(out, r->csp_id);
        put(out, "]");
    }
    if (any(r->host_data, sizeof r->host_data))
        put_hex(out, "host_data", r->host_data, sizeof r->host_data);
    if (any(r->id_key_digest, sizeof r->id_key_digest))
        put_hex(out, "id_keys", r->id_key_digest, sizeof r->id_key_digest);
    put(out, "\n      }");
}

static void tdx_write(const struct intel_claims *i, struct buffer *out)
{
    put(out, ",\n      \"tdx\": {\n        \"allow\": []");
    put_hex(out, "rtmr0", i->td.rtmr[0], 48);
    put_hex(out, "mr_seam", i->td.mr_seam, 48);
    put(out, "\n      }");
}

static void nitro_write(const struct nitro_claims *n, struct buffer *out)
{
    static const struct {
        const char *name;
        unsigned at;
    } pcrs[] = {{"pcr1", 1}, {"pcr2", 2}, {"pcr8", 8}};
    put(out, ",\n      \"nitro\": {\n        \"allow\": []");
    for (size_t i = 0; i < 3; i++) {
        const struct nitro_pcr *p = &n->pcr[pcrs[i].at];
        if (p->len == 48 && any(p->bytes, 48)) put_hex(out, pcrs[i].name, p->bytes, 48);
    }
    put(out, "\n      }");
}

void policy_write(const struct verdict *v, const char *origin, const struct sign_public *log,
                  struct buffer *out)
{
    const struct claims *claims;
    char measurement[2 * MEASUREMENT_MAX + 1], key[65];
    if (verdict_claims(v, &claims) != APEX_OK) return;
    hex_write(span_of(v->measurement, v->measurement_len), measurement);
    hex_write(SPAN(log->bytes), key);
    put(out,
        "{\n  \"apex\": 1,\n  \"accept\": [\n    {\"tee\": \"%s\", \"measurements\": "
        "[\"%s\"]",
        v->tee, measurement);
    if (v->simulated) put(out, ", \"maximum_age_s\": %d", A_DAY_S * DAYS);
    if (strcmp(v->tee, "sev-snp") == 0) snp_write(&claims->of.snp, out);
    if (strcmp(v->tee, "tdx") == 0) tdx_write(&claims->of.intel, out);
    if (strcmp(v->tee, "nitro") == 0) nitro_write(&claims->of.nitro, out);
    put(out, "}\n  ],\n  \"distrust\": [],\n  \"log\": {\"origin\": ");
    put_text(out, origin);
    put(out, ", \"key\": \"%s\"}\n}\n", key);
}
