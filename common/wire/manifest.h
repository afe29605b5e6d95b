/* The manifest: a JSON text that people read and whose exact bytes are what is agreed on.
 *     address = "apex1" + lower-case base32(SHA-256(manifest bytes))
 * Strict: unknown keys, duplicate keys, wrong types, numbers that do not round-trip, names that
 * are not [a-z0-9_-] (1..NAME_MAX, starting with a letter or digit) and sizes above the limits
 * below are refused, with the place. The format is written out in docs/formats.md, "Manifest".
 */
#ifndef COMMON_WIRE_MANIFEST_H
#define COMMON_WIRE_MANIFEST_H

#include "common/base/span.h"
#include "common/wire/measurement.h"
#include "include/apex/status.h"

enum {
    MANIFEST_MAX = 256 * 1024,
    NAME_MAX_LEN = 64,
    TEXT_MAX = 1024,
    PARTIES_MAX = 64,
    DATASETS_MAX = 16,
    COLUMNS_MAX = 256,
    FUNCTIONS_MAX = 32,
    PARAMS_MAX = 32,
    CHOICES_MAX = 32,
    VALUES_MAX = 512,
    ENCLAVES_MAX = 32,
    PROGRAMS_MAX = 4,
    CATEGORY_MAX = 64,
    ADDRESS_TEXT_LEN = 57, /* "apex1" + 52 */
};

enum party_right {
    MAY_CONTRIBUTE = 1,
    MAY_RUN = 2,
    MAY_RECEIVE = 4,
    MAY_APPROVE = 8,
    MAY_AUDIT = 16
};
enum column_type {
    COLUMN_LATITUDE = 1,
    COLUMN_LONGITUDE,
    COLUMN_FLOAT64,
    COLUMN_INT64,
    COLUMN_CATEGORY,
    COLUMN_BOOL,
    COLUMN_DATE
};
enum param_type { PARAM_INT = 1, PARAM_FLOAT, PARAM_BOOL, PARAM_CHOICE, PARAM_POINTS };

struct manifest_program {
    char arch[NAME_MAX_LEN + 1];
    uint8_t digest[32];
};
struct manifest_enclave {
    char tee[NAME_MAX_LEN + 1];
    struct measurement measurement;
};
struct manifest_party {
    char name[NAME_MAX_LEN + 1];
    uint8_t sign[32]; /* Ed25519 */
    uint8_t seal[32]; /* X25519 */
    unsigned may;     /* party_right bits */
};
struct manifest_column {
    char name[NAME_MAX_LEN + 1];
    enum column_type type;
    char unit[NAME_MAX_LEN + 1]; /* may be "" */
    bool missing;                /* may cells be missing? */
    bool has_min, has_max;
    double min, max; /* inclusive; for dates days since 1970-01-01; latitude/longitude default
                        to -90..90, -180..180 */
    size_t n_values;
    char (*values)[CATEGORY_MAX + 1]; /* category: the only texts a cell may hold; none: any */
};
struct manifest_dataset {
    char name[NAME_MAX_LEN + 1];
    size_t n_columns;
    struct manifest_column *columns;
};
struct manifest_param {
    char name[NAME_MAX_LEN + 1];
    enum param_type type;
    bool has_default; /* a parameter without default must be given (points: default is "none
                         given") */
    double min, max;  /* int and float: inclusive bounds, required */
    double def;       /* int, float, bool (0/1); choice: index of the default */
    size_t n_choices;
    char (*choices)[NAME_MAX_LEN + 1];
    size_t max_items; /* points: at most so many; each point has `dims` numbers */
    size_t dims;
};
struct manifest_function {
    char name[NAME_MAX_LEN + 1];
    size_t n_datasets;
    size_t datasets[DATASETS_MAX]; /* indexes: tables of these go to the program */
    bool has_rows; /* takes private rows with the request, of dataset `rows`'s schema */
    size_t rows;
    bool to_requester; /* "release": "requester" (true) or "receivers" (false) */
    bool trains;       /* its runs leave a model in the contract */
    bool uses;         /* it needs a model left by a run of function `model` */
    size_t model;      /* index of a function above that trains */
    bool exports;      /* a model's parameters may leave in its answers */
    bool is_private;   /* answers are differentially private and charged to the budget */
    size_t n_params;
    struct manifest_param *params;
};
struct manifest_release {
    uint64_t minimum_rows, minimum_contributors;
    double maximum_share;
};
/* The whole of what differentially private answers may cost, over the contract's life. */
struct manifest_privacy {
    bool given;
    uint64_t epsilon_micro; /* millionths */
    double delta;
};
/* Who has to have cosigned the log before a run is accepted and before its answer goes out:
 * `quorum` of these verifier keys (c2sp.org/tlog-cosignature). n 0: nobody has to. */
enum { MANIFEST_WITNESSES_MAX = 16, WITNESS_KEY_MAX = 192 };
struct manifest_witnesses {
    uint64_t quorum;
    size_t n;
    char key[MANIFEST_WITNESSES_MAX][WITNESS_KEY_MAX + 1];
};
struct manifest_quotas {
    uint64_t runs_per_party, rows_per_party, memory_mb, cpu_seconds, output_mb;
};

struct manifest {
    char name[NAME_MAX_LEN + 1];
    char purpose[TEXT_MAX + 1];
    size_t n_programs;
    struct manifest_program programs[PROGRAMS_MAX];
    char source[TEXT_MAX + 1]; /* where the program's source is */
    char build[TEXT_MAX + 1];  /* how it is rebuilt, in words a person can run */
    size_t n_enclaves;
    struct manifest_enclave *enclaves;
    size_t n_parties;
    struct manifest_party *parties;
    size_t n_datasets;
    struct manifest_dataset *datasets;
    size_t n_functions;
    struct manifest_function *functions;
    struct manifest_release release;
    struct manifest_privacy privacy;
    struct manifest_witnesses witnesses;
    bool not_oblivious; /* "oblivious": false: faster kernels whose accesses follow the rows */
    struct manifest_quotas quotas;
    int64_t expires_ms; /* unix time */
};

/* Where and why a manifest is refused. `what` is a fixed English phrase, `where` a JSON path
 * such as "parties[1].sign"; both hold only text of the manifest, which is public. */
struct manifest_error {
    size_t line, column;
    char where[160];
    const char *what;
};

/* APEX_E_FORMAT (error says where), APEX_E_LIMIT, APEX_E_MEMORY. *m is ours: manifest_free.
 * error may be NULL. */
apex_status manifest_parse(struct span text, struct manifest **m, struct manifest_error *error);
void manifest_free(struct manifest *m);
const struct manifest_party *manifest_party_by_key(const struct manifest *m,
                                                   const uint8_t sign[static 32]);
const struct manifest_dataset *manifest_dataset_by_name(const struct manifest *m,
                                                        struct span name);
const struct manifest_function *manifest_function_by_name(const struct manifest *m,
                                                          struct span name);

/* The parameter that states what a private function costs: a float named "epsilon". NULL: it
 * has none. */
const struct manifest_param *manifest_epsilon(const struct manifest_function *f);

/* May a cell of this category column hold this text? */
static inline bool manifest_column_allows(const struct manifest_column *c, struct span text)
{
    for (size_t i = 0; i < c->n_values; i++)
        if (span_equal(text, span_text(c->values[i]))) return true;
    return c->n_values == 0;
}

/* "apex1…" from and to the 32 bytes. */
void address_write(const uint8_t address[static 32], char text[static ADDRESS_TEXT_LEN + 1]);
apex_status address_parse(struct span text, uint8_t address[static 32]);

#endif
