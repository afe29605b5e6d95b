/* The AMD SEV-SNP attestation report, versions 2 to 5: 1184 bytes, little-endian. Source: AMD
 * publication 56860 (SEV-SNP Firmware ABI), table "ATTESTATION_REPORT Structure". */
#ifndef COMMON_ATTEST_SNP_REPORT_H
#define COMMON_ATTEST_SNP_REPORT_H

#include "common/base/span.h"
#include "include/apex/status.h"

enum {
    SNP_REPORT_LEN = 0x4a0,
    SNP_SIGNED_LEN = 0x2a0, /* the bytes the signature covers */
    SNP_DIGEST_LEN = 48,
    SNP_CHIP_ID_LEN = 64,
    SNP_CSP_ID_MAX = 128
};
enum snp_product { SNP_MILAN, SNP_GENOA, SNP_TURIN, SNP_PRODUCTS };
enum snp_signing_key { SNP_VCEK = 0, SNP_VLEK = 1, SNP_NO_KEY = 7 };

/* POLICY and PLATFORM_INFO bits. */
enum {
    SNP_POLICY_SMT = 16,
    SNP_POLICY_ONE = 17, /* must be one */
    SNP_POLICY_MIGRATE_MA = 18,
    SNP_POLICY_DEBUG = 19,
    SNP_POLICY_SINGLE_SOCKET = 20,
    SNP_POLICY_CXL = 21,
    SNP_POLICY_AES_256_XTS = 22,
    SNP_POLICY_RAPL_DIS = 23,
    SNP_POLICY_CIPHERTEXT_HIDING = 24,
    SNP_POLICY_PAGE_SWAP_DISABLE = 25,
    SNP_POLICY_BITS = 26
};
enum {
    SNP_PLATFORM_SMT = 0,
    SNP_PLATFORM_TSME = 1,
    SNP_PLATFORM_ECC = 2,
    SNP_PLATFORM_RAPL_DIS = 3,
    SNP_PLATFORM_CIPHERTEXT_HIDING = 4,
    SNP_PLATFORM_ALIAS_CHECK = 5
};

/* A TCB_VERSION, component by component. Where a component stands in the eight bytes depends on
 * the product, never on the version of the report. */
struct snp_tcb {
    uint8_t fmc, bootloader, tee, snp, microcode; /* fmc: Turin alone, else 0 */
};
struct snp_version {
    uint8_t major, minor, build;
};

struct snp_report {
    uint32_t version, guest_svn, vmpl;
    uint64_t policy, platform_info;
    uint8_t family_id[16], image_id[16];
    bool author_key_en, mask_chip_key;
    uint8_t signing_key; /* enum snp_signing_key */
    uint8_t report_data[64], measurement[SNP_DIGEST_LEN], host_data[32];
    uint8_t id_key_digest[SNP_DIGEST_LEN], author_key_digest[SNP_DIGEST_LEN];
    uint8_t report_id[32], report_id_ma[32];
    uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* 0 in version 2 */
    uint8_t chip_id[SNP_CHIP_ID_LEN];
    uint8_t current_raw[8], reported_raw[8], committed_raw[8], launch_raw[8];
    struct snp_version current, committed;
    uint64_t launch_mitigations, current_mitigations; /* version 5 */
    uint8_t signature[96];                            /* r || s, big-endian */
    /* Filled once the product is known: snp_report_decode_tcb(). */
    enum snp_product product;
    struct snp_tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
    /* Of the certificate, by the judge: whom a VLEK was given to (a VCEK: empty), and whether a
     * revocation list came along and names none of the chain. */
    char csp_id[SNP_CSP_ID_MAX];
    bool revocation_checked;
};

/* Exactly one report whose reserved fields are zero. APEX_E_FORMAT. Leaves product and the
 * decoded TCBs zero. */
apex_status snp_report_parse(struct span bytes, struct snp_report *r);
/* The TCBs as `product` lays them out. APEX_E_FORMAT: a byte it reserves is not zero. */
apex_status snp_report_decode_tcb(struct snp_report *r, enum snp_product product);
/* The product that CPUID names; APEX_E_NOT_FOUND: none known. Version 3 and later. */
apex_status snp_report_product(const struct snp_report *r, enum snp_product *product);
const char *snp_product_name(enum snp_product product);

/* Every component of `a` is at most that of `b`. */
bool snp_tcb_at_most(const struct snp_tcb *a, const struct snp_tcb *b);
bool snp_tcb_equal(const struct snp_tcb *a, const struct snp_tcb *b);
static inline bool snp_bit(uint64_t field, unsigned bit)
{
    return (field >> bit & 1) != 0;
}

#endif
