/* The enclave as the first and only process of a virtual machine.
 *
 * States: kernel -> mounted -> modules tried -> channel open -> enclave runs as a child -> it
 * ends -> power off. The first process mounts, waits and reaps, and does nothing besides; the
 * child is the very same binary's ordinary start. What the machine brings (modules, peers.json,
 * recovery.json) lies in the initrd and is measured with it. Nothing here reads a word from the
 * host: the kernel's command line is measured too.
 *
 * Leaks to the host: what the console says, and that the machine runs. */
#ifndef ENCLAVE_BOOT_BOOT_H
#define ENCLAVE_BOOT_BOOT_H

#include <stdbool.h>

struct boot {
    const char *tee;              /* "tsm", "nitro" or "sim": what this machine has */
    const char *peers, *recovery; /* paths; NULL where the image carries none */
    int link_fd;
};
/* Are we the first process? */
bool boot_is_first(void);
/* Readies the machine, runs `enclave` in a child, powers off. Does not return. */
void boot(int (*enclave)(const struct boot *machine)) __attribute__((noreturn));

#endif
