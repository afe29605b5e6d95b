/* Counters and one histogram, in Prometheus's text format 0.0.4. Any thread; no lock. */
#ifndef HOST_DAEMON_METRICS_H
#define HOST_DAEMON_METRICS_H

#include "host/daemon/http.h"

#include <stdatomic.h>

enum { CODE_FIRST = 100, CODE_LAST = 599, LATENCY_BUCKETS = 12 };

struct metrics {
    _Atomic uint64_t requests[N_ROUTES][CODE_LAST - CODE_FIRST + 1];
    _Atomic uint64_t bytes_in, bytes_out;
    _Atomic uint64_t latency[LATENCY_BUCKETS + 1]; /* the last: slower than all */
    _Atomic uint64_t latency_sum_us;
    _Atomic uint64_t cut; /* connections closed because their sender was too slow */
};

/* code 0: the connection died before an answer was chosen. */
void metrics_request(struct metrics *m, enum route route, unsigned code, uint64_t bytes_in,
                     uint64_t bytes_out);
void metrics_message(struct metrics *m, uint64_t us);
/* Appends the text of what is counted here. */
void metrics_write(struct metrics *m, struct buffer *out);

/* For figures kept elsewhere: "# HELP", "# TYPE" and the value; or one more line of a metric
 * with a label. */
void metrics_put(struct buffer *out, const char *name, const char *type, const char *help,
                 uint64_t value);
void metrics_head(struct buffer *out, const char *name, const char *type, const char *help);
void metrics_labelled(struct buffer *out, const char *name, const char *label,
                      const char *label_value, uint64_t value);

#endif
