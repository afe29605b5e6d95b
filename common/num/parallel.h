/* Work in numbered blocks, over threads. Blocks are of fixed size and their results are merged
 * in block order (or in integers), so that the number of threads does not show in the answer.
 */
#ifndef COMMON_NUM_PARALLEL_H
#define COMMON_NUM_PARALLEL_H

#include <stddef.h>

enum { PARALLEL_THREADS_MAX = 16 };
/* Calls work(context, block, thread) once for each block 0..n_blocks-1; `thread` is
 * 0..threads-1. Where no thread can be had, the caller's own does it all. */
void parallel_blocks(unsigned threads, size_t n_blocks,
                     void (*work)(void *context, size_t block, unsigned thread), void *context);

#endif
