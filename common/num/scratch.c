#include "common/num/scratch.h"

#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/parallel.h"

#include <stdlib.h>

apex_status scratch_new(unsigned threads, size_t len, struct scratch *scratch)
{
    struct scratch s = {.threads = threads < 1 ? 1 : threads};
    size_t room;
    if (s.threads > PARALLEL_THREADS_MAX) s.threads = PARALLEL_THREADS_MAX;
    if (!size_align(len ? len : 1, 64, &s.each) || !size_mul(s.each, s.threads, &room))
        return APEX_E_LIMIT;
    s.bytes = aligned_alloc(64, room);
    if (!s.bytes) return APEX_E_MEMORY;
    *scratch = s;
    return APEX_OK;
}

void scratch_free(struct scratch *scratch)
{
    if (scratch->bytes) wipe(scratch->bytes, scratch->each * scratch->threads);
    free(scratch->bytes);
    *scratch = (struct scratch){0};
}
