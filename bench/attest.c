/* How long judging one piece of evidence takes, from bytes to verdict with nothing kept
 * between, in CPU time, beside the peer: OpenSSL checking as many bare signatures of the same
 * kind in the same run, which no verifier can do without. Median of ROUNDS.
 *     build/bench/bench_attest [FOLDER of vectors] */
#include "common/attest/attest.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 200, FILE_MOST = 64 * 1024 };

static const struct measured {
    const char *name, *tee, *report;
    struct {
        enum supplement part;
        const char *file;
    } parts[8];
    const char *at; /* seconds since 1970 */
    double goal_ms;
    int signatures; /* that have to be checked: certificates, lists, documents, report */
    const char *algorithm;
} all[] = {
    {"SEV-SNP report (v5, Turin) with chain",
     "sev-snp",
     "snp/turin-v5-microsoft/report.bin",
     {{SUPPLEMENT_CERTIFICATES, "snp/turin-v5-microsoft/leaf.pem"}},
     "1793491200",
     2,
     1,
     "P-384"},
    {"Nitro document with chain",
     "nitro",
     "nitro/dstack-indefinite-map/document.cbor",
     {{0, NULL}},
     "1766668537",
     10,
     5,
     "P-384"},
    {"TDX quote (v5) with collateral",
     "tdx",
     "tdx/v5-90c06f-uptodate/quote.bin",
     {{SUPPLEMENT_TCB_INFO, "collateral/tdx-90c06f-2026-02/tcb_info.json"},
      {SUPPLEMENT_QE_IDENTITY, "collateral/tdx-90c06f-2026-02/qe_identity.json"},
      {SUPPLEMENT_TCB_SIGNING, "roots/intel/sgx_tcb_signing_2025_2032.pem"},
      {SUPPLEMENT_PCK_CRL, "collateral/tdx-90c06f-2026-02/pck_crl.der"},
      {SUPPLEMENT_ROOT_CA_CRL, "collateral/tdx-90c06f-2026-02/root_ca_crl.der"}},
     "1771977600",
     5,
     9,
     "P-256"},
    {"SGX quote (v3) with collateral",
     "sgx",
     "sgx/sgx-v3-00a067-cfg-swh/quote.bin",
     {{SUPPLEMENT_TCB_INFO, "collateral/sgx-00a067-2025-06/tcb_info.json"},
      {SUPPLEMENT_QE_IDENTITY, "collateral/sgx-00a067-2025-06/qe_identity.json"},
      {SUPPLEMENT_TCB_SIGNING, "roots/intel/sgx_tcb_signing_2025_2032.pem"},
      {SUPPLEMENT_PCK_CRL, "collateral/sgx-00a067-2025-06/pck_crl.der"},
      {SUPPLEMENT_ROOT_CA_CRL, "collateral/sgx-00a067-2025-06/root_ca_crl.der"}},
     "1750809600",
     5,
     9,
     "P-256"},
};

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct span load(const char *folder, const char *name)
{
    char path[512];
    uint8_t *bytes = malloc(FILE_MOST);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f || !bytes) {
        fprintf(stderr, "bench_attest: %s cannot be read\n", path);
        exit(2);
    }
    struct span got = span_of(bytes, fread(bytes, 1, FILE_MOST, f));
    fclose(f);
    return got;
}

static double judged_ms(const struct measured *m, const struct judging *j)
{
    static struct verdict v;
    static double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double begun = cpu_ms();
        attest_examine(m->tee, j, &v);
        ms[i] = cpu_ms() - begun;
        if (!v.genuine) {
            fprintf(stderr, "bench_attest: %s: %s\n", m->name, reason_name(v.reason));
            exit(1);
        }
    }
    qsort(ms, ROUNDS, sizeof *ms, order);
    return ms[ROUNDS / 2];
}

static double bare_ms(const char *curve, int n)
{
    static const uint8_t message[512];
    static double ms[ROUNDS];
    uint8_t signature[160];
    size_t len = sizeof signature;
    EVP_PKEY *key = EVP_EC_gen(curve);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool fine = key && c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(c, signature, &len, message, sizeof message) == 1;
    for (int i = 0; fine && i < ROUNDS; i++) {
        double begun = cpu_ms();
        for (int k = 0; fine && k < n; k++)
            fine = EVP_MD_CTX_reset(c) == 1 &&
                   EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestVerify(c, signature, len, message, sizeof message) == 1;
        ms[i] = cpu_ms() - begun;
    }
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    if (!fine) exit(1);
    qsort(ms, ROUNDS, sizeof *ms, order);
    return ms[ROUNDS / 2];
}

static void measure(const struct measured *m, const char *folder)
{
    struct judging j = {.report = load(folder, m->report),
                        .at_ms = strtoull(m->at, NULL, 10) * 1000};
    for (size_t i = 0; i < 8 && m->parts[i].file; i++)
        j.supplements.part[m->parts[i].part] = load(folder, m->parts[i].file);
    double ours = judged_ms(m, &j), bare = bare_ms(m->algorithm, m->signatures);
    printf("  %-34s %6.3f ms  %d bare %s signatures %6.3f ms  ratio %4.2f  goal %.0f ms%s\n",
           m->name, ours, m->signatures, m->algorithm, bare, ours / bare, m->goal_ms,
           ours <= m->goal_ms ? "" : "  MISSED");
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "../shared/vectors/attestation";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        measure(&all[i], folder);
    return 0;
}
