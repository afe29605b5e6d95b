/* One cell, from text to value; and any text, to what may be shown of it. */
#include "client/lib/cell.h"
#include "client/lib/decimal.h"
#include "client/lib/show.h"
#include "tests/check.h"
#include "tests/client/rows.h"

#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed;

/* Decimals in lat and lon against 128-bit integers. */
static void degrees_are_rounded_exactly_halves_away_from_zero(void **state)
{
    (void)state;
    seed = 1;
    for (int i = 0; i < 200000; i++) {
        int fraction = (int)(splitmix64(&seed) % 12), zeros = (int)(splitmix64(&seed) % 3),
            e = (int)(splitmix64(&seed) % 7) - 3;
        int64_t digits = (int64_t)(splitmix64(&seed) % (i % 2 ? 2000000000 : 20000)), expected,
                got;
        __int128 scaled = digits;
        char text[80], whole[40];
        snprintf(whole, sizeof whole, "%0*lld", fraction + 1 + zeros, (long long)digits);
        int point = (int)strlen(whole) - fraction;
        snprintf(text, sizeof text, "%s%.*s.%se%d", i % 3 ? "-" : "", point, whole,
                 whole + point, e);
        int power = 7 - fraction + e; /* digits * 10^power */
        __int128 divisor = 1;
        for (; power > 0; power--)
            scaled *= 10;
        for (; power < 0; power++)
            divisor *= 10;
        __int128 exact = (2 * scaled + divisor) / (2 * divisor);
        bool fits = exact <= INT64_MAX;
        expected = i % 3 ? -(int64_t)exact : (int64_t)exact;
        if (decimal_scaled(span_text(text), 7, &got) != fits || (fits && got != expected))
            fail_msg("%s: %lld, not %lld", text, (long long)got, (long long)expected);
    }
}

static void floats_are_the_nearest_double(void **state)
{
    (void)state;
    static const char *const hard[] = {"9007199254740993",
                                       "0.1",
                                       "2.2250738585072011e-308",
                                       "179769313486231580793728971405301e276",
                                       "1e23",
                                       "8.442911973260991817129021e-309",
                                       "123456789012345678",
                                       "0.000000000000000000000000000000000000000000000000001",
                                       "1e22",
                                       "1e-22",
                                       "999999999999999e22",
                                       "9007199254740992.5"};
    struct decimal d;
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        CHECK(decimal_parse(span_text(hard[i]), &d));
        CHECK(decimal_double(span_text(hard[i]), &d) == strtod(hard[i], NULL));
    }
    seed = 2;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        unsigned long long a = splitmix64(&seed) % (i % 3 ? 1000000000 : UINT64_MAX),
                           b = splitmix64(&seed) % 1000000000;
        if (i % 2)
            snprintf(text, sizeof text, "%s%llu.%llue%d", i % 5 ? "" : "-", a, b,
                     (int)(splitmix64(&seed) % 60) - 30);
        else
            snprintf(text, sizeof text, "%llu.%06llu", a % 1000, b % 1000000);
        if (!decimal_parse(span_text(text), &d)) fail_msg("%s", text);
        double got = decimal_double(span_text(text), &d), want = strtod(text, NULL);
        if (memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s: %.17g, not %.17g", text, got, want);
    }
}

static void numbers_mean_the_same_in_every_locale(void **state)
{
    (void)state;
    struct decimal d;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) != NULL;
    if (!found) skip(); /* no locale here writes decimals otherwise */
    CHECK(decimal_parse(SPAN_TEXT("1.5e-300"), &d));
    CHECK(decimal_double(SPAN_TEXT("1.5e-300"), &d) == 1.5e-300);
    CHECK(decimal_parse(SPAN_TEXT("1.25"), &d));
    CHECK(decimal_double(SPAN_TEXT("1.25"), &d) == 1.25);
    CHECK(setlocale(LC_NUMERIC, "C"));
}

static void shown_text_is_harmless_and_short(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
        {"a\nb\rc\td\\e", "a\\nb\\rc\\td\\\\e"},
        {"\x1b[2J", "\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b", "\\xc2\\x9b"}, /* CSI, one character */
        {"\xe2\x80\xae"
         "x",
         "\\xe2\\x80\\xaex"}, /* right-to-left override */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc2\xa0", "\\xc2\\xa0"},
        {"\xef\xbb\xbfx", "\\xef\\xbb\\xbfx"},
        {"\xf0\x9f\x97\xbe", "\xf0\x9f\x97\xbe"},
        {"012345678901234567890", "012345678901234567890"},
        {"01234567890123456789012", "01234567890123456789012"},
        {"012345678901234567890123", "01234567890123456789..."},
        {"0123456789012345678\xc3\xa9xxxxxx", "0123456789012345678..."},
        {"0123456789012345678901\n", "01234567890123456789..."},
    };
    char out[24];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_show(span_text(cases[i].text), out, sizeof out);
        if (strcmp(out, cases[i].shown) != 0) fail_msg("case %zu: %s", i, out);
        char again[24];
        text_tame(cases[i].shown, again, sizeof again); /* leaves alone what was shown */
        CHECK(strcmp(again, cases[i].shown) == 0);
    }
    seed = 3;
    for (int i = 0; i < 20000; i++) {
        uint8_t text[40], len = (uint8_t)(splitmix64(&seed) % sizeof text);
        for (size_t k = 0; k < len; k++)
            text[k] = (uint8_t)splitmix64(&seed);
        memset(out, 'z', sizeof out);
        text_show(span_of(text, len), out, sizeof out);
        json_t *as_json =
            json_stringn(out, strnlen(out, sizeof out)); /* refuses what is not UTF-8 */
        CHECK(memchr(out, 0, sizeof out) && as_json);
        for (const char *p = out; *p; p++)
            CHECK((uint8_t)*p >= 0x20 && *p != 0x7f);
        json_decref(as_json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(degrees_are_rounded_exactly_halves_away_from_zero),
        cmocka_unit_test(floats_are_the_nearest_double),
        cmocka_unit_test(numbers_mean_the_same_in_every_locale),
        cmocka_unit_test(shown_text_is_harmless_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
