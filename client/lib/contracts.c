#include "client/lib/node.h"

#include "common/base/try.h"

#include <stdlib.h>

/* From the log itself, so that none can be left out. */
static apex_status collect(const struct apex_node *node, char (*addresses)[58], size_t *n)
{
    struct cose cose;
    struct entry *e = calloc(1, sizeof *e);
    apex_status s = e ? APEX_OK : APEX_E_MEMORY;
    for (size_t i = 0; s == APEX_OK && i < node->mirror.n; i++) {
        s = cose_parse(buffer_span(&node->mirror.entries[i]), &cose);
        if (s == APEX_OK) s = entry_parse(cose.payload, e);
        if (s == APEX_OK && e->has_address && e->kind == (unsigned)ACT_DEPLOY)
            address_write(e->address, addresses[(*n)++]);
    }
    free(e);
    return s;
}

apex_status apex_contracts(struct apex_node *node, char (**addresses)[58], size_t *n,
                           struct apex_error *error)
{
    *addresses = NULL;
    *n = 0;
    TRY(node_refresh(node, error));
    TRY(node_mirror(node, error));
    *addresses = calloc(node->mirror.n + 1, sizeof **addresses);
    if (!*addresses) return apex_fail_memory(error);
    apex_status s = collect(node, *addresses, n);
    if (s == APEX_OK) return s;
    free(*addresses);
    *addresses = NULL;
    return s == APEX_E_MEMORY
               ? apex_fail_memory(error)
               : apex_fail(error, APEX_E_UNTRUSTED,
                           "an entry of the log is not signed or formed as it should be",
                           "no contract is listed",
                           "trust nothing from this node; show this to an auditor",
                           "the operator");
}
