/* The request a contract program reads on descriptor 3 (include/apex/contract.h), from the
 * sealed request of the party. */
#ifndef ENCLAVE_CORE_PROGRAM_REQUEST_H
#define ENCLAVE_CORE_PROGRAM_REQUEST_H

#include "enclave/core/jail.h"
#include "common/ledger/state.h"
#include "enclave/core/sealed_table.h"

struct job_table {
    uint64_t index; /* of the contribution's entry */
    size_t dataset, party;
    bool is_private;
    uint8_t blob[32], digest[32];
    uint64_t size;            /* of the plaintext; when streamed, no less than it */
    struct memory_file *file; /* held, or */
    struct table_marks marks; /* fed */
};
/* For qsort: by (private, dataset, party, plaintext digest), so that the order of contribution
 * does not show. */
int job_table_order(const void *a, const void *b);

struct program_setup {
    const struct contract *contract;
    const struct manifest_function *function;
    struct span request;
    size_t n_tables;
    const struct job_table *tables;
    unsigned threads;
    bool streamed;          /* tables come through the feeder */
    uint64_t model_len;     /* 0: none is given */
    uint64_t epsilon_micro; /* what the run was charged */
    const uint8_t *noise;   /* 32 bytes for a private function, else NULL */
};
apex_status program_request_new(const struct program_setup *setup, struct memory_file **file);

#endif
