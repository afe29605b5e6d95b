#!/usr/bin/env python3
"""Rows that the enclave has checked stay in its memory for runs, as long as they are contributed: the host cannot take them away any more, and it gains
nothing by having them back; what is withdrawn is gone, and after a start all are fetched and checked again."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from apexlib import LOOSE, Node, Party, deploy, done, manifest, say  # noqa: E402

SEED = "22" * 32


def town(node, n, seed):
    r = random.Random(seed)
    path = os.path.join(node.scratch, "town-%d.csv" % seed)
    with open(path, "w", encoding="utf-8") as f:
        f.write("latitude,longitude\n" + "".join("%.6f,%.6f\n" % (-37.8 + r.uniform(-.2, .2), 175.3 + r.uniform(-.2, .2)) for _ in range(n)))
    return path


def blobs(node):
    return {os.path.join(at, name) for at, _, names in os.walk(os.path.join(node.data, "blobs")) for name in names}


def contribute(node, party, address, n, seed):
    """The files that the host has of it."""
    before = blobs(node)
    party.ok("contribute", address, "customers", town(node, n, seed))
    return blobs(node) - before


def ask(party, address):
    code, out, err = party.apex("run", address, "sites", "--param", "k=3", "--seed", SEED, "-o", os.path.join(party.home, "r.json"))
    return json.load(open(os.path.join(party.home, "r.json"), encoding="utf-8"))["result"] if code == 0 else None, out + err


def hide(paths):
    for path in paths:
        os.rename(path, path + ".hidden")


def show(paths):
    for path in paths:
        os.rename(path + ".hidden", path)


def main():
    node = Node().start()
    try:
        kauri, rimu = (Party(node, n) for n in ("kauri", "rimu"))
        address = deploy(node, [kauri, rimu], manifest(node, kauri, "cluster", [kauri, rimu], release=LOOSE), "cluster")
        files = contribute(node, kauri, address, 300, 1)
        theirs = contribute(node, rimu, address, 200, 2)
        say(files and theirs, "the host has a ciphertext of each contribution", (files, theirs))
        whole, why = ask(kauri, address)
        say(whole and whole["rows"] == 500, "a run sees the rows of both", why)
        hide(files | theirs)
        again, why = ask(kauri, address)
        say(again == whole, "a host that loses the ciphertexts of rows in memory takes nothing from a run", why)
        events = json.loads(rimu.ok("audit", address, "--json"))["events"]
        index = [e["index"] for e in events if e["kind"] == "contribute"][-1]
        rimu.ok("withdraw", address, index)
        left, why = ask(kauri, address)
        say(left and left["rows"] == 300, "rows that are withdrawn are in no later run, in memory or not", why)
        node.stop()
        node.start()
        gone, why = ask(kauri, address)
        say(gone is None and "ciphertext" in why, "after a start the ciphertext is asked for, and its lack said", why)
        show(files)
        back, why = ask(kauri, address)
        say(back == left, "and with it comes the same answer", why)
        hide(files)
        more, why = ask(kauri, address)
        say(more == left, "which keeps the rows in memory again", why)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
