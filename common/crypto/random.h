/* The system's generator, and the start of the crypto library. */
#ifndef COMMON_CRYPTO_RANDOM_H
#define COMMON_CRYPTO_RANDOM_H

#include "include/apex/status.h"
#include <stddef.h>

/* Once, before anything else of common/crypto. */
apex_status crypto_init(void);
void random_bytes(void *out, size_t len);

/* Memory for keys: guarded, locked where the system lets us, wiped on free. NULL when there is
 * none. */
void *secret_alloc(size_t len);
void secret_free(void *secret);

#endif
