#!/usr/bin/python3
"""Writes the seeds of fuzz_host_http, fuzz_host_link and fuzz_host_calls. Run from the source root."""
import base64
import hashlib
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def put(target, name, data):
    os.makedirs(f"{HERE}/{target}", exist_ok=True)
    with open(f"{HERE}/{target}/{name}", "wb") as f:
        f.write(data)


def frame(kind, number, payload):
    return struct.pack(">IBI", 5 + len(payload), kind, number) + payload


for i, text in enumerate((
        "/message", "/checkpoint", "/tile/0/000", "/tile/entries/x001/234.p/17", "/blob/" + "0f" * 32, "/attestation",
        "/attestation?nonce=" + "ab" * 32, "/runs/0", "/runs/9223372036854775807/events", "/healthz", "/metrics", "bytes=0-9", "bytes=5-",
        "bytes=-7", "bytes 0-99/100", "bytes 5-5/9223372036854775807", "/blob/..%2f%00")):
    put("host_http", f"{i:02}", text.encode())

blob = b"a blob"
entry = b"an entry"
bundle = struct.pack(">H", len(entry)) + entry
root = base64.b64encode(hashlib.sha256(b"\0" + entry).digest()).decode()
note = f"apex-log/test\n1\n{root}\n\n\u2014 apex-log/test AAAAAAAAAAA=\n".encode()
calls = {
    "get": b"\1" + hashlib.sha256(blob).digest() + struct.pack(">QI", 0, 100), "put": b"\2" + blob, "read": b"\3" + struct.pack(">QI", 0, 4096),
    "append": b"\4" + struct.pack(">Q", 0) + bundle, "append2": b"\4" + struct.pack(">Q", 1) + bundle * 2, "checkpoint_put": b"\5" + note,
    "checkpoint_get": b"\6", "piece": b"\7" + bytes(8) + blob, "finish": b"\x08" + struct.pack(">Q", 1), "root_get": b"\x10",
    "root_put": b"\x11sealed"}
for name, data in calls.items():
    put("host_calls", name, data)
    put("host_link", "call_" + name, frame(4, 1, data))
put("host_link", "reply", frame(3, 1, b"hello") + frame(3, 1, b"again"))
put("host_link", "event", frame(5, 0, struct.pack(">QBHQ", 7, 2, 500, 0)) + frame(5, 0, struct.pack(">QBHQ", 7, 3, 1000, 9)))
put("host_link", "many", b"".join(frame(4, i, data) for i, data in enumerate(calls.values())))
