/* What an x86-64 instruction reaches for: enough of its encoding to find the registers its
 * address is made of. Source: Intel SDM volume 2, chapter 2 (prefixes, ModRM, SIB, VEX, EVEX)
 * and appendix A (which opcodes have a ModRM byte). */
#ifndef TESTS_OBLIVIOUS_OPERANDS_H
#define TESTS_OBLIVIOUS_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

struct operands {
    uint32_t registers; /* bit r: general register r (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5,
                           rsi 6, rdi 7, r8..) is part of an address, or of a division */
    unsigned mask;      /* opmask register 1..7 that says what of memory is written; 0: none */
    bool by_vector; /* a gather or scatter, a compressing store, an expanding load: addresses
                       come from a vector */
    /* A division by what is in memory: the divisor's bytes (0: none) and place. */
    unsigned divisor_len, scale;
    int base, index; /* registers, or -1 */
    int64_t offset;
};
struct operands operands_of(const uint8_t *instruction);

#endif
