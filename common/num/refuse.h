/* Refusing numbers: says what is wrong where, if anybody asked, and answers APEX_E_DATA. */
#ifndef COMMON_NUM_REFUSE_H
#define COMMON_NUM_REFUSE_H

#include "common/num/fault.h"
#include "include/apex/status.h"

static inline apex_status refuse(struct num_place *place, enum num_fault fault, size_t at)
{
    if (place) *place = (struct num_place){fault, at};
    return APEX_E_DATA;
}

#endif
