/* What the page may ask for: a closed list of `apex` commands, each field held against its
 * form. What comes out are the words of one command line, for starting it and for showing it.
 */
#ifndef CLIENT_UI_ACTS_H
#define CLIENT_UI_ACTS_H

#include "client/ui/places.h"

#include <jansson.h>

enum { ACT_WORDS_MAX = 192 };

struct act_words {
    char *word[ACT_WORDS_MAX + 1]; /* owned; NULL-terminated; word[0] is "apex" */
    size_t n;
    char *shown;                 /* what to type for the same; owned */
    char output[PLACE_PATH_MAX]; /* the file it writes (-o); "": none */
    const char *name;            /* of the act, as asked */
};

/* Fills words from {"act": name, …}. NULL, or what is wrong with the request. */
const char *act_words_make(const struct place *place, const json_t *request,
                           struct act_words *words);
void act_words_clear(struct act_words *words);

#endif
