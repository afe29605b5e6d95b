#include "common/attest/pem.h"

#include "common/base/try.h"

#include <stdio.h>

static bool blank(uint8_t b)
{
    return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

static void blanks_skip(struct cursor *c, bool nul_too)
{
    while (c->at < c->end && (blank(*c->at) || (nul_too && *c->at == 0)))
        c->at++;
}

static apex_status boundary(struct cursor *c, const char *word, const char *label)
{
    char line[80];
    int n = snprintf(line, sizeof line, "-----%s %s-----", word, label);
    return n > 0 && (size_t)n < sizeof line ? cursor_expect(c, span_of(line, (size_t)n))
                                            : APEX_E_BUG;
}

static int sextet(uint8_t b)
{
    if (b >= 'A' && b <= 'Z') return b - 'A';
    if (b >= 'a' && b <= 'z') return b - 'a' + 26;
    if (b >= '0' && b <= '9') return b - '0' + 52;
    return b == '+' ? 62 : b == '/' ? 63 : -1;
}

/* RFC 4648 section 4; the bits that padding leaves over must be zero (section 3.5). */
static apex_status base64(struct cursor *c, struct buffer *der)
{
    uint32_t bits = 0;
    unsigned n = 0, pads = 0;
    for (; c->at < c->end && *c->at != '-'; c->at++) {
        if (blank(*c->at)) continue;
        int value = sextet(*c->at);
        if (*c->at == '=' && n % 4 + pads >= 2 && pads < 2) {
            pads++;
            continue;
        }
        if (value < 0 || pads > 0) return APEX_E_FORMAT;
        bits = bits << 6 | (uint32_t)value;
        if (n++ % 4 > 0) buffer_u8(der, (uint8_t)(bits >> (6 - 2 * ((n - 1) % 4))));
    }
    if ((n + pads) % 4 != 0 || n == 0) return APEX_E_FORMAT;
    if (pads > 0 && (bits & ((UINT32_C(1) << 2 * pads) - 1)) != 0) return APEX_E_FORMAT;
    return buffer_ok(der);
}

apex_status pem_next(struct cursor *c, const char *label, struct buffer *der)
{
    struct cursor at = *c;
    blanks_skip(&at, true);
    if (cursor_left(&at) == 0) {
        *c = at;
        return APEX_E_NOT_FOUND;
    }
    TRY(boundary(&at, "BEGIN", label));
    TRY(base64(&at, der));
    TRY(boundary(&at, "END", label));
    *c = at;
    return APEX_OK;
}
