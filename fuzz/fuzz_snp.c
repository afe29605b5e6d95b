/* SEV-SNP evidence: the first byte tells how the rest is split into report, certificates and
 * revocation list. Whatever comes, the judge must answer, and nothing of what failed may be
 * readable. */
#include "common/attest/attest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct verdict verdict;

static void check(void)
{
    const struct claims *claims;
    if (verdict.genuine == (verdict_claims(&verdict, &claims) == APEX_OK) &&
        (verdict.genuine || (verdict.measurement_len == 0 && verdict.findings == 0 &&
                             verdict.reason != REASON_NONE)))
        return;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct judging j = {.at_ms = UINT64_C(1793491200000)}; /* 2026-11-01 */
    size_t report = len < 1 + SNP_REPORT_LEN ? len : 1 + SNP_REPORT_LEN;
    if (len == 0) return 0;
    j.report = span_of(data + 1, report - 1);
    size_t list = data[0] & 1 ? (len - report) / 4 : 0;
    j.supplements.part[SUPPLEMENT_CERTIFICATES] = span_of(data + report, len - report - list);
    j.supplements.part[SUPPLEMENT_AMD_CRL] = span_of(data + len - list, list);
    j.revocation_required = data[0] & 2;
    attest_examine("sev-snp", &j, &verdict);
    check();
    return 0;
}
