#!/usr/bin/env python3
"""Seeds for fuzz_quote, fuzz_collateral and fuzz_firmware, from tests/vectors/intel.json. `make fuzz` adds the published quotes and collateral
(../shared/vectors/attestation) where they are."""
import base64
import json
import os
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
MADE = json.load(open(os.path.join(HERE, "../../tests/vectors/intel.json"), encoding="utf-8"))
CASES = {c["name"]: c for c in MADE["cases"]}


def seed(target, name, data):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as f:
        f.write(data)


def blob(name):
    return base64.b64decode(MADE["blobs"][name])


def quotes():
    for name in ("good", "good-v5-td-1.0", "good-v5-td-1.5", "sgx-v3", "sgx-v4", "sgx-v5"):
        seed("quote", name, b"".join(blob(b) for b in CASES[name]["quote"]))
    leaf = blob(CASES["good"]["quote"][1]).split(b"-----END")[0] + b"-----END CERTIFICATE-----\n"
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=leaf, stdout=subprocess.PIPE, check=True).stdout
    at = der.index(bytes.fromhex("06092a864886f84d010d01")) + 11
    assert der[at] == 4
    n = der[at + 1] & 0x7f if der[at + 1] & 0x80 else 0
    seed("quote", "extension", der[at + 2 + n:at + 2 + n + (int.from_bytes(der[at + 2:at + 2 + n], "big") if n else der[at + 1])])


def collateral():
    for name in ("good", "sw-hardening", "module-old-and-configuration", "sgx-v3", "sgx-tcb-info-version-2"):
        for part in ("tcb_info", "qe_identity")[:2 if name in ("good", "sgx-v3") else 1]:
            seed("collateral", f"{name}-{part}", blob(CASES[name]["parts"][part]))


def firmware():
    """tests/made_firmware.c's image."""
    size = 8192
    image = bytearray(i * 7 & 255 for i in range(size))
    guids = ["666588dc4a989847a75e5585a7bf67cc", "1f3755723b3a044b927b1da6efa8d454", "de71f7007e1acb4f890e68c77e2fb44e",
             "35657ae44a989847865e4685a7bf8ec2"]
    words = [0x400, 0x810c00, 0x80b004, 0x600]
    at = size - 50
    struct.pack_into("<H16s", image, at, 18 + 4 * 22, bytes.fromhex("de82b596b21ff745baeaa366c55a082d"))
    for word, guid in zip(words, guids):
        at -= 22
        struct.pack_into("<IH16s", image, at, word, 22, bytes.fromhex(guid))
    struct.pack_into("<4s15I", image, size - 0x400, b"ASEV", 64, 1, 4, 0x800000, 0x9000, 1, 0x80d000, 0x1000, 2, 0x80e000, 0x1000, 3, 0x810000,
                     0x1000, 0x10)
    struct.pack_into("<4s3I", image, size - 0x600, b"TDVF", 112, 1, 3)
    for i, section in enumerate(((0, 0x2000, 0xffffe000, 0x2000, 0, 1), (0, 0, 0x810000, 0x3000, 3, 0), (0, 0, 0x100000, 0x1000, 4, 2))):
        struct.pack_into("<2I2Q2I", image, size - 0x600 + 16 + 32 * i, *section)
    seed("firmware", "two-pages", bytes(image))


quotes()
collateral()
firmware()
