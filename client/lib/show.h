/* Text of a stranger, made fit to be shown. */
#ifndef CLIENT_LIB_SHOW_H
#define CLIENT_LIB_SHOW_H

#include "common/base/span.h"

/* out: at most `max` bytes (8 or more) with its NUL, valid UTF-8 that neither moves a cursor
 * nor hides or turns what stands beside it: such bytes become \n, \r, \t, \\ or \xHH. Longer
 * text ends in "...". */
void text_show(struct span text, char *out, size_t max);
/* The same of a sentence, in which a stranger's words may stand, shown already or not: its
 * backslashes stay as they are, so that taming it twice changes nothing. */
void text_tame(const char *text, char *out, size_t max);

#endif
