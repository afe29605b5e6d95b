/* The image's kernel modules: every file of a folder, in the order of their names, which
 * tools/image gives them by what they need of one another. One that finds no device of its kind
 * does not load; that is how a machine says what it is. */
#ifndef ENCLAVE_BOOT_MODULES_H
#define ENCLAVE_BOOT_MODULES_H

void modules_load(const char *folder);

#endif
