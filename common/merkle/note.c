#include "common/merkle/note.h"

#include "common/base/endian.h"
#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/merkle/base64.h"

#include <stdio.h>

static const uint8_t em_dash[] = {0xe2, 0x80, 0x94, ' '};

void note_key_id(const char *name, enum note_algorithm algorithm, const struct sign_public *key,
                 uint8_t id[static NOTE_KEY_ID_LEN])
{
    struct merkle_digester d;
    uint8_t digest[32];
    const uint8_t between[] = {'\n', (uint8_t)algorithm};
    merkle_digester_init(&d);
    merkle_digester_update(&d, span_text(name));
    merkle_digester_update(&d, SPAN(between));
    merkle_digester_update(&d, SPAN(key->bytes));
    merkle_digester_final(&d, digest);
    memcpy(id, digest, NOTE_KEY_ID_LEN);
}

bool note_name_valid(struct span name)
{
    if (name.len < 1 || name.len > ORIGIN_MAX) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= 0x20 || name.data[i] == 0x7f || name.data[i] == '+') return false;
    return true;
}

apex_status note_key_write(const char *name, enum note_algorithm algorithm,
                           const struct sign_public *key, char vkey[static NOTE_VKEY_MAX])
{
    uint8_t id[NOTE_KEY_ID_LEN], body[1 + SIGN_PUBLIC_LEN];
    char text[BASE64_LEN(1 + SIGN_PUBLIC_LEN) + 1];
    if (!note_name_valid(span_text(name))) return APEX_E_USAGE;
    note_key_id(name, algorithm, key, id);
    body[0] = (uint8_t)algorithm;
    memcpy(body + 1, key->bytes, SIGN_PUBLIC_LEN);
    base64_write(SPAN(body), text);
    snprintf(vkey, NOTE_VKEY_MAX, "%s+%08x+%s", name, get_be32(id), text);
    return APEX_OK;
}

apex_status note_key_parse(struct span vkey, enum note_algorithm algorithm,
                           char name[static ORIGIN_MAX + 1], struct sign_public *key)
{
    const uint8_t *plus = vkey.len ? memchr(vkey.data, '+', vkey.len) : NULL;
    uint8_t id[NOTE_KEY_ID_LEN], ours[NOTE_KEY_ID_LEN], body[1 + SIGN_PUBLIC_LEN];
    if (!plus) return APEX_E_FORMAT;
    struct span head = span_of(vkey.data, (size_t)(plus - vkey.data));
    struct span rest = span_of(plus + 1, vkey.len - head.len - 1);
    if (!note_name_valid(head) || rest.len < 9 || rest.data[8] != '+') return APEX_E_FORMAT;
    TRY(hex_parse(span_of(rest.data, 8), id, sizeof id));
    TRY(base64_parse(span_of(rest.data + 9, rest.len - 9), body, sizeof body));
    memcpy(name, head.data, head.len);
    name[head.len] = 0;
    memcpy(key->bytes, body + 1, SIGN_PUBLIC_LEN);
    note_key_id(name, algorithm, key, ours);
    return body[0] == algorithm && memcmp(id, ours, sizeof id) == 0 ? APEX_OK : APEX_E_FORMAT;
}

apex_status note_line(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end) return APEX_E_FORMAT;
    *line = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_of(end + 1, rest->len - line->len - 1);
    return APEX_OK;
}

apex_status note_size_parse(struct span digits, uint64_t *size)
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
apex_status note_split(struct span note, struct span *text, struct span *signatures)
{
    struct span rest = note, line;
    if (note.len > NOTE_MAX) return APEX_E_LIMIT;
    for (;;) {
        TRY(note_line(&rest, &line));
        if (line.len > 0) continue;
        *text = span_of(note.data, (size_t)(line.data - note.data));
        *signatures = rest;
        return text->len > 0 && rest.len > 0 ? APEX_OK : APEX_E_FORMAT;
    }
}

apex_status note_signature_write(const char *name, struct span signature, struct buffer *note)
{
    char text[BASE64_LEN(NOTE_SIGNATURE_MAX) + 1];
    if (signature.len > NOTE_SIGNATURE_MAX) return APEX_E_USAGE;
    base64_write(signature, text);
    buffer_append(note, SPAN(em_dash));
    buffer_text(note, name);
    buffer_text(note, " ");
    buffer_text(note, text);
    buffer_text(note, "\n");
    return buffer_ok(note);
}

/* "— <name> <base64(id || signature)>"; *fits: it is `len` bytes long. */
static apex_status signature_parse(struct span line, struct span *name, uint8_t *signature,
                                   size_t len, bool *fits)
{
    if (line.len < sizeof em_dash || memcmp(line.data, em_dash, sizeof em_dash) != 0)
        return APEX_E_FORMAT;
    struct span rest = span_of(line.data + sizeof em_dash, line.len - sizeof em_dash);
    const uint8_t *space = rest.len ? memchr(rest.data, ' ', rest.len) : NULL;
    if (!space) return APEX_E_FORMAT;
    *name = span_of(rest.data, (size_t)(space - rest.data));
    if (!note_name_valid(*name)) return APEX_E_FORMAT;
    struct span text = span_of(space + 1, rest.len - name->len - 1);
    *fits = base64_parse(text, signature, len) == APEX_OK;
    return base64_valid(text) ? APEX_OK : APEX_E_FORMAT;
}

apex_status note_signature_of(struct span line, size_t len, struct span *name)
{
    uint8_t ignored[NOTE_SIGNATURE_MAX];
    bool fits;
    if (len > sizeof ignored) return APEX_E_USAGE;
    TRY(signature_parse(line, name, ignored, len, &fits));
    return fits ? APEX_OK : APEX_E_FORMAT;
}

apex_status note_signature_find(struct span lines, const char *name,
                                enum note_algorithm algorithm, const struct sign_public *key,
                                size_t nth, uint8_t *signature, size_t len)
{
    uint8_t id[NOTE_KEY_ID_LEN], bytes[NOTE_SIGNATURE_MAX];
    size_t found = 0;
    if (len > sizeof bytes) return APEX_E_USAGE;
    note_key_id(name, algorithm, key, id);
    for (size_t n = 0; lines.len > 0; n++) {
        struct span line, by;
        bool fits;
        if (n == NOTE_SIGNATURES_MAX) return APEX_E_LIMIT;
        TRY(note_line(&lines, &line));
        TRY(signature_parse(line, &by, bytes, len, &fits));
        if (!fits || !span_equal(by, span_text(name)) || memcmp(bytes, id, sizeof id) != 0)
            continue;
        if (found++ == nth) memcpy(signature, bytes, len);
    }
    return found > nth ? APEX_OK : APEX_E_NOT_FOUND;
}
