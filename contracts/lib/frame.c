#include "contracts/lib/frame.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "contracts/lib/frame_fill.h"
#include "contracts/lib/run.h"

#include <stdio.h>
#include <stdlib.h>

static bool chosen(const struct apex_table *t, const char *dataset, bool is_private)
{
    return apex_table_private(t) == is_private && strcmp(apex_table_dataset(t), dataset) == 0;
}

size_t frame_tables(const struct apex_run *run, const char *dataset, bool is_private)
{
    size_t n = 0;
    for (size_t i = 0; i < apex_tables(run); i++)
        n += chosen(apex_table_at(run, i), dataset, is_private);
    return n;
}

static int text_order(const void *a, const void *b)
{
    const struct encoding_text *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

struct texts {
    size_t n, cap;
    struct encoding_text *text;
};

static apex_status text_add(struct texts *t, struct span s)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64, bytes;
        if (!size_mul(cap, sizeof *t->text, &bytes)) return APEX_E_LIMIT;
        struct encoding_text *more = realloc(t->text, bytes);
        if (!more) return APEX_E_MEMORY;
        t->text = more;
        t->cap = cap;
    }
    struct encoding_text *to = &t->text[t->n++];
    memcpy(to->text, s.data, s.len);
    to->text[s.len] = 0;
    to->len = s.len;
    return APEX_OK;
}

/* Sorted, each once. */
static void texts_settle(struct texts *t)
{
    size_t kept = 0;
    if (t->n) qsort(t->text, t->n, sizeof *t->text, text_order);
    for (size_t i = 0; i < t->n; i++)
        if (kept == 0 || text_order(&t->text[kept - 1], &t->text[i]) != 0)
            t->text[kept++] = t->text[i];
    t->n = kept;
}

static apex_status group_texts(const struct apex_table *t, size_t g, size_t column,
                               struct texts *texts)
{
    const struct table_column *c = &run_group(t, g, 0)->columns[column];
    struct span text;
    for (size_t i = 0, at = 0; i < c->n_dict; i++) {
        TRY(table_dict_next(c->dict, &at, &text));
        TRY(text_add(texts, text));
    }
    return APEX_OK;
}

/* The texts that the manifest lists: what rows hold does not show in them. */
static apex_status listed_texts(const struct frame *f, const char *name, struct texts *texts)
{
    const struct apex_column *columns;
    char words[120];
    size_t n = apex_schema(f->run, f->choice.dataset, &columns), c = 0;
    while (c < n && strcmp(columns[c].name, name) != 0)
        c++;
    if (c == n || columns[c].n_values == 0) {
        snprintf(words, sizeof words, "%.64s: the manifest lists no values of this category",
                 name);
        apex_refuse(f->run, APEX_REFUSE_PARAMETER, words);
    }
    for (size_t i = 0; i < columns[c].n_values; i++)
        TRY(text_add(texts, span_text(columns[c].values[i])));
    texts_settle(texts);
    return APEX_OK;
}

/* All texts of a column over the frame's tables. */
static apex_status column_texts(const struct frame *f, const char *name, struct texts *texts)
{
    if (f->choice.listed) return listed_texts(f, name, texts);
    for (size_t i = 0; i < f->n_tables; i++) {
        const struct apex_table *t = f->tables[i].table;
        size_t column = 0;
        while (column < apex_table_columns(t) &&
               strcmp(apex_table_column_name(t, column), name) != 0)
            column++;
        if (column == apex_table_columns(t)) continue;
        for (size_t g = 0; g < apex_table_groups(t); g++)
            TRY(group_texts(t, g, column, texts));
        texts_settle(texts);
    }
    return APEX_OK;
}

static apex_status feature_add(struct encoding *e, const char *column, bool is_category,
                               const struct encoding_text *category)
{
    if (e->n_features == FEATURES_MAX) return APEX_E_LIMIT;
    struct encoding_feature *f = &e->features[e->n_features++];
    memcpy(f->column, column, strlen(column) + 1);
    f->is_category = is_category;
    if (category) f->category = *category;
    return APEX_OK;
}

static apex_status category_features(const struct frame *f, struct encoding *e,
                                     const char *column)
{
    struct texts texts = {0};
    apex_status s = column_texts(f, column, &texts);
    for (size_t i = 1; s == APEX_OK && i < texts.n; i++)
        s = feature_add(e, column, true, &texts.text[i]);
    free(texts.text);
    return s;
}

static apex_status features_make(struct frame *f, const struct apex_column *columns, size_t n)
{
    struct encoding *e = &f->own;
    e->features = calloc(FEATURES_MAX, sizeof *e->features);
    if (!e->features) return APEX_E_MEMORY;
    for (unsigned category = 0; category < 2; category++)
        for (size_t c = 0; c < n; c++) {
            if (f->choice.target && strcmp(columns[c].name, f->choice.target) == 0) continue;
            if ((columns[c].type == APEX_CATEGORY) != (category == 1)) continue;
            apex_status s = category ? category_features(f, e, columns[c].name)
                                     : feature_add(e, columns[c].name, false, NULL);
            if (s == APEX_E_LIMIT)
                apex_refuse(f->run, APEX_REFUSE_OTHER, "more than 1024 features");
            TRY(s);
        }
    if (e->n_features == 0)
        apex_refuse(f->run, APEX_REFUSE_OTHER, "the dataset has no column to learn from");
    return APEX_OK;
}

static const struct apex_column *column_named(const struct apex_column *columns, size_t n,
                                              const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return &columns[i];
    return NULL;
}

static apex_status classes_make(struct frame *f, const struct apex_column *target)
{
    struct texts texts = {0};
    apex_status s = APEX_OK;
    if (target->type == APEX_BOOL) {
        s = text_add(&texts, SPAN_TEXT("false"));
        if (s == APEX_OK) s = text_add(&texts, SPAN_TEXT("true"));
    } else
        s = column_texts(f, target->name, &texts);
    f->own.classes = texts.text;
    f->own.n_classes = texts.n;
    if (texts.n > CLASSES_MAX) apex_refuse(f->run, APEX_REFUSE_OTHER, "more than 4096 classes");
    return s;
}

static apex_status target_make(struct frame *f, const struct apex_column *columns, size_t n)
{
    const struct apex_column *target =
        f->choice.target ? column_named(columns, n, f->choice.target) : NULL;
    f->own.kind = f->choice.kind;
    if (f->choice.kind == FRAME_NO_TARGET) return APEX_OK;
    if (!target)
        apex_refuse(f->run, APEX_REFUSE_PARAMETER, "the dataset has no column of the target");
    memcpy(f->own.target, target->name, sizeof f->own.target);
    bool label = target->type == APEX_CATEGORY || target->type == APEX_BOOL;
    if (label != (f->choice.kind == FRAME_LABELS))
        apex_refuse(f->run, APEX_REFUSE_PARAMETER,
                    f->choice.kind == FRAME_LABELS
                        ? "the target is not a category or bool column"
                        : "the target is not a column of numbers");
    return label ? classes_make(f, target) : APEX_OK;
}

static apex_status encoding_make(struct frame *f)
{
    const struct apex_column *columns;
    size_t n = apex_schema(f->run, f->choice.dataset, &columns);
    f->encoding = f->choice.like ? f->choice.like : &f->own;
    if (f->choice.like) return APEX_OK;
    TRY(target_make(f, columns, n));
    return f->choice.bare ? APEX_OK : features_make(f, columns, n);
}

static size_t column_at(const struct apex_table *t, const char *name)
{
    size_t c = 0;
    while (c < apex_table_columns(t) && strcmp(apex_table_column_name(t, c), name) != 0)
        c++;
    return c < apex_table_columns(t) ? c : SIZE_MAX;
}

static uint32_t code_of(const struct table_column *column, const struct encoding_text *want)
{
    struct span text;
    for (size_t i = 0, at = 0; i < column->n_dict; i++) {
        if (table_dict_next(column->dict, &at, &text) != APEX_OK) break;
        if (span_equal(text, span_of(want->text, want->len))) return (uint32_t)i;
    }
    return FRAME_NO_CODE;
}

static uint32_t rank_of(const struct encoding *e, struct span text)
{
    struct encoding_text want = {.len = text.len};
    memcpy(want.text, text.data, text.len);
    const struct encoding_text *at =
        e->n_classes ? bsearch(&want, e->classes, e->n_classes, sizeof want, text_order) : NULL;
    return at ? (uint32_t)(at - e->classes) : FRAME_NO_CODE;
}

static apex_status ranks_make(const struct encoding *e, const struct table_column *column,
                              uint32_t **rank)
{
    struct span text;
    *rank = malloc((column->n_dict + 2) * sizeof **rank);
    if (!*rank) return APEX_E_MEMORY;
    (*rank)[0] = 0; /* of a bool column: false is the first class */
    (*rank)[1] = 1;
    for (size_t i = 0, at = 0; i < column->n_dict; i++) {
        TRY(table_dict_next(column->dict, &at, &text));
        (*rank)[i] = rank_of(e, text);
    }
    return APEX_OK;
}

static apex_status group_codes(const struct encoding *e, struct frame_table *t, size_t g)
{
    const struct table_group *group = run_group(t->table, g, 0);
    t->code[g] = malloc((e->n_features + 1) * sizeof **t->code);
    if (!t->code[g]) return APEX_E_MEMORY;
    for (size_t i = 0; i < e->n_features; i++)
        t->code[g][i] = e->features[i].is_category
                            ? code_of(&group->columns[t->column[i]], &e->features[i].category)
                            : FRAME_NO_CODE;
    if (t->target == SIZE_MAX || e->kind != FRAME_LABELS) return APEX_OK;
    return ranks_make(e, &group->columns[t->target], &t->rank[g]);
}

/* Where each feature lies in this table, and how its texts are coded in each group. */
static apex_status table_codes(struct frame *f, struct frame_table *t)
{
    const struct encoding *e = f->encoding;
    size_t n_groups = apex_table_groups(t->table);
    t->column = malloc((e->n_features + 1) * sizeof *t->column);
    t->code = calloc(n_groups, sizeof *t->code);
    t->rank = calloc(n_groups, sizeof *t->rank);
    if (!t->column || !t->code || !t->rank) return APEX_E_MEMORY;
    for (size_t i = 0; i < e->n_features; i++) {
        size_t c = t->column[i] = column_at(t->table, e->features[i].column);
        if (c == SIZE_MAX || (apex_table_column_type(t->table, c) == APEX_CATEGORY) !=
                                 e->features[i].is_category)
            apex_refuse(f->run, APEX_REFUSE_OTHER,
                        "the dataset lacks a column the model was trained on");
    }
    t->target = e->kind != FRAME_NO_TARGET ? column_at(t->table, e->target) : SIZE_MAX;
    if (t->target == SIZE_MAX && e->kind != FRAME_NO_TARGET && !f->choice.targetless)
        apex_refuse(f->run, APEX_REFUSE_PARAMETER, "the dataset has no column of the target");
    for (size_t g = 0; g < n_groups; g++)
        TRY(group_codes(e, t, g));
    return APEX_OK;
}

static apex_status tables_choose(struct frame *f)
{
    const struct frame_choice *choice = &f->choice;
    f->tables = calloc(frame_tables(f->run, choice->dataset, choice->is_private) + 1,
                       sizeof *f->tables);
    if (!f->tables) return APEX_E_MEMORY;
    for (size_t i = 0; i < apex_tables(f->run); i++) {
        const struct apex_table *t = apex_table_at(f->run, i);
        if (!chosen(t, choice->dataset, choice->is_private)) continue;
        f->tables[f->n_tables++] =
            (struct frame_table){.table = t, .first = f->n_rows, .n = apex_table_rows(t)};
        f->n_rows += apex_table_rows(t);
    }
    return APEX_OK;
}

static void table_clear(struct frame_table *t)
{
    for (size_t g = 0; g < apex_table_groups(t->table); g++) {
        if (t->code) free(t->code[g]);
        if (t->rank) free(t->rank[g]);
    }
    free(t->code);
    free(t->rank);
    free(t->column);
}

apex_status frame_recode(struct frame *f)
{
    for (size_t i = 0; i < f->n_tables; i++) {
        table_clear(&f->tables[i]);
        TRY(table_codes(f, &f->tables[i]));
    }
    f->source = (struct num_source){.n_rows = f->n_rows,
                                    .n_columns = f->encoding->n_features,
                                    .n_blocks = (f->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS,
                                    .block = frame_fill,
                                    .context = f};
    for (unsigned t = 0; t < FRAME_THREADS_MAX && t < apex_threads(f->run); t++) {
        frame_scratch_free(f->scratch[t]);
        f->scratch[t] = NULL;
        TRY(frame_scratch_new(f->encoding->n_features, &f->scratch[t]));
    }
    return APEX_OK;
}

apex_status frame_open(struct apex_run *run, const struct frame_choice *choice,
                       struct frame *frame)
{
    *frame = (struct frame){.run = run, .choice = *choice, .only_party = SIZE_MAX};
    TRY(tables_choose(frame));
    TRY(encoding_make(frame));
    TRY(frame_recode(frame));
    return choice->rules && !choice->like ? frame_prune(frame) : APEX_OK;
}

void frame_close(struct frame *frame)
{
    for (size_t i = 0; i < frame->n_tables; i++)
        table_clear(&frame->tables[i]);
    free(frame->tables);
    encoding_clear(&frame->own);
    for (unsigned t = 0; t < FRAME_THREADS_MAX; t++)
        frame_scratch_free(frame->scratch[t]);
    *frame = (struct frame){0};
}

apex_status frame_count(struct frame *frame, struct release_cell *cell)
{
    *cell = (struct release_cell){0};
    for (size_t b = 0; b < frame->source.n_blocks; b++) {
        struct num_block block;
        frame_fill(frame, b, 0, &block);
        const uint8_t *party = frame_parties(frame, 0);
        for (size_t i = 0; i < block.n; i++)
            cell->by_party[party[i]] +=
                block.weight[i] > 0; /* a comparison's value, no branch */
    }
    for (size_t p = 0; p < PARTIES_MAX; p++)
        cell->rows += cell->by_party[p];
    return APEX_OK;
}
