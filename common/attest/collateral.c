#include "common/attest/collateral_read.h"

#include "common/base/hex.h"
#include "common/base/try.h"

static const char *const status_names[TCB_STATUSES] = {"UpToDate",
                                                       "SWHardeningNeeded",
                                                       "ConfigurationNeeded",
                                                       "ConfigurationAndSWHardeningNeeded",
                                                       "TDRelaunchAdvised",
                                                       "TDRelaunchAdvisedConfigurationNeeded",
                                                       "OutOfDate",
                                                       "OutOfDateConfigurationNeeded",
                                                       "Revoked",
                                                       "NotSupported"};

const char *tcb_status_name(enum tcb_status status)
{
    return status < TCB_STATUSES ? status_names[status] : "Unknown";
}

/* Intel writes hex in either case. */
static apex_status hex_of(struct span text, uint8_t *out, size_t len)
{
    char lower[2 * 64];
    if (text.len != 2 * len || text.len > sizeof lower) return APEX_E_FORMAT;
    for (size_t i = 0; i < text.len; i++)
        lower[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'F' ? text.data[i] + 32
                                                                     : text.data[i]);
    return hex_parse(span_of(lower, text.len), out, len);
}

apex_status collateral_hex(struct reader *r, uint8_t *out, size_t len)
{
    enum json_event e;
    TRY(reader_next(r, &e));
    if (e != JSON_STRING || hex_of(json_text(&r->json), out, len) != APEX_OK)
        return reader_fail(r, "hex of the agreed length is expected");
    return APEX_OK;
}

apex_status collateral_u16(struct reader *r, uint16_t *value)
{
    uint64_t v;
    TRY(read_count(r, UINT16_MAX, &v));
    *value = (uint16_t)v;
    return APEX_OK;
}

/* ---- the frame: {"name": {...}, "signature": "hex"} ---- */

static apex_status inner_take(struct json *j, struct span *inner)
{
    enum json_event e;
    TRY(json_next(j, &e));
    if (e != JSON_OBJECT) return APEX_E_FORMAT;
    const uint8_t *start = j->at - 1;
    for (unsigned depth = j->depth - 1; j->depth > depth;)
        TRY(json_next(j, &e));
    *inner = span_of(start, (size_t)(j->at - start));
    return APEX_OK;
}

static apex_status signature_take(struct json *j, uint8_t signature[static 64])
{
    enum json_event e;
    TRY(json_next(j, &e));
    return e == JSON_STRING ? hex_of(json_text(j), signature, 64) : APEX_E_FORMAT;
}

apex_status signed_json_open(struct span document, const char *name, struct span *inner,
                             uint8_t signature[static 64])
{
    struct json j;
    enum json_event e;
    bool has_inner = false, has_signature = false;
    if (document.len > COLLATERAL_JSON_MAX) return APEX_E_LIMIT;
    json_init(&j, false);
    json_feed(&j, document, true);
    TRY(json_next(&j, &e));
    if (e != JSON_OBJECT) return APEX_E_FORMAT;
    for (;;) {
        TRY(json_next(&j, &e));
        if (e == JSON_OBJECT_END) break;
        if (!has_inner && span_equal(json_text(&j), span_text(name))) {
            TRY(inner_take(&j, inner));
            has_inner = true;
        } else if (!has_signature && span_equal(json_text(&j), SPAN_TEXT("signature"))) {
            TRY(signature_take(&j, signature));
            has_signature = true;
        } else
            return APEX_E_FORMAT;
    }
    TRY(json_next(&j, &e));
    return has_inner && has_signature ? APEX_OK : APEX_E_FORMAT;
}

/* ---- what levels of every kind say ---- */

apex_status collateral_status(struct reader *r, void *context)
{
    unsigned at;
    TRY(read_one_of(r, status_names, TCB_NOT_SUPPORTED, "this TCB status is not known", &at));
    ((struct marked *)context)->mark->status = (enum tcb_status)at;
    return APEX_OK;
}

apex_status collateral_date(struct reader *r, void *context)
{
    return read_time(r, &((struct marked *)context)->mark->date_ms);
}

static apex_status read_advisory(struct reader *r, void *context)
{
    struct marked *m = context;
    if (m->pool->n == ADVISORY_POOL) return APEX_E_LIMIT;
    char *id = m->pool->id[m->pool->n];
    TRY(read_text(r, id, ADVISORY_LEN));
    for (size_t i = 0; id[i]; i++) /* it will be shown to people */
        if (!((id[i] >= 'A' && id[i] <= 'Z') || (id[i] >= '0' && id[i] <= '9') || id[i] == '-'))
            return reader_fail(r, "an advisory such as INTEL-SA-00615 is expected");
    m->pool->n++;
    m->mark->n_advisories++;
    return APEX_OK;
}

apex_status collateral_advisories(struct reader *r, void *context)
{
    struct marked *m = context;
    m->mark->first_advisory = (uint16_t)m->pool->n;
    return read_array(r, context, 0, ADVISORIES_MAX, read_advisory);
}

/* ---- levels by ISVSVN: of the quoting enclave and of the TDX module ---- */

struct isv_context {
    struct advisories *pool;
    struct isv_levels *levels;
};

static apex_status read_isv_svn(struct reader *r, void *context)
{
    return collateral_u16(r, &((struct isv_level *)context)->isv_svn);
}

static apex_status read_isv_tcb(struct reader *r, void *context)
{
    static const struct field fields[] = {{"isvsvn", true, read_isv_svn}};
    return read_object_open(r, fields, 1, ((struct marked *)context)->level);
}

/* Kept sorted; of two equal ones the document's first is met first. */
static void isv_level_sink(struct isv_levels *l)
{
    for (size_t i = l->n - 1; i > 0 && l->at[i].isv_svn > l->at[i - 1].isv_svn; i--) {
        struct isv_level higher = l->at[i];
        l->at[i] = l->at[i - 1];
        l->at[i - 1] = higher;
    }
}

static apex_status read_isv_level(struct reader *r, void *context)
{
    static const struct field fields[] = {{"tcb", true, read_isv_tcb},
                                          {"tcbDate", false, collateral_date},
                                          {"tcbStatus", true, collateral_status},
                                          {"advisoryIDs", false, collateral_advisories}};
    struct isv_context *c = context;
    struct isv_level *level = &c->levels->at[c->levels->n];
    struct marked m = {c->pool, &level->mark, level};
    TRY(read_object_open(r, fields, 4, &m));
    c->levels->n++;
    isv_level_sink(c->levels);
    return APEX_OK;
}

apex_status collateral_isv_levels(struct reader *r, struct advisories *pool,
                                  struct isv_levels *levels)
{
    struct isv_context c = {pool, levels};
    return read_array(r, &c, 1, ISV_LEVELS_MAX, read_isv_level);
}

/* ---- the quoting enclave's identity ---- */

static apex_status read_qe_id(struct reader *r, void *context)
{
    static const char *const ids[] = {"QE", "TD_QE"};
    unsigned at;
    TRY(read_one_of(r, ids, 2, "the identity of QE or TD_QE is expected", &at));
    ((struct qe_identity *)context)->is_td_qe = at == 1;
    return APEX_OK;
}

static apex_status read_qe_version(struct reader *r, void *context)
{
    uint64_t version;
    (void)context;
    TRY(read_count(r, UINT16_MAX, &version));
    return version == 2 ? APEX_OK
                        : reader_fail(r, "an enclave identity of version 2 is expected");
}

static apex_status read_qe_issued(struct reader *r, void *context)
{
    return read_time(r, &((struct qe_identity *)context)->dates.issued_ms);
}

static apex_status read_qe_next(struct reader *r, void *context)
{
    return read_time(r, &((struct qe_identity *)context)->dates.next_update_ms);
}

static apex_status read_qe_evaluation(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct qe_identity *)context)->evaluation);
}

static apex_status read_misc(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct qe_identity *)context)->misc_select, 4);
}

static apex_status read_misc_mask(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct qe_identity *)context)->misc_select_mask, 4);
}

static apex_status read_attributes(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct qe_identity *)context)->attributes, 16);
}

static apex_status read_attributes_mask(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct qe_identity *)context)->attributes_mask, 16);
}

static apex_status read_qe_signer(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct qe_identity *)context)->mr_signer, 32);
}

static apex_status read_qe_product(struct reader *r, void *context)
{
    return collateral_u16(r, &((struct qe_identity *)context)->isv_prod_id);
}

static apex_status read_qe_levels(struct reader *r, void *context)
{
    struct qe_identity *q = context;
    return collateral_isv_levels(r, &q->advisories, &q->levels);
}

apex_status qe_identity_parse(struct span inner, struct qe_identity *identity)
{
    static const struct field fields[] = {{"id", true, read_qe_id},
                                          {"version", true, read_qe_version},
                                          {"issueDate", true, read_qe_issued},
                                          {"nextUpdate", true, read_qe_next},
                                          {"tcbEvaluationDataNumber", true, read_qe_evaluation},
                                          {"miscselect", true, read_misc},
                                          {"miscselectMask", true, read_misc_mask},
                                          {"attributes", true, read_attributes},
                                          {"attributesMask", true, read_attributes_mask},
                                          {"mrsigner", true, read_qe_signer},
                                          {"isvprodid", true, read_qe_product},
                                          {"tcbLevels", true, read_qe_levels}};
    struct reader r = {0};
    enum json_event e;
    *identity = (struct qe_identity){0};
    reader_init(&r, inner);
    TRY(read_object_open(&r, fields, sizeof fields / sizeof *fields, identity));
    return reader_next(&r, &e);
}
