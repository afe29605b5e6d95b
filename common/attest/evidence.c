#include "common/attest/evidence.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"
#include "common/wire/cbor.h"

#define EVIDENCE_NAME "apex/evidence/v1"
#define SIM_NAME "apex/sim/v1"
#define KEYS_NAME "apex/enclave/v2"

void attest_report_data(const struct enclave_keys *keys,
                        uint8_t report_data[static REPORT_DATA_LEN])
{
    uint8_t bytes[sizeof KEYS_NAME - 1 + 3 * 32 + ECDSA_PUBLIC_LEN], *at = bytes;
    memcpy(at, KEYS_NAME, sizeof KEYS_NAME - 1);
    at += sizeof KEYS_NAME - 1;
    memcpy(at, keys->identity.bytes, 32);
    memcpy(at + 32, keys->identity_seal.bytes, 32);
    memcpy(at + 64, keys->log.bytes, 32);
    memcpy(at + 96, keys->chain.bytes, ECDSA_PUBLIC_LEN);
    sha512(SPAN(bytes), report_data);
}

void evidence_write(const char *tee, struct span report, struct span supplements,
                    struct buffer *out)
{
    cbor_put_map(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, EVIDENCE_NAME);
    cbor_put_uint(out, 2);
    cbor_put_text(out, tee);
    cbor_put_uint(out, 3);
    cbor_put_bytes(out, report);
    cbor_put_uint(out, 4);
    cbor_put_bytes(out, supplements);
}

apex_status evidence_parse(struct span bytes, struct evidence *e)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    if (bytes.len > EVIDENCE_MAX) return APEX_E_LIMIT;
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, EVIDENCE_NAME));
    TRY(cbor_key(&c, 2));
    TRY(cbor_text(&c, &e->tee));
    TRY(cbor_key(&c, 3));
    TRY(cbor_bytes(&c, &e->report));
    TRY(cbor_key(&c, 4));
    TRY(cbor_bytes(&c, &e->supplements));
    return n == 4 ? cursor_end(&c) : APEX_E_FORMAT;
}

void sim_report_write(const uint8_t measurement[static 32],
                      const uint8_t report_data[static REPORT_DATA_LEN], uint64_t time_ms,
                      struct buffer *out)
{
    cbor_put_map(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, SIM_NAME);
    cbor_put_uint(out, 2);
    cbor_put_bytes(out, span_of(measurement, 32));
    cbor_put_uint(out, 3);
    cbor_put_bytes(out, span_of(report_data, REPORT_DATA_LEN));
    cbor_put_uint(out, 4);
    cbor_put_uint(out, time_ms);
}

apex_status sim_report_parse(struct span bytes, struct sim_report *r)
{
    struct cursor c = cursor_on(bytes);
    size_t n;
    TRY(cbor_map(&c, &n));
    TRY(cbor_key(&c, 1));
    TRY(cbor_text_is(&c, SIM_NAME));
    TRY(cbor_key(&c, 2));
    TRY(cbor_bytes_exact(&c, r->measurement, sizeof r->measurement));
    TRY(cbor_key(&c, 3));
    TRY(cbor_bytes_exact(&c, r->report_data, sizeof r->report_data));
    TRY(cbor_key(&c, 4));
    TRY(cbor_uint(&c, &r->time_ms));
    return n == 4 ? cursor_end(&c) : APEX_E_FORMAT;
}

const char *evidence_guess(struct span bytes)
{
    const uint8_t *b = bytes.data;
    if (bytes.len == SNP_REPORT_LEN && get_le32(b) >= 2 && get_le32(b) <= 5) return "sev-snp";
    if (bytes.len < 8) return NULL;
    if (b[0] == 0x84 || (b[0] == 0xd2 && b[1] == 0x84)) return "nitro";
    if (get_le16(b) == 3) return "sgx";
    if (get_le16(b) == 4 || get_le16(b) == 5) return get_le32(b + 4) == 0x81 ? "tdx" : "sgx";
    return NULL;
}
