/* What is sealed to whom, and how the pieces look inside.
 *
 * Sealed table (a blob):  "APXSEAL2" | HPKE(contract key, info = "apex/table/v1" || address
 *   || SHA-256(dataset name || 0x00 || contributor's Ed25519 key), aad "",
 *   plaintext = data key 32 || table digest 32 (SHA-256 of all group bytes) || n_rows u64be
 * || n_groups u64be) | secretstream header 24 | chunks. Every chunk but the last is GROUP_BYTES
 * + 17 bytes; aad of every chunk is the address. Sealed request (a blob): HPKE(contract key,
 * info = "apex/request/v1" || address || author's Ed25519 key, aad "", plaintext = request).
 * The keys in `info` bind a ciphertext to its author: what one party sealed, no other can
 * contribute or run. Request: CBOR {1: "apex/request/v1", 2: nonce bstr16, 3: seed bstr32, 4:
 * {parameter name: value}}; values int, float, bool, text, or array of arrays of floats
 * (points). Parameter names ascend as CBOR map keys do. Its SHA-256 is the request digest.
 * Output digest (in the log, public): SHA-256(request || output). The request's nonce keeps a
 * guessed output from being confirmed. Result blob: HPKE(recipient's X25519, info =
 * "apex/result/v1" || address, aad "", plaintext = result package) Result package: CBOR {1:
 * "apex/result/v1", 2: address bstr32, 3: run index, 4: function text, 5: request bstr, 6:
 * output bstr (JSON)}
 * Model blob: HPKE(contract key, info = "apex/model/v1" || address || run index u64be, aad "",
 * plaintext = what the program left). */
#ifndef COMMON_WIRE_PACKAGE_H
#define COMMON_WIRE_PACKAGE_H

#include "common/base/buffer.h"
#include "common/wire/manifest.h"

enum {
    SEALED_MAGIC_LEN = 8,
    TABLE_SECRET_LEN = 80,
    SEALED_TABLE_HEAD_LEN = 8 + 32 + TABLE_SECRET_LEN + 16 + 24,
    REQUEST_MAX = 64 * 1024,
    RESULT_MAX = 256 * 1024 * 1024,
    INFO_MAX = 96,
};
#define SEALED_TABLE_MAGIC "APXSEAL2"

struct table_secret {
    uint8_t key[32];
    uint8_t digest[32];
    uint64_t n_rows, n_groups;
};
void table_secret_write(const struct table_secret *s, uint8_t out[static TABLE_SECRET_LEN]);
apex_status table_secret_parse(const uint8_t in[static TABLE_SECRET_LEN],
                               struct table_secret *s);

/* "apex/…/v1" || address [|| extra]; returns the length written, at most INFO_MAX. */
size_t seal_info(const char *purpose, const uint8_t address[static 32], struct span extra,
                 uint8_t out[static INFO_MAX]);

struct result_package {
    uint8_t address[32];
    uint64_t run;
    struct span function, request, output;
};
void result_package_write(const struct result_package *p, struct buffer *out);
apex_status result_package_parse(struct span bytes, struct result_package *p);

/* A request: values are checked against a function's declared parameters; absent ones take
 * their default. */
struct request_value {
    const struct manifest_param *param;
    bool given;
    double number;
    size_t choice;
    size_t n_points;
    double *points; /* n_points x dims; ours */
};
struct request {
    uint8_t nonce[16];
    uint8_t seed[32];
    size_t n_values;
    struct request_value values[PARAMS_MAX]; /* in the manifest's order */
};
/* APEX_E_FORMAT: not of the form. APEX_E_REFUSED: a parameter is unknown, missing, of the wrong
 * type or out of bounds; *bad names it (index into the function's params, or SIZE_MAX for an
 * unknown one). */
apex_status request_parse(struct span bytes, const struct manifest_function *f,
                          struct request *r, size_t *bad);
void request_clear(struct request *r);
/* The value of a number parameter, its default filled in; 0 when the function has none of this
 * name. */
double request_number(const struct request *r, const char *name);
/* Writes the request with the given values only. */
apex_status request_write(const struct request *r, struct buffer *out);

#endif
