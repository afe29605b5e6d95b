/* TRY leaves the function early with the first status that is not OK; the good path runs
 * straight down. */
#ifndef COMMON_BASE_TRY_H
#define COMMON_BASE_TRY_H

#include "include/apex/status.h"

#define TRY(call)                                                                              \
    do {                                                                                       \
        apex_status try_status_ = (call);                                                      \
        if (try_status_ != APEX_OK) return try_status_;                                        \
    } while (0)

#endif
