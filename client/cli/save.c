/* Files that hold answers: mode 0600, and whole or as they were before. */
#include "client/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LONGEST = 4096 };

struct saving {
    char path[PATH_LONGEST], beside[PATH_LONGEST + 8];
    bool special; /* a device or a pipe: nobody's to replace, and written into */
    FILE *f;
};

/* What a file of that name would be, where a link may lead; nothing is opened. */
static bool saving_find(struct saving *s, const char *path)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    s->special = there && !S_ISREG(st.st_mode);
    char *real = s->special ? NULL : realpath(path, NULL);
    int n = snprintf(s->path, sizeof s->path, "%s", real ? real : path);
    bool fits = n > 0 && (size_t)n < sizeof s->path;
    free(real);
    snprintf(s->beside, sizeof s->beside, "%s.XXXXXX", s->path);
    if (fits && !(there && S_ISDIR(st.st_mode))) return true;
    errno = n == 0 ? ENOENT : fits ? EISDIR : ENAMETOOLONG;
    return false;
}

static bool saving_open(struct saving *s)
{
    int fd = s->special ? open(s->path, O_WRONLY | O_CLOEXEC)
                        : mkostemp(s->beside, O_CLOEXEC); /* mode 0600 */
    s->f = fd < 0 ? NULL : fdopen(fd, "wb");
    return s->f != NULL;
}

/* Puts it in place, or leaves what was there; errno is of what failed. */
static bool saving_close(struct saving *s, bool whole)
{
    whole = fflush(s->f) == 0 && whole && !ferror(s->f);
    int why = errno;
    if (fclose(s->f) != 0 && whole) {
        whole = false;
        why = errno;
    }
    if (whole && !s->special && rename(s->beside, s->path) != 0) {
        whole = false;
        why = errno;
    }
    if (!whole && !s->special) unlink(s->beside);
    errno = why;
    return whole;
}

enum saved cli_write(const char *path, const char *text, bool (*writer)(const char *, FILE *))
{
    struct saving s;
    if (!saving_find(&s, path) || !saving_open(&s)) return SAVED_NOT;
    bool any = writer(text, s.f), failed = ferror(s.f) != 0;
    if (saving_close(&s, any)) return SAVED;
    return any || failed ? SAVED_NOT : SAVED_NOTHING;
}

bool cli_write_text(const char *text, FILE *out)
{
    return fputs(text, out) >= 0;
}

int cli_save(const struct cli *cli, const char *path, const char *text)
{
    return cli_write(path, text, cli_write_text) == SAVED
               ? EXIT_OK
               : cli_file_failed(cli, path, "cannot be written", "what was there is as it was");
}

int cli_save_check(const struct cli *cli, const char *path, const char *not_done)
{
    struct saving s;
    bool can = saving_find(&s, path) && (s.special ? access(path, W_OK) == 0 : saving_open(&s));
    if (can && !s.special) (void)saving_close(&s, false);
    return can ? EXIT_OK : cli_file_failed(cli, path, "cannot be written", not_done);
}
