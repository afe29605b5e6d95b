#include "enclave/tee/tee.h"

#include "common/attest/evidence.h"
#include "common/base/try.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"
#include "common/crypto/secretbox.h"
#include "common/wire/cbor.h"
#include "enclave/tee/machine.h"

#include <stdlib.h>

#define SEALED_NAME "apex/sealed-root/v1"

static apex_status machine_open(const char *kind, const char *state, struct tee *t)
{
    if (strcmp(kind, "sim") == 0) return sim_open(state, t);
    if (strcmp(kind, "tsm") == 0) return tsm_open(t);
    if (strcmp(kind, "nitro") == 0) return nitro_open(t);
    return APEX_E_USAGE;
}

apex_status tee_open(const char *kind, const char *state, struct tee **tee)
{
    struct tee *t = calloc(1, sizeof *t);
    if (!t) return APEX_E_MEMORY;
    apex_status s = machine_open(kind, state, t);
    if (s != APEX_OK) {
        tee_close(t);
        return s;
    }
    *tee = t;
    return APEX_OK;
}

void tee_close(struct tee *tee)
{
    if (!tee) return;
    if (tee->ops && tee->ops->close) tee->ops->close(tee);
    free(tee);
}

const char *tee_kind(const struct tee *tee)
{
    return tee->kind;
}

struct span tee_measurement(const struct tee *tee)
{
    return span_of(tee->measurement, tee->measurement_len);
}

apex_status tee_quote(const struct tee *tee, const uint8_t report_data[static REPORT_DATA_LEN],
                      uint64_t time_ms, struct buffer *evidence)
{
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED supplements = {0};
    TRY(tee->ops->quote(tee, report_data, time_ms, &report, &supplements));
    TRY(buffer_ok(&report));
    TRY(buffer_ok(&supplements));
    evidence_write(tee->kind, buffer_span(&report), buffer_span(&supplements), evidence);
    TRY(buffer_ok(evidence));
    return evidence->len <= EVIDENCE_MAX ? APEX_OK : APEX_E_LIMIT;
}

static void fact(uint8_t *to, size_t *len, struct span report, size_t at, size_t n)
{
    memcpy(to + *len, report.data + at, n);
    *len += n;
}

apex_status machine_facts(const char *kind, struct span report, struct machine_facts *f)
{
    enum { SNP_TCB = 0x180, SNP_FAMILY = 0x188, SNP_DIGEST = 0x90, REGISTER = 48 };
    enum { TD_SVN = 0, TD_ATTRIBUTES = 120, TD_MRTD = 136, TD_RTMR = 328, RTMRS = 3 };
    *f = (struct machine_facts){0};
    if (strcmp(kind, "sev-snp") == 0) {
        if (report.len < SNP_FAMILY + 2) return APEX_E_FORMAT;
        fact(f->exact, &f->exact_len, report, SNP_DIGEST, REGISTER);
        f->measurement_len = f->exact_len;
        fact(f->exact, &f->exact_len, report, SNP_FAMILY, 2);
        fact(f->versions, &f->versions_len, report, SNP_TCB, 8);
    } else if (strcmp(kind, "tdx") == 0) {
        size_t body = report.len > 1 && report.data[0] == 5 ? 54 : 48;
        if (report.len < body + TD_RTMR + RTMRS * REGISTER) return APEX_E_FORMAT;
        fact(f->exact, &f->exact_len, report, body + TD_MRTD, REGISTER);
        fact(f->exact, &f->exact_len, report, body + TD_RTMR + REGISTER, 2 * REGISTER);
        f->measurement_len = f->exact_len;
        fact(f->exact, &f->exact_len, report, body + TD_RTMR, REGISTER);
        fact(f->exact, &f->exact_len, report, body + TD_ATTRIBUTES, 8);
        fact(f->versions, &f->versions_len, report, body + TD_SVN, 16);
    }
    return APEX_OK;
}

apex_status tee_is_like(const struct tee *tee, struct span evidence)
{
    struct evidence e = {0};
    struct machine_facts theirs;
    const struct machine_facts *ours = &tee->facts;
    TRY(evidence_parse(evidence, &e));
    if (!span_equal(e.tee, span_text(tee->kind))) return APEX_E_UNTRUSTED;
    TRY(machine_facts(tee->kind, e.report, &theirs));
    if (!span_equal(span_of(theirs.exact, theirs.exact_len),
                    span_of(ours->exact, ours->exact_len)))
        return APEX_E_UNTRUSTED;
    for (size_t i = 0; i < ours->versions_len; i++)
        if (theirs.versions[i] < ours->versions[i]) return APEX_E_UNTRUSTED;
    return APEX_OK;
}

bool tee_threads_share(const struct tee *tee)
{
    return tee->threads_share;
}

bool tee_seals(const struct tee *tee)
{
    return tee->ops->seal_key != NULL;
}

/* What is sealed names the kind of machine and the terms, and both are authenticated with the
 * secret: {1: name, 2: tee, 3: terms, 4: nonce || ciphertext || tag}. The code is in the key.
 */
static void head_write(const struct tee *t, struct span terms, struct buffer *out)
{
    cbor_put_map(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, SEALED_NAME);
    cbor_put_uint(out, 2);
    cbor_put_text(out, t->kind);
    cbor_put_uint(out, 3);
    cbor_put_bytes(out, terms);
}

/* The machine's key is never used itself: another use of it, with another label, learns nothing
 * of this one. */
static apex_status box_key(const struct tee *t, struct buffer *terms,
                           struct seal_key_bytes *key)
{
    WIPED(seal_key_bytes) raw = {{0}};
    WIPED(seal_key_bytes) prk = {{0}};
    if (!tee_seals(t)) return APEX_E_NOT_FOUND;
    TRY(t->ops->seal_key(t, terms, &raw));
    TRY(buffer_ok(terms));
    if (terms->len > SEAL_TERMS_MAX) return APEX_E_LIMIT;
    hkdf_extract(SPAN_TEXT("apex/seal/v1"), SPAN(raw.bytes), prk.bytes);
    return hkdf_expand(prk.bytes, SPAN_TEXT("apex/root-secret/v1"), key->bytes,
                       sizeof key->bytes);
}

apex_status tee_seal(const struct tee *tee, struct span secret, struct buffer *sealed)
{
    WIPED(seal_key_bytes) key = {{0}};
    BUFFER_CLEARED terms = {0};
    BUFFER_CLEARED head = {0};
    uint8_t box[SECRET_MAX + SECRETBOX_OVERHEAD];
    if (secret.len > SECRET_MAX) return APEX_E_LIMIT;
    TRY(box_key(tee, &terms, &key));
    head_write(tee, buffer_span(&terms), &head);
    TRY(buffer_ok(&head));
    secretbox_seal(key.bytes, buffer_span(&head), secret, box);
    buffer_append(sealed, buffer_span(&head));
    cbor_put_uint(sealed, 4);
    cbor_put_bytes(sealed, span_of(box, secret.len + SECRETBOX_OVERHEAD));
    return buffer_ok(sealed);
}

/* The head must be word for word the one we would write under these terms. */
static apex_status sealed_parse(struct span sealed, struct span *head, struct span *terms,
                                struct span *box)
{
    struct cursor c = cursor_on(sealed);
    struct span skipped;
    size_t n;
    if (sealed.len > SEALED_MAX) return APEX_E_LIMIT;
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, SEALED_NAME));
    TRY(cbor_key(&c, 2));
    TRY(cbor_text(&c, &skipped));
    TRY(cbor_key(&c, 3));
    TRY(cbor_bytes(&c, terms));
    *head = span_of(sealed.data, sealed.len - cursor_left(&c));
    TRY(cbor_key(&c, 4));
    TRY(cbor_bytes(&c, box));
    TRY(cursor_end(&c));
    return n == 4 && terms->len > 0 && terms->len <= SEAL_TERMS_MAX ? APEX_OK : APEX_E_FORMAT;
}

static apex_status box_open(const struct tee *t, struct span head, struct span terms_given,
                            struct span box, uint8_t *secret)
{
    WIPED(seal_key_bytes) key = {{0}};
    BUFFER_CLEARED terms = {0};
    BUFFER_CLEARED ours = {0};
    buffer_append(&terms, terms_given);
    head_write(t, terms_given, &ours);
    TRY(buffer_ok(&ours));
    if (!span_equal(head, buffer_span(&ours))) return APEX_E_UNTRUSTED;
    TRY(box_key(t, &terms, &key));
    return secretbox_open(key.bytes, head, box, secret);
}

apex_status tee_unseal(const struct tee *tee, struct span sealed, uint8_t *secret, size_t len,
                       bool *stale)
{
    struct span head, terms, box;
    WIPED(seal_key_bytes) unused = {{0}};
    BUFFER_CLEARED today = {0};
    if (!tee_seals(tee)) return APEX_E_NOT_FOUND;
    if (sealed_parse(sealed, &head, &terms, &box) != APEX_OK ||
        box.len != len + SECRETBOX_OVERHEAD)
        return APEX_E_UNTRUSTED;
    TRY(box_open(tee, head, terms, box, secret));
    TRY(box_key(tee, &today, &unused));
    *stale = !span_equal(terms, buffer_span(&today));
    return APEX_OK;
}
