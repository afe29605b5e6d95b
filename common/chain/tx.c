#include "common/chain/tx.h"

#include "common/base/try.h"
#include "common/chain/rlp.h"
#include "common/crypto/keccak.h"

enum { TYPE = 2 };

static void fields_put(const struct tx *tx, struct buffer *items)
{
    rlp_put_u64(items, tx->chain_id);
    rlp_put_u64(items, tx->nonce);
    rlp_put_u64(items, tx->priority_fee);
    rlp_put_u64(items, tx->max_fee);
    rlp_put_u64(items, tx->gas);
    rlp_put_bytes(items, tx->creates ? (struct span){0} : SPAN(tx->to));
    rlp_put_u64(items, 0); /* value */
    rlp_put_bytes(items, tx->data);
    rlp_put_list(items, (struct span){0}); /* access list */
}

static apex_status typed(struct span items, struct buffer *out)
{
    buffer_u8(out, TYPE);
    rlp_put_list(out, items);
    return buffer_ok(out);
}

static apex_status signed_digest(const struct tx *tx, uint8_t digest[static 32])
{
    BUFFER_CLEARED items = {0};
    BUFFER_CLEARED bytes = {0};
    fields_put(tx, &items);
    TRY(buffer_ok(&items));
    TRY(typed(buffer_span(&items), &bytes));
    keccak256(buffer_span(&bytes), digest);
    return APEX_OK;
}

apex_status tx_sign(const struct tx *tx, const struct ecdsa_secret *key, struct buffer *raw,
                    uint8_t hash[static 32])
{
    BUFFER_CLEARED items = {0};
    struct ecdsa_signature signature;
    uint8_t digest[32];
    size_t at = raw->len;
    TRY(signed_digest(tx, digest));
    TRY(ecdsa_sign(key, digest, &signature));
    fields_put(tx, &items);
    rlp_put_u64(&items, signature.parity);
    rlp_put_uint(&items, SPAN(signature.r));
    rlp_put_uint(&items, SPAN(signature.s));
    TRY(buffer_ok(&items));
    TRY(typed(buffer_span(&items), raw));
    keccak256(span_of(raw->data + at, raw->len - at), hash);
    return APEX_OK;
}

static apex_status word_of(struct cursor *c, uint8_t word[static 32])
{
    struct span bytes;
    TRY(rlp_bytes(c, &bytes));
    if (bytes.len > 32 || (bytes.len > 0 && bytes.data[0] == 0)) return APEX_E_FORMAT;
    memset(word, 0, 32);
    if (bytes.len) memcpy(word + 32 - bytes.len, bytes.data, bytes.len);
    return APEX_OK;
}

static apex_status fields_take(struct cursor *c, struct tx *tx)
{
    struct span to;
    struct cursor access;
    uint64_t value;
    TRY(rlp_u64(c, &tx->chain_id));
    TRY(rlp_u64(c, &tx->nonce));
    TRY(rlp_u64(c, &tx->priority_fee));
    TRY(rlp_u64(c, &tx->max_fee));
    TRY(rlp_u64(c, &tx->gas));
    TRY(rlp_bytes(c, &to));
    tx->creates = to.len == 0;
    if (!tx->creates && to.len != sizeof tx->to) return APEX_E_FORMAT;
    if (!tx->creates) memcpy(tx->to, to.data, to.len);
    TRY(rlp_u64(c, &value));
    TRY(rlp_bytes(c, &tx->data));
    TRY(rlp_list(c, &access));
    return value == 0 ? cursor_end(&access) : APEX_E_FORMAT;
}

apex_status tx_parse(struct span raw, struct tx *tx, uint8_t from[static ECDSA_ADDRESS_LEN],
                     uint8_t hash[static 32])
{
    struct cursor whole = cursor_on(raw), c;
    struct ecdsa_signature signature;
    struct ecdsa_public key;
    uint8_t digest[32];
    uint64_t parity;
    *tx = (struct tx){0};
    TRY(cursor_expect(&whole, span_of((const uint8_t[]){TYPE}, 1)));
    TRY(rlp_list(&whole, &c));
    TRY(cursor_end(&whole));
    TRY(fields_take(&c, tx));
    TRY(rlp_u64(&c, &parity));
    if (parity > 1) return APEX_E_FORMAT;
    signature.parity = (uint8_t)parity;
    TRY(word_of(&c, signature.r));
    TRY(word_of(&c, signature.s));
    TRY(cursor_end(&c));
    TRY(signed_digest(tx, digest));
    TRY(ecdsa_recover(&signature, digest, &key));
    TRY(ecdsa_address(&key, from));
    keccak256(raw, hash);
    return APEX_OK;
}

apex_status tx_created(const uint8_t from[static ECDSA_ADDRESS_LEN], uint64_t nonce,
                       uint8_t address[static ECDSA_ADDRESS_LEN])
{
    BUFFER_CLEARED items = {0};
    BUFFER_CLEARED list = {0};
    uint8_t digest[KECCAK_LEN];
    rlp_put_bytes(&items, span_of(from, ECDSA_ADDRESS_LEN));
    rlp_put_u64(&items, nonce);
    TRY(buffer_ok(&items));
    rlp_put_list(&list, buffer_span(&items));
    TRY(buffer_ok(&list));
    keccak256(buffer_span(&list), digest);
    memcpy(address, digest + KECCAK_LEN - ECDSA_ADDRESS_LEN, ECDSA_ADDRESS_LEN);
    return APEX_OK;
}
