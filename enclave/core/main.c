/* apex-enclave: the measured process. Argument words come from the host and choose nothing but
 * the kind of machine, the descriptor of the link and the folder of the sim's state. As the
 * first process of a virtual machine it takes no words at all (enclave/boot).
 *
 * Exit: 0 the host closed the link, 2 usage, 3 the stored log or root is refused, 1 anything
 * else. */
#include "common/crypto/random.h"
#include "enclave/boot/boot.h"
#include "enclave/core/core.h"
#include "enclave/core/jail.h"
#include "enclave/core/runner.h"
#include "enclave/core/session.h"
#include "enclave/core/thread.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SESSIONS = 4, POLICY_MAX = 256 * 1024, EXIT_USAGE = 2, EXIT_REFUSED = 3 };

/* No core dump, no debugger, no swap. Where memory cannot be locked whole, keys still are
 * (secret_alloc). */
static void harden(void)
{
    const struct rlimit none = {0, 0};
    struct rlimit lock = {0, 0};
    signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        fprintf(stderr, "apex-enclave: core dumps stay on\n");
    if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0) {
        lock.rlim_cur = lock.rlim_max;
        if (setrlimit(RLIMIT_MEMLOCK, &lock) != 0) lock.rlim_max = 0;
    }
    if (lock.rlim_max != RLIM_INFINITY || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        fprintf(stderr, "apex-enclave: only keys are locked in memory; raise the memlock limit "
                        "to lock all\n");
}

static void *session_main(void *context)
{
    struct core *core = context;
    for (;;) {
        uint32_t id;
        BUFFER_CLEARED message = {0};
        BUFFER_CLEARED reply = {0};
        if (link_next(core->link, &id, &message) != APEX_OK) return NULL;
        if (session_answer(core, buffer_span(&message), &reply) != APEX_OK)
            buffer_clear(&reply);
        if (link_reply(core->link, id, buffer_span(&reply)) != APEX_OK) return NULL;
    }
}

static apex_status greeting_answer(struct core *core)
{
    BUFFER_CLEARED reply = {0};
    if (core->greeting.len == 0) return APEX_OK;
    apex_status s = session_answer(core, buffer_span(&core->greeting), &reply);
    buffer_clear(&core->greeting);
    return s == APEX_OK ? link_reply(core->link, core->greeting_id, buffer_span(&reply)) : s;
}

static apex_status serve(struct core *core)
{
    pthread_t sessions[SESSIONS];
    size_t n = 0;
    while (n < SESSIONS && thread_start(&sessions[n], session_main, core) == APEX_OK)
        n++;
    for (size_t i = 0; i < n; i++)
        pthread_join(sessions[i], NULL);
    return n > 0 ? APEX_OK : APEX_E_MEMORY;
}

static int run_node(struct tee *tee, struct link *link, const struct core_policies *policies)
{
    static struct core core;
    const char *why = NULL;
    apex_status s = core_open(&core, link, tee, policies, &why);
    if (s != APEX_OK) {
        fprintf(stderr, "apex-enclave: not started: %s (%s)\n", why ? why : "unknown",
                apex_status_name(s));
        core_close(&core);
        return s == APEX_E_UNTRUSTED || s == APEX_E_FORMAT ? EXIT_REFUSED : 1;
    }
    s = runner_new(&core, &core.runner);
    if (s == APEX_OK) {
        fprintf(stderr, "apex-enclave: serving, tee %s, log %s, %llu entries\n", tee_kind(tee),
                core.origin, (unsigned long long)core.kept);
        s = greeting_answer(&core);
        if (s == APEX_OK) s = serve(&core);
    }
    runner_free(core.runner);
    core_close(&core);
    return s == APEX_OK ? 0 : 1;
}

struct options {
    const char *tee, *state, *peers, *recovery;
    int fd;
};

/* What the image brings; a simulated enclave, which keeps nothing from its operator anyway,
 * takes them from the command line. */
static apex_status policy_load(const char *path, struct buffer *text)
{
    if (!path) return APEX_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *room = buffer_reserve(text, POLICY_MAX);
    ssize_t n = fd >= 0 && room ? read(fd, room, POLICY_MAX) : -1;
    if (fd >= 0) close(fd);
    if (n <= 0 || n == POLICY_MAX) return APEX_E_IO;
    text->len = (size_t)n;
    return APEX_OK;
}

static bool options_parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.fd = -1};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--tee") == 0)
            o->tee = argv[i + 1];
        else if (strcmp(argv[i], "--state") == 0)
            o->state = argv[i + 1];
        else if (strcmp(argv[i], "--peers") == 0)
            o->peers = argv[i + 1];
        else if (strcmp(argv[i], "--recovery") == 0)
            o->recovery = argv[i + 1];
        else if (strcmp(argv[i], "--link-fd") == 0) {
            char *end;
            long fd = strtol(argv[i + 1], &end, 10);
            if (*end || fd < 3 || fd > 1023) return false;
            o->fd = (int)fd;
        } else
            return false;
    }
    bool chosen_by_host = o->peers || o->recovery;
    return argc % 2 == 1 && o->tee && o->state && o->fd >= 0 &&
           (!chosen_by_host || strcmp(o->tee, "sim") == 0);
}

static int run_with_policies(const struct options *o, struct tee *tee, struct link *link)
{
    BUFFER_CLEARED peers = {0};
    BUFFER_CLEARED recovery = {0};
    if (policy_load(o->peers, &peers) != APEX_OK ||
        policy_load(o->recovery, &recovery) != APEX_OK) {
        fprintf(stderr, "apex-enclave: not started: a policy file cannot be read\n");
        return EXIT_USAGE;
    }
    const struct core_policies policies = {buffer_span(&peers), buffer_span(&recovery)};
    return run_node(tee, link, &policies);
}

static int start(const struct options *o)
{
    struct tee *tee = NULL;
    struct link *link = NULL;
    harden();
    if (crypto_init() != APEX_OK || jail_init(NULL, 0) != APEX_OK) {
        fprintf(stderr, "apex-enclave: this machine lacks what the jail or the crypto library "
                        "needs; see `apex doctor`\n");
        return 1;
    }
    apex_status s = tee_open(o->tee, o->state, &tee);
    if (s == APEX_OK) s = link_open(o->fd, &link);
    if (s != APEX_OK) {
        fprintf(
            stderr,
            "apex-enclave: not started (%s): --tee is sim, tsm or nitro, and this machine must "
            "have it; --state is a folder the sim may write\n",
            apex_status_name(s));
        tee_close(tee);
        return s == APEX_E_USAGE ? EXIT_USAGE : 1;
    }
    int code = run_with_policies(o, tee, link);
    link_close(link);
    tee_close(tee);
    return code;
}

static int start_in_machine(const struct boot *machine)
{
    const struct options o = {.tee = machine->tee,
                              .peers = machine->peers,
                              .recovery = machine->recovery,
                              .fd = machine->link_fd};
    return start(&o);
}

int main(int argc, char **argv)
{
    struct options o;
    if (boot_is_first()) boot(start_in_machine);
    if (!options_parse(argc, argv, &o)) {
        fprintf(stderr, "usage: apex-enclave --tee sim|tsm|nitro --link-fd N --state FOLDER "
                        "[--peers FILE] [--recovery FILE]   "
                        "(apexd starts it)\n");
        return EXIT_USAGE;
    }
    return start(&o);
}
