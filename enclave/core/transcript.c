#include "enclave/core/transcript.h"

#include "common/attest/evidence.h"
#include "common/base/try.h"

#define TRANSCRIPT "apex/hand-over/v1"
#define NEWCOMER "apex/hand-over/newcomer/v1"
#define GIVER "apex/hand-over/giver/v1"
#define ROOT_INFO "apex/hand-over/root/v1"

static apex_status report_digest(struct span evidence, uint8_t digest[static HASH_LEN])
{
    struct evidence e = {0};
    TRY(evidence_parse(evidence, &e));
    sha256(e.report, digest);
    return APEX_OK;
}

apex_status transcript_make(const struct peer_hello *g, const struct peer_offer *n,
                            uint8_t transcript[static HASH_LEN])
{
    struct sha256 h;
    uint8_t of_giver[HASH_LEN], of_newcomer[HASH_LEN];
    TRY(report_digest(g->evidence, of_giver));
    TRY(report_digest(n->evidence, of_newcomer));
    const struct span parts[] = {
        SPAN_TEXT(TRANSCRIPT),  SPAN(g->nonce),   SPAN(n->nonce),     SPAN(g->identity),
        SPAN(g->identity_seal), SPAN(g->log_key), SPAN(g->chain_key), SPAN(n->identity),
        SPAN(n->identity_seal), SPAN(of_giver),   SPAN(of_newcomer)};
    sha256_init(&h);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sha256_update(&h, parts[i]);
    sha256_final(&h, transcript);
    return APEX_OK;
}

void transcript_newcomer(const uint8_t transcript[static HASH_LEN], struct buffer *out)
{
    buffer_text(out, NEWCOMER);
    buffer_append(out, span_of(transcript, HASH_LEN));
}

void transcript_giver(const uint8_t transcript[static HASH_LEN], const struct peer_grant *g,
                      struct buffer *out)
{
    uint8_t digest[HASH_LEN];
    buffer_text(out, GIVER);
    buffer_append(out, span_of(transcript, HASH_LEN));
    sha256(SPAN(g->sealed), digest);
    buffer_append(out, SPAN(digest));
    sha256(g->note, digest);
    buffer_append(out, SPAN(digest));
}

size_t transcript_info(const uint8_t transcript[static HASH_LEN],
                       uint8_t out[static TRANSCRIPT_INFO_MAX])
{
    memcpy(out, ROOT_INFO, sizeof ROOT_INFO - 1);
    memcpy(out + sizeof ROOT_INFO - 1, transcript, HASH_LEN);
    return sizeof ROOT_INFO - 1 + HASH_LEN;
}
