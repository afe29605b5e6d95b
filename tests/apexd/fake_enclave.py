#!/usr/bin/python3
"""Speaks the enclave's side of common/wire/frame.h for test_apexd.py and does what messages tell it to.

A message is JSON, {"do": ...}; anything else (the host's own CBOR queries) is answered with what run_reply says. At start it looks
into its --state folder: a file `refuse` makes it exit 3, `die` exit 1, `mute` makes it read nothing."""
import json
import os
import select
import socket
import struct
import sys
import threading
import time

MESSAGE, ANSWER, REPLY, CALL, EVENT = 1, 2, 3, 4, 5
link = socket.socket(fileno=3)
writing, waiting, changed = threading.Lock(), {}, threading.Condition()
runs = {}  # run: (state, entry, permille): what a run query is answered with
meanwhile = {}  # run: the event that overtakes the next answer to a query
deaf = threading.Event()  # set: nobody reads the link any more
state_folder = sys.argv[sys.argv.index("--state") + 1]


def raw(data):
    with writing:
        link.sendall(data)


def send(kind, number, payload):
    raw(struct.pack(">IBI", 5 + len(payload), kind, number) + payload)


def call(op, payload):
    with changed:
        number = max(waiting, default=0) + 1
        waiting[number] = None
    send(CALL, number, bytes([op]) + payload)
    with changed:
        changed.wait_for(lambda: waiting[number] is not None)
        return waiting[number]


def say(run, state, permille, entry):
    runs[run] = (state, entry, permille)
    send(EVENT, 0, struct.pack(">QBHQ", run, state, permille, entry))


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    size, code = next((s, c) for s, c in ((1, 24), (2, 25), (4, 26), (8, 27)) if n < 1 << 8 * s)
    return bytes([major << 5 | code]) + n.to_bytes(size, "big")


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def run_reply(message):
    """What the enclave would answer to a run query; unsigned, since the host cannot tell."""
    known = [k for k in runs if message.endswith(cbor({1: bytes(32), 2: k}))]
    answer = dict(zip((1, 2, 3), runs[known[0]])) if known else None
    if known and known[0] in meanwhile:
        say(*meanwhile.pop(known[0]))
    body = cbor(answer) if known else b""
    payload = cbor({1: "apex/reply/v1", 2: bytes(32), 3: 0 if known else 9, 4: 0 if known else 41, 5: "", 6: body, 7: b""})
    return cbor([cbor({1: -8, 4: bytes(32)}), {}, payload, bytes(64)])


def facts():
    return {"environ": open("/proc/self/environ", "rb").read().decode(), "argv": sys.argv[1:], "pid": os.getpid(),
            "fds": sorted(int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}"))}


def act(order, number, message):
    do = order["do"]
    if do == "echo":
        time.sleep(order.get("ms", 0) / 1000)
        return message
    if do == "facts":
        return json.dumps(facts()).encode()
    if do == "call":
        answer = call(order["op"], bytes.fromhex(order["hex"]) + bytes(order.get("zeros", 0)))
        return answer[:1] + answer[1:4096]
    if do == "event":
        for event in order["events"]:
            say(*event)
        return b"done"
    if do == "hold":  # the run tells when the message is here, and when its late reply is on its way
        say(order["run"], 2, 0, 0)
        while not os.path.exists(os.path.join(state_folder, "go")):
            time.sleep(0.02)
        send(REPLY, number, message)
        say(order["run"], 3, 1000, 1)
        return None
    if do == "know":
        runs[order["run"]] = tuple(order["as"])
        if "meanwhile" in order:
            meanwhile[order["run"]] = order["meanwhile"]
        return b"done"
    if do == "raw":
        raw(bytes.fromhex(order["hex"]))
        return b"done"
    if do == "flood":
        deaf.set()  # the answers are large and nobody takes them, so the host cannot keep up
        get = bytes([1]) + bytes.fromhex(order["blob"]) + struct.pack(">QI", 0, order["len"])
        raw(b"".join(struct.pack(">IBI", 5 + len(get), CALL, 1000000 + i) + get for i in range(order["n"])))
        end = select.poll()
        end.register(link, 0)
        end.poll()
        os._exit(0)
    if do == "die":
        os._exit(order["code"])
    return b"" if do == "empty" else None  # "nothing": never answered


def serve(number, message):
    try:
        order = json.loads(message)
        reply = act(order, number, message)
    except (ValueError, UnicodeDecodeError):
        reply = run_reply(message)
    if reply is not None:
        send(REPLY, number, reply)


def read(n):
    data = b""
    while len(data) < n:
        piece = link.recv(n - len(data))
        while deaf.is_set():
            time.sleep(1)
        if not piece:
            os._exit(0)
        data += piece
    return data


def main():
    for name, code in (("refuse", 3), ("die", 1)):
        if os.path.exists(os.path.join(state_folder, name)):
            sys.exit(code)
    while os.path.exists(os.path.join(state_folder, "mute")):
        time.sleep(0.05)
    while True:
        length, kind, number = struct.unpack(">IBI", read(9))
        payload = read(length - 5)
        if kind == ANSWER:
            with changed:
                waiting[number] = payload
                changed.notify_all()
        else:
            threading.Thread(target=serve, args=(number, payload), daemon=True).start()


main()
