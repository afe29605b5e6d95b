/* What a trust policy may ask of a genuine SEV-SNP report beyond its measurement. In the
 * policy, beside "measurements" of an accept entry for sev-snp:
 *
 *   "snp": {
 *     "minimum_tcb": {"milan": {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219},
 *                     "turin": {"fmc": 1, "bootloader": 1, ...}},
 *                                  of the firmware reported, component by component; when
 * given, a product that is not named is refused "minimum_launch_tcb": {...},  the same, of the
 * firmware the guest was started under "minimum_firmware": "1.55.29", "minimum_guest_svn": 2,
 * "maximum_vmpl": 0, "mitigations": 11 (bits that must be set), "allow": ["debug", "migration",
 * "smt", "cxl", "masked-chip", "provisional-firmware", "vmpl"],            each is refused
 * unless named (vmpl: any, as host-requested) "require": ["single-socket", "aes-256-xts",
 * "rapl-off", "ciphertext-hiding", "page-swap-disable", "smt-off", "tsme", "ecc",
 * "alias-check", "author-key"], "providers": ["CN=cc-us-east-2.amazonaws.com"],   whose VLEK is
 * accepted; none unless named "revocation": true,           AMD's revocation list must have
 * come along "host_data": ["<64 hex>", ...], "id_keys": ["<96 hex>", ...], "author_keys":
 * [...], "family_ids": ["<32 hex>", ...], "image_ids": [...], "chips": ["<128 hex>", ...] } one
 * of these, each where given
 *
 * All of it may be left out: then only a guest without debug, migration and SMT, on VMPL 0,
 * under a chip's own key, on committed firmware, is accepted.
 * Source: go-sev-guest, validate.Options; shared/attestation.md section 1, checks 5 to 10. */
#ifndef COMMON_ATTEST_SNP_RULES_H
#define COMMON_ATTEST_SNP_RULES_H

#include "common/attest/snp_report.h"

struct reader;
struct verdict;

enum { SNP_VALUES_MAX = 8 };
enum snp_allowance {
    SNP_ALLOW_DEBUG = 1 << 0,
    SNP_ALLOW_MIGRATION = 1 << 1,
    SNP_ALLOW_SMT = 1 << 2,
    SNP_ALLOW_CXL = 1 << 3,
    SNP_ALLOW_MASKED_CHIP = 1 << 4,
    SNP_ALLOW_PROVISIONAL = 1 << 5,
    SNP_ALLOW_VMPL = 1 << 6
};
enum snp_requirement {
    SNP_REQUIRE_SINGLE_SOCKET,
    SNP_REQUIRE_AES_256_XTS,
    SNP_REQUIRE_RAPL_OFF,
    SNP_REQUIRE_CIPHERTEXT_HIDING,
    SNP_REQUIRE_PAGE_SWAP_DISABLE,
    SNP_REQUIRE_SMT_OFF,
    SNP_REQUIRE_TSME,
    SNP_REQUIRE_ECC,
    SNP_REQUIRE_ALIAS_CHECK,
    SNP_REQUIRE_AUTHOR_KEY,
    SNP_REQUIREMENTS
};
enum snp_field {
    SNP_FIELD_HOST_DATA,
    SNP_FIELD_ID_KEY,
    SNP_FIELD_AUTHOR_KEY,
    SNP_FIELD_FAMILY_ID,
    SNP_FIELD_IMAGE_ID,
    SNP_FIELD_CHIP,
    SNP_FIELDS
};
struct snp_minimum {
    uint32_t named; /* bit 1 << product; 0: not asked */
    struct snp_tcb tcb[SNP_PRODUCTS];
};

/* All zeros is the strictest that asks for nothing by value. */
struct snp_rules {
    struct snp_minimum tcb, launch_tcb;
    bool has_firmware;
    struct snp_version firmware;
    uint32_t guest_svn, vmpl;
    uint64_t mitigations;
    uint32_t allowed, required; /* enum snp_allowance; bits 1 << enum snp_requirement */
    bool revocation;
    size_t n_providers;
    char providers[SNP_VALUES_MAX][SNP_CSP_ID_MAX];
    struct {
        size_t n; /* 0: not asked */
        uint8_t at[SNP_VALUES_MAX][SNP_CHIP_ID_LEN];
    } fields[SNP_FIELDS];
};

/* Bytes of a field in the report. */
size_t snp_field_len(enum snp_field field);
/* Reads the object above; unknown keys are refused. */
apex_status snp_rules_read(struct reader *r, struct snp_rules *rules);
/* Adds a check for every question; true when all are answered well. */
bool snp_rules_hold(const struct snp_rules *rules, const struct snp_report *report,
                    struct verdict *v);

#endif
