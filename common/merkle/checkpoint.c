#include "common/merkle/checkpoint.h"

#include "common/base/try.h"
#include "common/merkle/base64.h"
#include "common/merkle/note.h"

#include <stdio.h>

enum { NOTE_SIGNATURE_LEN = NOTE_KEY_ID_LEN + SIGNATURE_LEN };

apex_status note_vkey(const char *name, const struct sign_public *key,
                      char vkey[static NOTE_VKEY_MAX])
{
    return note_key_write(name, NOTE_ED25519, key, vkey);
}

apex_status note_vkey_parse(struct span vkey, char name[static ORIGIN_MAX + 1],
                            struct sign_public *key)
{
    return note_key_parse(vkey, NOTE_ED25519, name, key);
}

static apex_status text_write(const struct checkpoint *c, struct buffer *out)
{
    char root[BASE64_LEN(MERKLE_HASH_LEN) + 1], size[24];
    if (!note_name_valid(span_text(c->origin))) return APEX_E_USAGE;
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
    size_t start = note->len;
    TRY(text_write(c, note));
    sign_public_of(key, &public_key);
    note_key_id(c->origin, NOTE_ED25519, &public_key, signature);
    sign_bytes(key, span_of(note->data + start, note->len - start),
               signature + NOTE_KEY_ID_LEN);
    buffer_text(note, "\n");
    return note_signature_write(c->origin, SPAN(signature), note);
}

static apex_status text_parse(struct span text, struct checkpoint *c)
{
    struct span line, rest = text;
    struct checkpoint got = {0};
    TRY(note_line(&rest, &line));
    if (!note_name_valid(line)) return APEX_E_FORMAT;
    memcpy(got.origin, line.data, line.len);
    TRY(note_line(&rest, &line));
    TRY(note_size_parse(line, &got.size));
    TRY(note_line(&rest, &line));
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

static apex_status signatures_check(struct span text, struct span lines, const char *origin,
                                    const struct sign_public *key)
{
    uint8_t signature[NOTE_SIGNATURE_LEN], second[NOTE_SIGNATURE_LEN];
    apex_status s =
        note_signature_find(lines, origin, NOTE_ED25519, key, 0, signature, sizeof signature);
    if (s == APEX_E_NOT_FOUND) return APEX_E_UNTRUSTED;
    TRY(s);
    if (note_signature_find(lines, origin, NOTE_ED25519, key, 1, second, sizeof second) !=
        APEX_E_NOT_FOUND)
        return APEX_E_FORMAT; /* a log signs its checkpoint once */
    return sign_check(key, text, signature + NOTE_KEY_ID_LEN);
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
