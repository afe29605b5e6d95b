/* Reading a strict JSON object into a struct, for manifest.c and manifest_functions.c (and
 * policies of like form): a table of fields per object; unknown, repeated and lacking keys are
 * refused with their place. */
#ifndef COMMON_WIRE_MANIFEST_READ_H
#define COMMON_WIRE_MANIFEST_READ_H

#include "common/wire/json.h"
#include "common/wire/manifest.h"

enum { READER_DEPTH = 16, FIELDS_MAX = 16 };
struct reader {
    struct json json;
    bool peeked;
    enum json_event next;
    const char *what; /* why it failed */
    size_t depth;     /* the path: keys and array positions */
    struct {
        char key[40];
        size_t at;
    } path[READER_DEPTH];
};
struct field {
    const char *name;
    bool required;
    apex_status (*read)(struct reader *r, void *context);
};

void reader_init(struct reader *r, struct span text);
apex_status reader_next(struct reader *r, enum json_event *e);
apex_status reader_peek(struct reader *r, enum json_event *e);
/* Remembers why; returns APEX_E_FORMAT. */
apex_status reader_fail(struct reader *r, const char *what);
void reader_explain(const struct reader *r, apex_status s, struct manifest_error *error);
/* The token handed out last, as a text of at most max bytes (text: max + 1). Control characters
 * are refused. */
apex_status reader_copy(struct reader *r, char *text, size_t max);
/* Gives back what a full-sized array does not need for its `n` items, n > 0: a manifest is held
 * for as long as its contract. */
void reader_array_fit(size_t n, size_t item, void *array);
/* A zeroed array of `max` items; APEX_E_FORMAT when *array is set already. */
apex_status reader_array_new(struct reader *r, size_t max, size_t item, void *array);

apex_status read_object(struct reader *r, const struct field *fields, size_t n, void *context);
/* The same of a document whose author may add keys: those not in the table are passed over. */
apex_status read_object_open(struct reader *r, const struct field *fields, size_t n,
                             void *context);
apex_status read_skip(struct reader *r); /* passes over one value of any kind */
apex_status read_array(struct reader *r, void *context, size_t min, size_t max,
                       apex_status (*one)(struct reader *, void *));
apex_status read_text(struct reader *r, char *text, size_t max);
apex_status read_name(struct reader *r,
                      char name[static NAME_MAX_LEN + 1]); /* [a-z0-9][a-z0-9_-]* */
apex_status read_bool(struct reader *r, bool *value);
/* At most 15 significant digits and no exponent: every such text comes back from a double
 * unchanged. */
apex_status read_number(struct reader *r, double *value);
apex_status read_count(struct reader *r, uint64_t max, uint64_t *value); /* max 0: 2^53 */
apex_status read_one_of(struct reader *r, const char *const *names, unsigned n,
                        const char *what, unsigned *at);
apex_status read_time(struct reader *r, int64_t *ms); /* "2030-01-01T00:00:00Z" */

apex_status read_functions(struct reader *r, void *manifest);

#endif
