/* /dev/sev-guest: what an SEV-SNP guest asks the processor for: a report, where there is no
 * configfs, and a key of its own. Source: Linux, Documentation/virt/coco/sev-guest; AMD
 * publication 56860, MSG_REPORT_REQ and MSG_KEY_REQ. */
#ifndef ENCLAVE_TEE_SEV_GUEST_H
#define ENCLAVE_TEE_SEV_GUEST_H

#include "common/attest/attest.h"
#include "enclave/tee/machine.h"

enum { SEV_TRIES = 8, SEV_PAUSE_MS = 50, SEV_CERTIFICATES_MAX = 64 * 1024 };

/* The device; tests give their own. `call` is ioctl(2): 0 or -errno. */
struct sev_guest {
    void *context;
    long (*call)(void *context, unsigned long request, void *argument);
    void (*pause)(void *context, unsigned ms);
};

/* What a sealing key depends on besides the chip and the root: guest policy and launch
 * measurement, always, and the firmware's versions. */
struct sev_terms {
    uint64_t fields; /* GUEST_FIELD_SELECT */
    uint64_t tcb;    /* TCB_VERSION, at most the committed one */
};
enum { SEV_TERMS_LEN = 1 + 8 + 8 };
/* POLICY, without which a debug guest would get the same key; MEASUREMENT; TCB_VERSION. */
#define SEV_FIELDS ((uint64_t)(1 << 0 | 1 << 3 | 1 << 5))

/* Report and certificate table (empty when the host gave none). APEX_E_UNREACHABLE: the host
 * kept saying it is busy. APEX_E_IO: refused. */
apex_status sev_report(const struct sev_guest *g,
                       const uint8_t report_data[static REPORT_DATA_LEN], struct buffer *report,
                       struct buffer *certificates);
apex_status sev_key(const struct sev_guest *g, const struct sev_terms *terms,
                    struct seal_key_bytes *key);
void sev_terms_write(const struct sev_terms *terms, struct buffer *out);
/* APEX_E_UNTRUSTED: not terms we would seal under. */
apex_status sev_terms_parse(struct span bytes, struct sev_terms *terms);

#endif
