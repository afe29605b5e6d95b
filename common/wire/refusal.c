#include "common/wire/refusal.h"

#include <stddef.h>

static const struct refusal_text texts[] = {
#define X(name, number, stable, what, next, who) [number] = {stable, what, next, who},
    REFUSALS(X)
#undef X
};

const struct refusal_text *refusal_text(unsigned code)
{
    return &texts[code < sizeof texts / sizeof *texts ? code : (unsigned)REFUSAL_INTERNAL];
}
