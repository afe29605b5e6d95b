/* Judging an AWS Nitro document, by AWS's own steps (attestation_process.md, section 3.2):
 * form, certificates up to the pinned root, signature; then the time it names. */
#include "common/attest/judge.h"

#include <stdlib.h>

enum { SKEW_MS = 5 * 60 * 1000 };

struct nitro_case {
    const struct judging *j;
    struct verdict *v;
    struct nitro_document *d;
    struct certificate *leaf, *root, *between[NITRO_CABUNDLE_MAX];
    size_t n_between;
};

static bool form(struct nitro_case *c)
{
    bool parsed = nitro_document_parse(c->j->report, c->d) == APEX_OK;
    return verdict_check(c->v, "document-form", parsed, REASON_MALFORMED, "%s",
                         parsed ? "a Nitro attestation document, whole, nothing after it"
                                : "this is not a Nitro attestation document");
}

/* The cabundle begins with the root; what counts is that it is the one pinned here. */
static bool certificates(struct nitro_case *c)
{
    bool parsed = certificate_parse(c->d->certificate, &c->leaf) == APEX_OK;
    struct certificate *first = NULL;
    if (certificate_parse(c->j->roots->der[ROOT_AWS_NITRO], &c->root) != APEX_OK)
        return verdict_check(c->v, "chain", false, REASON_INTERNAL,
                             "the pinned certificate cannot be read");
    parsed = parsed && certificate_parse(c->d->cabundle[0], &first) == APEX_OK;
    bool pinned = parsed && certificate_same(first, c->root);
    certificate_free(first);
    for (size_t i = c->d->n_cabundle - 1; parsed && i > 0; i--) {
        parsed = certificate_parse(c->d->cabundle[i], &c->between[c->n_between]) == APEX_OK;
        c->n_between += parsed;
    }
    if (!verdict_check(c->v, "certificate-form", parsed, REASON_MALFORMED,
                       "the certificates inside are well-formed X.509 certificates"))
        return false;
    return verdict_check(c->v, "root", pinned, REASON_ROOT_UNTRUSTED, "%s",
                         pinned ? "the first certificate is the root of AWS that is compiled in"
                                : "the first certificate is not the root of AWS");
}

static bool chain(struct nitro_case *c)
{
    const struct chain q = {.leaf = c->leaf,
                            .between = c->between,
                            .n_between = c->n_between,
                            .root = c->root,
                            .at_ms = c->j->at_ms};
    /* AWS publishes no revocation lists for these: a leaf lives three hours. */
    return judge_chain(&q, "AWS", c->v) &&
           verdict_check(c->v, "certificate-kind", certificate_may_sign(c->leaf),
                         REASON_CHAIN_INVALID, "the certificate is one for signatures");
}

static bool signature(struct nitro_case *c)
{
    BUFFER_CLEARED bytes = {0};
    nitro_to_be_signed(c->d, &bytes);
    if (buffer_ok(&bytes) != APEX_OK)
        return verdict_check(c->v, "signature", false, REASON_INTERNAL, "no memory");
    bool good =
        certificate_ecdsa(c->leaf, CURVE_P384, buffer_span(&bytes), c->d->signature) == APEX_OK;
    return verdict_check(c->v, "signature", good, REASON_SIGNATURE_INVALID, "%s",
                         good ? "the key in the certificate signed this very document"
                              : "the key in the certificate did not sign these bytes");
}

/* Made while its certificate held, and not after the time asked for. */
static bool made_when(struct nitro_case *c)
{
    int64_t from, until, at = (int64_t)(c->d->claims.timestamp_ms / 1000);
    bool within = c->d->claims.timestamp_ms / 1000 < INT64_MAX &&
                  certificate_dates(c->leaf, &from, &until) == APEX_OK && from <= at &&
                  at <= until;
    if (!verdict_check(c->v, "time-of-certificate", within, REASON_MALFORMED,
                       "it was made while its certificate was valid"))
        return false;
    return verdict_check(c->v, "time-passed",
                         c->d->claims.timestamp_ms <= c->j->at_ms + SKEW_MS,
                         REASON_LEAF_NOT_YET_VALID, "it was not made in the future");
}

static bool bound(struct nitro_case *c)
{
    const struct nitro_field *f = &c->d->claims.user_data;
    return judge_binding(c->j, span_of(f->bytes, f->len), REASON_KEY_BINDING_MISMATCH, c->v);
}

static void claim(struct nitro_case *c)
{
    const struct nitro_claims *says = &c->d->claims;
    c->v->private_claims.of.nitro = *says;
    if (nitro_is_debug(says)) verdict_find(c->v, FINDING_DEBUG_PCRS_ZERO);
    if (!says->nonce.there) verdict_find(c->v, FINDING_NO_NONCE);
    memcpy(c->v->measurement, says->pcr[0].bytes, says->pcr[0].len);
    c->v->measurement_len = says->pcr[0].len;
    c->v->time_ms = says->timestamp_ms;
}

bool nitro_judge(const struct judging *j, struct verdict *v)
{
    struct nitro_case c = {.j = j, .v = v, .d = calloc(1, sizeof *c.d)};
    if (!c.d) return verdict_check(v, "document-form", false, REASON_INTERNAL, "no memory");
    bool genuine = form(&c) && certificates(&c) && chain(&c) && signature(&c) &&
                   made_when(&c) && bound(&c);
    if (genuine) claim(&c);
    certificates_free(c.between, c.n_between);
    certificate_free(c.root);
    certificate_free(c.leaf);
    free(c.d);
    return genuine;
}
