#include "enclave/tee/tee.h"

#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_LEN = 4000, PATH_LEN = 4096 };
#define ROOT_MAGIC "apex/sim-root/v1"
enum { ROOT_MAGIC_LEN = sizeof ROOT_MAGIC - 1, ROOT_FILE_LEN = ROOT_MAGIC_LEN + ROOT_LEN };

struct tee {
    char state[STATE_LEN];
    uint8_t measurement[HASH_LEN];
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

apex_status tee_open(const char *kind, const char *state, struct tee **tee)
{
    if (strcmp(kind, "sim") != 0) return APEX_E_USAGE;
    struct tee *t = calloc(1, sizeof *t);
    if (!t) return APEX_E_MEMORY;
    int n = snprintf(t->state, sizeof t->state, "%s", state);
    apex_status s =
        n > 0 && (size_t)n < sizeof t->state ? measure_self(t->measurement) : APEX_E_USAGE;
    if (s == APEX_OK && mkdir(state, 0700) != 0 && errno != EEXIST) s = APEX_E_IO;
    if (s != APEX_OK) {
        free(t);
        return s;
    }
    *tee = t;
    return APEX_OK;
}

void tee_close(struct tee *tee)
{
    free(tee);
}

const char *tee_kind(const struct tee *tee)
{
    (void)tee;
    return "sim";
}

struct span tee_measurement(const struct tee *tee)
{
    return SPAN(tee->measurement);
}

apex_status tee_quote(const struct tee *tee, const uint8_t report_data[static REPORT_DATA_LEN],
                      uint64_t time_ms, struct buffer *evidence)
{
    BUFFER_CLEARED report = {0};
    sim_report_write(tee->measurement, report_data, time_ms, &report);
    TRY(buffer_ok(&report));
    evidence_write("sim", buffer_span(&report), (struct span){0}, evidence);
    return buffer_ok(evidence);
}

static apex_status root_read(int fd, struct root_secret *root)
{
    uint8_t file[ROOT_FILE_LEN + 1];
    ssize_t n = read(fd, file, sizeof file);
    apex_status s = n == ROOT_FILE_LEN && memcmp(file, ROOT_MAGIC, ROOT_MAGIC_LEN) == 0
                        ? APEX_OK
                        : APEX_E_UNTRUSTED;
    if (s == APEX_OK) memcpy(root->bytes, file + ROOT_MAGIC_LEN, ROOT_LEN);
    wipe(file, sizeof file);
    return s;
}

static apex_status root_write(int fd, const struct root_secret *root)
{
    uint8_t file[ROOT_FILE_LEN];
    memcpy(file, ROOT_MAGIC, ROOT_MAGIC_LEN);
    memcpy(file + ROOT_MAGIC_LEN, root->bytes, ROOT_LEN);
    bool whole = write(fd, file, sizeof file) == (ssize_t)sizeof file && fsync(fd) == 0;
    wipe(file, sizeof file);
    return whole ? APEX_OK : APEX_E_IO;
}

static apex_status folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return APEX_E_IO;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced ? APEX_OK : APEX_E_IO;
}

/* Written beside, synced, then renamed: a root is there whole or not at all. */
static apex_status root_make(const struct tee *tee, const char *path, struct root_secret *root)
{
    char beside[PATH_LEN];
    snprintf(beside, sizeof beside, "%s/root.new", tee->state);
    unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return APEX_E_IO;
    random_bytes(root->bytes, sizeof root->bytes);
    apex_status s = root_write(fd, root);
    close(fd);
    TRY(s);
    if (rename(beside, path) != 0) return APEX_E_IO;
    return folder_sync(tee->state);
}

apex_status tee_root(const struct tee *tee, struct root_secret *root, bool *fresh)
{
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/root", tee->state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *fresh = fd < 0 && errno == ENOENT;
    if (*fresh) return root_make(tee, path, root);
    if (fd < 0) return APEX_E_IO;
    apex_status s = root_read(fd, root);
    close(fd);
    return s;
}
