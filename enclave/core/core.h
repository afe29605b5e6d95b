/* The core: keys, log head, contract state, and the one lock around them.
 *
 * States of a node: opened -> replayed -> serving -> (host gone) closed. core_open replays the
 * log; core_append is the only way an entry comes to be. Rules it keeps:
 *   - an entry is in the host's log, synced, before the checkpoint that covers it is signed;
 *   - the checkpoint is kept by the host, synced, before anybody hears of the entry;
 *   - no two checkpoints of one size are signed in one life of the enclave.
 * If memory fails between the log and the state, the process ends: replay at the next start
 * puts both together again. */
#ifndef ENCLAVE_CORE_CORE_H
#define ENCLAVE_CORE_CORE_H

#include "common/merkle/checkpoint.h"
#include "common/merkle/tree.h"
#include "enclave/core/jail.h"
#include "enclave/core/kept_tables.h"
#include "enclave/core/keys.h"
#include "enclave/core/link.h"
#include "common/ledger/state.h"
#include "enclave/tee/tee.h"

#include <pthread.h>

struct runner;
struct hand_over;
struct recovery;
/* A checkpoint the log must contain, whatever the host says: size 0 none, root zeros any. */
struct floor {
    uint64_t size;
    uint8_t root[32];
};
struct core {
    struct link *link;
    struct tee *tee;
    struct keys *keys;
    struct hand_over *hand_over;
    struct recovery *recovery; /* NULL: no recovery policy */
    struct floor floor;
    struct buffer greeting; /* the host's first message, answered when there is a root secret */
    uint32_t greeting_id;
    char origin[ORIGIN_MAX + 1];
    pthread_mutex_t lock;   /* guards what follows, once there is more than one thread */
    struct buffer evidence; /* the newest */
    uint64_t evidence_ms;   /* when it was made */
    struct merkle_tree *tree;
    struct buffer note; /* the checkpoint the host keeps */
    uint64_t kept;      /* its size */
    bool unkept;        /* `waiting` is signed, but the host has not confirmed it */
    struct buffer waiting;
    struct state state;
    bool rerunning;         /* is an auditor's demand being computed? */
    unsigned witness_waits; /* acts that wait for witnesses just now */
    struct runner *runner;
    struct kept_tables *tables; /* has a lock of its own */
};

/* Texts of the image's policies for its peers and for recovery; empty: none. */
struct core_policies {
    struct span peers, recovery;
};
/* *why: why a start fails, for the host's log: a fixed phrase, or NULL. */
apex_status core_open(struct core *core, struct link *link, struct tee *tee,
                      const struct core_policies *policies, const char **why);
/* With the lock held: evidence no older than EVIDENCE_AGE_MS. The certificates of some machines
 * live for hours (Nitro: three); the machine that cannot renew it keeps what it has. */
enum { EVIDENCE_AGE_MS = 3600 * 1000 };
void core_evidence_renew(struct core *core, uint64_t now_ms);
/* Names the log by its key, once there is a root secret. */
void core_name(struct core *core);
void core_close(struct core *core);

/* With the lock held. Signs and appends an entry whose kind, address, act and body are filled
 * in; the index is set here, and the time where it is 0. `act` and `author` as for state_apply.
 * APEX_E_LIMIT or APEX_E_IO: the host could not keep it. If then `core->unkept` is set, the
 * entry stands and the next call tries again; otherwise nothing happened. */
apex_status core_append(struct core *core, struct entry *entry, const struct act *act,
                        const uint8_t author[static 32], struct span manifest,
                        struct buffer *cose);
/* With the lock held: makes the host keep what is signed. */
apex_status core_keep(struct core *core);

/* Have the witnesses that `m` names cosigned the log up to `min_size` entries, as the host
 * shows? They are given `wait_ms`: the host shows them each checkpoint as it comes. Without the
 * lock. */
bool core_witnessed(struct core *core, const struct manifest *m, uint64_t min_size,
                    unsigned wait_ms);

uint64_t clock_ms(void); /* the machine's wall clock: the host's word */
/* With the lock held: what time an entry that is made now carries. It is the clock's, but never
 * before that of the newest entry. Acts are judged by it, so that an auditor can judge them by
 * their entries. */
uint64_t core_now(const struct core *core);

#endif
