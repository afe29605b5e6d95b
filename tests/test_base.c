#include "common/base/buffer.h"
#include "common/base/cursor.h"
#include "common/base/hex.h"
#include "common/base/size.h"
#include "common/base/wipe.h"
#include "tests/check.h"

#include <stdlib.h>

static void cursor_never_reads_past_the_end(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct cursor c = cursor_on(span_of(bytes, len));
        uint64_t u64;
        uint32_t u32;
        uint8_t u8;
        CHECK_STATUS(cursor_be64(&c, &u64), APEX_E_FORMAT);
        CHECK(cursor_left(&c) == len); /* a failed read leaves the cursor where it was */
        CHECK((cursor_be32(&c, &u32) == APEX_OK) == (len >= 4));
        while (cursor_left(&c)) CHECK_OK(cursor_u8(&c, &u8));
        CHECK_STATUS(cursor_u8(&c, &u8), APEX_E_FORMAT);
        CHECK_OK(cursor_end(&c));
    }
}

static void cursor_reads_both_byte_orders(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
    struct cursor c = cursor_on(SPAN(bytes));
    uint64_t be, le;
    CHECK_OK(cursor_be64(&c, &be));
    c = cursor_on(SPAN(bytes));
    CHECK_OK(cursor_le64(&c, &le));
    CHECK(be == 0x123456789abcdef0u);
    CHECK(le == 0xf0debc9a78563412u);
}

static void cursor_refuses_what_it_does_not_expect_and_what_is_left_over(void **state)
{
    (void)state;
    struct cursor c = cursor_on(SPAN_TEXT("magicX"));
    CHECK_STATUS(cursor_expect(&c, SPAN_TEXT("mAgic")), APEX_E_FORMAT);
    CHECK_OK(cursor_expect(&c, SPAN_TEXT("magic")));
    CHECK_STATUS(cursor_end(&c), APEX_E_FORMAT);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    size_t r = 7;
    CHECK(!size_add(SIZE_MAX, 1, &r) && r == 7);
    CHECK(!size_mul(SIZE_MAX / 2 + 1, 2, &r) && r == 7);
    CHECK(!size_align(SIZE_MAX, 64, &r) && r == 7);
    CHECK(size_align(65, 64, &r) && r == 128);
}

static void a_buffer_past_its_limit_keeps_what_it_had(void **state)
{
    (void)state;
    BUFFER_CLEARED b = {.max = 4};
    buffer_text(&b, "abcd");
    CHECK_OK(buffer_ok(&b));
    buffer_text(&b, "e");
    CHECK_STATUS(buffer_ok(&b), APEX_E_LIMIT);
    CHECK(b.len == 4 && memcmp(b.data, "abcd", 4) == 0);
}

static void hex_and_base32_have_one_text_per_value(void **state)
{
    (void)state;
    uint8_t in[32], out[32];
    char text[65], b32[BASE32_32_LEN + 1];
    for (size_t i = 0; i < 32; i++) in[i] = (uint8_t)(i * 37 + 11);
    hex_write(SPAN(in), text);
    CHECK_OK(hex_parse(span_text(text), out, 32));
    CHECK(memcmp(in, out, 32) == 0);
    text[0] = 'G';
    CHECK_STATUS(hex_parse(span_text(text), out, 32), APEX_E_FORMAT);
    CHECK_STATUS(hex_parse(SPAN_TEXT("AB"), out, 1), APEX_E_FORMAT);
    CHECK_STATUS(hex_parse(SPAN_TEXT("abc"), out, 1), APEX_E_FORMAT);
    base32_write(in, b32);
    CHECK_OK(base32_parse(span_text(b32), out));
    CHECK(memcmp(in, out, 32) == 0);
    b32[BASE32_32_LEN - 1] = (char)(b32[BASE32_32_LEN - 1] == 'z' ? 'y' : b32[BASE32_32_LEN - 1] + 1);
    CHECK_STATUS(base32_parse(span_text(b32), out), APEX_E_FORMAT); /* a non-zero trailing bit */
}

static void base32_agrees_with_rfc_4648(void **state)
{
    (void)state;
    uint8_t in[32] = "foobar";
    char b32[BASE32_32_LEN + 1];
    base32_write(in, b32);
    CHECK(memcmp(b32, "mzxw6ytboi", 9) == 0); /* RFC 4648 section 10: BASE32("foobar") = "MZXW6YTBOI======" */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_never_reads_past_the_end),
        cmocka_unit_test(cursor_reads_both_byte_orders),
        cmocka_unit_test(cursor_refuses_what_it_does_not_expect_and_what_is_left_over),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(a_buffer_past_its_limit_keeps_what_it_had),
        cmocka_unit_test(hex_and_base32_have_one_text_per_value),
        cmocka_unit_test(base32_agrees_with_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
