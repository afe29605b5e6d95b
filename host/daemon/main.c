/* apexd: makes the parts, lends them to one another, waits for a signal, takes them down in the
 * reverse order. Exit: 0 ended as asked, 2 usage, 3 the data folder is not usable, 5 anything
 * else. */
#include "host/chain/anchor.h"
#include "host/daemon/anchoring.h"
#include "host/daemon/connect.h"
#include "host/daemon/host.h"
#include "host/daemon/listen.h"
#include "host/daemon/log.h"
#include "host/daemon/options.h"
#include "host/daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_DATA = 3, EXIT_OTHER = 5, STOP_MS = 10000, DESCRIPTORS = 32768 };
#define MIB ((uint64_t)1024 * 1024)

struct node {
    struct options options;
    struct host host;
    struct server *server;
    struct collector *collector;
    int lock_fd, listen_fd;
    char listen_name[LISTEN_NAME_MAX];
    char store[PATH_MAX], log[PATH_MAX], root[PATH_MAX], enclave_state[PATH_MAX];
};

static int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int complain(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("apexd: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

static int folder_prepare(struct node *n)
{
    const char *data = n->options.data;
    char lock[PATH_MAX];
    if (mkdir(data, 0700) != 0 && errno != EEXIST)
        return complain(EXIT_DATA,
                        "cannot make the data folder %s: %s; make its parent folder, or choose "
                        "another with --data",
                        data, strerror(errno));
    bool fits =
        snprintf(lock, sizeof lock, "%s/lock", data) < (int)sizeof lock &&
        snprintf(n->store, sizeof n->store, "%s/blobs", data) < (int)sizeof n->store &&
        snprintf(n->log, sizeof n->log, "%s/log", data) < (int)sizeof n->log &&
        snprintf(n->root, sizeof n->root, "%s/root.sealed", data) < (int)sizeof n->root &&
        snprintf(n->enclave_state, sizeof n->enclave_state, "%s/enclave", data) <
            (int)sizeof n->enclave_state;
    if (!fits) return complain(EXIT_DATA, "the data folder's path is too long");
    n->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (n->lock_fd < 0)
        return complain(
            EXIT_DATA,
            "cannot write into the data folder %s: %s; it must be a folder of this user's",
            data, strerror(errno));
    if (flock(n->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return complain(EXIT_DATA,
                        "the data folder %s is in use by another apexd; stop that one, or "
                        "choose another folder",
                        data);
    return 0;
}

static int enclave_prepare(struct node *n)
{
    const char *path = n->options.enclave;
    if (n->options.enclave_state) {
        if (snprintf(n->enclave_state, sizeof n->enclave_state, "%s",
                     n->options.enclave_state) >= (int)sizeof n->enclave_state)
            return complain(EXIT_USAGE, "the path after --enclave-state is too long");
    }
    struct stat st;
    if (connect_wanted(path) && !connect_valid(path))
        return complain(
            EXIT_USAGE,
            "--enclave needs unix:PATH or vsock:CID:PORT, or a program's path, not %s", path);
    if (connect_wanted(path)) return 0;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0)
        return complain(EXIT_USAGE,
                        "the enclave's binary %s is missing or cannot be run; build it, or "
                        "name it with --enclave",
                        path);
    if (mkdir(n->enclave_state, 0700) != 0 && errno != EEXIST)
        return complain(EXIT_DATA, "cannot make the enclave's folder %s: %s", n->enclave_state,
                        strerror(errno));
    return 0;
}

static const char *status_words(apex_status s)
{
    switch (s) {
    case APEX_E_LIMIT: return "the disk is full";
    case APEX_E_FORMAT:
    case APEX_E_UNTRUSTED:
        return "its files contradict one another; restore them from a backup";
    case APEX_E_MEMORY: return "out of memory";
    default: return "it cannot be read or written; see the disk and the folder's owner";
    }
}

static int stores_open(struct node *n)
{
    const struct store_options so = {n->options.blob_max_mib * MIB,
                                     n->options.reserve_mib * MIB};
    apex_status s = store_open(n->store, &so, &n->host.store);
    if (s != APEX_OK)
        return complain(EXIT_DATA, "cannot open %s: %s", n->store, status_words(s));
    s = ledger_open(n->log, &n->host.ledger);
    if (s != APEX_OK) return complain(EXIT_DATA, "cannot open %s: %s", n->log, status_words(s));
    return 0;
}

static void on_call(void *context, struct span call, struct buffer *answer)
{
    host_call(context, call, answer);
}

static void on_event(void *context, const struct run_hint *hint)
{
    runs_put(((struct host *)context)->runs, hint);
}

static void on_answered(void *context)
{
    enclave_answered(((struct host *)context)->enclave);
}

static void on_gone(void *context)
{
    struct host *h = context;
    store_pieces_drop(h->store);
    runs_forget_open(h->runs);
}

static int enclave_bring_up(struct node *n)
{
    const struct link_owner owner = {&n->host, on_call, on_event, on_answered};
    apex_status s = runs_new(&n->host.runs);
    if (s == APEX_OK) s = link_new(&owner, &n->host.link);
    const struct enclave_options eo = {.path = n->options.enclave,
                                       .tee = n->options.tee,
                                       .state_folder = n->enclave_state,
                                       .peers = n->options.peers,
                                       .recovery = n->options.recovery,
                                       .link = n->host.link,
                                       .context = &n->host,
                                       .gone = on_gone};
    if (s == APEX_OK) s = enclave_start(&eo, &n->host.enclave);
    return s == APEX_OK ? 0 : complain(EXIT_OTHER, "out of memory or threads");
}

static int chain_bring_up(struct node *n)
{
    struct chain_fault fault = {0};
    apex_status s = anchoring_start(&n->host, &n->options, &fault);
    if (s == APEX_OK) return 0;
    return complain(s == APEX_E_MEMORY ? EXIT_OTHER : EXIT_USAGE, "%s", fault.what);
}

static int witnesses_ask(struct node *n)
{
    if (n->options.n_witnesses == 0) return 0;
    return collector_start(n->host.ledger, n->options.witness, n->options.n_witnesses,
                           &n->collector) == APEX_OK
               ? 0
               : complain(EXIT_OTHER, "out of memory or threads");
}

static int serve(struct node *n)
{
    const struct server_options so = {
        .host = &n->host,
        .listen_fd = n->listen_fd,
        .connections_max = (unsigned)n->options.connections,
        .idle_s = (unsigned)n->options.idle_s,
        .limits = {.head_max_ms = (int64_t)n->options.head_s * 1000,
                   .body_free_ms = (int64_t)n->options.body_s * 1000}};
    if (server_start(&so, &n->server) != APEX_OK)
        return complain(EXIT_OTHER, "cannot start the HTTP server");
    n->listen_fd = -1;
    printf("apexd: listening on http://%s\n", n->listen_name);
    fflush(stdout);
    log_line(LOG_INFO, "msg=serving version=" APEX_VERSION " tee=%s blobs=%llu log=%llu",
             n->host.tee, (unsigned long long)store_facts(n->host.store).n_blobs,
             (unsigned long long)ledger_size(n->host.ledger));
    return 0;
}

static int listen_prepare(struct node *n)
{
    apex_status s = listen_open(n->options.listen, &n->listen_fd, n->listen_name);
    if (s == APEX_OK) return 0;
    int why = errno;
    n->listen_fd = -1;
    if (s == APEX_E_USAGE)
        return complain(EXIT_USAGE,
                        "--listen needs ADDRESS:PORT with a numeric address, such as "
                        "127.0.0.1:8440 or [::1]:8440, not %s",
                        n->options.listen);
    return complain(
        EXIT_OTHER,
        "cannot listen on %s: %s; choose another with --listen (port 0 takes a free one)",
        n->options.listen, strerror(why));
}

static void node_take_down(struct node *n)
{
    anchor_stop(n->host.anchor);
    server_stop(n->server, STOP_MS);
    collector_stop(n->collector);
    enclave_stop(n->host.enclave);
    link_free(n->host.link);
    runs_free(n->host.runs);
    if (n->host.ledger) ledger_close(n->host.ledger);
    store_close(n->host.store);
    if (n->listen_fd >= 0) close(n->listen_fd);
    if (n->lock_fd >= 0) close(n->lock_fd);
}

static int node_run(struct node *n, const sigset_t *ends)
{
    int code = folder_prepare(n);
    if (code == 0) code = enclave_prepare(n);
    if (code == 0) code = listen_prepare(n);
    if (code == 0) code = stores_open(n);
    if (code == 0) code = enclave_bring_up(n);
    if (code == 0) code = chain_bring_up(n);
    if (code == 0) code = witnesses_ask(n);
    if (code == 0) code = serve(n);
    if (code != 0) return code;
    int signal_no;
    while (sigwait(ends, &signal_no) != 0) {
    }
    log_line(LOG_INFO, "msg=stopping signal=%d", signal_no);
    return 0;
}

/* A descriptor for each connection and one for its blob: more than many shells allow unasked.
 */
static void descriptors_raise(void)
{
    struct rlimit n;
    if (getrlimit(RLIMIT_NOFILE, &n) != 0) return;
    n.rlim_cur = n.rlim_max < DESCRIPTORS ? n.rlim_max : DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &n) != 0)
        log_line(LOG_WARN, "msg=\"the limit of open files stays as it is\"");
}

int main(int argc, char **argv)
{
    static struct node node;
    const char *what, *which;
    sigset_t ends;
    node = (struct node){.lock_fd = -1, .listen_fd = -1};
    if (options_parse(argc, argv, &node.options, &what, &which) != APEX_OK)
        return complain(EXIT_USAGE, "%s%s%s; see apexd --help", which, *which ? " " : "", what);
    if (node.options.help || node.options.version) {
        fputs(node.options.help ? options_usage : "apexd " APEX_VERSION "\n", stdout);
        return 0;
    }
    node.host.tee = node.options.tee;
    node.host.root_path = node.root;
    node.host.wait_for_root = node.options.join;
    node.host.deployers = (const uint8_t(*)[32])node.options.deployer;
    node.host.n_deployers = node.options.n_deployers;
    node.host.blob_max = node.options.blob_max_mib * MIB;
    node.host.message_timeout_ms = (int64_t)node.options.message_timeout_s * 1000;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not a death */
    descriptors_raise();
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends,
                    NULL); /* before any thread: all inherit it, main alone waits */
    int code = node_run(&node, &ends);
    node_take_down(&node);
    if (code == 0) log_line(LOG_INFO, "msg=stopped");
    return code;
}
