/* The first look at CSV bytes: where fields and rows end, found 64 bytes at a time. */
#ifndef CLIENT_LIB_SCAN_H
#define CLIENT_LIB_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCAN_SLACK = 64, /* bytes readable behind the text, and places behind `most` ends */
};

/* Writes the positions of the delimiters and LFs of text[0..len), ascending, until there are
 * `most` or more (at most 63 more) or the text ends, or a quote or a CR without its LF stands
 * next, for these ask for the careful reader. Returns how many. *crlf: there was an LF with its
 * CR.
 *   text   SCAN_SLACK bytes behind it are readable; what they are does not matter
 *   ends   room for most + SCAN_SLACK */
size_t scan_ends(const uint8_t *text, size_t len, uint8_t delimiter, uint32_t *ends,
                 size_t most, bool *crlf);

#endif
