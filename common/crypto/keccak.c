#include "common/crypto/keccak.h"

#include "common/base/endian.h"

enum { LANES = 25, ROUNDS = 24, RATE = 136 };

static const uint64_t iota[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* Lane pi_lane[i] gets what came before it on the cycle of pi, turned left by rho[i]. */
static const uint8_t pi_lane[LANES - 1] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                           15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t rho[LANES - 1] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                       27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t turn(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static void theta(uint64_t a[static LANES])
{
    uint64_t c[5];
    for (size_t x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (size_t i = 0; i < LANES; i++)
        a[i] ^= c[(i + 4) % 5] ^ turn(c[(i + 1) % 5], 1);
}

static void rho_pi(uint64_t a[static LANES])
{
    uint64_t carried = a[1];
    for (size_t i = 0; i < LANES - 1; i++) {
        uint64_t kept = a[pi_lane[i]];
        a[pi_lane[i]] = turn(carried, rho[i]);
        carried = kept;
    }
}

static void chi(uint64_t a[static LANES])
{
    for (size_t y = 0; y < LANES; y += 5) {
        uint64_t row[5];
        memcpy(row, a + y, sizeof row);
        for (size_t x = 0; x < 5; x++)
            a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

static void permute(uint64_t a[static LANES])
{
    for (size_t round = 0; round < ROUNDS; round++) {
        theta(a);
        rho_pi(a);
        chi(a);
        a[0] ^= iota[round];
    }
}

static void absorb(uint64_t a[static LANES], const uint8_t block[static RATE])
{
    for (size_t i = 0; i < RATE / 8; i++)
        a[i] ^= get_le64(block + 8 * i);
    permute(a);
}

void keccak256(struct span bytes, uint8_t digest[static KECCAK_LEN])
{
    uint64_t a[LANES] = {0};
    uint8_t last[RATE] = {0};
    while (bytes.len >= RATE) {
        absorb(a, bytes.data);
        bytes = span_of(bytes.data + RATE, bytes.len - RATE);
    }
    if (bytes.len) memcpy(last, bytes.data, bytes.len);
    last[bytes.len] ^= 0x01;
    last[RATE - 1] ^= 0x80;
    absorb(a, last);
    for (size_t i = 0; i < KECCAK_LEN / 8; i++)
        put_le64(digest + 8 * i, a[i]);
}
