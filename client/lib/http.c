#include "client/lib/http.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum {
    URL_MAX_LEN = 1024,
    TRIES = 5,
    STRETCH = 32 << 20,
    PAUSE_US = 200000,
    LONG_PAUSE_US = 500000,
    PATIENCE_US = 60000000
};

struct http {
    CURL *curl;
    char url[URL_MAX_LEN];
    struct buffer *answer;
    size_t max;
    bool too_long, has_offset;
    uint64_t offset; /* Upload-Offset of the last answer */
    int fd;          /* upload */
    uint64_t at, left, first, total;
    apex_progress_fn progress;
    void *context;
};

static size_t take_body(char *bytes, size_t one, size_t n, void *context)
{
    struct http *h = context;
    if (!h->answer) return one * n;
    if (h->answer->len + one * n > h->max) {
        h->too_long = true;
        return 0;
    }
    buffer_append(h->answer, span_of(bytes, one * n));
    return buffer_ok(h->answer) == APEX_OK ? one * n : 0;
}

static size_t take_header(char *line, size_t one, size_t n, void *context)
{
    struct http *h = context;
    static const char name[] = "upload-offset:";
    if (one * n > sizeof name && strncasecmp(line, name, sizeof name - 1) == 0) {
        h->offset = strtoull(line + sizeof name - 1, NULL, 10);
        h->has_offset = true;
    }
    return one * n;
}

static size_t give_body(char *room, size_t one, size_t n, void *context)
{
    struct http *h = context;
    size_t want = one * n < h->left ? one * n : (size_t)h->left;
    if (want == 0) return 0;
    ssize_t got = pread(h->fd, room, want, (off_t)h->at);
    if (got <= 0) return CURL_READFUNC_ABORT;
    h->at += (uint64_t)got;
    h->left -= (uint64_t)got;
    if (h->progress) h->progress(h->context, "sending", h->at, h->total);
    return (size_t)got;
}

apex_status http_open(const char *url, struct http **http, struct apex_error *error)
{
    size_t len = strlen(url);
    const char *host = strncmp(url, "http://", 7) == 0    ? url + 7
                       : strncmp(url, "https://", 8) == 0 ? url + 8
                                                          : "";
    /* Of a path after no host the library takes the first name for one. */
    if (len >= URL_MAX_LEN || *host == 0 || *host == '/')
        return apex_fail(
            error, APEX_E_USAGE,
            "the node's address is not of the form http://HOST:PORT or https://HOST",
            "nothing was sent", "give it with --node or APEX_NODE", "you");
    struct http *h = calloc(1, sizeof *h);
    if (!h || !(h->curl = curl_easy_init())) {
        free(h);
        return apex_fail_memory(error);
    }
    snprintf(h->url, sizeof h->url, "%s", url);
    while (len > 0 && h->url[len - 1] == '/')
        h->url[--len] = 0;
    *http = h;
    return APEX_OK;
}

void http_close(struct http *http)
{
    if (!http) return;
    curl_easy_cleanup(http->curl);
    free(http);
}

static void begin(struct http *h, const char *path)
{
    char url[URL_MAX_LEN + 256];
    curl_easy_reset(h->curl); /* keeps the connection */
    snprintf(url, sizeof url, "%s%s", h->url, path);
    curl_easy_setopt(h->curl, CURLOPT_URL, url);
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_TIME, 120L);
    curl_easy_setopt(h->curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, h);
    h->has_offset = h->too_long = false;
    h->offset = 0;
}

static apex_status judge(struct http *h, CURLcode code, struct apex_error *error)
{
    long status = 0;
    char what[240];
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    if (h->too_long)
        return apex_fail(error, APEX_E_LIMIT, "the node's answer is longer than it may be",
                         "it was not used", "tell the operator", "the operator");
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR &&
                              status >= 400)) { /* a refusal may come before all is sent */
        snprintf(what, sizeof what, "the node at %.120s does not answer: %s", h->url,
                 curl_easy_strerror(code));
        return apex_fail(error, APEX_E_UNREACHABLE, what,
                         "nothing was recorded as far as is known; trying again is safe",
                         "try again; check the address and the network", "the operator");
    }
    if (status >= 200 && status < 300) return APEX_OK;
    snprintf(what, sizeof what, "the node at %.120s answered %ld", h->url, status);
    if (status == 404)
        return apex_fail(error, APEX_E_NOT_FOUND, what, "nothing was done",
                         "check what was asked for", "you");
    if (status == 507 || status == 413)
        return apex_fail(error, APEX_E_LIMIT,
                         status == 507
                             ? "the node's disk is full, or promised to uploads under way"
                             : "the node does not take so much",
                         "nothing was recorded",
                         status == 507 ? "try again later; if that does not help, the operator "
                                         "has to make room"
                                       : "send less at once, or ask the operator to take more",
                         "the operator");
    if (status == 503 || status == 429 || status == 502)
        return apex_fail(error, APEX_E_UNREACHABLE,
                         "the node is up, but its enclave does not answer",
                         "nothing was recorded as far as is known; trying again is safe",
                         "try again later", "the operator");
    if (status == 409)
        return apex_fail(error, APEX_E_USAGE, what, "nothing was done", "try again",
                         "the operator");
    if (status == 422)
        return apex_fail(error, APEX_E_UNREACHABLE,
                         "what arrived at the node is not what was sent",
                         "nothing was recorded", "try again", "the operator");
    return apex_fail(error, APEX_E_FORMAT, what, "nothing was recorded",
                     "is this an APEX node? check the address", "the operator");
}

apex_status http_post(struct http *http, const char *path, struct span body, size_t max,
                      struct buffer *answer, struct apex_error *error)
{
    begin(http, path);
    http->answer = answer;
    http->max = max;
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    apex_status s = judge(http, curl_easy_perform(http->curl), error);
    curl_slist_free_all(headers);
    return s;
}

apex_status http_get(struct http *http, const char *path, size_t max, struct buffer *answer,
                     struct apex_error *error)
{
    begin(http, path);
    http->answer = answer;
    http->max = max;
    curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    return judge(http, curl_easy_perform(http->curl), error);
}

/* How much of a blob the node has: *whole, or *offset. */
static apex_status blob_look(struct http *h, const char *path, bool *whole, uint64_t *offset,
                             struct apex_error *error)
{
    begin(h, path);
    h->answer = NULL;
    curl_easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
    apex_status s = judge(h, curl_easy_perform(h->curl), error);
    *whole = s == APEX_OK;
    *offset = h->has_offset ? h->offset : 0;
    return s == APEX_E_NOT_FOUND ? APEX_OK : s;
}

static apex_status blob_send(struct http *h, const char *path, uint64_t from,
                             struct apex_error *error)
{
    char range[96];
    uint64_t len = h->total - from < STRETCH ? h->total - from : STRETCH;
    begin(h, path);
    h->answer = NULL;
    h->at = from;
    h->left = len;
    snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu",
             (unsigned long long)from, (unsigned long long)(from + len - 1),
             (unsigned long long)h->total);
    struct curl_slist *headers = curl_slist_append(NULL, range);
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(h->curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h->curl, CURLOPT_READDATA, h);
    curl_easy_setopt(h->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
    apex_status s = judge(h, curl_easy_perform(h->curl), error);
    curl_slist_free_all(headers);
    return s;
}

/* A node that is away for a while, in the middle of a long upload, is waited for: what it has
 * is not lost. */
static apex_status blob_look_patiently(struct http *h, const char *path, bool *whole,
                                       uint64_t *offset, struct apex_error *error)
{
    for (unsigned waited_us = 0;; waited_us += LONG_PAUSE_US) {
        apex_status s = blob_look(h, path, whole, offset, error);
        if (s != APEX_E_UNREACHABLE || waited_us >= PATIENCE_US) return s;
        if (h->progress) h->progress(h->context, "waiting for the node", h->at, h->total);
        usleep(LONG_PAUSE_US);
    }
}

apex_status http_put_blob(struct http *http, const uint8_t digest[static 32], int fd,
                          uint64_t size, apex_progress_fn progress, void *context,
                          struct apex_error *error)
{
    char hex[65], path[80];
    bool whole = false;
    uint64_t offset = 0, farthest = 0;
    hex_write(span_of(digest, 32), hex);
    snprintf(path, sizeof path, "/blob/%s", hex);
    http->fd = fd;
    http->total = size;
    http->at = 0;
    http->progress = progress;
    http->context = context;
    apex_status s = APEX_OK;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        TRY(blob_look_patiently(http, path, &whole, &offset, error));
        if (whole) return APEX_OK;
        if (offset >= size) offset = 0; /* it says more than there is: from the start */
        s = blob_send(http, path, offset, error);
        if (s == APEX_OK && size - offset <= STRETCH) return APEX_OK;
        if (s != APEX_OK && s != APEX_E_UNREACHABLE && s != APEX_E_USAGE) return s;
        if (s != APEX_OK) usleep(PAUSE_US << tries);
        if (offset > farthest) tries = 0; /* it moves */
        if (offset > farthest) farthest = offset;
    }
    return s == APEX_OK
               ? apex_fail(error, APEX_E_UNREACHABLE, "the node does not keep what is sent",
                           "nothing was recorded", "try again later", "the operator")
               : s;
}
