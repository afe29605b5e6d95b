/* What a kernel found wrong, as a refusal in words: a fixed phrase and a number of a column,
 * class or option, never anything of a row. */
#ifndef CONTRACTS_LIB_FAULT_H
#define CONTRACTS_LIB_FAULT_H

#include "common/num/fault.h"
#include "include/apex/contract.h"

/* Returns only on APEX_OK. */
void fault_refuse(struct apex_run *run, apex_status status, const struct num_place *place);

#endif
