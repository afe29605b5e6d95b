/* A result file, parsed wholly: every base64 and CBOR in it, and the signatures of acts;
 * nothing else is believed yet. */
#ifndef CLIENT_LIB_VERIFY_PARTS_H
#define CLIENT_LIB_VERIFY_PARTS_H

#include "client/lib/node.h"

enum { RECEIPT_ITEMS_MAX = 4096 };
struct receipt_item {
    uint64_t index;
    struct buffer bytes;
    struct merkle_proof proof;
    struct cose cose; /* its signature is checked */
    struct entry entry;
    bool has_act;
    struct cose act_cose; /* likewise */
    struct act act;
};
struct receipt {
    uint8_t address[32];
    char function[NAME_MAX_LEN + 1];
    uint64_t run;
    char *manifest_text, *note;
    struct manifest *manifest;
    struct buffer request, output;
    char origin[ORIGIN_MAX + 1];
    struct sign_public log_key;
    struct checkpoint checkpoint;
    size_t n;
    struct receipt_item *items;
    bool result_is_output; /* the file's "result" is the parsed "output" */
};
/* *why: a fixed phrase when it fails. receipt_clear in any case. */
apex_status receipt_parse(const char *text, size_t len, struct receipt *r, const char **why);
void receipt_clear(struct receipt *r);

#endif
