/* A frame: the rows a function computes on, as blocks of numbers that kernels take.
 *
 * It joins the chosen tables of one dataset, in the request's order, into rows 0..n-1, and
 * turns columns into features: latitude and longitude in degrees, dates in days, booleans and
 * integers as numbers, and a category column into one 0/1 column for each of its texts but the
 * first, bytewise, after the numeric features (the first is what all others are compared with).
 * What texts there are is an encoding: made of the rows a model is trained on, kept with the
 * model, and followed by every frame the model is used on; a text not in it is 0 in all its
 * columns.
 *
 * Under rules, an encoding has no class whose rows do not satisfy them: they are left out, as
 * rows of a class that training never saw. Texts of a column whose rows do not are taken for
 * its first text; so are the next ones, bytewise, while all those together do not. A bool
 * column that is true in too few rows, or in all but too few, is left out.
 *
 * A row with a missing cell, a label the encoding does not know, or left out by the party
 * filter or the split has weight 0; it is carried along, since leaving it out would show in
 * addresses. Blocks are cut by row number, so neither tables nor chunks show in sums.
 *
 * Leaks: how many rows each table has, which texts occur in a table's groups, which classes and
 * columns an encoding has. Of cells, labels
 * and missing cells: nothing; codes are compared, never used as an index. */
#ifndef CONTRACTS_LIB_FRAME_H
#define CONTRACTS_LIB_FRAME_H

#include "common/base/buffer.h"
#include "common/base/cursor.h"
#include "common/num/block.h"
#include "contracts/lib/release.h"

enum { FEATURES_MAX = 1024, CLASSES_MAX = 4096, FRAME_THREADS_MAX = 16 };

enum frame_target { FRAME_NO_TARGET, FRAME_LABELS, FRAME_NUMBERS };

struct encoding_text {
    size_t len;
    char text[CATEGORY_MAX + 1];
};
struct encoding_feature {
    char column[NAME_MAX_LEN + 1];
    bool is_category;
    struct encoding_text category;
};
struct encoding {
    enum frame_target kind;
    char target[NAME_MAX_LEN + 1];
    size_t n_features, n_classes;
    struct encoding_feature *features; /* ours */
    struct encoding_text *classes;     /* ascending bytewise; ours */
};

enum frame_part { FRAME_ALL_ROWS, FRAME_TRAIN, FRAME_TEST };
struct frame_choice {
    const char *dataset;
    bool is_private;
    const char *target; /* a column, or NULL */
    enum frame_target kind;
    const struct encoding *like; /* NULL: made of these rows; the frame's own then */
    bool targetless;             /* rows without the target column are welcome */
    bool bare;                   /* the target alone, no features */
    bool listed; /* texts are the values that the manifest lists, not those of the rows */
    const struct release_rules *rules; /* for what models are made of; NULL: none */
};

struct frame_table {
    const struct apex_table *table;
    size_t first, n; /* rows of the frame */
    size_t *column;  /* of each feature, in the table */
    uint32_t **code; /* by group: each feature's code there, or NO_CODE */
    size_t target;   /* column, or SIZE_MAX */
    uint32_t **rank; /* by group: the class of each code of the target */
};
struct frame {
    struct apex_run *run;
    struct frame_choice choice;
    struct encoding own;
    const struct encoding *encoding;
    size_t n_tables, n_rows;
    struct frame_table *tables;
    /* Row filters, public; set by the caller between passes. */
    size_t only_party; /* SIZE_MAX: all */
    enum frame_part part;
    double test_share; /* of rows, by the hash of their number */
    struct frame_scratch *scratch[FRAME_THREADS_MAX];
    struct num_source source;
};

/* Refuses the run (does not return) where the manifest's columns do not fit. n_rows may be 0.
 */
apex_status frame_open(struct apex_run *run, const struct frame_choice *choice,
                       struct frame *frame);
void frame_close(struct frame *frame);
/* How many tables a choice would take. */
size_t frame_tables(const struct apex_run *run, const char *dataset, bool is_private);
/* The party of each row of a block: public. Valid until the thread asks for another block. */
const uint8_t *frame_parties(const struct frame *frame, unsigned thread);
/* The weights of a block's rows where a label the encoding does not know is no reason to leave
 * a row out: such a row is told wrongly, whatever is said of it. */
const double *frame_weights_of_any(const struct frame *frame, unsigned thread);
/* Counts rows of weight above 0, by party. */
apex_status frame_count(struct frame *frame, struct release_cell *cell);

void encoding_clear(struct encoding *e);
/* As part of a model: own little format, versioned. */
apex_status encoding_write(const struct encoding *e, struct buffer *out);
apex_status encoding_parse(struct cursor *c, struct encoding *e);

#endif
