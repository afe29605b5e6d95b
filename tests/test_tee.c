/* The machines that vouch for us, with the kernel's side played: the moods of configfs-tsm, of
 * /dev/sev-guest and of /dev/nsm, and evidence of real machines replayed through them. */
#include "common/attest/evidence.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/wire/cbor.h"
#include "enclave/tee/nsm.h"
#include "enclave/tee/tsm.h"
#include "tests/check.h"

#include <errno.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define VECTORS "../shared/vectors/attestation/"
enum { FILE_MAX = 64 * 1024, NAMES_MAX = 32, DATA_AT_SNP = 0x50 };

struct file {
    uint8_t bytes[FILE_MAX];
    size_t len;
};
static struct file genoa, genoa_table, tdx4, tdx5, nitro_document;

static void file_load(const char *name, struct file *f)
{
    FILE *in = fopen(name, "rb");
    assert_non_null(in);
    f->len = fread(f->bytes, 1, sizeof f->bytes, in);
    fclose(in);
    CHECK(f->len > 0 && f->len < sizeof f->bytes);
}

/* ---- configfs-tsm */

struct kernel {
    const char *provider;
    const struct file *report, *table; /* table NULL: the attribute is not there */
    unsigned generation;
    unsigned busy, busy_always; /* refuse the next writes with EBUSY */
    unsigned disturbed;         /* somebody writes too, during the next reads of outblob */
    bool empty, short_write, wordy;
    long make_error, read_error;
    unsigned made, dropped, pauses;
    char names[NAMES_MAX][96];
    uint8_t asked[64];
};

static long kernel_make(void *context, const char *folder)
{
    struct kernel *k = context;
    if (k->make_error) return k->make_error;
    CHECK(k->made < NAMES_MAX);
    for (unsigned i = 0; i < k->made; i++)
        CHECK(strcmp(k->names[i], folder) != 0);
    snprintf(k->names[k->made++], sizeof k->names[0], "%s", folder);
    return 0;
}

static long kernel_drop(void *context, const char *folder)
{
    struct kernel *k = context;
    CHECK(strcmp(k->names[k->made - 1], folder) == 0);
    k->dropped++;
    return 0;
}

static long kernel_write(void *context, const char *file, struct span bytes)
{
    struct kernel *k = context;
    CHECK(strstr(file, "/inblob") != NULL);
    CHECK(bytes.len == 64);
    if (k->busy_always || k->busy) {
        if (k->busy) k->busy--;
        return -EBUSY;
    }
    memcpy(k->asked, bytes.data, 64);
    k->generation++;
    return k->short_write ? 32 : 64;
}

static long give(const void *bytes, size_t len, uint8_t *out, size_t max)
{
    if (len > max) len = max;
    if (len > 0) memcpy(out, bytes, len);
    return (long)len;
}

static long kernel_read(void *context, const char *file, uint8_t *out, size_t max)
{
    struct kernel *k = context;
    char text[40];
    const char *name = strrchr(file, '/') + 1;
    if (strcmp(name, "generation") == 0) {
        snprintf(text, sizeof text, k->wordy ? "many\n" : "%u\n", k->generation);
        return give(text, strlen(text), out, max);
    }
    if (strcmp(name, "provider") == 0) {
        snprintf(text, sizeof text, "%s\n", k->provider);
        return give(text, strlen(text), out, max);
    }
    if (strcmp(name, "auxblob") == 0)
        return k->table ? give(k->table->bytes, k->table->len, out, max) : -ENOENT;
    CHECK(strcmp(name, "outblob") == 0);
    if (k->read_error) return k->read_error;
    if (k->disturbed) {
        k->disturbed--;
        k->generation++;
    }
    return k->empty ? 0 : give(k->report->bytes, k->report->len, out, max);
}

static void kernel_pause(void *context, unsigned ms)
{
    struct kernel *k = context;
    CHECK(ms > 0 && ms <= CONFIGFS_PAUSE_MS << CONFIGFS_TRIES);
    k->pauses++;
}

static struct tsm tsm_of(struct kernel *k)
{
    return (struct tsm){
        .configfs = {k, kernel_make, kernel_drop, kernel_write, kernel_read, kernel_pause},
        .sev_fd = -1};
}

static struct kernel genoa_kernel(void)
{
    return (struct kernel){.provider = "sev_guest", .report = &genoa, .table = &genoa_table};
}

/* What one conversation gives; buffers are dropped. */
static apex_status talk(struct kernel *k, const uint8_t report_data[static 64])
{
    struct tsm tsm = tsm_of(k);
    const char *kind;
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    apex_status s = tsm_report(&tsm, report_data, &kind, &report, &table);
    CHECK(k->made == k->dropped);
    return s;
}

static void a_genoa_machine_replayed_gives_its_report_and_its_certificates(void **state)
{
    (void)state;
    struct kernel k = genoa_kernel();
    struct tsm tsm = tsm_of(&k);
    const char *kind;
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    const uint8_t *data = genoa.bytes + DATA_AT_SNP;
    CHECK_OK(tsm_report(&tsm, data, &kind, &report, &table));
    assert_string_equal(kind, "sev-snp");
    CHECK(memcmp(k.asked, data, 64) == 0);
    CHECK(span_equal(buffer_span(&report), span_of(genoa.bytes, genoa.len)));
    CHECK(span_equal(buffer_span(&table), span_of(genoa_table.bytes, genoa_table.len)));
    CHECK(strncmp(k.names[0], CONFIGFS_REPORTS "/apex-", strlen(CONFIGFS_REPORTS) + 6) == 0);
}

static void quotes_of_tdx_machines_of_both_versions_come_through(void **state)
{
    const struct {
        const struct file *quote;
        size_t data_at;
    } cases[] = {{&tdx4, 48 + 520}, {&tdx5, 54 + 520}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kernel k = {.provider = "tdx_guest", .report = cases[i].quote};
        struct tsm tsm = tsm_of(&k);
        const char *kind;
        BUFFER_CLEARED report = {0};
        BUFFER_CLEARED table = {0};
        CHECK_OK(
            tsm_report(&tsm, cases[i].quote->bytes + cases[i].data_at, &kind, &report, &table));
        assert_string_equal(kind, "tdx");
        CHECK(table.len == 0);
    }
}

static void a_busy_kernel_is_asked_again_and_not_for_ever(void **state)
{
    (void)state;
    const uint8_t *data = genoa.bytes + DATA_AT_SNP;
    for (unsigned busy = 0; busy < CONFIGFS_TRIES; busy++) {
        struct kernel k = genoa_kernel();
        k.busy = busy;
        CHECK_OK(talk(&k, data));
        CHECK(k.made == busy + 1 && k.pauses == busy);
    }
    struct kernel k = genoa_kernel();
    k.busy_always = 1;
    CHECK_STATUS(talk(&k, data), APEX_E_UNREACHABLE);
    CHECK(k.made == CONFIGFS_TRIES);
    const long passing[] = {-EINTR, -ETIMEDOUT, -EAGAIN};
    for (size_t i = 0; i < 3; i++) {
        struct kernel interrupted = genoa_kernel();
        interrupted.read_error = passing[i];
        CHECK_STATUS(talk(&interrupted, data), APEX_E_UNREACHABLE);
        CHECK(interrupted.made == CONFIGFS_TRIES);
    }
}

static void a_report_somebody_else_wrote_into_is_not_used(void **state)
{
    (void)state;
    const uint8_t *data = genoa.bytes + DATA_AT_SNP;
    struct kernel once = genoa_kernel(), ever = genoa_kernel();
    once.disturbed = 1;
    CHECK_OK(talk(&once, data));
    CHECK(once.made == 2);
    ever.disturbed = 1000;
    CHECK_STATUS(talk(&ever, data), APEX_E_UNREACHABLE);
    CHECK(ever.made == CONFIGFS_TRIES);
}

static void an_empty_report_is_a_failure_and_no_evidence(void **state)
{
    (void)state;
    struct kernel k = {.provider = "tdx_guest", .report = &tdx4, .empty = true};
    CHECK_STATUS(talk(&k, tdx4.bytes + 48 + 520), APEX_E_IO);
    CHECK(k.made == 1);
}

static void a_report_for_other_bytes_is_refused(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 512; bit += 37) {
        struct kernel k = genoa_kernel();
        uint8_t data[64];
        memcpy(data, genoa.bytes + DATA_AT_SNP, 64);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_STATUS(talk(&k, data), APEX_E_UNTRUSTED);
    }
}

static void what_the_kernel_gets_wrong_is_named_and_ends_at_once(void **state)
{
    static struct file large, cut;
    (void)state;
    const uint8_t *data = genoa.bytes + DATA_AT_SNP;
    large.len = CONFIGFS_BLOB_MAX + 1;
    cut = genoa;
    cut.len--;
    struct kernel k = genoa_kernel();
    k.report = &large;
    CHECK_STATUS(talk(&k, data), APEX_E_LIMIT);
    k = genoa_kernel();
    k.table = &large;
    CHECK_STATUS(talk(&k, data), APEX_E_LIMIT);
    k = genoa_kernel();
    k.report = &cut;
    CHECK_STATUS(talk(&k, data), APEX_E_IO);
    k = genoa_kernel();
    k.short_write = true;
    CHECK_STATUS(talk(&k, data), APEX_E_IO);
    k = genoa_kernel();
    k.wordy = true;
    CHECK_STATUS(talk(&k, data), APEX_E_IO);
    k = genoa_kernel();
    k.read_error = -EFBIG;
    CHECK_STATUS(talk(&k, data), APEX_E_IO);
    CHECK(k.made == 1);
    k = genoa_kernel();
    k.provider = "arm_cca_guest";
    CHECK_STATUS(talk(&k, data), APEX_E_NOT_FOUND);
    k = genoa_kernel();
    k.make_error = -ENOENT;
    CHECK_STATUS(talk(&k, data), APEX_E_NOT_FOUND);
    k = genoa_kernel();
    k.table = NULL; /* a provider without certificates is none the worse */
    CHECK_OK(talk(&k, data));
}

/* ---- /dev/sev-guest */

struct device {
    unsigned busy, calls, plain;
    bool no_certificates, no_length, policy_ignored;
    uint32_t certificates_len;
    uint8_t chip; /* whose root the keys come of */
    uint64_t committed;
    uint64_t last_fields, last_tcb;
};

static long report_answer(struct snp_guest_request_ioctl *r)
{
    struct snp_report_resp *out = (void *)(uintptr_t)r->resp_data;
    uint32_t len = (uint32_t)genoa.len;
    memset(out, 0, sizeof *out);
    memcpy(out->data + 4, &len, 4);
    memcpy(out->data + 0x20, genoa.bytes, genoa.len);
    return 0;
}

static long extended_answer(struct device *d, struct snp_guest_request_ioctl *r)
{
    struct snp_ext_report_req *q = (void *)(uintptr_t)r->req_data;
    CHECK(q->certs_address % 4096 == 0);
    if (d->no_certificates) return -EIO;
    if (q->certs_len < d->certificates_len) {
        q->certs_len = d->certificates_len;
        r->vmm_error = SNP_GUEST_VMM_ERR_INVALID_LEN;
        return -EIO;
    }
    memset((void *)(uintptr_t)q->certs_address, 0xce, d->certificates_len);
    q->certs_len = d->certificates_len;
    return report_answer(r);
}

/* A key that depends on chip and request, as the processor's does; none above what is
 * committed. */
static long key_answer(struct device *d, struct snp_guest_request_ioctl *r)
{
    const struct snp_derived_key_req *q = (const void *)(uintptr_t)r->req_data;
    struct snp_derived_key_resp *out = (void *)(uintptr_t)r->resp_data;
    uint8_t from[1 + sizeof *q];
    memset(out, 0, sizeof *out);
    d->last_fields = q->guest_field_select;
    d->last_tcb = q->tcb_version;
    if (q->tcb_version > d->committed) {
        out->data[0] = 0x16; /* INVALID_PARAMS */
        return 0;
    }
    from[0] = d->chip;
    memcpy(from + 1, q, sizeof *q);
    sha256(SPAN(from), out->data + 0x20);
    return 0;
}

static long device_call(void *context, unsigned long request, void *argument)
{
    struct device *d = context;
    struct snp_guest_request_ioctl *r = argument;
    CHECK(r->msg_version == 1);
    d->calls++;
    if (d->busy) {
        d->busy--;
        r->vmm_error = SNP_GUEST_VMM_ERR_BUSY;
        return -EAGAIN;
    }
    if (request == SNP_GET_EXT_REPORT) return extended_answer(d, r);
    if (request == SNP_GET_DERIVED_KEY) return key_answer(d, r);
    CHECK(request == SNP_GET_REPORT);
    d->plain++;
    return report_answer(r);
}

static void no_pause(void *context, unsigned ms)
{
    (void)context;
    (void)ms;
}

static void without_configfs_an_snp_guest_asks_its_device(void **state)
{
    (void)state;
    struct kernel none = {.make_error = -ENOENT};
    struct device d = {.certificates_len = 40000, .busy = 3};
    struct tsm tsm = tsm_of(&none);
    const char *kind;
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    tsm.has_sev = true;
    tsm.sev = (struct sev_guest){&d, device_call, no_pause};
    CHECK_OK(tsm_report(&tsm, genoa.bytes + DATA_AT_SNP, &kind, &report, &table));
    assert_string_equal(kind, "sev-snp");
    CHECK(span_equal(buffer_span(&report), span_of(genoa.bytes, genoa.len)));
    CHECK(table.len == 40000 && table.data[39999] == 0xce && d.plain == 0);
}

static void a_host_without_certificates_still_lets_a_report_through(void **state)
{
    (void)state;
    struct device d = {.no_certificates = true};
    struct sev_guest g = {&d, device_call, no_pause};
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    CHECK_OK(sev_report(&g, genoa.bytes + DATA_AT_SNP, &report, &table));
    CHECK(report.len == genoa.len && table.len == 0 && d.plain == 1);
}

static void a_host_that_is_always_busy_is_given_up(void **state)
{
    (void)state;
    struct device d = {.busy = 1000000, .certificates_len = 16};
    struct sev_guest g = {&d, device_call, no_pause};
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    CHECK_STATUS(sev_report(&g, genoa.bytes + DATA_AT_SNP, &report, &table),
                 APEX_E_UNREACHABLE);
    CHECK(d.calls == SEV_TRIES);
}

static void a_host_that_wants_endless_room_gets_none(void **state)
{
    (void)state;
    struct device d = {.certificates_len = 1 << 30};
    struct sev_guest g = {&d, device_call, no_pause};
    BUFFER_CLEARED report = {0};
    BUFFER_CLEARED table = {0};
    CHECK_OK(sev_report(&g, genoa.bytes + DATA_AT_SNP, &report, &table));
    CHECK(table.len == 0 && d.plain == 1);
}

/* ---- sealing */

static struct tee snp_machine(struct tsm *tsm, struct device *d)
{
    static const struct machine_ops ops = {.seal_key = tsm_seal_key};
    struct tee t = {.ops = &ops, .machine = tsm};
    snprintf(t.kind, sizeof t.kind, "sev-snp");
    *tsm = (struct tsm){.has_sev = true,
                        .sev = {d, device_call, no_pause},
                        .sev_fd = -1,
                        .committed_tcb = d->committed};
    return t;
}

static void an_snp_root_opens_on_its_chip_and_no_other(void **state)
{
    (void)state;
    struct device here = {.chip = 1, .committed = 7}, there = {.chip = 2, .committed = 7};
    struct tsm here_tsm, there_tsm;
    struct tee us = snp_machine(&here_tsm, &here), other = snp_machine(&there_tsm, &there);
    struct root_secret root, back = {{0}};
    bool stale;
    BUFFER_CLEARED sealed = {0};
    random_bytes(root.bytes, sizeof root.bytes);
    CHECK(tee_seals(&us));
    CHECK_OK(tee_seal(&us, SPAN(root.bytes), &sealed));
    CHECK(sealed.len <= SEALED_MAX);
    CHECK(memmem(sealed.data, sealed.len, root.bytes, 8) == NULL);
    /* Guest policy and measurement are in the key: without the first, a debug guest has it. */
    CHECK((here.last_fields & 1) && (here.last_fields & 8) && (here.last_fields & 32));
    CHECK(here.last_tcb == 7);
    CHECK_OK(tee_unseal(&us, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale));
    CHECK(!stale && memcmp(back.bytes, root.bytes, sizeof root.bytes) == 0);
    CHECK_STATUS(
        tee_unseal(&other, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale),
        APEX_E_UNTRUSTED);
}

static void a_sealed_root_with_any_bit_flipped_or_cut_short_does_not_open(void **state)
{
    (void)state;
    struct device d = {.chip = 1, .committed = ~0ull};
    struct tsm tsm;
    struct tee us = snp_machine(&tsm, &d);
    struct root_secret root = {{1}}, back;
    bool stale;
    BUFFER_CLEARED sealed = {0};
    CHECK_OK(tee_seal(&us, SPAN(root.bytes), &sealed));
    for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_STATUS(
            tee_unseal(&us, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale),
            APEX_E_UNTRUSTED);
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sealed.len; len++)
        CHECK_STATUS(
            tee_unseal(&us, span_of(sealed.data, len), back.bytes, sizeof back.bytes, &stale),
            APEX_E_UNTRUSTED);
    CHECK_OK(tee_unseal(&us, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale));
}

static void after_new_firmware_an_old_seal_opens_and_is_known_to_be_old(void **state)
{
    (void)state;
    struct device d = {.chip = 1, .committed = 7};
    struct tsm tsm;
    struct tee us = snp_machine(&tsm, &d);
    struct root_secret root = {{5}}, back;
    bool stale = false;
    BUFFER_CLEARED sealed = {0};
    CHECK_OK(tee_seal(&us, SPAN(root.bytes), &sealed));
    d.committed = tsm.committed_tcb = 8;
    CHECK_OK(tee_unseal(&us, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale));
    CHECK(stale);
    buffer_clear(&sealed);
    CHECK_OK(tee_seal(&us, SPAN(root.bytes), &sealed));
    d.committed = tsm.committed_tcb =
        7; /* firmware rolled back: what was sealed since stays shut */
    CHECK_STATUS(tee_unseal(&us, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale),
                 APEX_E_UNTRUSTED);
}

static void terms_that_leave_the_policy_out_are_not_sealed_or_opened_under(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        BUFFER_CLEARED bytes = {0};
        struct sev_terms terms = {SEV_FIELDS ^ 1ull << bit, 7}, back;
        sev_terms_write(&terms, &bytes);
        CHECK_STATUS(sev_terms_parse(buffer_span(&bytes), &back), APEX_E_UNTRUSTED);
    }
}

static void machines_that_cannot_seal_say_so(void **state)
{
    static const struct machine_ops none = {0};
    (void)state;
    struct tee t = {.ops = &none};
    struct root_secret root = {{0}};
    bool stale;
    BUFFER_CLEARED sealed = {0};
    CHECK(!tee_seals(&t));
    CHECK_STATUS(tee_seal(&t, SPAN(root.bytes), &sealed), APEX_E_NOT_FOUND);
    CHECK_STATUS(tee_unseal(&t, SPAN_TEXT("x"), root.bytes, sizeof root.bytes, &stale),
                 APEX_E_NOT_FOUND);
    struct kernel k = {.provider = "tdx_guest", .report = &tdx4};
    struct tsm *tsm = malloc(sizeof *tsm);
    assert_non_null(tsm);
    *tsm = tsm_of(&k);
    /* A TDX machine's first report is for zeros; the recorded quote is for other bytes. */
    CHECK_STATUS(tsm_open_with(tsm, &t), APEX_E_UNTRUSTED);
    CHECK(!tee_seals(&t));
    free(tsm);
}

static void a_sim_seals_for_its_folder_and_measures_its_own_file(void **state)
{
    char here[] = "/tmp/apex-tee-XXXXXX", there[] = "/tmp/apex-tee-XXXXXX", rm[96];
    struct tee *first, *again, *other, *bare;
    struct root_secret root = {{9}}, back;
    bool stale;
    BUFFER_CLEARED sealed = {0};
    (void)state;
    CHECK(mkdtemp(here) && mkdtemp(there));
    CHECK_OK(tee_open("sim", here, &first));
    CHECK_OK(tee_seal(first, SPAN(root.bytes), &sealed));
    CHECK_OK(tee_open("sim", here, &again));
    CHECK_OK(tee_unseal(again, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale));
    CHECK(!stale && memcmp(&root, &back, sizeof root) == 0);
    CHECK_OK(tee_open("sim", there, &other));
    CHECK_STATUS(tee_unseal(other, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale),
                 APEX_E_UNTRUSTED);
    CHECK_OK(tee_open("sim", NULL, &bare));
    CHECK_STATUS(tee_unseal(bare, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale),
                 APEX_E_UNTRUSTED);
    buffer_clear(&sealed);
    CHECK_OK(tee_seal(bare, SPAN(root.bytes), &sealed));
    CHECK_OK(tee_unseal(bare, buffer_span(&sealed), back.bytes, sizeof back.bytes, &stale));
    CHECK(span_equal(tee_measurement(first), tee_measurement(bare)));
    tee_close(first);
    tee_close(again);
    tee_close(other);
    tee_close(bare);
    snprintf(rm, sizeof rm, "rm -rf %s %s", here, there);
    CHECK(system(rm) == 0);
}

static apex_status like(const struct tee *t, const struct file *report)
{
    BUFFER_CLEARED evidence = {0};
    evidence_write(t->kind, span_of(report->bytes, report->len), (struct span){0}, &evidence);
    return tee_is_like(t, buffer_span(&evidence));
}

/* One byte of our own report, changed by so much. */
static apex_status like_with(const struct tee *t, struct file *report, size_t at, int by)
{
    uint8_t was = report->bytes[at];
    report->bytes[at] = (uint8_t)(was + by);
    apex_status s = like(t, report);
    report->bytes[at] = was;
    return s;
}

static void one_like_us_runs_the_same_code_in_all_that_is_measured(void **state)
{
    const struct {
        const char *kind;
        struct file *report;
        size_t at[6], measured;
    } cases[] = {/* digest, family, model; and in a TD: MRTD, RTMR0, RTMR2's end, attributes */
                 {"sev-snp", &genoa, {0x90, 0x90 + 47, 0x188, 0x189}, 48},
                 {"tdx", &tdx4, {48 + 136, 48 + 328, 48 + 328 + 143, 48 + 120}, 144},
                 {"tdx", &tdx5, {54 + 136, 54 + 328, 54 + 328 + 143, 54 + 120}, 144}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tee t = {0};
        struct file *r = cases[i].report;
        snprintf(t.kind, sizeof t.kind, "%s", cases[i].kind);
        CHECK_OK(machine_facts(t.kind, span_of(r->bytes, r->len), &t.facts));
        CHECK_OK(like(&t, r));
        CHECK(t.facts.measurement_len == cases[i].measured);
        for (size_t k = 0; k < 4; k++)
            CHECK_STATUS(like_with(&t, r, cases[i].at[k], 1), APEX_E_UNTRUSTED);
        struct tee other = t;
        snprintf(other.kind, sizeof other.kind, "sim");
        BUFFER_CLEARED evidence = {0};
        evidence_write(t.kind, span_of(r->bytes, r->len), (struct span){0}, &evidence);
        CHECK_STATUS(tee_is_like(&other, buffer_span(&evidence)), APEX_E_UNTRUSTED);
    }
}

static void one_like_us_has_firmware_no_older_in_any_part(void **state)
{
    const struct {
        const char *kind;
        struct file *report;
        size_t at, n;
    } cases[] = {{"sev-snp", &genoa, 0x180, 8}, {"tdx", &tdx4, 48, 16}};
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tee t = {0};
        struct file *r = cases[i].report;
        snprintf(t.kind, sizeof t.kind, "%s", cases[i].kind);
        CHECK_OK(machine_facts(t.kind, span_of(r->bytes, r->len), &t.facts));
        for (size_t k = 0; k < cases[i].n; k++) {
            CHECK_OK(like_with(&t, r, cases[i].at + k, 1));
            if (r->bytes[cases[i].at + k] == 0) continue;
            CHECK_STATUS(like_with(&t, r, cases[i].at + k, -1), APEX_E_UNTRUSTED);
            tried++;
        }
    }
    CHECK(tried >= 6);
}

/* ---- /dev/nsm */

struct module {
    struct buffer answer, asked;
    long error;
};

static long module_ask(void *context, struct span request, uint8_t *response, size_t max)
{
    struct module *m = context;
    buffer_clear(&m->asked);
    buffer_append(&m->asked, request);
    return m->error ? m->error : give(m->answer.data, m->answer.len, response, max);
}

static void module_clear(struct module *m)
{
    buffer_clear(&m->answer);
    buffer_clear(&m->asked);
}

static void document_answer(struct module *m)
{
    cbor_put_map(&m->answer, 1);
    cbor_put_text(&m->answer, "Attestation");
    cbor_put_map(&m->answer, 1);
    cbor_put_text(&m->answer, "document");
    cbor_put_bytes(&m->answer, span_of(nitro_document.bytes, nitro_document.len));
}

static void a_nitro_document_comes_through_and_carries_our_bytes_as_user_data(void **state)
{
    (void)state;
    struct module m = {.error = 0};
    struct nsm nsm = {&m, module_ask};
    uint8_t data[64];
    BUFFER_CLEARED document = {0};
    memset(data, 0xab, sizeof data);
    document_answer(&m);
    CHECK_OK(nsm_attest(&nsm, data, &document));
    CHECK(
        span_equal(buffer_span(&document), span_of(nitro_document.bytes, nitro_document.len)));
    /* {"Attestation": {"nonce": null, "user_data": 64 bytes, "public_key": null}} */
    CHECK(m.asked.len < NSM_REQUEST_MAX);
    CHECK(memmem(m.asked.data, m.asked.len, "\x69user_data\x58\x40\xab\xab", 14) != NULL);
    CHECK(memmem(m.asked.data, m.asked.len, "\x65nonce\xf6", 7) != NULL);
    CHECK(memmem(m.asked.data, m.asked.len, "\x6apublic_key\xf6", 12) != NULL);
    module_clear(&m);
}

static void a_nitro_device_that_errs_or_says_something_else_gives_no_evidence(void **state)
{
    (void)state;
    struct module m = {.error = -EIO};
    struct nsm nsm = {&m, module_ask};
    const uint8_t data[64] = {0};
    BUFFER_CLEARED document = {0};
    CHECK_STATUS(nsm_attest(&nsm, data, &document), APEX_E_IO);
    m.error = 0;
    cbor_put_map(&m.answer, 1);
    cbor_put_text(&m.answer, "Error");
    cbor_put_text(&m.answer, "InputTooLarge");
    CHECK_STATUS(nsm_attest(&nsm, data, &document), APEX_E_REFUSED);
    buffer_clear(&m.answer);
    CHECK_STATUS(nsm_attest(&nsm, data, &document), APEX_E_IO);
    document_answer(&m);
    for (size_t len = 1; len < m.answer.len; len += len < 64 ? 1 : 97) {
        struct buffer whole = m.answer;
        m.answer.len = len;
        CHECK(nsm_attest(&nsm, data, &document) != APEX_OK && document.len == 0);
        m.answer = whole;
    }
    buffer_u8(&m.answer, 0);
    CHECK_STATUS(nsm_attest(&nsm, data, &document), APEX_E_FORMAT);
    module_clear(&m);
}

static void a_nitro_machines_measurement_is_its_pcr0(void **state)
{
    (void)state;
    struct module m = {.error = 0};
    struct nsm nsm = {&m, module_ask};
    uint8_t pcr[48], want[48];
    memset(want, 0x5a, sizeof want);
    for (int lock_first = 0; lock_first < 2; lock_first++) {
        buffer_clear(&m.answer);
        cbor_put_map(&m.answer, 1);
        cbor_put_text(&m.answer, "DescribePCR");
        cbor_put_map(&m.answer, 2);
        if (lock_first) cbor_put_text(&m.answer, "lock"), cbor_put_bool(&m.answer, true);
        cbor_put_text(&m.answer, "data");
        cbor_put_bytes(&m.answer, SPAN(want));
        if (!lock_first) cbor_put_text(&m.answer, "lock"), cbor_put_bool(&m.answer, true);
        CHECK_OK(nsm_pcr(&nsm, 0, pcr));
        CHECK(memcmp(pcr, want, sizeof pcr) == 0);
    }
    module_clear(&m);
}

static int load(void **state)
{
    (void)state;
    file_load(VECTORS "snp/genoa-v3-configfs-tsm/report.bin", &genoa);
    file_load(VECTORS "snp/genoa-v3-configfs-tsm/auxblob.bin", &genoa_table);
    file_load(VECTORS "tdx/v4-b0c06f-uptodate/quote.bin", &tdx4);
    file_load(VECTORS "tdx/v5-90c06f-uptodate/quote.bin", &tdx5);
    file_load(VECTORS "nitro/evervault-nonce/document.cbor", &nitro_document);
    return crypto_init() == APEX_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genoa_machine_replayed_gives_its_report_and_its_certificates),
        cmocka_unit_test(quotes_of_tdx_machines_of_both_versions_come_through),
        cmocka_unit_test(a_busy_kernel_is_asked_again_and_not_for_ever),
        cmocka_unit_test(a_report_somebody_else_wrote_into_is_not_used),
        cmocka_unit_test(an_empty_report_is_a_failure_and_no_evidence),
        cmocka_unit_test(a_report_for_other_bytes_is_refused),
        cmocka_unit_test(what_the_kernel_gets_wrong_is_named_and_ends_at_once),
        cmocka_unit_test(without_configfs_an_snp_guest_asks_its_device),
        cmocka_unit_test(a_host_without_certificates_still_lets_a_report_through),
        cmocka_unit_test(a_host_that_is_always_busy_is_given_up),
        cmocka_unit_test(a_host_that_wants_endless_room_gets_none),
        cmocka_unit_test(an_snp_root_opens_on_its_chip_and_no_other),
        cmocka_unit_test(a_sealed_root_with_any_bit_flipped_or_cut_short_does_not_open),
        cmocka_unit_test(after_new_firmware_an_old_seal_opens_and_is_known_to_be_old),
        cmocka_unit_test(terms_that_leave_the_policy_out_are_not_sealed_or_opened_under),
        cmocka_unit_test(machines_that_cannot_seal_say_so),
        cmocka_unit_test(a_sim_seals_for_its_folder_and_measures_its_own_file),
        cmocka_unit_test(one_like_us_runs_the_same_code_in_all_that_is_measured),
        cmocka_unit_test(one_like_us_has_firmware_no_older_in_any_part),
        cmocka_unit_test(a_nitro_document_comes_through_and_carries_our_bytes_as_user_data),
        cmocka_unit_test(a_nitro_device_that_errs_or_says_something_else_gives_no_evidence),
        cmocka_unit_test(a_nitro_machines_measurement_is_its_pcr0),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
