/* Tables that are fed group by group: asked for over one socket, a group a thread. */
#include "common/base/endian.h"
#include "common/base/try.h"
#include "contracts/lib/run.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t socket_lock = PTHREAD_MUTEX_INITIALIZER;

static bool read_whole(uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(APEX_FD_TABLES, bytes + at, len - at);
        if (n <= 0) return false;
        at += (size_t)n;
    }
    return true;
}

static bool ask(size_t table, size_t group, uint8_t *bytes, size_t *len)
{
    uint8_t question[8], answer[8];
    put_le32(question, (uint32_t)table);
    put_le32(question + 4, (uint32_t)group);
    if (write(APEX_FD_TABLES, question, sizeof question) != (ssize_t)sizeof question ||
        !read_whole(answer, sizeof answer) || get_le64(answer) > GROUP_BYTES)
        return false;
    *len = (size_t)get_le64(answer);
    return read_whole(bytes, *len);
}

static struct run_slot *slot_new(void)
{
    struct run_slot *s = calloc(1, sizeof *s);
    if (s) s->bytes = aligned_alloc(64, GROUP_BYTES);
    if (!s || !s->bytes) _exit(RUN_EXIT_MEMORY);
    return s;
}

/* False: there is no such group. */
static bool slot_fill(struct run_slot *s, size_t table, size_t group)
{
    size_t len;
    s->filled = false;
    pthread_mutex_lock(&socket_lock);
    bool fed = ask(table, group, s->bytes, &len);
    pthread_mutex_unlock(&socket_lock);
    if (!fed) _exit(RUN_EXIT_BROKEN); /* the enclave knows why */
    if (len == 0) return false;
    if (table_group_parse(span_of(s->bytes, len), &s->parsed) != APEX_OK)
        _exit(RUN_EXIT_BROKEN);
    s->filled = true;
    s->table = table;
    s->group = group;
    return true;
}

const struct table_group *run_group(const struct apex_table *t, size_t group, unsigned thread)
{
    struct apex_run *run = t->run;
    if (!run->streamed) return &t->groups[group];
    struct run_slot **slot = &run->slots[thread % RUN_SLOTS];
    if (!*slot) *slot = slot_new();
    if ((*slot)->filled && (*slot)->table == t->number && (*slot)->group == group)
        return &(*slot)->parsed;
    if (!slot_fill(*slot, t->number, group)) _exit(RUN_EXIT_BROKEN);
    return &(*slot)->parsed;
}

static apex_status table_learn(struct apex_table *t, struct run_slot *slot)
{
    size_t room = (size_t)(t->size / GROUP_BYTES) + 1;
    t->groups = calloc(1, sizeof *t->groups);
    t->group_rows = calloc(room, sizeof *t->group_rows);
    if (!t->groups || !t->group_rows) return APEX_E_MEMORY;
    while (t->n_groups < room && slot_fill(slot, t->number, t->n_groups)) {
        if (t->n_groups == 0) {
            t->groups[0] = slot->parsed;
            TRY(run_names_copy(t));
        }
        if (slot->parsed.n_columns != t->groups[0].n_columns) return APEX_E_FORMAT;
        t->group_rows[t->n_groups++] = slot->parsed.n_rows;
        t->n_rows += slot->parsed.n_rows;
    }
    return t->n_groups ? APEX_OK : APEX_E_FORMAT;
}

apex_status run_stream_open(struct apex_run *run)
{
    run->slots[0] = slot_new();
    for (size_t i = 0; i < run->n_tables; i++)
        TRY(table_learn(&run->tables[i], run->slots[0]));
    return APEX_OK;
}
