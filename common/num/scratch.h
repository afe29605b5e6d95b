/* Scratch of a run over threads: so many bytes for each, 64-byte aligned, wiped when freed. */
#ifndef COMMON_NUM_SCRATCH_H
#define COMMON_NUM_SCRATCH_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

struct scratch {
    uint8_t *bytes;
    size_t each;      /* bytes of a thread, a multiple of 64 */
    unsigned threads; /* 1..PARALLEL_THREADS_MAX */
};
/* `threads` may be 0 or too many: it is brought into range. APEX_E_MEMORY, APEX_E_LIMIT. */
apex_status scratch_new(unsigned threads, size_t len, struct scratch *scratch);
void scratch_free(struct scratch *scratch);
static inline void *scratch_of(const struct scratch *scratch, unsigned thread)
{
    return scratch->bytes + thread * scratch->each;
}

#endif
