/* Keeps the append-only log in a directory, as c2sp.org/tlog-tiles lays it out, for anybody to
 * read as static files:
 *
 *   FOLDER/checkpoint             the newest signed note
 *   FOLDER/tile/entries/…         bundles of 256 entries, and the newest partial one
 *   FOLDER/tile/L/…               hashes
 *   FOLDER/checkpoint.witnessed   the newest one that witnesses cosigned
 *   FOLDER/tail                   the entries that no full bundle holds yet, acknowledged or
 * not
 *
 * What counts is: full bundles, tail, checkpoint; all else is made again from them at open. An
 * append costs one fsync (the tail), a checkpoint two (file and folder) and at every 256th
 * entry four more. What ledger_append or ledger_checkpoint_put has returned APEX_OK for
 * survives kill -9 and power loss at any instruction; what it has not may be there or not,
 * whole. A checkpoint never goes back in size, and entries it covers are never replaced. It
 * checks no signature: the host holds no key. Thread-safe. Statuses: APEX_E_LIMIT the disk is
 * full, nothing changed; APEX_E_IO; APEX_E_USAGE against the rules above; APEX_E_FORMAT what is
 * stored or given is not of the form. */
#ifndef HOST_LEDGER_LEDGER_H
#define HOST_LEDGER_LEDGER_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "common/merkle/tree.h"
#include "include/apex/status.h"

struct ledger;
/* Makes the folder if need be. APEX_E_FORMAT or APEX_E_UNTRUSTED: the files contradict one
 * another; nothing is changed. */
apex_status ledger_open(const char *folder, struct ledger **ledger);
void ledger_close(struct ledger *ledger);
uint64_t ledger_size(struct ledger *ledger); /* entries the checkpoint covers */
/* Entries from `index` on become those of the bundle (u16be length, bytes, one after another).
 */
apex_status ledger_append(struct ledger *ledger, uint64_t index, struct span bundle);
/* Entries from `index` on, as many as fit into max bytes, at least one. APEX_E_NOT_FOUND: none
 * there. */
apex_status ledger_read(struct ledger *ledger, uint64_t index, size_t max,
                        struct buffer *bundle);
apex_status ledger_checkpoint_put(struct ledger *ledger, struct span note);
/* Empty before the first. */
apex_status ledger_checkpoint_get(struct ledger *ledger, struct buffer *note);
/* The newest checkpoint with cosignatures, FOLDER/checkpoint.witnessed: of this log, but nobody
 * here checks the lines. APEX_E_UNTRUSTED: it is not of this log. Empty before the first. */
apex_status ledger_witnessed_put(struct ledger *ledger, struct span note);
apex_status ledger_witnessed_get(struct ledger *ledger, struct buffer *note);
/* That `size` entries contain the first `old_size`; both at most ledger_size. */
apex_status ledger_consistency(struct ledger *ledger, uint64_t old_size, uint64_t size,
                               struct merkle_proof *proof);
/* The file of a tile path ("tile/…", strictly parsed), for serving. APEX_E_NOT_FOUND,
 * APEX_E_FORMAT. */
apex_status ledger_tile(struct ledger *ledger, const char *path, struct buffer *bytes);

#endif
