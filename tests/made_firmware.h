/* A firmware image of our own for tests: two pages with OVMF's footer table, SEV metadata of
 * four sections and TDX metadata of three. */
#ifndef TESTS_MADE_FIRMWARE_H
#define TESTS_MADE_FIRMWARE_H

#include "common/attest/ovmf.h"

enum {
    MADE_FIRMWARE_LEN = 2 * GUEST_PAGE,
    MADE_TABLE = MADE_FIRMWARE_LEN - 32 - 18, /* the footer's own entry */
    MADE_ENTRY = 22,                          /* {u32, u16, GUID} */
    MADE_SEV = MADE_FIRMWARE_LEN - 0x400,     /* SEV metadata */
    MADE_TDX = MADE_FIRMWARE_LEN - 0x600      /* TDX metadata */
};
extern const struct ovmf_section made_sections[4];
void made_firmware(uint8_t image[static MADE_FIRMWARE_LEN]);

#endif
