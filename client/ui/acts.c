#include "client/ui/acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of each command. @field: needed, in its place. ?--option=field: if it is given.
 * *--option=field: once for each of a list. >suffix: -o, a file of ours that ends so. */
static const struct {
    const char *name;
    const char *words[10];
} acts[] = {
    {"id show", {"id", "show"}},
    {"id new", {"id", "new", "@name"}},
    {"trust check", {"trust", "check"}},
    {"trust evidence", {"trust", "check", ">.evidence"}},
    {"trust init", {"trust", "init"}},
    {"trust replace", {"trust", "init", "--replace"}},
    {"trust show", {"trust", "show"}},
    {"contract list", {"contract", "list"}},
    {"contract show", {"contract", "show", "@address"}},
    {"contract accept", {"contract", "accept", "@address"}},
    {"contract close", {"contract", "close", "@address"}},
    {"contract deploy", {"contract", "deploy", "@manifest", "@program"}},
    {"check",
     {"contribute", "@address", "@dataset", "@file", "--check", "?--map=map", ">.csv"}},
    {"contribute", {"contribute", "@address", "@dataset", "@file", "?--map=map"}},
    {"withdraw", {"withdraw", "@address", "@contribution"}},
    {"run",
     {"run", "@address", "@function", "*--param=params", "?--rows=file", "?--map=map",
      "?--seed=seed", ">.json"}},
    {"result", {"result", "@address", "@run", ">.json"}},
    {"audit", {"audit", "@address"}},
    {"verify", {"verify", "@result"}},
    {"export csv", {"export", "@result", ">.csv"}},
    {"export geojson", {"export", "@result", ">.geojson"}},
    {"doctor", {"doctor"}},
};
enum { N_ACTS = sizeof acts / sizeof *acts };

static bool only(const char *text, const char *letters, size_t min, size_t max)
{
    size_t n = strlen(text);
    return n >= min && n <= max && strspn(text, letters) == n;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static bool address_like(const char *t)
{
    return strncmp(t, "apex1", 5) == 0 && only(t + 5, LETTERS "234567", 52, 52);
}

static bool name_like(const char *t)
{
    return only(t, LETTERS DIGITS "_-", 1, 64) && t[0] != '-' && t[0] != '_';
}

static bool number_like(const char *t)
{
    return only(t, DIGITS, 1, 15);
}

static bool seed_like(const char *t)
{
    return only(t, DIGITS "abcdef", 64, 64);
}

static bool text_like(const char *t)
{
    return strlen(t) <= 2000;
}

static bool param_like(const char *t)
{
    size_t n = strcspn(t, "=");
    return n > 0 && n <= 64 && t[0] != '-' && t[n] == '=' &&
           strspn(t, LETTERS DIGITS "_-") >= n && strlen(t) <= 60000;
}

static const struct {
    const char *field;
    bool (*like)(const char *text);
} forms[] = {
    {"address", address_like},    {"name", name_like},         {"dataset", name_like},
    {"function", name_like},      {"run", number_like},        {"contribution", number_like},
    {"seed", seed_like},          {"map", text_like},          {"params", param_like},
    {"file", place_id_like},      {"manifest", place_id_like}, {"program", place_id_like},
    {"result", place_result_like}};

static bool form_holds(const char *field, const char *text)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].field, field) == 0) return forms[i].like(text);
    return false;
}

static bool word_add(struct act_words *w, const char *text)
{
    if (w->n == ACT_WORDS_MAX) return false;
    w->word[w->n] = strdup(text);
    return w->word[w->n++] != NULL;
}

/* As a shell takes it. */
static void shown_add(struct act_words *w, const char *text)
{
    static const char plain[] = LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_-./:=,@+%";
    size_t old = w->shown ? strlen(w->shown) : 0, quotes = 0;
    for (const char *t = text; *t; t++)
        quotes += *t == '\'';
    char *more = realloc(w->shown, old + strlen(text) + 4 * quotes + 4);
    if (!more) return;
    w->shown = more;
    char *to = more + old;
    if (old) *to++ = ' ';
    if (*text && strspn(text, plain) == strlen(text)) {
        memcpy(to, text, strlen(text) + 1);
        return;
    }
    *to++ = '\'';
    for (const char *t = text; *t; t++) {
        if (*t == '\'') {
            memcpy(to, "'\\''", 4);
            to += 4;
        } else
            *to++ = *t;
    }
    memcpy(to, "'", 2);
}

/* A field that names a file of ours is started with its path, and shown by the name its owner
 * knows. */
static bool value_add(struct act_words *w, const struct place *p, const char *field,
                      const char *value)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX];
    bool upload = strcmp(field, "file") == 0 || strcmp(field, "manifest") == 0 ||
                  strcmp(field, "program") == 0;
    if (!upload && strcmp(field, "result") != 0) {
        shown_add(w, value);
        return word_add(w, value);
    }
    if (upload)
        place_upload_path(p, value, path, shown);
    else
        place_result_path(p, value, path, shown);
    shown_add(w, shown);
    return word_add(w, path);
}

static const char *field_add(struct act_words *w, const struct place *p, const json_t *request,
                             const char *field, const char *option, bool needed)
{
    const json_t *v = json_object_get(request, field);
    char number[24];
    const char *text = json_string_value(v);
    if (json_is_integer(v)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        text = number;
    }
    if (!text && !needed && (!v || json_is_null(v))) return NULL;
    if (!text || !form_holds(field, text)) return "a field of the request is not of its form";
    if (option) {
        shown_add(w, option);
        if (!word_add(w, option)) return "the request is too long";
    }
    return value_add(w, p, field, text) ? NULL : "the request is too long";
}

static const char *list_add(struct act_words *w, const struct place *p, const json_t *request,
                            const char *field, const char *option)
{
    const json_t *list = json_object_get(request, field);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !form_holds(field, text))
            return "a parameter is not of the form name=value";
        shown_add(w, option);
        if (!word_add(w, option) || !value_add(w, p, field, text))
            return "there are too many parameters";
    }
    return NULL;
}

static const char *output_add(struct act_words *w, const struct place *p, const char *suffix)
{
    char shown[32];
    snprintf(shown, sizeof shown, "%s%s",
             strcmp(suffix, ".csv") == 0        ? "rows"
             : strcmp(suffix, ".evidence") == 0 ? "node"
                                                : "result",
             suffix);
    if (!place_output_path(p, suffix, w->output)) return "there is no room for the answer";
    shown_add(w, "-o");
    shown_add(w, shown);
    return word_add(w, "-o") && word_add(w, w->output) ? NULL : "the request is too long";
}

static const char *word_make(struct act_words *w, const struct place *p, const json_t *request,
                             const char *word)
{
    char option[32];
    const char *equals = strchr(word, '=');
    if (word[0] == '@') return field_add(w, p, request, word + 1, NULL, true);
    if (word[0] == '>') return output_add(w, p, word + 1);
    if ((word[0] == '?' || word[0] == '*') && equals) {
        snprintf(option, sizeof option, "%.*s", (int)(equals - word - 1), word + 1);
        return word[0] == '?' ? field_add(w, p, request, equals + 1, option, false)
                              : list_add(w, p, request, equals + 1, option);
    }
    shown_add(w, word);
    return word_add(w, word) ? NULL : "the request is too long";
}

/* Where it happens: said to the command always, shown where it is not what stands to reason. */
static bool place_add(struct act_words *w, const struct place *p)
{
    const char *const pairs[][2] = {{"--home", p->home}, {"--node", p->node}, {"--as", p->as}};
    for (size_t i = 0; i < 3; i++) {
        if (!pairs[i][1][0]) continue;
        if (!word_add(w, pairs[i][0]) || !word_add(w, pairs[i][1])) return false;
        if (i == 0 && !p->room) continue;
        shown_add(w, pairs[i][0]);
        shown_add(w, pairs[i][1]);
    }
    return word_add(w, "--json");
}

const char *act_words_make(const struct place *place, const json_t *request,
                           struct act_words *words)
{
    const char *name = json_string_value(json_object_get(request, "act")), *why = NULL;
    size_t a = 0;
    *words = (struct act_words){0};
    while (name && a < N_ACTS && strcmp(acts[a].name, name) != 0)
        a++;
    if (!name || a == N_ACTS) return "there is no such act";
    words->name = acts[a].name;
    if (!word_add(words, "apex")) return "the request is too long";
    shown_add(words, "apex");
    for (size_t i = 0; i < 10 && acts[a].words[i] && !why; i++)
        why = word_make(words, place, request, acts[a].words[i]);
    if (!why && !place_add(words, place)) why = "the request is too long";
    return why;
}

void act_words_clear(struct act_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->word[i]);
    free(words->shown);
    *words = (struct act_words){0};
}
