/* The register's code: what is deployed, and the Keccak-256 of what then stands at its address.
 */
#ifndef COMMON_CHAIN_REGISTRY_CODE_H
#define COMMON_CHAIN_REGISTRY_CODE_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t registry_code_hash[32];
extern const uint8_t registry_creation[];
extern const size_t registry_creation_len;

#endif
