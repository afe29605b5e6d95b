/* What the log holds and the register does not: one round's calls. */
#ifndef HOST_CHAIN_TODO_H
#define HOST_CHAIN_TODO_H

#include "common/merkle/checkpoint.h"
#include "host/chain/anchor.h"

enum { TODO_CALLS_MAX = 16 };

/* Of one log, as the register knows it. */
struct todo {
    const struct anchor_source *source;
    uint8_t payee[CHAIN_ADDRESS_LEN];
    char origin[ORIGIN_MAX + 1];
    uint8_t log[32];
    bool known;                /* origin and log are */
    struct registry_head head; /* what the register has; zeros before the log is opened */
    uint64_t seen;             /* entries below it are recorded, deep enough */
    uint64_t skip; /* entries below it are not tried again: the register refused one */
    bool single;   /* one call at a time: a batch was refused */
    bool feeless;  /* fees could not be looked for: not tried again in this round */
    size_t n;      /* calls of this round */
    struct buffer calls[TODO_CALLS_MAX];
    uint64_t next; /* entries below it are recorded or among the calls */
};

void todo_clear(struct todo *t); /* the calls */
/* Fills the calls: statements of entries that are missing, then an anchor of the newest
 * checkpoint. Fees that cannot be looked for are left, and hold nothing up. APEX_E_UNTRUSTED by
 * CHAIN_ANCHOR_CONTRADICTS: the log does not contain the register's anchor. */
apex_status todo_find(struct todo *t, struct evm *chain, struct chain_fault *fault);

#endif
