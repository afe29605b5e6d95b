#include "common/crypto/ct.h"

#include <sodium.h>

bool ct_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || sodium_memcmp(a, b, len) == 0;
}

bool ct_is_zero(const void *a, size_t len)
{
    return len == 0 || sodium_is_zero(a, len) == 1;
}
