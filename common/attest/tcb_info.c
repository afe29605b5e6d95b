#include "common/attest/collateral_read.h"

#include "common/base/try.h"

static apex_status read_info_id(struct reader *r, void *context)
{
    static const char *const ids[] = {"SGX", "TDX"};
    unsigned at;
    TRY(read_one_of(r, ids, 2, "TCB info is of SGX or TDX", &at));
    ((struct tcb_info *)context)->has_id = true;
    ((struct tcb_info *)context)->is_tdx = at == 1;
    return APEX_OK;
}

static apex_status read_info_version(struct reader *r, void *context)
{
    struct tcb_info *info = context;
    TRY(read_count(r, UINT16_MAX, &info->version));
    return info->version == 2 || info->version == 3
               ? APEX_OK
               : reader_fail(r, "TCB info of version 2 or 3 is expected");
}

static apex_status read_info_issued(struct reader *r, void *context)
{
    return read_time(r, &((struct tcb_info *)context)->dates.issued_ms);
}

static apex_status read_info_next(struct reader *r, void *context)
{
    return read_time(r, &((struct tcb_info *)context)->dates.next_update_ms);
}

static apex_status read_fmspc(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct tcb_info *)context)->fmspc, 6);
}

static apex_status read_pce_id(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct tcb_info *)context)->pce_id, 2);
}

/* tcbType 0: levels are compared component by component; there is no other yet. */
static apex_status read_tcb_type(struct reader *r, void *context)
{
    uint64_t type;
    (void)context;
    TRY(read_count(r, UINT16_MAX, &type));
    return type == 0 ? APEX_OK : reader_fail(r, "this TCB type is not known");
}

static apex_status read_info_evaluation(struct reader *r, void *context)
{
    return read_count(r, 0, &((struct tcb_info *)context)->evaluation);
}

static apex_status read_mr_signer_seam(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct tdx_module *)context)->mr_signer, 48);
}

static apex_status read_seam_attributes(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct tdx_module *)context)->attributes, 8);
}

static apex_status read_seam_mask(struct reader *r, void *context)
{
    return collateral_hex(r, ((struct tdx_module *)context)->attributes_mask, 8);
}

static apex_status read_module(struct reader *r, void *context)
{
    static const struct field fields[] = {{"mrsigner", true, read_mr_signer_seam},
                                          {"attributes", true, read_seam_attributes},
                                          {"attributesMask", true, read_seam_mask}};
    struct tcb_info *info = context;
    info->has_module = true;
    return read_object_open(r, fields, 3, &info->module);
}

struct module_context {
    struct tdx_module module; /* first, so that the fields above serve both */
    struct advisories *pool;
};

static apex_status read_module_id(struct reader *r, void *context)
{
    struct module_context *c = context;
    TRY(read_text(r, c->module.id, sizeof c->module.id - 1));
    for (char *p = c->module.id; *p; p++)
        if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 32);
    return APEX_OK;
}

static apex_status read_module_levels(struct reader *r, void *context)
{
    struct module_context *c = context;
    return collateral_isv_levels(r, c->pool, &c->module.levels);
}

static apex_status read_identity_of_module(struct reader *r, void *context)
{
    static const struct field fields[] = {{"id", true, read_module_id},
                                          {"mrsigner", true, read_mr_signer_seam},
                                          {"attributes", true, read_seam_attributes},
                                          {"attributesMask", true, read_seam_mask},
                                          {"tcbLevels", true, read_module_levels}};
    struct tcb_info *info = context;
    struct module_context c = {.pool = &info->advisories};
    TRY(read_object_open(r, fields, 5, &c));
    info->modules[info->n_modules++] = c.module;
    return APEX_OK;
}

static apex_status read_modules(struct reader *r, void *context)
{
    return read_array(r, context, 0, TDX_MODULES_MAX, read_identity_of_module);
}

/* {"svn": n, ...}, sixteen times */
struct components {
    uint8_t *at;
    size_t n;
};

static apex_status read_svn(struct reader *r, void *context)
{
    uint64_t v;
    TRY(read_count(r, UINT8_MAX, &v));
    *(uint8_t *)context = (uint8_t)v;
    return APEX_OK;
}

static apex_status read_component(struct reader *r, void *context)
{
    static const struct field fields[] = {{"svn", true, read_svn}};
    struct components *c = context;
    return read_object_open(r, fields, 1, &c->at[c->n++]);
}

static apex_status read_sgx_components(struct reader *r, void *context)
{
    struct components c = {((struct tcb_level *)context)->sgx, 0};
    return read_array(r, &c, 16, 16, read_component);
}

static apex_status read_tdx_components(struct reader *r, void *context)
{
    struct components c = {((struct tcb_level *)context)->tdx, 0};
    return read_array(r, &c, 16, 16, read_component);
}

static apex_status read_pce_svn(struct reader *r, void *context)
{
    return collateral_u16(r, &((struct tcb_level *)context)->pce_svn);
}

/* Version 2: "sgxtcbcomp01svn" to "sgxtcbcomp16svn" beside "pcesvn". */
static apex_status read_flat_tcb(struct reader *r, struct tcb_level *level)
{
    enum json_event e;
    uint32_t seen = 0, all = (1u << 17) - 1;
    TRY(reader_next(r, &e));
    if (e != JSON_OBJECT) return reader_fail(r, "an object is expected");
    for (;;) {
        TRY(reader_next(r, &e));
        if (e == JSON_OBJECT_END) break;
        char key[20] = {0};
        unsigned tens, ones, at = 0;
        TRY(reader_copy(r, key, sizeof key - 1));
        tens = (unsigned)key[10] - '0';
        ones = (unsigned)key[11] - '0';
        if (strlen(key) == 15 && memcmp(key, "sgxtcbcomp", 10) == 0 &&
            memcmp(key + 12, "svn", 3) == 0 && tens < 2 && ones < 10)
            at = 10 * tens + ones;
        else if (strcmp(key, "pcesvn") != 0)
            return reader_fail(r, "this key is not known");
        if (at > 16 || seen & 1u << at) return reader_fail(r, "this key occurs twice");
        seen |= 1u << at;
        if (at)
            TRY(read_svn(r, &level->sgx[at - 1]));
        else
            TRY(collateral_u16(r, &level->pce_svn));
    }
    return seen == all ? APEX_OK : reader_fail(r, "a component is missing");
}

struct level_context {
    struct marked marked; /* first: collateral_status and its kin see it */
    const struct tcb_info *info;
};

static apex_status read_tcb(struct reader *r, void *context)
{
    static const struct field fields[] = {{"sgxtcbcomponents", true, read_sgx_components},
                                          {"pcesvn", true, read_pce_svn},
                                          {"tdxtcbcomponents", true, read_tdx_components}};
    struct level_context *c = context;
    if (c->info->version == 2) return read_flat_tcb(r, c->marked.level);
    return read_object_open(r, fields, c->info->is_tdx ? 3 : 2, c->marked.level);
}

/* Intel's order: SGX components, PCESVN, TDX components; see tcb.h. */
static int level_order(const struct tcb_level *a, const struct tcb_level *b)
{
    int by = memcmp(a->sgx, b->sgx, 16);
    if (by == 0) by = (a->pce_svn > b->pce_svn) - (a->pce_svn < b->pce_svn);
    return by ? by : memcmp(a->tdx, b->tdx, 16);
}

static apex_status read_level(struct reader *r, void *context)
{
    static const struct field fields[] = {{"tcb", true, read_tcb},
                                          {"tcbDate", true, collateral_date},
                                          {"tcbStatus", true, collateral_status},
                                          {"advisoryIDs", false, collateral_advisories}};
    struct tcb_info *info = context;
    struct tcb_level level = {0};
    struct level_context c = {{&info->advisories, &level.mark, &level}, info};
    TRY(read_object_open(r, fields, 4, &c));
    size_t at = info->n_levels++;
    for (; at > 0 && level_order(&level, &info->levels[at - 1]) > 0; at--)
        info->levels[at] = info->levels[at - 1];
    info->levels[at] = level;
    return APEX_OK;
}

static apex_status read_levels(struct reader *r, void *context)
{
    return read_array(r, context, 1, TCB_LEVELS_MAX, read_level);
}

/* Levels are read by the version and id told before them; Intel writes these first, and where
 * one comes later the levels' form tells, so a first pass looks for both. */
static apex_status info_kind(struct span inner, struct tcb_info *info, struct reader *r)
{
    static const struct field fields[] = {{"version", true, read_info_version},
                                          {"id", false, read_info_id}};
    reader_init(r, inner);
    return read_object_open(r, fields, 2, info);
}

apex_status tcb_info_parse(struct span inner, struct tcb_info *info)
{
    static const struct field fields[] = {
        {"issueDate", true, read_info_issued},
        {"nextUpdate", true, read_info_next},
        {"fmspc", true, read_fmspc},
        {"pceId", true, read_pce_id},
        {"tcbType", true, read_tcb_type},
        {"tcbEvaluationDataNumber", true, read_info_evaluation},
        {"tcbLevels", true, read_levels},
        {"tdxModule", false, read_module},
        {"tdxModuleIdentities", false, read_modules}};
    struct reader r = {0};
    enum json_event e;
    *info = (struct tcb_info){0};
    TRY(info_kind(inner, info, &r));
    if (info->has_id != (info->version > 2)) return APEX_E_FORMAT;
    r = (struct reader){0};
    reader_init(&r, inner);
    TRY(read_object_open(&r, fields, info->is_tdx ? 9 : 7, info));
    TRY(reader_next(&r, &e));
    return !info->is_tdx || info->has_module ? APEX_OK : APEX_E_FORMAT;
}
