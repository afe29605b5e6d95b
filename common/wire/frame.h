/* Host and enclave share one byte stream of frames: u32be length of what follows | u8 type |
 * u32be id | payload. host -> enclave: 1 MESSAGE (id chosen by the host), 2 ANSWER (id of the
 * CALL; payload u8 call status, bytes) enclave -> host: 3 REPLY (id of the MESSAGE), 4 CALL (id
 * chosen by the enclave; payload u8 op, arguments), 5 EVENT (id 0; u64be run index, u8
 * run_state, u16be permille, u64be entry index or 0) Calls (integers big-endian): 1 BLOB_GET
 * digest 32, offset u64, len u32       -> u64 total size, bytes (fewer than len only at the
 * end) 2 BLOB_PUT   bytes (at most FRAME_BLOB_MAX)        -> digest 32        (small blobs:
 * sealed results) 3 LOG_READ   index u64, max bytes u32             -> entry bundle (u16be
 * length, bytes)*  as many as fit, at least one 4 LOG_APPEND index u64, entry bundle ->
 * nothing; fsynced. Entries from `index` on are replaced: only ones above the kept checkpoint
 * ever are 5 CHECKPOINT_PUT note                             -> nothing; fsynced, after the
 * entries it covers and their tiles 6 CHECKPOINT_GET                                  -> note,
 * empty when there is none 7 BLOB_APPEND   token u64 (0 starts one), bytes   -> token u64
 * (large sealed results, in pieces) 8 BLOB_FINISH   token u64                         -> digest
 * 32 9 WITNESSED_GET -> note with cosignatures, empty when there is none 16 ROOT_GET -> u8 (0
 * start a log if there is none, 1 wait for a root secret), sealed root secret, empty when there
 * is none 17 ROOT_PUT sealed root secret -> nothing; fsynced, in the place of the old one */
#ifndef COMMON_WIRE_FRAME_H
#define COMMON_WIRE_FRAME_H

#include "common/base/buffer.h"
#include "common/base/span.h"
#include "include/apex/status.h"

enum frame_type {
    FRAME_MESSAGE = 1,
    FRAME_ANSWER = 2,
    FRAME_REPLY = 3,
    FRAME_CALL = 4,
    FRAME_EVENT = 5
};
enum call_op {
    CALL_BLOB_GET = 1,
    CALL_BLOB_PUT = 2,
    CALL_LOG_READ = 3,
    CALL_LOG_APPEND = 4,
    CALL_CHECKPOINT_PUT = 5,
    CALL_CHECKPOINT_GET = 6,
    CALL_BLOB_APPEND = 7,
    CALL_BLOB_FINISH = 8,
    CALL_WITNESSED_GET = 9,
    CALL_ROOT_GET = 16,
    CALL_ROOT_PUT = 17
};
enum call_status { CALL_OK = 0, CALL_NOT_FOUND = 1, CALL_IO = 2, CALL_FULL = 3, CALL_BAD = 4 };
enum {
    FRAME_HEAD_LEN = 9,
    FRAME_MAX = 2 * 1024 * 1024,
    FRAME_BLOB_MAX = 1024 * 1024,
    FRAME_ROOT_MAX = 1024
};

struct frame {
    enum frame_type type;
    uint32_t id;
    struct span payload;
};
/* Head and payload appended to `out`. */
void frame_write(const struct frame *f, struct buffer *out);
/* The head's 9 bytes: gives type, id and the payload's length. APEX_E_FORMAT: unknown type or a
 * length out of bounds. */
apex_status frame_head_parse(const uint8_t head[static FRAME_HEAD_LEN], enum frame_type *type,
                             uint32_t *id, size_t *payload_len);

#endif
