"""Byte forms that makers of seeds share: deterministic CBOR, groups of a table, files of a corpus."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def seed(target, name, data):
    folder = os.path.join(HERE, target)
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, name), "wb").write(data if isinstance(data, bytes) else data.encode())


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, fmt in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if n < 1 << 8 * struct.calcsize(fmt):
            return bytes([major << 5 | info]) + struct.pack(fmt, n)


def cbor(v):
    if isinstance(v, bool):
        return b"\xf5" if v else b"\xf4"
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, float):
        return b"\xfb" + struct.pack(">d", v)
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(map(cbor, v))
    return head(5, len(v)) + b"".join(cbor(k) + cbor(x) for k, x in v.items())


def table(rows, columns):
    """A last group; columns: (type, name, struct code or None for categories, cells with None for a missing one)."""
    pad = lambda b, n: b + bytes(-len(b) % n)
    length = len(pad(b"".join(bytes(20) + pad(name.encode(), 4) for _, name, _, _ in columns) + bytes(16), 64))
    heads, body = b"", b""
    for kind, name, code, cells in columns:
        texts = sorted({c.encode() for c in cells if c is not None}) if code is None else []
        values = [0 if c is None else texts.index(c.encode()) if code is None else c for c in cells]
        missing = None in cells
        offsets = [length + len(body), 0, 0, 0]
        body += pad(struct.pack("<%d%s" % (rows, code or "I"), *values), 64)
        if missing:
            offsets[1] = length + len(body)
            body += pad(sum(1 << i for i, c in enumerate(cells) if c is not None).to_bytes((rows + 7) // 8, "little"), 64)
        if code is None:
            texts = struct.pack("<I", len(texts)) + b"".join(struct.pack("<H", len(t)) + t for t in texts)
            offsets[2:] = [length + len(body), len(texts)]
            body += pad(texts, 64)
        heads += struct.pack("<BBH4I", kind, missing, len(name), *offsets) + pad(name.encode(), 4)
    return pad(b"APXG" + struct.pack("<HHII", 1, len(columns), rows, length) + heads, 64) + body
