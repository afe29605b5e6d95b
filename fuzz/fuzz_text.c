/* The texts people write: manifests, trust policies, JSON; by the first byte. What is refused
 * is so with a place, in printable ASCII. JSON gives the same tokens however it is fed. */
#include "common/attest/attest.h"
#include "common/wire/json.h"
#include "common/wire/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t tokens(struct span in, size_t step)
{
    static struct json j;
    uint64_t digest = 1;
    enum json_event e;
    size_t at = 0;
    json_init(&j, false);
    json_feed(&j, (struct span){0}, false);
    for (;;) {
        if (json_next(&j, &e) != APEX_OK) return 0;
        if (e == JSON_END) return digest;
        if (e != JSON_MORE) {
            digest = digest * 31 + (uint64_t)e +
                     (e == JSON_STRING || e == JSON_KEY || e == JSON_NUMBER ? j.len : 0);
            continue;
        }
        size_t n = in.len - at < step ? in.len - at : step;
        json_feed(&j, span_of(in.data + at, n), at + n == in.len);
        at += n;
    }
}

static void placed(size_t line, size_t column, const char *where, const char *what)
{
    if (line < 1 || column < 1 || !what) abort();
    for (; *where; where++)
        if (*where < 0x20 || *where > 0x7e) abort();
}

static void manifests(struct span in)
{
    struct manifest *m = NULL;
    struct manifest_error e;
    if (manifest_parse(in, &m, &e) == APEX_OK)
        manifest_free(m);
    else
        placed(e.line, e.column, e.where, e.what);
}

static void policies(struct span in)
{
    struct trust_policy *p = NULL;
    struct policy_error e;
    if (trust_policy_parse(in, &p, &e) == APEX_OK)
        trust_policy_free(p);
    else
        placed(e.line, e.column, e.where, e.what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > MANIFEST_MAX) return 0;
    struct span in = span_of(data + 1, len - 1);
    if (data[0] % 3 == 0) manifests(in);
    if (data[0] % 3 == 1) policies(in);
    if (data[0] % 3 == 2 && tokens(in, 1 << 20) != tokens(in, 3)) abort();
    return 0;
}
