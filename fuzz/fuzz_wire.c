/* Every CBOR message of ours, by its first byte: what parses is deterministic CBOR, and written
 * again gives the same bytes where there is a writer. */
#include "common/wire/cbor.h"
#include "common/wire/entry.h"
#include "common/wire/message.h"
#include "common/wire/package.h"
#include "common/wire/rerun.h"
#include "common/wire/cose.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void same(struct span in, struct buffer *out)
{
    if (buffer_ok(out) != APEX_OK || !span_equal(in, buffer_span(out)) ||
        cbor_check(in) != APEX_OK)
        abort();
    buffer_clear(out);
}

static void entries(struct span in)
{
    static struct entry e;
    struct buffer out = {0};
    if (entry_parse(in, &e) != APEX_OK) return;
    entry_write(&e, &out);
    same(in, &out);
}

static void acts(struct span in)
{
    struct act a;
    struct buffer out = {0};
    if (act_parse(in, &a) != APEX_OK) return;
    act_write(&a, &out);
    same(in, &out);
}

static void bodies(struct span in)
{
    static uint64_t indexes[CONTRACT_ENTRIES_MAX];
    static struct body_act act;
    static struct body_attest attest;
    static struct body_prove prove;
    static struct body_statement statement;
    static struct body_contract contract;
    struct body_run run;
    struct buffer out = {0};
    contract.entries = indexes;
    if (body_act_parse(in, &act) == APEX_OK) body_act_write(&act, &out), same(in, &out);
    if (body_attest_parse(in, &attest) == APEX_OK)
        body_attest_write(&attest, &out), same(in, &out);
    if (body_prove_parse(in, &prove) == APEX_OK) body_prove_write(&prove, &out), same(in, &out);
    if (body_contract_parse(in, &contract) == APEX_OK)
        body_contract_write(&contract, &out), same(in, &out);
    struct rerun rerun;
    struct body_rerun again;
    if (rerun_parse(in, &rerun) == APEX_OK) rerun_write(&rerun, &out), same(in, &out);
    if (body_rerun_parse(in, &again) == APEX_OK) body_rerun_write(&again, &out), same(in, &out);
    if (body_run_parse(in, &run) == APEX_OK) body_run_write(&run, &out), same(in, &out);
    if (body_statement_parse(in, &statement) == APEX_OK)
        body_statement_write(&statement, &out), same(in, &out);
}

static void messages(struct span in)
{
    struct message m;
    struct reply r;
    struct query q;
    struct result_package p;
    struct cose c;
    struct buffer out = {0};
    if (message_parse(in, &m) == APEX_OK) message_write(m.type, m.body, &out), same(in, &out);
    if (reply_parse(in, &r) == APEX_OK) reply_write(&r, &out), same(in, &out);
    if (result_package_parse(in, &p) == APEX_OK) result_package_write(&p, &out), same(in, &out);
    if (cose_parse(in, &c) == APEX_OK)
        cose_write(c.kid, c.payload, c.signature, &out), same(in, &out);
    for (int type = MESSAGE_ATTEST; type <= MESSAGE_STATEMENT; type++)
        if (query_parse((enum message_type)type, in, &q) == APEX_OK)
            query_write((enum message_type)type, &q, &out), same(in, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) return 0;
    struct span in = span_of(data + 1, len - 1);
    switch (data[0] % 5) {
    case 0: entries(in); break;
    case 1: acts(in); break;
    case 2: bodies(in); break;
    case 3: messages(in); break;
    default:
        if (cbor_check(in) == APEX_OK) {
            struct cursor c = cursor_on(in);
            if (cbor_skip(&c, NULL) != APEX_OK || cursor_end(&c) != APEX_OK) abort();
        }
    }
    return 0;
}
