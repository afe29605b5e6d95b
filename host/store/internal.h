/* What the files of this folder share: the store's struct and the steps on disk that all puts
 * go through. */
#ifndef HOST_STORE_INTERNAL_H
#define HOST_STORE_INTERNAL_H

#include "common/merkle/tree.h"
#include "host/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    DIGEST_TEXT_LEN = 2 * STORE_DIGEST_LEN,
    PARTIAL_NAME_MAX = DIGEST_TEXT_LEN + 24,
    TMP_NAME_MAX = 24
};

struct piece {
    uint64_t token; /* 0: free */
    bool busy;      /* a thread is writing it */
    int fd;
    uint64_t len;
    char name[TMP_NAME_MAX];
    struct merkle_digester digester;
};

/* An unfinished upload that can be resumed. The list of them mirrors FOLDER/partial. */
struct partial {
    struct partial *next;
    uint8_t digest[STORE_DIGEST_LEN];
    uint64_t total;
    uint64_t len;  /* bytes in the file */
    bool digested; /* `digester` has seen those bytes */
    struct merkle_digester digester;
    struct upload *owner; /* who writes it now, or NULL */
    bool busy;            /* the owner is at work on the file: nobody may take over */
    int64_t touched_ms;   /* when the owner last wrote */
};

struct store {
    int root, partial_dir, tmp_dir;
    struct store_options options;
    _Atomic uint64_t n_blobs;
    _Atomic uint64_t next_tmp;
    pthread_mutex_t lock; /* guards what is below */
    struct partial *partials;
    uint64_t n_partials;
    uint64_t promised; /* bytes that uploads under way may still write */
    uint64_t next_token;
    struct piece pieces[STORE_PIECES_MAX];
};

/* disk.c: errno becomes a status, writes are whole or fail. */
apex_status disk_status(void);
apex_status disk_write(int fd, uint64_t at, struct span bytes);
apex_status disk_read(int fd, uint64_t at, size_t len, uint8_t *out, size_t *got);
apex_status disk_sync(int fd);
apex_status disk_folder(int parent, const char *name, int *fd); /* makes and opens it */
apex_status disk_digest(int fd, uint64_t len, struct merkle_digester *digester);
int64_t disk_now_ms(void);

/* store.c */
apex_status tmp_create(struct store *store, char name[static TMP_NAME_MAX], int *fd);
/* Moves a synced file to its place and syncs the folder. The file's old name is gone in any
 * case. */
apex_status store_publish(struct store *store, int from_dir, const char *name,
                          const uint8_t digest[static STORE_DIGEST_LEN]);
/* APEX_OK: it is there, and durable. */
apex_status store_has(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN]);

/* partial.c. Those that take a partial, find, make, free or expire one want the lock held;
 * partial_offset takes it. */
void partial_name(const uint8_t digest[static STORE_DIGEST_LEN], uint64_t total,
                  char name[static PARTIAL_NAME_MAX]);
struct partial *partial_find(struct store *store,
                             const uint8_t digest[static STORE_DIGEST_LEN]);
/* NULL: no memory, or too many and all are being written. */
struct partial *partial_make(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                             uint64_t total);
void partial_forget(struct store *store, struct partial *gone); /* its file is elsewhere now */
void partial_remove(struct store *store, struct partial *gone); /* with its file */
void partials_expire(struct store *store); /* those that nobody touched for a week */
/* How much of an unfinished upload is durably kept. */
bool partial_offset(struct store *store, const uint8_t digest[static STORE_DIGEST_LEN],
                    uint64_t *offset);
apex_status partials_load(struct store *store);
void partials_free(struct store *store);

#endif
