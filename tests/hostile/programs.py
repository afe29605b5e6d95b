#!/usr/bin/env python3
"""A contract program that misbehaves, deployed for real: each run ends as failed with its reason, costs the others nothing, and the node
goes on."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, ROOT, Node, Party, done, manifest, say, written  # noqa: E402

ENDS = {"crash": "program-crashed", "stop": "program-crashed", "loop": "program-timeout", "sleep": "program-timeout", "allocate": "program-memory program-crashed",
        "file": "program-jailbreak", "socket": "program-jailbreak", "process": "program-jailbreak", "execute": "program-jailbreak", "trace": "program-jailbreak",
        "clock": "program-crashed", "gigabyte": "program-output", "executable": "program-jailbreak", "namespace": "program-jailbreak", "parent": "program-jailbreak",
        "nothing": "program-output", "detail": "program-refused"}


def programs(node, timeout=60):
    """What the node's enclave still has for children, dead ones too, once it had time to bury them."""
    enclave = subprocess.run(["pgrep", "-P", str(node.host.pid)], stdout=subprocess.PIPE, text=True).stdout.strip()
    end = time.monotonic() + timeout
    while True:
        left = subprocess.run(["ps", "-o", "stat,comm", "--no-headers", "--ppid", enclave], stdout=subprocess.PIPE, text=True).stdout
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def main():
    node = Node().start()
    elf = os.path.join(node.scratch, "misbehave.elf")
    try:
        party = Party(node, "kauri")
        functions = [{"name": n, "datasets": ["customers"], "release": "receivers", "params": []} for n in list(ENDS) + ["harmless", "flood"]]
        template = os.path.join(node.scratch, "t.json")
        path = manifest(node, party, "cluster", [party], functions=functions, release=LOOSE,
                        quotas={"runs_per_party": 1000, "rows_per_party": 1000, "memory_mb": 128, "cpu_seconds": 4, "output_mb": 1})
        digest = json.loads(party.ok("contract", "build", os.path.join(ROOT, "tests/hostile/misbehave"), "-o", elf, "--json"))["program"]
        tree = json.load(open(path))
        tree["program"] = {"x86_64": digest}
        open(template, "w").write(written(tree))
        address = json.loads(party.ok("contract", "deploy", template, elf, "--json"))["address"]
        party.ok("contract", "accept", address)
        rows = os.path.join(node.scratch, "r.csv")
        open(rows, "w").write("latitude,longitude\n-37.8,175.3\n")
        party.ok("contribute", address, "customers", rows)
        for name, end in ENDS.items():
            code, out, err = party.apex("run", address, name, "--json")
            got = json.loads(out)["error"] if '"error"' in out else {"refusal": out + err}
            say(code == 1 and got["refusal"] in end.split(), "a program that does `%s` ends as %s" % (name, got["refusal"] if got["refusal"] in end.split() else end), (code, got))
            if name == "detail":
                say("\x1b" not in out and "\n" not in got["what"], "control characters in a program's words do not reach a terminal", repr(got["what"]))
        answer, _ = party.run(address, "harmless")
        say(answer == {"harmless": True, "threads": True}, "signals, clocks, inputs and terminals are out of its reach; threads are not", answer)
        answer, _ = party.run(address, "flood")
        say(answer["harmless"], "a flood of progress is dropped and the run ends", answer)
        say(node.healthy(120) and "restart" not in node.log_text().lower().replace("enclave_restarts", ""), "the node never went down", node.log_text()[-500:])
        left = programs(node)
        say(not left, "no program lingers", left)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
