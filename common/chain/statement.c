#include "common/chain/statement.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/chain/abi.h"
#include "common/crypto/hash.h"
#include "common/crypto/keccak.h"

#define DOMAIN_TYPE                                                                            \
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

static const struct {
    const char *type;
    size_t n_words;
} kinds[] = {
    [STATEMENT_OPEN] = {"Open(string origin,bytes32 logKey,address key,bytes32 evidence)", 4},
    [STATEMENT_ADMIT] = {"Admit(bytes32 log,address key,bytes32 evidence)", 3},
    [STATEMENT_CONTRACT] = {"Contract(bytes32 log,bytes32 manifest,bytes32 program)", 3},
    [STATEMENT_ANCHOR] = {"Anchor(bytes32 log,uint64 size,bytes32 root)", 3},
    [STATEMENT_RUN] = {"Run(bytes32 log,uint64 run,bytes32 manifest,bytes32 program,bytes32 "
                       "request,bytes32 inputs,bytes32 output,address payee)",
                       8}};

size_t statement_n_words(enum statement_kind kind)
{
    return kind >= STATEMENT_OPEN && kind <= STATEMENT_RUN ? kinds[kind].n_words : 0;
}

static void put_hash(struct buffer *out, struct span bytes)
{
    uint8_t digest[KECCAK_LEN];
    keccak256(bytes, digest);
    buffer_append(out, SPAN(digest));
}

void statement_log_id(struct span origin, const uint8_t log_key[static 32],
                      const uint8_t first_key[static CHAIN_ADDRESS_LEN], uint8_t id[static 32])
{
    uint8_t words[3 * WORD_LEN] = {0};
    keccak256(origin, words);
    memcpy(words + WORD_LEN, log_key, 32);
    memcpy(words + 3 * WORD_LEN - CHAIN_ADDRESS_LEN, first_key, CHAIN_ADDRESS_LEN);
    keccak256(SPAN(words), id);
}

void statement_inputs(const struct entry *result, uint8_t digest[static 32])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, SPAN_TEXT("apex/inputs/v1"));
    for (size_t i = 0; i < result->n_inputs; i++) {
        uint8_t index[8];
        put_be64(index, result->inputs[i].index);
        sha256_update(&h, SPAN(index));
        sha256_update(&h, SPAN(result->inputs[i].blob));
    }
    if (result->has_rows) sha256_update(&h, SPAN(result->rows));
    sha256_final(&h, digest);
}

static void run_words(const struct statement *s, struct buffer *w)
{
    abi_u64(w, s->run);
    buffer_append(w, SPAN(s->manifest));
    buffer_append(w, SPAN(s->program));
    buffer_append(w, SPAN(s->request));
    buffer_append(w, SPAN(s->inputs));
    buffer_append(w, SPAN(s->output));
    abi_address(w, s->payee);
}

apex_status statement_words(const struct statement *s, struct buffer *w)
{
    if (s->kind == STATEMENT_OPEN) {
        put_hash(w, s->origin);
        buffer_append(w, SPAN(s->log_key));
    } else {
        buffer_append(w, SPAN(s->log));
    }
    switch (s->kind) {
    case STATEMENT_OPEN:
    case STATEMENT_ADMIT:
        abi_address(w, s->key);
        buffer_append(w, SPAN(s->evidence));
        break;
    case STATEMENT_CONTRACT:
        buffer_append(w, SPAN(s->manifest));
        buffer_append(w, SPAN(s->program));
        break;
    case STATEMENT_ANCHOR:
        abi_u64(w, s->size);
        buffer_append(w, SPAN(s->root));
        break;
    case STATEMENT_RUN: run_words(s, w); break;
    default: return APEX_E_USAGE;
    }
    return buffer_ok(w);
}

static apex_status domain(const struct chain_place *place, uint8_t digest[static 32])
{
    BUFFER_CLEARED words = {0};
    put_hash(&words, SPAN_TEXT(DOMAIN_TYPE));
    put_hash(&words, SPAN_TEXT("APEX"));
    put_hash(&words, SPAN_TEXT("1"));
    abi_u64(&words, place->chain_id);
    abi_address(&words, place->registry);
    TRY(buffer_ok(&words));
    keccak256(buffer_span(&words), digest);
    return APEX_OK;
}

apex_status statement_digest(enum statement_kind kind, struct span words,
                             const struct chain_place *place, uint8_t digest[static 32])
{
    BUFFER_CLEARED typed = {0};
    uint8_t whole[2 + 2 * KECCAK_LEN] = {0x19, 0x01};
    size_t n = statement_n_words(kind);
    if (n == 0 || words.len != n * WORD_LEN) return APEX_E_FORMAT;
    put_hash(&typed, span_text(kinds[kind].type));
    buffer_append(&typed, words);
    TRY(buffer_ok(&typed));
    TRY(domain(place, whole + 2));
    keccak256(buffer_span(&typed), whole + 2 + KECCAK_LEN);
    keccak256(SPAN(whole), digest);
    return APEX_OK;
}
