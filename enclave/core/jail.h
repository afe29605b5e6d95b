/* The jail: one run of a contract program, from hashed bytes to a result file or a reason.
 *
 * States: filled -> started -> (progress)* -> ended; the caller moves them. The program runs
 * from a sealed memfd whose bytes were hashed after sealing, in new namespaces where the kernel
 * allows, with no_new_privs, landlock deny-all, seccomp, rlimits, an empty environment and only
 * the descriptors of include/apex/contract.h. Leaks to the host: when it starts and ends, its
 * memory's size. */
#ifndef ENCLAVE_CORE_JAIL_H
#define ENCLAVE_CORE_JAIL_H

#include "common/base/span.h"
#include "include/apex/status.h"

struct jail_limits {
    uint64_t memory_bytes, cpu_seconds, wall_seconds, output_bytes;
    unsigned threads;
};
enum { JAIL_TABLES_MAX = 514 };

/* A memory file that grows by appending and is then sealed: tables, the request, the program.
 */
struct memory_file;
apex_status memory_file_new(const char *name, struct memory_file **f);
apex_status memory_file_append(struct memory_file *f, struct span bytes);
apex_status memory_file_seal(
    struct memory_file *f); /* F_SEAL_WRITE|GROW|SHRINK|SEAL, reopened read-only */
/* Another file on the same memory, of a sealed one; with a place of its own to read from, where
 * there is /proc. */
apex_status memory_file_again(const struct memory_file *f, struct memory_file **again);
uint64_t memory_file_size(const struct memory_file *f);
void memory_file_free(
    struct memory_file *f); /* its pages go back to the kernel, which zeroes them */

struct jail_job {
    struct memory_file *program;   /* sealed */
    const uint8_t *program_digest; /* 32 bytes: checked against the sealed bytes before exec */
    struct memory_file *request;   /* sealed */
    size_t n_tables;
    struct memory_file *tables[JAIL_TABLES_MAX]; /* sealed */
    int feed; /* above 0: a socket that stands for all tables, before those above */
    struct jail_limits limits;
    void (*progress)(void *context, unsigned percent);
    void *context;
};

enum jail_end {
    JAIL_RELEASED,
    JAIL_SAID_NO,
    JAIL_CRASHED,
    JAIL_BREACH,
    JAIL_TIMEOUT,
    JAIL_MEMORY,
    JAIL_OUTPUT,
    JAIL_PROGRAM_TAMPERED,
    JAIL_MACHINE
};
struct jail_result {
    enum jail_end end;
    unsigned said;    /* SAID_NO: enum apex_refusal */
    char detail[121]; /* SAID_NO: printable ASCII, made so by us */
    uint8_t *output;  /* RELEASED: ours, free with jail_result_clear (wiped) */
    size_t output_len;
};
/* Blocks until the program ended. APEX_OK: look at result->end. */
apex_status jail_run(const struct jail_job *job, struct jail_result *result);
void jail_result_clear(struct jail_result *result);
/* Once, early: builds the filter and probes what this kernel offers; `report` (may be NULL)
 * gets words for `apex doctor`. */
apex_status jail_init(char *report, size_t report_len);

#endif
