#include "client/lib/contribute.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static apex_status dataset_of(const struct manifest *m, const char *name,
                              const struct manifest_dataset **dataset, struct apex_error *error)
{
    char what[200];
    *dataset = manifest_dataset_by_name(m, span_text(name));
    if (*dataset) return APEX_OK;
    snprintf(what, sizeof what, "the contract has no dataset %.64s; it has %.64s%s", name,
             m->datasets[0].name, m->n_datasets > 1 ? " and others" : "");
    return apex_fail(error, APEX_E_USAGE, what, "nothing was sent", "see `apex contract show`",
                     "you");
}

apex_status apex_rows_check(const char *manifest, const char *dataset, const char *file,
                            const struct apex_rows_options *options,
                            struct apex_rows_report *report, struct apex_error *error)
{
    struct manifest *m = NULL;
    const struct manifest_dataset *d;
    *report = (struct apex_rows_report){0};
    if (manifest_parse(span_text(manifest), &m, NULL) != APEX_OK)
        return apex_fail(error, APEX_E_FORMAT, "the manifest is not acceptable",
                         "nothing was read", "see `apex contract show`",
                         "the author of the manifest");
    apex_status s = dataset_of(m, dataset, &d, error);
    if (s == APEX_OK) s = check_table(file, d, options, report, error);
    manifest_free(m);
    return s;
}

apex_status enclave_named(const struct apex_node *node, const struct manifest *m,
                          struct apex_error *error)
{
    char hex[2 * MEASUREMENT_MAX + 1];
    for (size_t i = 0; i < m->n_enclaves; i++) {
        const struct measurement *named = &m->enclaves[i].measurement;
        hex_write(span_of(named->bytes, named->len), hex);
        if (strcmp(m->enclaves[i].tee, node->verdict.tee) == 0 &&
            strcmp(hex, node->verdict.measurement) == 0)
            return APEX_OK;
    }
    return apex_fail(error, APEX_E_UNTRUSTED,
                     "this node's enclave is not one the contract names", "nothing was sent",
                     "use a node that runs an enclave of the manifest, or deploy a new version "
                     "of the contract",
                     "the operator");
}

apex_status contract_key(struct apex_node *node, const struct manifest *m,
                         const uint8_t address[static 32], struct seal_public *key,
                         struct apex_error *error)
{
    BUFFER_CLEARED bytes = {0};
    uint64_t *entries = calloc(CONTRACT_ENTRIES_MAX, sizeof *entries);
    struct body_contract *body = calloc(1, sizeof *body);
    apex_status s = entries && body ? APEX_OK : apex_fail_memory(error);
    if (s == APEX_OK) {
        body->entries = entries;
        s = node_contract(node, address, body, &bytes, error);
        memcpy(key->bytes, body->key, 32);
    }
    if (s == APEX_OK) s = enclave_named(node, m, error);
    free(body);
    free(entries);
    return s;
}

apex_status rows_send(struct apex_node *node, const struct apex_identity *identity,
                      const uint8_t address[static 32], const struct manifest *m,
                      const struct manifest_dataset *d, const char *file,
                      const struct apex_rows_options *options, struct apex_rows_report *report,
                      uint8_t blob[static 32], struct apex_error *error)
{
    struct sealed_file sealed = {.fd = -1};
    struct seal_to to = {
        .address = address, .dataset = d->name, .author = identity->sign_public.bytes};
    TRY(contract_key(node, m, address, &to.contract, error));
    to.enclave = node->enclave; /* the one that gave the key: the call may have met another */
    apex_status s = seal_table(file, d, &to, options, report, &sealed, error);
    if (s == APEX_OK)
        s = http_put_blob(node->http, sealed.digest, sealed.fd, sealed.size,
                          options ? options->progress : NULL, options ? options->context : NULL,
                          error);
    memcpy(blob, sealed.digest, 32);
    if (sealed.fd >= 0) close(sealed.fd);
    return s;
}

apex_status apex_contribute(struct apex_node *node, const struct apex_identity *identity,
                            const char *address, const char *dataset, const char *file,
                            const struct apex_rows_options *options,
                            struct apex_rows_report *report, struct apex_error *error)
{
    struct act act = {.kind = ACT_CONTRIBUTE, .name = span_text(dataset)};
    BUFFER_CLEARED text = {0};
    struct manifest *m = NULL;
    const struct manifest_dataset *d;
    *report = (struct apex_rows_report){0};
    TRY(address_of(address, act.address, error));
    TRY(node_manifest(node, act.address, &text, &m, error));
    apex_status s = enclave_named(node, m, error);
    if (s == APEX_OK) s = dataset_of(m, dataset, &d, error);
    if (s == APEX_OK)
        s = rows_send(node, identity, act.address, m, d, file, options, report, act.blob,
                      error);
    if (s == APEX_OK) hex_write(SPAN(act.blob), report->ciphertext);
    if (s == APEX_OK && options && options->progress)
        options->progress(options->context, "checked again inside the enclave", 0, 0);
    if (s == APEX_OK) s = node_act(node, identity, &act, &report->contribution, error);
    manifest_free(m);
    return s;
}
