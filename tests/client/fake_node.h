/* A node on a loopback port that keeps a world's log and answers as a real one would, until it
 * is told to play a trick. One connection a request, one thread; the test's thread may look at
 * the world while no request is under way. */
#ifndef TESTS_CLIENT_FAKE_NODE_H
#define TESTS_CLIENT_FAKE_NODE_H

#include "tests/client/world.h"

enum trick {
    TRICK_NONE,
    TRICK_LOSE_QUESTION, /* hangs up before it has done anything */
    TRICK_LOSE_ANSWER,   /* hangs up after it has done it */
    TRICK_CUT_ANSWER,    /* hangs up in the middle of the answer */
    TRICK_UNAVAILABLE,   /* 503 */
    TRICK_NOT_FOUND,     /* 404 */
    TRICK_GARBAGE,       /* 200 and random bytes */
    TRICK_EMPTY,         /* 200 and nothing */
    TRICK_ENDLESS,       /* an answer longer than any may be */
    TRICK_FLIP,          /* one bit of the reply */
    TRICK_BY_STRANGER,   /* a reply signed by another key */
    TRICK_OTHER_MESSAGE, /* a signed reply to another message */
    TRICK_REFUSES,       /* a signed refusal with the words REFUSES_WITH */
    TRICK_NOT_LOGGED,  /* says the act is in the log, with its entry, and does not put it there
                        */
    TRICK_OTHER_ENTRY, /* shows another entry of the log for the act */
    TRICK_CHECKPOINT_FORGED, /* the checkpoint is signed by another key */
    TRICK_UPLOAD_BREAKS,     /* keeps half of what is sent and hangs up */
    TRICK_UPLOAD_LIES,       /* says that it has more than there is, and is not whole */
    TRICK_UPLOAD_FORGETS,    /* takes everything, keeps nothing */
    TRICK_UPLOAD_MANGLES,    /* 422 */
    TRICK_DISK_FULL,         /* 507 */
    TRICK_REPLAY,            /* the last answer that such a question got before the trick */
};

/* Clears a screen, writes in the dark, and turns what follows from right to left. */
#define SCREEN_TRICKS "\x1b[2J\x1b[8m\xc2\x9b\xe2\x80\xae"
#define REFUSES_WITH "well" SCREEN_TRICKS

struct fake_node;
struct fake_node *fake_start(struct world *w);
void fake_stop(struct fake_node *f);
const char *fake_url(const struct fake_node *f);
/* The next `times` requests meet the trick; attestation is left alone unless `attest`. */
void fake_trick(struct fake_node *f, enum trick trick, unsigned times);
void fake_trick_attest(struct fake_node *f, enum trick trick, unsigned times);
unsigned fake_tricks_left(const struct fake_node *f);
unsigned fake_requests(const struct fake_node *f);
unsigned fake_bundles(const struct fake_node *f); /* of the log's entries, asked for */
/* Bytes of the blob that the node has, whatever its name. */
uint64_t fake_blob_len(const struct fake_node *f);
/* The log is cut back to `size` entries, as a host would that put an old backup in place. */
void fake_rollback(struct fake_node *f, uint64_t size);

#endif
