"""The little of CBOR, COSE and the node's messages that hostile tests need to say things no client would."""
import struct
import urllib.request

from apexlib import PATIENCE


def head(major, n):
    for size, code in ((24, None), (1 << 8, 24), (1 << 16, 25), (1 << 32, 26), (1 << 64, 27)):
        if n < size:
            return bytes([major << 5 | n]) if code is None else bytes([major << 5 | code]) + n.to_bytes(1 << (code - 24), "big")
    raise ValueError(n)


def dumps(x):
    if isinstance(x, int):
        return head(0, x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        return head(3, len(x.encode())) + x.encode()
    if isinstance(x, list):
        return head(4, len(x)) + b"".join(map(dumps, x))
    return head(5, len(x)) + b"".join(dumps(k) + dumps(v) for k, v in x.items())


def read(b, at=0):
    """(item, where it ends); negative numbers are all a COSE header needs."""
    major, low = b[at] >> 5, b[at] & 31
    at += 1
    if low >= 24:
        width = 1 << (low - 24)
        low, at = int.from_bytes(b[at:at + width], "big"), at + width
    if major == 0:
        return low, at
    if major == 1:
        return -1 - low, at
    if major in (2, 3):
        raw = bytes(b[at:at + low])
        return (raw if major == 2 else raw.decode()), at + low
    items = []
    for _ in range(low * (2 if major == 5 else 1)):
        item, at = read(b, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if major == 5 else items), at


def loads(b):
    return read(b)[0]


HELLO, JOIN, ADMIT, RECEIVE, SHARES, RECOVER = range(7, 13)


def message(url, kind, body):
    """(refusal code, detail, body) of the signed reply."""
    data = dumps({1: "apex/message/v1", 2: kind, 3: body})
    reply = urllib.request.urlopen(urllib.request.Request(url + "/message", data=data, method="POST"), timeout=PATIENCE).read()
    payload = loads(loads(reply)[2])
    return payload[4], payload[5], payload[6]


def query(url, kind):
    return message(url, kind, dumps({1: bytes(32)}))


def bundle(data):
    while data:
        n = struct.unpack(">H", data[:2])[0]
        yield data[2:2 + n]
        data = data[2 + n:]
