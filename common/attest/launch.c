#include "common/attest/launch.h"

#include "common/base/endian.h"
#include "common/base/try.h"

#include <openssl/sha.h>

/* PAGE_INFO.PAGE_TYPE */
enum { PAGE_NORMAL = 1, PAGE_VMSA, PAGE_ZERO, PAGE_UNMEASURED, PAGE_SECRETS, PAGE_CPUID };
#define VMSA_GPA UINT64_C(0xFFFFFFFFF000) /* -1, cut to the address bits a page can have */
#define BSP_EIP UINT32_C(0xfffffff0)

/* ABI specification, table "PAGE_INFO": the digest so far, the page's, length, type, not an
 * initial migration image, no permissions to lower levels, address. */
static void extend(uint8_t digest[static 48], uint8_t type, uint64_t gpa,
                   const uint8_t contents[48])
{
    uint8_t info[0x70] = {0};
    memcpy(info, digest, 48);
    if (contents) memcpy(info + 48, contents, 48);
    put_le16(info + 96, sizeof info);
    info[98] = type;
    put_le64(info + 104, gpa);
    SHA384(info, sizeof info, digest);
}

static void extend_page(uint8_t digest[static 48], uint8_t type, uint64_t gpa,
                        const uint8_t page[GUEST_PAGE])
{
    uint8_t contents[48];
    SHA384(page, GUEST_PAGE, contents);
    extend(digest, type, gpa, contents);
}

apex_status launch_firmware(struct span image, uint8_t digest[static LAUNCH_DIGEST_LEN])
{
    if (image.len == 0 || image.len % GUEST_PAGE || image.len > FIRMWARE_MAX)
        return APEX_E_FORMAT;
    uint64_t gpa = (UINT64_C(1) << 32) - image.len;
    memset(digest, 0, LAUNCH_DIGEST_LEN);
    for (size_t at = 0; at < image.len; at += GUEST_PAGE)
        extend_page(digest, PAGE_NORMAL, gpa + at, image.data + at);
    return APEX_OK;
}

/* GUID, u16 length, then {GUID, u16 50, SHA-256} for command line, initrd and kernel. Source:
 * QEMU, target/i386/sev.c, SevHashTable. */
static void hash_table_write(const struct launch_kernel *k, uint8_t *out)
{
    static const uint8_t table[16] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                      0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
    static const uint8_t guids[3][16] = {{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa,
                                          0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a},
                                         {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a,
                                          0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d},
                                         {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8,
                                          0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b}};
    const uint8_t *hashes[3] = {k->cmdline, k->initrd, k->kernel};
    memcpy(out, table, 16);
    put_le16(out + 16, 168);
    out += 18;
    for (size_t i = 0; i < 3; i++, out += 50) {
        memcpy(out, guids[i], 16);
        put_le16(out + 16, 50);
        memcpy(out + 18, hashes[i], 32);
    }
}

enum { HASH_TABLE_ROOM = 176 };

static void extend_run(uint8_t digest[static 48], uint8_t type, const struct ovmf_section *s)
{
    for (uint32_t at = 0; at < s->size; at += GUEST_PAGE)
        extend(digest, type, (uint64_t)s->gpa + at, NULL);
}

static apex_status extend_hashes(uint8_t digest[static 48], const struct launch *l,
                                 const struct ovmf_section *s)
{
    uint8_t page[GUEST_PAGE] = {0};
    size_t at = l->ovmf->hashes_gpa % GUEST_PAGE;
    if (!l->kernel) {
        extend_run(digest, PAGE_ZERO, s);
        return APEX_OK;
    }
    if (s->size != GUEST_PAGE || l->ovmf->hashes_gpa - at != s->gpa ||
        at > GUEST_PAGE - HASH_TABLE_ROOM)
        return APEX_E_FORMAT;
    hash_table_write(l->kernel, page + at);
    extend_page(digest, PAGE_NORMAL, s->gpa, page);
    return APEX_OK;
}

static apex_status extend_section(uint8_t digest[static 48], const struct launch *l,
                                  const struct ovmf_section *s)
{
    switch (s->kind) {
    case OVMF_SEC_MEM:
        extend_run(digest, l->vmm == LAUNCH_GCE ? PAGE_UNMEASURED : PAGE_ZERO, s);
        return APEX_OK;
    case OVMF_SECRETS: extend(digest, PAGE_SECRETS, s->gpa, NULL); return APEX_OK;
    case OVMF_CPUID: /* EC2 adds it after all others */
        if (l->vmm != LAUNCH_EC2) extend(digest, PAGE_CPUID, s->gpa, NULL);
        return APEX_OK;
    case OVMF_SVSM_CAA: extend_run(digest, PAGE_ZERO, s); return APEX_OK;
    case OVMF_KERNEL_HASHES: return extend_hashes(digest, l, s);
    }
    return APEX_E_FORMAT;
}

static void segment(uint8_t *at, uint16_t selector, uint16_t attributes, uint32_t base)
{
    put_le16(at, selector);
    put_le16(at + 2, attributes);
    put_le32(at + 4, 0xffff);
    put_le64(at + 8, base);
}

/* What the hypervisors leave different at start. */
struct vmm_registers {
    uint16_t cs, ss, tr;
    uint32_t mxcsr;
    uint16_t fcw;
    uint64_t pat;
};
static const struct vmm_registers vmm_registers[] = {
    [LAUNCH_QEMU] = {0x9b, 0x93, 0x8b, 0x1f80, 0x37f, 0x7040600070406},
    [LAUNCH_EC2] = {0x9b, 0x92, 0x83, 0, 0, 0x7040600070406},
    [LAUNCH_GCE] = {0x9b, 0x93, 0x8b, 0, 0, 0x00070106},
};

/* The save area of a processor about to take its first step. APM volume 2, table B-4. */
static void vmsa_write(const struct launch *l, uint32_t eip, uint8_t page[static GUEST_PAGE])
{
    const struct vmm_registers *r = &vmm_registers[l->vmm];
    bool ec2_first = l->vmm == LAUNCH_EC2 && eip == BSP_EIP;
    memset(page, 0, GUEST_PAGE);
    segment(page + 0x00, 0, 0x93, 0); /* ES */
    segment(page + 0x10, 0xf000, ec2_first ? 0x9a : r->cs, eip & 0xffff0000);
    segment(page + 0x20, 0, r->ss, 0);
    segment(page + 0x30, 0, 0x93, 0); /* DS, FS, GS */
    segment(page + 0x40, 0, 0x93, 0);
    segment(page + 0x50, 0, 0x93, 0);
    segment(page + 0x60, 0, 0, 0);    /* GDTR */
    segment(page + 0x70, 0, 0x82, 0); /* LDTR */
    segment(page + 0x80, 0, 0, 0);    /* IDTR */
    segment(page + 0x90, 0, r->tr, 0);
    put_le64(page + 0xd0, 0x1000);      /* EFER: SVME */
    put_le64(page + 0x148, 0x40);       /* CR4: MCE */
    put_le64(page + 0x158, 0x10);       /* CR0 */
    put_le64(page + 0x160, 0x400);      /* DR7 */
    put_le64(page + 0x168, 0xffff0ff0); /* DR6 */
    put_le64(page + 0x170, 2);          /* RFLAGS */
    put_le64(page + 0x178, eip & 0xffff);
    put_le64(page + 0x268, r->pat);
    put_le64(page + 0x310, l->vmm == LAUNCH_QEMU ? l->vcpu_signature : 0x600); /* RDX */
    put_le64(page + 0x3b0, l->features);
    put_le64(page + 0x3e8, 1); /* XCR0 */
    put_le32(page + 0x408, r->mxcsr);
    put_le16(page + 0x410, r->fcw);
}

static void extend_processors(uint8_t digest[static 48], const struct launch *l)
{
    uint8_t page[GUEST_PAGE];
    for (uint32_t i = 0; i < l->vcpus; i++) {
        if (i < 2) vmsa_write(l, i == 0 ? BSP_EIP : l->ovmf->reset_eip, page);
        extend_page(digest, PAGE_VMSA, VMSA_GPA, page);
    }
}

static apex_status launch_check(const struct launch *l)
{
    bool checks_kernel = false;
    if (l->vcpus < 1 || l->vcpus > VCPUS_MAX || l->vmm > LAUNCH_GCE) return APEX_E_USAGE;
    if (l->vcpus > 1 && l->ovmf->reset_eip == 0) return APEX_E_USAGE;
    TRY(ovmf_check(l->ovmf));
    for (size_t i = 0; i < l->ovmf->n_sections; i++)
        checks_kernel |= l->ovmf->sections[i].kind == OVMF_KERNEL_HASHES;
    checks_kernel &= l->ovmf->hashes_gpa != 0;
    return l->kernel && !checks_kernel ? APEX_E_USAGE : APEX_OK;
}

apex_status launch_measure(const struct launch *l, uint8_t digest[static LAUNCH_DIGEST_LEN])
{
    TRY(launch_check(l));
    memcpy(digest, l->firmware, LAUNCH_DIGEST_LEN);
    for (size_t i = 0; i < l->ovmf->n_sections; i++)
        TRY(extend_section(digest, l, &l->ovmf->sections[i]));
    for (size_t i = 0; i < l->ovmf->n_sections && l->vmm == LAUNCH_EC2; i++)
        if (l->ovmf->sections[i].kind == OVMF_CPUID)
            extend(digest, PAGE_CPUID, l->ovmf->sections[i].gpa, NULL);
    extend_processors(digest, l);
    return APEX_OK;
}

/* CPUID specification (25481), Fn0000_0001 EAX. */
static uint32_t signature_of(uint32_t family, uint32_t model, uint32_t stepping)
{
    uint32_t low = family > 0xf ? 0xf : family, high = family - low;
    return high << 20 | (model >> 4) << 16 | low << 8 | (model & 0xf) << 4 | stepping;
}

apex_status launch_vcpu_signature(const char *model, uint32_t *signature)
{
    static const struct {
        const char *name; /* and its versions: NAME-v1, … */
        uint32_t family, model, stepping;
    } models[] = {{"EPYC", 23, 1, 2},        {"EPYC-IBPB", 23, 1, 2},
                  {"EPYC-Rome", 23, 49, 0},  {"EPYC-Milan", 25, 1, 1},
                  {"EPYC-Genoa", 25, 17, 0}, {"EPYC-Turin", 26, 0, 0}};
    size_t len = strlen(model);
    if (len > 3 && model[len - 3] == '-' && model[len - 2] == 'v' && model[len - 1] >= '1' &&
        model[len - 1] <= '9')
        len -= 3;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strlen(models[i].name) != len || memcmp(models[i].name, model, len) != 0) continue;
        *signature = signature_of(models[i].family, models[i].model, models[i].stepping);
        return APEX_OK;
    }
    return APEX_E_NOT_FOUND;
}
