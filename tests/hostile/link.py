"""A host that stands between apexd and the enclave: it delays, refuses and counts what the enclave asks of it, and colludes with a party."""
import datetime
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from apexlib import APEX, BUILD, LOOSE, Node, Party, deploy, done, manifest, say, wait_for, written

CALL, REPLY = 4, 2  # types of frames; below, calls and their statuses (common/wire/frame.h)
BLOB_GET, LOG_APPEND, CHECKPOINT_PUT = 1, 4, 5
IO, FULL = b"\x02", b"\x03"
RESULT = b"apex/entry/v1\x02\x06"  # an entry's name, and its kind


class Between:
    """Listens where apexd looks for its enclave, starts one for each that comes, and passes frames on; `answer` may take a call's place."""

    def __init__(self, scratch):
        self.path, self.state = os.path.join(scratch, "link.sock"), os.path.join(scratch, "state")
        self.answer, self.enclave = lambda call, body: None, None
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(4)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            host, _ = self.server.accept()
            ours, theirs = socket.socketpair()
            self.enclave = subprocess.Popen([os.path.join(BUILD, "enclave/apex-enclave"), "--tee", "sim", "--state", self.state, "--link-fd", str(theirs.fileno())],
                                            pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
            theirs.close()
            lock = threading.Lock()  # who writes to the enclave
            threading.Thread(target=self.pump, args=(host, ours, lock, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(ours, host, lock, True), daemon=True).start()

    @staticmethod
    def read(source, n):
        got = b""
        while len(got) < n:
            piece = source.recv(min(1 << 20, n - len(got)))
            if not piece:
                raise EOFError
            got += piece
        return got

    def pump(self, source, sink, lock, from_enclave):
        try:
            while True:
                head = self.read(source, 9)
                size, kind, number = struct.unpack(">IBI", head)
                body = self.read(source, size - 5)
                if not from_enclave:
                    with lock:
                        sink.sendall(head + body)
                    continue
                said = self.answer(body[0], body[1:]) if kind == CALL else None
                if said is None:
                    sink.sendall(head + body)
                    continue
                with lock:
                    source.sendall(struct.pack(">IBI", 5 + len(said), REPLY, number) + said)
        except (EOFError, OSError):
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def places(node, n):
    path = os.path.join(node.scratch, "places.csv")
    with open(path, "w") as f:
        f.write("latitude,longitude\n" + "".join("%.4f,%.4f\n" % (-37 - (7 * i % 60) / 100, 175 + (11 * i % 60) / 100) for i in range(n)))
    return path


def history(party, address):
    return json.loads(party.ok("audit", address, "--json"))["events"]


def ended(party, address, run):
    """What became of a run, in the log's words; empty while it is under way."""
    for e in history(party, address):
        if e["kind"] in ("result", "refuse") and re.search(r"\brun %d\b" % run, e["what"]):
            return " ".join((e["kind"], e["what"], e.get("refusal") or ""))
    return ""


def one_sample(between, node, crew):
    """The host keeps no result of a private run, so that it is computed again; the party that colludes takes rows back in between."""
    kauri, eve = crew
    tree = {"datasets": [{"name": "records", "columns": [{"name": "paid", "type": "bool"}]}], "privacy": {"epsilon": 1, "delta": 0}}
    column = {"name": "column", "type": "choice", "choices": ["paid"], "default": "paid"}
    epsilon = {"name": "epsilon", "type": "float", "min": 0.01, "max": 4, "default": 1}
    tree["functions"] = [{"name": "private_counts", "datasets": ["records"], "release": "receivers", "private": True, "params": [column, epsilon]},
                         {"name": "counts", "datasets": ["records"], "release": "receivers", "params": [column]}]
    address = deploy(node, crew, manifest(node, kauri, "describe", crew, **tree), "describe")
    rows = os.path.join(node.scratch, "rows.csv")

    def give(party, n, value):
        open(rows, "w").write("paid\n" + (value + "\n") * n)
        return json.loads(party.ok("contribute", address, "records", rows, "--json"))

    give(kauri, 700, "true")
    mine = [give(eve, 1, "false") for _ in range(2)]
    refused = []
    between.answer = lambda call, body: (refused.append(body), IO)[1] if call == LOG_APPEND and RESULT in body else None
    asks = lambda function: subprocess.Popen([APEX, "run", address, function], env={**os.environ, "APEX_HOME": eve.home, "APEX_NODE": node.url},
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = [asks("private_counts")]
    say(wait_for(lambda: refused), "a host can refuse to keep a result")
    run = next(e["index"] for e in history(kauri, address) if e["kind"] == "run")
    eve.ok("withdraw", address, str(next(mine[0][k] for k in ("entry", "index", "contribution") if k in mine[0])))
    running.append(asks("counts"))
    say(wait_for(lambda: ended(kauri, address, run)), "the run comes to an end all the same", history(kauri, address))
    between.answer = lambda call, body: None
    say("rows-taken-back" in ended(kauri, address, run), "a run whose rows were withdrawn before it ended is not computed on the rest: one charge, one sample of noise", ended(kauri, address, run))
    for process in running:
        process.kill()
        process.wait()


def late_program(between, node, party):
    """The contract expires while the host holds back its program; on a machine that takes longer to ask, in another try."""
    for window_s in (20, 40, 40):
        asked, expires, said = held_back(between, node, party, window_s)
        if asked and asked[0] < expires:
            break
    say(asked and asked[0] < expires and said[0] != 0 and "expired" in said[1] + said[2], "a contract that expired while the host held its program back is not recorded",
        (asked, expires, said))
    before = between.enclave
    before.kill()
    before.wait()
    say(wait_for(lambda: between.enclave is not before) and node.healthy(), "and the log can be read again at the next start", node.log_text())


def held_back(between, node, party, window_s):
    """When the program was asked for, when the contract expired, and what its author was told."""
    path, program = os.path.join(node.scratch, "late.json"), os.path.join(node.scratch, "late.elf")
    open(program, "wb").write(open(os.path.join(BUILD, "contracts/cluster.elf"), "rb").read() + os.urandom(8))  # none that is kept
    digest = hashlib.sha256(open(program, "rb").read()).hexdigest()
    tree = json.load(open(manifest(node, party, "cluster", [party], release=LOOSE)))
    expires = int(time.time()) + window_s
    tree["program"] = {"x86_64": "sha256:" + digest}
    tree["expires"] = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    open(path, "w").write(written(tree))
    asked = []

    def late(call, body):
        if call == BLOB_GET and body[:32].hex() == digest:
            asked.append(time.time())
            time.sleep(max(0, expires + 1 - time.time()))

    between.answer = late
    said = party.apex("contract", "deploy", path, program)
    between.answer = lambda call, body: None
    return asked, expires, said


def no_room(between, node, party):
    """The host keeps an entry and then, once, not the checkpoint over it."""
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE), "cluster")
    party.ok("contribute", address, "customers", places(node, 60))
    once = []
    between.answer = lambda call, body: (once.append(1), FULL)[1] if call == CHECKPOINT_PUT and not once else None
    code, out, err = party.apex("run", address, "sites", "--param", "k=4")
    say(once and (code == 0 or "not-yet-kept" in out + err or "do not repeat" in out + err), "who asked is not told that nothing was recorded", (code, out, err))
    runs = lambda: [e for e in history(party, address) if e["kind"] == "run"]
    say(wait_for(lambda: runs() and ended(party, address, runs()[0]["index"]).startswith("result")), "the run is computed without another having to be asked for", history(party, address))
    say(len(runs()) == 1, "once", runs())


def deployers():
    """An operator says who may fill the node with contracts."""
    node = Node().start()
    try:
        kauri, eve = [Party(node, name) for name in ("kauri", "eve")]
        node.stop()
        node.extra = ["--deployer", json.loads(kauri.ok("id", "show", "--json", node=False))["sign"]]
        node.start()
        program = os.path.join(BUILD, "contracts/cluster.elf")
        code, out, err = eve.apex("contract", "deploy", manifest(node, eve, "cluster", [eve, kauri]), program)
        say(code != 0 and "operator" in out + err, "whom the operator did not name deploys nothing", (code, out, err))
        address = deploy(node, [kauri, eve], manifest(node, kauri, "cluster", [kauri, eve]), "cluster")
        say(len(history(eve, address)) == 3, "whom it named does, and the others take part", history(eve, address))
    finally:
        node.clean()


def main():
    scratch = tempfile.mkdtemp(prefix="apex-link-")
    between = Between(scratch)
    node = Node(enclave="unix:" + between.path).start()
    try:
        crew = [Party(node, name) for name in ("kauri", "eve")]
        one_sample(between, node, crew)
        no_room(between, node, crew[0])
        late_program(between, node, crew[1])
    finally:
        node.clean()
        if between.enclave:
            between.enclave.kill()
    deployers()
    done()


if __name__ == "__main__":
    main()
