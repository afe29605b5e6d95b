#!/usr/bin/env python3
"""Seeds for fuzz_snp, fuzz_nitro and fuzz_certificate, from the evidence in ../shared/vectors/attestation. Run from the source root."""
import os

VECTORS = "../shared/vectors/attestation/"
CORPUS = "fuzz/corpus/"


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
    save("certificate", "vcek", leaf)
    save("certificate", "vlek", load("snp/milan-v3-aws-vlek/leaf.der"))
    save("certificate", "turin", load("snp/turin-v5-microsoft/leaf.pem"))
    save("certificate", "chain", load("snp/genoa-v5-yaxi/leaf.pem") + load("roots/amd/genoa_ask.pem") + load("roots/amd/genoa_ark.pem"))
    save("certificate", "nitro-root", load("roots/aws/nitro_root_g1.pem"))
    save("certificate", "crl", crl)


main()
