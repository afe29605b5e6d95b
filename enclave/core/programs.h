/* Contract programs as sealed memory files, the last few kept: fetched from the host by digest,
 * hashed after sealing by the jail. Thread-safe; one fetch at a time. */
#ifndef ENCLAVE_CORE_PROGRAMS_H
#define ENCLAVE_CORE_PROGRAMS_H

#include "enclave/core/jail.h"
#include "enclave/core/link.h"

enum { PROGRAM_MAX = 64 * 1024 * 1024, PROGRAMS_KEPT = 8 };

struct programs;
apex_status programs_new(struct link *link, struct programs **programs);
void programs_free(struct programs *programs);
/* The file stays valid until programs_release. APEX_E_NOT_FOUND, APEX_E_UNTRUSTED, APEX_E_LIMIT
 * (above PROGRAM_MAX). */
apex_status programs_take(struct programs *programs, const uint8_t digest[static 32],
                          struct memory_file **file);
void programs_release(struct programs *programs, struct memory_file *file);

#endif
