#!/usr/bin/env python3
"""What a user waits for: contribute, run and open a table of two columns; and the round trip of a run on 1,000 rows. Seconds and peak memory of
each process. Peers in the same run: gzip of the same file (reads and rewrites every byte) beside contribute, and sha256sum.
    bench/wait.py [ROWS ...]     default 1000000 10000000"""
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/e2e"))
from apexlib import APEX, LOOSE, Node, Party, deploy, manifest  # noqa: E402


def timed(words, watch=True, **more):
    """Wall seconds, CPU seconds, peak MiB of one process."""
    begin, most = time.perf_counter(), 0
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    if watch:  # the high-water mark of the program itself; wait4's would count this interpreter before the exec
        while True:
            try:
                most = max(most, peak(child.pid) or 0)
            except (OSError, ValueError):
                break
            if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                break
            time.sleep(0.002)
    err = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError("%s: %s" % (words, err.decode()))
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, most


def peak(pid):
    for line in open("/proc/%s/status" % pid):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def table(path, n):
    r = random.Random(n)
    with open(path, "w") as f:
        f.write("latitude,longitude\n")
        block = ["%.6f,%.6f\n" % (r.uniform(-47, -34), r.uniform(166, 178)) for _ in range(100000)]
        for at in range(0, n, len(block)):
            r.shuffle(block)
            f.writelines(block[:n - at])


def line(name, seconds, cpu, mib, note=""):
    print("  %-34s %8.2f s wall %8.2f s CPU %8.1f MiB  %s" % (name, seconds, cpu, mib, note), flush=True)


def large(node, party, n):
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE), "cluster")
    path = os.path.join(node.scratch, "rows.csv")
    table(path, n)
    size = os.path.getsize(path) / 1e6
    env = {**os.environ, "APEX_HOME": party.home, "APEX_NODE": node.url}
    print("%d rows, %.0f MB of CSV" % (n, size))
    peer = timed(["sh", "-c", "gzip -1 <'%s' >/dev/null" % path])
    line("peer: gzip -1", *peer)
    line("peer: sha256sum", *timed(["sha256sum", path]))
    check = timed([APEX, "contribute", address, "customers", path, "--check"], env=env)
    line("contribute --check", *check, "%.0f MB/s" % (size / check[0]))
    mine = timed([APEX, "contribute", address, "customers", path], env=env)
    line("contribute", *mine, "%.2f of gzip -1; client below 64 MiB: %s" % (mine[0] / peer[0], mine[2] < 64))
    run = timed([APEX, "run", address, "sites", "--param", "k=16", "--param", "restarts=1", "--param", "max_rounds=20", "-o", os.path.join(node.scratch, "r.json")], env=env)
    line("run k=16, 20 rounds, and open", *run)
    enclave = subprocess.run(["pgrep", "-P", str(node.host.pid)], stdout=subprocess.PIPE, text=True).stdout.split()[0]
    print("  peak so far: enclave %.1f MiB, apexd %.1f MiB" % (peak(enclave), peak(node.host.pid)), flush=True)
    os.unlink(path)


def small(node, party):
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE), "cluster")
    path = os.path.join(node.scratch, "small.csv")
    table(path, 1000)
    party.ok("contribute", address, "customers", path)
    env = {**os.environ, "APEX_HOME": party.home, "APEX_NODE": node.url}
    runs = sorted(timed([APEX, "run", address, "sites", "--param", "k=8", "--param", "restarts=1"], False, env=env)[0] for _ in range(40))
    start = sorted(timed([APEX, "trust", "check"], False, env=env)[0] for _ in range(20))
    print("a run on 1,000 rows, process start to opened answer: median %.1f ms, p95 %.1f ms; of it starting `apex` and attesting %.1f ms, so the round trip %.1f ms" %
          (runs[20] * 1e3, runs[37] * 1e3, start[10] * 1e3, (runs[20] - start[10]) * 1e3))


def main():
    counts = [int(a) for a in sys.argv[1:]] or [1000000, 10000000]
    node = Node().start()
    try:
        party = Party(node, "kauri")
        print("machine: %s, %d processors, load %.2f; commit %s" % (os.uname().release, os.cpu_count(), os.getloadavg()[0], subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()))
        small(node, party)
        for n in counts:
            large(node, party, n)
    finally:
        node.clean()


if __name__ == "__main__":
    main()
