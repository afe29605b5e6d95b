#include "enclave/core/recovery_policy.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <stdlib.h>

static apex_status read_version(struct reader *r, void *context)
{
    uint64_t version;
    (void)context;
    TRY(read_count(r, 0, &version));
    return version == 1 ? APEX_OK : reader_fail(r, "recovery policies are of version 1");
}

static apex_status read_threshold(struct reader *r, void *context)
{
    uint64_t threshold;
    TRY(read_count(r, HOLDERS_MAX, &threshold));
    ((struct recovery_policy *)context)->threshold = (unsigned)threshold;
    return APEX_OK;
}

static apex_status read_key(struct reader *r, uint8_t key[static 32])
{
    char text[64 + 1];
    TRY(read_text(r, text, 64));
    return hex_parse(span_text(text), key, 32) == APEX_OK
               ? APEX_OK
               : reader_fail(r, "64 lower-case hex digits are expected");
}

static apex_status read_holder_name(struct reader *r, void *context)
{
    char name[NAME_MAX_LEN + 1];
    (void)context; /* for people */
    return read_name(r, name);
}

static apex_status read_sign(struct reader *r, void *context)
{
    return read_key(r, ((struct holder *)context)->sign);
}

static apex_status read_seal(struct reader *r, void *context)
{
    return read_key(r, ((struct holder *)context)->seal.bytes);
}

static apex_status read_holder(struct reader *r, void *context)
{
    static const struct field fields[] = {
        {"name", true, read_holder_name}, {"sign", true, read_sign}, {"seal", true, read_seal}};
    struct recovery_policy *p = context;
    struct holder *h = &p->holders[p->n];
    TRY(read_object(r, fields, 3, h));
    if (recovery_holder(p, h->sign) != p->n) return reader_fail(r, "a holder is named twice");
    p->n++;
    return APEX_OK;
}

static apex_status read_holders(struct reader *r, void *context)
{
    return read_array(r, context, 1, HOLDERS_MAX, read_holder);
}

static apex_status read_policy(struct reader *r, struct recovery_policy *p)
{
    static const struct field fields[] = {{"apex", true, read_version},
                                          {"threshold", true, read_threshold},
                                          {"holders", true, read_holders}};
    enum json_event e;
    TRY(read_object(r, fields, 3, p));
    TRY(reader_next(r, &e));
    return e == JSON_END && p->threshold > 0 && p->threshold <= p->n ? APEX_OK : APEX_E_FORMAT;
}

apex_status recovery_policy_parse(struct span json, struct recovery_policy *p)
{
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return APEX_E_MEMORY;
    *p = (struct recovery_policy){0};
    sha256(json, p->digest);
    reader_init(r, json);
    apex_status s = read_policy(r, p);
    free(r);
    return s;
}

unsigned recovery_holder(const struct recovery_policy *p, const uint8_t sign[static 32])
{
    unsigned at = 0;
    while (at < p->n && memcmp(p->holders[at].sign, sign, 32) != 0)
        at++;
    return at;
}
