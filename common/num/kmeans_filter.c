/* The walk down the tree, compiled for every instruction level and the dimensions it has. */
#include "common/num/kmeans_filter.h"

_Static_assert((int)BOXES_FAN == (int)VEC, "a lane for each node of a group");

#define LEVEL any
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#if SIMD_X86
#define LEVEL 256
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#define LEVEL 512
#include "common/num/kmeans_filter_body.h"
#undef LEVEL
#endif

void kmeans_filter_choose(struct kmeans_filter *f, size_t d)
{
    VEC_DISPATCH(filter_choose, f, d);
}
