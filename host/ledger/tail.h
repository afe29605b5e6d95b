/* The tail file: entries that no full bundle holds yet. Records one after another:
 *     u64be index | u16be length | entry | first 8 bytes of SHA-256 of all before in this
 * record A torn record, as a crash leaves it, ends the reading; what stands before it counts.
 */
#ifndef HOST_LEDGER_TAIL_H
#define HOST_LEDGER_TAIL_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

struct tail {
    int fd;
    uint64_t first; /* index of entry[0] */
    size_t n, cap;
    struct tail_entry {
        struct span bytes;
        uint64_t end;
    } * entry; /* bytes: ours; end: offset after its record */
};

apex_status tail_open(const char *path, uint64_t first, struct tail *t);
void tail_close(struct tail *t);
/* Drops the entries from `index` on, adds those of the bundle, syncs. On failure the tail is as
 * it was. */
apex_status tail_append(struct tail *t, uint64_t index, struct span bundle);
/* Drops the entries below `first`: they are in full bundles now. Durable. */
apex_status tail_trim(const char *path, uint64_t first, struct tail *t);

#endif
