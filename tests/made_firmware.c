#include "tests/made_firmware.h"

#include "common/base/endian.h"

static const uint8_t footer[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                   0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t guids[4][16] = {{0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47, 0xa7,
                                      0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc},
                                     {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b, 0x92,
                                      0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54},
                                     {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89,
                                      0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e},
                                     {0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47, 0x86,
                                      0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2}};
const struct ovmf_section made_sections[4] = {{0x800000, 0x9000, OVMF_SEC_MEM},
                                              {0x80d000, 0x1000, OVMF_SECRETS},
                                              {0x80e000, 0x1000, OVMF_CPUID},
                                              {0x810000, 0x1000, OVMF_KERNEL_HASHES}};

static void table_make(uint8_t *image)
{
    const uint32_t words[4] = {MADE_FIRMWARE_LEN - MADE_SEV, 0x810c00, 0x80b004,
                               MADE_FIRMWARE_LEN - MADE_TDX};
    uint8_t *at = image + MADE_TABLE;
    put_le16(at, 18 + 4 * MADE_ENTRY);
    memcpy(at + 2, footer, 16);
    for (size_t i = 0; i < 4; i++) {
        at -= MADE_ENTRY;
        put_le32(at, words[i]);
        put_le16(at + 4, MADE_ENTRY);
        memcpy(at + 6, guids[i], 16);
    }
}

static void head_make(uint8_t *at, const char magic[4], uint32_t size, uint32_t n)
{
    memcpy(at, magic, 4);
    put_le32(at + 4, size);
    put_le32(at + 8, 1);
    put_le32(at + 12, n);
}

static void sev_make(uint8_t *at)
{
    head_make(at, "ASEV", 16 + 4 * 12, 4);
    at += 16;
    for (size_t i = 0; i < 4; i++, at += 12) {
        put_le32(at, made_sections[i].gpa);
        put_le32(at + 4, made_sections[i].size);
        put_le32(at + 8, made_sections[i].kind);
    }
}

/* The code is hashed; a table is added, not hashed; the last is not even added. */
static void tdx_make(uint8_t *at)
{
    static const struct {
        uint32_t data_at, data_len;
        uint64_t gpa, size;
        uint32_t kind, attributes;
    } sections[3] = {{0, 0x2000, 0xffffe000, 0x2000, 0, 1},
                     {0, 0, 0x810000, 0x3000, 3, 0},
                     {0, 0, 0x100000, 0x1000, 4, 2}};
    head_make(at, "TDVF", 16 + 3 * 32, 3);
    at += 16;
    for (size_t i = 0; i < 3; i++, at += 32) {
        put_le32(at, sections[i].data_at);
        put_le32(at + 4, sections[i].data_len);
        put_le64(at + 8, sections[i].gpa);
        put_le64(at + 16, sections[i].size);
        put_le32(at + 24, sections[i].kind);
        put_le32(at + 28, sections[i].attributes);
    }
}

void made_firmware(uint8_t image[static MADE_FIRMWARE_LEN])
{
    for (size_t i = 0; i < MADE_FIRMWARE_LEN; i++)
        image[i] = (uint8_t)(i * 7);
    table_make(image);
    sev_make(image + MADE_SEV);
    tdx_make(image + MADE_TDX);
}
