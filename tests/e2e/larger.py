#!/usr/bin/env python3
"""Tables larger than what a program may use: they are fed to it group by group, with the same answer as from memory, and a program's memory stays
below its cap. What the host does to a table between two passes is noticed."""
import json
import os
import random
import sys

from apexlib import LOOSE, Node, Party, deploy, done, manifest, say

ROWS = int(os.environ.get("APEX_ROWS", "4400000"))
MB = ROWS * 8 >> 20  # of the table in the clear


def rows_file(node, n):
    r = random.Random(7)
    path = os.path.join(node.scratch, "rows.csv")
    block = ["%.6f,%.6f\n" % (r.gauss(-37, 1), r.gauss(175, 1)) for _ in range(50000)]
    with open(path, "w") as f:
        f.write("latitude,longitude\n")
        for at in range(0, n, len(block)):
            r.shuffle(block)
            f.writelines(block[:n - at])
    return path


def contract(node, party, path, memory_mb):
    quotas = {"runs_per_party": 1000, "rows_per_party": 100000000, "memory_mb": memory_mb, "cpu_seconds": 600, "output_mb": 64}
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE, quotas=quotas), "cluster")
    party.ok("contribute", address, "customers", path)
    return address


def main():
    node = Node()
    try:
        node.start()
        party = Party(node, "kauri")
        path = rows_file(node, ROWS)
        params = ["k=16", "restarts=1", "max_rounds=5"]
        held = contract(node, party, path, 1024)
        cap = max(32, MB // 4)
        fed = contract(node, party, path, cap)
        for metric in ("planar", "great-circle"):
            want, _ = party.run(held, "sites", *params, "metric=" + metric, seed="5e" * 32)
            got, _ = party.run(fed, "sites", *params, "metric=" + metric, seed="5e" * 32)
            say(got == want, "a table of %d MiB gives the same answer under a cap of %d MiB as held in memory, %s" % (MB, cap, metric),
                (str(got)[:300], str(want)[:300]))
        # The blob shrinks by a byte between two runs: the run fails and says whose fault it is.
        blobs = []
        for root, _, files in os.walk(node.data):
            blobs += [os.path.join(root, f) for f in files if os.path.getsize(os.path.join(root, f)) > ROWS * 7]
        for b in blobs:
            with open(b, "r+b") as f:
                f.seek(os.path.getsize(b) // 2)
                byte = f.read(1)
                f.seek(-1, 1)
                f.write(bytes([byte[0] ^ 1]))
        code, out, err = party.apex("run", fed, "sites", "--param", "k=4", "--json")
        refusal = json.loads(out)["error"]["refusal"] if out.startswith("{") else out + err
        say(code != 0 and refusal == "blob-tampered", "a table the host changed is noticed while it is fed", (code, out, err, len(blobs)))
    finally:
        node.clean()
    return done()


sys.exit(main())
