/* How far runs are, as the enclave's events last said: hints for people who wait, forgotten at
 * restart and when newer runs push them out. The truth is the log. */
#ifndef HOST_DAEMON_RUNS_H
#define HOST_DAEMON_RUNS_H

#include "common/wire/message.h"

struct run_hint {
    uint64_t run;
    unsigned state; /* enum run_state; 0 unknown */
    unsigned permille;
    uint64_t entry; /* of the result or refusal; 0 while there is none */
};
enum { RUN_UNKNOWN = 0, RUN_STATES = RUN_FAILED + 1, RUNS_MAX = 4096, RUN_JSON_MAX = 160 };

bool run_hint_ok(const struct run_hint *hint); /* state and permille are in range */
bool run_ended(const struct run_hint *hint);
const char *run_state_name(unsigned state); /* "running" and its kin; "unknown" for any other */
/* {"run":7,"state":"running","task":"running","permille":250,"entry":0} */
void run_json(const struct run_hint *hint, char json[static RUN_JSON_MAX]);

struct runs;
apex_status runs_new(struct runs **runs);
void runs_free(struct runs *runs);
void runs_put(struct runs *runs, const struct run_hint *hint);
/* What the enclave answered to a question asked when `known` was all that was known: events
 * that came meanwhile may be newer, and stay. */
void runs_put_answer(struct runs *runs, const struct run_hint *known,
                     const struct run_hint *answer);
/* state RUN_UNKNOWN when nothing is known. */
void runs_get(struct runs *runs, uint64_t run, struct run_hint *hint);
/* Waits until what is known of the run differs from *hint, the time is up or runs_stop was
 * called; false unless it differs. */
bool runs_wait(struct runs *runs, struct run_hint *hint, int64_t timeout_ms);
/* The enclave is gone: what is known of unfinished runs is worth nothing. */
void runs_forget_open(struct runs *runs);
void runs_stop(struct runs *runs); /* wakes all waiters, for good */
bool runs_stopped(struct runs *runs);
void runs_count(struct runs *runs, uint64_t by_state[static RUN_STATES]);

#endif
