/* Tables too large to be held whole are fed to the program group by group, as often as it asks.
 *
 * The program's end is one descriptor, a stream socket: it writes a table's and a group's
 * number (u32 little-endian each), and reads the group's length (u64 little-endian; 0: there is
 * none) and bytes. A sealed stream opens front to back only, so that a group before the last
 * one given starts its table over, unless it is among the few that are kept. Leaks to the host:
 * which groups are read when, which is a matter of the program's passes over its tables. */
#ifndef ENCLAVE_CORE_FEEDER_H
#define ENCLAVE_CORE_FEEDER_H

#include "enclave/core/sealed_table.h"

struct feeder;
/* `sources` are lent for the feeder's life. Starts its thread. */
apex_status feeder_new(struct link *link, const struct table_source *sources, size_t n,
                       struct feeder **feeder);
/* The program's end, the feeder's own: for the jail to pass on. */
int feeder_program_end(const struct feeder *feeder);
/* Ends the thread; what went wrong, if something did. Frees it. */
enum refusal feeder_end(struct feeder *feeder);

#endif
