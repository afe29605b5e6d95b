/* Models that stay in their contract: what a program that trains left at the end of its output,
 * sealed to the contract's own key and kept by the host under its digest, which the log
 * records. Leaks to the host: a model's size, and when it is used. */
#ifndef ENCLAVE_CORE_MODEL_H
#define ENCLAVE_CORE_MODEL_H

#include "common/wire/refusal.h"
#include "enclave/core/jail.h"
#include "enclave/core/link.h"
#include "common/ledger/state.h"

/* Cuts a model off a result: output_len becomes the answer's alone. The span lies in
 * result->output; empty when there is none. */
struct span model_split(struct jail_result *result);
/* Seals and stores it; gives the blob's digest. */
apex_status model_keep(struct link *link, const struct contract *c, const struct run *run,
                       struct span model, uint8_t blob[static 32]);
/* Fetches, opens and checks the model `run` left, into a sealed memory file (the caller's). */
enum refusal model_open(struct link *link, const struct contract *c, const struct run *run,
                        struct memory_file **file);

#endif
