#!/usr/bin/env python3
"""A hostile client against a real node: tests/hostile/forge.c does the forging."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import BUILD, LOOSE, Node, Party, deploy, done, manifest, say  # noqa: E402


def blob_of_tables(node):
    """The sealed table among the host's blobs: it begins with its magic."""
    for at, _, names in os.walk(node.data):
        for n in names:
            path = os.path.join(at, n)
            if open(path, "rb").read(8) == b"APXSEAL2":
                return (os.path.basename(at) + n)[-64:]
    return None


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu")]
        address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE), "cluster")
        path = os.path.join(node.scratch, "c.csv")
        open(path, "w").write("latitude,longitude\n" + "-37.8,175.3\n" * 20)
        crew[0].ok("contribute", address, "customers", path)
        blob = blob_of_tables(node)
        crew[0].ok("withdraw", address, last_contribution(crew[0], address))  # so that not its presence, but its binding is tested
        r = subprocess.run([os.path.join(BUILD, "tests/forge"), crew[1].home, node.url, address, blob], stdout=subprocess.PIPE, text=True)
        print(r.stdout, end="")
        say(r.returncode == 0 and node.healthy(5), "the node outlives its forgers", r.stdout)
    finally:
        node.clean()
    done()


def last_contribution(party, address):
    import json
    return [e["index"] for e in json.loads(party.ok("audit", address, "--json"))["events"] if e["kind"] == "contribute"][-1]


if __name__ == "__main__":
    main()
