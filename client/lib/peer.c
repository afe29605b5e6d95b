/* The root secret between enclaves, and back from shares: what the client carries, and what a
 * holder does with its own share. The carrier is believed in nothing by either enclave; a
 * holder sends its share to nobody its trust policy does not accept. */
#include "client/lib/node.h"
#include "client/lib/trust_collateral.h"
#include "common/attest/evidence.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "common/wire/peer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHARE_INFO "apex/share/v1"
enum { INFO_LEN = sizeof RECOVER_AAD - 1 + 64 };

/* A message to whoever is there; its reply's body, or the refusal in words. */
static apex_status ask(const char *url, enum message_type type, struct span body,
                       struct buffer *bytes, struct reply *reply, struct sign_public *signer,
                       struct apex_error *error)
{
    struct http *http = NULL;
    char detail[ENTRY_DETAIL_MAX + 1];
    TRY(http_open(url, &http, error));
    apex_status s = node_ask(http, type, body, bytes, reply, signer, error);
    http_close(http);
    TRY(s);
    if (reply->status == APEX_OK) return APEX_OK;
    snprintf(detail, sizeof detail, "%.*s",
             (int)(reply->detail.len < ENTRY_DETAIL_MAX ? reply->detail.len : ENTRY_DETAIL_MAX),
             reply->detail.len ? (const char *)reply->detail.data : "");
    return apex_fail_refusal(error, reply->status, reply->code, detail);
}

/* A query of nothing but a nonce. */
static apex_status query(const char *url, enum message_type type, struct buffer *bytes,
                         struct reply *reply, struct sign_public *signer,
                         struct apex_error *error)
{
    BUFFER_CLEARED body = {0};
    struct query q = {0};
    random_bytes(q.nonce, sizeof q.nonce);
    query_write(MESSAGE_ATTEST, &q, &body);
    return ask(url, type, buffer_span(&body), bytes, reply, signer, error);
}

static apex_status malformed(struct apex_error *error)
{
    return apex_fail(error, APEX_E_FORMAT, "the node's answer is not of the agreed form",
                     "nothing more was sent", "update the client or the node", "the operator");
}

/* The envelope again, with collateral beside the report where there was none: what enclaves
 * sign in a hand-over is the report. */
static apex_status envelope_fill(struct span envelope, const struct collateral *with,
                                 struct buffer *out)
{
    struct evidence e = {0};
    struct supplements s = {0}, own = {0};
    char tee[16];
    BUFFER_CLEARED parts = {0};
    TRY(evidence_parse(envelope, &e));
    TRY(supplements_parse(e.supplements, &own));
    collateral_lend(with, &s);
    size_t given = 0;
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        given += s.part[i].data != NULL;
    if (given == 0) {
        buffer_append(out, envelope);
        return buffer_ok(out);
    }
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        if (own.part[i].data) s.part[i] = own.part[i];
    supplements_write(&s, &parts);
    TRY(buffer_ok(&parts));
    snprintf(tee, sizeof tee, "%.*s", (int)(e.tee.len < sizeof tee ? e.tee.len : 0),
             (const char *)e.tee.data);
    evidence_write(tee, e.report, buffer_span(&parts), out);
    TRY(buffer_ok(out));
    return out->len <= PEER_EVIDENCE_MAX ? APEX_OK : APEX_E_LIMIT;
}

static apex_status hello_fill(struct span body, const struct collateral *with,
                              struct buffer *out)
{
    struct peer_hello h;
    BUFFER_CLEARED envelope = {0};
    TRY(peer_hello_parse(body, &h));
    TRY(envelope_fill(h.evidence, with, &envelope));
    h.evidence = buffer_span(&envelope);
    peer_hello_write(&h, out);
    return buffer_ok(out);
}

static apex_status offer_fill(struct span body, const struct collateral *with,
                              struct buffer *out)
{
    struct peer_offer o;
    BUFFER_CLEARED envelope = {0};
    TRY(peer_offer_parse(body, &o));
    TRY(envelope_fill(o.evidence, with, &envelope));
    o.evidence = buffer_span(&envelope);
    peer_offer_write(&o, out);
    return buffer_ok(out);
}

static apex_status fill_failed(apex_status s, struct apex_error *error)
{
    if (s != APEX_E_LIMIT) return malformed(error);
    return apex_fail(error, s, "evidence and collateral together are too large",
                     "the root secret was not handed over",
                     "leave out of the folder what this kind of machine does not need", "you");
}

static apex_status carry(const char *from_url, const char *to_url,
                         const struct collateral *with, uint64_t *entry,
                         struct apex_error *error)
{
    BUFFER_CLEARED hello = {0};
    BUFFER_CLEARED offer = {0};
    BUFFER_CLEARED grant = {0};
    BUFFER_CLEARED end = {0};
    BUFFER_CLEARED filled = {0};
    struct reply r;
    struct peer_grant g;
    struct sign_public signer;
    TRY(query(from_url, MESSAGE_HELLO, &hello, &r, &signer, error));
    apex_status s = hello_fill(r.body, with, &filled);
    if (s != APEX_OK) return fill_failed(s, error);
    TRY(ask(to_url, MESSAGE_JOIN, buffer_span(&filled), &offer, &r, &signer, error));
    buffer_clear(&filled);
    s = offer_fill(r.body, with, &filled);
    if (s != APEX_OK) return fill_failed(s, error);
    TRY(ask(from_url, MESSAGE_ADMIT, buffer_span(&filled), &grant, &r, &signer, error));
    if (peer_grant_parse(r.body, &g) != APEX_OK) return malformed(error);
    *entry = g.index;
    return ask(to_url, MESSAGE_RECEIVE, r.body, &end, &r, &signer, error);
}

apex_status apex_hand_over(const char *from_url, const char *to_url, const char *collateral,
                           uint64_t *entry, struct apex_error *error)
{
    struct collateral with = {0};
    apex_status s = collateral ? collateral_load(collateral, &with, error) : APEX_OK;
    if (s == APEX_OK) s = carry(from_url, to_url, &with, entry, error);
    collateral_clear(&with);
    return s;
}

static json_t *hex_json(struct span bytes)
{
    char hex[2 * SHARE_MAX + 1];
    hex_write(bytes, hex);
    return json_string(hex);
}

static char *shares_text(const struct sealed_shares *s)
{
    json_t *file = json_object(), *list = json_array();
    json_object_set_new(file, "apex", json_integer(1));
    json_object_set_new(file, "recovery", hex_json(SPAN(s->recovery)));
    json_object_set_new(file, "shares", list);
    for (size_t i = 0; i < s->n; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "holder", hex_json(SPAN(s->share[i].holder)));
        json_object_set_new(one, "sealed", hex_json(s->share[i].sealed));
        json_array_append_new(list, one);
    }
    char *text = json_dumps(file, JSON_INDENT(2));
    json_decref(file);
    return text;
}

apex_status apex_shares(const char *url, char **text, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply r;
    struct sealed_shares s;
    struct sign_public signer;
    TRY(query(url, MESSAGE_SHARES, &bytes, &r, &signer, error));
    if (sealed_shares_parse(r.body, &s) != APEX_OK) return malformed(error);
    *text = shares_text(&s);
    return *text ? APEX_OK : apex_fail_memory(error);
}

/* This holder's share in a file of them, still sealed. */
static apex_status share_find(const char *text, const struct apex_identity *id,
                              struct buffer *sealed, struct apex_error *error)
{
    char mine[2 * 32 + 1];
    json_t *file = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *one;
    size_t i;
    hex_write(SPAN(id->sign_public.bytes), mine);
    json_array_foreach(json_object_get(file, "shares"), i, one)
    {
        const char *holder = json_string_value(json_object_get(one, "holder")),
                   *hex = json_string_value(json_object_get(one, "sealed"));
        if (!holder || !hex || strcmp(holder, mine) != 0 || sealed->len > 0) continue;
        size_t len = strlen(hex) / 2;
        uint8_t *room = len <= SHARE_MAX ? buffer_reserve(sealed, len) : NULL;
        if (room && hex_parse(span_text(hex), room, len) == APEX_OK) sealed->len = len;
    }
    json_decref(file);
    if (sealed->len > 0) return APEX_OK;
    return apex_fail(error, APEX_E_DATA, "the file holds no share of this identity",
                     "nothing was sent",
                     "choose the identity that the recovery policy names (--as NAME)", "you");
}

static void recover_info(const uint8_t newcomer[static 32], const uint8_t holder[static 32],
                         uint8_t info[static INFO_LEN])
{
    memcpy(info, RECOVER_AAD, sizeof RECOVER_AAD - 1);
    memcpy(info + sizeof RECOVER_AAD - 1, newcomer, 32);
    memcpy(info + sizeof RECOVER_AAD - 1 + 32, holder, 32);
}

/* Opened with the holder's key and sealed to the newcomer's attested one. */
static apex_status share_reseal(const struct apex_identity *id, const struct buffer *sealed,
                                const struct enclave_keys *newcomer, struct buffer *message,
                                struct apex_error *error)
{
    uint8_t plain[SHARE_MAX], out[SHARE_MAX], info[INFO_LEN];
    BUFFER_CLEARED payload = {0};
    struct recover r = {.sealed = span_of(out, sealed->len)};
    memcpy(r.newcomer, newcomer->identity.bytes, 32);
    recover_info(r.newcomer, id->sign_public.bytes, info);
    if (sealed->len <= HPKE_OVERHEAD ||
        hpke_open(&id->seal, SPAN_TEXT(SHARE_INFO), (struct span){0}, buffer_span(sealed),
                  plain) != APEX_OK)
        return apex_fail(error, APEX_E_DATA, "the share does not open with this identity",
                         "nothing was sent", "fetch the shares again with `apex node shares`",
                         "you");
    apex_status s = hpke_seal(&newcomer->identity_seal, SPAN(info), (struct span){0},
                              span_of(plain, sealed->len - HPKE_OVERHEAD), out);
    wipe(plain, sizeof plain);
    if (s == APEX_OK) {
        recover_write(&r, &payload);
        s = buffer_ok(&payload);
    }
    if (s == APEX_OK)
        s = cose_sign(&id->sign, SPAN_TEXT(RECOVER_AAD), buffer_span(&payload), message);
    return s == APEX_OK ? buffer_ok(message) : apex_fail_memory(error);
}

/* Who waits there, judged by this home's trust policy. Its evidence binds no log: it has none.
 */
static apex_status newcomer_meet(struct apex_home *home, const char *url,
                                 struct verified_enclave **enclave, struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    struct reply r;
    struct peer_hello h;
    struct enclave_keys keys;
    struct sign_public signer;
    struct trust_policy *policy = NULL;
    TRY(query(url, MESSAGE_HELLO, &bytes, &r, &signer, error));
    if (peer_hello_parse(r.body, &h) != APEX_OK ||
        memcmp(signer.bytes, h.identity, sizeof signer.bytes) != 0)
        return malformed(error);
    memcpy(keys.identity.bytes, h.identity, 32);
    memcpy(keys.identity_seal.bytes, h.identity_seal, 32);
    memcpy(keys.log.bytes, h.log_key, 32);
    memcpy(keys.chain.bytes, h.chain_key, sizeof keys.chain.bytes);
    TRY(trust_load(home, &policy, error));
    struct verdict *v = calloc(1, sizeof *v);
    apex_status s = v ? attest_verify(h.evidence, &keys, policy, wall_clock_ms(), v, enclave)
                      : apex_fail_memory(error);
    if (v && s != APEX_OK)
        s = apex_fail(
            error, s, v->sentence, "no share was sent",
            "name this enclave in the trust policy if you trust it with all contracts", "you");
    free(v);
    trust_policy_free(policy);
    return s;
}

apex_status apex_recover(struct apex_home *home, const struct apex_identity *identity,
                         const char *url, const char *shares, unsigned *have, unsigned *need,
                         struct apex_error *error)
{
    BUFFER_CLEARED sealed = {0};
    BUFFER_CLEARED message = {0};
    BUFFER_CLEARED bytes = {0};
    struct reply r;
    struct recovered got;
    struct sign_public signer;
    struct verified_enclave *enclave = NULL;
    TRY(share_find(shares, identity, &sealed, error));
    TRY(newcomer_meet(home, url, &enclave, error));
    apex_status s =
        share_reseal(identity, &sealed, verified_enclave_keys(enclave), &message, error);
    verified_enclave_free(enclave);
    TRY(s);
    TRY(ask(url, MESSAGE_RECOVER, buffer_span(&message), &bytes, &r, &signer, error));
    if (recovered_parse(r.body, &got) != APEX_OK) return malformed(error);
    *have = got.have;
    *need = got.need;
    return APEX_OK;
}
