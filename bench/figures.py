#!/usr/bin/python3
"""Ours beside a peer, operation by operation, in the same run: same rows, same start, same rounds, same number of threads, one processor, least CPU
time of some alternating runs. The answers must agree, else this exits 1; a goal that is missed is only said.
    bench/figures.py [GROUP ...] [--quick] [--runs N] [--cpu N] [--build DIR] [--data DIR] [--json FILE]
GROUP: kmeans pruned bayes linear describe boost csv threads memory (default all). --quick: a tenth of the rows, one run, no goals."""
import argparse
import json
import os
import subprocess
import sys
import time

import data

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PINNED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT", "R_DATATABLE_NUM_THREADS")
MILLION = 10 ** 6


class Bench:
    def __init__(self, options):
        self.o, self.results, self.wrong, self.absent = options, [], 0, set()

    def rows(self, n):
        return n // 10 if self.o.quick else n

    def file(self, name):
        return data.need(self.o.data, name)

    def environment(self, threads):
        return {**os.environ, **{name: str(threads) for name in PINNED}}

    def once(self, words, threads):
        """The lines of JSON that one process prints."""
        cpus = "0,1" if threads > 1 else str(self.o.cpu)
        done = subprocess.run(["taskset", "-c", cpus, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment(threads))
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise RuntimeError("%s: %s" % (" ".join(words), done.stderr.strip()[-400:]))
        return lines

    def program(self, name, *words):
        return [os.path.join(self.o.build, "bench", name), *words]

    def built(self, name):
        there = os.path.exists(os.path.join(self.o.build, "bench", name))
        if not there and name not in self.absent:
            self.absent.add(name)
            print("  (%s is not built: skipped)" % name)
        return there

    def alternate(self, sides, threads=1, runs=None):
        """Each side in turn, so that a neighbour's load falls on all of them; per side the least times of each line it prints."""
        best = [None] * len(sides)
        for _ in range(1 if self.o.quick else runs or self.o.runs):
            for i, words in enumerate(sides):
                lines = self.once(words, threads if isinstance(threads, int) else threads[i])
                if best[i] is None:
                    best[i] = lines
                for kept, line in zip(best[i], lines):
                    for key in ("seconds_cpu", "seconds_wall"):
                        kept[key] = min(kept[key], line[key])
        return best

    def say(self, name, ours, peer_name, peer, goal=None, at_most=None, agree=None, clock="seconds_cpu", note=""):
        """One line. goal: the peer's time over ours, at least; at_most: ours over the peer's. agree: None, or (good, how)."""
        up = at_most is None
        ratio = peer[clock] / ours[clock] if up else ours[clock] / peer[clock]
        wanted = goal if up else at_most
        reached = wanted is None or (ratio >= wanted if up else ratio <= wanted)
        verdict = "" if wanted is None or self.o.quick else "%s %g: %s" % ("goal >=" if up else "goal <=", wanted, "reached" if reached else "MISSED")
        if agree is not None:
            self.wrong += not agree[0]
            note = ("agrees" if agree[0] else "DISAGREES") + " (%s) " % agree[1] + note
        print("  %-34s ours %9.5f s CPU %9.5f wall | %-26s %9.5f s CPU %9.5f wall | %8.2fx %-24s | %s load %.1f" % (
            name, ours["seconds_cpu"], ours["seconds_wall"], peer_name, peer["seconds_cpu"], peer["seconds_wall"], ratio, verdict, note, os.getloadavg()[0]), flush=True)
        self.results.append({"name": name, "peer": peer_name, "ours_cpu": ours["seconds_cpu"], "ours_wall": ours["seconds_wall"], "peer_cpu": peer["seconds_cpu"],
                             "peer_wall": peer["seconds_wall"], "ratio": ratio, "goal": wanted, "reached": reached, "agrees": None if agree is None else agree[0]})

    def say_value(self, name, value, unit, at_most, note=""):
        reached = value <= at_most
        print("  %-34s %9.2f %s | goal <= %g: %s %s" % (name, value, unit, at_most, "reached" if reached else "MISSED", note), flush=True)
        self.results.append({"name": name, "value": value, "unit": unit, "goal": at_most, "reached": reached})


def near(a, b, tolerance, what="answers"):
    """Whether two lists of numbers are the same within a relative tolerance, and how far they are apart."""
    if len(a) != len(b):
        return False, "%d numbers, not %d" % (len(a), len(b))
    apart = max(abs(x - y) / max(abs(x), abs(y), 1e-300) if x != y else 0.0 for x, y in zip(a, b))
    return apart <= tolerance, "%s within %.0e" % (what, apart)


def python(operation, **options):
    return ["/usr/bin/python3", os.path.join(ROOT, "bench/peers.py"), operation, *("%s=%s" % pair for pair in options.items())]


def r_language(operation, **options):
    return ["Rscript", os.path.join(ROOT, "bench/peers.R"), operation, *("%s=%s" % pair for pair in options.items())]


def words(**options):
    return ["%s=%s" % pair for pair in options.items()]


SKLEARN_DIGITS = 1e-9  # our sums are exact and scikit-learn's are not
SINGLE_DIGITS = 0.02   # float32 takes other ways on the way


def kmeans(b):
    if not b.built("bench_num_kmeans"):
        return
    n = b.rows(MILLION)
    for k, goal in ((8, 6), (64, 8), (512, 8))[:2 if b.o.quick else 3]:  # with few rows some of 512 lose all theirs, which each treats otherwise
        o = dict(n=n, d=2, k=k, file=b.file("mix_%d.i32" % n), rounds=11 if k < 512 else 6)
        ours = lambda **more: b.program("bench_num_kmeans", *words(op="iteration", **o, **more))  # noqa: E731
        sides = [ours(), ours(mode=1), ours(level=1), python("kmeans_iteration", bits=32, **o), python("kmeans_iteration", **o), r_language("kmeans_iteration", **o)]
        oblivious, plain, avx2, single, double, r = (lines[0] for lines in b.alternate(sides))
        same = oblivious["answer"] == plain["answer"] == avx2["answer"]
        name = "k-means round d=2 k=%d" % k
        b.say(name, oblivious, "scikit-learn float32", single, goal, agree=near(oblivious["answer"], single["answer"], SINGLE_DIGITS))
        b.say(name, oblivious, "scikit-learn float64", double, agree=near(oblivious["answer"], double["answer"], SKLEARN_DIGITS))
        b.say(name, oblivious, "R kmeans Lloyd", r, agree=near(oblivious["answer"][1:], r["answer"], SKLEARN_DIGITS))
        b.say(name + " AVX2", avx2, "scikit-learn float32", single, 3, agree=(same, "same bytes at every level"))
        b.say(name + " cost", oblivious, "ours, label-indexed", plain, at_most=1.9, agree=(same, "same bytes from both"))
    o = dict(n=n, d=16, k=64, file=b.file("d16_%d.i32" % n), rounds=6)
    sides = [b.program("bench_num_kmeans", *words(op="iteration", **o)), python("kmeans_iteration", bits=32, unit=1e6, **o), python("kmeans_iteration", unit=1e6, **o)]
    ours, single, double = (lines[0] for lines in b.alternate(sides))
    b.say("k-means round d=16 k=64", ours, "scikit-learn float32", single, 3, agree=near(ours["answer"], single["answer"], SINGLE_DIGITS))
    b.say("k-means round d=16 k=64", ours, "scikit-learn float64", double, 2, agree=near(ours["answer"], double["answer"], SKLEARN_DIGITS))


def pruned(b):
    """The mode that a manifest chooses with "oblivious": false."""
    if not b.built("bench_num_kmeans"):
        return
    n = b.rows(MILLION)
    mine = lambda op, **o: b.program("bench_num_kmeans", *words(op=op, **o))  # noqa: E731
    for name, k in (("mix", 64), ("city", 64), ("uni", 64), ("city", 512))[:3 if b.o.quick else 4]:
        o = dict(n=n, d=2, k=k, file=b.file("%s_%d.i32" % (name, n)), rounds=21 if k == 64 else 6)
        sides = [mine("iteration", mode=2, repeat=9, **o), mine("iteration", mode=0, **o), python("kmeans_iteration", bits=32, **o)]
        ours, oblivious, single = (lines[0] for lines in b.alternate(sides))
        # of 512 starts some are at one place, and all but one of those lose their rows, which each treats otherwise
        agree = near(ours["answer"], single["answer"], SINGLE_DIGITS) if k == 64 else None
        b.say("pruned round %s k=%d" % (name, k), ours, "scikit-learn float32", single, 120, agree=agree)
        b.say("pruned round %s k=%d" % (name, k), ours, "ours, oblivious", oblivious, agree=(ours["answer"] == oblivious["answer"], "same bytes"))
    n, seeds = b.rows(171075), 3 if b.o.quick else 11
    for k, goal, most in ((64, 20, 0.01), (512, 100, 0.01)):
        o = dict(n=n, d=2, k=k, file=b.file("city_%d.i32" % n), seeds=seeds)
        ours, peer = (lines[0] for lines in b.alternate([mine("fit", mode=2, **o), python("kmeans_fit", **o)], runs=1))
        b.say("pruned fit, %d places, k=%d" % (n, k), ours, "scikit-learn float64", peer, goal, agree=no_worse(ours, peer, most),
              note="(medians of %d seeds) " % seeds)
    n = b.rows(10 * MILLION)
    o = dict(n=n, d=2, k=64, file=b.file("city_%d.i32" % n), seeds=1)
    ours, peer = (lines[0] for lines in b.alternate([mine("fit", mode=2, repeat=1, **o), python("kmeans_fit", **o)], runs=1))
    b.say("pruned fit, %d places, k=64" % n, ours, "scikit-learn float64", peer, 30, agree=no_worse(ours, peer, 0.05), note="(one seed) ")


def no_worse(ours, peer, most):
    """k-means++ draws other rows with either: an inertia that is no greater, but for a share."""
    more = ours["answer"][0] / peer["answer"][0] - 1
    return more <= most, "inertia %+.1f %%" % (100 * more)


def bayes(b):
    if not b.built("bench_num_bayes"):
        return
    n = b.rows(10 * MILLION)
    for classes, goals in ((8, (45, 150)), (200, (20, 200))):
        def sides(kind, rows, **more):
            o = dict(n=rows, d=2, file=b.file("mix_%d.i32" % rows), labels=b.file("mix_%d.lab%d" % (rows, classes)))
            return [b.program("bench_num_bayes", *words(op=kind, classes=classes, **o)), python("bayes_" + kind, **o, **more),
                    b.program("bench_num_bayes", *words(op=kind, classes=classes, plain=1, **o))]
        name = "naive Bayes %%s, %d classes" % classes
        ours, peer, plain = (lines[0] for lines in b.alternate(sides("fit", n)))
        b.say(name % "fit", ours, "scikit-learn GaussianNB", peer, goals[0], agree=near(ours["answer"], peer["answer"], 1e-7))
        b.say(name % "fit" + ", cost", ours, "ours, label-indexed", plain, agree=(ours["answer"] == plain["answer"], "same bytes from both"))
        part = n if classes == 8 else min(n, MILLION // 2)  # scikit-learn wants some 32 bytes a row and class
        ours, peer = (lines[0] for lines in b.alternate(sides("predict", n, of=part)[:2]))
        if part == n:
            b.say(name % "predict", ours, "scikit-learn GaussianNB", peer, goals[1], agree=near(ours["answer"], peer["answer"], 1e-6))
            continue
        few = [b.once(side, 1)[0]["answer"] for side in sides("predict", part)[:2]]
        b.say(name % "predict", ours, "scikit-learn GaussianNB", peer, goals[1], agree=near(*few, 1e-5), note="(peer: %d rows, in proportion) " % part)


def linear(b):
    if not b.built("bench_num_linear"):
        return
    n = b.rows(MILLION)
    o = dict(n=n, d=20, file=b.file("reg20_%d.y" % n))
    ours, peer = (lines[0] for lines in b.alternate([b.program("bench_num_linear", *words(op="ridge", **o)), python("ridge", **o)]))
    b.say("ridge 1e6 x 20", ours, "scikit-learn Ridge", peer, 4, agree=near(ours["answer"], peer["answer"], 1e-6, "coefficients"))
    o["file"] = b.file("reg20_%d.c" % n)
    ours, peer = (lines[0] for lines in b.alternate([b.program("bench_num_linear", *words(op="logistic", **o)), python("logistic", **o)]))
    more = ours["answer"][0] / peer["answer"][0] - 1
    b.say("logistic 1e6 x 20", ours, "scikit-learn lbfgs", peer, 3.5, agree=(more <= 1e-6, "objective %+.0e of the peer's" % more))


def describe(b):
    """The first column of the regressions: normal, a million rows."""
    if not b.built("bench_num_describe"):
        return
    n = b.rows(MILLION)
    o = dict(n=n, file=b.file("reg20_%d.y" % n))
    for op, peer, digits in (("moments", "scipy.stats.describe", 1e-9), ("quantiles", "numpy.quantile", 1e-15), ("histogram", "numpy.histogram", 0),
                             ("screen", "numpy and scipy, median and MAD", 1e-12)):
        ours, theirs = (lines[0] for lines in b.alternate([b.program("bench_num_describe", *words(op=op, **o)), python(op, **o)]))
        b.say("describe: %s, oblivious" % op if op != "screen" else "screen: threshold and flags, oblivious", ours, peer, theirs,
              agree=near(ours["answer"], theirs["answer"], digits))


def boost(b):
    if not b.built("bench_num_boost"):
        return
    n = b.rows(MILLION)
    o = dict(n=n, d=20, file=b.file("reg20_%d.c" % n), rounds=100, depth=6)
    mine = lambda op, bins: b.program("bench_num_boost", *words(op=op, bins=bins, **o))  # noqa: E731
    plain, oblivious, peer, peer_score, other, other_score = b.alternate(
        [mine("train_plain", 256), mine("train_oblivious", 64), python("xgboost", **o), python("xgboost_predict", **o), python("histgb", **o), python("histgb_predict", **o)], runs=1)
    close = lambda ours, theirs, most: (abs(ours["answer"][0] - theirs["answer"][0]) <= most,  # noqa: E731
                                        "accuracy %.4f and %.4f" % (ours["answer"][0], theirs["answer"][0]))
    b.say("boosted trees, plain", plain[0], "xgboost hist", peer[0], 0.8, agree=close(plain[0], peer[0], 0.002))
    b.say("boosted trees, plain", plain[0], "HistGradientBoosting", other[0], 1, agree=close(plain[0], other[0], 0.002))
    b.say("boosted trees, oblivious, 64 bins", oblivious[0], "xgboost hist", peer[0], at_most=30, agree=close(oblivious[0], peer[0], 0.004))
    b.say("prediction by trees, plain", plain[1], "xgboost hist", peer_score[0])
    b.say("prediction by trees, plain", plain[1], "HistGradientBoosting", other_score[0])
    b.say("prediction by trees, oblivious", oblivious[1], "xgboost hist", peer_score[0])


def csv(b):
    if not b.built("bench_ingest"):
        return
    path = b.file("mix_%d.csv" % b.rows(10 * MILLION))
    degrees, floats, fread, pandas = (lines[0] for lines in b.alternate([
        b.program("bench_ingest", "FILE=" + path), b.program("bench_ingest", "FILE=" + path, "TYPE=float64"), r_language("csv", file=path), python("csv", file=path)]))
    for name, ours in (("CSV to checked degrees", degrees), ("CSV to checked float64", floats)):
        b.say(name, ours, "data.table fread", fread, 3, agree=near(ours["answer"], fread["answer"], 1e-9, "rows and sums"))
        b.say(name, ours, "pandas read_csv", pandas, agree=near(ours["answer"], pandas["answer"], 1e-9, "rows and sums"))


def threads(b):
    n = b.rows(MILLION)
    if b.built("bench_num_kmeans"):
        o = dict(op="iteration", n=n, d=2, k=64, file=b.file("mix_%d.i32" % n), rounds=41)
        one, two = (lines[0] for lines in b.alternate(
            [b.program("bench_num_kmeans", *words(threads=1, **o)), b.program("bench_num_kmeans", *words(threads=2, **o))], threads=(1, 2), runs=5))
        b.say("k-means round k=64, two threads", two, "ours, one thread", one, 1.85, agree=(one["answer"] == two["answer"], "same bytes"), clock="seconds_wall")
        n = b.rows(10 * MILLION)
        o = dict(op="iteration", n=n, d=2, k=512, mode=2, file=b.file("uni_%d.i32" % n), rounds=21)
        one, two = (lines[0] for lines in b.alternate(
            [b.program("bench_num_kmeans", *words(threads=1, **o)), b.program("bench_num_kmeans", *words(threads=2, **o))], threads=(1, 2), runs=5))
        b.say("pruned round uni k=512, two threads", two, "ours, one thread", one, 1.6, agree=(one["answer"] == two["answer"], "same bytes"), clock="seconds_wall")


def peak(command, env):
    """VmHWM of a program in bytes, looked at until it ends (wait4's would count this interpreter before the exec)."""
    most, child = 0, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    while not os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        try:
            most = max([most] + [int(line.split()[1]) * 1024 for line in open("/proc/%d/status" % child.pid) if line.startswith("VmHWM")])
        except OSError:
            break
        time.sleep(0.002)
    if child.wait():
        raise RuntimeError("%s: %s" % (" ".join(command), child.stderr.read().decode()[-400:]))
    return most


def memory(b):
    n = b.rows(10 * MILLION)
    cases = [("k-means, oblivious, k=64", "bench_num_kmeans", 20, words(op="fit", n=n, d=2, k=64, repeat=1, file=b.file("mix_%d.i32" % n))),
             ("k-means, pruned, k=64", "bench_num_kmeans", 40, words(op="fit", n=n, d=2, k=64, mode=2, repeat=1, file=b.file("mix_%d.i32" % n)))]
    for op in ("fit", "predict"):
        cases.append(("naive Bayes %s, 8 classes, labels of a byte" % op, "bench_num_bayes", 12,
                      words(op=op, n=n, d=2, classes=8, label_bytes=1, repeat=1, file=b.file("mix_%d.i32" % n), labels=b.file("mix_%d.lab8" % n))))
    for name, program, goal, arguments in cases:
        if b.built(program):
            b.say_value(name, peak(b.program(program, *arguments), b.environment(1)) / n, "bytes a point at its peak, input included", goal)


GROUPS = {"kmeans": kmeans, "pruned": pruned, "bayes": bayes, "linear": linear, "describe": describe, "boost": boost, "csv": csv, "threads": threads, "memory": memory}


def versions():
    import numpy
    import pandas
    import sklearn
    import xgboost
    r = subprocess.run(["Rscript", "-e", "cat(R.version$major, R.version$minor, as.character(packageVersion('data.table')))"], stdout=subprocess.PIPE, text=True)
    major, minor, table = r.stdout.split()
    return "scikit-learn %s, numpy %s, pandas %s, xgboost %s, R %s.%s, data.table %s" % (
        sklearn.__version__, numpy.__version__, pandas.__version__, xgboost.__version__, major, minor, table)


def processor():
    lines = open("/proc/cpuinfo", encoding="utf-8").read().splitlines()
    flags = next(line for line in lines if line.startswith("flags"))
    model = next(line for line in lines if line.startswith("model name")).split(":")[1].strip()
    return "%s, %d processors, %s" % (model, os.cpu_count(), "AVX-512" if "avx512bw" in flags else "AVX2" if "avx2" in flags else "neither AVX2 nor AVX-512")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("groups", nargs="*", metavar="GROUP")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--cpu", type=int, default=1)
    p.add_argument("--build", default=os.path.join(ROOT, "build"))
    p.add_argument("--data")
    p.add_argument("--json")
    o = p.parse_args()
    unknown = set(o.groups) - set(GROUPS) - {"all"}
    if unknown:
        p.error("no such group: %s (there are %s)" % (", ".join(sorted(unknown)), " ".join(GROUPS)))
    o.data = o.data or os.path.join(o.build, "bench-data")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    print("machine: %s, %s; commit %s, load %.2f\npeers: %s" % (os.uname().release, processor(), commit, os.getloadavg()[0], versions()), flush=True)
    b = Bench(o)
    for name in GROUPS if "all" in o.groups or not o.groups else o.groups:
        print(name, flush=True)
        GROUPS[name](b)
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump(b.results, f, indent=1)
    missed = [r["name"] for r in b.results if not r["reached"]] if not o.quick else []
    print("%d figures, %d goals missed%s, %d answers that disagree" % (len(b.results), len(missed), ": " + ", ".join(missed) if missed else "", b.wrong))
    return 1 if b.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
