/* sim: an ordinary process. Its seal is a key in a file of its state folder, which the operator
 * can read; without a folder (a virtual machine that nothing vouches for) it is derived from
 * the measurement, which everybody knows. Either way it keeps nothing from anybody: it is there
 * so that a simulated node lives through a restart as a real one does. */
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "enclave/tee/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_LEN = 4000, PATH_LEN = 4096 };

struct sim {
    bool has_state;
    char state[STATE_LEN];
};

/* The measurement of a sim is the SHA-256 of the ELF file it runs from. */
static apex_status measure_self(uint8_t digest[static HASH_LEN])
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return APEX_E_IO;
    struct sha256 h;
    sha256_init(&h);
    uint8_t piece[16384];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        sha256_update(&h, span_of(piece, (size_t)n));
    close(fd);
    if (n < 0) return APEX_E_IO;
    sha256_final(&h, digest);
    return APEX_OK;
}

static apex_status sim_quote(const struct tee *t,
                             const uint8_t report_data[static REPORT_DATA_LEN],
                             uint64_t time_ms, struct buffer *report,
                             struct buffer *supplements)
{
    (void)supplements;
    sim_report_write(t->measurement, report_data, time_ms, report);
    return APEX_OK;
}

static apex_status folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return APEX_E_IO;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced ? APEX_OK : APEX_E_IO;
}

/* Written beside, synced, then renamed: a key is there whole or not at all. */
static apex_status key_make(const struct sim *sim, const char *path, struct seal_key_bytes *key)
{
    char beside[PATH_LEN];
    snprintf(beside, sizeof beside, "%s/seal.new", sim->state);
    unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return APEX_E_IO;
    random_bytes(key->bytes, sizeof key->bytes);
    bool whole = write(fd, key->bytes, sizeof key->bytes) == (ssize_t)sizeof key->bytes &&
                 fsync(fd) == 0;
    close(fd);
    if (!whole || rename(beside, path) != 0) return APEX_E_IO;
    return folder_sync(sim->state);
}

static apex_status key_of_state(const struct sim *sim, struct seal_key_bytes *key)
{
    char path[PATH_LEN];
    uint8_t file[SEAL_KEY_BYTES + 1];
    snprintf(path, sizeof path, "%s/seal", sim->state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? key_make(sim, path, key) : APEX_E_IO;
    ssize_t n = read(fd, file, sizeof file);
    close(fd);
    if (n == SEAL_KEY_BYTES) memcpy(key->bytes, file, SEAL_KEY_BYTES);
    wipe(file, sizeof file);
    return n == SEAL_KEY_BYTES ? APEX_OK : APEX_E_UNTRUSTED;
}

static apex_status sim_seal_key(const struct tee *t, struct buffer *terms,
                                struct seal_key_bytes *key)
{
    const struct sim *sim = t->machine;
    struct span mine = sim->has_state ? SPAN_TEXT("file") : SPAN_TEXT("nothing");
    if (terms->len == 0) buffer_append(terms, mine);
    if (!span_equal(buffer_span(terms), mine)) return APEX_E_UNTRUSTED;
    if (sim->has_state) return key_of_state(sim, key);
    memcpy(key->bytes, t->measurement, sizeof key->bytes);
    return APEX_OK;
}

static void sim_close(struct tee *t)
{
    free(t->machine);
}

static const struct machine_ops sim_ops = {sim_quote, sim_seal_key, sim_close};

apex_status sim_open(const char *state, struct tee *t)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim) return APEX_E_MEMORY;
    t->ops = &sim_ops;
    t->machine = sim;
    snprintf(t->kind, sizeof t->kind, "sim");
    t->measurement_len = HASH_LEN;
    sim->has_state = state != NULL;
    int n = snprintf(sim->state, sizeof sim->state, "%s", state ? state : "");
    if ((size_t)n >= sizeof sim->state) return APEX_E_USAGE;
    if (state && mkdir(state, 0700) != 0 && errno != EEXIST) return APEX_E_IO;
    return measure_self(t->measurement);
}
