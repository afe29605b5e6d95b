#include "common/merkle/cosignature.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/merkle/note.h"

#include <stdio.h>

enum { COSIGNATURE_LEN = NOTE_KEY_ID_LEN + 8 + SIGNATURE_LEN };

apex_status witness_key_parse(struct span vkey, struct witness_key *w)
{
    return note_key_parse(vkey, NOTE_COSIGNATURE, w->name, &w->key);
}

apex_status witness_key_write(const struct witness_key *w, char vkey[static NOTE_VKEY_MAX])
{
    return note_key_write(w->name, NOTE_COSIGNATURE, &w->key, vkey);
}

static apex_status message_write(struct span note, uint64_t time_s, struct buffer *message)
{
    struct span text, signatures;
    char head[64];
    TRY(note_split(note, &text, &signatures));
    snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
    buffer_text(message, head);
    buffer_append(message, text);
    return buffer_ok(message);
}

apex_status cosignature_make(struct span note, const char *name, const struct sign_secret *key,
                             uint64_t time_s, struct buffer *line)
{
    uint8_t signature[COSIGNATURE_LEN];
    struct sign_public public_key;
    BUFFER_CLEARED message = {0};
    TRY(message_write(note, time_s, &message));
    sign_public_of(key, &public_key);
    note_key_id(name, NOTE_COSIGNATURE, &public_key, signature);
    put_be64(signature + NOTE_KEY_ID_LEN, time_s);
    sign_bytes(key, buffer_span(&message), signature + NOTE_KEY_ID_LEN + 8);
    return note_signature_write(name, SPAN(signature), line);
}

static apex_status line_check(struct span note, const struct witness_key *w,
                              const uint8_t signature[static COSIGNATURE_LEN], uint64_t *time_s)
{
    BUFFER_CLEARED message = {0};
    *time_s = get_be64(signature + NOTE_KEY_ID_LEN);
    if (*time_s == 0 || *time_s > INT64_MAX) return APEX_E_FORMAT;
    TRY(message_write(note, *time_s, &message));
    return sign_check(&w->key, buffer_span(&message), signature + NOTE_KEY_ID_LEN + 8);
}

apex_status cosignature_check(struct span note, const struct witness_key *w, uint64_t *time_s)
{
    uint8_t signature[COSIGNATURE_LEN];
    struct span text, lines;
    apex_status s = APEX_E_NOT_FOUND;
    TRY(note_split(note, &text, &lines));
    for (size_t n = 0;; n++) {
        apex_status there = note_signature_find(lines, w->name, NOTE_COSIGNATURE, &w->key, n,
                                                signature, sizeof signature);
        if (there != APEX_OK) return there == APEX_E_NOT_FOUND ? s : there;
        s = line_check(note, w, signature, time_s);
        if (s == APEX_OK) return s;
    }
}

size_t cosignature_count(struct span note, const struct witness_key *w, size_t n)
{
    size_t count = 0;
    uint64_t time_s;
    for (size_t i = 0; i < n; i++)
        count += cosignature_check(note, &w[i], &time_s) == APEX_OK;
    return count;
}
