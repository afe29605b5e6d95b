/* Evidence of enclaves in the log, read back: by an auditor, and by the enclave itself. */
#include "common/attest/signer.h"
#include "common/crypto/random.h"
#include "common/ledger/replay.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#define VECTORS "../shared/vectors/attestation/"
static uint8_t report[8192];
static size_t report_len;

static apex_status no_keys(const void *context, const uint8_t address[static 32],
                           struct seal_public *public_key, struct seal_secret *secret)
{
    (void)context, (void)address, (void)public_key, (void)secret;
    return APEX_E_NOT_FOUND;
}

/* A log of one entry: an enclave's start, with this evidence. */
static struct breach read_back(const char *tee, struct span of, bool documents_elsewhere)
{
    struct sign_public signer;
    struct sign_secret key;
    struct state state;
    struct merkle_tree *tree;
    struct replay r;
    struct breach found = {0};
    static struct entry e, back;
    BUFFER_CLEARED evidence = {0};
    BUFFER_CLEARED payload = {0};
    BUFFER_CLEARED cose = {0};
    sign_new(&signer, &key);
    evidence_write(tee, of, (struct span){0}, &evidence);
    e = (struct entry){
        .kind = ENTRY_ENCLAVE, .time_ms = 1750000000000, .evidence = buffer_span(&evidence)};
    memcpy(e.identity, signer.bytes, sizeof e.identity);
    entry_write(&e, &payload);
    CHECK_OK(cose_sign(&key, SPAN_TEXT(ENTRY_AAD), buffer_span(&payload), &cose));
    CHECK_OK(state_init(&state, no_keys, NULL));
    CHECK_OK(merkle_tree_new(&tree));
    replay_init(&r, &state, tree);
    r.documents_elsewhere = documents_elsewhere;
    CHECK_OK(replay_entry(&r, buffer_span(&cose), &back, &found));
    CHECK(r.n_enclaves == 1 && !r.enclaves[0].judged);
    replay_clear(&r);
    state_clear(&state);
    merkle_tree_free(tree);
    return found;
}

static void load(const char *name)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    report_len = fread(report, 1, sizeof report, f);
    fclose(f);
}

static void an_enclave_reads_its_log_without_documents_and_an_auditor_does_not(void **state)
{
    (void)state;
    load(VECTORS
         "snp/genoa-v3-configfs-tsm/report.bin"); /* and without its chip's certificate */
    struct span of = span_of(report, report_len);
    assert_int_equal(read_back("sev-snp", of, true).rule, REFUSAL_NONE);
    assert_int_equal(read_back("sev-snp", of, false).rule, REFUSAL_WRONG_MEASUREMENT);
}

static void evidence_that_is_false_is_a_breach_to_both(void **state)
{
    (void)state;
    load(VECTORS "tdx/v4-b0c06f-uptodate/quote.bin"); /* real, and for other keys */
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        assert_int_equal(read_back("tdx", span_of(report, report_len), elsewhere).rule,
                         REFUSAL_WRONG_MEASUREMENT);
        assert_int_equal(read_back("sev-snp", SPAN_TEXT("no report"), elsewhere).rule,
                         REFUSAL_WRONG_MEASUREMENT);
        assert_int_equal(read_back("sim", SPAN_TEXT("no report"), elsewhere).rule,
                         REFUSAL_WRONG_MEASUREMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enclave_reads_its_log_without_documents_and_an_auditor_does_not),
        cmocka_unit_test(evidence_that_is_false_is_a_breach_to_both),
    };
    return crypto_init() == APEX_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
