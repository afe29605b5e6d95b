#include "common/attest/nitro_rules.h"

#include "common/attest/checks.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

struct values {
    struct nitro_rules *rules;
    enum nitro_register which;
};

static apex_status read_value(struct reader *r, void *context)
{
    struct values *v = context;
    size_t *n = &v->rules->registers[v->which].n;
    char text[96 + 1];
    TRY(read_text(r, text, sizeof text - 1));
    if (hex_parse(span_text(text), v->rules->registers[v->which].at[*n], 48) != APEX_OK)
        return reader_fail(r, "96 lower-case hex digits are expected");
    ++*n;
    return APEX_OK;
}

#define READ_REGISTER(name, which)                                                             \
    static apex_status name(struct reader *r, void *context)                                   \
    {                                                                                          \
        return read_array(r, &(struct values){context, which}, 1, NITRO_VALUES_MAX,            \
                          read_value);                                                         \
    }
READ_REGISTER(read_pcr1, NITRO_PCR1)
READ_REGISTER(read_pcr2, NITRO_PCR2)
READ_REGISTER(read_pcr3, NITRO_PCR3)
READ_REGISTER(read_pcr4, NITRO_PCR4)
READ_REGISTER(read_pcr8, NITRO_PCR8)

static apex_status read_allowance(struct reader *r, void *context)
{
    static const char *const names[] = {"debug"};
    unsigned at;
    TRY(read_one_of(r, names, 1, "only debug can be allowed", &at));
    ((struct nitro_rules *)context)->debug_allowed = true;
    return APEX_OK;
}
static apex_status read_allow(struct reader *r, void *context)
{
    return read_array(r, context, 0, 1, read_allowance);
}

apex_status nitro_rules_read(struct reader *r, struct nitro_rules *rules)
{
    static const struct field fields[] = {
        {"allow", false, read_allow}, {"pcr1", false, read_pcr1}, {"pcr2", false, read_pcr2},
        {"pcr3", false, read_pcr3},   {"pcr4", false, read_pcr4}, {"pcr8", false, read_pcr8}};
    return read_object(r, fields, sizeof fields / sizeof *fields, rules);
}

static bool debug_holds(const struct nitro_rules *rules, const struct nitro_claims *c,
                        struct verdict *v)
{
    bool debug = nitro_is_debug(c);
    return verdict_check(v, "debug", !debug || rules->debug_allowed, REASON_POLICY, "%s",
                         !debug ? "the enclave is measured and cannot be debugged"
                         : rules->debug_allowed
                             ? "it is so, and the policy allows it"
                             : "the enclave runs in DEBUG mode: the operator "
                               "reads it, and nothing of it is measured");
}

static bool register_holds(const struct nitro_rules *rules, enum nitro_register which,
                           const struct nitro_claims *c, struct verdict *v)
{
    static const char *const names[] = {"pcr1", "pcr2", "pcr3", "pcr4", "pcr8"};
    static const uint8_t number[] = {1, 2, 3, 4, 8}, zeros[48];
    const struct nitro_pcr *pcr = &c->pcr[number[which]];
    bool found = false;
    char hex[2 * NITRO_PCR_MAX + 1];
    for (size_t i = 0; i < rules->registers[which].n && pcr->len == 48; i++)
        found |= memcmp(rules->registers[which].at[i], pcr->bytes, 48) == 0;
    found = found && memcmp(pcr->bytes, zeros, 48) != 0;
    hex_write(span_of(pcr->bytes, pcr->len), hex);
    return verdict_check(v, names[which], found, REASON_POLICY,
                         found ? "%s is in the policy" : "%s is not in the policy", hex);
}

bool nitro_rules_hold(const struct nitro_rules *rules, const struct nitro_claims *c,
                      struct verdict *v)
{
    bool fine = debug_holds(rules, c, v);
    for (unsigned i = 0; i < NITRO_REGISTERS; i++)
        if (rules->registers[i].n > 0) fine &= register_holds(rules, i, c, v);
    return fine;
}
