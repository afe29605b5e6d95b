#include "client/lib/error.h"

#include "client/lib/show.h"
#include "common/wire/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

apex_status apex_fail(struct apex_error *e, apex_status s, const char *what,
                      const char *not_done, const char *next, const char *who)
{
    *e = (struct apex_error){.status = s};
    text_tame(what, e->what, sizeof e->what);
    text_tame(not_done, e->not_done, sizeof e->not_done);
    text_tame(next, e->next, sizeof e->next);
    text_tame(who, e->who, sizeof e->who);
    return s;
}

apex_status apex_fail_path(struct apex_error *e, apex_status s, const char *path,
                           const char *what, const char *not_done)
{
    char text[240];
    snprintf(text, sizeof text, "%.150s %s: %s", path, what, strerror(errno));
    return apex_fail(e, s, text, not_done,
                     "check the path, its permissions and the room on the disk", "you");
}

apex_status apex_fail_at(struct apex_error *e, apex_status s, uint64_t line, const char *what,
                         const char *not_done)
{
    char text[240];
    snprintf(text, sizeof text, "line %llu: %s", (unsigned long long)line, what);
    return apex_fail(e, s, text, not_done, "correct the file and try again", "you");
}

apex_status apex_fail_refusal(struct apex_error *e, apex_status s, unsigned code,
                              const char *detail)
{
    const struct refusal_text *t = refusal_text(code);
    char text[240];
    snprintf(text, sizeof text, "%s%s%.120s", t->what, detail[0] ? ": " : "", detail);
    (void)apex_fail(e, s, text, "nothing was recorded", t->next, t->who);
    snprintf(e->refusal, sizeof e->refusal, "%s", t->name);
    return s;
}

apex_status apex_fail_memory(struct apex_error *e)
{
    return apex_fail(e, APEX_E_MEMORY, "there is not enough memory", "nothing was sent",
                     "close other programs and try again", "you");
}
