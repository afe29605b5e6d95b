/* An enclave that somebody else starts: a virtual machine's end of a virtio-serial port, or a
 * Nitro enclave's vsock. */
#ifndef HOST_DAEMON_CONNECT_H
#define HOST_DAEMON_CONNECT_H

#include <stdbool.h>

/* "unix:PATH" or "vsock:CID:PORT": not a program to run. */
bool connect_wanted(const char *enclave);
/* It is one of the two, and reads as it should. */
bool connect_valid(const char *enclave);
/* A connected stream, or -1 with errno. */
int connect_enclave(const char *enclave);

#endif
