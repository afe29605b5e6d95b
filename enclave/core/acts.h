/* A party's act: judged, its blobs checked, recorded. */
#ifndef ENCLAVE_CORE_ACTS_H
#define ENCLAVE_CORE_ACTS_H

#include "common/wire/message.h"
#include "common/wire/refusal.h"
#include "enclave/core/core.h"

/* What came of it. On REFUSAL_NONE `body` holds body_act's bytes. `detail` is public; `sealed`
 * for the author alone. */
struct outcome {
    enum refusal code;
    char detail[ENTRY_DETAIL_MAX];
    struct buffer body, sealed;
};

/* `bytes` is the act's COSE_Sign1. */
void act_take(struct core *core, struct span bytes, struct outcome *out);

#endif
