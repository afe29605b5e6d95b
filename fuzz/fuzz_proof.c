/* Checkpoints, bundles, tile paths, evidence, and what lies sealed: by the first byte. */
#include "common/attest/attest.h"
#include "common/merkle/cosignature.h"
#include "common/merkle/tile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void paths(struct span in)
{
    char path[200], again[TILE_PATH_MAX];
    unsigned level, width;
    uint64_t index;
    size_t n = in.len < sizeof path - 1 ? in.len : sizeof path - 1;
    memcpy(path, in.data, n);
    path[n] = 0;
    if (tile_path_parse(path, &level, &index, &width) != APEX_OK) return;
    if (tile_path(level, index, width, again) != APEX_OK || strcmp(path, again) != 0) abort();
}

/* A verifier key that is read is written as the same text. */
static void keys_read(struct span in)
{
    struct witness_key w;
    char again[NOTE_VKEY_MAX];
    if (witness_key_parse(in, &w) != APEX_OK) return;
    if (witness_key_write(&w, again) != APEX_OK || !span_equal(span_text(again), in)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct sign_public key = {{1}};
    static const struct enclave_keys keys;
    static const struct witness_key witness = {"witness.example/w1", {{3}}};
    struct checkpoint c;
    struct verdict v;
    uint64_t time_s;
    struct span entry, in = span_of(data + 1, len ? len - 1 : 0);
    struct seal_secret secret = {{2}};
    uint8_t out[4096];
    if (len < 2) return 0;
    switch (data[0] % 5) {
    case 0:
        if (checkpoint_open(in, "apex-log/test", &key, &c) == APEX_OK)
            abort(); /* nobody holds the key */
        (void)!checkpoint_parse_unverified(in, &c);
        if (cosignature_check(in, &witness, &time_s) == APEX_OK) abort();
        keys_read(in);
        break;
    case 1:
        while (bundle_next(&in, &entry) == APEX_OK) {
        }
        break;
    case 2: paths(in); break;
    case 3:
        if (attest_verify(in, &keys, NULL, 0, &v, NULL) == APEX_OK)
            abort(); /* no policy: nothing is acceptable */
        break;
    default:
        if (in.len < sizeof out &&
            hpke_open(&secret, (struct span){0}, (struct span){0}, in, out) == APEX_OK)
            abort();
    }
    return 0;
}
