#include "host/daemon/metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* Upper bounds in microseconds: from a cached answer to the longest wait. */
static const uint64_t bounds_us[LATENCY_BUCKETS] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 30000000};

void metrics_request(struct metrics *m, enum route route, unsigned code, uint64_t bytes_in,
                     uint64_t bytes_out)
{
    if (code >= CODE_FIRST && code <= CODE_LAST)
        atomic_fetch_add(&m->requests[route][code - CODE_FIRST], 1);
    atomic_fetch_add(&m->bytes_in, bytes_in);
    atomic_fetch_add(&m->bytes_out, bytes_out);
}

void metrics_message(struct metrics *m, uint64_t us)
{
    size_t i = 0;
    while (i < LATENCY_BUCKETS && us > bounds_us[i])
        i++;
    atomic_fetch_add(&m->latency[i], 1);
    atomic_fetch_add(&m->latency_sum_us, us);
}

void metrics_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    char text[256];
    snprintf(text, sizeof text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    buffer_text(out, text);
}

void metrics_put(struct buffer *out, const char *name, const char *type, const char *help,
                 uint64_t value)
{
    char text[128];
    metrics_head(out, name, type, help);
    snprintf(text, sizeof text, "%s %" PRIu64 "\n", name, value);
    buffer_text(out, text);
}

void metrics_labelled(struct buffer *out, const char *name, const char *label,
                      const char *label_value, uint64_t value)
{
    char text[192];
    snprintf(text, sizeof text, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, label_value, value);
    buffer_text(out, text);
}

static void requests_write(struct metrics *m, struct buffer *out)
{
    char text[192];
    metrics_head(out, "apexd_requests_total", "counter",
                 "Requests answered, by route and status code.");
    for (unsigned r = 0; r < N_ROUTES; r++)
        for (unsigned c = 0; c <= CODE_LAST - CODE_FIRST; c++) {
            uint64_t n = atomic_load(&m->requests[r][c]);
            if (n == 0) continue;
            snprintf(text, sizeof text,
                     "apexd_requests_total{route=\"%s\",code=\"%u\"} %" PRIu64 "\n",
                     route_name((enum route)r), c + CODE_FIRST, n);
            buffer_text(out, text);
        }
}

static void latency_write(struct metrics *m, struct buffer *out)
{
    static const char name[] = "apexd_message_seconds";
    char text[192];
    uint64_t n = 0;
    metrics_head(out, name, "histogram",
                 "Time from a message's last byte to the enclave's reply.");
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        n += atomic_load(&m->latency[i]);
        snprintf(text, sizeof text, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                 (double)bounds_us[i] / 1e6, n);
        buffer_text(out, text);
    }
    n += atomic_load(&m->latency[LATENCY_BUCKETS]);
    snprintf(text, sizeof text,
             "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n", name, n,
             name, (double)atomic_load(&m->latency_sum_us) / 1e6, name, n);
    buffer_text(out, text);
}

void metrics_write(struct metrics *m, struct buffer *out)
{
    requests_write(m, out);
    metrics_put(out, "apexd_received_bytes_total", "counter",
                "Bytes of request bodies taken in.", atomic_load(&m->bytes_in));
    metrics_put(out, "apexd_sent_bytes_total", "counter", "Bytes of answers given out.",
                atomic_load(&m->bytes_out));
    metrics_put(out, "apexd_slow_senders_total", "counter",
                "Connections closed because their sender was too slow.", atomic_load(&m->cut));
    latency_write(m, out);
}
