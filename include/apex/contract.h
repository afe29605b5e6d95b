/* The ABI of a contract program: a static ELF that gets rows and gives a result, and can do nothing else.
 *
 * At start these descriptors are open and no other:
 *   3  the request, a read-only memory file (below)
 *   4  the result, an empty memory file; what is in it at a clean exit (status 0) is the answer: UTF-8 JSON text, deterministic
 *   5  progress, a pipe: one byte 0..100 per message, more than ten a second are dropped
 *   6… the tables, one read-only memory file each, in the request's order (format: common/wire/table.h; 64-byte aligned groups),
 *      and after them the model, when the function uses one. Tables too large to be held: 6 is a stream socket instead; write a table's
 *      and a group's number (u32 little-endian each), read the group's length (u64 little-endian; 0: there is none) and its bytes.
 * A function that trains may leave a model: its bytes after the answer's JSON, then the trailer "APXMODEL" and their number, u64
 * big-endian. The model stays in the contract, sealed; a function that uses it gets the same bytes.
 * There is no environment, file system, network, clock, other process or second chance. Threads and anonymous memory are allowed.
 * Exit status 0: released. Exit status 10..99: the program refuses, for the reason `enum apex_refusal` plus 10 names, and the result
 * file's content (at most 120 bytes of text, no row in it) is the detail. Anything else: failed.
 *
 * Request, deterministic CBOR: {1: "apex/program/v1", 2: function text, 3: {parameter: value}, 4: seed bstr32,
 *   5: {1: minimum rows, 2: minimum contributors, 3: maximum share (float)}, 6: threads, 7: number of parties,
 *   8: [[dataset text, party index uint, size uint, private bool] ...],   one per table; private: the requester's rows for this run only
 *   9: {1: oblivious bool, 2: a model's parameters may be told bool, 3: model size uint (0: none), 4: noise key (32 bytes for a private
 *      function, else empty), 5: delta float,
 *      6: tables are streamed bool},
 *   10: [[dataset text, [[column text, type uint, may be missing bool, [min, max] or [], [value text ...]] ...]] ...]}   what the function may be given
 * Tables come sorted by (private, dataset, party, plaintext digest): the order of contribution does not show.
 * All parameters are present; defaults are filled in. A points parameter that was not given is an empty array.
 *
 * A C program links contracts/lib, includes this header and defines apex_contract(). */
#ifndef APEX_CONTRACT_H
#define APEX_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/apex/status.h"

#define APEX_MODEL_MAGIC                                                                       \
    {                                                                                          \
        'A', 'P', 'X', 'M', 'O', 'D', 'E', 'L'                                                 \
    }
enum { APEX_MODEL_TRAILER = 16 };
enum apex_contract_fd { APEX_FD_REQUEST = 3, APEX_FD_RESULT = 4, APEX_FD_PROGRESS = 5, APEX_FD_TABLES = 6 };
enum apex_refusal { APEX_REFUSE_NO_DATA = 1, APEX_REFUSE_ROWS = 2, APEX_REFUSE_CONTRIBUTORS = 3, APEX_REFUSE_K = 4, APEX_REFUSE_SHARE = 5, APEX_REFUSE_PARAMETER = 6, APEX_REFUSE_OTHER = 7 };
enum apex_column_type { APEX_LATITUDE = 1, APEX_LONGITUDE, APEX_FLOAT64, APEX_INT64, APEX_CATEGORY, APEX_BOOL, APEX_DATE };

struct apex_run;   /* the request and its tables */
struct apex_table; /* one contribution */

/* Defined by the contract. Returns APEX_OK when the result is whole; apex_refuse() does not return. */
apex_status apex_contract(struct apex_run *run);

/* The request. */
const char *apex_function(const struct apex_run *run);
double apex_param_number(const struct apex_run *run, const char *name); /* int, float, bool; a name the manifest lacks is a bug: exits 1 */
const char *apex_param_text(const struct apex_run *run, const char *name);
size_t apex_param_points(const struct apex_run *run, const char *name, size_t dims, const double **points); /* n x dims, row-major */
const uint8_t *apex_seed(const struct apex_run *run); /* 32 bytes */
unsigned apex_threads(const struct apex_run *run);
size_t apex_parties(const struct apex_run *run);
bool apex_has_param(const struct apex_run *run, const char *name); /* has the manifest's function a parameter of this name? */
/* May branches and addresses follow the rows? Only where this is false. */
bool apex_oblivious(const struct apex_run *run);
bool apex_exports(const struct apex_run *run); /* may a model's parameters be told? */
/* The key of all noise of a differentially private answer, 32 bytes no party knows; NULL: the function is not private. */
const uint8_t *apex_noise(const struct apex_run *run);
double apex_delta(const struct apex_run *run);
uint64_t apex_minimum_rows(const struct apex_run *run);
uint64_t apex_minimum_contributors(const struct apex_run *run);
double apex_maximum_share(const struct apex_run *run);

enum { APEX_VALUE_MAX = 64 };
/* What the manifest says of a dataset's columns, rows there or not; 0: the function is not given this dataset. */
struct apex_column {
    char name[65];
    enum apex_column_type type;
    bool missing, bounded; /* may cells be missing; are min and max stated */
    double min, max;
    size_t n_values; /* of a category: the only texts there may be; 0: any */
    const char (*values)[APEX_VALUE_MAX + 1];
};
size_t apex_schema(const struct apex_run *run, const char *dataset, const struct apex_column **columns);

/* The model this function uses: its bytes, and how many; 0: none. */
size_t apex_model(const struct apex_run *run, const uint8_t **bytes);
/* Leaves a model in the contract when the run ends well; the last one counts. Copied. */
apex_status apex_model_leave(struct apex_run *run, const void *bytes, size_t len);

/* The tables. */
size_t apex_tables(const struct apex_run *run);
const struct apex_table *apex_table_at(const struct apex_run *run, size_t i);
const char *apex_table_dataset(const struct apex_table *t);
size_t apex_table_party(const struct apex_table *t);
bool apex_table_private(const struct apex_table *t);
uint64_t apex_table_rows(const struct apex_table *t);
size_t apex_table_columns(const struct apex_table *t);
const char *apex_table_column_name(const struct apex_table *t, size_t column);
enum apex_column_type apex_table_column_type(const struct apex_table *t, size_t column);
size_t apex_table_groups(const struct apex_table *t);
/* One column of one group (of a streamed table: until another group is asked for): `data` of the column's type, `validity` NULL when all cells are present. */
struct apex_cells { size_t n; const void *data; const uint8_t *validity; };
struct apex_cells apex_table_cells(const struct apex_table *t, size_t group, size_t column);
/* How many texts a category column has in this group: codes lie below. */
size_t apex_table_categories(const struct apex_table *t, size_t group, size_t column);
/* The text of a category's code in this group. */
const char *apex_table_category(const struct apex_table *t, size_t group, size_t column, uint32_t code, size_t *len);

/* Out. */
void apex_progress(struct apex_run *run, unsigned percent);
_Noreturn void apex_refuse(struct apex_run *run, enum apex_refusal why, const char *detail);
/* A JSON writer on the result file: keys in the order given, numbers in their shortest form that reads back the same. */
void apex_json_object(struct apex_run *run, const char *key);  /* key NULL inside arrays and at the top */
void apex_json_array(struct apex_run *run, const char *key);
void apex_json_end(struct apex_run *run);
void apex_json_number(struct apex_run *run, const char *key, double value); /* not finite: written as null */
void apex_json_integer(struct apex_run *run, const char *key, int64_t value);
void apex_json_text(struct apex_run *run, const char *key, const char *text, size_t len);
void apex_json_bool(struct apex_run *run, const char *key, bool value);
void apex_json_null(struct apex_run *run, const char *key);

#endif
