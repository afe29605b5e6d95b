#include "client/ui/gate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static bool secret_new(char hex[static SECRET_HEX + 1])
{
    uint8_t bytes[SECRET_HEX / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* The same time wherever they differ. */
static bool same_secret(const char *a, size_t a_len, const char *b)
{
    unsigned differs = 0;
    if (a_len != SECRET_HEX || strlen(b) != SECRET_HEX) return false;
    for (size_t i = 0; i < SECRET_HEX; i++)
        differs |= (unsigned char)(a[i] ^ b[i]);
    return differs == 0;
}

bool gate_open(struct gate *g, const char *address, unsigned port)
{
    *g = (struct gate){0};
    snprintf(g->host, sizeof g->host, "%s:%u", address, port);
    snprintf(g->origin, sizeof g->origin, "http://%s", g->host);
    snprintf(g->cookie_name, sizeof g->cookie_name, "apex-%u", port);
    return secret_new(g->cookie) && gate_token_new(g);
}

bool gate_token_new(struct gate *g)
{
    return secret_new(g->token);
}

bool gate_token_take(struct gate *g, const char *token)
{
    bool good = g->token[0] && token && same_secret(token, strlen(token), g->token);
    if (good) memset(g->token, 0, sizeof g->token);
    return good;
}

/* Of "a=1; name=value; b=2". */
static bool cookie_holds(const struct gate *g, const char *header)
{
    size_t name_len = strlen(g->cookie_name);
    for (const char *at = header; at && *at; at = strchr(at, ';')) {
        at += strspn(at, "; ");
        if (strncmp(at, g->cookie_name, name_len) == 0 && at[name_len] == '=') {
            const char *value = at + name_len + 1;
            if (same_secret(value, strcspn(value, ";"), g->cookie)) return true;
        }
    }
    return false;
}

const char *gate_refuses_place(const struct gate *g, const struct gate_request *r,
                               unsigned *status)
{
    *status = 421;
    if (!r->host || strcmp(r->host, g->host) != 0)
        return "this server answers to its own address only";
    *status = 403;
    if (r->origin && strcmp(r->origin, g->origin) != 0)
        return "the request comes from another site";
    return NULL;
}

const char *gate_refuses(const struct gate *g, const struct gate_request *r, unsigned *status)
{
    const char *why = gate_refuses_place(g, r, status);
    bool reads = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    if (why) return why;
    if (r->site && strcmp(r->site, "same-origin") != 0 && strcmp(r->site, "none") != 0)
        return "the request comes from another site";
    if (!reads && !r->origin) return "the request does not say which page it comes from";
    if (!r->cookie || !cookie_holds(g, r->cookie))
        return "this browser was not let in, or its session ended";
    return NULL;
}
