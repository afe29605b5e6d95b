/* What reading TCB info and reading an enclave's identity share: values, and what a level of
 * either says. For collateral.c and tcb_info.c alone. */
#ifndef COMMON_ATTEST_COLLATERAL_READ_H
#define COMMON_ATTEST_COLLATERAL_READ_H

#include "common/attest/collateral.h"
#include "common/wire/manifest_read.h"

/* Hex of exactly `len` bytes, in either case; a whole number below 65536. */
apex_status collateral_hex(struct reader *r, uint8_t *out, size_t len);
apex_status collateral_u16(struct reader *r, uint16_t *value);

/* The context that the fields of a level are read with. */
struct marked {
    struct advisories *pool;
    struct tcb_mark *mark;
    void *level; /* what else the level holds */
};
apex_status collateral_status(struct reader *r, void *marked);
apex_status collateral_date(struct reader *r, void *marked);
apex_status collateral_advisories(struct reader *r, void *marked);
apex_status collateral_isv_levels(struct reader *r, struct advisories *pool,
                                  struct isv_levels *levels);

#endif
