/* /dev/nsm, the AWS Nitro security module: CBOR requests and answers through one ioctl. Source:
 * github.com/aws/aws-nitro-enclaves-nsm-api, docs/attestation_process.md; Linux,
 * include/uapi/linux/nsm.h. */
#ifndef ENCLAVE_TEE_NSM_H
#define ENCLAVE_TEE_NSM_H

#include "common/attest/attest.h"
#include "enclave/tee/machine.h"

enum { NSM_REQUEST_MAX = 0x1000, NSM_RESPONSE_MAX = 0x3000 };

/* The device; tests give their own. `ask`: the answer's length, or -errno. */
struct nsm {
    void *context;
    long (*ask)(void *context, struct span request, uint8_t *response, size_t max);
};
/* Appends the signed document that carries report_data as user_data. APEX_E_IO: the device
 * failed. APEX_E_REFUSED: it answered with an error. APEX_E_FORMAT: with something else. */
apex_status nsm_attest(const struct nsm *n, const uint8_t report_data[static REPORT_DATA_LEN],
                       struct buffer *document);
/* PCR `index`: 48 bytes. */
apex_status nsm_pcr(const struct nsm *n, unsigned index, uint8_t pcr[static 48]);

#endif
