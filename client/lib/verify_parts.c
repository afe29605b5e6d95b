#include "client/lib/verify_parts.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/merkle/base64.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESULT_FILE_MAX = 512 << 20 };

static apex_status fail(const char **why, const char *what)
{
    if (!*why) *why = what;
    return APEX_E_FORMAT;
}

static const char *text_of(const json_t *object, const char *key, size_t *len)
{
    const json_t *j = json_object_get(object, key);
    *len = json_string_length(j);
    return json_string_value(j);
}

static apex_status bytes_of(const json_t *j, struct buffer *out)
{
    const char *text = json_string_value(j);
    size_t len = json_string_length(j);
    if (!text) return APEX_E_FORMAT;
    size_t most = len / 4 * 3,
           pad = len >= 2 && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
    if (len % 4 != 0 || most < pad) return APEX_E_FORMAT;
    uint8_t *room = buffer_reserve(out, most - pad ? most - pad : 1);
    if (!room) return APEX_E_MEMORY;
    TRY(base64_parse(span_of(text, len), room, most - pad));
    out->len += most - pad;
    return APEX_OK;
}

static apex_status proof_of(const json_t *j, struct merkle_proof *p)
{
    size_t n = json_array_size(j);
    if (!json_is_array(j) || n > MERKLE_PROOF_MAX) return APEX_E_FORMAT;
    for (p->n = 0; p->n < n; p->n++) {
        const json_t *h = json_array_get(j, p->n);
        if (!json_is_string(h)) return APEX_E_FORMAT;
        TRY(base64_parse(span_of(json_string_value(h), json_string_length(h)),
                         p->hash[p->n].bytes, 32));
    }
    return APEX_OK;
}

static apex_status item_parse(const json_t *j, struct receipt_item *item)
{
    const json_t *index = json_object_get(j, "index");
    if (!json_is_integer(index) || json_integer_value(index) < 0 || json_object_size(j) != 3)
        return APEX_E_FORMAT;
    item->index = (uint64_t)json_integer_value(index);
    TRY(bytes_of(json_object_get(j, "entry"), &item->bytes));
    TRY(proof_of(json_object_get(j, "proof"), &item->proof));
    TRY(cose_open(buffer_span(&item->bytes), SPAN_TEXT(ENTRY_AAD), &item->cose));
    TRY(entry_parse(item->cose.payload, &item->entry));
    item->has_act = item->entry.act.len > 0;
    if (!item->has_act) return APEX_OK;
    TRY(cose_open(item->entry.act, SPAN_TEXT(ACT_AAD), &item->act_cose));
    TRY(act_parse(item->act_cose.payload, &item->act));
    return (unsigned)item->act.kind == item->entry.kind ? APEX_OK : APEX_E_FORMAT;
}

static apex_status items_parse(const json_t *entries, struct receipt *r)
{
    size_t n = json_array_size(entries);
    if (!json_is_array(entries) || n == 0 || n > RECEIPT_ITEMS_MAX) return APEX_E_FORMAT;
    r->items = calloc(n, sizeof *r->items);
    if (!r->items) return APEX_E_MEMORY;
    for (; r->n < n; r->n++) {
        apex_status s = item_parse(json_array_get(entries, r->n), &r->items[r->n]);
        if (s == APEX_OK) continue;
        r->n++; /* what it holds is freed with the rest */
        return s;
    }
    return APEX_OK;
}

static apex_status log_parse(const json_t *log, struct receipt *r)
{
    size_t len;
    const char *origin = text_of(log, "origin", &len);
    if (!origin || len > ORIGIN_MAX || strlen(origin) != len || json_object_size(log) != 2)
        return APEX_E_FORMAT;
    memcpy(r->origin, origin, len + 1);
    const char *key = text_of(log, "key", &len);
    return key ? hex_parse(span_of(key, len), r->log_key.bytes, 32) : APEX_E_FORMAT;
}

static apex_status texts_parse(const json_t *j, struct receipt *r)
{
    size_t len;
    const char *text = text_of(j, "address", &len);
    if (!text) return APEX_E_FORMAT;
    TRY(address_parse(span_of(text, len), r->address));
    text = text_of(j, "function", &len);
    if (!text || len < 1 || len > NAME_MAX_LEN) return APEX_E_FORMAT;
    memcpy(r->function, text, len + 1);
    text = text_of(j, "manifest", &len);
    if (!text || strlen(text) != len || !(r->manifest_text = strdup(text)))
        return APEX_E_FORMAT;
    TRY(manifest_parse(span_text(r->manifest_text), &r->manifest, NULL));
    text = text_of(j, "checkpoint", &len);
    if (!text || strlen(text) != len || !(r->note = strdup(text))) return APEX_E_FORMAT;
    const json_t *run = json_object_get(j, "run");
    if (!json_is_integer(run) || json_integer_value(run) < 0) return APEX_E_FORMAT;
    r->run = (uint64_t)json_integer_value(run);
    return json_is_boolean(json_object_get(j, "simulated")) &&
                   json_is_string(json_object_get(j, "node")) && json_object_size(j) == 11
               ? APEX_OK
               : APEX_E_FORMAT;
}

/* The flag is words for people; it must not say other than the evidence does. */
static apex_status simulated_check(const json_t *j, const struct receipt *r)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct span e = r->items[i].entry.evidence;
        any = any || (e.len && memmem(e.data, e.len, "apex/sim/v1", 11) != NULL);
    }
    return json_is_true(json_object_get(j, "simulated")) == any ? APEX_OK : APEX_E_FORMAT;
}

static apex_status receipt_read(const json_t *file, struct receipt *r, const char **why)
{
    json_error_t where;
    const json_t *j = json_object_get(file, "receipt");
    if (json_integer_value(json_object_get(file, "apex")) != 1 || !json_is_object(j) ||
        json_object_size(file) != 3)
        return fail(why, "this is not a result file of version 1");
    if (texts_parse(j, r) != APEX_OK)
        return fail(
            why,
            "the receipt's address, function, manifest, checkpoint or run is not of the form");
    if (log_parse(json_object_get(j, "log"), r) != APEX_OK)
        return fail(why, "the receipt's log is not of the form");
    if (bytes_of(json_object_get(j, "request"), &r->request) != APEX_OK ||
        bytes_of(json_object_get(j, "output"), &r->output) != APEX_OK)
        return fail(why, "the receipt's request or output is not of the form");
    if (items_parse(json_object_get(j, "entries"), r) != APEX_OK)
        return fail(why, "an entry is not of the form, or not signed by the key it names");
    if (simulated_check(j, r) != APEX_OK)
        return fail(why, "the file says of the enclave what its evidence does not");
    json_t *output = json_loadb((const char *)r->output.data, r->output.len,
                                JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    r->result_is_output = output && json_equal(output, json_object_get(file, "result"));
    json_decref(output);
    return APEX_OK;
}

apex_status receipt_parse(const char *text, size_t len, struct receipt *r, const char **why)
{
    json_error_t where;
    if (len > RESULT_FILE_MAX) return fail(why, "the file is too long");
    json_t *file = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!file) return fail(why, "the file is not JSON, or a key occurs twice");
    apex_status s = receipt_read(file, r, why);
    json_decref(file);
    return s;
}

void receipt_clear(struct receipt *r)
{
    for (size_t i = 0; i < r->n; i++)
        buffer_clear(&r->items[i].bytes);
    free(r->items);
    free(r->manifest_text);
    free(r->note);
    manifest_free(r->manifest);
    buffer_clear(&r->request);
    buffer_clear(&r->output);
    *r = (struct receipt){0};
}
