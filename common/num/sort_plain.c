/* Sorting that may look at the rows: least significant digits first. */
#include "common/num/sort.h"

#include "common/base/size.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 6, PLACES = 1 << DIGIT_BITS };
#define SIGN (UINT64_C(1) << 63)

struct pair {
    uint64_t key, payload;
};

/* Bits that order as unsigned integers as their doubles do as numbers; and back. */
static uint64_t ordered(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

static double number_of(uint64_t key)
{
    uint64_t bits = key & SIGN ? key & ~SIGN : ~key;
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static size_t digit(uint64_t key, unsigned which)
{
    return key >> which * DIGIT_BITS & (PLACES - 1);
}

/* One pass; false: all rows have the same digit, and nothing is done. */
static bool pass(const struct pair *from, size_t n, unsigned which, struct pair *to)
{
    uint32_t at[PLACES] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        at[digit(from[i].key, which)]++;
    if (at[digit(from[0].key, which)] == n) return false;
    for (size_t place = 0; place < PLACES; place++) {
        uint32_t here = at[place];
        at[place] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++)
        to[at[digit(from[i].key, which)]++] = from[i];
    return true;
}

apex_status sort_plain(double *keys, uint64_t *payload, size_t n)
{
    size_t bytes;
    if (n > UINT32_MAX || !size_mul(n, 2 * sizeof(struct pair), &bytes)) return APEX_E_LIMIT;
    if (n == 0) return APEX_OK;
    struct pair *room = malloc(bytes), *from = room, *to = room + n;
    if (!room) return APEX_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        from[i] = (struct pair){ordered(keys[i]), payload[i]};
    for (unsigned which = 0; which < DIGITS; which++)
        if (pass(from, n, which, to)) {
            struct pair *swap = from;
            from = to;
            to = swap;
        }
    for (size_t i = 0; i < n; i++) {
        keys[i] = number_of(from[i].key);
        payload[i] = from[i].payload;
    }
    free(room);
    return APEX_OK;
}
