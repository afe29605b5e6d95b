#!/usr/bin/env python3
"""Seeds for fuzz_snp, fuzz_nitro and fuzz_certificate, from the evidence in ../shared/vectors/attestation. Run from the source root."""
import json
import os

VECTORS = "../shared/vectors/attestation/"
CORPUS = "fuzz/corpus/"


def head(major, n):
    """RFC 8949, shortest form."""
    if n < 24:
        return bytes([major << 5 | n])
    size = 1 if n < 0x100 else 2 if n < 0x10000 else 4 if n < 1 << 32 else 8
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + n.to_bytes(size, "big")


def text(s):
    return head(3, len(s)) + s.encode()


def blob(b):
    return head(2, len(b)) + b


def load(path):
    return open(VECTORS + path, "rb").read()


def save(target, name, data):
    os.makedirs(CORPUS + target, exist_ok=True)
    open(f"{CORPUS}{target}/{name}", "wb").write(data)


def main():
    for name, leaf in (("milan-v2-debug", "leaf.der"), ("milan-v3-aws-vlek", "leaf.der"), ("genoa-v5-yaxi", "leaf.pem"), ("turin-v5-microsoft", "leaf.pem")):
        save("snp", name, b"\0" + load(f"snp/{name}/report.bin") + load(f"snp/{name}/{leaf}"))
    save("snp", "genoa-table", b"\2" + load("snp/genoa-v3-configfs-tsm/report.bin") + load("snp/genoa-v3-configfs-tsm/auxblob.bin"))
    crl = load("collateral/tdx-b0c06f-2025-06/root_ca_crl.der")
    leaf = load("snp/milan-v2-debug/leaf.der")
    save("snp", "with-list", b"\1" + load("snp/milan-v2-debug/report.bin") + (leaf + crl * 20)[:4 * len(crl) * (len(leaf) // (3 * len(crl)) + 1)])
    for at, name in enumerate(("evervault-nonce", "evervault-debug", "evervault-tls-key-in-user-data", "evervault-doc-in-certificate", "dstack-indefinite-map",
                               "sparsity-debug")):
        save("nitro", name, bytes([at]) + load(f"nitro/{name}/document.cbor"))
    parts = head(5, 2) + head(0, 1) + blob(leaf) + head(0, 2) + blob(crl)
    report = load("snp/milan-v2-debug/report.bin")
    for name, tee, supplements in (("snp", "sev-snp", parts), ("bare", "nitro", b"")):
        save("evidence", name, b"\0" + head(5, 4) + head(0, 1) + text("apex/evidence/v1") + head(0, 2) + text(tee) + head(0, 3) + blob(report) + head(0, 4) +
             blob(supplements))
    save("evidence", "bundle", b"\1" + head(5, 5) + head(0, 1) + text("apex/bundle/v1") + head(0, 2) + head(0, 1790000000000) + head(0, 3) + head(0, 1799999999999) +
         head(0, 4) + head(4, 1) + head(4, 3) + text("tdx") + blob(bytes(48)) + text("apex 0.1.0") + head(0, 5) + head(4, 1) + blob(parts))
    save("text", "policy-snp", b"\1" + json.dumps({"apex": 1, "auditors": ["00" * 32], "high_value": [{"contract": "apex1x", "families": 2}], "accept": [
        {"tee": "sev-snp", "audited": True, "snp": {
            "minimum_tcb": {"turin": {"fmc": 1, "bootloader": 1, "tee": 1, "snp": 4, "microcode": 81}, "milan": {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219}},
            "minimum_launch_tcb": {"genoa": {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219}}, "minimum_firmware": "1.55.29", "minimum_guest_svn": 2,
            "maximum_vmpl": 1, "mitigations": 11, "allow": ["smt", "vmpl"], "require": ["ecc", "alias-check"], "providers": ["CN=x"], "revocation": True,
            "host_data": ["00" * 32], "chips": ["00" * 64]}}]}).encode())
    save("text", "policy-nitro", b"\1" + json.dumps({"apex": 1, "accept": [
        {"tee": "nitro", "measurements": ["11" * 48], "maximum_age_s": 60, "nitro": {"allow": ["debug"], "pcr1": ["11" * 48], "pcr8": ["22" * 48]}}]}).encode())
    save("certificate", "vcek", leaf)
    save("certificate", "vlek", load("snp/milan-v3-aws-vlek/leaf.der"))
    save("certificate", "turin", load("snp/turin-v5-microsoft/leaf.pem"))
    save("certificate", "chain", load("snp/genoa-v5-yaxi/leaf.pem") + load("roots/amd/genoa_ask.pem") + load("roots/amd/genoa_ark.pem"))
    save("certificate", "nitro-root", load("roots/aws/nitro_root_g1.pem"))
    save("certificate", "crl", crl)


main()
