#!/usr/bin/env python3
"""Seeds for the targets of the common rooms and the client, from the tree's own files and a few forms written by hand."""
import json
import os
import struct

from forms import cbor, seed, table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
K = "11" * 32


A, H = b"a" * 32, b"h" * 32
PROOF = {1: b"note", 2: [H], 3: [H, H]}
ACTS = {"deploy": (1, {}), "contribute": (3, {1: "customers", 2: H}), "withdraw": (4, {1: 7}), "run": (5, {1: "sites", 2: H, 3: H, 4: H})}
for name, (kind, body) in ACTS.items():
    act = cbor({1: "apex/act/v1", 2: kind, 3: A, 4: 1790000000000, 5: b"n" * 16, 6: [3, H], 7: body})
    seed("wire", "act-" + name, b"\x01" + act)
    seed("wire", "entry-" + name, b"\x00" + cbor({1: "apex/entry/v1", 2: kind, 3: 5, 4: 6, 5: A, 6: act, 7: {}}))
seed("wire", "entry-result", b"\x00" + cbor({1: "apex/entry/v1", 2: 6, 3: 5, 4: 6, 5: A, 7: {1: 4, 2: H, 3: H, 4: H, 5: [[3, H]], 6: [[A, H], [H, H]], 7: H}}))
seed("wire", "entry-refuse", b"\x00" + cbor({1: "apex/entry/v1", 2: 7, 3: 5, 4: 6, 5: A, 7: {1: 4, 2: 1, 3: 30, 4: "why"}}))
seed("wire", "entry-enclave", b"\x00" + cbor({1: "apex/entry/v1", 2: 9, 3: 5, 4: 6, 5: b"", 7: {1: b"evidence", 2: A, 3: A, 4: A, 5: b"c" * 33}}))
seed("wire", "body-act", b"\x02" + cbor({1: 4, 2: b"entry", 3: PROOF}))
seed("wire", "body-attest", b"\x02" + cbor({1: b"evidence", 2: A, 3: A, 4: A, 5: "origin", 6: PROOF, 7: b"c" * 33}))
seed("wire", "body-contract", b"\x02" + cbor({1: A, 2: 2, 3: [1, 2, 300], 4: PROOF}))
seed("wire", "body-statement", b"\x02" + cbor({1: 4, 2: b"w" * 96, 3: H, 4: H, 5: 1, 6: PROOF}))
seed("wire", "query-statement", b"\x03" + cbor({1: H, 2: [3, H], 3: 2, 4: 31337, 5: b"r" * 20, 6: b"p" * 20}))
seed("wire", "body-run", b"\x02" + cbor({1: 2, 2: 0, 3: 500}))
seed("wire", "message", b"\x03" + cbor({1: "apex/message/v1", 2: 4, 3: cbor({1: H, 2: [3, H], 3: 2})}))
seed("wire", "query", b"\x03" + cbor({1: H, 2: [3, H], 3: 2}))
seed("wire", "reply", b"\x03" + cbor({1: "apex/reply/v1", 2: H, 3: 4, 4: 9, 5: "detail", 6: b"", 7: b"sealed"}))
seed("wire", "package", b"\x03" + cbor({1: "apex/result/v1", 2: A, 3: 9, 4: "sites", 5: b"request", 6: b"{}"}))
seed("wire", "cose", b"\x03" + cbor([cbor({1: -8, 4: A}), {}, b"payload", b"s" * 64]))
seed("wire", "cbor", b"\x04" + cbor({1: [True, -5, 1.5, {"a": b"b"}], 2: "text"}))
for c in ("cluster", "classify"):
    text = open(os.path.join(ROOT, "contracts", c, "manifest.json")).read().replace("@PROGRAM@", K).replace("@TEE@", "sim").replace("@MEASUREMENT@", K).replace("@EXPIRES@", "2030-01-01T00:00:00Z")
    party = ", ".join(json.dumps({"name": n, "sign": s * 32, "seal": K, "may": ["contribute", "run", "receive", "approve"]}) for n, s in (("a", "12"), ("b", "13")))
    seed("text", "manifest-" + c, b"\x00" + text.replace("@PARTIES@", party).encode())
seed("text", "policy", b"\x01" + json.dumps({"apex": 1, "accept": [{"tee": "sim", "measurements": [K], "maximum_age_s": 5}], "distrust": ["sgx"], "log": {"origin": "o", "key": K}}).encode())
seed("text", "json", b"\x02" + b'{"a": [1, -2.5e3, "\\u00fc\\ud83d\\ude00", true, null], "b": {}}')
header = b"APXG" + struct.pack("<HHII", 1, 2, 3, 128)
column = struct.pack("<BBHIIII", 1, 0, 8, 128, 0, 0, 0) + b"latitude" + struct.pack("<BBHIIII", 5, 1, 5, 192, 256, 320, 12) + b"class\0\0\0"
group = (header + column).ljust(128, b"\0") + struct.pack("<iii", 1, -2, 3).ljust(64, b"\0") + struct.pack("<III", 0, 1, 0).ljust(64, b"\0") + b"\x03".ljust(64, b"\0")
seed("table", "two-columns", group + (struct.pack("<I", 2) + struct.pack("<H", 2) + b"AU" + struct.pack("<H", 2) + b"NZ").ljust(64, b"\0"))


seed("table", "all-types", table(3, [(1, "lat", "i", [-9, None, 7]), (2, "longitude", "i", [1, 2, 3]), (3, "f", "d", [0.5, None, -1e300]), (4, "int", "q", [1 << 62, -5, 0]),
                                     (5, "kind", None, ["b", None, "a"]), (6, "flag", "B", [1, 0, None]), (7, "date", "i", [0, -1, 20000]), (5, "same", None, ["x", "x", "x"])]))
seed("table", "nine-rows", table(9, [(6, "b", "B", [None] * 8 + [1]), (5, "c", None, [None] * 9)]))
note = "apex-log/test\n5\n" + "qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\u2014 apex-log/test " + "AAAA" * 22 + "AAA=\n"
seed("proof", "note", b"\x00" + note.encode())
seed("proof", "bundle", b"\x01\x00\x03abc\x00\x00\x00\x01x")
for i, path in enumerate(("tile/0/x001/x234/067", "tile/entries/001.p/17")):
    seed("proof", "path-%d" % i, b"\x02" + path.encode())
seed("proof", "evidence", b"\x03" + cbor({1: "apex/evidence/v1", 2: "sim", 3: cbor({1: "apex/sim/v1", 2: H, 3: b"r" * 64, 4: 5}), 4: b""}))
seed("proof", "sealed", b"\x04" + b"e" * 80)
NAMES = "latitude,longitude,class,n,f,b,d"
for i, text in enumerate((NAMES + "\n1,2,x,3,4.5,true,2026-11-23\n-90,180,,,,,\n", "\ufeff" + NAMES.replace(",", ";") + "\r\n1;2;\"a;\"\"b\";3;4;0;2000-02-29\r\n", NAMES + "\nx,200,y,1.5,nan,maybe,1900-02-29\n1,2\n",
                          '[{"latitude": 1, "longitude": 2, "class": "x", "n": 3, "f": 1e3, "b": true, "d": "2026-01-01"}]', '{"latitude": 1, "longitude": 2}\n{"longitude": 3, "latitude": 4}\n',
                          '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [175, -37]}, "properties": {"class": "a"}}]}')):
    seed("rows", "file-%d" % i, b"\x00" + text.encode())
seed("rows", "positions", b"\x01" + b"1,2,x,3,4.5,true,2026-11-23\n")
seed("rows", "mapped", b"\x02" + b"Lat,Lng,c,n,f,b,d,extra\n1,2,x,3,4.5,true,2026-11-23,zzz\n")
seed("receipt", "empty", b'{"apex": 1, "result": {}, "receipt": {}}')
demo = os.path.join(ROOT, "build/demo/result.json")
if os.path.exists(demo):
    seed("receipt", "demo", json.dumps(json.load(open(demo))).encode())
