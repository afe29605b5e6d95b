#include "common/attest/supplements.h"

#include "common/base/try.h"
#include "common/wire/cbor.h"

void supplements_write(const struct supplements *s, struct buffer *out)
{
    size_t n = 0;
    for (size_t i = 1; i < SUPPLEMENTS; i++)
        n += s->part[i].len > 0;
    if (n == 0) return;
    cbor_put_map(out, n);
    for (size_t i = 1; i < SUPPLEMENTS; i++) {
        if (s->part[i].len == 0) continue;
        cbor_put_uint(out, i);
        cbor_put_bytes(out, s->part[i]);
    }
}

apex_status supplements_parse(struct span bytes, struct supplements *s)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    *s = (struct supplements){0};
    if (bytes.len == 0) return APEX_OK;
    TRY(cbor_map(&c, &n));
    if (n == 0) return APEX_E_FORMAT;
    for (uint64_t last = 0; n > 0; n--) {
        uint64_t key;
        TRY(cbor_uint(&c, &key));
        if (key <= last || key >= SUPPLEMENTS) return APEX_E_FORMAT;
        TRY(cbor_bytes(&c, &s->part[key]));
        if (s->part[key].len == 0) return APEX_E_FORMAT;
        last = key;
    }
    return cursor_end(&c);
}
