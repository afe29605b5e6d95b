#include "common/wire/frame.h"

#include "common/base/endian.h"

enum { AFTER_LENGTH = 5 };

void frame_write(const struct frame *f, struct buffer *out)
{
    if (f->payload.len > FRAME_MAX - AFTER_LENGTH) {
        if (out->bad == APEX_OK) out->bad = APEX_E_LIMIT;
        return;
    }
    buffer_be32(out, (uint32_t)(f->payload.len + AFTER_LENGTH));
    buffer_u8(out, (uint8_t)f->type);
    buffer_be32(out, f->id);
    buffer_append(out, f->payload);
}

apex_status frame_head_parse(const uint8_t head[static FRAME_HEAD_LEN], enum frame_type *type,
                             uint32_t *id, size_t *payload_len)
{
    uint32_t len = get_be32(head);
    if (len < AFTER_LENGTH || len > FRAME_MAX || head[4] < FRAME_MESSAGE ||
        head[4] > FRAME_EVENT)
        return APEX_E_FORMAT;
    *type = (enum frame_type)head[4];
    *id = get_be32(head + 5);
    *payload_len = len - AFTER_LENGTH;
    return APEX_OK;
}
