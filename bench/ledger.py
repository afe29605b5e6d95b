#!/usr/bin/python3
"""What a log costs, beside SQLite on the same disk: entries appended with every batch synced before the next, an inclusion proof, the replay at a
start. Goals are those of the public ledger: 5,000 entries a second, a proof below 1 ms, a million entries replayed within 30 s.
    bench/ledger.py [--quick] [--build DIR]"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("APEX_BUILD", os.path.join(ROOT, "build"))
BATCH = 256


def ours(*words):
    done = subprocess.run([os.path.join(BUILD, "bench/bench_ledger"), *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def sqlite(folder, n):
    db = sqlite3.connect(os.path.join(folder, "peer.db"), isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=full")
    db.execute("create table entry (i integer primary key, bytes blob)")
    begin, cpu = time.perf_counter(), time.process_time()
    for at in range(0, n, BATCH):
        db.execute("begin")
        db.executemany("insert into entry values (?, ?)", [(at + i, os.urandom(400)) for i in range(BATCH)])
        db.execute("commit")
    return time.perf_counter() - begin, time.process_time() - cpu


def main():
    n = 10240 if "--quick" in sys.argv else 102400
    many = 100000 if "--quick" in sys.argv else 1000000
    reached = lambda good: "reached" if good else "MISSED"  # noqa: E731
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        a = ours("append", os.path.join(folder, "log"), n, BATCH)
        wall, cpu = sqlite(folder, n)
    rate = n / a["seconds_wall"]
    print("ledger append, batches of %d synced, checkpoint signed and synced each: %.0f entries/s wall (%.3f s CPU) | sqlite3 WAL full, rows alone: %.0f/s wall (%.3f s CPU) | "
          "goal >= 5000/s: %s | load %.1f" % (BATCH, rate, a["seconds_cpu"], n / wall, cpu, reached(rate >= 5000), os.getloadavg()[0]), flush=True)
    p = ours("proof", many)
    print("inclusion proof in a log of %d: %.2f us CPU | goal < 1000: %s" % (many, p["seconds_cpu"] * 1e6, reached(p["seconds_cpu"] < 1e-3)), flush=True)
    r = ours("replay", many)
    print("replay of %d entries, every rule, the newest 65,536 signatures: %.2f s CPU, %.2f s wall | goal < 30 s: %s | load %.1f" % (
        r["entries"], r["seconds_cpu"], r["seconds_wall"], reached(r["seconds_cpu"] < 30), os.getloadavg()[0]), flush=True)


if __name__ == "__main__":
    main()
