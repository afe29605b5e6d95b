#!/usr/bin/python3
"""Writes the seeds of fuzz_peer. Run from the source root."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/e2e"))
from wire import dumps  # noqa: E402


def key(n, length=32):
    return bytes([n]) * length


evidence = dumps({1: "apex/evidence/v1", 2: "sim", 3: b"report", 4: b""})
share = {1: "apex/share/v1", 2: 1, 3: 2, 4: 3, 5: key(5), 6: key(6), 7: key(7), 8: key(8, 64)}
holder = {"name": "kauri", "sign": "dd" * 32, "seal": "ee" * 32}
seeds = {
    "hello": (0, dumps({1: evidence, 2: key(2), 3: key(3), 4: key(4), 5: key(5, 33), 6: key(6)})),
    "offer": (0, dumps({1: evidence, 2: key(2), 3: key(3), 4: key(4), 5: key(5), 6: key(6, 64)})),
    "grant": (0, dumps({1: key(1), 2: key(2, 80), 3: b"note\n", 4: 70000, 5: key(5, 64)})),
    "shares": (1, dumps({1: key(1), 2: [[key(2), key(3, 200)], [key(4), key(5, 200)]]})),
    "share": (1, dumps(share)),
    "recover": (1, dumps({1: "apex/recover/v1", 2: key(2), 3: key(3, 200)})),
    "recovered": (1, dumps({1: 1, 2: 2})),
    "policy": (2, json.dumps({"apex": 1, "threshold": 1, "holders": [holder]}).encode()),
    "sealed": (3, dumps({1: "apex/sealed-root/v1", 2: "sim", 3: b"nothing", 4: key(4, 112)})),
    "document": (4, dumps({"Attestation": {"document": b"document"}})),
    "pcr": (4, dumps({"DescribePCR": {"data": key(1, 48)}})),
    "error": (4, dumps({"Error": "InputTooLarge"})),
}
os.makedirs(f"{HERE}/peer", exist_ok=True)
for name, (first, data) in seeds.items():
    open(f"{HERE}/peer/{name}", "wb").write(bytes([first]) + data)
