"""The root secret from enclave to enclave, and back from shares: two nodes serve the same contracts, and nobody between them gets it."""
import json
import os
import random
import shutil

import wire
from apexlib import BUILD, LOOSE, ROOT, Node, Party, deploy, done, manifest, say

REPLAYED, BAD_MESSAGE, BAD_SIGNATURE, NO_ROOT, HAS_ROOT, PEER, WRONG_SHARE, NOT_PERMITTED, DUPLICATE = 3, 1, 2, 45, 46, 47, 49, 10, 42
THRESHOLD = 2


def waiting(node):
    node.start(wait=False)
    assert node.logs("waiting for a root secret"), node.log_text()
    return node


class World:
    def __init__(self):
        self.a = Node()
        self.crew = [Party(self.a, n, trust=False) for n in ("kauri", "rimu", "totara")]
        self.recovery = self.policy("recovery.json", self.crew)
        self.a.extra = ["--recovery", self.recovery]
        self.a.start()
        for p in self.crew:
            p.ok("trust", "init", self.a.url)
        path = manifest(self.a, self.crew[0], "cluster", self.crew, release=LOOSE)
        self.address = deploy(self.a, self.crew, path, "cluster")
        for i, p in enumerate(self.crew):
            rows = os.path.join(self.a.scratch, "rows-%d.csv" % i)
            r = random.Random(i)
            with open(rows, "w") as f:
                f.write("latitude,longitude\n")
                for _ in range(60):
                    f.write("%.6f,%.6f\n" % (-37 + r.gauss(0, 1), 175 + r.gauss(0, 1)))
            p.ok("contribute", self.address, "customers", rows)
        self.answer = self.ask()

    def policy(self, name, holders):
        path = os.path.join(self.a.scratch, name)
        keys = [json.load(open(p.file)) for p in holders]
        json.dump({"apex": 1, "threshold": THRESHOLD, "holders": [{k: one[k] for k in ("name", "sign", "seal")} for one in keys]}, open(path, "w"))
        return path

    def ask(self):
        return self.crew[0].run(self.address, "sites", "k=3", seed="ab" * 32)[0]

    def move_to(self, node):
        for p in self.crew:
            p.node = node

    def newcomer(self, **more):
        return waiting(Node(extra=["--join", "--recovery", self.recovery], **more))


def copy_data(source, target):
    for name in ("log", "blobs"):
        shutil.rmtree(os.path.join(target.data, name), ignore_errors=True)
        shutil.copytree(os.path.join(source.data, name), os.path.join(target.data, name))


def offer_of(a, b):
    code, detail, hello = wire.query(a.url, wire.HELLO)
    assert code == 0, detail
    code, detail, offer = wire.message(b.url, wire.JOIN, hello)
    assert code == 0, (code, detail)
    return hello, offer


def waits(w, b):
    code, out, err = w.crew[0].apex("trust", "check", b.url, node=False)
    say(code == 1 and "no root secret yet" in err, "a node without its root secret says so, and what to do", (code, out, err))
    code = wire.message(w.a.url, wire.JOIN, wire.query(b.url, wire.HELLO)[2])[0]
    say(code == HAS_ROOT, "an enclave that has its root secret takes no other", code)


def reflections(w, b):
    own = wire.query(b.url, wire.HELLO)[2]
    say(wire.message(b.url, wire.JOIN, own)[0] == PEER, "an enclave shown its own greeting does not take itself for a peer")
    other = w.newcomer()
    say(wire.message(b.url, wire.JOIN, wire.query(other.url, wire.HELLO)[2])[0] == PEER, "one that has no root secret is no giver")
    other.clean()
    hello, offer = offer_of(w.a, b)
    fields = wire.loads(offer)
    forged = wire.dumps({1: fields[5], 2: bytes(80), 3: b"note", 4: 0, 5: fields[6]})
    say(wire.message(b.url, wire.RECEIVE, forged)[0] == BAD_SIGNATURE, "a newcomer's own signature does not pass for its giver's")
    mirrored = dict(fields)
    mirrored.update({1: wire.loads(hello)[1], 2: wire.loads(hello)[2], 3: wire.loads(hello)[3]})
    say(wire.message(w.a.url, wire.ADMIT, wire.dumps(mirrored))[0] == PEER, "a giver shown itself as a newcomer gives nothing")


def replays(w, b):
    offer = offer_of(w.a, b)[1]
    code, detail, grant = wire.message(w.a.url, wire.ADMIT, offer)
    say(code == 0, "an offer is granted once", (code, detail))
    say(wire.message(w.a.url, wire.ADMIT, offer)[0] == REPLAYED, "and not twice")
    offer_of(w.a, b)
    say(wire.message(b.url, wire.RECEIVE, grant)[0] == REPLAYED, "a grant of an earlier conversation is not taken")
    old = offer_of(w.a, b)[1]
    for _ in range(16):
        wire.query(w.a.url, wire.HELLO)
    say(wire.message(w.a.url, wire.ADMIT, old)[0] == REPLAYED, "a nonce that was pushed out by others is forgotten")


def mutations(w, b):
    refused = {}
    for field in range(1, 7):
        fields = wire.loads(offer_of(w.a, b)[1])
        raw = bytearray(fields[field])
        raw[len(raw) * 2 // 3] ^= 1
        refused[field] = wire.message(w.a.url, wire.ADMIT, wire.dumps({**fields, field: bytes(raw)}))[0]
    say(all(c in (BAD_MESSAGE, BAD_SIGNATURE, PEER, REPLAYED) for c in refused.values()), "an offer with any field changed gets nothing", refused)
    offer = offer_of(w.a, b)[1]
    codes = {wire.message(w.a.url, wire.ADMIT, offer[:n])[0] for n in range(0, len(offer), 41)}
    say(codes == {BAD_MESSAGE}, "an offer cut short anywhere gets nothing", codes)
    code, _, grant = wire.message(w.a.url, wire.ADMIT, offer)
    assert code == 0
    refused = {}
    for field in (1, 2, 3, 5):
        fields = wire.loads(grant)
        raw = bytearray(fields[field])
        raw[len(raw) // 2] ^= 1
        refused[field] = wire.message(b.url, wire.RECEIVE, wire.dumps({**fields, field: bytes(raw)}))[0]
    say(all(c in (BAD_SIGNATURE, REPLAYED) for c in refused.values()), "a grant with any field changed is not taken", refused)
    codes = {wire.message(b.url, wire.RECEIVE, grant[:n])[0] for n in range(0, len(grant), 7)}
    say(codes == {BAD_MESSAGE}, "a grant cut short anywhere is not taken", codes)
    third = w.newcomer()
    say(wire.message(third.url, wire.RECEIVE, grant)[0] == REPLAYED, "a grant made for another enclave is not taken")
    third.clean()


def another_build(w):
    other = os.path.join(w.a.scratch, "apex-enclave")
    shutil.copyfile(os.path.join(BUILD, "enclave/apex-enclave"), other)
    open(other, "ab").write(b"a changed byte")
    os.chmod(other, 0o755)
    c = w.newcomer(enclave=other)
    code, detail, _ = wire.message(c.url, wire.JOIN, wire.query(w.a.url, wire.HELLO)[2])
    say(code == PEER and "measurement" in detail, "a newcomer of another build does not take a giver it does not know", (code, detail))
    measurement = wire.loads(wire.loads(wire.loads(wire.query(w.a.url, wire.HELLO)[2])[1])[3])[2].hex()
    peers = os.path.join(w.a.scratch, "peers.json")
    json.dump({"apex": 1, "accept": [{"tee": "sim", "measurements": [measurement]}], "distrust": []}, open(peers, "w"))
    c.stop()
    c.extra += ["--peers", peers]
    waiting(c)
    code, out, err = w.crew[0].apex("node", "hand-over", c.url)
    say(code == 1 and "measurement" in err and "not one this enclave trades" in err, "and where its policy names the giver, the giver refuses it by its measurement",
        (code, out, err))
    c.clean()


def hand_over(w, b):
    folder = os.path.join(w.a.scratch, "collateral")
    os.makedirs(folder)
    open(os.path.join(folder, "tcb_info.json"), "w").write("{}")
    code, out, err = w.crew[0].apex("node", "hand-over", b.url, "--collateral", folder)
    say(code == 1 and "no-supplements" in err, "collateral is put beside the evidence, and judged with it", (code, out, err))
    before = int(w.a.get("/checkpoint").split(b"\n")[1])
    out = json.loads(w.crew[0].ok("node", "hand-over", b.url, "--json"))
    size = int(w.a.get("/checkpoint").split(b"\n")[1])
    entries = list(wire.bundle(w.a.get("/tile/entries/000.p/%d" % size)))
    body = wire.loads(wire.loads(entries[out["entry"]])[2])[7]
    say(out["entry"] == before and size == before + 1 and 6 in body and body[4] == bytes(32), "the giver's log records whom it handed its root secret", body)
    say(b.logs("ends before the root secret was handed over"), "a newcomer with an older log does not fork it, but asks for the newer one", b.log_text())
    w.a.stop()
    b.stop()
    copy_data(w.a, b)
    b.start()
    w.move_to(b)
    say(w.ask() == w.answer, "then it serves the same contracts: the same question has the same answer, to the byte")


def lost_and_found(w, b):
    shares = os.path.join(w.a.scratch, "shares.json")
    w.crew[0].ok("node", "shares", "-o", shares)
    later = os.path.join(w.a.scratch, "later.json")
    w.crew[0].ok("node", "shares", "-o", later)
    b.stop()
    c = Node(extra=["--recovery", w.recovery])
    os.makedirs(c.data)
    copy_data(b, c)
    c.start(wait=False)
    w.move_to(c)
    say(c.logs("waiting for a root secret"), "a log without its root secret is not started afresh")
    kauri, rimu, totara = w.crew
    text = open(shares).read()
    bad = os.path.join(w.a.scratch, "bad.json")
    tree = json.loads(text)
    tree["shares"][0]["sealed"] = tree["shares"][0]["sealed"][:-2] + "00"
    json.dump(tree, open(bad, "w"))
    code, out, err = kauri.apex("node", "recover", bad)
    say(code == 3 and "does not open" in err, "a changed share is noticed by its holder", (code, err))
    stranger = Party(c, "stranger", trust=False)
    shutil.copy(os.path.join(kauri.home, "trust.json"), stranger.home)
    code, out, err = stranger.apex("node", "recover", shares)
    say(code == 3 and "holds no share" in err, "who holds no share has none to give", (code, err))
    policy = json.load(open(os.path.join(rimu.home, "trust.json")))
    kept = json.dumps(policy)
    policy["accept"][0]["measurements"] = ["00" * 32]
    json.dump(policy, open(os.path.join(rimu.home, "trust.json"), "w"))
    code, out, err = rimu.apex("node", "recover", shares)
    say(code == 1 and "does not accept it" in err, "a holder sends its share to no enclave its policy does not accept", (code, err))
    open(os.path.join(rimu.home, "trust.json"), "w").write(kept)
    say(json.loads(kauri.ok("node", "recover", shares, "--json")) == {"have": 1, "need": 2}, "one share of two is not enough")
    code, out, err = kauri.apex("node", "recover", later)
    say(code == 1, "nor does the same holder count twice", (code, err))
    code, out, err = kauri.apex("trust", "check")
    say(code == 1 and "no root secret yet" in err and not c.healthy(0.2), "and it serves nobody, and is not healthy", (code, err))
    say(json.loads(totara.ok("node", "recover", later, "--json")) == {"have": 2, "need": 2}, "shares fetched at different times go together")
    say(c.healthy(), "and then the node is healthy")
    say(w.ask() == w.answer, "a fresh enclave that two of three holders helped serves the same contracts")
    c.stop()
    c.extra = []
    path = os.path.join(c.data, "root.sealed")
    good = open(path, "rb").read()
    open(path, "wb").write(good[:-1] + bytes([good[-1] ^ 1]))
    c.start(wait=False)
    refused = c.logs("the sealed root secret does not open")
    say(refused, "a sealed root secret that was changed is refused, in words", c.log_text())
    c.stop()
    open(path, "wb").write(good)
    c.start()
    say(w.ask() == w.answer, "and seals what it recovered for its next start")
    return c


def other_policy(w):
    """The host gives the waiting enclave a recovery policy of its own: another holder in totara's place."""
    evil = Party(w.a, "evil", trust=False)
    d = Node(extra=["--join", "--recovery", w.policy("evil.json", [w.crew[0], w.crew[1], evil])])
    waiting(d)
    w.move_to(d)
    code, out, err = w.crew[0].apex("node", "recover", os.path.join(w.a.scratch, "shares.json"))
    say(code == 1 and "of this policy" in err, "shares made under one recovery policy are no use under another", (code, out, err))
    d.clean()


def main():
    w = World()
    nodes = []
    try:
        b = w.newcomer()
        nodes.append(b)
        waits(w, b)
        reflections(w, b)
        replays(w, b)
        mutations(w, b)
        another_build(w)
        hand_over(w, b)
        nodes.append(lost_and_found(w, b))
        other_policy(w)
    finally:
        for n in nodes:
            n.clean()
        w.a.clean()
    done()


if __name__ == "__main__":
    main()
