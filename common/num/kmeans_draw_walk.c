/* Walks down the tree of a draw, compiled for every instruction level and the dimensions it
 * has. */
#include "common/num/kmeans_draw_walk.h"

_Static_assert((int)BOXES_FAN == (int)VEC, "a lane for each node of a group");

#define LEVEL any
#include "common/num/kmeans_draw_walk_body.h"
#undef LEVEL
#if SIMD_X86
#define LEVEL 256
#include "common/num/kmeans_draw_walk_body.h"
#undef LEVEL
#define LEVEL 512
#include "common/num/kmeans_draw_walk_body.h"
#undef LEVEL
#endif

double draw_walk_try(const struct draw_tree *t, const double *candidate)
{
    double gain = 0;
    VEC_DISPATCH(gain = draw_try, t, candidate);
    return gain;
}

void draw_walk_take(struct draw_tree *t, const double *centroid)
{
    VEC_DISPATCH(draw_take, t, centroid);
}
