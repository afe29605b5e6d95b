#ifndef CLIENT_LIB_IDENTITY_H
#define CLIENT_LIB_IDENTITY_H

#include "common/crypto/hpke.h"
#include "common/crypto/sign.h"
#include "include/apex/apex.h"

/* In locked memory. The file: "APXID1" | u8 sealed | u8 name length | name | public Ed25519 |
 * public X25519 | unsealed: seed 32 | X25519 secret 32; sealed: salt 16 |
 * secretbox(Argon2id(passphrase, salt), aad = all before the salt, the same 64 bytes). */
struct apex_identity {
    char name[65];
    struct sign_public sign_public;
    struct seal_public seal_public;
    struct sign_secret sign;
    struct seal_secret seal;
};

#endif
