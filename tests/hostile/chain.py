#!/usr/bin/env python3
"""The log on a chain: a host that rewrites it after anchoring, an RPC that lies, cuts, floods or hangs, a chain that goes back, and everything killed at random.

APEX_ROUNDS: rounds of killing, 12 unless told (100 by hand)."""
import base64
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, Node, Party, deploy, done, manifest, say  # noqa: E402
from chainlib import Chain  # noqa: E402

DEPOSIT, REFUND, ADMITTED = "0x2687fbf2", "0x278ecde1", "0xc349d6d8"  # selectors in chain/ApexRegistry.sol
DUST = 300
ROUNDS = int(os.environ.get("APEX_ROUNDS", "12"))


class Liar:
    """Stands between a client and the chain, and does to each answer what `lie(method, request, answer)` says: a dict, bytes, or a number of seconds to be silent."""

    def __init__(self, chain):
        self.lie, outer = None, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = json.loads(body)
                answer = json.loads(urllib.request.urlopen(urllib.request.Request(chain.url, body, {"Content-Type": "application/json"}), timeout=120).read())
                said = outer.lie(request["method"], request, answer) if outer.lie else answer
                if isinstance(said, (int, float)):
                    time.sleep(said)
                    said = answer
                said = said if isinstance(said, bytes) else json.dumps(said).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that gave up
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class World:
    """A node with one contract and one answer, kept on a chain."""

    def __init__(self):
        self.node = Node()
        self.chain = Chain(self.node.scratch)
        self.node.extra = self.chain.apexd()
        self.node.start()
        self.party = Party(self.node, "kauri")
        path = manifest(self.node, self.party, "cluster", [self.party], release=LOOSE)
        self.address = deploy(self.node, [self.party], path, "cluster")
        self.rows = os.path.join(self.node.scratch, "rows.csv")
        r = random.Random(3)
        open(self.rows, "w").write("latitude,longitude\n" + "".join("%.6f,%.6f\n" % (r.uniform(-40, 40), r.uniform(-90, 90)) for _ in range(40)))
        self.party.ok("contribute", self.address, "customers", self.rows)
        self.result = os.path.join(self.node.scratch, "result.json")
        self.party.ok("run", self.address, "sites", "--param", "k=3", "-o", self.result)

    def health(self):
        try:
            return json.loads(self.node.get("/healthz"))
        except (OSError, ValueError):
            return {}

    def settled(self, timeout=120):
        """The chain has the whole log."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            h = self.health()
            if h.get("chain", {}).get("anchored") == h.get("log_size", -1) and h["chain"]["state"] == "looking":
                return True
            time.sleep(0.1)
        return False

    def chain_state(self, good, timeout=120):
        """What the node says of its chain, once that is `good`."""
        end, state = time.monotonic() + timeout, {}
        while time.monotonic() < end and not good(state):
            state = self.health().get("chain", {})
            time.sleep(0.1)
        return state

    def verify(self, *more, url=None, party=None, node=True):
        return (party or self.party).apex("verify", self.result, *self.chain.flags(url), *more, node=node)

    def anchors(self):
        topic = max({e["topics"][0] for e in self.chain.events()}, key=lambda t: sum(e["topics"][0] == t for e in self.chain.events()))
        return [int(e["topics"][2], 16) for e in self.chain.events() if e["topics"][0] == topic and len(e["topics"]) == 3]


def agreement(w):
    code, out, err = w.verify()
    say(code == 0 and "Log, chain and receipt agree." in out, "log, chain and receipt agree, and apex verify --chain says so", (code, out, err))
    code, out, err = w.verify(node=False)
    say(code == 0 and "Chain and receipt agree." in out, "without a node it holds chain and receipt against one another, and says that the log was not asked", (code, out, err))
    out = w.party.ok("audit", w.address, *w.chain.flags(), "--json")
    audit = json.loads(out)
    say(audit["chain"]["agree"] and len(audit["events"]) == 5, "apex audit --chain finds every result and anchor of the log on the chain", out)
    code, out, err = w.verify("--json")
    say(code == 0 and json.loads(out)["chain"]["agree"] and json.loads(out)["holds"], "and all of it as one JSON object", (code, out, err))
    path = manifest(w.node, w.party, "cluster", [w.party], release=LOOSE)
    out = json.loads(w.party.ok("contract", "deploy", path, os.path.join(os.environ.get("APEX_BUILD", "build"), "contracts/cluster.elf"), "--json", *w.chain.flags()))
    receipt = w.chain.receipt(out["transaction"])
    say(receipt["status"] == "0x1" and receipt["to"].lower() == w.chain.registry.lower(), "apex contract deploy --chain ends with the transaction that records it", out)


def runs_of(w, *more):
    return [e for e in json.loads(w.party.ok("audit", w.address, *more, "--json"))["events"] if e["kind"] == "run"]


def send(w, data, value=0):
    sent = w.chain.rpc("eth_sendTransaction", {"from": w.chain.rpc("eth_accounts")[0], "to": w.chain.registry, "data": data, "value": hex(value)})
    assert w.chain.receipt(sent)["status"] == "0x1"


def deposit(w, request, seconds, value=10**15):
    """A fee for the answer to a request."""
    log, address = w.chain.events()[0]["topics"][1], base64.b32decode(w.address[5:].upper() + "====").hex()
    now = int(w.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    send(w, DEPOSIT + log[2:] + address + request + "%064x" % (now + seconds), value)


def dust(w, request):
    """What any stranger may do with a request's digest, which is in the log before the answer is: one wei, again and again."""
    for _ in range(DUST):
        deposit(w, request, 100000, 1)


def tasks(w):
    """Runs as people know tasks from chains: verified, refused, and refunded when a fee for one that was refused went back."""
    w.party.apex("run", w.address, "sites", "--param", "k=200")  # more than there are rows
    runs = runs_of(w)
    say([e["task"] for e in runs] == ["verified", "refused"], "a run that was answered is verified, one that was refused is refused", runs)
    assert w.settled()
    deposit(w, runs[1]["request"], 1000)
    w.chain.rpc("evm_increaseTime", 2000)
    send(w, REFUND + "%064x" % 0)
    runs = runs_of(w, *w.chain.flags())
    say([e["task"] for e in runs] == ["verified", "refunded"], "and refunded once the chain has given the fee for it back", runs)
    dust(w, runs[1]["request"])
    code, out, err = w.party.apex("audit", w.address, *w.chain.flags(), "--json")
    audit = json.loads(out)
    say(code == 0 and audit["chain"]["agree"] and [e["task"] for e in audit["events"] if e["kind"] == "run"] == ["verified", "refunded"],
        "%d deposits of a wei keep nobody from an audit, nor the fee that went back from being told" % DUST, (code, out[-1500:], err))
    say([c["result"] for c in audit["chain"]["checks"] if c["name"] == "refunds"] == ["not-asked"], "which says that it did not look at all of them", audit["chain"])


def fees(w):
    """A fee is paid in the transaction that commits its answer, whatever strangers deposit beside it; and an RPC that will not tell of fees delays nothing."""
    liar = Liar(w.chain)
    short = on("eth_getLogs", lambda m, q, a: {"jsonrpc": "2.0", "id": a["id"], "error": {"code": -32005, "message": "too many results"}} if len(a["result"]) > 100 else a)
    mute = on("eth_getLogs", lambda m, q, a: {**a, "result": {}} if len(q["params"][0]["topics"]) == 4 else a)
    cases = [("is paid to the node in the transaction that commits it", False, None, True),
             ("is found among %d of strangers, one wei each, which are left where they are" % DUST, True, None, True),
             ("is found by an RPC that tells no more than a hundred at a time", True, short, True),
             ("is left to `withdraw`, and nothing else is kept waiting, when the RPC does not tell of fees", False, mute, False)]
    keep = w.node.extra
    for name, with_dust, lie, paid in cases:
        w.node.stop()  # the answer is there before the chain hears of it
        w.node.extra, liar.lie = [], lie
        w.node.start()
        w.party.ok("run", w.address, "sites", "--param", "k=2")
        request = runs_of(w)[-1]["request"]
        if with_dust:
            dust(w, request)
        before = int(w.chain.rpc("eth_getBalance", w.chain.registry, "latest"), 16)
        deposit(w, request, 100000)
        w.node.stop()
        w.node.extra = w.chain.apexd(liar.url)
        w.node.start()
        good, left = w.settled(), int(w.chain.rpc("eth_getBalance", w.chain.registry, "latest"), 16)
        say(good and left - before == (0 if paid else 10**15), "a fee that waits for an answer " + name, (before, left, w.health(), w.node.log_text()[-600:]))
    w.node.stop()
    w.node.extra = keep
    w.node.start()


def changed(answer, change):
    answer = json.loads(json.dumps(answer))
    change(answer)
    return answer


def flip(text, at):
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


def set_result(value):
    return lambda m, q, a: {**a, "result": value}


def on(method, what):
    """`what` for answers to one method."""
    return lambda m, q, a: what(m, q, a) if m == method else a


def event_change(change):
    """The first event of an answer is changed."""
    return on("eth_getLogs", lambda m, q, a: changed(a, lambda b: change(b["result"][0])) if a["result"] else a)


def call_change(selector, change):
    """What a view of the register returns is changed; selectors are the first call data seen with so many words."""
    return on("eth_call", lambda m, q, a: {**a, "result": change(a["result"])} if len(q["params"][0]["data"]) == selector else a)


def invented(words, change):
    """Events with so many words of data are changed, and every key is admitted: any change of a signature makes it the signature of some key."""
    def lie(m, q, a):
        if m == "eth_call" and q["params"][0]["data"].startswith(ADMITTED):
            return {**a, "result": "0x%064x" % 1}
        if m != "eth_getLogs" or not any(len(e["data"]) == 2 + 64 * words for e in a["result"]):
            return a
        return {**a, "result": change(a["result"])}
    return lie


def by_another(events):
    """As if signed by a key of the RPC's own: s is the last word but one."""
    return [{**e, "data": flip(e["data"], len(e["data"]) - 65)} for e in events]


def inventions(w):
    """What the enclave has not signed is not believed, whether the RPC shows a signature of its own or none, and leaves nothing behind."""
    liar, wrong = Liar(w.chain), []
    commands = {"audit": lambda: w.party.apex("audit", w.address, *w.chain.flags(liar.url)), "verify": lambda: w.verify(url=liar.url)}
    for kind, words in (("a contract", 4), ("an anchor", 5), ("a run", 10)):
        for how, change, rule in (("signed by another", by_another, "forged-statement"), ("signed by nobody", lambda _: [], "rpc-contradicts")):
            liar.lie = invented(words, change)
            for command, ask in commands.items():
                code, out, err = ask()
                if code != 1 or rule not in out + err:
                    wrong.append((kind, how, command, code, out[-900:], err))
    say(not wrong, "an RPC can invent no contract, no anchor and no run, neither for a result nor in an audit", wrong)
    liar.lie = on("eth_call", lambda m, q, a: {**a, "result": "0x" + "%064x" % 9999 + a["result"][66:]} if len(q["params"][0]["data"]) == 2 + 8 + 64 else a)
    code = w.verify(url=liar.url, node=False)[0]
    honest = w.verify(node=False)
    say(code == 1 and honest[0] == 0, "an anchor that was invented is not remembered: the next RPC is not measured by it", (code, honest))


def lies(w):
    liar = Liar(w.chain)
    assert w.verify()[0] == 0  # and the home remembers the newest anchor
    head, view = 2 + 8 + 64, 2 + 8 + 128  # lengths of the call data of heads(log), and of views with two arguments
    cases = [
        ("another chain id", on("eth_chainId", set_result("0x1")), ["--chain-id", "31337"], "wrong-chain-id"),
        ("no code at the register's address", on("eth_getCode", set_result("0x")), [], "no-registry"),
        ("other code at the register's address", on("eth_getCode", lambda m, q, a: {**a, "result": flip(a["result"], 2000)}), [], "other-code"),
        ("another root for an anchor that was seen", call_change(head, lambda r: flip(r, len(r) - 3)), [], "reorg-below-anchor"),
        ("an anchor beyond the log", call_change(head, lambda r: "0x" + "%064x" % 9999 + r[66:]), [], "log-rolled-back"),
        ("that the log is not there", call_change(head, lambda r: "0x" + "0" * 256), [], "unknown-log"),
        ("that nothing is recorded", call_change(view, lambda r: "0x" + "0" * (len(r) - 2)), [], "not-on-chain"),
        ("an anchor signed by nobody", event_change(lambda e: e.update(data=flip(e["data"], 150))), [], "forged-statement"),
        ("an anchor of another register", event_change(lambda e: e.update(address="0x" + "11" * 20)), [], "rpc-malformed"),
        ("no anchor where the register names one", on("eth_getLogs", set_result([])), [], "rpc-contradicts"),
        ("anchors that are not a list", on("eth_getLogs", set_result({})), [], "rpc-malformed"),
        ("an answer that is cut", lambda m, q, a: json.dumps(a).encode()[:-3], [], "rpc-malformed"),
        ("an answer that is no JSON", lambda m, q, a: b"<html>try later</html>", [], "rpc-malformed"),
        ("an answer to another request", lambda m, q, a: {**a, "id": 7777}, [], "rpc-malformed"),
        ("an answer with two results", lambda m, q, a: b'{"jsonrpc":"2.0","id":1,"result":"0x1","result":"0x2"}', [], "rpc-malformed"),
        ("a number that is none", on("eth_blockNumber", set_result("12")), [], "rpc-malformed"),
        ("another block than was asked for", on("eth_getBlockByNumber", lambda m, q, a: changed(a, lambda b: b["result"].update(number="0x0"))), [], "rpc-malformed"),
        ("five megabytes", lambda m, q, a: b" " * (5 << 20), [], "rpc-too-long"),
        ("an error", lambda m, q, a: {"jsonrpc": "2.0", "id": a["id"], "error": {"code": -32000, "message": "no\u001b[2J"}}, [], "rpc-error"),
    ]
    wrong, hung, silent = [], [], Liar(w.chain)
    silent.lie = lambda m, q, a: 3600  # nobody who waits for the answer is back before the test is ended
    waiting = threading.Thread(target=lambda: hung.append(w.verify(url=silent.url)))
    waiting.start()  # meanwhile:
    for name, lie, more, rule in cases:
        liar.lie = lie
        code, out, err = w.verify(*more, url=liar.url)
        if code == 0 or rule not in out + err or "\x1b" in out + err:
            wrong.append((name, rule, code, out[-600:], err))
    say(not wrong, "an RPC that tells any of %d lies is refused by the name of the lie" % len(cases), wrong)
    waiting.join()
    code, out, err = hung[0]
    say(code == 4 and "rpc-unreachable" in err, "an RPC that hangs is given up on in time", hung)
    code, out, err = w.verify(url="http://127.0.0.1:1")
    say(code == 4 and "rpc-unreachable" in err, "and one that is not there at once", (code, err))
    liar.lie = None
    code, out, err = w.verify(url=liar.url)
    say(code == 0, "an RPC that does not lie is believed, through the same door", (code, out, err))


def rewritten(w):
    """The host puts an older state in place and goes on from there: a fresh client, who has seen nothing, is told by the chain."""
    w.node.stop()
    old = os.path.join(w.node.scratch, "old")
    shutil.copytree(w.node.data, old)
    w.node.start()
    newer = os.path.join(w.node.scratch, "newer.json")
    w.party.ok("run", w.address, "sites", "--param", "k=2", "-o", newer)
    assert w.settled()
    w.node.stop()
    shutil.move(w.node.data, old + "-newer")
    shutil.copytree(old, w.node.data)
    w.node.start()
    fresh = Party(w.node, "fresh")
    code, out, err = fresh.apex("verify", newer, *w.chain.flags())
    say(code == 1 and ("log-rolled-back" in out or "anchor-contradicts" in out), "a log that was rolled back behind its anchor is exposed to a client who has never seen it", (code, out, err))
    for k in range(2, 5):  # the other branch grows past the anchor
        w.party.home = fresh.home  # who has not seen the first branch
        shutil.copytree(os.path.join(w.node.scratch, "home-kauri", "identities"), os.path.join(fresh.home, "identities"), dirs_exist_ok=True)
        w.party.ok("run", w.address, "sites", "--param", "k=%d" % k, "--as", "kauri")
    code, out, err = fresh.apex("verify", newer, *w.chain.flags())
    say(code == 1 and "anchor-contradicts" in out and "do NOT agree" in out, "so is one that was rewritten, however long it has grown since", (code, out, err))
    state = w.chain_state(lambda s: s.get("state") == "opposed")
    say(state.get("rule") == "anchor-contradicts", "and the enclave signs nothing more for a chain that holds what its log does not", state)
    w.party.home = os.path.join(w.node.scratch, "home-kauri")
    w.node.stop()
    shutil.rmtree(w.node.data)
    shutil.move(old + "-newer", w.node.data)
    shutil.rmtree(old)
    w.node.start()


def reorg(w):
    """The chain drops blocks: what was in them is sent again, and a client that saw an anchor that is gone says so."""
    assert w.settled()
    base = w.chain.rpc("evm_snapshot")
    w.party.ok("contribute", w.address, "customers", w.rows)
    assert w.settled()
    code, out, err = w.verify()
    assert code == 0, (out, err)
    w.node.stop()
    w.chain.rpc("evm_revert", base)
    w.chain.rpc("evm_mine")
    code, out, err = w.party.apex("verify", w.result, *w.chain.flags(), node=False)
    say(code == 1 and "reorg-below-anchor" in out, "a chain that went back behind an anchor this home has seen is refused by name", (code, out, err))
    w.node.start()
    good = w.settled()
    code, out, err = w.verify()
    say(good and code == 0, "what a re-org dropped is recorded again, and then all agree", (code, out, err, w.health()))


def wrong_place(w):
    """The operator starts the node on another chain or with another key, or with a key everybody can read."""
    w.node.stop()
    other = w.node.scratch + "-other"
    os.makedirs(other)
    second = Chain(other, "--chain-id", "4242")
    keep, w.node.extra = w.node.extra, second.apexd()
    w.node.start()
    state = w.chain_state(lambda s: s.get("rule"))
    say(state.get("rule") == "wrong-chain-id" and not second.events(), "a node whose log is kept on one chain says nothing to another", state)
    w.node.stop()
    second.stop()
    shutil.rmtree(other)
    os.chmod(w.chain.key, 0o644)
    w.node.extra = keep
    try:
        w.node.start()
        say(False, "a key for gas that others can read is refused")
    except RuntimeError as e:
        say("chmod 600" in str(e) + w.node.log_text(), "a key for gas that others can read is refused", str(e))
    w.node.stop(signal.SIGKILL)
    os.chmod(w.chain.key, 0o600)
    w.node.start()


def enclave_kill(node):
    """The enclave, if there is one just now."""
    subprocess.run(["pkill", "-KILL", "-P", str(node.host.pid), "-x", "apex-enclave"])


def kills(w):
    """Anvil, apexd or the enclave killed in the middle of things, again and again."""
    r = random.Random(int(os.environ.get("APEX_SEED", "11")))
    dump = None
    w.settled()
    sizes = []
    for n in range(ROUNDS):
        w.party.apex("contribute", w.address, "customers", w.rows) if n % 3 == 0 else w.party.apex("run", w.address, "sites", "--param", "k=2")
        time.sleep(r.uniform(0, 0.5))
        victim = r.choice(["chain", "host", "enclave"])
        if victim == "chain":
            dump = w.chain.rpc("anvil_dumpState")  # what a real chain would have kept
            w.chain.stop(signal.SIGKILL)
            time.sleep(r.uniform(0, 0.3))
            w.chain.start()
            w.chain.rpc("anvil_loadState", dump)
        elif victim == "host":
            w.node.stop(signal.SIGKILL)
            w.node.start()
        else:
            enclave_kill(w.node)
            w.node.healthy(120)
        h = w.health()
        sizes += [h["log_size"]] if "log_size" in h else []
    good = w.settled()
    audit = w.party.ok("audit", w.address, *w.chain.flags(), "--json")
    say(good and json.loads(audit)["chain"]["agree"], "after %d rounds of killing chain, host or enclave at random, log and chain agree to the last entry" % ROUNDS, (w.health(), audit[-1500:]))
    anchors = w.anchors()
    say(all(a < b for a, b in zip(anchors, anchors[1:])), "and no entry was anchored twice", anchors)
    say(sizes == sorted(sizes), "and the log never lost one", sizes)


def main():
    w = World()
    try:
        if not say(w.settled(), "a node with --chain brings its whole log to the chain", w.health()):
            return
        agreement(w)
        tasks(w)
        fees(w)
        w.settled()
        inventions(w)
        lies(w)
        reorg(w)
        wrong_place(w)
        rewritten(w)
        kills(w)
    finally:
        w.chain.stop()
        w.node.clean()
    done()


if __name__ == "__main__":
    main()
