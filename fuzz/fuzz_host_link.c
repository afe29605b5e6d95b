/* Whatever an enclave writes into the link, the host's end survives it: it serves until the
 * stream ends or breaks the form. */
#include "host/daemon/link.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WRITE_MAX = 60000
}; /* fits the socket's buffer, so that one thread can play both ends */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void on_call(void *context, struct span call, struct buffer *answer)
{
    (void)context;
    buffer_append(answer, span_of(call.data, call.len < 16 ? call.len : 16));
}

static void on_event(void *context, const struct run_hint *hint)
{
    (void)context;
    if (!run_hint_ok(hint)) abort();
}

static void on_answered(void *context)
{
    (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct link *link;
    const struct link_owner owner = {NULL, on_call, on_event, on_answered};
    int pair[2];
    if (!link && link_new(&owner, &link) != APEX_OK) abort();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) abort();
    if (len > WRITE_MAX) len = WRITE_MAX;
    if (len && write(pair[1], data, len) != (ssize_t)len) abort();
    shutdown(pair[1], SHUT_WR);
    apex_status s = link_run(link, pair[0], SPAN_TEXT("greeting"));
    if (s != APEX_E_FORMAT && s != APEX_E_UNREACHABLE) abort();
    close(pair[1]);
    return 0;
}
