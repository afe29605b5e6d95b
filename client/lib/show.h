/* Text of a stranger, made fit to be shown. */
#ifndef CLIENT_LIB_SHOW_H
#define CLIENT_LIB_SHOW_H

#include "common/base/span.h"

/* out: at most `max` bytes (8 or more) with its NUL, valid UTF-8 that neither moves a cursor
 * nor hides or turns what stands beside it: such bytes become \n, \r, \t, \\ or \xHH. Longer
 * text ends in "...". */
void text_show(struct span text, char *out, size_t max);

#endif
