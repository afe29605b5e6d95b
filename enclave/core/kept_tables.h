/* Opened tables, kept in the enclave's memory for the runs to come while there is room: rows
 * that were just checked need not be fetched, hashed and decrypted again.
 *
 * A table is kept under its blob's name, which binds its bytes, its dataset and its author. The
 * one longest unused gives way. Thread-safe; the lock is a leaf: it may be taken with the
 * core's held. Leaks to the host: whether a run asks for a table's ciphertext. */
#ifndef ENCLAVE_CORE_KEPT_TABLES_H
#define ENCLAVE_CORE_KEPT_TABLES_H

#include "enclave/core/jail.h"

enum { TABLES_KEPT = 256 };

struct kept_tables;
/* bytes_max: of all kept tables together. */
apex_status kept_tables_new(uint64_t bytes_max, struct kept_tables **kept);
void kept_tables_free(struct kept_tables *kept);
/* A sixteenth of the memory of this machine, or of what a container may use of it. */
uint64_t kept_tables_room(void);

/* One table at a time may be written to memory with a view to keeping it: how many bytes it may
 * take, 0 while another is on its way. Where it is not 0, kept_tables_end follows. */
uint64_t kept_tables_begin(struct kept_tables *kept);
void kept_tables_end(struct kept_tables *kept);

/* Takes the sealed file of a table that was opened to its end and is what its name says, and
 * keeps it if it can. */
void kept_tables_give(struct kept_tables *kept, const uint8_t blob[static 32],
                      const uint8_t digest[static 32], struct memory_file *file);
/* A file of the caller's own on the same memory, which lasts as long as the file does, and the
 * digest. NULL: the table is not kept. */
struct memory_file *kept_tables_take(struct kept_tables *kept, const uint8_t blob[static 32],
                                     uint8_t digest[static 32]);
/* Forgets a table; its memory goes with its last user. */
void kept_tables_drop(struct kept_tables *kept, const uint8_t blob[static 32]);

#endif
