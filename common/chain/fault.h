/* What is wrong with a chain, or with the RPC that speaks for it, by a name that stays: tests
 * and scripts hold on to `rule`, people read `what`. Client and host only. */
#ifndef COMMON_CHAIN_FAULT_H
#define COMMON_CHAIN_FAULT_H

#include "include/apex/status.h"

#define CHAIN_RPC_UNREACHABLE "rpc-unreachable" /* nothing answers, or it hangs */
#define CHAIN_RPC_TOO_LONG "rpc-too-long"       /* more bytes than any honest answer has */
#define CHAIN_RPC_MALFORMED "rpc-malformed"     /* not JSON-RPC, or not the form asked for */
#define CHAIN_RPC_SAID_NO "rpc-error"           /* it answered with an error of its own */
#define CHAIN_WRONG_ID "wrong-chain-id"
#define CHAIN_NO_REGISTRY "no-registry"         /* no code at the address */
#define CHAIN_OTHER_CODE "other-code"           /* code, but not the register's */
#define CHAIN_UNKNOWN_LOG "unknown-log"         /* the register has no such log */
#define CHAIN_FORGED "forged-statement"         /* an event the enclave's key has not signed */
#define CHAIN_RPC_CONTRADICTS "rpc-contradicts" /* two answers of it cannot both be true */
#define CHAIN_ANCHOR_CONTRADICTS "anchor-contradicts" /* the log is not the one anchored */
#define CHAIN_ROLLED_BACK "log-rolled-back" /* the log is shorter than what was anchored */
#define CHAIN_REORG "reorg-below-anchor"    /* an anchor seen before is gone */
#define CHAIN_NOT_YET "not-on-chain"        /* not recorded, or not deep enough yet */

struct chain_fault {
    const char *rule; /* one of the above; NULL: none */
    char what[240];
};
apex_status chain_fail(struct chain_fault *fault, apex_status status, const char *rule,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
