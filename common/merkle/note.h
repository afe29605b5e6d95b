/* Signed notes: a text, an empty line, one signature line a key. What checkpoints and
 * cosignatures share. Source: c2sp.org/signed-note. Strict: names have no spaces, no plus sign
 * and no control characters; base64 is canonical; the text ends with a newline. */
#ifndef COMMON_MERKLE_NOTE_H
#define COMMON_MERKLE_NOTE_H

#include "common/merkle/checkpoint.h"

enum note_algorithm { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 };
enum { NOTE_KEY_ID_LEN = 4, NOTE_SIGNATURE_MAX = NOTE_KEY_ID_LEN + 8 + SIGNATURE_LEN };

bool note_name_valid(struct span name);
/* The first four bytes of SHA-256(name || '\n' || algorithm || key). */
void note_key_id(const char *name, enum note_algorithm algorithm, const struct sign_public *key,
                 uint8_t id[static NOTE_KEY_ID_LEN]);
/* "<name>+<8 hex>+<base64 algorithm || key>". APEX_E_USAGE: the name. */
apex_status note_key_write(const char *name, enum note_algorithm algorithm,
                           const struct sign_public *key, char vkey[static NOTE_VKEY_MAX]);
/* APEX_E_FORMAT: not of that form or algorithm, or its hash is another key's. */
apex_status note_key_parse(struct span vkey, enum note_algorithm algorithm,
                           char name[static ORIGIN_MAX + 1], struct sign_public *key);

/* One line without its newline, taken off `rest`. APEX_E_FORMAT: no newline is left. */
apex_status note_line(struct span *rest, struct span *line);
/* A decimal number without leading zeroes, below 2^63. */
apex_status note_size_parse(struct span digits, uint64_t *size);
/* APEX_E_FORMAT, APEX_E_LIMIT (above NOTE_MAX). */
apex_status note_split(struct span note, struct span *text, struct span *signatures);
/* Appends "— <name> <base64>\n". */
apex_status note_signature_write(const char *name, struct span signature, struct buffer *note);
/* Is this line, without its newline, a signature line whose key id and signature take len bytes
 * together? APEX_E_FORMAT. */
apex_status note_signature_of(struct span line, size_t len, struct span *name);
/* The nth signature line (from 0) that says it is of this key: `signature` is its key id and
 * what follows, len bytes. APEX_E_NOT_FOUND: there are no more; APEX_E_FORMAT: a line is not of
 * the form; APEX_E_LIMIT: more than NOTE_SIGNATURES_MAX lines. Nothing is verified. */
apex_status note_signature_find(struct span lines, const char *name,
                                enum note_algorithm algorithm, const struct sign_public *key,
                                size_t nth, uint8_t *signature, size_t len);

#endif
