#include "common/attest/evidence.h"
#include "common/attest/judge.h"

/* For the sim: well-formed, and made for these very keys; nothing more can be known. */
bool sim_judge(const struct judging *j, struct verdict *v)
{
    struct sim_report r;
    bool bare = true;
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        bare = bare && j->supplements.part[i].len == 0;
    if (!verdict_check(v, "no-supplements", bare, REASON_MALFORMED,
                       "a simulated enclave carries no certificates") ||
        !verdict_check(v, "evidence-form", sim_report_parse(j->report, &r) == APEX_OK,
                       REASON_MALFORMED, "the report has the agreed form") ||
        !judge_binding(j, SPAN(r.report_data), REASON_REPORT_DATA_MISMATCH, v))
        return false;
    verdict_not_asked(v, "hardware", "no hardware vouches for a simulated enclave");
    memcpy(v->measurement, r.measurement, sizeof r.measurement);
    v->measurement_len = sizeof r.measurement;
    v->time_ms = r.time_ms;
    return true;
}
