/* Intel's TCB info and quoting enclave identities, signed or bare. What parses has levels in
 * their order, advisories in its pool, and gives a platform a status. */
#include "common/attest/tcb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t fuzz_reached(void);

static size_t reached;

size_t fuzz_reached(void)
{
    return reached;
}

static struct tcb_info info;
static struct qe_identity identity;

static void mark_check(const struct tcb_mark *m, const struct advisories *pool)
{
    if (m->status >= TCB_NOT_SUPPORTED) abort();
    if (m->n_advisories && (size_t)m->first_advisory + m->n_advisories > pool->n) abort();
    for (size_t i = 0; i < m->n_advisories; i++)
        if (strlen(pool->id[m->first_advisory + i]) > ADVISORY_LEN) abort();
}

static void isv_check(const struct isv_levels *l, const struct advisories *pool)
{
    if (l->n > ISV_LEVELS_MAX) abort();
    for (size_t i = 0; i < l->n; i++) {
        mark_check(&l->at[i].mark, pool);
        if (i > 0 && l->at[i].isv_svn > l->at[i - 1].isv_svn) abort();
    }
}

static bool info_check(struct span inner)
{
    if (tcb_info_parse(inner, &info) != APEX_OK) return false;
    if (info.n_levels == 0 || info.n_levels > TCB_LEVELS_MAX) abort();
    for (size_t i = 0; i < info.n_levels; i++) {
        mark_check(&info.levels[i].mark, &info.advisories);
        if (i > 0 && memcmp(info.levels[i].sgx, info.levels[i - 1].sgx, 16) > 0) abort();
    }
    for (size_t i = 0; i < info.n_modules; i++)
        isv_check(&info.modules[i].levels, &info.advisories);
    return true;
}

static bool identity_check(struct span inner)
{
    if (qe_identity_parse(inner, &identity) != APEX_OK) return false;
    isv_check(&identity.levels, &identity.advisories);
    return true;
}

/* Platforms of every height, by what the documents themselves name. */
static void levels_check(void)
{
    static struct tcb_verdict v;
    struct quote q = {.version = 5, .tee = info.is_tdx ? QUOTE_TEE_TDX : QUOTE_TEE_SGX};
    for (unsigned height = 0; height < 256; height += 15) {
        struct pck p = {.pce_svn = (uint16_t)height};
        memset(p.svn, (int)height, sizeof p.svn);
        memset(q.td.tee_tcb_svn, (int)height, sizeof q.td.tee_tcb_svn);
        memset(q.td.tee_tcb_svn2, 255, sizeof q.td.tee_tcb_svn2);
        q.td.tee_tcb_svn[1] = q.td.tee_tcb_svn2[1] = height & 1 ? 3 : 0;
        q.td.is_15 = height & 2;
        q.qe.isv_svn = (uint16_t)height;
        tcb_judge(&info, &identity, &p, &q, &v);
        if (v.status >= TCB_STATUSES || v.n_advisories > TCB_ADVISORIES_MAX) abort();
        if (v.qe == TCB_REVOKED && v.status != TCB_REVOKED) abort();
        if (v.platform == TCB_NOT_SUPPORTED && v.status < TCB_REVOKED) abort();
    }
}

static void inner_check(struct span inner, struct span document)
{
    if (inner.len < 2 || inner.data[0] != '{' || inner.data[inner.len - 1] != '}') abort();
    if (inner.data < document.data || inner.data + inner.len > document.data + document.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span document = span_of(data, len), inner;
    uint8_t signature[64];
    bool changed = false;
    if (signed_json_open(document, "tcbInfo", &inner, signature) == APEX_OK) {
        inner_check(inner, document);
        changed |= info_check(inner);
    }
    if (signed_json_open(document, "enclaveIdentity", &inner, signature) == APEX_OK) {
        inner_check(inner, document);
        changed |= identity_check(inner);
    }
    changed |= info_check(document);
    changed |= identity_check(document);
    reached += changed;
    if (changed && info.n_levels) levels_check();
    return 0;
}
