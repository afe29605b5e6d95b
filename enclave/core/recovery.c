#include "enclave/core/recovery.h"

#include "common/attest/signer.h"
#include "common/base/try.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"

#define SHARE_INFO "apex/share/v1"

apex_status recovery_new(struct span policy, struct recovery **recovery)
{
    if (policy.len == 0) return APEX_OK;
    struct recovery *r = secret_alloc(sizeof *r);
    if (!r) return APEX_E_MEMORY;
    wipe(r, sizeof *r);
    apex_status s = recovery_policy_parse(policy, &r->policy);
    if (s != APEX_OK) {
        secret_free(r);
        return s;
    }
    *recovery = r;
    return APEX_OK;
}

void recovery_free(struct recovery *recovery)
{
    if (recovery) secret_free(recovery);
}

/* The polynomial's coefficients come of the root secret and the policy: another policy, another
 * polynomial; the same policy, the same shares. */
static apex_status coefficients_make(const struct root_secret *root,
                                     const struct recovery_policy *p, uint8_t *out)
{
    WIPED(root_secret) prk = {{0}};
    const struct span info[] = {SPAN_TEXT("apex/recovery/v1"), SPAN(p->digest)};
    hkdf_extract(SPAN_TEXT("apex/root/v1"), SPAN(root->bytes), prk.bytes);
    return hkdf_expand_parts(prk.bytes, info, 2, out, (size_t)(p->threshold - 1) * SHAMIR_LEN);
}

static void share_text(const struct share *s, uint8_t text[static 13 + HASH_LEN])
{
    BUFFER_CLEARED head = {0};
    share_head_write(s, &head);
    memcpy(text, SHARE_INFO, 13);
    sha256(buffer_span(&head), text + 13);
}

static apex_status share_seal(const struct core *core, const uint8_t *coefficients, unsigned at,
                              struct buffer *sealed)
{
    const struct recovery_policy *p = &core->recovery->policy;
    struct share s = {.at = at + 1, .m = p->threshold, .n = p->n};
    struct shamir_share point = {0};
    uint8_t text[13 + HASH_LEN];
    BUFFER_CLEARED plain = {0};
    memcpy(s.log_key, core->keys->public_keys.log.bytes, 32);
    memcpy(s.recovery, p->digest, 32);
    apex_status status = shamir_share(core->keys->root.bytes, coefficients, p->threshold,
                                      (uint8_t)(at + 1), &point);
    memcpy(s.bytes, point.bytes, sizeof s.bytes);
    share_text(&s, text);
    sign_bytes(&core->keys->log, SPAN(text), s.signature);
    share_write(&s, &plain);
    wipe(&point, sizeof point);
    wipe(&s, sizeof s);
    TRY(status);
    TRY(buffer_ok(&plain));
    uint8_t *room = buffer_reserve(sealed, plain.len + HPKE_OVERHEAD);
    if (!room) return APEX_E_MEMORY;
    TRY(hpke_seal(&p->holders[at].seal, SPAN_TEXT(SHARE_INFO), (struct span){0},
                  buffer_span(&plain), room));
    sealed->len += plain.len + HPKE_OVERHEAD;
    return APEX_OK;
}

static apex_status shares_write(const struct core *core, const uint8_t *coefficients,
                                struct buffer *out)
{
    const struct recovery_policy *p = &core->recovery->policy;
    struct sealed_shares all = {.n = p->n};
    struct buffer sealed[HOLDERS_MAX] = {{0}};
    apex_status s = APEX_OK;
    memcpy(all.recovery, p->digest, 32);
    for (unsigned i = 0; i < p->n && s == APEX_OK; i++) {
        s = share_seal(core, coefficients, i, &sealed[i]);
        memcpy(all.share[i].holder, p->holders[i].sign, 32);
        all.share[i].sealed = buffer_span(&sealed[i]);
    }
    if (s == APEX_OK) sealed_shares_write(&all, out);
    for (unsigned i = 0; i < p->n; i++)
        buffer_clear(&sealed[i]);
    return s == APEX_OK ? buffer_ok(out) : s;
}

enum refusal recovery_shares(struct core *core, struct outcome *out)
{
    if (!core->recovery) return REFUSAL_NO_RECOVERY;
    uint8_t *coefficients = secret_alloc(HOLDERS_MAX * SHAMIR_LEN);
    if (!coefficients) return REFUSAL_INTERNAL;
    apex_status s = coefficients_make(&core->keys->root, &core->recovery->policy, coefficients);
    if (s == APEX_OK) s = shares_write(core, coefficients, &out->body);
    secret_free(coefficients);
    return s == APEX_OK ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

/* Sealed to this enclave by this holder and nobody else. */
static enum refusal share_open(const struct core *core, const struct recover *r,
                               const uint8_t holder[static 32], struct share *s)
{
    uint8_t info[sizeof RECOVER_AAD - 1 + 64], plain[SHARE_MAX], text[13 + HASH_LEN];
    struct sign_public log;
    memcpy(info, RECOVER_AAD, sizeof RECOVER_AAD - 1);
    memcpy(info + sizeof RECOVER_AAD - 1, r->newcomer, 32);
    memcpy(info + sizeof RECOVER_AAD - 1 + 32, holder, 32);
    if (r->sealed.len <= HPKE_OVERHEAD ||
        hpke_open(&core->keys->identity_seal, SPAN(info), (struct span){0}, r->sealed, plain) !=
            APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    apex_status form = share_parse(span_of(plain, r->sealed.len - HPKE_OVERHEAD), s);
    wipe(plain, sizeof plain);
    if (form != APEX_OK) return REFUSAL_BAD_MESSAGE;
    memcpy(log.bytes, s->log_key, 32);
    share_text(s, text);
    return sign_check(&log, SPAN(text), s->signature) == APEX_OK ? REFUSAL_NONE
                                                                 : REFUSAL_BAD_SIGNATURE;
}

/* The share of this holder under this very policy, and of the same log as those before. */
static enum refusal share_add(struct recovery *r, unsigned holder, const struct share *s)
{
    const struct recovery_policy *p = &r->policy;
    bool fits = s->at == holder + 1 && s->m == p->threshold && s->n == p->n &&
                memcmp(s->recovery, p->digest, 32) == 0 &&
                (r->have == 0 || memcmp(s->log_key, r->log_key, 32) == 0);
    if (!fits) return REFUSAL_WRONG_SHARE;
    for (unsigned i = 0; i < r->have; i++)
        if (r->shares[i].at == s->at) return REFUSAL_DUPLICATE;
    memcpy(r->log_key, s->log_key, 32);
    r->shares[r->have].at = (uint8_t)s->at;
    memcpy(r->shares[r->have++].bytes, s->bytes, SHAMIR_LEN);
    return REFUSAL_NONE;
}

static enum refusal share_take(struct core *core, struct span bytes)
{
    struct cose cose;
    struct recover r;
    struct share s = {0};
    if (cose_open(bytes, SPAN_TEXT(RECOVER_AAD), &cose) != APEX_OK)
        return REFUSAL_BAD_SIGNATURE;
    if (recover_parse(cose.payload, &r) != APEX_OK) return REFUSAL_BAD_MESSAGE;
    unsigned holder = recovery_holder(&core->recovery->policy, cose.kid);
    if (holder == core->recovery->policy.n) return REFUSAL_NOT_PERMITTED;
    if (memcmp(r.newcomer, core->keys->public_keys.identity.bytes, 32) != 0)
        return REFUSAL_REPLAYED; /* meant for another start, or another enclave */
    enum refusal no = share_open(core, &r, cose.kid, &s);
    if (no == REFUSAL_NONE) no = share_add(core->recovery, holder, &s);
    wipe(&s, sizeof s);
    return no;
}

/* Signed shares of one log that do not make its key are shares nobody honest made: all go. */
static enum refusal whole(struct core *core, struct root_secret *root, bool *done)
{
    struct recovery *r = core->recovery;
    unsigned have = r->have;
    if (have < r->policy.threshold) return REFUSAL_NONE;
    r->have = 0;
    if (shamir_join(r->shares, have, root->bytes) != APEX_OK) return REFUSAL_INTERNAL;
    wipe(r->shares, sizeof r->shares);
    if (keys_root(core->keys, root) != APEX_OK ||
        memcmp(core->keys->public_keys.log.bytes, r->log_key, 32) != 0)
        return REFUSAL_WRONG_SHARE;
    *done = true;
    return REFUSAL_NONE;
}

enum refusal recovery_take(struct core *core, struct span recover, struct root_secret *root,
                           bool *done, struct outcome *out)
{
    if (!core->recovery) return REFUSAL_NO_RECOVERY;
    enum refusal no = share_take(core, recover);
    if (no != REFUSAL_NONE) return no;
    struct recovered r = {core->recovery->have, core->recovery->policy.threshold};
    no = whole(core, root, done);
    recovered_write(&r, &out->body);
    return no == REFUSAL_NONE && buffer_ok(&out->body) != APEX_OK ? REFUSAL_INTERNAL : no;
}
