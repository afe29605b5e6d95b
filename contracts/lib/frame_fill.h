/* How a frame's blocks are filled, for frame.c alone. */
#ifndef CONTRACTS_LIB_FRAME_FILL_H
#define CONTRACTS_LIB_FRAME_FILL_H

#include "contracts/lib/frame.h"

#define FRAME_NO_CODE UINT32_MAX

struct frame_scratch {
    size_t n_features;
    double *cells;          /* n_features x BLOCK_ROWS */
    const double **columns; /* n_features */
    double *weight, *any_weight, *target;
    uint32_t *label;
    uint8_t *party;
};
apex_status frame_scratch_new(size_t n_features, struct frame_scratch **scratch);
void frame_scratch_free(struct frame_scratch *s);
/* For struct num_source; the context is the frame. */
void frame_fill(void *context, size_t index, unsigned thread, struct num_block *out);

/* Codes of the encoding as it is now, and room for its columns. */
apex_status frame_recode(struct frame *frame);
/* Leaves out of the frame's own encoding what choice.rules do not let a model tell apart. */
apex_status frame_prune(struct frame *frame);

#endif
