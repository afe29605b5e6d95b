/* An enclave without its root secret: it says who it is, takes one handed over or recovered
 * from shares, and answers all else with no. One thread; ends when it has the secret or the
 * host is gone. */
#ifndef ENCLAVE_CORE_WAITING_H
#define ENCLAVE_CORE_WAITING_H

#include "enclave/core/core.h"

/* APEX_E_UNREACHABLE: the host is gone. */
apex_status wait_for_root(struct core *core, struct root_secret *root, struct floor *floor);

#endif
