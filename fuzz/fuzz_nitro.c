/* Nitro documents, judged as of the seeds' own times: the first byte chooses one. */
#include "common/attest/attest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct verdict verdict;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint64_t at_s[] = {1665651482, 1665582606, 1695049410,
                                    1674047239, 1766668537, 1723799509};
    const struct claims *claims;
    if (len == 0) return 0;
    struct judging j = {.report = span_of(data + 1, len - 1),
                        .at_ms = at_s[data[0] % 6] * 1000};
    attest_examine("nitro", &j, &verdict);
    bool readable = verdict_claims(&verdict, &claims) == APEX_OK;
    if (readable != verdict.genuine ||
        (!verdict.genuine && (verdict.measurement_len || verdict.reason == REASON_NONE)))
        abort();
    return 0;
}
