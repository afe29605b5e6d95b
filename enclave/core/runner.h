/* Runs: taken from the state in the log's order, computed in the jail, ended by a result or
 * refuse entry.
 *
 * A run that was requested before a restart is computed again: same rows, parameters and seed
 * give the same answer. One that three starts did not bring to an end is failed, so that it
 * cannot take the node down for ever. Leaks to the host: which ciphertexts a run reads, how
 * long it takes, the length of its answer. */
#ifndef ENCLAVE_CORE_RUNNER_H
#define ENCLAVE_CORE_RUNNER_H

#include "common/wire/refusal.h"
#include "enclave/core/core.h"

struct runner;
/* Starts the worker threads, and with them the runs that wait. */
apex_status runner_new(struct core *core, struct runner **runner);
void runner_free(
    struct runner *runner); /* lets the runs in work end, or the link die under them */
void runner_wake(struct runner *runner); /* with the core's lock held */

/* The digest of the manifest's program for this machine, or NULL. */
const uint8_t *runner_program_digest(const struct manifest *m);
/* Is the program at hand and what its name says? Keeps it for the runs to come.
 * APEX_E_NOT_FOUND, APEX_E_UNTRUSTED, … */
apex_status runner_program_check(struct runner *runner, const uint8_t digest[static 32]);

/* Computes a run again from what `logged`, its result on record, names. REFUSAL_NONE: `output`
 * is the digest that a result would carry. */
enum refusal runner_again(struct runner *runner, struct run *run, const struct entry *logged,
                          uint8_t output[static 32]);

/* Fetches and opens a sealed request; its digest must be `digest`. */
enum refusal runner_request(struct link *link, const struct contract *c,
                            const uint8_t author[static 32], const uint8_t blob[static 32],
                            const uint8_t digest[static 32], struct buffer *plain);
/* Reads a contribution's sealed head unless it is known. Lock held. */
enum refusal contribution_know(struct link *link, const struct contract *c,
                               struct contribution *n);

#endif
