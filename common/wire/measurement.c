#include "common/wire/measurement.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/wire/manifest_read.h"

#include <string.h>

static bool length_known(size_t len)
{
    return len == 32 || len == 48 || len == 64 || len == TD_MEASUREMENT_LEN;
}

apex_status read_measurement(struct reader *r, struct measurement *m)
{
    char text[2 * MEASUREMENT_MAX + 1];
    TRY(read_text(r, text, sizeof text - 1));
    m->len = strlen(text) / 2;
    if (!length_known(m->len) || hex_parse(span_text(text), m->bytes, m->len) != APEX_OK)
        return reader_fail(r,
                           "64, 96, 128 or (of a TD) 288 lower-case hex digits are expected");
    return APEX_OK;
}

const char *measurement_misfit(struct span tee, size_t len)
{
    bool td = span_equal(tee, SPAN_TEXT("tdx"));
    if (td && len != TD_MEASUREMENT_LEN)
        return "the measurement of a TD is MRTD, RTMR1 and RTMR2, 288 digits in one: MRTD "
               "alone "
               "accepts any kernel behind that firmware";
    if (!td && len == TD_MEASUREMENT_LEN) return "a measurement of 288 digits is a TD's";
    return length_known(len) ? NULL : "no machine has a measurement of this length";
}
