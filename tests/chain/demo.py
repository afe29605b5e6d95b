#!/usr/bin/env python3
"""`make demo CHAIN=anvil` on a tenth of its rows: what a reader sees at the end, and that nothing is left running."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import APEX, ROOT, done, say  # noqa: E402


def main():
    r = subprocess.run([os.path.join(ROOT, "tools/with-anvil"), APEX, "demo", "--rows", "6000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    end = r.stdout.split("Do log, chain and receipt tell the same?")[-1]
    say(r.returncode == 0 and "Log, chain and receipt agree." in end and "FAIL" not in end, "the demo with a chain ends with log, chain and receipt agreeing", (r.returncode, r.stdout[-1500:], r.stderr[-500:]))
    hashes = set(re.findall("0x[0-9a-f]{64}", r.stdout))
    say(len(hashes) >= 3, "and prints the transactions of the registry, the contracts and the run", hashes)
    done()


if __name__ == "__main__":
    main()
