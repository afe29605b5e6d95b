/* A listening socket from "ADDRESS:PORT": IPv4, or IPv6 in brackets; numeric only, so that
 * nothing is resolved. */
#ifndef HOST_DAEMON_LISTEN_H
#define HOST_DAEMON_LISTEN_H

#include "include/apex/status.h"

enum { LISTEN_NAME_MAX = 80 };
/* `name` gets the address with the port that was taken. APEX_E_USAGE: the text does not read;
 * APEX_E_REFUSED: the port is busy or not ours to take; APEX_E_IO. errno says more on the last
 * two. */
apex_status listen_open(const char *text, int *fd, char name[static LISTEN_NAME_MAX]);

#endif
