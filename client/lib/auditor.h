/* The whole log held against every rule, on the auditor's own machine: common/ledger/replay.h
 * over entries that hash to a signed checkpoint. */
#ifndef CLIENT_LIB_AUDITOR_H
#define CLIENT_LIB_AUDITOR_H

#include "common/base/buffer.h"
#include "include/apex/apex.h"

struct trust_policy;

/* Where manifests come from; a buffer left empty says that it is lost. */
typedef apex_status (*manifest_fn)(void *context, const uint8_t address[static 32],
                                   struct buffer *text);
/* Reads entries 0 .. n - 1 in order. The bundles of a policy (NULL: none) may hold documents
 * that evidence lacks. *breaches (ours: free it) holds what stands in the log and should not.
 * APEX_E_UNTRUSTED, APEX_E_FORMAT: an entry cannot follow those before it; the last breach then
 * is that entry, and nothing after it was read. */
apex_status audit_entries(const struct buffer *entries, size_t n, manifest_fn manifest,
                          void *context, const struct trust_policy *bundles,
                          struct apex_audit_report *report, struct apex_breach **breaches);

#endif
