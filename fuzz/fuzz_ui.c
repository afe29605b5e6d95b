/* What the page, or somebody who got past its door, asks the server to start; and what a
 * browser sends at the door. */
#include "client/ui/acts.h"
#include "client/ui/gate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds) abort();
}

/* Options that any act has, and no other. */
static bool option_known(const char *word)
{
    static const char *const known[] = {"--check", "--map",  "--param", "--rows", "--seed",
                                        "--home",  "--node", "--json",  "--as",   "--replace"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], word) == 0) return true;
    return false;
}

/* A word that begins with a dash is one of ours, or the value of the option before it. */
static void words_check(const struct act_words *w)
{
    must(w->n >= 4 && strcmp(w->word[0], "apex") == 0 && w->word[w->n] == NULL);
    must(strcmp(w->word[w->n - 1], "--json") == 0 && w->shown);
    for (size_t i = 1; i < w->n; i++) {
        const char *before = w->word[i - 1];
        bool value = strcmp(before, "--map") == 0 || strcmp(before, "--param") == 0;
        if (w->word[i][0] != '-' || value) continue;
        must(option_known(w->word[i]) || strcmp(w->word[i], "-o") == 0);
    }
}

static void act_try(const uint8_t *data, size_t len)
{
    static const struct place place = {.id = "own", .home = "/nowhere", .node = "http://n:1"};
    struct act_words words;
    json_t *request = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
    if (!request) return;
    if (!act_words_make(&place, request, &words)) words_check(&words);
    act_words_clear(&words);
    json_decref(request);
}

/* Without the secret nothing passes, whatever the headers are. */
static void gate_try(const char *text)
{
    static struct gate gate;
    unsigned status;
    if (!gate.host[0]) must(gate_open(&gate, "127.1.2.3", 4567));
    struct gate_request r = {
        .method = "GET", .path = text, .host = gate.host, .origin = NULL, .cookie = text};
    must(gate_refuses(&gate, &r, &status) != NULL);
    must(!gate_token_take(&gate, text));
    r.host = text;
    must(gate_refuses_place(&gate, &r, &status) != NULL || strcmp(text, gate.host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    if (!text) return 0;
    if (len) memcpy(text, data, len);
    text[len] = '\0';
    act_try(data, len);
    gate_try(text);
    free(text);
    return 0;
}
