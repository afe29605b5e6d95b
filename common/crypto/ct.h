/* Constant-time work. Constant time in: the bytes of a and b; the length is public. */
#ifndef COMMON_CRYPTO_CT_H
#define COMMON_CRYPTO_CT_H

#include <stdbool.h>
#include <stddef.h>

bool ct_equal(const void *a, const void *b, size_t len);
bool ct_is_zero(const void *a, size_t len);

#endif
