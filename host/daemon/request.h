/* One HTTP request on its way, and the answers it can get. A request belongs to its
 * connection's thread; handlers may block. An answer is chosen once; the first one stands.
 * Every answer that is not 2xx is JSON {"error": what happened, "next": what to do}. */
#ifndef HOST_DAEMON_REQUEST_H
#define HOST_DAEMON_REQUEST_H

#include "host/daemon/clock.h"
#include "host/daemon/host.h"
#include "host/daemon/http.h"

#include <microhttpd.h>

enum method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_POST };

struct request {
    struct host *host;
    struct MHD_Connection *connection;
    struct target target;
    enum method method;
    bool has_length;       /* Content-Length was given */
    uint64_t body_len;     /* its value */
    struct buffer body;    /* POST */
    struct upload *upload; /* PUT */
    unsigned code;         /* 0: no answer chosen yet */
    struct MHD_Response *response;
    uint64_t bytes_in, bytes_out;
    int64_t began_us;
};

const char *request_header(struct request *r, const char *name); /* NULL when it was not sent */

void answer_error(struct request *r, unsigned code, const char *error, const char *next);
void answer_json(struct request *r, unsigned code, const char *json);
void answer_bytes(struct request *r, const char *type, struct span bytes); /* 200, copied */
void answer_response(struct request *r, unsigned code, struct MHD_Response *response,
                     uint64_t len); /* taken over; NULL: no memory */
void answer_header(struct request *r, const char *name,
                   const char *value);                  /* after the answer was chosen */
void answer_offset(struct request *r, uint64_t offset); /* Upload-Offset */
/* For what went wrong with the disk or with us, where no better words are known. */
void answer_status(struct request *r, apex_status s);

/* What a route does: `begin` when the head is there (may be NULL), `data` for each piece of the
 * body (NULL: bodies are not wanted), `end` when all is there. Each may choose the answer;
 * after `end` there is one. */
struct route_door {
    const char *methods; /* as in Allow */
    void (*begin)(struct request *r);
    void (*data)(struct request *r, struct span bytes);
    void (*end)(struct request *r);
};
extern const struct route_door route_doors[N_ROUTES];

/* The routes' files. */
void message_begin(struct request *r);
void message_data(struct request *r, struct span bytes);
void message_end(struct request *r);
void attestation_end(struct request *r);
void checkpoint_end(struct request *r);
void witnessed_end(struct request *r);
void tile_end(struct request *r);
void blob_begin(struct request *r);
void blob_data(struct request *r, struct span bytes);
void blob_end(struct request *r);
void run_end(struct request *r);
void run_events_end(struct request *r);
void healthz_end(struct request *r);
void metrics_end(struct request *r);

#endif
