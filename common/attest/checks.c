#include "common/attest/checks.h"

#include <stdarg.h>
#include <stdio.h>

static bool add(struct verdict *v, const char *name, enum check_result result, enum reason why,
                const char *detail, va_list words)
{
    bool fits = v->n_checks < CHECKS_MAX;
    if (fits) {
        struct check *c = &v->checks[v->n_checks++];
        c->name = name;
        c->result = result;
        c->why = result == CHECK_FAIL ? why : REASON_NONE;
        vsnprintf(c->detail, sizeof c->detail, detail, words);
    }
    if ((!fits || result == CHECK_FAIL) && v->reason == REASON_NONE)
        v->reason = fits ? why : REASON_INTERNAL;
    return fits && result == CHECK_PASS;
}

bool verdict_check(struct verdict *v, const char *name, bool passes, enum reason why,
                   const char *detail, ...)
{
    va_list words;
    va_start(words, detail);
    bool passed = add(v, name, passes ? CHECK_PASS : CHECK_FAIL, why, detail, words);
    va_end(words);
    return passed;
}

bool verdict_check_reason(struct verdict *v, const char *name, enum reason why,
                          const char *detail, ...)
{
    va_list words;
    va_start(words, detail);
    bool passed =
        add(v, name, why == REASON_NONE ? CHECK_PASS : CHECK_FAIL, why, detail, words);
    va_end(words);
    return passed;
}

void verdict_not_asked(struct verdict *v, const char *name, const char *detail, ...)
{
    va_list words;
    va_start(words, detail);
    (void)add(v, name, CHECK_NOT_ASKED, REASON_NONE, detail, words);
    va_end(words);
}

void verdict_find(struct verdict *v, enum finding finding)
{
    v->findings |= UINT32_C(1) << finding;
}
