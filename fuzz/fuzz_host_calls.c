/* An enclave's calls on a real store and log: each gets one answer, of a known status, and none
 * leaves a name behind in tmp/. */
#include "host/daemon/host.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void folder_remove(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void host_make(struct host *h)
{
    const struct store_options o = {.blob_max = 1 << 20};
    char path[96];
    /* In memory where there is such a place: thousands of syncs. */
    snprintf(folder, sizeof folder, "%s/fuzz_host_calls.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) abort();
    atexit(folder_remove);
    snprintf(path, sizeof path, "%s/blobs", folder);
    if (store_open(path, &o, &h->store) != APEX_OK) abort();
    snprintf(path, sizeof path, "%s/log", folder);
    if (ledger_open(path, &h->ledger) != APEX_OK) abort();
    static char root[96];
    snprintf(root, sizeof root, "%s/root.sealed", folder);
    h->root_path = root;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct host host;
    BUFFER_CLEARED answer = {0};
    if (!host.store) host_make(&host);
    host_call(&host, span_of(data, len), &answer);
    if (buffer_ok(&answer) != APEX_OK || answer.len < 1 || answer.data[0] > CALL_BAD) abort();
    if (answer.data[0] != CALL_OK && answer.len != 1) abort();
    if (answer.len > FRAME_MAX - FRAME_HEAD_LEN) abort();
    store_pieces_drop(host.store);
    return 0;
}
