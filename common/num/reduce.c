#include "common/num/reduce.h"

#include "common/base/size.h"
#include "common/base/wipe.h"
#include "common/num/parallel.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct wave {
    const struct reduction *r;
    uint8_t *partials;
    size_t first, stride;
};

static void wave_work(void *context, size_t block, unsigned thread)
{
    const struct wave *w = context;
    uint8_t *partial = w->partials + block * w->stride;
    memset(partial, 0, w->r->partial_len);
    w->r->partial(w->r->context, w->first + block, thread, partial);
}

apex_status reduce_blocks(unsigned threads, const struct reduction *r, void *total)
{
    struct wave w = {.r = r};
    size_t room;
    size_t wave = threads <= 1 ? 1 : REDUCE_WAVE;
    if (r->partial_len > SIZE_MAX - 63) return APEX_E_LIMIT;
    w.stride = (r->partial_len + 63) / 64 * 64;
    if (!size_mul(w.stride, wave, &room)) return APEX_E_LIMIT;
    w.partials = aligned_alloc(64, room ? room : 64);
    if (!w.partials) return APEX_E_MEMORY;
    for (; w.first < r->n_blocks; w.first += wave) {
        size_t left = r->n_blocks - w.first, n = left < wave ? left : wave;
        parallel_blocks(threads, n, wave_work, &w);
        for (size_t b = 0; b < n; b++)
            r->merge(r->context, total, w.partials + b * w.stride);
    }
    wipe(w.partials, room);
    free(w.partials);
    return APEX_OK;
}
