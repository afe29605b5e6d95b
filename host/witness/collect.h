/* Collects cosignatures: shows each new checkpoint to the witnesses the operator names
 * (c2sp.org/tlog-witness) and keeps the newest one that any of them cosigned, with all their
 * lines, for the enclave and for everybody to read.
 *
 * A round: take the newest checkpoint; submit it to every witness with a consistency proof from
 * what that witness saw last; keep the note with the lines that came. A witness that is away or
 * refuses is tried again in the next round, at first soon, then ever more slowly; nothing else
 * waits for it. The host believes no line: the enclave and clients check them, and a line that
 * is not of the form is dropped. It holds no key. */
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
