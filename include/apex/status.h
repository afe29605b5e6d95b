/* The one error type of APEX. Its values say who can act on it; words for people are made at the edge (client, host),
 * never inside the enclave. The type is must-use: gcc and clang point at every dropped result. */
#ifndef APEX_STATUS_H
#define APEX_STATUS_H

#if defined(__clang__)
#define APEX_MUST_USE __attribute__((warn_unused_result))
#elif defined(__GNUC__)
#define APEX_MUST_USE [[nodiscard]]
#else
#define APEX_MUST_USE
#endif

typedef enum APEX_MUST_USE apex_status {
    APEX_OK = 0,
    APEX_E_USAGE = 1,       /* the caller: wrong arguments, wrong order of calls */
    APEX_E_FORMAT = 2,      /* the peer or the file: bytes that are not of the agreed form */
    APEX_E_UNTRUSTED = 3,   /* the peer: a signature, hash, proof or policy that does not hold */
    APEX_E_REFUSED = 4,     /* the contract: its rules say no to a well-formed request */
    APEX_E_DATA = 5,        /* the owner of the rows: values out of type or range */
    APEX_E_LIMIT = 6,       /* the machine: a size, count or quota is exceeded */
    APEX_E_MEMORY = 7,      /* the machine: no memory */
    APEX_E_IO = 8,          /* the machine: disk, pipe or socket failed */
    APEX_E_NOT_FOUND = 9,   /* nothing of that name or digest here */
    APEX_E_UNREACHABLE = 10, /* the other end does not answer: mere delay, try again */
    APEX_E_BUG = 11,        /* us */
} apex_status;

/* "E_FORMAT" and its kin: the stable name used in JSON, logs and other languages. Never NULL. */
const char *apex_status_name(apex_status status);

#endif
