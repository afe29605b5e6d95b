/* Rows as they would be sealed, written for their owner to look at: CSV, the dataset's columns
 * by name, places in degrees, days as dates, a missing cell empty, a quoted cell as RFC 4180
 * says. */
#ifndef CLIENT_LIB_ROWS_COPY_H
#define CLIENT_LIB_ROWS_COPY_H

#include "common/wire/table.h"

#include <stdio.h>

void rows_copy_header(const struct manifest_dataset *schema, FILE *out);
/* One group, as the table writer made it (64-byte aligned, lent). APEX_E_BUG: it is not one. */
apex_status rows_copy_group(struct span group, FILE *out);

#endif
