#include "client/lib/receipt.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/merkle/base64.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* Which of the mirror's entries the receipt needs, and whose signatures they bear. */
struct writing {
    struct apex_node *node;
    json_t *entries;
    bool *wanted;
    size_t n_signers;
    uint8_t (*signers)[32];
};

static json_t *base64_json(struct span bytes)
{
    char *text = malloc(BASE64_LEN(bytes.len) + 1);
    if (!text) return NULL;
    base64_write(bytes, text);
    json_t *j = json_string(text);
    free(text);
    return j;
}

static apex_status entry_put(struct writing *w, uint64_t index)
{
    struct merkle_proof p;
    TRY(merkle_tree_inclusion(w->node->mirror.tree, index, w->node->seen.size, &p));
    json_t *proof = json_array(), *item = json_object();
    for (size_t i = 0; i < p.n; i++)
        json_array_append_new(proof, base64_json(SPAN(p.hash[i].bytes)));
    json_object_set_new(item, "index", json_integer((json_int_t)index));
    json_object_set_new(item, "entry",
                        base64_json(buffer_span(&w->node->mirror.entries[index])));
    json_object_set_new(item, "proof", proof);
    return json_array_append_new(w->entries, item) == 0 ? APEX_OK : APEX_E_MEMORY;
}

static bool about(const struct entry *e, const struct entry *result,
                  const uint8_t address[static 32])
{
    if (!e->has_address || memcmp(e->address, address, 32) != 0) return false;
    if (e->kind == (unsigned)ACT_DEPLOY || e->kind == (unsigned)ACT_ACCEPT)
        return e->index < result->run;
    if (e->index == result->run || e->index == result->index) return true;
    for (size_t i = 0; i < result->n_inputs; i++)
        if (result->inputs[i].index == e->index) return true;
    return false;
}

static bool has_signed(const struct writing *w, const uint8_t key[static 32])
{
    size_t i = 0;
    while (i < w->n_signers && memcmp(w->signers[i], key, 32) != 0)
        i++;
    return i < w->n_signers;
}

static apex_status signer_note(struct writing *w, const uint8_t key[static 32])
{
    if (has_signed(w, key)) return APEX_OK;
    void *more = realloc(w->signers, (w->n_signers + 1) * sizeof *w->signers);
    if (!more) return APEX_E_MEMORY;
    w->signers = more;
    memcpy(w->signers[w->n_signers++], key, 32);
    return APEX_OK;
}

/* Backwards, since an enclave is on record before anything it signs. */
static apex_status entries_choose(struct writing *w, const struct entry *result,
                                  const uint8_t address[static 32], struct entry *e)
{
    struct cose cose;
    for (uint64_t i = result->index + 1; i-- > 0;) {
        if (cose_parse(buffer_span(&w->node->mirror.entries[i]), &cose) != APEX_OK ||
            entry_parse(cose.payload, e) != APEX_OK)
            return APEX_E_UNTRUSTED;
        w->wanted[i] =
            e->kind == ENTRY_ENCLAVE ? has_signed(w, e->identity) : about(e, result, address);
        if (w->wanted[i]) TRY(signer_note(w, cose.kid));
    }
    return APEX_OK;
}

static apex_status entries_put(struct writing *w, const struct entry *result,
                               const uint8_t address[static 32])
{
    struct entry *e = calloc(1, sizeof *e);
    apex_status s = !e                                  ? APEX_E_MEMORY
                    : result->index < w->node->mirror.n ? entries_choose(w, result, address, e)
                                                        : APEX_E_UNTRUSTED;
    for (uint64_t i = 0; s == APEX_OK && i <= result->index; i++)
        if (w->wanted[i]) s = entry_put(w, i);
    free(e);
    return s;
}

static json_t *log_json(const struct apex_node *node)
{
    json_t *log = json_object();
    json_object_set_new(log, "origin", json_string(node->origin));
    json_object_set_new(log, "key", json_string(node->verdict.log_key));
    return log;
}

static json_t *receipt_json(struct writing *w, struct span manifest_text,
                            const struct result_package *p)
{
    char address[58];
    json_t *r = json_object();
    address_write(p->address, address);
    json_object_set_new(r, "address", json_string(address));
    json_object_set_new(r, "function",
                        json_stringn((const char *)p->function.data, p->function.len));
    json_object_set_new(r, "run", json_integer((json_int_t)p->run));
    json_object_set_new(r, "simulated", json_boolean(w->node->verdict.simulated));
    json_object_set_new(r, "node", json_string(w->node->url));
    json_object_set_new(r, "manifest",
                        json_stringn((const char *)manifest_text.data, manifest_text.len));
    json_object_set_new(r, "request", base64_json(p->request));
    json_object_set_new(r, "output", base64_json(p->output));
    json_object_set_new(r, "log", log_json(w->node));
    json_object_set_new(r, "checkpoint",
                        json_stringn((const char *)w->node->note.data, w->node->note.len));
    json_object_set(r, "entries", w->entries);
    return r;
}

apex_status receipt_write(struct apex_node *node, struct span manifest_text,
                          const struct result_package *package, const struct entry *result,
                          char **text, struct apex_error *error)
{
    struct writing w = {
        .node = node, .entries = json_array(), .wanted = calloc(node->mirror.n + 1, 1)};
    json_error_t where;
    apex_status s =
        w.wanted && w.entries ? entries_put(&w, result, package->address) : APEX_E_MEMORY;
    json_t *output = json_loadb((const char *)package->output.data, package->output.len,
                                JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    json_t *file = json_object();
    json_object_set_new(file, "apex", json_integer(1));
    json_object_set_new(file, "result", output ? output : json_null());
    if (s == APEX_OK)
        json_object_set_new(file, "receipt", receipt_json(&w, manifest_text, package));
    *text = s == APEX_OK ? json_dumps(file, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(file);
    json_decref(w.entries);
    free(w.wanted);
    free(w.signers);
    if (*text) return APEX_OK;
    return s == APEX_E_UNTRUSTED
               ? apex_fail(error, s, "an entry of the log is not of the form",
                           "no receipt was written", "tell the operator", "the operator")
               : apex_fail_memory(error);
}
