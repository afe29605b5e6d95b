/* Cases after JSONTestSuite (N. Seriot, "Parsing JSON is a minefield"): y_ must pass, n_ must
 * not. Each is fed whole, byte by byte and in two pieces at every place, and the events must be
 * the same. */
#include "common/base/buffer.h"
#include "common/wire/json.h"
#include "tests/check.h"

#include <math.h>

static struct json j;

/* Feeds `text` in pieces of `piece` bytes; the trace is every event with its text. */
static apex_status trace(struct span text, size_t first, size_t piece, bool many,
                         struct buffer *out)
{
    enum json_event e;
    size_t at = 0, len = first < text.len ? first : text.len;
    json_init(&j, many);
    json_feed(&j, span_of(text.data, len), len == text.len);
    for (;;) {
        apex_status s = json_next(&j, &e);
        if (s != APEX_OK) return s;
        if (e == JSON_END) return APEX_OK;
        if (e == JSON_MORE) {
            if (at + len >= text.len)
                return APEX_E_BUG; /* it was told that no piece comes after the last */
            at += len;
            len = text.len - at < piece ? text.len - at : piece;
            json_feed(&j, span_of(text.data + at, len), at + len == text.len);
            continue;
        }
        buffer_u8(out, (uint8_t)e);
        bool texted = e == JSON_KEY || e == JSON_STRING || e == JSON_NUMBER;
        if (texted) buffer_append(out, json_text(&j));
        if (texted && j.text[j.len] != 0) return APEX_E_BUG;
        buffer_u8(out, 0);
    }
}

static apex_status parse(struct span text, bool many)
{
    BUFFER_CLEARED whole = {0};
    apex_status s = trace(text, text.len, 1, many, &whole);
    for (size_t first = 0; first < text.len && text.len < 400; first++) {
        for (size_t piece = 1; piece <= text.len; piece += text.len - 1 ? text.len - 1 : 1) {
            BUFFER_CLEARED parts = {0};
            apex_status again = trace(text, first, piece, many, &parts);
            if (again != s ||
                (s == APEX_OK && !span_equal(buffer_span(&whole), buffer_span(&parts))))
                fail_msg("%.*s: %d whole, %d in pieces from %zu of %zu", (int)text.len,
                         (const char *)text.data, s, again, first, piece);
        }
    }
    return s;
}

#define T(literal)                                                                             \
    {                                                                                          \
        literal, sizeof(literal) - 1                                                           \
    }
struct text {
    const char *text;
    size_t len;
};

static void all(const struct text *cases, size_t n, apex_status status)
{
    for (size_t i = 0; i < n; i++) {
        apex_status s = parse(span_of(cases[i].text, cases[i].len), false);
        if (s != status) fail_msg("case %zu, %.*s: %d", i, (int)cases[i].len, cases[i].text, s);
    }
}

static void what_is_json_passes(void **state)
{
    (void)state;
    static const struct text y[] = {
        T("[[]   ]"),
        T("[\"\"]"),
        T("[]"),
        T("[\"a\"]"),
        T("[false]"),
        T("[null, 1, \"1\", {}]"),
        T("[null]"),
        T("[1\n]"),
        T(" [1]"),
        T("[1,null,null,null,2]"),
        T("[2] "),
        T("[123e65]"),
        T("[0e+1]"),
        T("[0e1]"),
        T("[ 4]"),
        T("[-0."
          "000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
        T("[20e1]"),
        T("[-0]"),
        T("[-123]"),
        T("[-1]"),
        T("[1E22]"),
        T("[1E-2]"),
        T("[1E+2]"),
        T("[123e45]"),
        T("[123.456e78]"),
        T("[1e-2]"),
        T("[1e+2]"),
        T("[123]"),
        T("[123.456789]"),
        T("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
        T("{\"asd\":\"sdf\"}"),
        T("{\"a\":\"b\",\"a\":\"c\"}"),
        T("{}"),
        T("{\"\":0}"),
        T("{\"foo\\u0000bar\": 42}"),
        T("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
        T("{\"a\":[]}"),
        T("{\n\"a\": \"b\"\n}"),
        T("[\"\\u0060\\u012a\\u12AB\"]"),
        T("[\"\\uD801\\udc37\"]"),
        T("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
        T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
        T("[\"\\\\u0000\"]"),
        T("[\"\\\"\"]"),
        T("[\"a/*b*/c/*d//e\"]"),
        T("[\"\\\\a\"]"),
        T("[\"\\\\n\"]"),
        T("[\"\\u0012\"]"),
        T("[\"\\uFFFF\"]"),
        T("[ \"asd\"]"),
        T("[\"\\uDBFF\\uDFFF\"]"),
        T("[\"\xef\xbf\xbf\"]"),
        T("[\"\xf4\x8f\xbf\xbf\"]"),
        T("[\"\\u0000\"]"),
        T("[\"\xcf\x80\"]"),
        T("[\"\xf0\x9b\xbf\xbf\"]"),
        T("\" \""),
        T("[\"\\uD834\\uDd1e\"]"),
        T("[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]"),
        T("[\"a\x7f"
          "a\"]"),
        T("[\"\xe2\x80\xa8\"]"),
        T("false"),
        T("42"),
        T("-0.1"),
        T("null"),
        T("\"asd\""),
        T("true"),
        T("\"\""),
        T("[true]"),
        T(" [] "),
        T("\n\t\r 1\r"),
    };
    all(y, sizeof y / sizeof *y, APEX_OK);
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const struct text n[] = {
        T("[1 true]"),
        T("[a\xe5]"),
        T("[\"\": 1]"),
        T("[\"\"],"),
        T("[,1]"),
        T("[1,,2]"),
        T("[\"x\",,]"),
        T("[\"x\"]]"),
        T("[\"\",]"),
        T("[\"x\""),
        T("[x"),
        T("[3[4]]"),
        T("[\xff]"),
        T("[1:2]"),
        T("[,]"),
        T("[-]"),
        T("[   , \"\"]"),
        T("[\"a\",\n4\n,1,"),
        T("[1,]"),
        T("[\"\x0b"
          "a\"\\f]"),
        T("[*]"),
        T("[\"\""),
        T("[1,"),
        T("[1,\n1\n,1"),
        T("[{}"),
        T("[fals]"),
        T("[nul]"),
        T("[tru]"),
        T("123\0"),
        T("[++1234]"),
        T("[+1]"),
        T("[+Inf]"),
        T("[-01]"),
        T("[-1.0.]"),
        T("[-2.]"),
        T("[-NaN]"),
        T("[.-1]"),
        T("[.2e-3]"),
        T("[0.1.2]"),
        T("[0.3e+]"),
        T("[0.3e]"),
        T("[0.e1]"),
        T("[0E+]"),
        T("[0E]"),
        T("[0e+]"),
        T("[0e]"),
        T("[1.0e+]"),
        T("[1.0e-]"),
        T("[1.0e]"),
        T("[1 000.0]"),
        T("[1eE2]"),
        T("[2.e+3]"),
        T("[2.e-3]"),
        T("[2.e3]"),
        T("[9.e+]"),
        T("[Inf]"),
        T("[NaN]"),
        T("[\xef\xbc\x91]"),
        T("[1+2]"),
        T("[0x1]"),
        T("[0x42]"),
        T("[Infinity]"),
        T("[0e+-1]"),
        T("[-123.123foo]"),
        T("[123\xe5]"),
        T("[1e1\xe5]"),
        T("[0\xe5]"),
        T("[-Infinity]"),
        T("[-foo]"),
        T("[- 1]"),
        T("[-012]"),
        T("[-.123]"),
        T("[-1x]"),
        T("[1ea]"),
        T("[1.]"),
        T("[.123]"),
        T("[1.2a-3]"),
        T("[1.8011670033376514H-308]"),
        T("[012]"),
        T("[\"x\", truth]"),
        T("{[: \"x\"}\n"),
        T("{\"x\", null}"),
        T("{\"x\"::\"b\"}"),
        T("{\"a\":\"a\" 123}"),
        T("{key: 'value'}"),
        T("{\"\xb9\":\"0\",}"),
        T("{\"a\" b}"),
        T("{:\"b\"}"),
        T("{\"a\" \"b\"}"),
        T("{\"a\":"),
        T("{\"a\""),
        T("{1:1}"),
        T("{9999E9999:1}"),
        T("{null:null,null:null}"),
        T("{\"id\":0,,,,,}"),
        T("{'a':0}"),
        T("{\"id\":0,}"),
        T("{\"a\":\"b\"}/**/"),
        T("{\"a\":\"b\"}//"),
        T("{\"a\":\"b\",,\"c\":\"d\"}"),
        T("{a: \"b\"}"),
        T("{\"a\":\"a"),
        T("{ \"foo\" : \"bar\", \"a\" }"),
        T("{\"a\":\"b\"}#"),
        T(" "),
        T("[\"\\uD800\\\"]"),
        T("[\"\\uD800\\u\"]"),
        T("[\"\\uD800\\u1\"]"),
        T("[\"\\uD800\\u1x\"]"),
        T("[\xc3\xa9]"),
        T("[\"\\\0\"]"),
        T("[\"\\x00\"]"),
        T("[\"\\\\\\\"]"),
        T("[\"\\\t\"]"),
        T("[\"\\\xf0\x9f\x8c\x80\"]"),
        T("[\"\\\"]"),
        T("[\"\\u00A\"]"),
        T("[\"\\uD834\\uDd\"]"),
        T("[\"\\uD800\\uD800\\x\"]"),
        T("[\"\\u\xe5\"]"),
        T("[\"\\a\"]"),
        T("[\"\\uqqqq\"]"),
        T("[\"\\\xe5\"]"),
        T("[\\u0020\"asd\"]"),
        T("[\\n]"),
        T("\""),
        T("['single quote']"),
        T("abc"),
        T("[\"\\"),
        T("[\"a\0a\"]"),
        T("[\"new\nline\"]"),
        T("[\"\t\"]"),
        T("\"\\UA66D\""),
        T("\"\"x"),
        T("[\xe2\x81\xa0]"),
        T("\xef\xbb\xbf"),
        T("\xef\xbb\xbf{}"),
        T("<.>"),
        T("[<null>]"),
        T("[1]x"),
        T("[1]]"),
        T("[\"asd]"),
        T("a\xc3\xa5"),
        T("[True]"),
        T("1]"),
        T("{\"x\": true,"),
        T("[][]"),
        T("]"),
        T("\xef\xbb{}"),
        T("\xe5"),
        T("["),
        T(""),
        T("[\0]"),
        T("2@"),
        T("{}}"),
        T("{\"\":"),
        T("{\"a\":/*comment*/\"b\"}"),
        T("{\"a\": true} \"x\""),
        T("['"),
        T("[,"),
        T("[{"),
        T("[\"a"),
        T("[\"a\""),
        T("{"),
        T("{]"),
        T("{,"),
        T("{["),
        T("{\"a"),
        T("{'a'"),
        T("[\"\\{[\"\\{[\"\\{[\"\\{"),
        T("*"),
        T("{\"a\":\"b\"}#{}"),
        T("[\\u000A\"\"]"),
        T("[1"),
        T("[ false, nul"),
        T("[ true, fals"),
        T("[ false, tru"),
        T("{\"asd\":\"asd\""),
        T("\xc3\xa5"),
        T("[\xe2\x81\xa0]"),
        T("[\x0c]"),
        T("nullx"),
        T("1 2"),
        T("00"),
        T("-"),
        T("1e"),
        T("[}"),
        T("{\"a\":1]"),
        T("tru"),
        T("truee"),
        /* what the suite leaves open, and we refuse: text that is not UTF-8, halves of pairs */
        T("[\"\\uDADA\"]"),
        T("[\"\\uD888\\u1234\"]"),
        T("[\"\\uD800\\n\"]"),
        T("[\"\\uDd1ea\"]"),
        T("[\"\\uD800\\uD800\\n\"]"),
        T("[\"\\ud800\"]"),
        T("[\"\\ud800abc\"]"),
        T("[\"\xff\"]"),
        T("[\"\\uDd1e\\uD834\"]"),
        T("[\"\xed\xa0\x80\"]"),
        T("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
        T("[\"\xf4\xbf\xbf\xbf\"]"),
        T("[\"\xc0\xaf\"]"),
        T("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
        T("[\"\x81\"]"),
        T("[\"\xe0\xff\"]"),
        T("[\"\xe0\x80\xaf\"]"),
        T("[\"\xc3\"]"),
    };
    all(n, sizeof n / sizeof *n, APEX_E_FORMAT);
}

static void tokens_are_unescaped(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        size_t len;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"\\u0000\"", "\0", 1},
        {"\"\\u00e9\"", "\xc3\xa9", 2},
        {"\"\\u20AC\"", "\xe2\x82\xac", 3},
        {"\"\\ud834\\udd1e\"", "\xf0\x9d\x84\x9e", 4},
        {"-12.50e+1", "-12.50e+1", 9},
        {"\"a\\u0041\xc3\xa9z\"", "aA\xc3\xa9z", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum json_event e;
        json_init(&j, false);
        json_feed(&j, span_text(cases[i].json), true);
        CHECK_OK(json_next(&j, &e));
        CHECK(e == JSON_STRING || e == JSON_NUMBER);
        CHECK(span_equal(json_text(&j), span_of(cases[i].text, cases[i].len)));
        CHECK_OK(json_next(&j, &e));
        CHECK(e == JSON_END);
    }
}

static void numbers_are_correctly_rounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0},
                 {"-0", 0},
                 {"0.1", 0.1},
                 {"9007199254740993", 9007199254740992.0},
                 {"1e-400", 0},
                 {"1e400", INFINITY},
                 {"2.2250738585072014e-308", 2.2250738585072014e-308},
                 {"-1.7976931348623157e308", -1.7976931348623157e308}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum json_event e;
        json_init(&j, false);
        json_feed(&j, span_text(cases[i].text), true);
        CHECK_OK(json_next(&j, &e));
        CHECK(e == JSON_NUMBER && json_number(&j) == cases[i].value);
    }
}

static void depth_and_token_length_are_bounded(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= JSON_DEPTH_MAX + 2; depth++) {
        BUFFER_CLEARED b = {0}, objects = {0};
        for (size_t i = 0; i < depth; i++)
            buffer_text(&b, "[");
        for (size_t i = 0; i < depth; i++)
            buffer_text(&b, "]");
        CHECK_STATUS(parse(buffer_span(&b), false),
                     depth <= JSON_DEPTH_MAX ? APEX_OK : APEX_E_LIMIT);
        for (size_t i = 0; i < depth; i++)
            buffer_text(&objects, "{\"a\":");
        buffer_text(&objects, "1");
        for (size_t i = 0; i < depth; i++)
            buffer_text(&objects, "}");
        CHECK_STATUS(parse(buffer_span(&objects), false),
                     depth <= JSON_DEPTH_MAX ? APEX_OK : APEX_E_LIMIT);
    }
    for (size_t len = JSON_TOKEN_MAX - 4; len <= JSON_TOKEN_MAX + 4; len++) {
        BUFFER_CLEARED s = {0}, n = {0}, wide = {0};
        buffer_text(&s, "\"");
        for (size_t i = 0; i < len; i++) {
            buffer_text(&s, "x");
            buffer_text(&n, "1");
        }
        buffer_text(&s, "\"");
        buffer_text(&wide, "\"");
        for (size_t i = 0; i + 4 <= len; i += 4)
            buffer_text(&wide, "\\ud834\\udd1e");
        buffer_text(&wide, "\"");
        CHECK_STATUS(parse(buffer_span(&s), false),
                     len <= JSON_TOKEN_MAX ? APEX_OK : APEX_E_LIMIT);
        CHECK_STATUS(parse(buffer_span(&n), false),
                     len <= JSON_TOKEN_MAX ? APEX_OK : APEX_E_LIMIT);
        CHECK_STATUS(parse(buffer_span(&wide), false),
                     len < JSON_TOKEN_MAX + 4 ? APEX_OK : APEX_E_LIMIT);
    }
}

static void json_lines_are_values_one_after_the_other(void **state)
{
    (void)state;
    static const struct text good[] = {T(""), T("\n"), T("{}\n[1]\n"), T("1\n2\n3"),
                                       T("\"a\"\n\nnull")};
    static const struct text bad[] = {T("{}\n["), T("1,2"), T("{}]"), T("1\nx"), T(":1")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_OK(parse(span_of(good[i].text, good[i].len), true));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(parse(span_of(bad[i].text, bad[i].len), true), APEX_E_FORMAT);
}

static void a_token_knows_its_line_and_column(void **state)
{
    (void)state;
    static const uint64_t want[][2] = {{1, 1}, {2, 3}, {2, 8}, {3, 5}, {3, 7}, {4, 1}};
    enum json_event e;
    json_init(&j, false);
    json_feed(&j, SPAN_TEXT("{\n  \"a\": [\n    1,2]\n}"), true);
    static const enum json_event events[] = {JSON_OBJECT, JSON_KEY, JSON_ARRAY, JSON_NUMBER,
                                             JSON_NUMBER};
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(json_next(&j, &e));
        CHECK(e == events[i]);
        CHECK(j.token_line == want[i][0] && j.token_column == want[i][1]);
    }
    CHECK_OK(json_next(&j, &e));
    CHECK_OK(json_next(&j, &e));
    CHECK(e == JSON_OBJECT_END && j.token_line == 4 && j.token_column == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_passes),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(tokens_are_unescaped),
        cmocka_unit_test(numbers_are_correctly_rounded),
        cmocka_unit_test(depth_and_token_length_are_bounded),
        cmocka_unit_test(json_lines_are_values_one_after_the_other),
        cmocka_unit_test(a_token_knows_its_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
