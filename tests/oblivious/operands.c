#include "tests/oblivious/operands.h"

#include <string.h>

enum { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A };
enum { RAX = 1, RCX = 2, RDX = 4, RBX = 8, RBP = 32, RSI = 64, RDI = 128 };

struct decoding {
    const uint8_t *at; /* the opcode */
    unsigned map, r, x, b, mask;
    bool vector, repeated; /* vector: VEX or EVEX */
    bool wide, narrow;     /* 64, 16 bits */
};

static bool is_prefix(uint8_t c)
{
    return c == 0x66 || c == 0x67 || c == 0xF0 || c == 0xF2 || c == 0xF3 || c == 0x2E ||
           c == 0x36 || c == 0x3E || c == 0x26 || c == 0x64 || c == 0x65;
}

static void vex_open(struct decoding *d)
{
    const uint8_t *p = d->at;
    d->vector = true;
    d->r = !(p[1] >> 7) << 3;
    d->map = MAP_0F;
    if (p[0] != 0xC5) {
        d->x = !(p[1] >> 6 & 1) << 3;
        d->b = !(p[1] >> 5 & 1) << 3;
        d->map = p[1] & 7;
    }
    if (p[0] == 0x62) d->mask = p[3] & 7;
    if (p[0] == 0x62) d->repeated = (p[2] & 3) == 2; /* F3 */
    d->at += p[0] == 0x62 ? 4 : p[0] == 0xC4 ? 3 : 2;
}

static struct decoding open_instruction(const uint8_t *p)
{
    struct decoding d = {.at = p};
    for (; is_prefix(*d.at); d.at++) {
        d.repeated |= *d.at == 0xF2 || *d.at == 0xF3;
        d.narrow |= *d.at == 0x66;
    }
    if (*d.at == 0xC4 || *d.at == 0xC5 || *d.at == 0x62) {
        vex_open(&d);
        return d;
    }
    if ((*d.at & 0xF0) == 0x40) {
        d.r = (*d.at & 4) << 1;
        d.x = (*d.at & 2) << 2;
        d.b = (*d.at & 1) << 3;
        d.wide = *d.at & 8;
        d.at++;
    }
    if (*d.at != 0x0F) return d;
    d.at++;
    d.map = *d.at == 0x38 ? MAP_0F38 : *d.at == 0x3A ? MAP_0F3A : MAP_0F;
    d.at += d.map != MAP_0F;
    return d;
}

static bool has_modrm(const struct decoding *d)
{
    uint8_t o = *d->at;
    if (d->map == MAP_0F38 || d->map == MAP_0F3A || d->map > MAP_0F3A) return true;
    if (d->map == MAP_0F && d->vector) return o != 0x77;
    if (d->map == MAP_0F)
        return !(o >= 0x04 && o <= 0x0C) && o != 0x0E && !(o >= 0x30 && o <= 0x37) &&
               o != 0x77 && (o & 0xF0) != 0x80 && !(o >= 0xA0 && o <= 0xA2) &&
               !(o >= 0xA8 && o <= 0xAA) && !(o >= 0xC8 && o <= 0xCF);
    if (o < 0x40) return (o & 7) < 4;
    return o == 0x63 || o == 0x69 || o == 0x6B || o == 0x80 || o == 0x81 || o == 0x83 ||
           (o >= 0x84 && o <= 0x8F) || o == 0xC0 || o == 0xC1 || o == 0xC6 || o == 0xC7 ||
           (o >= 0xD0 && o <= 0xD3) || (o >= 0xD8 && o <= 0xDF) || o == 0xF6 || o == 0xF7 ||
           o == 0xFE || o == 0xFF;
}

/* An operand that looks like memory and touches none: lea, and no-operations (prefetches
 * count).
 */
static bool touches_nothing(const struct decoding *d)
{
    if (d->vector) return false;
    return (d->map == MAP_ONE && *d->at == 0x8D) ||
           (d->map == MAP_0F && *d->at >= 0x19 && *d->at <= 0x1F);
}

/* The registers of a memory operand. (Relative to the instruction: none.) */
static void address_of(const struct decoding *d, struct operands *o)
{
    uint8_t mod = d->at[1] >> 6, rm = d->at[1] & 7, sib = d->at[2];
    o->base = o->index = -1;
    if (rm != 4) {
        if (rm != 5 || mod != 0) o->base = (int)(rm | d->b);
    } else {
        if ((sib & 7) != 5 || mod != 0) o->base = (int)((sib & 7) | d->b);
        if (((sib >> 3 & 7) | d->x) != 4) o->index = (int)((sib >> 3 & 7) | d->x);
        o->scale = sib >> 6;
    }
    if (o->base >= 0) o->registers |= 1u << o->base;
    if (o->index >= 0) o->registers |= 1u << o->index;
}

static void divisor_of(const struct decoding *d, struct operands *o)
{
    const uint8_t *p = d->at + ((d->at[1] & 7) == 4 ? 3 : 2);
    unsigned mod = d->at[1] >> 6;
    int32_t far;
    memcpy(&far, p, sizeof far);
    o->divisor_len = *d->at == 0xF6 ? 1 : d->wide ? 8 : d->narrow ? 2 : 4;
    o->offset = mod == 2 || o->base < 0 ? far : mod == 1 ? (int8_t)*p : 0;
    if (mod == 0 && (d->at[1] & 7) == 5) o->offset += (int64_t)(uintptr_t)(p + sizeof far);
}

static bool vector_addressed(const struct decoding *d)
{
    uint8_t o = *d->at;
    if (!d->vector || d->map != MAP_0F38) return false;
    return (o >= 0x90 && o <= 0x93) || (o >= 0xA0 && o <= 0xA3) || (o >= 0x88 && o <= 0x8B) ||
           o == 0x62 || o == 0x63;
}

/* Stores to memory that an opmask can thin out: moves, truncations, extractions. Loads are held
 * to read their whole operand: processors differ only where a page is absent. */
static bool masked_store(const struct decoding *d)
{
    uint8_t o = *d->at;
    if (d->map == MAP_0F) return o == 0x11 || o == 0x29 || o == 0x7F;
    if (d->map == MAP_0F38) return d->repeated && o >= 0x10 && o <= 0x35;
    return d->map == MAP_0F3A &&
           (o == 0x19 || o == 0x1B || o == 0x1D || o == 0x39 || o == 0x3B);
}

/* Without a ModRM byte: string instructions, table look-up. */
static uint32_t implicit_registers(const struct decoding *d)
{
    uint8_t o = *d->at;
    if (d->map != MAP_ONE || d->vector) return 0;
    if ((o >= 0xA4 && o <= 0xA7) || (o >= 0xAA && o <= 0xAF)) {
        uint32_t from = o >= 0xAA && (o & 0xFE) != 0xAC ? 0 : RSI; /* stos and scas have none */
        uint32_t to = (o & 0xFE) == 0xAC ? 0 : RDI;                /* nor has lods the other */
        return from | to | (d->repeated ? RCX : 0);
    }
    return o == 0xD7 ? RBX | RAX : o == 0xC9 ? RBP : 0;
}

struct operands operands_of(const uint8_t *instruction)
{
    struct decoding d = open_instruction(instruction);
    struct operands found = {.registers = implicit_registers(&d)};
    if (!has_modrm(&d)) return found;
    uint8_t o = *d.at, mod = d.at[1] >> 6, reg = d.at[1] >> 3 & 7;
    bool divides = d.map == MAP_ONE && !d.vector && (o == 0xF6 || o == 0xF7) && reg >= 6;
    if (divides) found.registers |= RAX | RDX | (mod == 3 ? 1u << ((d.at[1] & 7) | d.b) : 0);
    if (mod == 3 || touches_nothing(&d)) return found;
    found.by_vector = vector_addressed(&d);
    found.mask = d.mask && masked_store(&d) ? d.mask : 0;
    address_of(&d, &found);
    if (divides) divisor_of(&d, &found);
    if (d.map == MAP_0F && !d.vector && (o == 0xA3 || o == 0xAB || o == 0xB3 || o == 0xBB))
        found.registers |= 1u << (reg | d.r); /* bit tests reach beyond their operand */
    return found;
}
