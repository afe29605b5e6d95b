#include "client/lib/scan.h"

#include "common/base/endian.h"
#include "common/num/simd.h"

#if SIMD_X86
#include <immintrin.h>
#endif

enum { BLOCK = 64 };

/* One bit for each byte of a block, the first byte's lowest. */
struct marks {
    uint64_t delimiter, lf, cr, quote;
};

/* Bit 7 of each byte that is zero. Exact: no carry leaves its byte. */
static uint64_t zero_bytes(uint64_t x)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    return ~(((x & low) + low) | x | low);
}

static uint64_t equal_bytes(const uint64_t word[static 8], uint8_t byte)
{
    uint64_t marks = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t z = zero_bytes(word[i] ^ byte * UINT64_C(0x0101010101010101)) >> 7;
        marks |= z * UINT64_C(0x0102040810204080) >> 56 << 8 * i;
    }
    return marks;
}

static inline struct marks marks_any(const uint8_t *at, uint8_t delimiter)
{
    uint64_t word[8];
    for (unsigned i = 0; i < 8; i++)
        word[i] = get_le64(at + 8 * i);
    return (struct marks){equal_bytes(word, delimiter), equal_bytes(word, '\n'),
                          equal_bytes(word, '\r'), equal_bytes(word, '"')};
}

#if SIMD_X86
SIMD_256 static inline uint64_t equal_256(__m256i a, __m256i b, uint8_t byte)
{
    __m256i x = _mm256_set1_epi8((char)byte);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, x)) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, x)) << 32;
}

SIMD_256 static inline struct marks marks_256(const uint8_t *at, uint8_t delimiter)
{
    __m256i a = _mm256_loadu_si256((const void *)at),
            b = _mm256_loadu_si256((const void *)(at + 32));
    return (struct marks){equal_256(a, b, delimiter), equal_256(a, b, '\n'),
                          equal_256(a, b, '\r'), equal_256(a, b, '"')};
}

SIMD_512 static inline uint64_t equal_512(__m512i a, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(a, _mm512_set1_epi8((char)byte));
}

SIMD_512 static inline struct marks marks_512(const uint8_t *at, uint8_t delimiter)
{
    __m512i a = _mm512_loadu_si512(at);
    return (struct marks){equal_512(a, delimiter), equal_512(a, '\n'), equal_512(a, '\r'),
                          equal_512(a, '"')};
}
#endif

/* Eight at a time without asking, for most blocks have fewer; what is too much is written over.
 */
static inline __attribute__((always_inline)) size_t bits_write(uint64_t bits, uint32_t base,
                                                               uint32_t *out)
{
    size_t n = (size_t)__builtin_popcountll(bits);
    for (size_t done = 0; done < n; done += 8)
        for (size_t i = done; i < done + 8; i++) {
            out[i] = base + (uint32_t)__builtin_ctzll(bits | UINT64_C(1) << 63);
            bits &= bits - 1;
        }
    return n;
}

/* A block's ends, up to what the careful reader must see. *stop: it stands in this block. */
static inline __attribute__((always_inline)) uint64_t ends_of(struct marks m, size_t left,
                                                              bool lf_next, bool *stop)
{
    uint64_t inside = left < BLOCK ? (UINT64_C(1) << left) - 1 : ~UINT64_C(0);
    uint64_t lf_after = m.lf >> 1 | (uint64_t)lf_next << 63;
    uint64_t odd = (m.quote | (m.cr & ~lf_after)) & inside;
    *stop = odd != 0;
    return (m.delimiter | m.lf) & inside & (odd ? (odd & (0 - odd)) - 1 : ~UINT64_C(0));
}

#define SCAN_BODY(marks_here)                                                                  \
    size_t n = 0;                                                                              \
    bool stop = false;                                                                         \
    uint64_t crs = 0;                                                                          \
    for (size_t at = 0; at < len && n < most && !stop; at += BLOCK) {                          \
        struct marks m = marks_here(text + at, delimiter);                                     \
        uint64_t bits = ends_of(m, len - at, text[at + BLOCK] == '\n', &stop);                 \
        crs |= m.cr;                                                                           \
        n += bits_write(bits, (uint32_t)at, ends + n);                                         \
    }                                                                                          \
    *crlf = crs != 0;                                                                          \
    return n;

static size_t scan_any(const uint8_t *text, size_t len, uint8_t delimiter, uint32_t *ends,
                       size_t most, bool *crlf){SCAN_BODY(marks_any)}

#if SIMD_X86
SIMD_256 static size_t scan_256(const uint8_t *text, size_t len, uint8_t delimiter,
                                uint32_t *ends, size_t most, bool *crlf){SCAN_BODY(marks_256)}

SIMD_512 static size_t scan_512(const uint8_t *text, size_t len, uint8_t delimiter,
                                uint32_t *ends, size_t most, bool *crlf){SCAN_BODY(marks_512)}
#endif

size_t scan_ends(const uint8_t *text, size_t len, uint8_t delimiter, uint32_t *ends,
                 size_t most, bool *crlf)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) return scan_512(text, len, delimiter, ends, most, crlf);
    if (level == SIMD_LEVEL_256) return scan_256(text, len, delimiter, ends, most, crlf);
#endif
    return scan_any(text, len, delimiter, ends, most, crlf);
}
