/* Who may speak to the page's server. One browser of this user, and nothing else in it:
 *   - it listens on one loopback address, drawn at random from 127/8, so that its cookie goes
 * to no other server of this machine (cookies know hosts, not ports);
 *   - Host must be that address and port: a name that was rebound to loopback does not pass;
 *   - a request that another site caused says so (Origin, Sec-Fetch-Site) and is refused; what
 *     changes anything must say that it comes from this origin;
 *   - the address printed holds a token good for one browser, once; it becomes a cookie that is
 *     HttpOnly and SameSite=Strict.
 * Sources: RFC 6454 (Origin), W3C Fetch Metadata, RFC 6265bis (SameSite). */
#ifndef CLIENT_UI_GATE_H
#define CLIENT_UI_GATE_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_HEX = 64 };

struct gate {
    char host[32];   /* "127.83.12.9:41234" */
    char origin[48]; /* "http://" and host */
    char cookie_name[32];
    char cookie[SECRET_HEX + 1], token[SECRET_HEX + 1]; /* token "": none is good */
};
struct gate_request {
    const char *method, *path, *host, *origin, *site, *cookie; /* headers; NULL: not there */
};

bool gate_open(struct gate *g, const char *address, unsigned port); /* false: no randomness */
bool gate_token_new(struct gate *g);
/* True once for the token, which is then spent. */
bool gate_token_take(struct gate *g, const char *token);
/* NULL: it may pass. Else why not, in a sentence. *status: the HTTP status to say so with. */
const char *gate_refuses(const struct gate *g, const struct gate_request *r, unsigned *status);
/* The same but for the cookie: what may ask for the door itself. */
const char *gate_refuses_place(const struct gate *g, const struct gate_request *r,
                               unsigned *status);

#endif
