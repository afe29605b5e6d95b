#include "contracts/lib/fault.h"

#include "contracts/lib/run.h"

#include <stdio.h>
#include <unistd.h>

static const struct {
    enum num_fault fault;
    enum apex_refusal refusal;
    const char *words;
} known[] = {
    {NUM_NO_ROWS, APEX_REFUSE_NO_DATA, "no row counts: cells are missing, or weights are 0"},
    {NUM_FEWER_THAN_K, APEX_REFUSE_K, "there are fewer rows than k"},
    {NUM_ONE_CLASS, APEX_REFUSE_OTHER,
     "all rows are of one class: there is nothing to tell apart"},
    {NUM_EMPTY_CLASS, APEX_REFUSE_OTHER, "a class has too few rows to learn from"},
    {NUM_CONSTANT, APEX_REFUSE_OTHER, "a column has one value where two are needed"},
    {NUM_SINGULAR, APEX_REFUSE_OTHER,
     "columns depend on each other; leave one out, or add a penalty"},
    {NUM_NOT_FINITE, APEX_REFUSE_OTHER, "a number is not finite"},
    {NUM_RANGE, APEX_REFUSE_OTHER, "numbers are too large to be summed exactly"},
    {NUM_OPTION, APEX_REFUSE_PARAMETER, "an option is out of its range"},
    {NUM_NOT_CONVERGED, APEX_REFUSE_OTHER, "it did not converge; add a penalty or rounds"},
    {NUM_NO_POSITIVE, APEX_REFUSE_OTHER, "there are not rows of both kinds"},
    {NUM_BUDGET, APEX_REFUSE_OTHER, "the privacy budget does not allow it"},
};

void fault_refuse(struct apex_run *run, apex_status status, const struct num_place *place)
{
    char words[120];
    if (status == APEX_OK) return;
    if (status == APEX_E_MEMORY) _exit(RUN_EXIT_MEMORY);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (place->fault != known[i].fault) continue;
        snprintf(words, sizeof words, "%s (at %zu)", known[i].words, place->at);
        apex_refuse(run, known[i].refusal, words);
    }
    _exit(RUN_EXIT_BROKEN);
}
