#include "enclave/core/programs.h"

#include "common/base/try.h"
#include "enclave/core/host.h"

#include <pthread.h>
#include <stdlib.h>

struct kept {
    struct memory_file *file;
    uint8_t digest[32];
    unsigned users;
    uint64_t used_at;
};
struct programs {
    struct link *link;
    pthread_mutex_t lock;
    uint64_t clock;
    struct kept kept[PROGRAMS_KEPT];
};

apex_status programs_new(struct link *link, struct programs **programs)
{
    struct programs *p = calloc(1, sizeof *p);
    if (!p) return APEX_E_MEMORY;
    p->link = link;
    pthread_mutex_init(&p->lock, NULL);
    *programs = p;
    return APEX_OK;
}

void programs_free(struct programs *programs)
{
    if (!programs) return;
    for (size_t i = 0; i < PROGRAMS_KEPT; i++)
        if (programs->kept[i].file) memory_file_free(programs->kept[i].file);
    pthread_mutex_destroy(&programs->lock);
    free(programs);
}

static apex_status copy_all(struct blob_reader *r, struct memory_file *f)
{
    uint8_t *piece = malloc(FRAME_BLOB_MAX);
    apex_status s = piece ? APEX_OK : APEX_E_MEMORY;
    size_t got = FRAME_BLOB_MAX;
    while (s == APEX_OK && got == FRAME_BLOB_MAX) {
        s = blob_reader_some(r, piece, FRAME_BLOB_MAX, &got);
        if (s == APEX_OK && r->total > PROGRAM_MAX) s = APEX_E_LIMIT;
        if (s == APEX_OK) s = memory_file_append(f, span_of(piece, got));
    }
    free(piece);
    return s == APEX_OK ? blob_reader_end(r) : s;
}

static apex_status program_fetch(struct link *link, const uint8_t digest[static 32],
                                 struct memory_file **file)
{
    BLOB_READER_CLEARED r;
    struct memory_file *f = NULL;
    blob_reader_init(&r, link, digest);
    TRY(memory_file_new("program", &f));
    apex_status s = copy_all(&r, f);
    if (s == APEX_OK) s = memory_file_seal(f);
    if (s != APEX_OK) {
        memory_file_free(f);
        return s;
    }
    *file = f;
    return APEX_OK;
}

/* The place of this program, or else the one longest unused; NULL when all are in use. */
static struct kept *place_of(struct programs *p, const uint8_t digest[static 32])
{
    struct kept *oldest = NULL;
    for (size_t i = 0; i < PROGRAMS_KEPT; i++) {
        struct kept *k = &p->kept[i];
        if (k->file && memcmp(k->digest, digest, 32) == 0) return k;
        if (k->users == 0 && (!oldest || k->used_at < oldest->used_at)) oldest = k;
    }
    return oldest;
}

static apex_status take_locked(struct programs *p, const uint8_t digest[static 32],
                               struct memory_file **file)
{
    struct kept *k = place_of(p, digest);
    if (!k) return APEX_E_LIMIT;
    if (!k->file || memcmp(k->digest, digest, 32) != 0) {
        struct memory_file *f;
        TRY(program_fetch(p->link, digest, &f));
        if (k->file) memory_file_free(k->file);
        *k = (struct kept){.file = f};
        memcpy(k->digest, digest, 32);
    }
    k->users++;
    k->used_at = ++p->clock;
    *file = k->file;
    return APEX_OK;
}

apex_status programs_take(struct programs *programs, const uint8_t digest[static 32],
                          struct memory_file **file)
{
    pthread_mutex_lock(&programs->lock);
    apex_status s = take_locked(programs, digest, file);
    pthread_mutex_unlock(&programs->lock);
    return s;
}

void programs_release(struct programs *programs, struct memory_file *file)
{
    pthread_mutex_lock(&programs->lock);
    for (size_t i = 0; i < PROGRAMS_KEPT; i++)
        if (programs->kept[i].file == file) programs->kept[i].users--;
    pthread_mutex_unlock(&programs->lock);
}
