#!/usr/bin/env python3
"""private.py BENCH_PRIVATE [SET ...]: accuracy of private answers against epsilon on the shared data sets, as the tables of docs/privacy.md.
Wants numpy (Debian: python3-numpy) and ../shared/data. Bounds are public by assumption: the box of the country or region for places, else
the columns' ranges rounded outwards to halves of a power of ten; delta is 1e-6, or 0 in the rows marked pure."""
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared", "data")
EPSILONS = [0.1, 0.3, 1, 3, 10]
DELTA = 1e-6
MASK = (1 << 64) - 1
BOXES = {"places_country": [(-90, 90), (-180, 180)], "uk_accidents": [(49, 61), (-9, 2)], "nz_addresses": [(-38, -37.65), (175.15, 175.65)]}


def splitmix(x):
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def is_test(row):
    return splitmix((1 << 32) + row) % 10 >= 7


def read(name):
    """(features n x d, targets as text, test flags), as the README of the shared data has it."""
    with open(os.path.join(ROOT, "manifest.json")) as file:
        entry = next(e for e in json.load(file)["files"] if e["path"].endswith("/" + name + ".csv"))
    with open(os.path.join(ROOT, entry["path"]), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if entry["path"].startswith("geo/"):
        return numpy.array([[float(r["latitude"]), float(r["longitude"])] for r in rows]), None, None, entry
    categories = entry.get("categorical", [])
    used = entry["features"] + categories
    plain = [c for c in entry["features"] if c not in categories]
    levels = {c: sorted({r[c] for r in rows if r[c]})[1:] for c in categories}
    cells, target, test = [], [], []
    for i, r in enumerate(rows):
        if any(r[c] == "" for c in used + [entry["target"]]):
            continue
        cells.append([float(r[c]) for c in plain] + [float(r[c] == v) for c in categories for v in levels[c]])
        target.append(r[entry["target"]])
        test.append(is_test(i))
    return numpy.array(cells), target, numpy.array(test), entry


def bounds_of(columns):
    out = []
    for x in columns:
        width = x.max() - x.min() or 1
        step = 10.0 ** numpy.floor(numpy.log10(width)) / 2
        low, high = numpy.floor(x.min() / step) * step, numpy.ceil(x.max() / step) * step
        out.append((low, high if high > low else low + step))
    return out


class Bench:
    def __init__(self, program, columns, bounds):
        self.folder = tempfile.TemporaryDirectory()
        self.program, self.rows = program, len(columns[0])
        for name, what in (("columns", columns), ("bounds", bounds)):
            numpy.array(what, dtype="<f8").tofile(os.path.join(self.folder.name, name))

    def run(self, op, epsilon, **options):
        words = [self.program, op, "rows=%d" % self.rows, "epsilon=%g" % epsilon]
        words += ["%s=%s" % (n, os.path.join(self.folder.name, n)) for n in ("columns", "bounds")]
        options.setdefault("delta", DELTA)
        words += ["%s=%s" % (n, v) for n, v in options.items()]
        out = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]


def auc(score, positive):
    order = numpy.argsort(score, kind="stable")
    sorted_score = score[order]
    ranks = numpy.empty(len(score))
    first = numpy.searchsorted(sorted_score, sorted_score, "left")
    last = numpy.searchsorted(sorted_score, sorted_score, "right")
    ranks[order] = (first + last + 1) / 2
    p = positive.sum()
    return (ranks[positive].sum() - p * (p + 1) / 2) / (p * (len(score) - p))


def line(name, what, plain, columns):
    print("| %s | %s | %s | %s |" % (name, what, plain, " | ".join(columns)), flush=True)


def spread(values):
    low, middle, high = numpy.percentile(values, [10, 50, 90])
    return "%.3f (%.3f to %.3f)" % (middle, low, high)


def reference(name, *keys):
    with open(os.path.join(ROOT, "reference", name + ".json")) as file:
        r = json.load(file)
    for k in keys:
        r = r[k]
    return r


def bayes_score(answer, d, cells, labels):
    k = int(answer[0])
    prior, mean, variance = answer[1:1 + k], answer[1 + k:1 + k + k * d].reshape(k, d), answer[1 + k + k * d:].reshape(k, d)
    joint = numpy.stack([numpy.log(prior[c]) - 0.5 * (numpy.log(variance[c]) + (cells - mean[c]) ** 2 / variance[c]).sum(1) for c in range(k)])
    return auc(joint[1] - joint[0], labels == 1) if k == 2 else (joint.argmax(0) == labels).mean()


def do_bayes(program, name, pure):
    cells, target, test, _ = read(name)
    classes = sorted(set(target))
    labels = numpy.array([classes.index(t) for t in target])
    columns = list(cells[~test].T)
    bench = Bench(program, columns + [labels[~test].astype(float)], bounds_of(cells.T))
    out, d = [], cells.shape[1]
    for epsilon in EPSILONS:
        runs = bench.run("bayes", epsilon, features=d, labels=1, classes=len(classes), runs=30, **pure)
        out.append(spread([bayes_score(numpy.array(r["answer"]), d, cells[test], labels[test]) for r in runs]))
    line(name, "naive Bayes" + (", pure" if pure else "") + (", AUC" if len(classes) == 2 else ", accuracy"), "%.3f" % plain_bayes(cells, labels, test, len(classes)), out)


def plain_bayes(cells, labels, test, k):
    x, y = cells[~test], labels[~test]
    smoothing = 1e-9 * x.var(0).max()
    answer = [k] + [(y == c).mean() for c in range(k)]
    for what in (lambda v: v.mean(0), lambda v: v.var(0) + smoothing):
        for c in range(k):
            answer += list(what(x[y == c]))
    return bayes_score(numpy.array(answer), cells.shape[1], cells[test], labels[test])


def do_logistic(program, name, pure, **more):
    cells, target, test, entry = read(name)
    positive = numpy.array([t == str(entry["positive"]) for t in target])
    bench = Bench(program, list(cells[~test].T) + [positive[~test].astype(float)], bounds_of(cells.T))
    out = []
    for epsilon in EPSILONS:
        runs = bench.run("logistic", epsilon, features=cells.shape[1], labels=1, runs=30, **pure, **more)
        out.append(spread([auc(cells[test] @ numpy.array(r["answer"][1:]) + r["answer"][0], positive[test]) for r in runs]))
    line(name, "logistic" + (", pure" if pure else "") + "".join(", %s=%s" % i for i in more.items()) + ", AUC",
         "%.3f" % reference(name, "classification", "logistic_regression", "roc_auc"), out)


def do_ridge(program, name, pure, **more):
    cells, target, test, _ = read(name)
    y = numpy.array([float(t) for t in target])
    bench = Bench(program, list(cells[~test].T) + [y[~test]], bounds_of(list(cells.T) + [y]))
    out = []
    for epsilon in EPSILONS:
        runs = bench.run("ridge", epsilon, features=cells.shape[1], target=1, runs=30, **pure, **more)
        r2 = [1 - ((cells[test] @ numpy.array(r["answer"][1:]) + r["answer"][0] - y[test]) ** 2).sum() / ((y[test] - y[test].mean()) ** 2).sum() for r in runs]
        out.append(spread(r2))
    line(name, "ridge" + (", pure" if pure else "") + "".join(", %s=%s" % i for i in more.items()) + ", R2",
         "%.3f" % reference(name, "regression", "ridge", "r2"), out)


def inertia(points, centroids):
    total = 0.0
    for first in range(0, len(points), 4096):
        block = points[first:first + 4096]
        total += ((block[:, None, :] - centroids[None]) ** 2).sum(2).min(1).sum()
    return total


def do_kmeans(program, name, pure, **more):
    cells, _, _, _ = read(name)
    bench = Bench(program, list(cells.T), BOXES[name])
    for run in reference(name, "kmeans", "runs"):
        if run.get("weighted") or run.get("weights"):
            continue
        k, best, out = run["k"], run.get("best_of_5_kmeanspp_inertia") or run["inertia"], []
        for epsilon in EPSILONS:
            runs = bench.run("kmeans", epsilon, features=2, k=k, runs=5, **pure, **{"restarts": 5, **more})
            runs = [r for r in runs if r["status"] == "OK"]
            out.append(spread([inertia(cells, numpy.array(r["answer"][1:]).reshape(k, 2)) / best for r in runs]) if runs else "refused")
        line(name, "k-means, k = %d%s%s" % (k, ", pure" if pure else "", "".join(", %s=%s" % i for i in more.items())), "1", out)


SETS = {"bayes": (do_bayes, ["iris", "breast_cancer", "credit_risk"]), "logistic": (do_logistic, ["breast_cancer", "telco_churn", "credit_risk"]),
        "ridge": (do_ridge, ["corn_yield"]), "kmeans": (do_kmeans, ["places_country", "uk_accidents", "nz_addresses"])}


def main():
    wanted = [w for w in sys.argv[2:] if "=" not in w] or list(SETS)
    more = dict(w.split("=") for w in sys.argv[2:] if "=" in w)
    line("set", "answer", "not private", ["epsilon %g" % e for e in EPSILONS])
    print("|---" * (3 + len(EPSILONS)) + "|", flush=True)
    for what in wanted:
        do, names = SETS[what]
        for name in names:
            for pure in ({}, {"delta": 0}):
                do(sys.argv[1], name, pure, **more)


if __name__ == "__main__":
    main()
