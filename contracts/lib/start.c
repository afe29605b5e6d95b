/* Where a contract program begins and ends: descriptors in, answer and model out. The rest of
 * the runtime runs as well without them. */
#include "contracts/lib/run.h"

#include "common/base/endian.h"
#include "common/base/try.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static apex_status map_file(int fd, uint64_t size, const uint8_t **bytes)
{
    off_t len = lseek(fd, 0, SEEK_END); /* the jail has no stat */
    if (len <= 0 || (uint64_t)len != size) return APEX_E_FORMAT;
    void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) return APEX_E_MEMORY;
    *bytes = at;
    return APEX_OK;
}

static apex_status request_map(struct span *request)
{
    const uint8_t *bytes;
    off_t len = lseek(APEX_FD_REQUEST, 0, SEEK_END);
    if (len <= 0) return APEX_E_FORMAT;
    TRY(map_file(APEX_FD_REQUEST, (uint64_t)len, &bytes));
    *request = span_of(bytes, (size_t)len);
    return APEX_OK;
}

static apex_status open_all(struct apex_run *run)
{
    struct span request;
    TRY(request_map(&request));
    TRY(run_parse(request, run));
    if (run->streamed) TRY(run_stream_open(run));
    for (size_t i = 0; i < run->n_tables && !run->streamed; i++) {
        TRY(map_file(APEX_FD_TABLES + (int)i, run->tables[i].size, &run->tables[i].bytes));
        TRY(run_table_parse(&run->tables[i]));
    }
    return run->model_size ? map_file(APEX_FD_TABLES + (run->streamed ? 1 : (int)run->n_tables),
                                      run->model_size, &run->model)
                           : APEX_OK;
}

static apex_status write_all(const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(APEX_FD_RESULT, bytes + at, len - at);
        if (n <= 0) return APEX_E_LIMIT;
        at += (size_t)n;
    }
    return APEX_OK;
}

static apex_status model_out(const struct apex_run *run)
{
    uint8_t trailer[APEX_MODEL_TRAILER] = APEX_MODEL_MAGIC;
    if (!run->left) return APEX_OK;
    put_be64(trailer + APEX_MODEL_TRAILER - 8, run->left_len);
    TRY(write_all(run->left, run->left_len));
    return write_all(trailer, sizeof trailer);
}

/* One arena: each further one reserves 64 MiB of the quota, and where one shrinks, the C
 * library opens a file in /proc, which the jail takes for an escape. */
static bool memory_ready(void)
{
    return mallopt(M_ARENA_MAX, 1) == 1;
}

int main(void)
{
    if (!memory_ready()) _exit(RUN_EXIT_BROKEN);
    struct apex_run *run = calloc(1, sizeof *run);
    apex_status s = run ? open_all(run) : APEX_E_MEMORY;
    if (s == APEX_OK) s = apex_contract(run);
    if (s == APEX_OK && run->depth != 0) s = APEX_E_BUG;
    if (s == APEX_OK) run_json_flush(run);
    if (s == APEX_OK) s = model_out(run);
    if (s == APEX_E_LIMIT && run && run->left) _exit(RUN_EXIT_OUTPUT);
    _exit(s == APEX_OK ? 0 : s == APEX_E_MEMORY ? RUN_EXIT_MEMORY : RUN_EXIT_BROKEN);
}
