#include "common/base/hex.h"

void hex_write(struct span bytes, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[2 * bytes.len] = '\0';
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

apex_status hex_parse(struct span text, uint8_t *out, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len) return APEX_E_FORMAT;
    for (size_t i = 0; i < text.len; i++) {
        if (hex_digit(text.data[i]) < 0) return APEX_E_FORMAT;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(hex_digit(text.data[2 * i]) << 4 | hex_digit(text.data[2 * i + 1]));
    }
    return APEX_OK;
}

void base32_write(const uint8_t bytes[static 32], char text[static BASE32_32_LEN + 1])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (size_t i = 0; i < BASE32_32_LEN; i++) {
        unsigned value = 0;
        for (size_t bit = 5 * i; bit < 5 * i + 5; bit++) {
            unsigned b = bit < 256 ? bytes[bit / 8] >> (7 - bit % 8) & 1u : 0;
            value = value << 1 | b;
        }
        text[i] = digits[value];
    }
    text[BASE32_32_LEN] = '\0';
}

static int base32_digit(uint8_t c)
{
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= '2' && c <= '7') return c - '2' + 26;
    return -1;
}

apex_status base32_parse(struct span text, uint8_t bytes[static 32])
{
    uint8_t out[33] = {0};
    if (text.len != BASE32_32_LEN) return APEX_E_FORMAT;
    for (size_t i = 0; i < BASE32_32_LEN; i++) {
        int value = base32_digit(text.data[i]);
        if (value < 0) return APEX_E_FORMAT;
        for (size_t j = 0; j < 5; j++) {
            size_t bit = 5 * i + j;
            if (value >> (4 - j) & 1) out[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
    }
    if (out[32] != 0) return APEX_E_FORMAT;
    memcpy(bytes, out, 32);
    return APEX_OK;
}
