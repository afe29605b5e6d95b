#include "common/merkle/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct span bytes, char *text)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? bytes.data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            *text++ = k <= n ? alphabet[v >> (18 - 6 * k) & 63] : '=';
    }
    *text = 0;
}

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to up to three bytes; -1 when they are not of the one form. */
static int quad(const uint8_t *t, bool last, uint8_t out[static 3])
{
    int n = last && t[3] == '=' ? (t[2] == '=' ? 1 : 2) : 3;
    uint32_t v = 0;
    for (int k = 0; k < 4; k++) {
        int d = k <= n ? value_of(t[k]) : 0;
        if (d < 0) return -1;
        v = v << 6 | (uint32_t)d;
    }
    if ((n == 1 && v & 0xffff) || (n == 2 && v & 0xff))
        return -1; /* bits that say nothing are zero */
    for (int k = 0; k < 3; k++)
        out[k] = (uint8_t)(v >> (16 - 8 * k));
    return n;
}

static bool decode(struct span text, uint8_t *out, size_t len, size_t *total)
{
    uint8_t three[3];
    *total = 0;
    if (text.len % 4 != 0) return false;
    for (size_t i = 0; i < text.len; i += 4) {
        int n = quad(text.data + i, i + 4 == text.len, three);
        if (n < 0) return false;
        if (out && (size_t)n > len - *total) return false;
        if (out) memcpy(out + *total, three, (size_t)n);
        *total += (size_t)n;
    }
    return true;
}

apex_status base64_parse(struct span text, uint8_t *out, size_t len)
{
    size_t total;
    return decode(text, out, len, &total) && total == len ? APEX_OK : APEX_E_FORMAT;
}

bool base64_valid(struct span text)
{
    size_t total;
    return text.len > 0 && decode(text, NULL, 0, &total);
}
