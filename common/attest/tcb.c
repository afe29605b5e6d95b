#include "common/attest/tcb.h"

#include <stdio.h>

static bool masked_equal(const uint8_t *value, const uint8_t *mask, const uint8_t *want,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((value[i] & mask[i]) != want[i]) return false;
    return true;
}

bool qe_identity_fits(const struct qe_identity *id, const struct sgx_report *qe)
{
    return memcmp(id->mr_signer, qe->mr_signer, 32) == 0 &&
           id->isv_prod_id == qe->isv_prod_id &&
           masked_equal(qe->misc_select, id->misc_select_mask, id->misc_select, 4) &&
           masked_equal(qe->attributes, id->attributes_mask, id->attributes, 16);
}

static bool reaches(const uint8_t have[16], const uint8_t want[16], size_t from)
{
    for (size_t i = from; i < 16; i++)
        if (have[i] < want[i]) return false;
    return true;
}

static void advise(struct tcb_verdict *v, const struct advisories *pool,
                   const struct tcb_mark *m)
{
    for (size_t i = 0; i < m->n_advisories; i++) {
        const char *id = pool->id[m->first_advisory + i];
        size_t k = 0;
        while (k < v->n_advisories && strcmp(v->advisories[k], id) != 0)
            k++;
        if (k == v->n_advisories)
            snprintf(v->advisories[v->n_advisories++], sizeof v->advisories[0], "%s", id);
    }
}

struct matched {
    const struct tcb_level *sgx, *tdx;
};

static struct matched levels_match(const struct tcb_info *info, const struct pck *pck,
                                   const struct quote *q)
{
    struct matched m = {0};
    const uint8_t *have = q->td.tee_tcb_svn;
    for (size_t i = 0; i < info->n_levels && !m.tdx; i++) {
        const struct tcb_level *l = &info->levels[i];
        if (!reaches(pck->svn, l->sgx, 0) || pck->pce_svn < l->pce_svn) continue;
        if (!m.sgx) m.sgx = l;
        if (q->tee == QUOTE_TEE_SGX) break;
        if (reaches(have, l->tdx, have[1] > 0 ? 2 : 0)) m.tdx = l;
    }
    return m;
}

static const struct tdx_module *module_find(const struct tcb_info *info, uint8_t version)
{
    char id[8];
    snprintf(id, sizeof id, "TDX_%02X", (unsigned)version);
    for (size_t i = 0; i < info->n_modules; i++)
        if (strcmp(info->modules[i].id, id) == 0) return &info->modules[i];
    return NULL;
}

static const struct isv_level *isv_level_find(const struct isv_levels *l, uint16_t svn)
{
    for (size_t i = 0; i < l->n; i++)
        if (svn >= l->at[i].isv_svn) return &l->at[i];
    return NULL;
}

static enum tcb_status isv_status(const struct isv_levels *l, const struct advisories *pool,
                                  uint16_t svn, struct tcb_verdict *v)
{
    const struct isv_level *level = isv_level_find(l, svn);
    if (!level) return TCB_NOT_SUPPORTED;
    advise(v, pool, &level->mark);
    return level->mark.status;
}

/* Intel's library compares the attributes whole, and wants them zero; the mask is of its
 * documents' form only. */
static bool module_fits(const struct tdx_module *m, const struct td_report *td)
{
    static const uint8_t zeros[8];
    return memcmp(m->mr_signer, td->mr_signer_seam, 48) == 0 &&
           memcmp(m->attributes, td->seam_attributes, 8) == 0 &&
           memcmp(zeros, td->seam_attributes, 8) == 0;
}

static void module_judge(const struct tcb_info *info, const struct td_report *td,
                         struct tcb_verdict *v)
{
    uint8_t version = td->tee_tcb_svn[1];
    const struct tdx_module *m = version ? module_find(info, version) : &info->module;
    v->has_module = version > 0;
    v->module_known = m != NULL;
    v->module_as_told = m && module_fits(m, td);
    if (!m)
        v->module = TCB_NOT_SUPPORTED;
    else if (version)
        v->module = isv_status(&m->levels, &info->advisories, td->tee_tcb_svn[0], v);
}

static bool configuration_needed(enum tcb_status s)
{
    return s == TCB_CONFIGURATION_NEEDED || s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
           s == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           s == TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}

/* What a part (module, quoting enclave) in state `part` makes of the whole. */
static enum tcb_status converge(enum tcb_status whole, enum tcb_status part)
{
    if (whole == TCB_REVOKED || part == TCB_REVOKED) return TCB_REVOKED;
    if (whole == TCB_NOT_SUPPORTED || part == TCB_NOT_SUPPORTED) return TCB_NOT_SUPPORTED;
    if (part == TCB_UP_TO_DATE) return whole;
    return configuration_needed(whole) ? TCB_OUT_OF_DATE_CONFIGURATION_NEEDED : TCB_OUT_OF_DATE;
}

/* Has the machine, since this TD began, got the newest module Intel knows? TEE_TCB_SVN2 tells
 * what would be loaded now. */
static bool module_renewed(const struct tcb_info *info, const uint8_t svn2[16])
{
    const struct tcb_level *newest = &info->levels[0];
    if (svn2[2] < newest->tdx[2]) return false;
    if (svn2[1] == 0) return svn2[0] >= newest->tdx[0];
    const struct tdx_module *m = module_find(info, svn2[1]);
    return m && m->levels.n && svn2[0] >= m->levels.at[0].isv_svn;
}

static enum tcb_status relaunch(const struct tcb_info *info, const struct td_report *td,
                                const struct tcb_verdict *v, enum tcb_status sgx,
                                enum tcb_status whole)
{
    bool sgx_old = sgx >= TCB_TD_RELAUNCH_ADVISED; /* all statuses that are not about now */
    bool old = whole == TCB_OUT_OF_DATE || whole == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    if (!td->is_15 || sgx_old || !old || v->module != TCB_OUT_OF_DATE ||
        !module_renewed(info, td->tee_tcb_svn2))
        return whole;
    return configuration_needed(sgx) || configuration_needed(whole)
               ? TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
               : TCB_TD_RELAUNCH_ADVISED;
}

void tcb_judge(const struct tcb_info *info, const struct qe_identity *id, const struct pck *pck,
               const struct quote *q, struct tcb_verdict *v)
{
    struct matched m = levels_match(info, pck, q);
    const struct tcb_level *level = q->tee == QUOTE_TEE_TDX ? m.tdx : m.sgx;
    *v = (struct tcb_verdict){
        .platform = TCB_NOT_SUPPORTED, .module_known = true, .module_as_told = true};
    v->evaluation = info->evaluation < id->evaluation ? info->evaluation : id->evaluation;
    if (level) {
        v->platform = level->mark.status;
        v->date_ms = level->mark.date_ms;
        advise(v, &info->advisories, &level->mark);
    }
    if (m.sgx && m.sgx->mark.status == TCB_REVOKED) v->platform = TCB_REVOKED;
    if (q->tee == QUOTE_TEE_TDX) module_judge(info, &q->td, v);
    v->qe = isv_status(&id->levels, &id->advisories, q->qe.isv_svn, v);
    v->status = converge(v->platform, v->module);
    if (q->tee == QUOTE_TEE_TDX && m.sgx)
        v->status = relaunch(info, &q->td, v, m.sgx->mark.status, v->status);
    v->status = converge(v->status, v->qe);
}
