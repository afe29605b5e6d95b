/* The way to a node: bytes to and fro, nothing believed. */
#ifndef CLIENT_LIB_HTTP_H
#define CLIENT_LIB_HTTP_H

#include "client/lib/error.h"
#include "common/base/buffer.h"

struct http;
apex_status http_open(const char *url, struct http **http, struct apex_error *error);
void http_close(struct http *http);
/* Answers below 300 are APEX_OK; 404 is APEX_E_NOT_FOUND; no answer, or 503,
 * APEX_E_UNREACHABLE; 507 and 413 APEX_E_LIMIT. */
apex_status http_post(struct http *http, const char *path, struct span body, size_t max,
                      struct buffer *answer, struct apex_error *error);
apex_status http_get(struct http *http, const char *path, size_t max, struct buffer *answer,
                     struct apex_error *error);
/* Sends a file's bytes as a blob, from where an earlier try ended; tries again when the way
 * breaks. */
apex_status http_put_blob(struct http *http, const uint8_t digest[static 32], int fd,
                          uint64_t size, apex_progress_fn progress, void *context,
                          struct apex_error *error);

#endif
