/* "name=value" texts to a request, checked against the function's parameters before anything
 * leaves. */
#ifndef CLIENT_LIB_PARAMS_H
#define CLIENT_LIB_PARAMS_H

#include "client/lib/error.h"
#include "common/wire/package.h"

/* r: values of f in order, none given; request_clear it. */
void params_begin(const struct manifest_function *f, struct request *r);
apex_status params_set(const struct manifest_function *f, const char *text, struct request *r,
                       struct apex_error *error);
/* Every parameter without a default is there. */
apex_status params_whole(const struct request *r, struct apex_error *error);

#endif
