/* Intel quotes, and (from a first byte 0x30 on) the extension of a platform's certificate. What
 * parses lies within its bytes and fills them as it says; nothing changed is ever genuine under
 * Intel's root but the seeds that are. */
#include "common/attest/attest.h"
#include "common/attest/pck.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t fuzz_reached(void);

static size_t reached;

size_t fuzz_reached(void)
{
    return reached;
}

/* Within the time of all the certificates of the vectors: 2026-11-01. */
static const uint64_t at_ms = UINT64_C(1793491200000);

static void within(struct span part, struct span whole)
{
    if (part.len == 0) return;
    if (part.data < whole.data || part.len > whole.len ||
        part.data + part.len > whole.data + whole.len)
        abort();
}

static void judge(const char *tee, struct span bytes)
{
    static struct verdict v;
    const struct claims *claims;
    const struct judging j = {.report = bytes, .at_ms = at_ms};
    attest_examine(tee, &j, &v);
    if (v.genuine != (verdict_claims(&v, &claims) == APEX_OK)) abort();
    if (!v.genuine && (v.reason == REASON_NONE || v.findings || v.measurement_len)) abort();
    for (size_t i = 0; i < v.n_checks; i++)
        for (const char *p = v.checks[i].detail; *p; p++)
            if (*p < 0x20 || *p > 0x7e) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span bytes = span_of(data, len);
    struct quote q;
    struct pck p;
    if (len > 0 && data[0] == 0x30) {
        if (pck_parse(bytes, &p) != APEX_OK) return 0;
        if (p.type > UINT8_MAX) abort();
        reached++;
        return 0;
    }
    if (quote_parse(bytes, &q) == APEX_OK) {
        reached++;
        within(q.signed_part, bytes);
        within(q.qe_report_bytes, bytes);
        within(q.qe_auth, bytes);
        within(q.certification_data, bytes);
        if (q.td.is_15 && q.version != 5) abort();
    }
    judge("tdx", bytes);
    judge("sgx", bytes);
    return 0;
}
