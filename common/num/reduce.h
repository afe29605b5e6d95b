/* Partial results of numbered blocks, made over threads and merged in block order: the answer
 * has the same bytes for any number of threads. Memory: REDUCE_WAVE partials. */
#ifndef COMMON_NUM_REDUCE_H
#define COMMON_NUM_REDUCE_H

#include "include/apex/status.h"

#include <stddef.h>

enum { REDUCE_WAVE = 64 };

struct reduction {
    size_t n_blocks, partial_len; /* bytes */
    /* Fills a partial, given zeroed and 64-byte aligned. `thread` is 0..threads-1. */
    void (*partial)(void *context, size_t block, unsigned thread, void *partial);
    /* Adds a partial to the total; called in block order. */
    void (*merge)(void *context, void *total, const void *partial);
    void *context;
};
/* `total` is the caller's, initialised. APEX_E_MEMORY, APEX_E_LIMIT. */
apex_status reduce_blocks(unsigned threads, const struct reduction *r, void *total);

#endif
