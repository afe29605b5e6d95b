/* Room for as much as all rows together. Its pages are asked of the kernel all at once: to be
 * given a hundred thousand one by one, at first touch, costs as much as a pass over the rows.
 */
#ifndef COMMON_NUM_ROOM_H
#define COMMON_NUM_ROOM_H

#include <stddef.h>

/* `bytes` bytes, 64-byte aligned, not zeroed; free() takes them back. NULL: no memory. */
void *num_room(size_t bytes);

#endif
