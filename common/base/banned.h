/* Functions that cannot be used safely do not compile. Force-included by the build (-include).
 */
#ifndef COMMON_BASE_BANNED_H
#define COMMON_BASE_BANNED_H

/* System headers first: they may mention the names themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fortified headers make macros of some for clang. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok asctime ctime    \
    gmtime localtime
#pragma GCC poison tmpnam mktemp tempnam atoi atol atoll atof

#endif
