#include "common/crypto/random.h"

#include <sodium.h>

apex_status crypto_init(void)
{
    return sodium_init() < 0 ? APEX_E_IO : APEX_OK; /* 1 says it was done before */
}

void random_bytes(void *out, size_t len)
{
    if (len) randombytes_buf(out, len);
}

void *secret_alloc(size_t len)
{
    void *secret = sodium_malloc(len);
    if (secret && len) sodium_memzero(secret, len); /* libsodium fills it with 0xdb */
    return secret;
}

void secret_free(void *secret)
{
    sodium_free(secret);
}
