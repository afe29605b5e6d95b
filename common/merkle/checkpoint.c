#include "common/merkle/checkpoint.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/merkle/base64.h"

#include <stdio.h>

enum {
    ALGORITHM_ED25519 = 0x01,
    KEY_ID_LEN = 4,
    NOTE_SIGNATURE_LEN = KEY_ID_LEN + SIGNATURE_LEN
};
static const uint8_t em_dash[] = {0xe2, 0x80, 0x94, ' '};

/* c2sp.org/signed-note: the first four bytes of SHA-256(name || '\n' || algorithm || key). */
static void key_id(const char *name, const struct sign_public *key,
                   uint8_t id[static KEY_ID_LEN])
{
    struct merkle_digester d;
    uint8_t digest[32];
    const uint8_t between[] = {'\n', ALGORITHM_ED25519};
    merkle_digester_init(&d);
    merkle_digester_update(&d, span_text(name));
    merkle_digester_update(&d, SPAN(between));
    merkle_digester_update(&d, SPAN(key->bytes));
    merkle_digester_final(&d, digest);
    memcpy(id, digest, KEY_ID_LEN);
}

/* Names have no spaces, no plus sign and no control characters. */
static bool name_valid(struct span name)
{
    if (name.len < 1 || name.len > ORIGIN_MAX) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= 0x20 || name.data[i] == 0x7f || name.data[i] == '+') return false;
    return true;
}

apex_status note_vkey(const char *name, const struct sign_public *key,
                      char vkey[static NOTE_VKEY_MAX])
{
    uint8_t id[KEY_ID_LEN], body[1 + SIGN_PUBLIC_LEN];
    char text[BASE64_LEN(1 + SIGN_PUBLIC_LEN) + 1];
    if (!name_valid(span_text(name))) return APEX_E_USAGE;
    key_id(name, key, id);
    body[0] = ALGORITHM_ED25519;
    memcpy(body + 1, key->bytes, SIGN_PUBLIC_LEN);
    base64_write(SPAN(body), text);
    snprintf(vkey, NOTE_VKEY_MAX, "%s+%08x+%s", name, get_be32(id), text);
    return APEX_OK;
}

static apex_status text_write(const struct checkpoint *c, struct buffer *out)
{
    char root[BASE64_LEN(MERKLE_HASH_LEN) + 1], size[24];
    if (!name_valid(span_text(c->origin))) return APEX_E_USAGE;
    base64_write(SPAN(c->root.bytes), root);
    snprintf(size, sizeof size, "%llu", (unsigned long long)c->size);
    const char *const lines[] = {c->origin, "\n", size, "\n", root, "\n"};
    for (size_t i = 0; i < 6; i++)
        buffer_text(out, lines[i]);
    return buffer_ok(out);
}

apex_status checkpoint_sign(const struct checkpoint *c, const struct sign_secret *key,
                            struct buffer *note)
{
    struct sign_public public_key;
    uint8_t signature[NOTE_SIGNATURE_LEN];
    char text[BASE64_LEN(NOTE_SIGNATURE_LEN) + 1];
    size_t start = note->len;
    TRY(text_write(c, note));
    sign_public_of(key, &public_key);
    key_id(c->origin, &public_key, signature);
    sign_bytes(key, span_of(note->data + start, note->len - start), signature + KEY_ID_LEN);
    base64_write(SPAN(signature), text);
    buffer_text(note, "\n");
    buffer_append(note, SPAN(em_dash));
    buffer_text(note, c->origin);
    buffer_text(note, " ");
    buffer_text(note, text);
    buffer_text(note, "\n");
    return buffer_ok(note);
}

/* One line without its newline. */
static apex_status line_next(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end) return APEX_E_FORMAT;
    *line = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_of(end + 1, rest->len - line->len - 1);
    return APEX_OK;
}

static apex_status size_parse(struct span digits, uint64_t *size)
{
    uint64_t v = 0;
    if (digits.len < 1 || digits.len > 19 || (digits.len > 1 && digits.data[0] == '0'))
        return APEX_E_FORMAT;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') return APEX_E_FORMAT;
        v = v * 10 + (uint64_t)(digits.data[i] - '0');
    }
    *size = v;
    return APEX_OK;
}

/* The signed text ends with a newline; an empty line parts it from the signatures. */
static apex_status note_split(struct span note, struct span *text, struct span *signatures)
{
    struct span rest = note, line;
    if (note.len > NOTE_MAX) return APEX_E_LIMIT;
    for (;;) {
        TRY(line_next(&rest, &line));
        if (line.len > 0) continue;
        *text = span_of(note.data, (size_t)(line.data - note.data));
        *signatures = rest;
        return text->len > 0 && rest.len > 0 ? APEX_OK : APEX_E_FORMAT;
    }
}

static apex_status text_parse(struct span text, struct checkpoint *c)
{
    struct span line, rest = text;
    struct checkpoint got = {0};
    TRY(line_next(&rest, &line));
    if (!name_valid(line)) return APEX_E_FORMAT;
    memcpy(got.origin, line.data, line.len);
    TRY(line_next(&rest, &line));
    TRY(size_parse(line, &got.size));
    TRY(line_next(&rest, &line));
    TRY(base64_parse(line, got.root.bytes, sizeof got.root.bytes));
    *c = got; /* extension lines may follow; they are signed, and none is known */
    return APEX_OK;
}

apex_status checkpoint_parse_unverified(struct span note, struct checkpoint *c)
{
    struct span text, signatures;
    TRY(note_split(note, &text, &signatures));
    return text_parse(text, c);
}

/* "— <name> <base64(id || signature)>" */
static apex_status signature_parse(struct span line, struct span *name,
                                   uint8_t signature[static NOTE_SIGNATURE_LEN],
                                   bool *ours_by_length)
{
    if (line.len < sizeof em_dash || memcmp(line.data, em_dash, sizeof em_dash) != 0)
        return APEX_E_FORMAT;
    struct span rest = span_of(line.data + sizeof em_dash, line.len - sizeof em_dash);
    const uint8_t *space = rest.len ? memchr(rest.data, ' ', rest.len) : NULL;
    if (!space) return APEX_E_FORMAT;
    *name = span_of(rest.data, (size_t)(space - rest.data));
    if (!name_valid(*name)) return APEX_E_FORMAT;
    struct span text = span_of(space + 1, rest.len - name->len - 1);
    *ours_by_length = base64_parse(text, signature, NOTE_SIGNATURE_LEN) == APEX_OK;
    return base64_valid(text) ? APEX_OK : APEX_E_FORMAT;
}

static apex_status signatures_check(struct span text, struct span lines, const char *origin,
                                    const struct sign_public *key)
{
    uint8_t id[KEY_ID_LEN], signature[NOTE_SIGNATURE_LEN];
    bool found = false;
    key_id(origin, key, id);
    for (size_t n = 0; lines.len > 0; n++) {
        struct span line, name;
        bool length;
        if (n == NOTE_SIGNATURES_MAX) return APEX_E_LIMIT;
        TRY(line_next(&lines, &line));
        TRY(signature_parse(line, &name, signature, &length));
        if (!length || !span_equal(name, span_text(origin)) ||
            memcmp(signature, id, KEY_ID_LEN) != 0)
            continue;
        if (found) return APEX_E_FORMAT; /* one signature per key */
        TRY(sign_check(key, text, signature + KEY_ID_LEN));
        found = true;
    }
    return found ? APEX_OK : APEX_E_UNTRUSTED;
}

apex_status checkpoint_open(struct span note, const char *origin, const struct sign_public *key,
                            struct checkpoint *c)
{
    struct span text, signatures;
    struct checkpoint got;
    TRY(note_split(note, &text, &signatures));
    TRY(signatures_check(text, signatures, origin, key));
    TRY(text_parse(text, &got));
    if (strcmp(got.origin, origin) != 0) return APEX_E_UNTRUSTED;
    *c = got;
    return APEX_OK;
}
