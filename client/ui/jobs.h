/* What the page asked for and is under way, or has ended: each is one `apex` process. They live
 * here, not in the page: a page that is loaded again finds them.
 *
 *     running → done (exit 0) | failed (another exit) | cancelled (ended by the page's wish)
 *
 * The thread that hears a child out moves its job; anyone may ask for the end of a running one.
 */
#ifndef CLIENT_UI_JOBS_H
#define CLIENT_UI_JOBS_H

#include "client/ui/acts.h"

struct jobs;
struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs); /* ends those that run */

/* Starts what the request asks for, unless its "once" was seen before: then it gives the job of
 * that time. 0: *why says what is wrong. */
uint64_t jobs_start(struct jobs *jobs, const struct place *place, const json_t *request,
                    const char **why);
/* Waits until the job has ended, at most so long. */
void jobs_wait(struct jobs *jobs, uint64_t id, int timeout_ms);
void jobs_cancel(struct jobs *jobs, uint64_t id);
json_t *jobs_show(struct jobs *jobs, uint64_t id);          /* NULL: there is none */
json_t *jobs_list(struct jobs *jobs, const char *place_id); /* without their answers */
/* The file a job wrote, if it is done and still there. */
bool jobs_output(struct jobs *jobs, uint64_t id, char path[static PLACE_PATH_MAX]);

#endif
