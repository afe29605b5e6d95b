/* What a memory file is, for the jail's own files. */
#ifndef ENCLAVE_CORE_MEMORY_FILE_H
#define ENCLAVE_CORE_MEMORY_FILE_H

#include "enclave/core/jail.h"

struct memory_file {
    int fd;
    uint64_t size;
    bool sealed;
};

#endif
