/* nitro: an AWS Nitro enclave. It has no sealing: the root secret comes from a peer or from
 * recovery shares. */
#include "common/base/try.h"
#include "enclave/tee/nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* struct nsm_raw of linux/nsm.h, which Debian 12's headers do not have yet. */
struct nsm_raw {
    struct iovec request, response;
};
#define NSM_RAW _IOWR(0x0A, 0x0, struct nsm_raw)

struct nitro {
    struct nsm nsm;
    int fd;
};

static long device_ask(void *context, struct span request, uint8_t *response, size_t max)
{
    const struct nitro *nitro = context;
    struct nsm_raw raw = {{(void *)(uintptr_t)request.data, request.len}, {response, max}};
    if (ioctl(nitro->fd, NSM_RAW, &raw) != 0) return -errno;
    return raw.response.iov_len <= max ? (long)raw.response.iov_len : -EIO;
}

static apex_status nitro_quote(const struct tee *t,
                               const uint8_t report_data[static REPORT_DATA_LEN],
                               uint64_t time_ms, struct buffer *report,
                               struct buffer *supplements)
{
    const struct nitro *nitro = t->machine;
    (void)time_ms; /* the document carries Amazon's time */
    (void)supplements;
    return nsm_attest(&nitro->nsm, report_data, report);
}

static void nitro_close(struct tee *t)
{
    struct nitro *nitro = t->machine;
    if (nitro->fd >= 0) close(nitro->fd);
    free(nitro);
}

static const struct machine_ops nitro_ops = {nitro_quote, NULL, nitro_close};

apex_status nitro_open(struct tee *t)
{
    struct nitro *nitro = calloc(1, sizeof *nitro);
    if (!nitro) return APEX_E_MEMORY;
    t->ops = &nitro_ops;
    t->machine = nitro;
    snprintf(t->kind, sizeof t->kind, "nitro");
    nitro->nsm = (struct nsm){nitro, device_ask};
    nitro->fd = open("/dev/nsm", O_RDWR | O_CLOEXEC);
    if (nitro->fd < 0) return errno == ENOENT ? APEX_E_NOT_FOUND : APEX_E_IO;
    t->measurement_len = 48;
    return nsm_pcr(&nitro->nsm, 0, t->measurement);
}
