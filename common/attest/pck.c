#include "common/attest/pck.h"

#include "common/attest/der.h"
#include "common/base/try.h"

/* 1.2.840.113741.1.13.1, as DER writes it: parts add one number (below 128), those of the TCB a
 * second. */
static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
enum {
    PART_PPID = 1,
    PART_TCB,
    PART_PCE_ID,
    PART_FMSPC,
    PART_TYPE,
    TCB_PCE_SVN = 17,
    TCB_CPU_SVN
};

/* The numbers an object identifier has beyond `sgx_oid`; false: it is another's. */
static bool oid_beyond(struct span oid, size_t n, const uint8_t **numbers)
{
    if (oid.len != sizeof sgx_oid + n || memcmp(oid.data, sgx_oid, sizeof sgx_oid) != 0)
        return false;
    *numbers = oid.data + sizeof sgx_oid;
    return true;
}

static apex_status tcb_value(struct cursor *c, uint8_t part, struct pck *p)
{
    uint32_t v;
    if (part == TCB_CPU_SVN) return der_octets(c, p->cpu_svn, sizeof p->cpu_svn);
    TRY(der_count(c, DER_INTEGER, part == TCB_PCE_SVN ? UINT16_MAX : UINT8_MAX, &v));
    if (part == TCB_PCE_SVN)
        p->pce_svn = (uint16_t)v;
    else
        p->svn[part - 1] = (uint8_t)v;
    return APEX_OK;
}

/* SEQUENCE of {OID, value}: components 1 to 16, PCESVN, CPUSVN, each once. */
static apex_status tcb_read(struct cursor *c, struct pck *p)
{
    struct span all, one, oid;
    uint32_t seen = 0;
    TRY(der_take(c, DER_SEQUENCE, &all));
    for (struct cursor in = cursor_on(all); cursor_left(&in);) {
        const uint8_t *number;
        TRY(der_take(&in, DER_SEQUENCE, &one));
        struct cursor pair = cursor_on(one);
        TRY(der_take(&pair, DER_OID, &oid));
        if (!oid_beyond(oid, 2, &number) || number[0] != PART_TCB || number[1] < 1 ||
            number[1] > TCB_CPU_SVN || seen & 1u << number[1])
            return APEX_E_FORMAT;
        seen |= 1u << number[1];
        TRY(tcb_value(&pair, number[1], p));
        TRY(cursor_end(&pair));
    }
    return seen == (1u << (TCB_CPU_SVN + 1)) - 2 ? APEX_OK : APEX_E_FORMAT;
}

static apex_status part_read(struct cursor *c, uint8_t part, struct pck *p)
{
    switch (part) {
    case PART_PPID: return der_octets(c, p->ppid, sizeof p->ppid);
    case PART_TCB: return tcb_read(c, p);
    case PART_PCE_ID: return der_octets(c, p->pce_id, sizeof p->pce_id);
    case PART_FMSPC: return der_octets(c, p->fmspc, sizeof p->fmspc);
    case PART_TYPE: return der_count(c, DER_ENUMERATED, UINT8_MAX, &p->type);
    default: return der_skip(c);
    }
}

apex_status pck_parse(struct span extension, struct pck *p)
{
    struct cursor c = cursor_on(extension);
    struct span all, one, oid;
    uint32_t seen = 0;
    *p = (struct pck){0};
    TRY(der_take(&c, DER_SEQUENCE, &all));
    TRY(cursor_end(&c));
    for (struct cursor in = cursor_on(all); cursor_left(&in);) {
        const uint8_t *number;
        TRY(der_take(&in, DER_SEQUENCE, &one));
        struct cursor pair = cursor_on(one);
        TRY(der_take(&pair, DER_OID, &oid));
        if (!oid_beyond(oid, 1, &number) || number[0] > 31 || seen & 1u << number[0])
            return APEX_E_FORMAT;
        seen |= 1u << number[0];
        TRY(part_read(&pair, number[0], p));
        TRY(cursor_end(&pair));
    }
    enum {
        NEEDED =
            1 << PART_PPID | 1 << PART_TCB | 1 << PART_PCE_ID | 1 << PART_FMSPC | 1 << PART_TYPE
    };
    return (seen & NEEDED) == NEEDED ? APEX_OK : APEX_E_FORMAT;
}
