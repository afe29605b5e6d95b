#include "common/num/room.h"

#include "common/base/size.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { ALIGNED = 64, PAGE = 4096, WORTH_IT = 1 << 20, POPULATE_WRITE = 23 /* Linux 5.14 */ };

void *num_room(size_t bytes)
{
    size_t align = bytes >= WORTH_IT ? PAGE : ALIGNED, len;
    if (!size_align(bytes + !bytes, align, &len)) return NULL;
    void *room = aligned_alloc(align, len);
    if (room && align == PAGE) {
        int had = madvise(room, len, POPULATE_WRITE);
        (void)had; /* an older kernel gives them one by one */
    }
    return room;
}
