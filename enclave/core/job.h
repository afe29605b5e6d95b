/* One run from its entry to its answer: gather the rows, fill the jail, seal what comes out. */
#ifndef ENCLAVE_CORE_JOB_H
#define ENCLAVE_CORE_JOB_H

#include "common/wire/refusal.h"
#include "enclave/core/core.h"
#include "enclave/core/programs.h"

/* Computes `run` (state RUNNING) and appends its end. Takes the lock itself. */
void job_do(struct core *core, struct programs *programs, struct run *run, unsigned threads);
/* Computes a run that has its result on record once more, from what that names; appends and
 * tells nothing. REFUSAL_NONE: `output` is the digest a result would carry.
 * REFUSAL_ALREADY_WITHDRAWN: rows it rests on were taken back. */
enum refusal job_again(struct core *core, struct programs *programs, struct run *run,
                       unsigned threads, const struct entry *logged, uint8_t output[static 32]);

#endif
