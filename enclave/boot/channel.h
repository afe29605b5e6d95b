/* The stream to the host inside a virtual machine: the virtio-serial port named APEX_PORT, or
 * else the first connection to the vsock port APEX_VSOCK_PORT. */
#ifndef ENCLAVE_BOOT_CHANNEL_H
#define ENCLAVE_BOOT_CHANNEL_H

#define APEX_PORT "apex.link"
enum { APEX_VSOCK_PORT = 9100 };

/* A descriptor whose reads do not block, or -1 when this machine has neither. Waits for the
 * host to be there. */
int channel_open(void);
/* What a Nitro enclave's parent waits for before it calls the enclave started: one byte to it,
 * and back. Source: aws-nitro-enclaves-sdk-bootstrap, init.c. */
void channel_announce(void);

#endif
