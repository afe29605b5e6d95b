#include "client/lib/trust_collateral.h"

#include "common/base/try.h"

#include <stdio.h>

enum { COLLATERAL_MAX = 256 * 1024 };

static const struct {
    const char *name;
    enum supplement part;
} names[] = {
    {"tcb_info.json", SUPPLEMENT_TCB_INFO},      {"qe_identity.json", SUPPLEMENT_QE_IDENTITY},
    {"tcb_signing.pem", SUPPLEMENT_TCB_SIGNING}, {"pck_crl.der", SUPPLEMENT_PCK_CRL},
    {"pck_crl.pem", SUPPLEMENT_PCK_CRL},         {"root_ca_crl.der", SUPPLEMENT_ROOT_CA_CRL},
    {"root_ca_crl.pem", SUPPLEMENT_ROOT_CA_CRL}, {"amd_crl.der", SUPPLEMENT_AMD_CRL},
    {"amd_crl.pem", SUPPLEMENT_AMD_CRL},         {"vcek.der", SUPPLEMENT_CERTIFICATES},
    {"vcek.pem", SUPPLEMENT_CERTIFICATES},       {"vlek.der", SUPPLEMENT_CERTIFICATES},
    {"vlek.pem", SUPPLEMENT_CERTIFICATES},
};

apex_status collateral_load(const char *folder, struct collateral *c, struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buffer *file = &c->file[names[i].part];
        snprintf(path, sizeof path, "%.3900s/%s", folder, names[i].name);
        if (file->len > 0) continue; /* the other encoding of it was there */
        apex_status s = file_load(path, COLLATERAL_MAX, file, error);
        if (s == APEX_E_NOT_FOUND) continue;
        TRY(s);
        any = true;
    }
    if (any) return APEX_OK;
    return apex_fail(error, APEX_E_NOT_FOUND, "there is no collateral in that folder",
                     "nothing was done",
                     "put tcb_info.json, qe_identity.json, tcb_signing.pem, pck_crl.der and "
                     "root_ca_crl.der, or vcek.pem and amd_crl.der, into it",
                     "you");
}

void collateral_clear(struct collateral *c)
{
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        buffer_clear(&c->file[i]);
}

void collateral_lend(const struct collateral *c, struct supplements *s)
{
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        if (c->file[i].len > 0) s->part[i] = buffer_span(&c->file[i]);
}
