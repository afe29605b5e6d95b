/* `apex ui`: a page on loopback for the owner of this machine. The server holds no key and
 * opens no evidence: every action of the page starts `apex` itself, with the very words it
 * shows, and hands its JSON on. docs/ui.md says what is defended against whom. */
#ifndef CLIENT_UI_UI_H
#define CLIENT_UI_UI_H

#include <stdbool.h>

struct ui_options {
    const char *home;    /* the owner's folder, as apex_home_path gives it */
    const char *node;    /* NULL: what the page was told before */
    const char *as;      /* NULL: the only identity */
    const char *version; /* of apex */
    unsigned port;       /* 0: any */
    bool open;           /* show it in a browser */
};

/* Serves until the page or a signal ends it. Prints the address on stdout. Returns 0, or 2 when
 * this build has no page, 4 when no loopback address can be listened on, or 5. */
int ui_serve(const struct ui_options *options);

#endif
