#!/usr/bin/python3
"""apexd over real HTTP, with tests/apexd/fake_enclave.py behind it. Usage: test_apexd.py APEXD"""
import base64
import concurrent.futures
import datetime
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
from node import APEXD, ENCLAVE, UP_S, Node, equal, folder, gone, sha, wait_for  # noqa: E402

NULL = "0" * 64
AT_ONCE = 4
STALLED_S = 2  # an upload silent for that long may be taken over by another of the same blob
STOP_S = 10  # how long apexd waits, when it ends, for work under way


# ---- starting ----

def start(*words):
    return subprocess.run([APEXD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=UP_S)


def wrong_command_lines_are_refused_with_a_sentence_that_helps():
    data = folder()
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    plain_file = os.path.join(data, "file")
    open(plain_file, "w").close()
    good = ["--data", os.path.join(data, "d"), "--enclave", ENCLAVE]
    for words, code, says in (
            ([], 2, "--data DIR is missing"), (["--data", data], 2, "--enclave PATH is missing"), (["--frob", "1"], 2, "--frob"),
            (["extra"], 2, "extra"), (["--data"], 2, "value is missing"), (good + ["--tee", "magic"], 2, "--tee is one of"),
            (good + ["--connections", "0"], 2, "--connections"), (good + ["--connections", "many"], 2, "whole number"),
            (good + ["--idle-s", "-1"], 2, "--idle-s"), (good + ["--deployer", "AB" * 32], 2, "64 lower-case hex digits"), (good + ["--listen", "localhost:1"], 2, "127.0.0.1:8440"),
            (good + ["--listen", "127.0.0.1:99999"], 2, "ADDRESS:PORT"), (good + ["--listen", "127.0.0.1"], 2, "ADDRESS:PORT"),
            (["--data", data, "--enclave", "/nowhere/apex-enclave"], 2, "missing or cannot be run"),
            (["--data", data, "--enclave", data], 2, "missing or cannot be run"),
            (["--data", plain_file, "--enclave", ENCLAVE], 3, "cannot write into the data folder"),
            (["--data", "/nowhere/deep/down", "--enclave", ENCLAVE], 3, "cannot make the data folder"),
            (good + ["--listen", f"127.0.0.1:{port}"], 5, "cannot listen on")):
        done = start(*words)
        equal((done.returncode, done.stdout), (code, ""), words)
        assert says in done.stderr and done.stderr.startswith("apexd: ") and done.stderr.count("\n") == 1, (words, done.stderr)
    taken.close()
    shutil.rmtree(data)


def help_and_version_are_given():
    done = start("--help")
    equal((done.returncode, done.stderr), (0, ""))
    for word in ("--data", "--listen", "--tee", "--enclave", "docs/http.md", "SIGTERM"):
        assert word in done.stdout, word
    equal(re.fullmatch(r"apexd \d+\.\d+\.\d+\n", start("--version").stdout) is not None, True)


def a_data_folder_serves_one_apexd_at_a_time():
    with Node() as n:
        done = start("--data", n.data, "--enclave", ENCLAVE, "--listen", "127.0.0.1:0")
        equal(done.returncode, 3)
        assert "in use by another apexd" in done.stderr, done.stderr
        equal(n.health()["ok"], True)


def the_enclave_gets_no_environment_and_four_descriptors():
    with Node() as n:
        facts = json.loads(n.tell(do="facts").body)
        equal(facts["environ"], "")
        equal(facts["argv"], ["--tee", "sim", "--link-fd", "3", "--state", os.path.join(n.data, "enclave")])
        equal(facts["fds"], [0, 1, 2, 3])


# ---- addresses and methods ----

def addresses_that_do_not_read_are_refused():
    with Node() as n:
        for path, code in (
                ("/", 404), ("/favicon.ico", 404), ("//checkpoint", 404), ("/checkpoint/", 404), ("/checkpoint%00", 404),
                ("/checkpoint?x=1", 404), ("/%63heckpoint", 404), ("/blob", 404), ("/blob/", 400), ("/blob/" + NULL[1:], 400),
                ("/blob/" + NULL + "0", 400), ("/blob/" + "A" * 64, 400), ("/blob/../lock", 400), ("/blob/%2e%2e/lock", 400),
                ("/blob/" + NULL[:61] + "%00", 400), ("/../../etc/passwd", 404), ("/tile/", 400), ("/tile/../checkpoint", 400),
                ("/tile/0/../../lock", 400), ("/tile/0/000/", 400), ("/tile/0/1", 400), ("/tile/0/000.p/256", 400),
                ("/tile/0/000.p/0", 400), ("/tile/9/000", 400), ("/tile/entries/x", 400), ("/tile/0/000%00", 400), ("/runs/", 400),
                ("/runs/-1", 400), ("/runs/01", 400), ("/runs/1/", 400), ("/runs/1/event", 400), ("/runs/0x1", 400),
                ("/runs/99999999999999999999", 400), ("/runs/9223372036854775808", 400), ("/attestation?nonce=" + NULL[1:], 400),
                ("/attestation?nonce=" + NULL + "&x=1", 400), ("/attestation?x=" + NULL, 400), ("/attestations", 404),
                ("/" + "x" * 300, 414), ("/blob/" + "0" * 5000, 414)):
            for method in ("GET", "PUT"):
                a = n.ask(method, path, b"" if method == "PUT" else None)
                equal(a.code, code, (method, path))
                a.error()
        equal(n.health()["ok"], True)


def each_address_takes_its_methods_and_names_them():
    with Node() as n:
        for path, allow in (("/message", "POST"), ("/checkpoint", "GET, HEAD"), ("/tile/0/000", "GET, HEAD"), ("/runs/1/events", "GET"),
                            ("/blob/" + NULL, "GET, HEAD, PUT"), ("/attestation", "GET"), ("/runs/1", "GET"), ("/healthz", "GET, HEAD"),
                            ("/metrics", "GET, HEAD")):
            for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"):
                if method in allow.split(", "):
                    continue
                a = n.ask(method, path, b"x" if method in ("PUT", "POST") else None)
                equal((a.code, a.headers.get("allow")), (405, allow), (method, path))


def bytes_that_are_no_http_do_no_harm():
    random.seed(7)
    with Node() as n:
        for data in (b"\0" * 100, b"GET\r\n\r\n", b"\r\n" * 50, b"GET / HTTP/9.9\r\n\r\n", b"GET /check\0point HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 50000, b"PUT /blob/" + NULL.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                     b"POST /message HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nx",
                     b"POST /message HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
                     b"POST /message HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", b"GET /healthz HTTP/1.1\r\nHost: x",
                     *(bytes(random.randrange(256) for _ in range(random.randrange(1, 400))) for _ in range(200))):
            n.raw(data)
        equal(n.health()["ok"], True)


# ---- messages ----

def a_message_gets_the_enclaves_reply_byte_for_byte():
    with Node() as n:
        for size in (1, 2, 1000, 65536):
            body = json.dumps({"do": "echo", "x": ""}).encode()
            body = body[:-2] + b"y" * max(0, size - len(body)) + b'"}'
            a = n.ask("POST", "/message", body)
            equal((a.code, a.body == body), (200, True), size)


def many_messages_at_once_each_get_their_own_reply():
    wrong = []

    def one(n, i):
        for k in range(5):
            order = json.dumps({"do": "echo", "i": i, "k": k, "ms": (i * 7 + k * 13) % 50}).encode()
            if n.ask("POST", "/message", order).body != order:
                wrong.append((i, k))

    with Node() as n:
        threads = [threading.Thread(target=one, args=(n, i)) for i in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(wrong, [])
        equal(n.metric("apexd_message_seconds_count"), 200.0)
        equal(n.metric('apexd_message_seconds_bucket{le="+Inf"}'), 200.0)


def messages_too_long_or_empty_are_refused():
    with Node() as n:
        for body, headers, code in ((b"", {}, 400), (b"x" * 65537, {}, 413), (iter([b"x" * 40000, b"y" * 40000]), {}, 413)):
            a = n.ask("POST", "/message", body, headers)
            equal(a.code, code)
            a.error()


def no_reply_is_said_to_be_none():
    with Node(None, "--message-timeout-s", "1") as n:
        for order in ({"do": "empty"}, {"do": "nothing"}):
            a = n.tell(**order)
            equal((a.code, a.headers["retry-after"]), (503, "2"))
            a.error()
        wait_for(lambda: n.tell(do="echo").code == 200, "a reply within the second")


def attestation_is_the_reply_to_an_attest_message():
    with Node() as n:
        for path in ("/attestation", "/attestation?nonce=" + "ab" * 32):
            a = n.ask("GET", path)
            equal((a.code, a.headers["cache-control"]), (200, "no-store"))
            assert b"apex/reply/v1" in a.body


# ---- blobs ----

def range_of(first, last, total):
    return {"Content-Range": f"bytes {first}-{last}/{total}"}


def a_blob_is_put_and_got_whole_or_in_part():
    data = os.urandom(300000)
    path = "/blob/" + sha(data)
    with Node() as n:
        a = n.ask("HEAD", path)
        equal((a.code, a.headers["upload-offset"]), (404, "0"))
        equal(n.ask("PUT", path, data).code, 201)
        a = n.ask("HEAD", path)
        equal((a.code, a.headers["content-length"], a.body), (200, "300000", b""))
        a = n.ask("GET", path)
        equal((a.code, a.body == data, a.headers["etag"]), (200, True, f'"{sha(data)}"'))
        for said, code, first, last in (
                ("bytes=0-0", 206, 0, 0), ("bytes=5-9", 206, 5, 9), ("bytes=299999-", 206, 299999, 299999), ("bytes=0-", 206, 0, 299999),
                ("bytes=-1", 206, 299999, 299999), ("bytes=-400000", 206, 0, 299999), ("bytes=5-400000", 206, 5, 299999),
                ("bytes=0-18446744073709551615", 200, 0, 299999), ("bytes=1-2,4-5", 200, 0, 299999), ("bytes=9-5", 200, 0, 299999),
                ("bytes=x", 200, 0, 299999), ("lines=1-2", 200, 0, 299999), ("bytes=300000-", 416, 0, 0), ("bytes=-0", 416, 0, 0),
                ("bytes=9223372036854775807-", 416, 0, 0)):
            a = n.ask("GET", path, headers={"Range": said})
            equal(a.code, code, said)
            if code == 416:
                equal(a.headers["content-range"], "bytes */300000", said)
                continue
            equal(a.body == data[first:last + 1], True, said)
            if code == 206:
                equal(a.headers["content-range"], f"bytes {first}-{last}/300000", said)
        equal(n.ask("GET", path, headers={"Range": "bytes=0-0", "If-Range": '"other"'}).code, 200)
        equal(n.ask("PUT", path, data).code, 201)
        empty = "/blob/" + sha(b"")
        equal(n.ask("PUT", empty, b"").code, 201)
        equal((n.ask("GET", empty).code, n.ask("GET", empty, headers={"Range": "bytes=0-"}).code), (200, 416))


def an_upload_goes_in_pieces_over_a_kill_of_the_host():
    data = os.urandom(100000)
    path = "/blob/" + sha(data)
    where = folder()
    n = Node(where)
    a = n.ask("PUT", path, data[:30000], range_of(0, 29999, 100000))
    equal((a.code, a.headers["upload-offset"]), (202, "30000"))
    equal((n.ask("GET", path).code, n.metric("apexd_uploads_unfinished")), (404, 1.0))
    n.process.kill()
    n.stop(expect=-signal.SIGKILL)
    with Node(where) as n:
        a = n.ask("HEAD", path)
        equal((a.code, a.headers["upload-offset"]), (404, "30000"))
        for first, last, total in ((0, 9, 100000), (29999, 30010, 100000), (30001, 30010, 100000), (30000, 30010, 100001)):
            a = n.ask("PUT", path, b"x" * (last - first + 1), range_of(first, last, total))
            equal((a.code, a.headers["upload-offset"]), (409, "30000"), first)
            a.error()
        equal(n.ask("PUT", path, data[30000:], range_of(30000, 99999, 100000)).code, 201)
        equal(n.ask("GET", path).body == data, True)
    shutil.rmtree(where)


def cut(n, path, data, sent, headers=""):
    with socket.create_connection(("127.0.0.1", n.port)) as s:
        s.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n{headers}\r\n".encode() + data[:sent])


def an_upload_cut_off_midway_resumes_where_it_broke():
    data = os.urandom(400000)
    path = "/blob/" + sha(data)
    with Node() as n:
        at = 0
        for sent in (1, 70000, 131072, 5):
            cut(n, path, data[at:], sent, f"Content-Range: bytes {at}-{len(data) - 1}/{len(data)}\r\n")
            wait_for(lambda: int(n.ask("HEAD", path).headers["upload-offset"]) == at + sent, "the part that came")
            equal(n.ask("GET", path).code, 404)
            at += sent
        equal(n.ask("PUT", path, data[at:], range_of(at, len(data) - 1, len(data))).code, 201)
        equal(n.ask("GET", path).body == data, True)


def uploads_that_do_not_fit_are_refused():
    with Node(None, "--max-blob-mib", "1") as n:
        path = "/blob/" + sha(b"x" * 100)
        for body, headers, code in (
                (b"y" * 100, {}, 422), (b"x" * 100, {"Content-Range": "bytes 0-99"}, 400), (b"x" * 100, range_of(0, 98, 100), 400),
                (b"x" * 100, range_of(0, 99, 99), 400), (b"x" * 100, {"Content-Range": "bytes 0-99/*"}, 400),
                (b"x" * 100, {"Content-Range": "bytes */100"}, 400), (b"x" * 100, {"Content-Range": "bytes -1-99/100"}, 400),
                (b"x" * 100, range_of(0, 99, (1 << 20) + 1), 413), (b"x" * ((1 << 20) + 1), {}, 413),
                (b"x" * 100, range_of(0, 99, 1 << 63), 400),
                (iter([b"x" * 100]), {}, 411)):
            a = n.ask("PUT", path, body, headers)
            equal(a.code, code, headers)
            a.error()
            equal(n.ask("HEAD", path).headers["upload-offset"], "0", headers)
        equal(n.ask("PUT", path, b"x" * 100).code, 201)


def a_refused_giant_is_told_before_it_is_sent():
    with Node(None, "--max-blob-mib", "1") as n:
        for line, length, more in ((f"PUT /blob/{NULL}", 99999999999, ""), (f"PUT /blob/{NULL}", 2 << 20, "Expect: 100-continue\r\n"),
                                   ("POST /message", 70000, "Expect: 100-continue\r\n")):
            got = n.raw(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode())
            assert got.startswith(b"HTTP/1.1 413 ") and b'"next"' in got, got


def many_upload_the_same_blob_at_once():
    data = os.urandom(3000000)
    path = "/blob/" + sha(data)
    codes = []

    def put():
        while True:
            began = time.monotonic()
            code = n.ask("PUT", path, data).code
            if code != 409 or time.monotonic() - began < STALLED_S:
                codes.append(code)
                return

    with Node() as n:
        threads = [threading.Thread(target=put) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(codes, [201] * 8)
        equal((n.ask("GET", path).body == data, n.metric("apexd_blobs"), n.metric("apexd_uploads_unfinished")), (True, 1.0, 0.0))


def a_full_disk_is_said_and_nothing_is_half_visible():
    data = os.urandom(2000000)
    path = "/blob/" + sha(data)
    with Node(within=["prlimit", "--fsize=1000000"]) as n:
        a = n.ask("PUT", path, data)
        equal(a.code, 507)
        a.error()
        equal((n.ask("GET", path).code, n.ask("HEAD", path).headers["upload-offset"]), (404, "0"))
        equal(n.ask("PUT", path, data[:900000], range_of(0, 899999, 2000000)).code, 202)
        equal(n.ask("PUT", path, data[900000:], range_of(900000, 1999999, 2000000)).code, 507)
        equal(n.ask("HEAD", path).headers["upload-offset"], "900000")
        equal(n.ask("PUT", "/blob/" + sha(b"small"), b"small").code, 201)
        token = n.tell(do="call", op=7, hex="00" * 8, zeros=900000).body
        equal(token[0], 0)
        equal(n.tell(do="call", op=7, hex=token[1:].hex(), zeros=900000).body, b"\3")
        equal(n.health()["ok"], True)


def a_really_full_file_system_is_said_too():
    where = folder()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", where], stderr=subprocess.DEVNULL).returncode:
        shutil.rmtree(where)
        return "needs root and mount; skipped here"
    try:
        with Node(where) as n:
            big, small = os.urandom(5000000), os.urandom(900000)
            equal(n.ask("PUT", "/blob/" + sha(big), big).code, 507)
            equal(n.ask("PUT", "/blob/" + sha(small), small).code, 201)
            with open(os.path.join(where, "filler"), "wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(bytes(4096))
                except OSError:
                    pass
            equal(n.ask("PUT", "/blob/" + sha(small[1:]), small[1:]).code, 507)
            equal(n.tell(do="call", op=2, hex="aa" * 5000).body, b"\3")
            equal(n.ask("GET", "/blob/" + sha(small[1:])).code, 404)
            equal(n.ask("GET", "/blob/" + sha(small)).body == small, True)
            os.unlink(os.path.join(where, "filler"))
            equal(n.ask("PUT", "/blob/" + sha(small[1:]), small[1:]).code, 201)
    finally:
        subprocess.run(["umount", "-l", where])
        shutil.rmtree(where, ignore_errors=True)


# ---- what the enclave asks ----

def the_enclaves_calls_are_answered():
    blob = os.urandom(5000)
    with Node() as n:
        def call(op, payload, zeros=0):
            a = n.tell(do="call", op=op, hex=payload.hex(), zeros=zeros)
            equal(a.code, 200)
            return a.body[0], a.body[1:]

        digest = bytes.fromhex(sha(blob))
        equal(call(2, blob), (0, digest))
        equal(n.ask("GET", "/blob/" + sha(blob)).body == blob, True)
        equal(call(1, digest + struct.pack(">QI", 10, 20)), (0, struct.pack(">Q", 5000) + blob[10:30]))
        equal(call(1, digest + struct.pack(">QI", 4990, 20)), (0, struct.pack(">Q", 5000) + blob[4990:]))
        equal(call(1, bytes(32) + struct.pack(">QI", 0, 20)), (1, b""))
        status, token = call(7, bytes(8) + blob[:2000])
        equal((status, len(token)), (0, 8))
        equal(call(7, token + blob[:3000]), (0, token))
        equal(call(8, token), (0, bytes.fromhex(sha(blob[:2000] + blob[:3000]))))
        equal(call(8, token), (1, b""))
        equal(call(16, b""), (0, b"\0"))  # no root secret is sealed yet, and nobody said to wait for one
        equal(call(17, b"sealed once"), (0, b""))
        equal(call(17, b"sealed again"), (0, b""))
        equal(call(16, b""), (0, b"\0sealed again"))
        for op, payload in ((0, b""), (99, b""), (16, b"x"), (17, b""), (17, b"x" * 1025), (255, b"x"), (1, b"short"), (1, digest + struct.pack(">QI", 0, 1 << 21)), (8, b""), (7, b"1"),
                            (3, b"1"), (4, b""), (1, digest + struct.pack(">QI", 5001, 1)), (8, token + b"x")):
            equal(call(op, payload)[0], 4, (op, payload))


def the_log_is_kept_and_served_as_static_files():
    entry = b"the first entry"
    bundle = struct.pack(">H", len(entry)) + entry
    root = base64.b64encode(bytes.fromhex(sha(b"\0" + entry))).decode()
    note = f"apex-log/test\n1\n{root}\n\n\u2014 apex-log/test AAAAAAAAAAA=\n".encode()
    with Node() as n:
        def call(op, payload):
            return n.tell(do="call", op=op, hex=payload.hex()).body

        a = n.ask("GET", "/checkpoint")
        equal(a.code, 404)
        a.error()
        equal(call(6, b""), b"\0")
        equal(call(4, struct.pack(">Q", 0) + bundle), b"\0")
        equal(call(5, note), b"\0")
        equal(call(6, b""), b"\0" + note)
        equal(call(3, struct.pack(">QI", 0, 65536)), b"\0" + bundle)
        equal(call(3, struct.pack(">QI", 1, 65536)), b"\1")
        a = n.ask("GET", "/checkpoint")
        equal((a.code, a.body, a.headers["cache-control"]), (200, note, "no-cache"))
        equal(n.ask("GET", "/tile/entries/000.p/1").body, bundle)
        equal(n.ask("GET", "/tile/0/000.p/1").body, bytes.fromhex(sha(b"\0" + entry)))
        for missing in ("/tile/0/000", "/tile/0/000.p/2", "/tile/1/000.p/1", "/tile/entries/x001/000"):
            a = n.ask("GET", missing)
            equal(a.code, 404, missing)
            a.error()
        equal((n.health()["log_size"], n.metric("apexd_log_entries")), (1, 1.0))


# ---- runs ----

def events_of(n, run, out):
    c = http.client.HTTPConnection("127.0.0.1", n.port, timeout=UP_S)
    c.request("GET", f"/runs/{run}/events")
    r = c.getresponse()
    out.append((r.status, r.getheader("Content-Type")))
    for line in r:
        if line.startswith(b"data: "):
            hint = json.loads(line[6:])
            if hint != out[-1]:  # after some seconds of silence the newest is told again
                out.append(hint)
    c.close()


def watch(n, run, watchers=1):
    got = [[] for _ in range(watchers)]
    threads = [threading.Thread(target=events_of, args=(n, run, g), daemon=True) for g in got]
    for t in threads:
        t.start()
    return got, threads


def hint(run, state, permille, entry):
    return {"run": run, "state": state, "task": "verified" if state == "released" else state, "permille": permille, "entry": entry}


def a_runs_events_are_streamed_until_it_ends():
    with Node() as n:
        n.tell(do="event", events=[[7, 1, 0, 0]])
        equal(json.loads(n.ask("GET", "/runs/7").body), hint(7, "requested", 0, 0))
        got, threads = watch(n, 7, watchers=5)
        wait_for(lambda: all(len(g) == 2 for g in got), "the first events")
        for seen, event in enumerate(([7, 2, 0, 0], [7, 2, 400, 0], [7, 3, 1000, 9]), start=3):
            n.tell(do="event", events=[[8, 2, 100 * seen, 0], event])
            wait_for(lambda: all(len(g) == seen for g in got), event)
        for t in threads:
            t.join(UP_S)
        want = [(200, "text/event-stream"), hint(7, "requested", 0, 0), hint(7, "running", 0, 0), hint(7, "running", 400, 0),
                hint(7, "released", 1000, 9)]
        for g in got:
            equal(g, want)
        equal(json.loads(n.ask("GET", "/runs/7").body), want[-1])
        for state, name, number in ((4, "refused", 20), (5, "failed", 21)):
            n.tell(do="event", events=[[number, state, 0, 30]])
            equal(json.loads(n.ask("GET", f"/runs/{number}").body)["state"], name)
        equal((n.metric('apexd_runs{state="released"}'), n.metric('apexd_runs{state="failed"}')), (1.0, 1.0))


def a_run_nothing_was_heard_of_is_asked_for():
    with Node() as n:
        n.tell(do="know", run=41, **{"as": [3, 44, 1000]})
        n.wait_run(41, "released")  # unknown, while the enclave does not answer within seconds
        equal(json.loads(n.ask("GET", "/runs/41").body), hint(41, "released", 1000, 44))
        equal(json.loads(n.ask("GET", "/runs/42").body), hint(42, "unknown", 0, 0))
        told = [(503, "application/json")]
        while told == [(503, "application/json")]:  # it did not answer in time
            (told,), threads = watch(n, 42)
            threads[0].join(UP_S)
        equal(told, [(200, "text/event-stream"), hint(42, "unknown", 0, 0)])


def an_answer_does_not_undo_an_event_that_came_meanwhile():
    with Node() as n:
        n.tell(do="know", run=43, **{"as": [2, 0, 100]}, meanwhile=[43, 2, 900, 0])
        n.wait_run(43, "running")
        equal(json.loads(n.ask("GET", "/runs/43").body), hint(43, "running", 900, 0))


def watchers_learn_the_end_of_a_run_over_a_death_of_the_enclave():
    with Node() as n:
        n.tell(do="event", events=[[5, 2, 100, 0]])
        got, threads = watch(n, 5)
        wait_for(lambda: len(got[0]) == 2, "the first event")
        os.kill(n.enclave_pid(), signal.SIGKILL)
        wait_for(lambda: n.metric("apexd_enclave_restarts_total") == 1.0, "the restart")
        n.tell_starting(do="event", events=[[5, 2, 0, 0], [5, 3, 1000, 6]])
        threads[0].join(UP_S)
        equal(threads[0].is_alive(), False)
        assert got[0][-1] in (hint(5, "released", 1000, 6), hint(5, "unknown", 0, 0)), got


# ---- an enclave that dies or is hostile ----

def an_enclave_that_is_killed_is_started_again():
    with Node() as n:
        pid = n.enclave_pid()
        lost = []
        t = threading.Thread(target=lambda: lost.append(n.tell(do="hold", run=1).code))
        t.start()
        n.wait_run(1, "running")
        os.kill(pid, signal.SIGKILL)
        t.join(UP_S)
        equal(lost, [503])
        equal(n.tell_starting(do="echo").code, 200)  # waits for the new one
        n.wait_enclave("up")
        equal((n.enclave_pid() != pid, n.metric("apexd_enclave_restarts_total"), n.metric("apexd_enclave_up")), (True, 1.0, 1.0))
        equal(n.ask("GET", "/healthz").code, 200)


def stamps(n, message):
    """When apexd logged it, in seconds."""
    return [datetime.datetime.fromisoformat(l[5:28] + "+00:00").timestamp() for l in n.lines() if f'msg="{message}"' in l]


def an_enclave_that_keeps_dying_is_not_started_in_a_tight_loop():
    with Node() as n:
        open(os.path.join(n.state, "die"), "w").close()
        clock = time.time() - time.monotonic()
        n.tell(do="die", code=1)
        wait_for(lambda: len(stamps(n, "enclave started")) >= 6, "six starts")
        ended, started = stamps(n, "enclave ended"), stamps(n, "enclave started")
        if abs(time.time() - time.monotonic() - clock) < 0.005:  # else somebody has set the clock, and stamps tell nothing
            for i in range(5):
                assert started[i + 1] - ended[i] >= 0.1 * 2**i - 0.01, (i, started, ended)
        a = n.ask("GET", "/healthz")
        equal(a.code, 503)
        a = n.tell(do="echo")
        equal(a.code, 503)
        a.error()
        equal(n.ask("PUT", "/blob/" + sha(b"z"), b"z").code, 201)  # the rest goes on
        os.unlink(os.path.join(n.state, "die"))
        n.wait_enclave("up")


def an_enclave_that_refuses_the_log_is_left_alone():
    with Node(refuse=True, wait="refused") as n:
        time.sleep(0.5)
        equal(sum('msg="enclave started"' in l for l in n.lines()), 1)
        a = n.ask("GET", "/healthz")
        equal((a.code, json.loads(a.body)["enclave"]), (503, "refused"))
        for method, path, body in (("POST", "/message", b"x"), ("GET", "/attestation", None)):
            a = n.ask(method, path, body)
            equal(a.code, 503)
            assert "refuses the stored log" in a.error()
        equal(n.ask("PUT", "/blob/" + sha(b"z"), b"z").code, 201)


def garbage_on_the_link_ends_the_enclave_and_not_the_host():
    def frame(kind, number, payload):
        return (struct.pack(">IBI", 5 + len(payload), kind, number) + payload).hex()

    cases = ["00" * 9, "ff" * 9, "00000004" + "03" + "00" * 4, "7fffffff" + "03" + "00" * 4, frame(0, 1, b""), frame(6, 1, b"x"), frame(1, 1, b"x"),
             frame(2, 1, b"\0"), frame(3, 999999, b"a reply to nothing"), frame(5, 0, b"short"), frame(5, 0, bytes(19)),
             frame(5, 0, struct.pack(">QBHQ", 1, 9, 0, 0)), frame(5, 0, struct.pack(">QBHQ", 1, 2, 1001, 0)),
             frame(5, 0, struct.pack(">QBHQ", 1, 2, 10, 0) + b"x")]
    for case in cases:
        with Node() as n:
            pid = n.enclave_pid()
            n.tell(do="raw", hex=case)
            wait_for(lambda: n.metric("apexd_enclave_restarts_total") == 1.0, case)
            equal(os.path.exists(f"/proc/{pid}"), False, case)
            equal(n.tell_starting(do="echo").code, 200, case)


def an_empty_call_and_a_late_reply_are_no_crime():
    with Node(None, "--message-timeout-s", "1") as n:
        equal(n.tell(do="hold", run=1).code, 503)
        open(os.path.join(n.state, "go"), "w").close()
        n.wait_run(1, "released")  # the late reply came just before
        wait_for(lambda: n.tell(do="raw", hex="000000050400000001").code == 200, "a reply within the second")  # a CALL without an op: answered BAD
        wait_for(lambda: n.tell(do="echo").code == 200, "a reply within the second")
        equal((sum('msg="enclave started"' in l for l in n.lines()), n.metric("apexd_enclave_restarts_total")), (1, 0.0))


def more_calls_than_allowed_end_the_enclave():
    with Node() as n:
        blob = os.urandom(1 << 20)
        equal(n.ask("PUT", "/blob/" + sha(blob), blob).code, 201)
        n.tell(do="flood", n=200, blob=sha(blob), len=len(blob))
        wait_for(lambda: n.metric("apexd_enclave_restarts_total") == 1.0, "the restart")
        n.wait_enclave("up")


# ---- slow senders, logs, metrics, the end ----

def closed(s):
    try:
        while s.recv(4096, socket.MSG_DONTWAIT):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def connected(n):
    return socket.create_connection(("127.0.0.1", n.port), timeout=UP_S)


def drip(*pairs):
    for s, drop in pairs:
        try:
            s.sendall(drop)
        except ConnectionError:
            pass
    time.sleep(0.1)
    return all(closed(s) for s, _ in pairs)


def patiently(ask):
    """None: cut off before the answer, by a limit that this machine was too slow for."""
    try:
        return ask()
    except (ConnectionError, http.client.HTTPException):
        return None


def who_is_silent_or_drips_is_cut_off():
    def counted(least):  # once they are cut off
        wait_for(lambda: (patiently(lambda: n.metric("apexd_slow_senders_total")) or 0) >= least, "the count of slow senders")

    with Node(None, "--idle-s", "600", "--head-s", "1", "--body-s", "600", wait=None) as n, connected(n) as silent, connected(n) as head:
        head.sendall(b"GET /healthz HTTP/1.1\r\n")
        wait_for(lambda: drip((head, b"A: b\r\n"), (silent, b"")), "the end of slow heads")
        counted(2)
    with Node(None, "--idle-s", "600", "--head-s", "600", "--body-s", "2") as n, connected(n) as body, connected(n) as lively:
        body.sendall(b"POST /message HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
        # Far ahead of the rate it must keep, so that a pause of this machine does not count as its own.
        lively.sendall(b"POST /message HTTP/1.1\r\nHost: x\r\nContent-Length: 65000\r\n\r\n" + b"y" * 45000)
        for _ in range(25):  # longer than the other one may take
            lively.sendall(b"y" * 800)
            drip((body, b"x"))
        wait_for(lambda: drip((body, b"x")), "the end of the slow body")
        assert lively.recv(100).startswith(b"HTTP/1.1 200"), "who sends steadily is served"
        counted(1)
    with Node(None, "--idle-s", "1", "--head-s", "600", wait=None) as n, connected(n) as silent:
        wait_for(lambda: closed(silent), "the end of who says nothing")


def connections_beyond_the_limit_are_turned_away_until_there_is_room():
    def served():
        return patiently(lambda: n.health()["ok"])

    with Node(None, "--connections", "4", "--head-s", "600", "--idle-s", "600", wait=None) as n:
        idle = []
        wait_for(served, "the enclave")
        wait_for(lambda: idle.append(connected(n)) or not served(), "the limit")
        for s in idle:
            s.close()
        wait_for(served, "room")
    with Node(None, "--connections", "4", "--head-s", "1", wait=None) as n:
        idle = [connected(n) for _ in range(4)]
        wait_for(served, "the silent ones to be cut off")
        for s in idle:
            s.close()


def the_log_has_one_line_a_request_and_no_secret():
    with Node() as n:
        n.ask("GET", "/secret-path-word?query-word=1", headers={"X-Header-Word": "header-value-word", "Authorization": "Bearer token-word"})
        n.tell(do="echo", word="body-word")
        data = b"blob-word" * 10
        n.ask("PUT", "/blob/" + sha(data), data)
        n.ask("GET", "/attestation?nonce=" + "ab" * 32)
        # A line follows its answer, so the lines of two connections may change places.
        asked = lambda: [l for l in n.lines() if "msg=request" in l and "/healthz" not in l]
        wait_for(lambda: len(asked()) == 4, "the lines")
        text = "\n".join(n.lines())
        for word in ("secret-path-word", "query-word", "header-value-word", "token-word", "body-word", "blob-word", sha(data), "abab"):
            assert word not in text, word
        shape = re.compile(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg=request method=([A-Z]+ route=\S+ code=\d+ in=\d+ out=\d+) ms=[\d.]+")
        told = [shape.fullmatch(line) for line in asked()]
        assert all(told), asked()
        said = {m[1] for m in told}
        for one in ("GET route=other code=404 in=0 out=71", "POST route=/message code=200 in=35 out=35", "PUT route=/blob/{digest} code=201 in=90 out=15",
                    "GET route=/attestation code=200 in=0 out=172"):
            assert one in said, (one, said)


def the_metrics_read_as_prometheus_text():
    with Node() as n:
        n.ask("GET", "/nowhere")
        n.ask("GET", "/checkpoint")
        a = n.ask("GET", "/metrics")
        assert a.headers["content-type"].startswith("text/plain; version=0.0.4")
        typed = {}
        for line in a.body.decode().splitlines():
            if line.startswith("# TYPE "):
                typed[line.split()[2]] = line.split()[3]
            elif not line.startswith("# HELP "):
                m = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+]+', line)
                assert m, line
                assert re.sub(r"_(bucket|sum|count)$", "", m[1]) in typed or m[1] in typed, line
        for name, kind in (("apexd_requests_total", "counter"), ("apexd_blobs", "gauge"), ("apexd_log_entries", "gauge"), ("apexd_runs", "gauge"),
                           ("apexd_enclave_restarts_total", "counter"), ("apexd_message_seconds", "histogram"), ("apexd_enclave_up", "gauge"),
                           ("apexd_received_bytes_total", "counter"), ("apexd_sent_bytes_total", "counter")):
            equal(typed.get(name), kind, name)
        for route in ("other", "/checkpoint"):  # counted once the answer is out
            wait_for(lambda: n.metric(f'apexd_requests_total{{route="{route}",code="404"}}') == 1.0, f"the count of {route}")


def ended_in_order(number):
    """Whether all work was done; if not, it had STOP_S."""
    n = Node()
    pid = n.enclave_pid()
    n.tell(do="event", events=[[3, 2, 10, 0]])
    got, threads = watch(n, 3)
    wait_for(lambda: len(got[0]) == 2, "the first event")
    codes = []
    threads.append(threading.Thread(target=lambda: codes.append(n.tell(do="hold", run=4).code), daemon=True))
    threads[1].start()
    n.wait_run(4, "running")
    began = time.monotonic()
    n.process.send_signal(number)
    wait_for(lambda: any("msg=stopping" in l for l in n.lines()), "the beginning of the end")
    open(os.path.join(n.state, "go"), "w").close()
    equal(n.process.wait(UP_S), 0)
    took = time.monotonic() - began
    for t in threads:
        t.join(UP_S)
    equal([t.is_alive() for t in threads], [False, False])
    assert gone(pid)
    assert n.lines()[-1].endswith("msg=stopped"), n.lines()[-3:]
    whole = codes == [200] and not any("cut=true" in l for l in n.lines())
    assert whole or took >= STOP_S, (codes, n.lines()[-10:])
    n.stop()
    return whole


def sigterm_lets_work_finish_and_ends_with_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        assert any(ended_in_order(number) for _ in range(5)), "cut off each time"


def a_host_that_is_killed_takes_its_enclave_along():
    n = Node()
    pid = n.enclave_pid()
    n.process.kill()
    wait_for(lambda: gone(pid), "the enclave's end")
    n.stop(expect=-signal.SIGKILL)


def a_mute_enclave_is_starting_and_can_be_stopped():
    where = folder()
    os.makedirs(os.path.join(where, "enclave"))
    open(os.path.join(where, "enclave", "mute"), "w").close()
    with Node(where, "--message-timeout-s", "1", wait="starting") as n:
        equal((n.ask("GET", "/healthz").code, n.tell(do="echo").code), (503, 503))
        os.unlink(os.path.join(where, "enclave", "mute"))
        n.wait_enclave("up")
    shutil.rmtree(where)


def run(test):
    """Its closing line, with what led to it."""
    sentence = test.__name__.replace("_", " ")
    try:
        note = test()
        return f"ok - {sentence}{f' # {note}' if note else ''}"
    except Exception as e:
        return f"{getattr(e, 'log', '')}{traceback.format_exc()}not ok - {sentence}"


def main():
    only = sys.argv[2:]
    tests = [f for name, f in globals().items() if callable(f) and getattr(f, "__module__", "") == "__main__" and name.count("_") >= 2
             and not f.__code__.co_argcount and (not only or name in only)]
    passed = True
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:  # most of a test's time is waiting
        for line in pool.map(run, tests):
            print(line, flush=True)
            passed &= line.startswith("ok - ")
    return 0 if passed and tests else 1


if __name__ == "__main__":
    sys.exit(main())
