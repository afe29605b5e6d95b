#include "common/wire/cbor.h"
#include "common/wire/entry.h"
#include "common/wire/json.h"
#include "common/wire/message.h"
#include "common/wire/package.h"
#include "common/base/hex.h"
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* RFC 8949 appendix A, the forms APEX takes; and of each neighbour it does not. */
static void cbor_takes_the_one_form_of_each_value(void **state)
{
    static const char *const good[] = {"00",
                                       "17",
                                       "1818",
                                       "1903e8",
                                       "1a000f4240",
                                       "1b000000e8d4a51000",
                                       "1bffffffffffffffff",
                                       "20",
                                       "3863",
                                       "3903e7",
                                       "40",
                                       "4401020304",
                                       "60",
                                       "6161",
                                       "6449455446",
                                       "62c3bc",
                                       "63e6b0b4",
                                       "64f0908591",
                                       "80",
                                       "83010203",
                                       "8301820203820405",
                                       "a0",
                                       "a201020304",
                                       "a26161016162820203",
                                       "f4",
                                       "f5",
                                       "f6",
                                       "fb3ff199999999999a",
                                       "fb7ff0000000000000"};
    static const char *const bad[] = {"1800",
                                      "1817",
                                      "190017",
                                      "1900ff",
                                      "1a0000ffff",
                                      "1b00000000ffffffff",
                                      "3800",
                                      "5800",
                                      "7800",
                                      "9800",
                                      "b800",
                                      "1c",
                                      "1f",
                                      "5f41ff",
                                      "7f6161ff",
                                      "9f01ff",
                                      "bf0102ff",
                                      "f7",
                                      "f0",
                                      "f818",
                                      "f93c00",
                                      "fa3f800000",
                                      "fb7ff8000000000000",
                                      "fb8000000000000000",
                                      "c000",
                                      "d82000",
                                      "a2020101",
                                      "a201010101",
                                      "a2616101616100",
                                      "a10102ff",
                                      "61ff",
                                      "62c080",
                                      "63eda080",
                                      "64f4908080",
                                      "4401",
                                      "83",
                                      "8301",
                                      "a1",
                                      "a101",
                                      "",
                                      "0000"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good + sizeof bad / sizeof *bad; i++) {
        bool want = i < sizeof good / sizeof *good;
        const char *hex = want ? good[i] : bad[i - sizeof good / sizeof *good];
        uint8_t bytes[64];
        CHECK(hex_parse(span_text(hex), bytes, strlen(hex) / 2) == APEX_OK);
        apex_status s = cbor_check(span_of(bytes, strlen(hex) / 2));
        if ((s == APEX_OK) != want) print_message("%s: %s\n", hex, apex_status_name(s));
        CHECK((s == APEX_OK) == want);
    }
}

static void cbor_refuses_depth_and_lengths_beyond_its_bytes(void **state)
{
    uint8_t deep[CBOR_DEPTH_MAX + 1],
        huge[] = {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        string[] = {0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    (void)state;
    memset(deep, 0x81, sizeof deep);
    deep[CBOR_DEPTH_MAX] = 0;
    CHECK(cbor_check(SPAN(deep)) == APEX_E_FORMAT);
    CHECK(cbor_check(span_of(deep + 1, CBOR_DEPTH_MAX)) == APEX_OK);
    CHECK(cbor_check(SPAN(huge)) == APEX_E_FORMAT && cbor_check(SPAN(string)) == APEX_E_FORMAT);
}

/* After JSONTestSuite (N. Seriot): y must be taken, n refused. */
static const struct {
    bool good;
    const char *text;
} json_cases[] = {{true, "[]"},
                  {true, "{}"},
                  {true, " [ 1 , -0 , 1.5e+10 , 0.1E-2 ] "},
                  {true, "\"\\u0000\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\""},
                  {true, "[true,false,null]"},
                  {true, "{\"a\":{\"b\":[{}]}}"},
                  {true, "\"\xc3\xbc\xf0\x90\x85\x91\""},
                  {true, "0"},
                  {true, "-1"},
                  {true, "{\"\":0}"},
                  {true, "[[[[]]]]"},
                  {true, "1e999"},
                  {false, ""},
                  {false, " "},
                  {false, "["},
                  {false, "]"},
                  {false, "[1,]"},
                  {false, "[,1]"},
                  {false, "[1 2]"},
                  {false, "{\"a\":1,}"},
                  {false, "{a:1}"},
                  {false, "{\"a\" 1}"},
                  {false, "{\"a\":}"},
                  {false, "{1:1}"},
                  {false, "{\"a\":1 \"b\":2}"},
                  {false, "[01]"},
                  {false, "[-]"},
                  {false, "[+1]"},
                  {false, "[.5]"},
                  {false, "[1.]"},
                  {false, "[1e]"},
                  {false, "[1e+]"},
                  {false, "[0x1]"},
                  {false, "[NaN]"},
                  {false, "[Infinity]"},
                  {false, "[-01]"},
                  {false, "[1a]"},
                  {false, "[tru]"},
                  {false, "[True]"},
                  {false, "[nul"},
                  {false, "\"a"},
                  {false, "\"\\x\""},
                  {false, "\"\\u12g4\""},
                  {false, "\"\\ud800\""},
                  {false, "\"\\ud800\\u0041\""},
                  {false, "\"\\udc00\""},
                  {false, "\"\x01\""},
                  {false, "\"\n\""},
                  {false, "\"\xff\""},
                  {false, "\"\xc0\xaf\""},
                  {false, "\"\xed\xa0\x80\""},
                  {false, "\"\xf4\x90\x80\x80\""},
                  {false, "\"\xe2\x82\""},
                  {false, "[1]]"},
                  {false, "[] []"},
                  {false, "1 2"},
                  {false, "// c\n1"},
                  {false, "[1}"},
                  {false, "{\"a\":1]"},
                  {false, "'a'"},
                  {false, "[\"a\":1]"},
                  {false, "\xef\xbb\xbf[]"}};

/* Reads to the end, fed `step` bytes at a time; a digest of the events, or 0 when it is
 * refused. */
static uint64_t json_read(const char *text, size_t step)
{
    static struct json j;
    size_t len = strlen(text), at = 0;
    uint64_t digest = 14695981039346656037u;
    enum json_event e;
    json_init(&j, false);
    json_feed(&j, (struct span){0}, false);
    for (;;) {
        if (json_next(&j, &e) != APEX_OK) return 0;
        if (e == JSON_MORE) {
            size_t n = len - at < step ? len - at : step;
            json_feed(&j, span_of(text + at, n), at + n == len);
            at += n;
            continue;
        }
        digest = (digest ^ e) * 1099511628211u;
        for (size_t i = 0; (e == JSON_STRING || e == JSON_KEY || e == JSON_NUMBER) && i < j.len;
             i++)
            digest = (digest ^ j.text[i]) * 1099511628211u;
        if (e == JSON_END) return digest;
    }
}

static void json_is_rfc_8259s_however_it_is_fed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++) {
        uint64_t whole = json_read(json_cases[i].text, 1000);
        if ((whole != 0) != json_cases[i].good)
            print_message("case %zu: %s\n", i, json_cases[i].text);
        CHECK((whole != 0) == json_cases[i].good);
        for (size_t step = 1; step < 5; step++)
            CHECK(json_read(json_cases[i].text, step) == whole);
    }
}

static void json_refuses_depth_and_length_above_its_limits(void **state)
{
    char deep[2 * JSON_DEPTH_MAX + 4], *lengthy = malloc(JSON_TOKEN_MAX + 8);
    (void)state;
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    deep[2 * JSON_DEPTH_MAX] = 0;
    CHECK(json_read(deep, 7) != 0);
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    CHECK(json_read(deep, 7) == 0);
    memset(lengthy, 'a', JSON_TOKEN_MAX + 4);
    lengthy[0] = lengthy[JSON_TOKEN_MAX + 2] = '"';
    lengthy[JSON_TOKEN_MAX + 3] = 0;
    CHECK(json_read(lengthy, 1000) == 0);
    free(lengthy);
}

typedef apex_status parse_fn(struct span bytes);
static apex_status parse_act(struct span b)
{
    struct act a;
    return act_parse(b, &a);
}
static apex_status parse_message(struct span b)
{
    struct message m;
    return message_parse(b, &m);
}
static apex_status parse_reply(struct span b)
{
    struct reply r;
    return reply_parse(b, &r);
}
static apex_status parse_package(struct span b)
{
    struct result_package p;
    return result_package_parse(b, &p);
}
static apex_status parse_prove(struct span b)
{
    struct query q;
    return query_parse(MESSAGE_PROVE, b, &q);
}
static apex_status parse_body_run(struct span b)
{
    struct body_run r;
    return body_run_parse(b, &r);
}

static apex_status parse_entry(struct span b)
{
    static struct entry e;
    return entry_parse(b, &e);
}

static apex_status parse_body_act(struct span b)
{
    static struct body_act a;
    return body_act_parse(b, &a);
}

/* Whole it is taken; cut short, or with a byte behind it, it is not. */
static void only_whole(struct buffer *b, parse_fn *parse)
{
    CHECK(buffer_ok(b) == APEX_OK && parse(buffer_span(b)) == APEX_OK &&
          cbor_check(buffer_span(b)) == APEX_OK);
    for (size_t len = 0; len < b->len; len++) {
        uint8_t *copy =
            malloc(len ? len : 1); /* exact, so that a sanitizer sees a byte too far */
        memcpy(copy, b->data, len);
        CHECK(parse(span_of(copy, len)) != APEX_OK);
        free(copy);
    }
    buffer_u8(b, 0);
    CHECK(parse(buffer_span(b)) != APEX_OK);
    buffer_clear(b);
}

static void acts_entries_and_messages_are_taken_whole_only(void **state)
{
    struct buffer b = {0};
    static const enum act_kind kinds[] = {ACT_DEPLOY,   ACT_ACCEPT, ACT_CONTRIBUTE,
                                          ACT_WITHDRAW, ACT_RUN,    ACT_CLOSE};
    static struct entry e;
    static struct body_act body;
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct act a = {.kind = kinds[i],
                        .time_ms = 1,
                        .name = SPAN_TEXT("sites"),
                        .has_rows = kinds[i] == ACT_RUN,
                        .index = 3};
        act_write(&a, &b);
        only_whole(&b, parse_act);
        e = (struct entry){.kind = (unsigned)kinds[i],
                           .index = 70000,
                           .has_address = true,
                           .act = SPAN_TEXT("signed act")};
        entry_write(&e, &b);
        only_whole(&b, parse_entry);
    }
    e = (struct entry){.kind = ENTRY_RESULT,
                       .has_address = true,
                       .run = 9,
                       .n_inputs = 2,
                       .n_recipients = 3,
                       .has_rows = true};
    entry_write(&e, &b);
    only_whole(&b, parse_entry);
    e = (struct entry){.kind = ENTRY_REFUSE,
                       .has_address = true,
                       .run = 9,
                       .state = 2,
                       .code = 7,
                       .detail = SPAN_TEXT("why")};
    entry_write(&e, &b);
    only_whole(&b, parse_entry);
    e = (struct entry){.kind = ENTRY_ENCLAVE, .evidence = SPAN_TEXT("evidence")};
    entry_write(&e, &b);
    only_whole(&b, parse_entry);
    message_write(MESSAGE_RUN, SPAN_TEXT("body"), &b);
    only_whole(&b, parse_message);
    struct query q = {.old_size = 5, .has_index = true, .index = 4};
    query_write(MESSAGE_PROVE, &q, &b);
    only_whole(&b, parse_prove);
    struct reply r = {.status = APEX_E_REFUSED,
                      .code = 9,
                      .detail = SPAN_TEXT("x"),
                      .sealed = SPAN_TEXT("sealed")};
    reply_write(&r, &b);
    only_whole(&b, parse_reply);
    body = (struct body_act){
        .index = 3,
        .entry = SPAN_TEXT("entry"),
        .proof = {.note = SPAN_TEXT("note"), .n_consistency = 3, .n_inclusion = 7}};
    body_act_write(&body, &b);
    only_whole(&b, parse_body_act);
    struct body_run run = {RUN_RUNNING, 0, 500};
    body_run_write(&run, &b);
    only_whole(&b, parse_body_run);
    struct result_package p = {.run = 1,
                               .function = SPAN_TEXT("f"),
                               .request = SPAN_TEXT("q"),
                               .output = SPAN_TEXT("{}")};
    result_package_write(&p, &b);
    only_whole(&b, parse_package);
}

static void requests_are_held_to_their_functions_parameters(void **state)
{
    char choices[2][NAME_MAX_LEN + 1] = {"planar", "great-circle"};
    struct manifest_param params[] = {
        {.name = "k", .type = PARAM_INT, .min = 1, .max = 10, .has_default = true, .def = 8},
        {.name = "metric",
         .type = PARAM_CHOICE,
         .choices = choices,
         .n_choices = 2,
         .has_default = true},
        {.name = "start", .type = PARAM_POINTS, .max_items = 2, .dims = 2},
        {.name = "r", .type = PARAM_FLOAT, .min = 0, .max = 5}};
    struct manifest_function f = {.n_params = 4, .params = params};
    double points[] = {1.5, 2, 3, 4};
    static const struct {
        double k, r;
        size_t n_points;
        bool give_r;
        size_t bad;
    } cases[] = {{3, 1, 2, true, SIZE_MAX - 1},
                 {11, 1, 1, true, 0},
                 {0, 1, 0, true, 0},
                 {3, 6, 0, true, 3},
                 {3, NAN, 0, true, SIZE_MAX - 2},
                 {3, 1, 0, false, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request r = {.n_values = 4}, got;
        size_t bad;
        BUFFER_CLEARED b = {0};
        for (size_t k = 0; k < 4; k++)
            r.values[k].param = &params[k];
        r.values[0] =
            (struct request_value){.param = &params[0], .given = true, .number = cases[i].k};
        r.values[2] = (struct request_value){.param = &params[2],
                                             .given = true,
                                             .n_points = cases[i].n_points,
                                             .points = points};
        r.values[3] = (struct request_value){
            .param = &params[3], .given = cases[i].give_r, .number = cases[i].r};
        CHECK(request_write(&r, &b) == APEX_OK);
        apex_status s = request_parse(buffer_span(&b), &f, &got, &bad);
        if (cases[i].bad == SIZE_MAX - 1) {
            CHECK(s == APEX_OK && got.values[0].number == 3 && got.values[1].choice == 0 &&
                  got.values[2].n_points == 2 && got.values[2].points[2] == 3);
            request_clear(&got);
        } else if (cases[i].bad == SIZE_MAX - 2)
            CHECK(s != APEX_OK);
        else
            CHECK(s == APEX_E_REFUSED && bad == cases[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cbor_takes_the_one_form_of_each_value),
        cmocka_unit_test(cbor_refuses_depth_and_lengths_beyond_its_bytes),
        cmocka_unit_test(json_is_rfc_8259s_however_it_is_fed),
        cmocka_unit_test(json_refuses_depth_and_length_above_its_limits),
        cmocka_unit_test(acts_entries_and_messages_are_taken_whole_only),
        cmocka_unit_test(requests_are_held_to_their_functions_parameters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
