/* Wiping that the compiler may not drop, and cleaning up at the end of a scope. */
#ifndef COMMON_BASE_WIPE_H
#define COMMON_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

static inline void wipe(void *data, size_t len)
{
    if (len) memset(data, 0, len);
    __asm__ __volatile__("" : : "r"(data) : "memory");
}

/* `WIPED(stream_key) key = {0};` declares a struct stream_key that is zeroed on every way out
 * of its scope; the header that declares the struct says WIPED_DEFINE(stream_key) once. */
#define WIPED(tag) __attribute__((cleanup(wipe_struct_##tag))) struct tag
#define WIPED_DEFINE(tag)                                                                      \
    static inline void wipe_struct_##tag(struct tag *p)                                        \
    {                                                                                          \
        wipe(p, sizeof *p);                                                                    \
    }

#endif
