#include "enclave/core/kept_tables.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHARE_OF_MEMORY = 16 };

struct kept_table {
    struct memory_file *file; /* NULL: the place is free */
    uint8_t blob[32], digest[32];
    uint64_t used_at;
};
struct kept_tables {
    pthread_mutex_t lock;
    uint64_t bytes_max, bytes, clock;
    bool filling;
    struct kept_table at[TABLES_KEPT];
};

/* What a container may use: the kernel's own word, which a host can only make smaller. */
static uint64_t container_limit(void)
{
    static const char *const paths[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t limit = UINT64_MAX, said;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        FILE *f = fopen(paths[i], "re");
        if (f && fscanf(f, "%" SCNu64, &said) == 1 && said < limit) limit = said;
        if (f) fclose(f);
    }
    return limit;
}

uint64_t kept_tables_room(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0,
             limit = container_limit();
    return (memory < limit ? memory : limit) / SHARE_OF_MEMORY;
}

apex_status kept_tables_new(uint64_t bytes_max, struct kept_tables **kept)
{
    struct kept_tables *k = calloc(1, sizeof *k);
    if (!k) return APEX_E_MEMORY;
    k->bytes_max = bytes_max;
    pthread_mutex_init(&k->lock, NULL);
    *kept = k;
    return APEX_OK;
}

static void place_clear(struct kept_tables *k, struct kept_table *t)
{
    k->bytes -= memory_file_size(t->file);
    memory_file_free(t->file);
    *t = (struct kept_table){0};
}

void kept_tables_free(struct kept_tables *kept)
{
    if (!kept) return;
    for (size_t i = 0; i < TABLES_KEPT; i++)
        if (kept->at[i].file) place_clear(kept, &kept->at[i]);
    pthread_mutex_destroy(&kept->lock);
    free(kept);
}

static struct kept_table *find(struct kept_tables *k, const uint8_t blob[static 32])
{
    for (size_t i = 0; i < TABLES_KEPT; i++) {
        struct kept_table *t = &k->at[i];
        if (t->file && memcmp(t->blob, blob, sizeof t->blob) == 0) return t;
    }
    return NULL;
}

/* A free place with room for so many bytes, once the tables longest unused have gone. NULL: so
 * many are never kept. */
static struct kept_table *place_make(struct kept_tables *k, uint64_t bytes)
{
    if (bytes > k->bytes_max) return NULL;
    for (;;) {
        struct kept_table *oldest = NULL, *empty = NULL;
        for (size_t i = 0; i < TABLES_KEPT; i++) {
            struct kept_table *t = &k->at[i];
            if (!t->file)
                empty = t;
            else if (!oldest || t->used_at < oldest->used_at)
                oldest = t;
        }
        if (empty && k->bytes <= k->bytes_max - bytes) return empty;
        place_clear(k, oldest);
    }
}

uint64_t kept_tables_begin(struct kept_tables *kept)
{
    pthread_mutex_lock(&kept->lock);
    bool begun = !kept->filling && kept->bytes_max > 0;
    if (begun) kept->filling = true;
    pthread_mutex_unlock(&kept->lock);
    return begun ? kept->bytes_max : 0;
}

void kept_tables_end(struct kept_tables *kept)
{
    pthread_mutex_lock(&kept->lock);
    kept->filling = false;
    pthread_mutex_unlock(&kept->lock);
}

void kept_tables_give(struct kept_tables *kept, const uint8_t blob[static 32],
                      const uint8_t digest[static 32], struct memory_file *file)
{
    pthread_mutex_lock(&kept->lock);
    struct kept_table *t = find(kept, blob) ? NULL : place_make(kept, memory_file_size(file));
    if (t) {
        *t = (struct kept_table){.file = file, .used_at = ++kept->clock};
        memcpy(t->blob, blob, sizeof t->blob);
        memcpy(t->digest, digest, sizeof t->digest);
        kept->bytes += memory_file_size(file);
    }
    pthread_mutex_unlock(&kept->lock);
    if (!t) memory_file_free(file);
}

struct memory_file *kept_tables_take(struct kept_tables *kept, const uint8_t blob[static 32],
                                     uint8_t digest[static 32])
{
    struct memory_file *own = NULL;
    pthread_mutex_lock(&kept->lock);
    struct kept_table *t = find(kept, blob);
    if (t && memory_file_again(t->file, &own) == APEX_OK) {
        t->used_at = ++kept->clock;
        memcpy(digest, t->digest, sizeof t->digest);
    }
    pthread_mutex_unlock(&kept->lock);
    return own;
}

void kept_tables_drop(struct kept_tables *kept, const uint8_t blob[static 32])
{
    pthread_mutex_lock(&kept->lock);
    struct kept_table *t = find(kept, blob);
    if (t) place_clear(kept, t);
    pthread_mutex_unlock(&kept->lock);
}
