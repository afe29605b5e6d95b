/* What the bytes of every model are made of: CBOR, with arrays of numbers as they lie in
 * memory, little-endian. Parsing: APEX_E_FORMAT. */
#ifndef CONTRACTS_LIB_MODEL_BYTES_H
#define CONTRACTS_LIB_MODEL_BYTES_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"
#include "contracts/lib/release.h"

void model_put_doubles(struct buffer *out, const double *x, size_t n);
apex_status model_doubles(struct cursor *c, double *x, size_t n);
/* Exactly len bytes. */
apex_status model_array(struct cursor *c, void *to, size_t len);
/* A cell's rows, by party; read back, it is judged. */
void model_put_cell(struct buffer *out, const struct release_rules *rules,
                    const struct release_cell *cell);
apex_status model_cell(struct cursor *c, const struct release_rules *rules,
                       struct release_cell *cell);

#endif
