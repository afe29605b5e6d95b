#include "host/chain/gas_key.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE "gas-key"
enum { DIGITS = 2 * ECDSA_SECRET_LEN };

static apex_status take(const uint8_t seed[static ECDSA_SECRET_LEN], struct gas_key *key,
                        struct chain_fault *fault)
{
    struct ecdsa_public public_key;
    if (ecdsa_from_seed(seed, &public_key, &key->secret) != APEX_OK ||
        ecdsa_address(&public_key, key->address) != APEX_OK)
        return chain_fail(fault, APEX_E_FORMAT, RULE, "these 32 bytes are no key");
    return APEX_OK;
}

apex_status gas_key_new(const char *path, struct gas_key *key, struct chain_fault *fault)
{
    uint8_t seed[ECDSA_SECRET_LEN];
    char text[DIGITS + 2];
    random_bytes(seed, sizeof seed);
    apex_status s = take(seed, key, fault);
    hex_write(SPAN(seed), text);
    memcpy(text + DIGITS, "\n", 2);
    int fd = s == APEX_OK ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool whole = fd >= 0 && write(fd, text, DIGITS + 1) == DIGITS + 1 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0) close(fd);
    wipe(seed, sizeof seed);
    wipe(text, sizeof text);
    TRY(s);
    return whole ? APEX_OK
                 : chain_fail(fault, APEX_E_IO, RULE, "%.160s cannot be made: %s", path,
                              strerror(why));
}

static apex_status read_text(const char *path, char text[static DIGITS + 1],
                             struct chain_fault *fault)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int why = errno;
        if (fd >= 0) close(fd);
        return chain_fail(fault, APEX_E_IO, RULE, "%.160s cannot be read: %s", path,
                          strerror(why));
    }
    ssize_t n = read(fd, text, DIGITS + 1);
    close(fd);
    if (st.st_mode & 077)
        return chain_fail(fault, APEX_E_REFUSED, RULE,
                          "others can read %.140s: chmod 600 it, or make a new key", path);
    return n == DIGITS || (n == DIGITS + 1 && text[DIGITS] == '\n')
               ? APEX_OK
               : chain_fail(fault, APEX_E_FORMAT, RULE, "%.160s is not 64 hex digits", path);
}

apex_status gas_key_load(const char *path, struct gas_key *key, struct chain_fault *fault)
{
    char text[DIGITS + 1];
    uint8_t seed[ECDSA_SECRET_LEN];
    apex_status s = read_text(path, text, fault);
    if (s == APEX_OK && hex_parse(span_of(text, DIGITS), seed, sizeof seed) != APEX_OK)
        s = chain_fail(fault, APEX_E_FORMAT, RULE, "%.160s is not 64 hex digits", path);
    if (s == APEX_OK) s = take(seed, key, fault);
    wipe(text, sizeof text);
    wipe(seed, sizeof seed);
    return s;
}
