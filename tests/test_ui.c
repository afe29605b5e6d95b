/* Who gets past the door of `apex ui`, what the page can make it start, and how that ends. */
#include "client/ui/acts.h"
#include "client/ui/gate.h"
#include "client/ui/jobs.h"
#include "tests/check.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ADDRESS "apex1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct gate gate;
static char cookie[160];

static struct gate_request good(const char *method)
{
    return (struct gate_request){.method = method,
                                 .path = "/api/session",
                                 .host = gate.host,
                                 .origin = gate.origin,
                                 .site = "same-origin",
                                 .cookie = cookie};
}

static int gate_set_up(void **state)
{
    (void)state;
    if (!gate_open(&gate, "127.83.12.9", 41234)) return -1;
    snprintf(cookie, sizeof cookie, "a=1; %s=%s; b=2", gate.cookie_name, gate.cookie);
    return 0;
}

static bool passes(const struct gate_request *r)
{
    unsigned status;
    return gate_refuses(&gate, r, &status) == NULL;
}

static void its_own_page_passes(void **state)
{
    (void)state;
    struct gate_request get = good("GET"), post = good("POST");
    CHECK(passes(&get) && passes(&post));
    get.origin = get.site = NULL; /* an older browser, or curl */
    CHECK(passes(&get));
    get.site = "none"; /* typed into the address bar */
    CHECK(passes(&get));
}

static void a_name_rebound_to_loopback_does_not_pass(void **state)
{
    static const char *const hosts[] = {"evil.example:41234",
                                        "127.0.0.1:41234",
                                        "localhost:41234",
                                        "127.83.12.9",
                                        "127.83.12.9:80",
                                        "127.83.12.9:41234.evil.example",
                                        "",
                                        NULL};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct gate_request r = good("GET");
        unsigned status = 0;
        r.host = hosts[i];
        CHECK(gate_refuses(&gate, &r, &status) != NULL && status == 421);
    }
}

static void another_site_does_not_pass_even_with_the_cookie(void **state)
{
    static const char *const origins[] = {"http://evil.example", "null",
                                          "http://127.83.12.9:8080",
                                          "https://127.83.12.9:41234", ""};
    static const char *const sites[] = {"cross-site", "same-site", ""};
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        struct gate_request get = good("GET"), post = good("POST");
        get.origin = post.origin = origins[i];
        CHECK(!passes(&get) && !passes(&post));
    }
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        struct gate_request r = good("GET");
        r.origin = NULL;
        r.site = sites[i];
        CHECK(!passes(&r));
    }
    struct gate_request form = good("POST"); /* a change must say where it comes from */
    form.origin = NULL;
    CHECK(!passes(&form));
}

static void without_the_very_cookie_nobody_passes(void **state)
{
    char wrong[160];
    (void)state;
    struct gate_request r = good("GET");
    r.cookie = NULL;
    CHECK(!passes(&r));
    for (size_t i = 0; i < SECRET_HEX; i++) {
        snprintf(wrong, sizeof wrong, "%s=%s", gate.cookie_name, gate.cookie);
        char *at = strchr(wrong, '=') + 1 + i;
        *at = *at == '0' ? '1' : '0';
        r.cookie = wrong;
        CHECK(!passes(&r));
    }
    static const char *const shapes[] = {"%s=", "%s", "x%s=", ";;=;", "%s=%s0", " "};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        snprintf(wrong, sizeof wrong, "%s", shapes[i]);
        CHECK(!passes(&r));
    }
    snprintf(wrong, sizeof wrong, "%s=%.63s", gate.cookie_name, gate.cookie);
    CHECK(!passes(&r));
    snprintf(wrong, sizeof wrong, "%s=%s0", gate.cookie_name, gate.cookie);
    CHECK(!passes(&r));
}

static void a_token_is_good_once(void **state)
{
    char token[SECRET_HEX + 1];
    (void)state;
    snprintf(token, sizeof token, "%s", gate.token);
    CHECK(!gate_token_take(&gate, "") && !gate_token_take(&gate, NULL));
    token[5] = token[5] == '0' ? '1' : '0';
    CHECK(!gate_token_take(&gate, token));
    snprintf(token, sizeof token, "%s", gate.token);
    CHECK(gate_token_take(&gate, token));
    CHECK(!gate_token_take(&gate, token) && !gate_token_take(&gate, ""));
    CHECK(gate_token_new(&gate) && !gate_token_take(&gate, token));
}

static const struct place place = {.id = "own", .home = "/tmp/home", .node = "http://n:1"};

static bool taken(const char *text, struct act_words *words)
{
    json_t *request = json_loads(text, 0, NULL);
    CHECK(request != NULL);
    const char *why = act_words_make(&place, request, words);
    json_decref(request);
    return why == NULL;
}

static void an_act_is_started_with_the_words_that_are_shown(void **state)
{
    struct act_words w;
    (void)state;
    CHECK(taken("{\"act\": \"run\", \"address\": \"" ADDRESS
                "\", \"function\": \"sites\", \"params\": [\"k=40\", \"start=[[1,2]]\"]}",
                &w));
    static const char *const must[] = {"apex", "run",     ADDRESS,         "sites", "--param",
                                       "k=40", "--param", "start=[[1,2]]", "-o"};
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
        CHECK(strcmp(w.word[i], must[i]) == 0);
    CHECK(strcmp(w.shown, "apex run " ADDRESS " sites --param k=40 --param 'start=[[1,2]]' "
                          "-o result.json --node http://n:1") == 0);
    CHECK(strcmp(w.word[w.n - 1], "--json") == 0 && w.word[w.n] == NULL);
    act_words_clear(&w);
}

static void nothing_but_the_listed_acts_and_forms_can_be_started(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"act\": 7}",
        "{\"act\": \"demo\"}",
        "{\"act\": \"ui\"}",
        "{\"act\": \"contract show\"}",
        "{\"act\": \"contract show\", \"address\": \"--home\"}",
        "{\"act\": \"contract show\", \"address\": \"" ADDRESS "a\"}",
        "{\"act\": \"contract show\", \"address\": [\"" ADDRESS "\"]}",
        "{\"act\": \"id new\", \"name\": \"--home\"}",
        "{\"act\": \"id new\", \"name\": \"../x\"}",
        "{\"act\": \"id new\", \"name\": \"\"}",
        "{\"act\": \"verify\", \"result\": \"/etc/passwd\"}",
        "{\"act\": \"verify\", \"result\": \"" ADDRESS ".1.json/../x\"}",
        "{\"act\": \"withdraw\", \"address\": \"" ADDRESS "\", \"contribution\": \"-1\"}",
        "{\"act\": \"check\", \"address\": \"" ADDRESS
        "\", \"dataset\": \"d\", \"file\": \"/etc/passwd\"}",
        "{\"act\": \"run\", \"address\": \"" ADDRESS
        "\", \"function\": \"f\", \"params\": [\"--home=/\"]}",
        "{\"act\": \"run\", \"address\": \"" ADDRESS
        "\", \"function\": \"f\", \"params\": [\"k\"]}",
        "{\"act\": \"run\", \"address\": \"" ADDRESS
        "\", \"function\": \"f\", \"seed\": \"xyz\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct act_words w;
        CHECK(!taken(bad[i], &w));
        act_words_clear(&w);
    }
}

static void what_is_shown_is_quoted_as_a_shell_needs_it(void **state)
{
    struct act_words w;
    (void)state;
    CHECK(taken("{\"act\": \"run\", \"address\": \"" ADDRESS
                "\", \"function\": \"f\", \"params\": [\"a=it's $(rm -rf /) `x`\"]}",
                &w));
    CHECK(strstr(w.shown, "--param 'a=it'\\''s $(rm -rf /) `x`'") != NULL);
    act_words_clear(&w);
}

/* ---- jobs. `apex` is this program itself (main), and the linker routes these calls through
 * here (--wrap): a thread that has told of its job's end is watched until it is gone. ---- */

void __real_free(void *p);
void __wrap_free(void *p);
int __real_pthread_cond_broadcast(pthread_cond_t *moved);
int __wrap_pthread_cond_broadcast(pthread_cond_t *moved);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);

static _Thread_local bool told, left; /* of the end, under the lock; and the lock is given up */
static pthread_key_t teller;
static sem_t teller_gone;
static atomic_int freed_late;

static void on_teller_gone(void *context)
{
    (void)context;
    sem_post(&teller_gone);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *moved)
{
    told = true;
    CHECK(pthread_setspecific(teller, &teller_gone) == 0);
    return __real_pthread_cond_broadcast(moved);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    left = told;
    return __real_pthread_mutex_unlock(lock);
}

void __wrap_free(void *p)
{
    if (left) atomic_fetch_add(&freed_late, 1);
    __real_free(p);
}

static void a_job_is_let_alone_once_its_end_is_told(void **state)
{
    const char *why;
    (void)state;
    CHECK(pthread_key_create(&teller, on_teller_gone) == 0);
    CHECK(sem_init(&teller_gone, 0, 0) == 0);
    struct jobs *jobs = jobs_new();
    json_t *request = json_loads("{\"act\": \"doctor\"}", 0, NULL);
    uint64_t id = jobs_start(jobs, &place, request, &why);
    CHECK(id != 0);
    jobs_wait(jobs, id, 120000);
    json_t *job = jobs_show(jobs, id);
    assert_string_equal(json_string_value(json_object_get(job, "state")), "done");
    CHECK(json_is_true(json_object_get(json_object_get(job, "output"), "heard")));
    CHECK(sem_wait(&teller_gone) == 0);
    CHECK(atomic_load(&freed_late) == 0);
    json_decref(job);
    json_decref(request);
    jobs_free(jobs);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[0], "apex") == 0) return puts("{\"heard\": true}") < 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(its_own_page_passes, gate_set_up),
        cmocka_unit_test_setup(a_name_rebound_to_loopback_does_not_pass, gate_set_up),
        cmocka_unit_test_setup(another_site_does_not_pass_even_with_the_cookie, gate_set_up),
        cmocka_unit_test_setup(without_the_very_cookie_nobody_passes, gate_set_up),
        cmocka_unit_test_setup(a_token_is_good_once, gate_set_up),
        cmocka_unit_test(an_act_is_started_with_the_words_that_are_shown),
        cmocka_unit_test(nothing_but_the_listed_acts_and_forms_can_be_started),
        cmocka_unit_test(what_is_shown_is_quoted_as_a_shell_needs_it),
        cmocka_unit_test(a_job_is_let_alone_once_its_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
