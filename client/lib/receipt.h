/* The result file: the answer and all that proves it, for an offline check years later.
 * JSON: {"apex": 1, "result": the answer, "receipt": {"address", "function", "run",
 * "simulated", "node", "manifest": text, "request": base64, "output": base64 (the exact bytes),
 * "log": {"origin", "key"}, "checkpoint": note, "entries": [{"index", "entry": base64, "proof":
 * [base64 …]} …]}}. Entries: the deployment, consents, inputs, the run and its result, and
 * those of the enclaves that signed them, each with its inclusion proof under the one
 * checkpoint. */
#ifndef CLIENT_LIB_RECEIPT_H
#define CLIENT_LIB_RECEIPT_H

#include "client/lib/node.h"
#include "common/wire/package.h"

/* `package`: the opened result. Everything needed is taken from the node's mirror. *text:
 * free(). */
apex_status receipt_write(struct apex_node *node, struct span manifest_text,
                          const struct result_package *package, const struct entry *result,
                          char **text, struct apex_error *error);

#endif
