/* The child's side of the jail, between its birth and the program's first instruction. It
 * shares the parent's memory, so it makes system calls and nothing else; what it cannot
 * restrict, it does not run. */
#ifndef ENCLAVE_CORE_JAIL_CHILD_H
#define ENCLAVE_CORE_JAIL_CHILD_H

#include "enclave/core/jail.h"
#include "include/apex/contract.h"

#include <linux/filter.h>

struct jail_machine {
    bool ready;
    struct sock_fprog filter;
    int landlock, landlock_abi; /* a ruleset that grants nothing, or -1 */
    int namespaces;             /* clone flags this kernel grants */
};
struct jail_child {
    const struct jail_machine *machine;
    struct jail_limits limits;
    bool probe;  /* only see whether the namespaces can be made */
    int program; /* a descriptor above JAIL_PROGRAM_FD */
    size_t n_files;
    int files[APEX_FD_TABLES - APEX_FD_REQUEST + JAIL_TABLES_MAX]; /* go to 3, 4, … */
    int failed_at; /* out: which step failed, 0 none; read by the parent after the child's end
                    */
};

int jail_child_main(void *child);
int jail_landlock_new(int *abi);

#endif
