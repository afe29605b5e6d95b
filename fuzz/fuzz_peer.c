/* What enclaves say to one another and parties send with shares, recovery policies and sealed
 * root secrets, by the first byte: what parses is written again the same, and nothing unsealed
 * comes of bytes we did not seal. */
#include "common/crypto/random.h"
#include "common/wire/cbor.h"
#include "common/wire/peer.h"
#include "enclave/core/recovery_policy.h"
#include "enclave/tee/nsm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void same(struct span in, struct buffer *out)
{
    if (buffer_ok(out) != APEX_OK || !span_equal(in, buffer_span(out)) ||
        cbor_check(in) != APEX_OK)
        abort();
    buffer_clear(out);
}

static void hand_over(struct span in)
{
    struct peer_hello h;
    struct peer_offer o;
    struct peer_grant g;
    struct buffer out = {0};
    if (peer_hello_parse(in, &h) == APEX_OK) peer_hello_write(&h, &out), same(in, &out);
    if (peer_offer_parse(in, &o) == APEX_OK) peer_offer_write(&o, &out), same(in, &out);
    if (peer_grant_parse(in, &g) == APEX_OK) peer_grant_write(&g, &out), same(in, &out);
}

static void shares(struct span in)
{
    struct sealed_shares all;
    struct share s;
    struct recover r;
    struct recovered got;
    struct buffer out = {0};
    if (sealed_shares_parse(in, &all) == APEX_OK)
        sealed_shares_write(&all, &out), same(in, &out);
    if (share_parse(in, &s) == APEX_OK) share_write(&s, &out), same(in, &out);
    if (recover_parse(in, &r) == APEX_OK) recover_write(&r, &out), same(in, &out);
    if (recovered_parse(in, &got) == APEX_OK) recovered_write(&got, &out), same(in, &out);
}

static void policy(struct span in)
{
    struct recovery_policy p;
    if (recovery_policy_parse(in, &p) != APEX_OK) return;
    if (p.threshold == 0 || p.threshold > p.n || p.n > HOLDERS_MAX) abort();
}

static void sealed(struct span in)
{
    static struct tee *tee;
    uint8_t secret[72];
    bool stale;
    if (!tee && (crypto_init() != APEX_OK || tee_open("sim", NULL, &tee) != APEX_OK)) abort();
    if (tee_unseal(tee, in, secret, sizeof secret, &stale) != APEX_E_UNTRUSTED) abort();
}

static long answer(void *context, struct span request, uint8_t *response, size_t max)
{
    const struct span *in = context;
    (void)request;
    if (in->len > max) return -1;
    if (in->len > 0) memcpy(response, in->data, in->len);
    return (long)in->len;
}

static void module(struct span in)
{
    const struct nsm n = {&in, answer};
    uint8_t report_data[REPORT_DATA_LEN] = {0}, pcr[48];
    BUFFER_CLEARED document = {0};
    apex_status s = nsm_attest(&n, report_data, &document);
    if ((s == APEX_OK) != (document.len > 0)) abort();
    s = nsm_pcr(&n, 0, pcr);
    (void)s; /* any answer is fine as long as nothing is read that is not there */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) return 0;
    struct span in = span_of(data + 1, len - 1);
    switch (data[0] % 5) {
    case 0: hand_over(in); break;
    case 1: shares(in); break;
    case 2: policy(in); break;
    case 3: sealed(in); break;
    default: module(in);
    }
    return 0;
}
