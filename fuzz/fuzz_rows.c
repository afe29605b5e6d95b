/* Owners' files: CSV, JSON lists, JSON lines, GeoJSON. The first byte chooses a --map. */
#include "client/lib/reader.h"
#include "include/apex/apex.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static apex_status group_check(void *context, struct span group)
{
    static struct table_group g;
    const struct manifest_dataset *schema = context;
    size_t row, column;
    /* What the client takes, the enclave takes. */
    if (table_group_parse(group, &g) != APEX_OK ||
        table_group_check(&g, schema, &row, &column) != APEX_OK)
        abort();
    return APEX_OK;
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
    static struct complaints complaints;
    struct reader_summary summary;
    struct apex_error error;
    char path[32];
    if (len == 0) return 0;
    int fd = memfd_create("rows", 0);
    if (fd < 0 || write(fd, data + 1, len - 1) != (ssize_t)(len - 1)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct reader_options options = {
        .map = maps[data[0] % 4], .group = group_check, .context = &schema};
    apex_status s = reader_run(path, &schema, &options, &complaints, &summary, &error);
    if (s == APEX_E_DATA && complaints.total == 0) abort();
    close(fd);
    return 0;
}
