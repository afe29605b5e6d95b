/* JSON-RPC to a node of an Ethereum-compatible chain. The node is believed in nothing that can
 * be checked: replies are capped in size and time, refused unless they answer the very request,
 * and read strictly. Source: JSON-RPC 2.0; Ethereum execution API, "Hex value encoding". */
#ifndef COMMON_CHAIN_RPC_H
#define COMMON_CHAIN_RPC_H

#include "common/base/buffer.h"
#include "common/chain/fault.h"

#include <jansson.h>

enum { RPC_REPLY_MAX = 4 << 20, RPC_TIMEOUT_MS = 15000, RPC_URL_MAX = 1024 };

struct rpc;
/* timeout_ms: for a whole request and its reply; 0 is RPC_TIMEOUT_MS. APEX_E_USAGE: not
 * http:// or https://. */
apex_status rpc_open(const char *url, unsigned timeout_ms, struct rpc **rpc,
                     struct chain_fault *fault);
void rpc_close(struct rpc *rpc);
/* `params` is taken over (json_pack's). *result: json_decref. */
apex_status rpc_call(struct rpc *rpc, const char *method, json_t *params, json_t **result,
                     struct chain_fault *fault);

/* What a reply is parsed with; pure. */
apex_status rpc_reply_parse(struct span text, uint64_t id, json_t **result,
                            struct chain_fault *fault);
/* "0x" and digits, no leading zero, below 2^64. */
apex_status rpc_quantity(const json_t *j, uint64_t *value);
/* "0x" and pairs of digits: appended; at most `max` bytes. */
apex_status rpc_data(const json_t *j, size_t max, struct buffer *out);
apex_status rpc_data_exact(const json_t *j, uint8_t *out, size_t len);
/* For parameters: new strings. */
json_t *rpc_hex(struct span bytes);
json_t *rpc_number(uint64_t value);
apex_status rpc_malformed(struct chain_fault *fault, const char *what);

#endif
