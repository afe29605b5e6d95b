/* Firmware images: the tables a launch measurement follows. What parses can be measured, or is
 * refused; few pages alone are hashed here, for speed. */
#include "common/attest/launch.h"
#include "common/attest/tdvf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t fuzz_reached(void);

static size_t reached;

size_t fuzz_reached(void)
{
    return reached;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct launch_kernel kernel = {{1}, {2}, {3}};
    struct span image = span_of(data, len);
    struct ovmf o;
    uint8_t digest[48];
    size_t bytes = 0;
    if (ovmf_parse(image, &o) != APEX_OK) return 0;
    reached++;
    if (ovmf_check(&o) != APEX_OK || o.n_sections > OVMF_SECTIONS_MAX) abort();
    for (size_t i = 0; i < o.n_sections; i++)
        bytes += o.sections[i].size;
    for (int vmm = LAUNCH_QEMU; vmm <= LAUNCH_GCE && bytes < 1 << 20; vmm++) {
        struct launch l = {.ovmf = &o, .vmm = (enum launch_vmm)vmm, .vcpus = 2, .features = 1};
        apex_status s = launch_measure(&l, digest);
        if (s != APEX_OK && s != APEX_E_USAGE) abort();
        l.kernel = &kernel;
        s = launch_measure(&l, digest);
        if (s != APEX_OK && s != APEX_E_USAGE && s != APEX_E_FORMAT) abort();
    }
    apex_status s = td_mrtd(image, TD_PAGE_BY_PAGE, digest);
    if (s != APEX_OK && s != APEX_E_NOT_FOUND && s != APEX_E_FORMAT && s != APEX_E_LIMIT)
        abort();
    return 0;
}
