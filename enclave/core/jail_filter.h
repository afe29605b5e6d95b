/* What the kernel lets a contract program do: a seccomp filter, built once. */
#ifndef ENCLAVE_CORE_JAIL_FILTER_H
#define ENCLAVE_CORE_JAIL_FILTER_H

#include "include/apex/status.h"

#include <stdbool.h>

#include <linux/filter.h>

/* The descriptor from which the program is executed, and the only one the filter lets execveat
 * name. */
enum { JAIL_PROGRAM_FD = 600 };
/* *filter points to memory that lives as long as the process. */
apex_status jail_filter_build(struct sock_fprog *filter);

#endif
