/* An auditor's demand that a run be computed again and held against the log. Nothing of the
 * answer goes out but whether it is the same. Message body: COSE_Sign1 by a party that may
 * audit (aad "apex/rerun/v1"), payload {1: "apex/rerun/v1", 2: address bstr32, 3: run index, 4:
 * time_ms}. Body of the reply: {1: same bool, 2: output digest bstr32 now, 3: entry index of
 * the result it was held against}. */
#ifndef COMMON_WIRE_RERUN_H
#define COMMON_WIRE_RERUN_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

#define RERUN_AAD "apex/rerun/v1"

struct rerun {
    uint8_t address[32];
    uint64_t run, time_ms;
};
struct body_rerun {
    bool same;
    uint8_t output[32];
    uint64_t result;
};
void rerun_write(const struct rerun *r, struct buffer *payload);
apex_status rerun_parse(struct span payload, struct rerun *r);
void body_rerun_write(const struct body_rerun *b, struct buffer *out);
apex_status body_rerun_parse(struct span bytes, struct body_rerun *b);

#endif
