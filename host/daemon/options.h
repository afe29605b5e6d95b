/* The command line of apexd. */
#ifndef HOST_DAEMON_OPTIONS_H
#define HOST_DAEMON_OPTIONS_H

#include "host/witness/collect.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEPLOYERS_MAX = 64 };
struct options {
    const char *data, *listen, *tee, *enclave, *enclave_state;
    const char *peers, *recovery;
    const char *chain, *registry, *chain_key; /* all three or none */
    uint64_t chain_id, chain_confirmations, chain_every_s, chain_max_fee_gwei;
    uint64_t connections, idle_s, head_s, body_s, message_timeout_s, blob_max_mib, reserve_mib;
    const char *witness[WITNESSES_MAX];
    size_t n_witnesses;
    uint8_t deployer[DEPLOYERS_MAX][32]; /* Ed25519 keys; none: anybody may deploy */
    size_t n_deployers;
    bool join, help, version;
};
extern const char options_usage[];
/* APEX_E_USAGE: *what is a sentence for a person, *which the argument it is about (or ""). */
apex_status options_parse(int argc, char **argv, struct options *o, const char **what,
                          const char **which);

#endif
