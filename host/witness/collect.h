/* Collects cosignatures: shows each new checkpoint to the witnesses the operator names
 * (c2sp.org/tlog-witness) and keeps the newest one that any of them cosigned, with all their
 * lines, for the enclave and for everybody to read.
 *
 * A round: take the newest checkpoint; submit it to all witnesses at once, each with a
 * consistency proof from what it saw last; keep the note with the lines that came, as they come.
 * A witness that is away, slow or refuses is tried again in the next round, at first soon, then
 * ever more slowly; the others' lines do not wait for it. The host believes no line: the enclave
 * and clients check them, and a line that is not of the form, in the log's name, or one too many
 * is dropped. It holds no key. */
#ifndef HOST_WITNESS_COLLECT_H
#define HOST_WITNESS_COLLECT_H

#include "host/ledger/ledger.h"

enum { WITNESSES_MAX = 16 };

struct witness_status {
    const char *url;
    uint64_t size;      /* of the newest checkpoint it cosigned for this process */
    uint64_t cosigned;  /* how many it has */
    uint64_t refused;   /* answers that were none */
    unsigned last_code; /* HTTP status; 0: not reached */
};
struct collector;
/* urls: submission prefixes, lent for its life. The thread starts at once. */
apex_status collector_start(struct ledger *ledger, const char *const *urls, size_t n,
                            struct collector **collector);
void collector_stop(struct collector *collector); /* NULL is fine */
size_t collector_status(struct collector *collector,
                        struct witness_status status[static WITNESSES_MAX]);

#endif
