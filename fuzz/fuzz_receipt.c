/* Result files: nothing that was not signed verifies. */
#include "client/lib/verify_parts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct apex_verification v;
    struct apex_error error;
    char *text = malloc(len + 1);
    if (!text) return 0;
    memcpy(text, data, len);
    text[len] = 0;
    apex_status s =
        apex_verify(NULL, &(struct apex_result_file){text, len}, 1, NULL, &v, &error);
    if ((s == APEX_OK) != v.holds) abort();
    free(text);
    return 0;
}
