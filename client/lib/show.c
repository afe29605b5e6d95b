#include "client/lib/show.h"

#include "common/wire/cbor.h"

#include <stdio.h>

enum { UNIT_MAX = 5, DOTS = 3 };

/* How many bytes the UTF-8 character at the front has; 0 when there is none. */
static size_t character_at(struct span t, uint32_t *code)
{
    uint8_t b = t.data[0];
    size_t len = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc2 ? 2 : 0;
    if (len == 0 || len > t.len || !cbor_utf8_valid(span_of(t.data, len))) return 0;
    *code = len == 1 ? b : b & (0x3fu >> (len - 1));
    for (size_t i = 1; i < len; i++)
        *code = *code << 6 | (t.data[i] & 0x3f);
    return len;
}

/* Not seen, or seen elsewhere than it stands: controls, odd spaces, joiners, direction marks,
 * tags, private use. */
static bool unshowable(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},
                                         {0x61c, 0x61c},   {0x180e, 0x180e},   {0x2000, 0x200f},
                                         {0x2028, 0x202f}, {0x205f, 0x206f},   {0x3000, 0x3000},
                                         {0xe000, 0xf8ff}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
                                         {0xfff0, 0xfffb}, {0xe0000, 0x10ffff}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

/* One byte or character as shown; returns how many bytes of the text it stands for. A quoted
 * text can be read back: its backslashes are doubled. */
static size_t unit_show(struct span t, bool quoted, char unit[static UNIT_MAX], size_t *len)
{
    static const char plain[] = "\n\r\t\\", named[] = "nrt\\";
    uint32_t code = 0;
    size_t taken = character_at(t, &code);
    const char *found = memchr(plain, t.data[0], quoted ? 4 : 3);
    if (found) {
        *len = (size_t)snprintf(unit, UNIT_MAX, "\\%c", named[found - plain]);
        return 1;
    }
    if (taken == 0 || unshowable(code)) {
        *len = (size_t)snprintf(unit, UNIT_MAX, "\\x%02x", t.data[0]);
        return 1;
    }
    memcpy(unit, t.data, taken);
    *len = taken;
    return taken;
}

static void show(struct span text, bool quoted, char *out, size_t max)
{
    size_t at = 0, cut = 0; /* cut: the last place where the dots still fit */
    while (text.len > 0) {
        char unit[UNIT_MAX];
        size_t len, taken = unit_show(text, quoted, unit, &len);
        if (at + len + 1 > max) {
            memcpy(out + cut, "...", DOTS + 1);
            return;
        }
        memcpy(out + at, unit, len);
        at += len;
        if (at + DOTS + 1 <= max) cut = at;
        text = span_of(text.data + taken, text.len - taken);
    }
    out[at] = 0;
}

void text_show(struct span text, char *out, size_t max)
{
    show(text, true, out, max);
}

void text_tame(const char *text, char *out, size_t max)
{
    show(span_text(text), false, out, max);
}
