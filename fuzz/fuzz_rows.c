/* Owners' files: CSV, JSON lists, JSON lines, GeoJSON. The first byte chooses a --map. The
 * careful way and the quick one, at each level of instructions, come to the same. */
#include "client/lib/reader.h"
#include "common/base/buffer.h"
#include "common/num/simd.h"
#include "include/apex/apex.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct outcome {
    const struct manifest_dataset *schema;
    apex_status status;
    struct buffer groups;
    struct complaints complaints;
    struct reader_summary summary;
    struct apex_error error;
};

static apex_status group_check(void *context, struct span group)
{
    static struct table_group g;
    struct outcome *o = context;
    size_t row, column;
    /* What the client takes, the enclave takes. */
    if (table_group_parse(group, &g) != APEX_OK ||
        table_group_check(&g, o->schema, &row, &column) != APEX_OK)
        abort();
    buffer_append(&o->groups, group);
    return buffer_ok(&o->groups);
}

static void file_read(const char *path, const char *map, bool careful, struct outcome *o)
{
    struct reader_options options = {
        .map = map, .group = group_check, .context = o, .careful = careful};
    memset(&o->error, 0, sizeof o->error);
    o->groups.len = 0;
    o->status = reader_run(path, o->schema, &options, &o->complaints, &o->summary, &o->error);
    if (o->status == APEX_E_DATA && o->complaints.total == 0) abort();
}

static bool same_complaint(const struct complaint *a, const struct complaint *b)
{
    return a->row == b->row && a->line == b->line && a->reason == b->reason &&
           strcmp(a->column, b->column) == 0 && strcmp(a->value, b->value) == 0;
}

static void same_outcome(const struct outcome *a, const struct outcome *b)
{
    bool same = a->status == b->status && strcmp(a->error.what, b->error.what) == 0 &&
                a->summary.rows == b->summary.rows &&
                a->complaints.total == b->complaints.total &&
                span_equal(buffer_span(&a->groups), buffer_span(&b->groups));
    for (size_t i = 0; same && i < a->complaints.n; i++)
        same = same_complaint(&a->complaints.item[i], &b->complaints.item[i]);
    if (!same) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct manifest_column columns[] = {
        {.name = "latitude",
         .type = COLUMN_LATITUDE,
         .has_min = true,
         .has_max = true,
         .min = -90,
         .max = 90},
        {.name = "longitude",
         .type = COLUMN_LONGITUDE,
         .has_min = true,
         .has_max = true,
         .min = -180,
         .max = 180},
        {.name = "class", .type = COLUMN_CATEGORY, .missing = true},
        {.name = "n", .type = COLUMN_INT64, .missing = true},
        {.name = "f", .type = COLUMN_FLOAT64, .missing = true},
        {.name = "b", .type = COLUMN_BOOL, .missing = true},
        {.name = "d", .type = COLUMN_DATE, .missing = true}};
    static struct manifest_dataset schema = {
        .name = "rows", .n_columns = 7, .columns = columns};
    static const char *const maps[] = {NULL, "latitude=1,longitude=2,class=3,n=4,f=5,b=6,d=7",
                                       "latitude=Lat,longitude=Lng,class=c,n=n,f=f,b=b,d=d",
                                       "x"};
    static struct outcome careful = {.schema = &schema}, quick = {.schema = &schema};
    char path[32];
    if (len == 0) return 0;
    int fd = memfd_create("rows", 0);
    if (fd < 0 || write(fd, data + 1, len - 1) != (ssize_t)(len - 1)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    file_read(path, maps[data[0] % 4], true, &careful);
    for (int level = SIMD_LEVEL_ANY; level <= SIMD_LEVEL_512; level++) {
        simd_level_limit((enum simd_level)level);
        file_read(path, maps[data[0] % 4], false, &quick);
        same_outcome(&quick, &careful);
    }
    close(fd);
    return 0;
}
