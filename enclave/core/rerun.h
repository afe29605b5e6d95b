/* A run computed again, for an auditor: the same program, request, rows and model as the result
 * on record, in the same jail. Out goes whether the output's digest is the one in the log, and
 * nothing else; no entry is made and no budget charged, for nobody learns an answer. One at a
 * time. Rows that were withdrawn since are not computed on again. */
#ifndef ENCLAVE_CORE_RERUN_H
#define ENCLAVE_CORE_RERUN_H

#include "enclave/core/acts.h"

/* `body` is the COSE_Sign1 of common/wire/rerun.h. Takes the lock itself. */
enum refusal rerun_answer(struct core *core, struct span body, struct outcome *out);

#endif
