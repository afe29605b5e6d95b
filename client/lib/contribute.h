#ifndef CLIENT_LIB_CONTRIBUTE_H
#define CLIENT_LIB_CONTRIBUTE_H

#include "client/lib/node.h"
#include "client/lib/seal_table.h"

/* Does the contract's manifest name the enclave that the node has now? */
apex_status enclave_named(const struct apex_node *node, const struct manifest *m,
                          struct apex_error *error);
/* What is sealed for the contract is sealed to this key. The answer may come from an enclave
 * that was met just for it, and it is that one which the manifest must name: APEX_E_UNTRUSTED.
 */
apex_status contract_key(struct apex_node *node, const struct manifest *m,
                         const uint8_t address[static 32], struct seal_public *key,
                         struct apex_error *error);
/* Checks, seals and uploads a file as a table of `d`; blob: its name. */
apex_status rows_send(struct apex_node *node, const struct apex_identity *identity,
                      const uint8_t address[static 32], const struct manifest *m,
                      const struct manifest_dataset *d, const char *file,
                      const struct apex_rows_options *options, struct apex_rows_report *report,
                      uint8_t blob[static 32], struct apex_error *error);

#endif
