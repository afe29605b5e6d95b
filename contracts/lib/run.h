/* Inside the runtime of contract programs; contract writers see include/apex/contract.h only.
 */
#ifndef CONTRACTS_LIB_RUN_H
#define CONTRACTS_LIB_RUN_H

#include "common/wire/cbor.h"
#include "common/wire/manifest.h"
#include "common/wire/table.h"
#include "include/apex/contract.h"

enum {
    RUN_EXIT_BROKEN = 1,
    RUN_EXIT_SAID = 10,
    RUN_EXIT_MEMORY = 101,
    RUN_EXIT_OUTPUT = 102,
    JSON_NESTING_MAX = 32,
    OUT_BYTES = 65536,
    RUN_SLOTS = 17 /* one a thread */
};

struct run_param {
    char name[NAME_MAX_LEN + 1];
    enum cbor_type type;
    double number;
    char text[NAME_MAX_LEN + 1];
    size_t n_points, dims;
    double *points;
};
struct apex_table {
    struct apex_run *run;
    size_t number;
    char dataset[NAME_MAX_LEN + 1];
    size_t party;
    uint64_t size;
    bool is_private;
    const uint8_t *bytes; /* mapped, read-only */
    uint64_t n_rows;
    size_t n_groups;
    struct table_group *groups; /* of a streamed table the first alone, without its cells */
    size_t *group_rows;         /* n_groups */
    char (*names)[NAME_MAX_LEN + 1]; /* of the columns */
};
struct apex_run {
    char function[NAME_MAX_LEN + 1];
    size_t n_params;
    struct run_param params[PARAMS_MAX];
    uint8_t seed[32];
    uint64_t minimum_rows, minimum_contributors;
    double maximum_share;
    unsigned threads;
    size_t n_parties, n_tables;
    struct apex_table *tables;
    bool oblivious, exports, is_private;
    uint8_t noise[32];
    double delta;
    size_t n_schemas;
    struct run_schema {
        char dataset[NAME_MAX_LEN + 1];
        size_t n_columns;
        struct apex_column *columns;
    } schemas[DATASETS_MAX];
    bool streamed;
    struct run_slot {
        bool filled;
        size_t table, group;
        struct table_group parsed;
        uint8_t *bytes; /* GROUP_BYTES */
    } * slots[RUN_SLOTS];
    uint64_t model_size;
    const uint8_t *model; /* mapped */
    uint8_t *left;        /* the model to leave */
    size_t left_len;
    /* the JSON writer */
    unsigned depth;
    bool has_items[JSON_NESTING_MAX];
    size_t out_len;
    unsigned told;
    uint8_t out[OUT_BYTES];
};

/* Parses the request's bytes. Table bytes are not mapped yet. APEX_E_FORMAT, APEX_E_MEMORY. */
apex_status run_parse(struct span request, struct apex_run *run);
/* A group of a table, for one thread: lasts until that thread asks for another. Ends the
 * program when it cannot be had. */
const struct table_group *run_group(const struct apex_table *t, size_t group, unsigned thread);
/* Learns the groups of streamed tables: one pass over all. */
apex_status run_stream_open(struct apex_run *run);
/* Parses the groups of a table whose `bytes` and `size` are set. */
apex_status run_table_parse(struct apex_table *t);
apex_status run_names_copy(struct apex_table *t);
void run_json_flush(struct apex_run *run);

#endif
