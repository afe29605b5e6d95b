#include "enclave/tee/sev_guest.h"

#include "common/base/cursor.h"
#include "common/base/endian.h"
#include "common/base/try.h"

#include <errno.h>
#include <linux/sev-guest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    PAGE = 4096,
    TERMS_VERSION = 1,
    KEY_AT = 0x20,
    REPORT_AT = 0x20,
    CERTIFICATES_FIRST = 16384
};

static uint64_t address_of(void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* One request; what the host calls busy is asked again, a bounded number of times. */
static apex_status ask(const struct sev_guest *g, unsigned long request, void *from, void *to,
                       uint32_t *vmm_error)
{
    for (unsigned i = 0; i < SEV_TRIES; i++) {
        struct snp_guest_request_ioctl r = {
            .msg_version = 1, .req_data = address_of(from), .resp_data = address_of(to)};
        long e = g->call(g->context, request, &r);
        *vmm_error = r.vmm_error;
        if (e == 0 && r.exitinfo2 == 0) return APEX_OK;
        bool again =
            e == -EINTR || e == -EAGAIN || e == -EBUSY || r.vmm_error == SNP_GUEST_VMM_ERR_BUSY;
        if (!again) return APEX_E_IO;
        g->pause(g->context, SEV_PAUSE_MS);
    }
    return APEX_E_UNREACHABLE;
}

/* The firmware's own answer: u32 status, u32 size, 24 reserved, the report. */
static apex_status report_take(const struct snp_report_resp *answer, struct buffer *report)
{
    uint32_t status = get_le32(answer->data), len = get_le32(answer->data + 4);
    if (status != 0 || len == 0 || len > sizeof answer->data - REPORT_AT) return APEX_E_IO;
    buffer_append(report, span_of(answer->data + REPORT_AT, len));
    return buffer_ok(report);
}

static apex_status report_plain(const struct sev_guest *g,
                                const uint8_t report_data[static REPORT_DATA_LEN],
                                struct buffer *report)
{
    struct snp_report_req q = {.vmpl = 0};
    struct snp_report_resp answer = {{0}};
    uint32_t vmm_error;
    memcpy(q.user_data, report_data, sizeof q.user_data);
    TRY(ask(g, SNP_GET_REPORT, &q, &answer, &vmm_error));
    return report_take(&answer, report);
}

/* A host that wants more room for its certificates says how much. */
static apex_status report_extended(const struct sev_guest *g,
                                   const uint8_t report_data[static REPORT_DATA_LEN],
                                   uint32_t *room, struct buffer *report,
                                   struct buffer *certificates)
{
    struct snp_report_resp answer = {{0}};
    uint8_t *pages = aligned_alloc(PAGE, *room);
    uint32_t vmm_error = 0;
    if (!pages) return APEX_E_MEMORY;
    memset(pages, 0, *room);
    struct snp_ext_report_req q = {.certs_address = address_of(pages), .certs_len = *room};
    memcpy(q.data.user_data, report_data, sizeof q.data.user_data);
    apex_status s = ask(g, SNP_GET_EXT_REPORT, &q, &answer, &vmm_error);
    if (s == APEX_OK) s = report_take(&answer, report);
    if (s == APEX_OK && q.certs_len <= *room)
        buffer_append(certificates, span_of(pages, q.certs_len));
    free(pages);
    bool more = s == APEX_E_IO && vmm_error == SNP_GUEST_VMM_ERR_INVALID_LEN &&
                q.certs_len > *room && q.certs_len <= SEV_CERTIFICATES_MAX;
    if (more) *room = (q.certs_len + PAGE - 1) / PAGE * PAGE;
    return more ? APEX_E_LIMIT : s;
}

apex_status sev_report(const struct sev_guest *g,
                       const uint8_t report_data[static REPORT_DATA_LEN], struct buffer *report,
                       struct buffer *certificates)
{
    uint32_t room = CERTIFICATES_FIRST;
    apex_status s = report_extended(g, report_data, &room, report, certificates);
    if (s == APEX_E_LIMIT) s = report_extended(g, report_data, &room, report, certificates);
    if (s == APEX_OK || s == APEX_E_UNREACHABLE || s == APEX_E_MEMORY) return s;
    return report_plain(g, report_data, report); /* a host that has no certificates to give */
}

apex_status sev_key(const struct sev_guest *g, const struct sev_terms *terms,
                    struct seal_key_bytes *key)
{
    struct snp_derived_key_req q = {.guest_field_select = terms->fields,
                                    .tcb_version = terms->tcb};
    struct snp_derived_key_resp answer = {{0}};
    uint32_t vmm_error;
    apex_status s = ask(g, SNP_GET_DERIVED_KEY, &q, &answer, &vmm_error);
    if (s == APEX_OK && get_le32(answer.data) != 0) s = APEX_E_UNTRUSTED;
    if (s == APEX_OK) memcpy(key->bytes, answer.data + KEY_AT, sizeof key->bytes);
    wipe(&answer, sizeof answer);
    return s;
}

void sev_terms_write(const struct sev_terms *terms, struct buffer *out)
{
    buffer_u8(out, TERMS_VERSION);
    buffer_be64(out, terms->fields);
    buffer_be64(out, terms->tcb);
}

apex_status sev_terms_parse(struct span bytes, struct sev_terms *terms)
{
    struct cursor c = cursor_on(bytes);
    uint8_t version;
    TRY(cursor_u8(&c, &version));
    TRY(cursor_be64(&c, &terms->fields));
    TRY(cursor_be64(&c, &terms->tcb));
    TRY(cursor_end(&c));
    return version == TERMS_VERSION && terms->fields == SEV_FIELDS ? APEX_OK : APEX_E_UNTRUSTED;
}
