/* Checks a file and seals it in one pass into a spool that never holds plaintext. */
#ifndef CLIENT_LIB_SEAL_TABLE_H
#define CLIENT_LIB_SEAL_TABLE_H

#include "client/lib/reader.h"
#include "common/attest/attest.h"
#include "common/crypto/hash.h"
#include "include/apex/apex.h"

struct sealed_file {
    int fd;
    uint64_t size;
    uint8_t digest[HASH_LEN];
}; /* fd: an unnamed file; close it */
struct seal_to {
    const struct verified_enclave *enclave;
    struct seal_public contract;
    const uint8_t *address;
    const char *dataset;
    const uint8_t *author;
};
/* Only a verified enclave's contract can be sealed to. APEX_E_DATA with the report filled:
 * nothing is kept. */
apex_status seal_table(const char *path, const struct manifest_dataset *schema,
                       const struct seal_to *to, const struct apex_rows_options *options,
                       struct apex_rows_report *report, struct sealed_file *sealed,
                       struct apex_error *error);
/* Checks only. */
apex_status check_table(const char *path, const struct manifest_dataset *schema,
                        const struct apex_rows_options *options,
                        struct apex_rows_report *report, struct apex_error *error);

#endif
