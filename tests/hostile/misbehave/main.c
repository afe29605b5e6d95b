/* A contract program that does what none may: each function is one misdeed.
 * tests/hostile/programs.py deploys it for real and looks at what becomes of the run. */
#include "include/apex/contract.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int *volatile nowhere; /* NULL, which the compiler does not know */
static void crash(void)
{
    *nowhere = 1;
}
static void stop(void)
{
    abort();
}

static void loop(void)
{
    for (volatile unsigned x = 0;; x++) {
    }
}

static void sleep_for_ever(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
}

static void allocate(void)
{
    for (;;) {
        volatile char *p = malloc(1 << 20);
        for (size_t i = 0; i < 1 << 20; i += 4096)
            p[i] = 1;
    }
}

static void open_file(void)
{
    (void)!open("/etc/passwd", O_RDONLY);
}
static void open_socket(void)
{
    (void)!socket(AF_INET, SOCK_STREAM, 0);
}
static void start_process(void)
{
    (void)!syscall(SYS_fork);
}
static void execute(void)
{
    execl("/bin/sh", "sh", (char *)NULL);
}
static void trace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static void read_clock(void)
{
    volatile unsigned long long ticks = __builtin_ia32_rdtsc();
    (void)ticks;
}

static void write_gigabyte(void)
{
    static char block[1 << 20];
    for (int i = 0; i < 1024; i++)
        if (write(APEX_FD_RESULT, block, sizeof block) < 0) _exit(102);
}

static void executable_memory(void)
{
    (void)!mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
}
static void new_namespace(void)
{
    (void)!syscall(SYS_unshare, 0x10000000);
}
static void memory_of_parent(void)
{
    (void)!syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}

/* Things that are merely refused: the run goes on, and must say so. */
static bool harmless(void)
{
    char byte = 1;
    struct timespec t = {0, 0};
    bool kept = kill(1, SIGKILL) != 0 && kill(-1, SIGKILL) != 0; /* signals nobody */
    kept = kept && syscall(SYS_clock_gettime, CLOCK_REALTIME, &t) != 0 &&
           t.tv_sec == 0; /* learns no time */
    kept = kept && write(APEX_FD_REQUEST, &byte, 1) < 0 &&
           pwrite(APEX_FD_TABLES, &byte, 1, 0) < 0; /* changes no input */
    kept = kept && mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, APEX_FD_TABLES, 0) ==
                       MAP_FAILED;
    kept = kept && write(1, &byte, 1) < 0 && write(2, &byte, 1) < 0 &&
           read(0, &byte, 1) < 0;          /* has no terminal */
    kept = kept && getenv("PATH") == NULL; /* and no environment */
    return kept;
}

static void *add_one(void *context)
{
    ++*(int *)context;
    return NULL;
}

static bool threads_work(void)
{
    pthread_t t;
    int n = 0;
    return pthread_create(&t, NULL, add_one, &n) == 0 && pthread_join(t, NULL) == 0 && n == 1;
}

/* More than a pipe holds. */
static void flood(struct apex_run *run)
{
    for (unsigned i = 0; i < 200000; i++)
        apex_progress(run, i % 100);
}

apex_status apex_contract(struct apex_run *run)
{
    static const struct {
        const char *name;
        void (*deed)(void);
    } deeds[] = {{"crash", crash},
                 {"stop", stop},
                 {"loop", loop},
                 {"sleep", sleep_for_ever},
                 {"allocate", allocate},
                 {"file", open_file},
                 {"socket", open_socket},
                 {"process", start_process},
                 {"execute", execute},
                 {"trace", trace},
                 {"clock", read_clock},
                 {"gigabyte", write_gigabyte},
                 {"executable", executable_memory},
                 {"namespace", new_namespace},
                 {"parent", memory_of_parent}};
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(apex_function(run), deeds[i].name) == 0) deeds[i].deed();
    if (strcmp(apex_function(run), "detail") == 0)
        apex_refuse(run, APEX_REFUSE_OTHER, "a\x1b[31mred\ntext");
    if (strcmp(apex_function(run), "nothing") == 0) _exit(0);
    if (strcmp(apex_function(run), "flood") == 0) flood(run);
    apex_json_object(run, NULL);
    apex_json_bool(run, "harmless", harmless());
    apex_json_bool(run, "threads", threads_work());
    apex_json_end(run);
    return APEX_OK;
}
