#!/usr/bin/env python3
"""Seeds for the chain target: replies of an RPC, a log entry of the register, a transaction, RLP."""
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = dict(re.findall(r'#define V_(\w+) "([^"]*)"', open(os.path.join(HERE, "../../tests/chain/vectors.h")).read()))


def seed(name, data):
    folder = os.path.join(HERE, "chain")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, name), "wb").write(data if isinstance(data, bytes) else data.encode())


def reply(name, result):
    seed("reply-" + name, b"\x00" + json.dumps({"jsonrpc": "2.0", "id": 7, "result": result}).encode())


# Keccak-256 of the signature of Anchored in chain/ApexRegistry.sol
ANCHORED = "52c7860194bb50fdfe87a6ad202ba26d3c3f7d1a83215f34dd1b3b6732b9e09b"
LOG, SIZE = "11" * 32, "%064x" % 5
DATA = "22" * 32 + "%064x" % 3 + "33" * 32 + "44" * 32 + "%064x" % 27
EVENT = {"address": "0x" + "00" * 20, "topics": ["0x" + ANCHORED, "0x" + LOG, "0x" + SIZE], "data": "0x" + DATA, "blockNumber": "0x4", "transactionHash": "0x" + "55" * 32, "removed": False}
reply("number", "0x7a69")
reply("null", None)
reply("head", "0x" + "".join("%064x" % n for n in (5, 4, 2)) + "66" * 32)
reply("run", "0x" + "77" * 32 + "00" * 12 + "88" * 20 + "%064x" % 9)
reply("block", {"number": "0x4", "hash": "0x" + "99" * 32, "baseFeePerGas": "0x3b9aca00"})
reply("logs", [EVENT, EVENT])
reply("event", EVENT)
seed("error", b"\x00" + json.dumps({"jsonrpc": "2.0", "id": 7, "error": {"code": -32000, "message": "reverted"}}).encode())
seed("event", b"\x01\x03" + bytes.fromhex(ANCHORED + LOG + SIZE + DATA))
for i in range(3):
    seed("tx-%d" % i, b"\x02" + bytes.fromhex(VECTORS["TX%d_RAW" % i]))
seed("rlp", b"\x03" + bytes.fromhex(VECTORS["RLP"]))
