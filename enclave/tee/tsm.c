/* tsm: SEV-SNP and TDX through configfs-tsm, with /dev/sev-guest for an SNP guest whose kernel
 * has no configfs-tsm, and for its sealing key. */
#include "enclave/tee/tsm.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/ct.h"
#include "common/wire/cbor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    SNP_LEN = 1184,
    SNP_POLICY_AT = 0x08,
    SNP_POLICY_SMT_BIT = 16,
    SNP_REPORT_DATA_AT = 0x50,
    SNP_COMMITTED_AT = 0x1e0,
    TDX_REPORT_DATA_AT = 520, /* in the body, which a quote of version 5 puts six bytes later */
    CERTIFICATES = 1          /* common/attest's supplement: the table as the kernel gave it */
};

static long device_call(void *context, unsigned long request, void *argument)
{
    const struct tsm *tsm = context;
    if (tsm->sev_fd < 0) return -ENODEV;
    return ioctl(tsm->sev_fd, request, argument) == 0 ? 0 : -errno;
}

/* What the report echoes must be what was asked for, whoever answered. */
static apex_status echo_check(const char *kind, struct span report,
                              const uint8_t report_data[static REPORT_DATA_LEN])
{
    size_t at = SNP_REPORT_DATA_AT;
    if (strcmp(kind, "tdx") == 0)
        at = (report.len > 1 && report.data[0] == 5 ? 54 : 48) + TDX_REPORT_DATA_AT;
    else if (report.len != SNP_LEN)
        return APEX_E_IO;
    if (report.len < at + REPORT_DATA_LEN) return APEX_E_IO;
    return ct_equal(report.data + at, report_data, REPORT_DATA_LEN) ? APEX_OK
                                                                    : APEX_E_UNTRUSTED;
}

static const char *kind_of(const char *provider)
{
    return strcmp(provider, "sev_guest") == 0   ? "sev-snp"
           : strcmp(provider, "tdx_guest") == 0 ? "tdx"
                                                : NULL;
}

static apex_status by_configfs(const struct tsm *tsm,
                               const uint8_t report_data[static REPORT_DATA_LEN],
                               const char **kind, struct buffer *report, struct buffer *table)
{
    struct configfs_report r = {0};
    apex_status s = configfs_report(&tsm->configfs, report_data, &r);
    if (s == APEX_OK && !(*kind = kind_of(r.provider))) s = APEX_E_NOT_FOUND;
    if (s == APEX_OK) {
        buffer_append(report, buffer_span(&r.report));
        buffer_append(table, buffer_span(&r.auxiliary));
    }
    buffer_clear(&r.report);
    buffer_clear(&r.auxiliary);
    return s;
}

apex_status tsm_report(const struct tsm *tsm, const uint8_t report_data[static REPORT_DATA_LEN],
                       const char **kind, struct buffer *report, struct buffer *table)
{
    apex_status s = by_configfs(tsm, report_data, kind, report, table);
    if (s == APEX_E_NOT_FOUND && tsm->has_sev) {
        *kind = "sev-snp";
        s = sev_report(&tsm->sev, report_data, report, table);
    }
    TRY(s);
    TRY(buffer_ok(report));
    TRY(buffer_ok(table));
    return echo_check(*kind, buffer_span(report), report_data);
}

static apex_status tsm_quote(const struct tee *t,
                             const uint8_t report_data[static REPORT_DATA_LEN],
                             uint64_t time_ms, struct buffer *report,
                             struct buffer *supplements)
{
    const char *kind;
    BUFFER_CLEARED table = {0};
    (void)time_ms; /* the machine's own evidence tells no time */
    TRY(tsm_report(t->machine, report_data, &kind, report, &table));
    if (strcmp(kind, t->kind) != 0) return APEX_E_IO;
    if (table.len == 0) return APEX_OK;
    cbor_put_map(supplements, 1);
    cbor_put_uint(supplements, CERTIFICATES);
    cbor_put_bytes(supplements, buffer_span(&table));
    return APEX_OK;
}

/* Today's terms: the versions the firmware is committed to, which it can never fall below. */
apex_status tsm_seal_key(const struct tee *t, struct buffer *terms, struct seal_key_bytes *key)
{
    const struct tsm *tsm = t->machine;
    struct sev_terms of = {SEV_FIELDS, tsm->committed_tcb};
    if (terms->len == 0)
        sev_terms_write(&of, terms);
    else
        TRY(sev_terms_parse(buffer_span(terms), &of));
    return sev_key(&tsm->sev, &of, key);
}

static void tsm_close(struct tee *t)
{
    struct tsm *tsm = t->machine;
    if (tsm->sev_fd >= 0) close(tsm->sev_fd);
    free(tsm);
}

static const struct machine_ops snp_ops = {tsm_quote, tsm_seal_key, tsm_close};
static const struct machine_ops other_ops = {tsm_quote, NULL, tsm_close};

apex_status tsm_open_with(struct tsm *tsm, struct tee *t)
{
    const uint8_t nothing[REPORT_DATA_LEN] = {0};
    const char *kind = "";
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    t->ops = &other_ops;
    t->machine = tsm;
    TRY(tsm_report(tsm, nothing, &kind, &report, &table));
    snprintf(t->kind, sizeof t->kind, "%s", kind);
    TRY(machine_facts(kind, buffer_span(&report), &t->facts));
    t->measurement_len = t->facts.measurement_len;
    memcpy(t->measurement, t->facts.exact, t->measurement_len);
    if (strcmp(kind, "sev-snp") != 0) return APEX_OK;
    t->threads_share = get_le64(report.data + SNP_POLICY_AT) >> SNP_POLICY_SMT_BIT & 1;
    if (!tsm->has_sev) return APEX_OK;
    tsm->committed_tcb = get_le64(report.data + SNP_COMMITTED_AT);
    t->ops = &snp_ops;
    return APEX_OK;
}

apex_status tsm_open(struct tee *t)
{
    struct tsm *tsm = calloc(1, sizeof *tsm);
    if (!tsm) return APEX_E_MEMORY;
    tsm->sev_fd = open("/dev/sev-guest", O_RDWR | O_CLOEXEC);
    tsm->has_sev = tsm->sev_fd >= 0;
    tsm->configfs = configfs_system;
    tsm->sev = (struct sev_guest){tsm, device_call, configfs_system.pause};
    return tsm_open_with(tsm, t);
}
