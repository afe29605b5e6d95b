/* One HTTP request to the page's server, from its head to its answer. */
#ifndef CLIENT_UI_REQUEST_H
#define CLIENT_UI_REQUEST_H

#include "client/ui/gate.h"
#include "client/ui/jobs.h"
#include "client/ui/room.h"
#include "client/ui/ui.h"
#include "client/ui/watch.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum { BODY_MAX = 1 << 20, PARTS_MAX = 6, PART_MAX = 128 };

struct ui {
    const struct ui_options *options;
    struct gate gate;
    struct place own;
    struct jobs *jobs;
    struct watch *watch;
    struct room *room;
    pthread_mutex_t lock; /* over own, gate and preferences */
    char theme[8], units[12];
    _Atomic bool ends;
};

struct request {
    struct ui *ui;
    struct MHD_Connection *connection;
    const char *method;
    char part[PARTS_MAX][PART_MAX]; /* of the path, between slashes */
    size_t n_parts;
    char *body;
    size_t body_len;
    bool too_long;
    int upload; /* where the body goes instead; -1: nowhere */
    uint64_t upload_len;
    bool upload_failed;
    char upload_id[PLACE_ID_LEN + 1];
    struct place place; /* id "": the path names none */
};

typedef enum MHD_Result answered;

/* Answers; each may be called once a request. Text is copied. */
answered answer_bytes(struct request *r, unsigned status, const char *type, const void *bytes,
                      size_t len, bool gzip, bool keep);
answered answer_text(struct request *r, unsigned status, const char *type, const char *text);
answered answer_json(struct request *r, unsigned status, json_t *tree); /* takes the tree */
answered answer_error(struct request *r, unsigned status, const char *what, const char *next);
answered answer_file(struct request *r, const char *type, const char *path);
const char *request_header(const struct request *r, const char *name);
const char *request_query(const struct request *r, const char *name);

/* Before the body: where it goes. NULL, or why there is no need to read it. */
const char *route_begin(struct request *r);
answered route(struct request *r);

#endif
