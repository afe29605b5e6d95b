#!/usr/bin/env python3
"""What the enclave and the contracts refuse, what they suppress, and what does not show in an answer: order, threads, rows."""
import json
import os
import random
import subprocess

from apexlib import APEX, BUILD, LOOSE, Node, Party, deploy, done, manifest, processors, say

SEED = "5e" * 32


def rows_file(node, name, rows, header="latitude,longitude"):
    path = os.path.join(node.scratch, name)
    open(path, "w").write(header + "\n" + "".join("%s\n" % ",".join(map(str, r)) for r in rows))
    return path


def town(n, seed, lat=-37.8, lon=175.3, spread=0.2):
    r = random.Random(seed)
    return [("%.7f" % (lat + r.uniform(-spread, spread)), "%.7f" % (lon + r.uniform(-spread, spread))) for _ in range(n)]


def refused(party, sentence, refusal, *words):
    code, out, err = party.apex(*words, "--json")
    got = json.loads(out)["error"] if out.startswith("{") else {"refusal": out + err}
    say(code != 0 and got["refusal"] == refusal, sentence, (code, got))
    return got


def consent(node, crew):
    """A contract's life: nothing before all have accepted, nothing after it is closed."""
    path = manifest(node, crew[0], "cluster", crew)
    program = os.path.join(BUILD, "contracts/cluster.elf")
    address = json.loads(crew[0].ok("contract", "deploy", path, program, "--json"))["address"]
    file = rows_file(node, "a.csv", town(50, 1))
    refused(crew[0], "a contract is deployed once", "already-deployed", "contract", "deploy", path, program)
    refused(crew[0], "nothing is contributed before every approver has accepted", "not-active", "contribute", address, "customers", file)
    for p in crew:
        p.ok("contract", "accept", address)
    refused(crew[0], "consent is given once", "already-accepted", "contract", "accept", address)
    stranger = Party(node, "stranger")
    refused(stranger, "a stranger cannot accept", "not-a-party", "contract", "accept", address)
    refused(stranger, "a stranger cannot contribute", "not-a-party", "contribute", address, "customers", file)
    refused(stranger, "a stranger cannot run", "not-a-party", "run", address, "sites")
    refused(crew[0], "an answer needs rows", "no-data", "run", address, "sites", "--param", "k=2")
    crew[0].ok("contribute", address, "customers", file)
    refused(crew[1], "one party's rows alone give no answer", "rule-minimum-contributors", "run", address, "sites", "--param", "k=2")
    return address


def parameters(crew, address):
    for words, sentence in ((["--param", "k=0"], "k below its bound"), (["--param", "k=99999"], "k above its bound"), (["--param", "q=1"], "an unknown parameter"),
                            (["--param", "k=two"], "a parameter that is no number"), (["--param", "metric=taxi"], "a choice that is none"),
                            (["--param", "start=[[1,2],[3]]"], "a ragged list of points"), (["--param", "k=1.5"], "half a cluster")):
        code, out, err = crew[0].apex("run", address, "sites", *words)
        say(code == 2 and "nothing was sent" in err and "next:" in err, "%s is refused before anything is sent" % sentence, (code, err))
    code, out, err = crew[0].apex("run", address, "nonesuch")
    say(code == 2 and "no function" in err, "an unknown function is refused", err)


def hole(node, crew, address):
    """The original handed raw rows back when k was n."""
    for i, p in enumerate(crew):
        p.ok("contribute", address, "customers", rows_file(node, "b.csv", town(100, 10 + i)))
    refused(crew[0], "k = n, which once handed the rows back, is refused", "rule-k", "run", address, "sites", "--param", "k=350")
    refused(crew[0], "so is any k above rows / minimum_rows", "rule-k", "run", address, "sites", "--param", "k=36")
    lonely = [("10.0000000", "10.0000000")]
    crew[2].ok("contribute", address, "customers", rows_file(node, "l.csv", lonely))
    answer, text = crew[0].run(address, "sites", "k=3", "restarts=20", seed=SEED)
    near, _ = crew[1].run(address, "coverage", "sites=[[10,10]]", "radius_km=1")
    say(near["within_radius"] is None, "a circle round a single row tells no share", near["within_radius"])
    far, _ = crew[1].run(address, "coverage", "sites=[[-37.8,175.3]]", "radius_km=3000")
    say(far["within_radius"] is None, "nor does one that leaves a single row out", far["within_radius"])
    some, _ = crew[1].run(address, "coverage", "sites=[[-37.8,175.3]]", "radius_km=10")
    say(some["within_radius"] is not None and 0.1 < some["within_radius"] < 0.9, "one with many inside and many outside does", some["within_radius"])
    hidden = [s for s in answer["sites"] if "suppressed" in s]
    say(len(hidden) == 1 and "fewer than 10 rows" in hidden[0]["suppressed"] and len(hidden[0]) == 2,
        "a site that rests on one row is suppressed, with the reason and nothing else", answer["sites"])
    say(answer["rows"] is None, "where one site is hidden, the total that would give its rows away is hidden too", answer["rows"])
    say("10.0000000" not in text and not any(abs(s.get("latitude", 0) - 10) < 0.01 for s in answer["sites"]), "the lonely row is nowhere in the answer", text[:300])


def market(node, crew):
    path = manifest(node, crew[0], "classify", crew)
    address = deploy(node, crew, path, "classify")
    for i, p in enumerate(crew):
        rows = [(a, b, "NZ") for a, b in town(40, i)] + [(a, b, "AU") for a, b in town(20, 20 + i, -33, 150)]
        if i == 0:
            rows += [(a, b, "SOLO") for a, b in town(30, 99, 60, 20)]
        p.ok("contribute", address, "training", rows_file(node, "t.csv", rows, "latitude,longitude,class"))
        p.ok("contribute", address, "customers", rows_file(node, "c.csv", town(30, 40 + i) + town(20, 50 + i, -33, 150) + (town(15, 60, 60, 20) if i == 0 else [])))
    answer, _ = crew[1].run(address, "market")
    cells = {c["class"]: c for c in answer["classes"]}
    say("SOLO" not in cells and answer["suppressed_classes"] >= 2, "a class that one party alone has is not named", answer)
    say("follow from the total" in "".join(c.get("suppressed", "") for c in cells.values()), "a second class is hidden, so that the first does not follow from the total", cells)
    own = rows_file(node, "own.csv", [("-37.8", "175.3"), ("-33.0", "150.0")])
    answer, _ = crew[2].run(address, "predict", rows=own)
    say([p["class"] for p in answer["predictions"]] == ["NZ", "AU"], "one's own rows are classified by the joint model", answer)
    run = json.loads(crew[0].ok("audit", address, "--json"))["events"][-2]["index"]
    code, out, err = crew[0].apex("result", address, run)
    say(code == 1 and "not sealed to this identity" in err, "and nobody else can open that answer", (code, err))
    training = rows_file(node, "p.csv", [(a, b, "NZ") for a, b in town(40, 7)] + [(a, b, "AU") for a, b in town(40, 8, -33, 150)], "latitude,longitude,class")
    answer, _ = crew[1].run(address, "own_market", rows=training)
    say(answer["training_rows"] == 80, "a model can be trained on private rows sent with one request", answer)


def order_and_threads(node, crew):
    """Contributions in another order, one processor or two: the same bytes."""
    files = [rows_file(node, "o%d.csv" % i, town(3000 + 7 * i, 70 + i)) for i in range(3)]
    answers = []
    for order in ((0, 1, 2), (2, 0, 1)):
        address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE), "cluster")
        for i in order:
            crew[i].ok("contribute", address, "customers", files[i])
        for metric in ("planar", "great-circle"):
            answers.append((metric, crew[0].ok("run", address, "sites", "--param", "k=25", "--param", "metric=" + metric, "--seed", SEED)))
    one = Node(wrap=processors(1)).start()
    try:
        alone = [Party(one, p.name) for p in crew]
        address = deploy(one, alone, manifest(one, alone[0], "cluster", alone, release=LOOSE), "cluster")
        for i in (1, 2, 0):
            alone[i].ok("contribute", address, "customers", files[i])
        for metric in ("planar", "great-circle"):
            answers.append((metric, alone[0].ok("run", address, "sites", "--param", "k=25", "--param", "metric=" + metric, "--seed", SEED)))
    finally:
        one.clean()
    for metric in ("planar", "great-circle"):
        same = {a for m, a in answers if m == metric}
        say(len(same) == 1 and len(answers) == 6, "%s: contributions in another order and one processor or two give the same bytes" % metric, [a[:200] for a in same])


def withdrawn(node, crew, address):
    events = json.loads(crew[0].ok("audit", address, "--json"))["events"]
    lonely = [e["index"] for e in events if e["kind"] == "contribute"][-1]
    refused(crew[0], "another party's contribution cannot be withdrawn", "unknown-contribution", "withdraw", address, lonely)
    crew[2].ok("withdraw", address, lonely)
    refused(crew[2], "a contribution is withdrawn once", "already-withdrawn", "withdraw", address, lonely)
    answer, _ = crew[0].run(address, "sites", "k=3", seed=SEED)
    say(answer["suppressed_sites"] == 0 and answer["rows"] == 350, "what is withdrawn is in no later answer", answer["rows"])
    crew[1].ok("contract", "close", address)
    refused(crew[0], "a closed contract answers no more", "closed", "run", address, "sites")


def receipts(node, crew, address):
    _, text = crew[1].run(address, "sites", "k=4")
    path = os.path.join(node.scratch, "receipt.json")
    tree = json.loads(text)

    def verify(t):
        open(path, "w").write(t)
        r = subprocess.run([APEX, "verify", path, "--json"], env={**os.environ, "APEX_HOME": crew[1].home, "APEX_NODE": "http://127.0.0.1:1"}, stdout=subprocess.PIPE, text=True)
        return r.returncode, r.stdout

    code, out = verify(text)
    say(code == 0 and json.loads(out)["simulated"], "a receipt verifies with no network, and says that the enclave was simulated", out)
    r = random.Random(4)
    silent = []
    raw = text.encode()
    places = [i for i in range(len(raw)) if raw[i:i + 1].isalnum()]
    for i in r.sample(places, 400):
        changed = bytearray(raw)
        changed[i] = ord("A") if changed[i] != ord("A") else ord("B")
        code, out = verify(changed.decode(errors="replace"))
        if code == 0:
            silent.append((i, raw[max(0, i - 40):i + 10]))
    # The node's address is a note for people; nothing is proven of it.
    silent = [s for s in silent if b'"node"' not in raw[max(0, s[0] - 60):s[0] + 30]]
    say(not silent, "any of 400 characters changed in a receipt is noticed", silent[:3])
    for key, change in (("result", lambda t: t["result"]["sites"][0].update(rows=1)), ("manifest", lambda t: t["receipt"].update(manifest=t["receipt"]["manifest"].replace("10", "11", 1))),
                        ("entry left out", lambda t: t["receipt"]["entries"].pop(2)), ("function", lambda t: t["receipt"].update(function="coverage")),
                        ("simulated", lambda t: t["receipt"].update(simulated=False)), ("run", lambda t: t["receipt"].update(run=1))):
        t = json.loads(json.dumps(tree))
        change(t)
        code, out = verify(json.dumps(t))
        say(code == 1, "a receipt with its %s changed does not verify" % key, out[-300:])


def no_plaintext(node, crew, address):
    """A coordinate that was contributed is searched for in every byte the node keeps or says."""
    secret = ("-41.2865123", "174.7762456")
    crew[0].ok("contribute", address, "customers", rows_file(node, "s.csv", [secret] * 20 + town(30, 5)))
    crew[0].run(address, "sites", "k=4")
    values = [v.encode() for v in secret] + [v.lstrip("-")[:8].encode() for v in secret]
    values += [int(round(float(v) * 1e7)).to_bytes(4, "little", signed=True) for v in secret]
    hits = []
    for folder, _, names in os.walk(node.data):
        for n in names:
            data = open(os.path.join(folder, n), "rb").read()
            hits += [(n, v) for v in values if v in data and (len(v) > 4 or data.count(v) > 2)]
    log = open(os.path.join(node.scratch, "node.log"), "rb").read()
    hits += [("log", v) for v in values if v in log]
    say(not hits, "no coordinate of a contribution is in any file the host keeps, nor in its log", hits)
    pids = subprocess.run(["pgrep", "-P", str(node.host.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    limits = [open("/proc/%s/limits" % p).read() for p in pids]
    say(limits and all("Max core file size        0                    0" in t for t in limits), "the enclave leaves no core", limits)


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara")]
        address = consent(node, crew)
        parameters(crew, address)
        hole(node, crew, address)
        receipts(node, crew, address)
        withdrawn(node, crew, address)
        market(node, crew)
        order_and_threads(node, crew)
        no_plaintext(node, crew, deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE), "cluster"))
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
