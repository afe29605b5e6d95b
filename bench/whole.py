#!/usr/bin/python3
"""The whole path, a CSV on the owner's disk to an answer opened and its receipt verified, with encryption, log, enclave and jail, beside pandas and
scikit-learn in the clear on the same file, one thread: from the same start, as many rounds as scikit-learn takes with its own tolerance; and as people
ask, each with its own k-means++ start (one, of its own drawing) until it converges, the sums of squares beside one another.
    bench/whole.py [--rows N] [--k K] [--quick] [--build DIR] [--data DIR] [--cpu N]
Goals: 6 times as fast obliviously, 25 times with a manifest that says "oblivious": false; what the enclave takes at most 1.15 of the kernel in the
clear. Judged by CPU time of all processes together, for neighbours on this machine show in the wall clock. Exits 1 when the sites differ."""
import argparse
import json
import os
import subprocess
import sys
import time

import data

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
TICK = os.sysconf("SC_CLK_TCK")
PEER = """
import sys, time, json
import numpy as np, pandas
from sklearn.cluster import KMeans
path, k = sys.argv[1], int(sys.argv[2])
KMeans(2, n_init=1).fit(np.random.default_rng(0).random((1000, 2)))  # libraries loaded
w, c = time.perf_counter(), time.process_time()
x = pandas.read_csv(path).to_numpy()
parse = time.process_time() - c
start = x[np.arange(k) * (len(x) // k)]
m = KMeans(k, init=start if sys.argv[3] == "given" else "k-means++", n_init=1, random_state=1).fit(x)
print(json.dumps({"cpu": time.process_time() - c, "wall": time.perf_counter() - w, "parse": parse, "rounds": m.n_iter_, "inertia": m.inertia_,
                  "start": start.tolist(), "centroids": m.cluster_centers_.tolist()}))
"""


def clock(pid):
    """CPU seconds of a process, and of its children that have ended."""
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK, (int(fields[13]) + int(fields[14])) / TICK


class Step:
    """One command of the owner's: wall seconds, and CPU seconds of everybody who worked."""

    def __init__(self, node, enclave, words, env):
        before = [clock(p) for p in (node.host.pid, enclave)]
        begin, usage = time.perf_counter(), os.times()
        done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError("%s: %s" % (" ".join(words), done.stderr))
        after = os.times()
        self.wall = time.perf_counter() - begin
        self.client = after.children_user + after.children_system - usage.children_user - usage.children_system
        host, self.enclave = (clock(p) for p in (node.host.pid, enclave))
        self.host = host[0] - before[0][0]
        self.program = self.enclave[1] - before[1][1]
        self.enclave = self.enclave[0] - before[1][0]
        self.cpu = self.client + self.host + self.enclave + self.program


def kernel(o, rounds, mode):
    """The same rounds and labels by the bench program on plain arrays: CPU seconds."""
    path = os.path.join(o.build, "bench/bench_num_kmeans")
    n = ["n=%d" % o.rows, "d=2", "k=%d" % o.k, "mode=%d" % mode, "repeat=2", "file=" + data.need(o.data, "mix_%d.i32" % o.rows)]
    time_of = lambda *words: json.loads(subprocess.run([*o.pin, path, *words, *n], stdout=subprocess.PIPE, text=True, check=True).stdout)["seconds_cpu"]  # noqa: E731
    return time_of("op=rounds", "rounds=%d" % rounds) + time_of("op=assign")


def same_sites(answer, peer, tolerance=1e-4):
    ours = [(s["latitude"], s["longitude"]) for s in answer["sites"]]
    apart = max(max(abs(a - b) for a, b in zip(x, y)) for x, y in zip(ours, peer["centroids"]))
    return apart <= tolerance, apart


def whole(o, node, party, peer, oblivious, given):
    from apexlib import APEX, LOOSE, deploy, manifest
    changes = {} if oblivious else {"oblivious": False}
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE, **changes), "cluster")
    enclave = int(subprocess.run(["pgrep", "-P", str(node.host.pid)], stdout=subprocess.PIPE, text=True).stdout.split()[0])
    env = {**os.environ, "APEX_HOME": party.home, "APEX_NODE": node.url}
    rows, result, start = data.need(o.data, "mix_%d.csv" % o.rows), os.path.join(node.scratch, "result.json"), os.path.join(node.scratch, "start.json")
    with open(start, "w", encoding="utf-8") as f:
        json.dump(peer["start"], f)
    act = lambda *words: Step(node, enclave, [*o.pin, APEX, *words], env)  # noqa: E731
    check = act("contribute", address, "customers", rows, "--check")
    give = act("contribute", address, "customers", rows)
    starts = ["start=@" + start, "max_rounds=%d" % peer["rounds"]] if given else []
    run = act("run", address, "sites", "--param", "k=%d" % o.k, "--param", "restarts=1", *(w for s in starts for w in ("--param", s)), "-o", result)
    answer = json.load(open(result, encoding="utf-8"))["result"]
    cpu, wall = give.cpu + run.cpu, give.wall + run.wall
    mode = "oblivious" if oblivious else "not oblivious"
    if not given:
        ratio, more = peer["cpu"] / cpu, answer["inertia"] / peer["inertia"] - 1
        print("%s, own k-means++: %d rounds, sum of squares %+.1f %% of scikit-learn's (another start) | total %.3f s CPU, %.3f s wall | pandas and scikit-learn %.3f s CPU, "
              "%.3f s wall | %.1fx by CPU, %.1fx by wall | load %.2f" % (mode, answer["rounds"], 100 * more, cpu, wall, peer["cpu"], peer["wall"], ratio, peer["wall"] / wall,
                                                                       os.getloadavg()[0]), flush=True)
        return abs(more) < 0.15
    clear = kernel(o, answer["rounds"], 0 if oblivious else 2)
    good, apart = same_sites(answer, peer)
    print("%s: %d rounds; sites %s scikit-learn's (%.0e degree apart at most)" % (mode, answer["rounds"], "agree with" if good else "DIFFER from", apart))
    for name, seconds, who in (("parse", check.client, "client: the same file with --check"), ("seal and send", give.client - check.client, "client"),
                               ("receive and keep", give.host, "host"), ("check and log", give.enclave, "enclave: decrypts and checks every row"),
                               ("decrypt", run.enclave, "enclave: for the run"), ("kernel and answer", run.program, "contract, in its jail"),
                               ("ask, open, verify", run.client + run.host, "client and host")):
        print("  %-20s %7.3f s CPU   %s" % (name, seconds, who))
    goal = 6 if oblivious else 25
    ratio, own = peer["cpu"] / cpu, (run.enclave + run.program) / clear
    say = lambda reached: "" if o.quick else "reached" if reached else "MISSED"  # noqa: E731
    print("  total %.3f s CPU, %.3f s wall | pandas and scikit-learn %.3f s CPU, %.3f s wall | %.1fx by CPU, %.1fx by wall | goal >= %d: %s" % (
        cpu, wall, peer["cpu"], peer["wall"], ratio, peer["wall"] / wall, goal, say(ratio >= goal)))
    print("  enclave and contract %.3f s CPU | the kernel alone in the clear %.3f s | %.2fx | goal <= 1.15: %s | load %.2f" % (
        run.enclave + run.program, clear, own, say(own <= 1.15), os.getloadavg()[0]), flush=True)
    return good


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=10 ** 7)
    p.add_argument("--k", type=int, default=64)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--cpu", type=int, default=1)
    p.add_argument("--build", default=os.environ.get("APEX_BUILD", os.path.join(ROOT, "build")))
    p.add_argument("--data")
    o = p.parse_args()
    o.rows = o.rows // 10 if o.quick else o.rows
    o.data = o.data or os.path.join(o.build, "bench-data")
    o.pin = ["taskset", "-c", str(o.cpu)]
    os.environ["APEX_BUILD"] = o.build
    os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")})
    from apexlib import Node, Party
    path = data.need(o.data, "mix_%d.csv" % o.rows)
    print("whole path: %d rows, %.0f MB of CSV, k=%d; %s, load %.2f" % (o.rows, os.path.getsize(path) / 1e6, o.k, os.uname().release, os.getloadavg()[0]), flush=True)
    peers = {}
    for start in ("given", "own"):
        peers[start] = p = json.loads(subprocess.run([*o.pin, "/usr/bin/python3", "-c", PEER, path, str(o.k), start], stdout=subprocess.PIPE, text=True, check=True).stdout)
        print("peer, %s start: pandas.read_csv %.3f s, KMeans.fit %.3f s CPU, %d rounds" % (start, p["parse"], p["cpu"] - p["parse"], p["rounds"]), flush=True)
    node = Node(wrap=o.pin).start()
    try:
        party = Party(node, "kauri")
        good = [whole(o, node, party, peers[start], oblivious, start == "given") for start in ("given", "own") for oblivious in (True, False)]
    finally:
        node.clean()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
