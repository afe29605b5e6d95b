/* Of the rows of tests/real_data.h: the number to be foretold, and which enterprise holds them,
 * by the rule in ../shared/data/manifest.json. */
#ifndef TESTS_REAL_OWNER_H
#define TESTS_REAL_OWNER_H

#include "tests/real_data.h"

struct real_owner {
    size_t n_owners;
    double *target;  /* n: the target column as a number (0 for a text) */
    uint32_t *owner; /* n: below n_owners */
};
struct real_owner real_owner_open(const struct real_data *data);
void real_owner_close(struct real_owner *owner);

#endif
