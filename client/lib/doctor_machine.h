/* What this machine has to do with confidential computing, as guest and as host. */
#ifndef CLIENT_LIB_DOCTOR_MACHINE_H
#define CLIENT_LIB_DOCTOR_MACHINE_H

typedef void doctor_line_fn(void *context, const char *name, const char *state,
                            const char *advice);

/* `root`: where the file system begins, "" for this machine's own; tests give a folder.
 * `qemu`: the first line of what `qemu-system-x86_64 --version` says, or NULL: there is none.
 */
void doctor_machine(const char *root, const char *qemu, doctor_line_fn *line, void *context);
/* That first line into text; NULL when QEMU is not here. */
const char *doctor_qemu(char *text, int size);

#endif
