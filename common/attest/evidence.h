/* The envelope around every kind of evidence, and the sim's report. Parsing believes nothing;
 * judging is attest.c's. */
#ifndef COMMON_ATTEST_EVIDENCE_H
#define COMMON_ATTEST_EVIDENCE_H

#include "common/attest/attest.h"

struct evidence {
    struct span tee, report, supplements;
};
struct sim_report {
    uint8_t measurement[32], report_data[REPORT_DATA_LEN];
    uint64_t time_ms;
};

apex_status evidence_parse(struct span bytes, struct evidence *e);
/* The kind of bare evidence by its first bytes and length; NULL: none known. A guess: the judge
 * of that kind decides. */
const char *evidence_guess(struct span bytes);
apex_status sim_report_parse(struct span bytes, struct sim_report *r);

#endif
