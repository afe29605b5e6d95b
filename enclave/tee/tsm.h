/* The parts of tsm, open for its tests: they play the kernel. */
#ifndef ENCLAVE_TEE_TSM_H
#define ENCLAVE_TEE_TSM_H

#include "enclave/tee/configfs.h"
#include "enclave/tee/machine.h"
#include "enclave/tee/sev_guest.h"

struct tsm {
    struct configfs configfs;
    bool has_sev;
    struct sev_guest sev;
    int sev_fd;             /* -1: no device */
    uint64_t committed_tcb; /* SNP: of our own first report */
};

/* Takes `tsm` over (malloc), asks for a first report, and learns kind and code from it. */
apex_status tsm_open_with(struct tsm *tsm, struct tee *t);
/* Report and certificate table for these bytes. *kind: "sev-snp" or "tdx".
 * APEX_E_NOT_FOUND: neither configfs nor device, or a provider this build does not know.
 * APEX_E_UNTRUSTED: the report is for other bytes than ours. Others as configfs_report. */
apex_status tsm_report(const struct tsm *tsm, const uint8_t report_data[static REPORT_DATA_LEN],
                       const char **kind, struct buffer *report, struct buffer *table);
apex_status tsm_seal_key(const struct tee *t, struct buffer *terms, struct seal_key_bytes *key);

#endif
