#include "common/chain/abi.h"

#include "common/base/try.h"
#include "common/crypto/keccak.h"

enum { WORD = 32, ADDRESS = 20 };

static const uint8_t zeros[WORD];

void abi_u64(struct buffer *out, uint64_t value)
{
    buffer_append(out, span_of(zeros, WORD - 8));
    buffer_be64(out, value);
}

void abi_address(struct buffer *out, const uint8_t address[static 20])
{
    buffer_append(out, span_of(zeros, WORD - ADDRESS));
    buffer_append(out, span_of(address, ADDRESS));
}

void abi_tail(struct buffer *out, struct span bytes)
{
    abi_u64(out, bytes.len);
    buffer_append(out, bytes);
    if (bytes.len % WORD) buffer_append(out, span_of(zeros, WORD - bytes.len % WORD));
}

void abi_selector(struct buffer *out, const char *signature)
{
    uint8_t digest[KECCAK_LEN];
    keccak256(span_text(signature), digest);
    buffer_append(out, span_of(digest, 4));
}

apex_status abi_take_u64(struct cursor *c, uint64_t *value)
{
    TRY(cursor_expect(c, span_of(zeros, WORD - 8)));
    return cursor_be64(c, value);
}

apex_status abi_take_address(struct cursor *c, uint8_t address[static 20])
{
    TRY(cursor_expect(c, span_of(zeros, WORD - ADDRESS)));
    return cursor_copy(c, ADDRESS, address);
}

apex_status abi_take_word(struct cursor *c, uint8_t word[static 32])
{
    return cursor_copy(c, WORD, word);
}
