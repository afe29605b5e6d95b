#include "common/chain/fault.h"

#include <stdarg.h>
#include <stdio.h>

apex_status chain_fail(struct chain_fault *fault, apex_status status, const char *rule,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault->rule = rule;
    (void)vsnprintf(fault->what, sizeof fault->what, format, args);
    va_end(args);
    return status;
}
