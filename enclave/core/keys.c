#include "enclave/core/keys.h"

#include "common/base/try.h"
#include "common/crypto/kdf.h"
#include "common/crypto/random.h"

static apex_status derive(const struct root_secret *root, struct span info,
                          uint8_t out[static 32])
{
    uint8_t prk[32];
    hkdf_extract(SPAN_TEXT("apex/root/v1"), SPAN(root->bytes), prk);
    apex_status s = hkdf_expand(prk, info, out, 32);
    wipe(prk, sizeof prk);
    return s;
}

apex_status keys_root(struct keys *k, const struct root_secret *root)
{
    uint8_t seed[32];
    k->root = *root;
    TRY(derive(root, SPAN_TEXT("apex/log/v1"), seed));
    sign_from_seed(seed, &k->public_keys.log, &k->log);
    TRY(derive(root, SPAN_TEXT("apex/chain/v1"), seed));
    apex_status s = ecdsa_from_seed(seed, &k->public_keys.chain, &k->chain);
    wipe(seed, sizeof seed);
    return s;
}

apex_status keys_new(struct keys **keys)
{
    struct keys *k = secret_alloc(sizeof *k);
    if (!k) return APEX_E_MEMORY;
    wipe(k, sizeof *k);
    sign_new(&k->public_keys.identity, &k->identity);
    seal_new(&k->public_keys.identity_seal, &k->identity_seal);
    *keys = k;
    return APEX_OK;
}

void keys_forget(struct keys *keys)
{
    wipe(&keys->root, sizeof keys->root);
    wipe(&keys->log, sizeof keys->log);
    wipe(&keys->chain, sizeof keys->chain);
    wipe(&keys->public_keys.log, sizeof keys->public_keys.log);
    wipe(&keys->public_keys.chain, sizeof keys->public_keys.chain);
}

void keys_free(struct keys *keys)
{
    if (keys) secret_free(keys);
}

apex_status keys_contract(const struct keys *keys, const uint8_t address[static 32],
                          struct seal_public *public_key, struct seal_secret *secret)
{
    uint8_t info[16 + 32], ikm[32];
    memcpy(info, "apex/contract/v1", 16);
    memcpy(info + 16, address, 32);
    TRY(derive(&keys->root, SPAN(info), ikm));
    apex_status s = seal_from_ikm(SPAN(ikm), public_key, secret);
    wipe(ikm, sizeof ikm);
    return s;
}
