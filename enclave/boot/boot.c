#include "enclave/boot/boot.h"

#include "enclave/boot/channel.h"
#include "enclave/boot/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULES "/modules"
#define PEERS "/peers.json"
#define RECOVERY "/recovery.json"

bool boot_is_first(void)
{
    return getpid() == 1;
}

/* A restart, since a machine without ACPI knows no power off: QEMU with -no-reboot ends, and so
 * does a Nitro enclave; one that does start again is as new. */
static void machine_end(void) __attribute__((noreturn));
static void machine_end(void)
{
    reboot(RB_AUTOBOOT);
    for (;;)
        pause(); /* the host sees the link closed */
}

static void say(const char *what)
{
    fprintf(stderr, "apex-enclave: %s\n", what);
}

static bool mounted(const char *type, const char *where)
{
    if (mkdir(where, 0755) != 0 && errno != EEXIST) return false;
    return mount(type, where, type, MS_NOSUID | MS_NOEXEC, NULL) == 0 || errno == EBUSY;
}

/* The initrd holds no device, so the first descriptors come to be here. */
static void console_open(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);
    if (fd < 0) fd = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        if (fd != i) dup2(fd, i);
    if (fd > 2) close(fd);
}

static void machine_ready(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    bool dev = mounted("devtmpfs", "/dev");
    console_open();
    if (!dev || !mounted("proc", "/proc") || !mounted("sysfs", "/sys"))
        say("cannot mount /dev, /proc and /sys");
    if (setrlimit(RLIMIT_MEMLOCK, &all) != 0) say("memory cannot all be locked");
    modules_load(MODULES);
    if (!mounted("configfs", "/sys/kernel/config")) say("this kernel has no configfs");
}

/* By the devices, never by a word of the host: a machine with none of them is simulated. */
static const char *tee_found(void)
{
    if (access("/dev/nsm", F_OK) == 0) return "nitro";
    if (access("/dev/sev-guest", F_OK) == 0 || access("/dev/tdx_guest", F_OK) == 0)
        return "tsm";
    return "sim";
}

/* Children of the contract programs' jail that lost their parent come to us. */
static int reap_until(pid_t enclave)
{
    int status = 0;
    for (;;) {
        pid_t ended = wait(&status);
        if (ended == enclave) return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        if (ended < 0 && errno != EINTR) return 128;
    }
}

void boot(int (*enclave)(const struct boot *machine))
{
    machine_ready();
    const char *tee = tee_found();
    if (strcmp(tee, "nitro") == 0) channel_announce();
    struct boot machine = {.tee = tee,
                           .peers = access(PEERS, R_OK) == 0 ? PEERS : NULL,
                           .recovery = access(RECOVERY, R_OK) == 0 ? RECOVERY : NULL,
                           .link_fd = channel_open()};
    if (machine.link_fd < 0) {
        say("no virtio-serial port named " APEX_PORT " and no vsock: no way to the host");
        machine_end();
    }
    pid_t pid = fork();
    if (pid == 0) _exit(enclave(&machine));
    close(machine.link_fd);
    int code = pid > 0 ? reap_until(pid) : 128;
    fprintf(stderr, "apex-enclave: ended with %d, and the machine with it\n", code);
    machine_end();
}
