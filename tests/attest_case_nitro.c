#include "tests/attest_case.h"

#include "tests/check.h"

#include <stdio.h>

void case_judge_nitro(const struct attest_case *c, struct verdict *v)
{
    struct roots roots = *vendor_roots();
    struct span tls = case_file(c, "tls_certificate"), key = {0};
    CERTIFICATE_FREED *certificate = NULL;
    case_root(c, "root", ROOT_AWS_NITRO, &roots);
    struct judging j = {.report = case_file(c, "document"), .roots = &roots, .at_ms = c->at_ms};
    if (tls.data) { /* the document's user_data is this certificate's public key */
        CHECK_OK(certificate_parse(tls, &certificate));
        CHECK_OK(certificate_public_key(certificate, &key));
        j.report_data = key;
    }
    attest_examine("nitro", &j, v);
}

void case_compare_nitro(const struct attest_case *c, const struct verdict *v)
{
    const struct claims *claims;
    CHECK_OK(verdict_claims(v, &claims));
    const struct nitro_claims *n = &claims->of.nitro;
    case_expect_text(c, "module_id", n->module_id);
    case_expect_int(c, "timestamp_ms", n->timestamp_ms);
    CHECK(v->time_ms == n->timestamp_ms);
    for (unsigned i = 0; i < NITRO_PCRS; i++) {
        char path[16];
        snprintf(path, sizeof path, "pcrs.%u", i);
        case_expect_hex(c, path, span_of(n->pcr[i].bytes, n->pcr[i].len));
    }
    case_expect_hex(c, "nonce", span_of(n->nonce.bytes, n->nonce.len));
    case_expect_hex(c, "user_data", span_of(n->user_data.bytes, n->user_data.len));
    case_expect_hex(c, "public_key", span_of(n->public_key.bytes, n->public_key.len));
}
