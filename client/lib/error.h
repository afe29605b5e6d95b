/* Words for people, made here and nowhere below. */
#ifndef CLIENT_LIB_ERROR_H
#define CLIENT_LIB_ERROR_H

#include "include/apex/apex.h"

/* Each fills the error and returns the status. What strangers said may stand in the words: they
 * are tamed (show.h). */
apex_status apex_fail(struct apex_error *e, apex_status s, const char *what,
                      const char *not_done, const char *next, const char *who);
apex_status apex_fail_path(struct apex_error *e, apex_status s, const char *path,
                           const char *what, const char *not_done); /* adds errno's words */
apex_status apex_fail_at(struct apex_error *e, apex_status s, uint64_t line, const char *what,
                         const char *not_done);
apex_status apex_fail_refusal(struct apex_error *e, apex_status s, unsigned code,
                              const char *detail);
apex_status apex_fail_memory(struct apex_error *e);

#endif
