/* A folder of certificates' companions, as supplements: files by name. */
#ifndef CLIENT_LIB_TRUST_COLLATERAL_H
#define CLIENT_LIB_TRUST_COLLATERAL_H

#include "client/lib/home.h"
#include "common/attest/supplements.h"

struct collateral {
    struct buffer file[SUPPLEMENTS];
};

/* Loads what of tcb_info.json, qe_identity.json, tcb_signing.pem, pck_crl, root_ca_crl,
 * amd_crl, vcek and vlek (.der or .pem) is there. APEX_E_NOT_FOUND: nothing of it. Clear it in
 * any case. */
apex_status collateral_load(const char *folder, struct collateral *c, struct apex_error *error);
void collateral_clear(struct collateral *c);
/* Sets the parts that were loaded. */
void collateral_lend(const struct collateral *c, struct supplements *s);

#endif
