/* What this client thinks of each place's node, kept fresh while somebody looks: `apex trust
 * check`, again and again, ever in the background. A check that takes long is made less often.
 */
#ifndef CLIENT_UI_WATCH_H
#define CLIENT_UI_WATCH_H

#include "client/ui/places.h"

struct watch;
struct watch *watch_new(void);
void watch_free(struct watch *watch);
/* {"word": …, "checked_ms": …, "took_ms": …, "line": …, "verdict" or "error": …}. word:
 * verified, simulated, stale, mismatch, unreachable, unpinned (no policy yet), unset (no node
 * named), or checking (the first is under way; it is waited for a moment). */
json_t *watch_verdict(struct watch *watch, const struct place *place);

#endif
