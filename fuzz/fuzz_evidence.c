/* Evidence envelopes with their supplements, judged whole, and the payload of bundles. The
 * first byte chooses. What was parsed and written again must be the same bytes. */
#include "common/attest/bundle.h"
#include "common/attest/evidence.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct enclave_keys keys;
static struct verdict verdict;
static struct bundle bundle;

static void envelope(struct span bytes)
{
    struct verified_enclave *enclave = NULL;
    struct evidence e;
    struct supplements s;
    BUFFER_CLEARED again = {0};
    if (attest_verify(bytes, &keys, NULL, 1, &verdict, &enclave) == APEX_OK || enclave) abort();
    (void)evidence_guess(bytes);
    if (evidence_parse(bytes, &e) != APEX_OK || supplements_parse(e.supplements, &s) != APEX_OK)
        return;
    supplements_write(&s, &again);
    if (buffer_ok(&again) == APEX_OK && !span_equal(buffer_span(&again), e.supplements))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) return 0;
    struct span rest = span_of(data + 1, len - 1);
    if (data[0] % 2 == 0)
        envelope(rest);
    else if (bundle_parse(rest, &bundle) == APEX_OK && bundle.n_sets > BUNDLE_SETS_MAX)
        abort();
    return 0;
}
