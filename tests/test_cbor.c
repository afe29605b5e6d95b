/* Oracle: RFC 8949 appendix A, the examples of our subset, and those outside of it. */
#include "common/base/hex.h"
#include "common/wire/cbor.h"
#include "tests/check.h"

#include <math.h>

enum { HEX_MAX = 256 };

static struct span unhex(const char *hex, uint8_t bytes[static HEX_MAX])
{
    size_t len = strlen(hex) / 2;
    CHECK_OK(hex_parse(span_text(hex), bytes, len));
    return span_of(bytes, len);
}

static void integers_are_those_of_appendix_a_both_ways(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {1, "01"},
        {10, "0a"},
        {23, "17"},
        {24, "1818"},
        {25, "1819"},
        {100, "1864"},
        {255, "18ff"},
        {256, "190100"},
        {1000, "1903e8"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {1000000, "1a000f4240"},
        {4294967295, "1affffffff"},
        {4294967296, "1b0000000100000000"},
        {1000000000000, "1b000000e8d4a51000"},
        {UINT64_MAX, "1bffffffffffffffff"},
    };
    uint8_t bytes[HEX_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED b = {0};
        uint64_t value;
        cbor_put_uint(&b, cases[i].value);
        CHECK(span_equal(buffer_span(&b), unhex(cases[i].hex, bytes)));
        struct cursor c = cursor_on(buffer_span(&b));
        CHECK_OK(cbor_uint(&c, &value));
        CHECK_OK(cursor_end(&c));
        CHECK(value == cases[i].value);
        CHECK_OK(cbor_check(buffer_span(&b)));
    }
}

static void signed_integers_are_those_of_appendix_a_both_ways(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *hex;
    } cases[] = {{-1, "20"},
                 {-10, "29"},
                 {-24, "37"},
                 {-25, "3818"},
                 {-100, "3863"},
                 {-1000, "3903e7"},
                 {0, "00"},
                 {1000, "1903e8"},
                 {INT64_MIN, "3b7fffffffffffffff"},
                 {INT64_MAX, "1b7fffffffffffffff"}};
    uint8_t bytes[HEX_MAX];
    int64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUFFER_CLEARED b = {0};
        cbor_put_int(&b, cases[i].value);
        CHECK(span_equal(buffer_span(&b), unhex(cases[i].hex, bytes)));
        struct cursor c = cursor_on(buffer_span(&b));
        CHECK_OK(cbor_int(&c, &value));
        CHECK(value == cases[i].value);
    }
    static const char *const beyond[] = {"3b8000000000000000", "3bffffffffffffffff",
                                         "1b8000000000000000"};
    for (size_t i = 0; i < 3; i++) {
        struct cursor c = cursor_on(unhex(beyond[i], bytes));
        CHECK_STATUS(cbor_int(&c, &value), APEX_E_FORMAT);
    }
}

static void floats_have_eight_bytes_one_zero_and_no_not_a_number(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *hex;
    } good[] = {{1.1, "fb3ff199999999999a"},
                {-4.1, "fbc010666666666666"},
                {1.0e+300, "fb7e37e43c8800759c"},
                {0.0, "fb0000000000000000"},
                {-0.0, "fb0000000000000000"}};
    static const char *const bad[] = {"fb8000000000000000",
                                      "fb7ff8000000000000",
                                      "fbfff8000000000000",
                                      "fb7ff0000000000001",
                                      "f93c00",
                                      "f90000",
                                      "fa47c35000",
                                      "f97e00",
                                      "fa7fc00000",
                                      "fb3ff19999999999"};
    uint8_t bytes[HEX_MAX];
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        BUFFER_CLEARED b = {0};
        cbor_put_float(&b, good[i].value);
        CHECK(span_equal(buffer_span(&b), unhex(good[i].hex, bytes)));
        struct cursor c = cursor_on(buffer_span(&b));
        CHECK_OK(cbor_float(&c, &value));
        CHECK(value == good[i].value && !signbit(value) == !(good[i].value < 0));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cursor c = cursor_on(unhex(bad[i], bytes)), before = c;
        CHECK_STATUS(cbor_float(&c, &value), APEX_E_FORMAT);
        CHECK(c.at == before.at);
        CHECK_STATUS(cbor_check(unhex(bad[i], bytes)), APEX_E_FORMAT);
    }
}

static void the_examples_of_appendix_a_inside_the_subset_pass(void **state)
{
    (void)state;
    static const char *const good[] = {
        "f4",
        "f5",
        "f6",
        "40",
        "4401020304",
        "60",
        "6161",
        "6449455446",
        "62225c",
        "62c3bc",
        "63e6b0b4",
        "64f0908591",
        "80",
        "83010203",
        "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "a0",
        "a201020304",
        "a26161016162820203",
        "826161a161626163",
        "a56161614161626142616361436164614461656145",
        "fb3ff199999999999a",
        "fbfff0000000000000",
    };
    uint8_t bytes[HEX_MAX], more[HEX_MAX + 1];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct span item = unhex(good[i], bytes);
        CHECK_OK(cbor_check(item));
        for (size_t len = 0; len < item.len; len++)
            CHECK_STATUS(cbor_check(span_of(item.data, len)), APEX_E_FORMAT);
        memcpy(more, item.data, item.len);
        for (int byte = 0; byte < 256; byte++) {
            more[item.len] = (uint8_t)byte;
            CHECK_STATUS(cbor_check(span_of(more, item.len + 1)), APEX_E_FORMAT);
        }
    }
}

static void what_is_outside_the_subset_or_not_deterministic_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "f7",
        "f0",
        "f818",
        "f8ff",
        "f3",
        "f814", /* undefined, simple values */
        "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0",
        "d74401020304", /* tags */
        "c249010000000000000000",
        "d818456449455446",
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "bf61610161629f0203ffff",
        "ff",
        "1c",
        "1d",
        "1e",
        "1f",
        "3c",
        "5c",
        "7d",
        "9e",
        "be",
        "df",
        "fc",
        "fd",
        "fe", /* reserved */
        "1800",
        "1817",
        "190000",
        "1900ff",
        "1a00000000",
        "1a0000ffff",
        "1b0000000000000000",
        "1b00000000ffffffff", /* longer than needed */
        "3817",
        "3900ff",
        "5801ff",
        "580161",
        "7801"
        "61",
        "9800",
        "980101",
        "b800",
        "b8010101",
        "5a0000000161",
        "a201010102",
        "a202010101",
        "a2616201616101",
        "a2626161016162"
        "01",
        "a2200100"
        "01",
        "a2f40100"
        "01", /* keys equal or out of order */
        "62c328",
        "61ff",
        "62c080",
        "63eda080",
        "64f4908080",
        "61c3",
        "63e08080",
        "64f0808080", /* not UTF-8 */
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "9a00ffffff",
        "8201",
        "a101",
    };
    uint8_t bytes[HEX_MAX];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(cbor_check(unhex(bad[i], bytes)), APEX_E_FORMAT);
}

static void nested(struct buffer *b, size_t depth, bool maps)
{
    for (size_t i = 1; i < depth; i++) {
        if (maps) {
            cbor_put_map(b, 1);
            cbor_put_uint(b, 0);
        } else {
            cbor_put_array(b, 1);
        }
    }
    cbor_put_null(b);
}

static void depth_is_bounded_for_arrays_maps_and_keys(void **state)
{
    (void)state;
    for (int maps = 0; maps < 2; maps++) {
        for (size_t depth = 1; depth <= CBOR_DEPTH_MAX + 2; depth++) {
            BUFFER_CLEARED b = {0};
            nested(&b, depth, maps);
            CHECK((cbor_check(buffer_span(&b)) == APEX_OK) == (depth <= CBOR_DEPTH_MAX));
        }
    }
    BUFFER_CLEARED deep = {0};
    for (int i = 0; i < 100000; i++)
        cbor_put_array(&deep, 1);
    CHECK_STATUS(cbor_check(buffer_span(&deep)), APEX_E_FORMAT);
    memset(deep.data, 0xa1, deep.len); /* a map whose key is a map whose key… */
    CHECK_STATUS(cbor_check(buffer_span(&deep)), APEX_E_FORMAT);
}

/* RFC 8949 section 4.2.1: bytewise order of the encodings, so 24 comes before -1, and "b"
 * before "aa". */
static void map_keys_are_ordered_by_their_encoding(void **state)
{
    (void)state;
    static const char *const keys[] = {"00",   "0a", "1818", "1864", "190100", "20",     "37",
                                       "3818", "40", "4100", "60",   "617a",   "626161", "80",
                                       "8100", "a0", "f4",   "f5",   "f6"};
    enum { N = sizeof keys / sizeof *keys };
    uint8_t bytes[HEX_MAX];
    char hex[HEX_MAX];
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++) {
            snprintf(hex, sizeof hex, "a2%s00%s00", keys[i], keys[k]);
            CHECK_STATUS(cbor_check(unhex(hex, bytes)), i < k ? APEX_OK : APEX_E_FORMAT);
        }
}

static void a_reader_of_another_type_leaves_the_cursor_where_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum cbor_type type;
    } items[] = {
        {"05", CBOR_UINT},     {"24", CBOR_NEGATIVE}, {"420102", CBOR_BYTES},
        {"626162", CBOR_TEXT}, {"8101", CBOR_ARRAY},  {"a10101", CBOR_MAP},
        {"f5", CBOR_BOOL},     {"f6", CBOR_NULL},     {"fb3ff199999999999a", CBOR_FLOAT}};
    uint8_t bytes[HEX_MAX];
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct span item = unhex(items[i].hex, bytes), span;
        enum cbor_type type;
        uint64_t u;
        int64_t s;
        size_t n;
        bool flag;
        double d;
        uint8_t two[2];
        for (enum cbor_type as = CBOR_UINT; as <= CBOR_FLOAT; as++) {
            struct cursor c = cursor_on(item), start = c;
            CHECK_OK(cbor_peek(&c, &type));
            CHECK(type == items[i].type && c.at == start.at);
            apex_status got = as == CBOR_UINT       ? cbor_uint(&c, &u)
                              : as == CBOR_NEGATIVE ? cbor_int(&c, &s)
                              : as == CBOR_BYTES    ? cbor_bytes(&c, &span)
                              : as == CBOR_TEXT     ? cbor_text(&c, &span)
                              : as == CBOR_ARRAY    ? cbor_array(&c, &n)
                              : as == CBOR_MAP      ? cbor_map(&c, &n)
                              : as == CBOR_BOOL     ? cbor_bool(&c, &flag)
                              : as == CBOR_NULL     ? cbor_null(&c)
                                                    : cbor_float(&c, &d);
            bool fits = as == type || (as == CBOR_NEGATIVE && type == CBOR_UINT);
            CHECK_STATUS(got, fits ? APEX_OK : APEX_E_FORMAT);
            CHECK((c.at == start.at) == !fits);
        }
        struct cursor c = cursor_on(item), start = c;
        CHECK((cbor_bytes_exact(&c, two, 2) == APEX_OK) == (items[i].type == CBOR_BYTES));
        c = start;
        CHECK((cbor_text_is(&c, "ab") == APEX_OK) == (items[i].type == CBOR_TEXT));
        c = start;
        CHECK_STATUS(cbor_text_is(&c, "a"), APEX_E_FORMAT);
        CHECK_STATUS(cbor_bytes_exact(&c, two, 1), APEX_E_FORMAT);
        CHECK(c.at == start.at);
        CHECK((cbor_key(&c, 5) == APEX_OK) == (items[i].type == CBOR_UINT));
    }
}

static void skipping_hands_out_exactly_one_item(void **state)
{
    (void)state;
    uint8_t bytes[HEX_MAX];
    struct cursor c = cursor_on(unhex("a201820203036161f6", bytes));
    struct span item;
    CHECK_OK(cbor_skip(&c, &item));
    CHECK(item.data == bytes && item.len == 8);
    CHECK_OK(cbor_null(&c));
    CHECK_OK(cursor_end(&c));
}

static void utf8_is_what_unicode_says_for_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110400; c++) {
        uint8_t t[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 0;)
            t[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        if (n == 1)
            t[0] = (uint8_t)c;
        else
            t[0] = (uint8_t)((0xf00u >> n & 0xff) | c >> 6 * (n - 1));
        bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (cbor_utf8_valid(span_of(t, n)) != valid) fail_msg("U+%04X", c);
        if (n > 1 && cbor_utf8_valid(span_of(t, n - 1))) fail_msg("U+%04X cut short", c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_those_of_appendix_a_both_ways),
        cmocka_unit_test(signed_integers_are_those_of_appendix_a_both_ways),
        cmocka_unit_test(floats_have_eight_bytes_one_zero_and_no_not_a_number),
        cmocka_unit_test(the_examples_of_appendix_a_inside_the_subset_pass),
        cmocka_unit_test(what_is_outside_the_subset_or_not_deterministic_is_refused),
        cmocka_unit_test(depth_is_bounded_for_arrays_maps_and_keys),
        cmocka_unit_test(map_keys_are_ordered_by_their_encoding),
        cmocka_unit_test(a_reader_of_another_type_leaves_the_cursor_where_it_was),
        cmocka_unit_test(skipping_hands_out_exactly_one_item),
        cmocka_unit_test(utf8_is_what_unicode_says_for_every_code_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
