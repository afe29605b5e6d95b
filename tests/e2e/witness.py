#!/usr/bin/env python3
"""Witnesses over real HTTP: they cosign what grows and nothing else; a contract that names them gives no answer without them; a rollback is exposed."""
import base64
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request

from apexlib import APEX, BUILD, LOOSE, PATIENCE, ROOT, Node, Party, deploy, done, free_port, manifest, say, vkey, wait_for

WAITS, WAIT_S = 2, 5  # how many runs an enclave lets wait for witnesses, and how long (enclave/core/acts.c)
PROGRAM = os.path.join(BUILD, "contracts/cluster.elf")


class Witness:
    def __init__(self, folder, name):
        self.home, self.name, self.process = os.path.join(folder, "witness-" + name), name, None
        self.vkey = subprocess.run([APEX, "witness", "new", name, "--home", self.home], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def start(self, log, port=0):
        self.process = subprocess.Popen([APEX, "witness", "serve", "--listen", "127.0.0.1:%d" % port, log, "--home", self.home], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()
        self.process = None

    def ask(self, body):
        try:
            r = urllib.request.urlopen(urllib.request.Request(self.url + "/add-checkpoint", data=body, method="POST"), timeout=PATIENCE)
            return r.status, r.read(), r.headers["Content-Type"]
        except urllib.error.HTTPError as e:
            return e.code, e.read(), e.headers["Content-Type"]


def witnessed_size(node):
    try:
        return int(node.get("/checkpoint.witnessed").split(b"\n")[1])
    except urllib.error.HTTPError:
        return 0


def log_size(node):
    return int(node.get("/checkpoint").split(b"\n")[1])


def settled(node, lines=3):
    """Waits until the log as it is now has been cosigned by all: `lines` under one note, the log's own among them."""
    size = log_size(node)
    return wait_for(lambda: witnessed_size(node) >= size and node.get("/checkpoint.witnessed").count("— ".encode()) >= lines)


def protocol(node, w):
    """What c2sp.org/tlog-witness says of each wrong request."""
    note = node.get("/checkpoint")
    size = int(note.split(b"\n")[1])
    code, body, kind = w.ask(b"old 0\n\n" + note)
    say(code == 409 and body == b"%d\n" % size and kind == "text/x.tlog.size", "a witness that knows more says how much", (code, body, kind))
    code, body, _ = w.ask(b"old %d\n\n" % size + note)
    say(code == 200 and body.startswith("— ".encode()), "the same checkpoint again is cosigned again", (code, body))
    for sentence, want, bad in (
            ("a body that is none is refused", 400, b"hello"), ("an old size with a leading zero is refused", 400, b"old 00\n\n" + note),
            ("an old size above the checkpoint's is refused", 400, b"old %d\n\n" % (size + 1) + note),
            ("a note without a signature is refused", 400, b"old 0\n\n" + note.split(b"\n\n")[0] + b"\n"),
            ("a log nobody named is not found", 404, b"old 0\n\n" + note.replace(b"apex-log/", b"other-log/")),
            ("a checkpoint that the log did not sign is forbidden", 403, b"old %d\n\n" % size + note.replace(b"\n%d\n" % size, b"\n%d\n" % (size + 1))),
            ("a proof where none belongs is not accepted", 422, b"old %d\n" % size + base64.b64encode(b"\x01" * 32) + b"\n\n" + note),
            ("more proof lines than a tree is deep are refused", 400, b"old %d\n" % size + (base64.b64encode(b"\x01" * 32) + b"\n") * 64 + b"\n" + note)):
        code, body, _ = w.ask(bad)
        say(code == want, sentence, (code, body))
    code, _, _ = w.ask(b"x" * 100000)
    say(code == 413, "a body that is too large is refused", code)
    second = subprocess.run([APEX, "witness", "serve", "--listen", "127.0.0.1:0", w.log, "--home", w.home], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    say(second.returncode == 1 and "another process" in second.stderr, "one key is used by one process", second.stderr)


def others_served(node, crew, address):
    """Runs have all places to wait in, and another question is answered before the first of them can have done waiting. False where this machine was too
    slow to tell; were others kept waiting it would be so each time."""
    began = time.monotonic()
    env = {**os.environ, "APEX_HOME": crew[0].home, "APEX_NODE": node.url}
    runs = [subprocess.Popen([APEX, "run", address, "sites", "--param", "k=%d" % k], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for k in range(2, 8)]
    full = wait_for(lambda: sum(r.poll() is not None for r in runs) >= len(runs) - WAITS, WAIT_S)
    crew[0].ok("contract", "show", address)
    in_time = full and time.monotonic() - began < WAIT_S
    for r in runs:
        r.wait(PATIENCE)
    return in_time


def quorum(node, crew, witnesses):
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE, witnesses={"quorum": 2, "keys": [w.vkey for w in witnesses]}), "cluster")
    path = os.path.join(node.scratch, "rows.csv")
    open(path, "w").write("latitude,longitude\n" + "".join("-37.%03d,175.%03d\n" % (i, 999 - i) for i in range(50)))
    crew[0].ok("contribute", address, "customers", path)
    say(settled(node), "what is new in the log is shown to the witnesses", node.log_text())
    answer, _ = crew[0].run(address, "sites", "k=2")
    say(len(answer["sites"]) == 2, "with its quorum of witnesses a contract answers", answer)
    audit = json.loads(crew[0].ok("audit", address, "--json"))
    say(audit["rules"]["breaches"] == [] and audit["rules"]["acts"] > 0, "an auditor finds every rule kept", audit["rules"])
    say(sorted(w["name"] for w in audit["witnesses"]) == sorted(w.name for w in witnesses), "and is told who witnessed", audit["witnesses"])
    witnesses[1].stop()
    code, out, err = crew[0].apex("run", address, "sites", "--param", "k=500", "--json")
    say(code == 1 and "unwitnessed" in out + err and "rule-k" not in out + err, "a refusal that follows the rows is an answer too: not on a log too few have seen", (code, out, err))
    open(path, "a").write("-37.5,175.5\n")
    crew[0].ok("contribute", address, "customers", path)
    code, out, err = crew[0].apex("run", address, "sites", "--param", "k=2", "--json")
    say(code == 1 and "unwitnessed" in out + err, "rows that too few have witnessed are not computed on, and that is said while one waits", (code, out, err))
    say(any(others_served(node, crew, address) for _ in range(20)), "runs that wait for witnesses do not keep everybody waiting")
    witnesses[1].start(witnesses[1].log, int(witnesses[1].url.rsplit(":", 1)[1]))
    say(settled(node), "when it is back it catches up by itself", node.log_text())
    answer, _ = crew[0].run(address, "sites", "k=3")
    say(len(answer["sites"]) == 3, "and the contract answers again", answer)
    bad = [dict(quorum=3, keys=[w.vkey for w in witnesses]), dict(quorum=0, keys=[witnesses[0].vkey]), dict(quorum=1, keys=[witnesses[0].vkey] * 2), dict(quorum=1, keys=["x"])]
    for b in bad:
        try:
            path = manifest(node, crew[0], "cluster", crew, release=LOOSE, witnesses=b)
            code, out, err = crew[0].apex("contract", "deploy", path, PROGRAM, "--json")
        except AssertionError as e:
            code, out, err = 1, str(e), ""
        say(code != 0 and ("witness" in out + err or "bad-manifest" in out + err), "a manifest with witnesses that cannot be is refused: %s" % json.dumps(b)[:40], out + err)


class Liar:
    """A witness that would keep the others from being heard: it forges lines in their names and the log's, adds one as long as a note, and is slow."""

    def __init__(self, seconds, names):
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                liar.count(1)
                time.sleep(seconds)
                liar.count(-1)
                raw = [base64.b64decode(v.split("+", 2)[2]) for v in names]
                ids = [hashlib.sha256(v.split("+")[0].encode() + b"\n" + r).digest()[:4] for v, r in zip(names, raw)]
                lines = ["— %s %s\n" % (v.split("+")[0], base64.b64encode(i + (b"\0" * 7 + b"\1" if r[0] == 4 else b"") + b"\7" * 64).decode()) for v, r, i in zip(names, raw, ids)]
                body = "".join(["— liar.example %s\n" % base64.b64encode(b"\0" * 2700).decode(), *lines]).encode()
                try:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.lock, self.asked, self.open = threading.Lock(), 0, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, step):
        with self.lock:
            self.asked += step > 0
            self.open += step

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def liars(node, crew, witnesses, log):
    """One witness forges, one makes apexd wait, one never answers in time: the quorum of the others is heard, and meanwhile."""
    false = [Liar(0, [log] + [w.vkey for w in witnesses]), Liar(1.5, [log, witnesses[0].vkey]), Liar(9, [log])]
    before = node.extra
    node.stop()
    node.extra = [x for l in false for x in ("--witness", l.url)] + before
    node.start()
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE, witnesses={"quorum": 2, "keys": [w.vkey for w in witnesses]}), "cluster")
    path = os.path.join(node.scratch, "heard.csv")
    open(path, "w").write("latitude,longitude\n")

    def heard():
        """Both true lines under the newest checkpoint; and was the slow one still being asked then?"""
        open(path, "a").write("-37.100,175.100\n" * 30)
        crew[0].ok("contribute", address, "customers", path)
        size, seen = log_size(node), []

        def all_true():
            seen[:] = json.loads(crew[0].ok("audit", address, "--json"))["witnesses"]
            return all(w["size"] == size for w in seen)
        return wait_for(all_true), false[1].open > 0, seen

    meanwhile = False
    for i in range(3):
        good, open_, seen = heard()
        meanwhile |= open_
        say(good, "the client sees the true lines among the forged (%d)" % i, seen)
        code, out, err = crew[0].apex("run", address, "sites", "--param", "k=1", "--json")
        say(code == 0, "witnesses that forge or are slow do not keep a quorum from being heard (%d)" % i, (code, out, err))
    # Once tells it: were slow ones waited for, it would never be seen. A machine that falters may miss it.
    say(meanwhile or any(heard()[1] for _ in range(20)), "nor have the others to wait for them")
    say(wait_for(lambda: all(l.asked for l in false)), "and each of them was asked", [l.asked for l in false])
    node.stop()
    for l in false:
        l.stop()
    node.extra = before
    node.start()


def rerun(node, crew):
    """An auditor has a run computed again: the same digest, and nothing of the answer."""
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE), "cluster")
    path = os.path.join(node.scratch, "again.csv")
    open(path, "w").write("latitude,longitude\n" + "".join("-36.%03d,174.%03d\n" % (i, 999 - i) for i in range(80)))
    given = json.loads(crew[0].ok("contribute", address, "customers", path, "--json"))["contribution"]
    crew[0].run(address, "sites", "k=3")
    events = json.loads(crew[0].ok("audit", address, "--json"))["events"]
    run = next(e["index"] for e in events if e["kind"] == "run")
    out = crew[1].ok("audit", address, "--rerun", run, "--json")
    say(json.loads(out)["same"] is True, "a run computed again for an auditor has the same output", out)
    say(len(out) < 200 and "latitude" not in out, "and nothing of the answer is told", out)
    after = json.loads(crew[0].ok("audit", address, "--json"))
    say(len(after["events"]) == len(events), "nor is anything put into the log")
    for who, sentence, words, want in ((crew[1], "a run that is none is not found", ["--rerun", "0"], "unknown-run"),
                                       (Party(node, "passer-by"), "who is no party cannot have it computed", ["--rerun", run], "not-a-party")):
        code, out, err = who.apex("audit", address, *words, "--json")
        say(code in (1, 2) and want in out + err, sentence, (code, out, err))
    code, out, err = crew[1].apex("audit", address, "--rerun", "x")
    say(code == 2 and "next:" in err, "a run's number is a number", err)
    crew[0].ok("withdraw", address, given)
    code, out, err = crew[1].apex("audit", address, "--rerun", run, "--json")
    say(code == 1 and "already-withdrawn" in out + err, "rows that were taken back are not computed on again", (code, out, err))
    crew[0].ok("contract", "close", address)
    code, out, err = crew[1].apex("audit", address, "--rerun", run, "--json")
    say(code == 1 and "closed" in out + err, "nor is anything once the contract is closed", (code, out, err))


def rollback(node, crew, witnesses, log):
    """The host puts an older copy of everything back. Who never looked would not know; the witnesses do."""
    node.stop()
    kept = node.data + "-kept"
    shutil.copytree(node.data, kept)
    node.start()
    path = os.path.join(node.scratch, "more.csv")
    open(path, "w").write("latitude,longitude\n-37.1,175.1\n")
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE, witnesses={"quorum": 1, "keys": [w.vkey for w in witnesses]}), "cluster")
    crew[0].ok("contribute", address, "customers", path)
    size = log_size(node)
    say(settled(node), "the log goes on and is witnessed", (size, node.log_text()))
    node.stop()
    shutil.rmtree(node.data)
    shutil.move(kept, node.data)
    node.start()
    newcomer = Party(node, "newcomer")  # has seen nothing: its own memory cannot help
    code, out, err = newcomer.apex("contract", "deploy", manifest(node, newcomer, "cluster", [newcomer], release=LOOSE), PROGRAM, "--json")
    say(code == 0, "a newcomer cannot tell that the log was rolled back", err)
    note = node.get("/checkpoint")
    codes = [w.ask(b"old 0\n\n" + note)[0:2] for w in witnesses]
    ahead = all(code == 409 and int(body) >= size for code, body in codes)
    say(ahead, "every witness has seen a longer log than the one served", (codes, size))
    say(node.logs("witness does not cosign") and witnessed_size(node) < int(note.split(b"\n")[1]), "and none cosigns what was put in its place", witnessed_size(node))


def copies(node, crew, log):
    """A mirror on static files: served by anything, believed in nothing."""
    folder = os.path.join(node.scratch, "mirror")
    say(settled(node), "the witnesses have seen all there is to copy", node.log_text())
    crew[0].ok("ledger", "mirror", folder)
    report = json.loads(crew[0].ok("ledger", "fsck", folder, log, "--json", node=False))
    say(report["rules"]["breaches"] == [] and report["rules"]["entries"] > 5, "a mirror holds the log, and every rule", report)
    served = subprocess.Popen([APEX, "ledger", "serve", folder, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    url = served.stdout.readline().split()[-1]
    say(urllib.request.urlopen(url + "/checkpoint").read() == open(folder + "/checkpoint", "rb").read(), "and is served as static files")
    for path in ("/../home-kauri/trust.json", "/tile/../../x", "/blob//etc/passwd", "/etc/passwd", "/"):
        try:
            code = urllib.request.urlopen(url + path).status
        except urllib.error.HTTPError as e:
            code = e.code
        say(code == 404, "nothing else is served: %s" % path, code)
    served.terminate()
    served.wait(PATIENCE)
    served.stdout.close()
    n = 0
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if "/blob" in base or name == "checkpoint.witnessed":
                continue
            data = open(path, "rb").read()
            for at in range(0, len(data), max(1, len(data) // 7)):
                open(path, "wb").write(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
                code, out, err = crew[0].apex("ledger", "fsck", folder, log, node=False)
                n += code in (1, 3)
                if code not in (1, 3):
                    say(False, "a changed byte of a copy is noticed", (path, at, code, out, err))
                open(path, "wb").write(data)
    say(n > 20, "every changed byte of a copy is noticed (%d tried)" % n)
    proof = crew[0].ok("ledger", "proof", "3")
    say(proof.startswith("c2sp.org/tlog-proof@v1\nindex 3\n") and proof.count("— ".encode().decode()) == 3, "a proof of one entry carries the witnesses' lines", proof)
    go = os.path.join(node.scratch, "verify")
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": os.path.join(node.scratch, "cache"), "GOFLAGS": ""}
    built = subprocess.run(["go", "build", "-o", go, os.path.join(ROOT, "tests/go/verify.go")], env=env, stderr=subprocess.PIPE, text=True)
    path = os.path.join(node.scratch, "3.tlog-proof")
    open(path, "w").write(proof)
    r = subprocess.run([go, folder, log, path, *[w.vkey for w in WITNESSES]], stdout=subprocess.PIPE, text=True)
    print(r.stdout, end="")
    say(built.returncode == 0 and r.returncode == 0, "Go's sumdb accepts log, proof and cosignatures", built.stderr + r.stdout)


WITNESSES = []


def main():
    node = Node()
    witnesses = []
    try:
        node.start()
        first = Party(node, "kauri")
        verdict = json.loads(first.ok("trust", "check", "--json"))
        log = vkey(verdict["origin"], verdict["log_key"])
        say(first.ok("ledger", "key").strip() == log, "apex ledger key tells the log's verifier key")
        node.stop()
        witnesses = [Witness(node.scratch, name) for name in ("w1.example", "w2.example")]
        WITNESSES.extend(witnesses)
        for w in witnesses:
            w.log = log
            w.start(log, free_port())
        node.extra = [x for w in witnesses for x in ("--witness", w.url)]
        node.start()
        crew = [first, Party(node, "rimu")]
        say(settled(node), "apexd shows its checkpoints to the witnesses", node.log_text())
        say(node.get("/checkpoint.witnessed").count("— ".encode()) == 3, "and serves the log's signature with both cosignatures", node.get("/checkpoint.witnessed"))
        protocol(node, witnesses[0])
        quorum(node, crew, witnesses)
        copies(node, crew, log)
        rerun(node, crew)
        liars(node, crew, witnesses, log)
        rollback(node, crew, witnesses, log)
    finally:
        for w in witnesses:
            w.stop()
        node.clean()
    done()


if __name__ == "__main__":
    main()
