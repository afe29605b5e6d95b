#!/usr/bin/env python3
"""What private answers are worth: accuracy against epsilon on the shared data sets, by the kernels that the contracts run.
    bench/private.py          writes the table of docs/differential-privacy.md and its picture (some three minutes)
    bench/private.py --print [SET ...] [option=value ...]   prints the table alone, of some (bayes logistic ridge kmeans)
Wants numpy (Debian: python3-numpy), ../shared/data and a built tree. Bounds are public by assumption: the box of the country or region for
places, else the columns' ranges rounded outwards to halves of a power of ten; delta is 1e-6, or 0 in the rows marked pure. Each figure is of
30 runs (5 of k-means) with other noise: the median, and the 10th and 90th percentile."""
import collections
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.join(os.path.dirname(TREE), "shared", "data")
PROGRAM = os.path.join(TREE, "build/bench/bench_private")
PAGE, PLOT = os.path.join(TREE, "docs/differential-privacy.md"), os.path.join(TREE, "docs/differential-privacy.svg")
BEGIN, END = "<!-- bench/private.py writes from here -->\n", "<!-- to here -->\n"
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
    def __init__(self, columns, bounds):
        self.folder = tempfile.TemporaryDirectory()
        self.rows = len(columns[0])
        for name, what in (("columns", columns), ("bounds", bounds)):
            numpy.array(what, dtype="<f8").tofile(os.path.join(self.folder.name, name))

    def run(self, op, epsilon, **options):
        words = [PROGRAM, op, "rows=%d" % self.rows, "epsilon=%g" % epsilon]
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


def spread(values):
    return tuple(numpy.percentile(values, [10, 50, 90]))


def words_of(kind, pure, more):
    return kind + (", pure" if pure else "") + "".join(", %s=%s" % i for i in more.items())


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


def do_bayes(name, pure, **more):
    cells, target, test, _ = read(name)
    classes = sorted(set(target))
    labels = numpy.array([classes.index(t) for t in target])
    columns = list(cells[~test].T)
    bench = Bench(columns + [labels[~test].astype(float)], bounds_of(cells.T))
    out, d = [], cells.shape[1]
    for epsilon in EPSILONS:
        runs = bench.run("bayes", epsilon, features=d, labels=1, classes=len(classes), runs=30, **pure)
        out.append(spread([bayes_score(numpy.array(r["answer"]), d, cells[test], labels[test]) for r in runs]))
    figure = "AUC" if len(classes) == 2 else "accuracy"
    yield Result("bayes", name, bench.rows, words_of("naive Bayes", pure, more), figure, plain_bayes(cells, labels, test, len(classes)), out)


def plain_bayes(cells, labels, test, k):
    x, y = cells[~test], labels[~test]
    smoothing = 1e-9 * x.var(0).max()
    answer = [k] + [(y == c).mean() for c in range(k)]
    for what in (lambda v: v.mean(0), lambda v: v.var(0) + smoothing):
        for c in range(k):
            answer += list(what(x[y == c]))
    return bayes_score(numpy.array(answer), cells.shape[1], cells[test], labels[test])


def do_logistic(name, pure, **more):
    cells, target, test, entry = read(name)
    positive = numpy.array([t == str(entry["positive"]) for t in target])
    bench = Bench(list(cells[~test].T) + [positive[~test].astype(float)], bounds_of(cells.T))
    out = []
    for epsilon in EPSILONS:
        runs = bench.run("logistic", epsilon, features=cells.shape[1], labels=1, runs=30, **pure, **more)
        out.append(spread([auc(cells[test] @ numpy.array(r["answer"][1:]) + r["answer"][0], positive[test]) for r in runs]))
    yield Result("logistic", name, bench.rows, words_of("logistic regression", pure, more), "AUC", reference(name, "classification", "logistic_regression", "roc_auc"), out)


def do_ridge(name, pure, **more):
    cells, target, test, _ = read(name)
    y = numpy.array([float(t) for t in target])
    bench = Bench(list(cells[~test].T) + [y[~test]], bounds_of(list(cells.T) + [y]))
    out = []
    for epsilon in EPSILONS:
        runs = bench.run("ridge", epsilon, features=cells.shape[1], target=1, runs=30, **pure, **more)
        off = [((cells[test] @ numpy.array(r["answer"][1:]) + r["answer"][0] - y[test]) ** 2).sum() for r in runs]
        out.append(spread([1 - o / ((y[test] - y[test].mean()) ** 2).sum() for o in off]))
    yield Result("ridge", name, bench.rows, words_of("ridge", pure, more), "R²", reference(name, "regression", "ridge", "r2"), out)


def inertia(points, centroids):
    total = 0.0
    for first in range(0, len(points), 4096):
        block = points[first:first + 4096]
        total += ((block[:, None, :] - centroids[None]) ** 2).sum(2).min(1).sum()
    return total


def do_kmeans(name, pure, **more):
    cells, _, _, _ = read(name)
    bench = Bench(list(cells.T), BOXES[name])
    for run in reference(name, "kmeans", "runs"):
        if run.get("weighted") or run.get("weights"):
            continue
        k, best, out = run["k"], run.get("best_of_5_kmeanspp_inertia") or run["inertia"], []
        for epsilon in EPSILONS:
            runs = bench.run("kmeans", epsilon, features=2, k=k, runs=5, **pure, **{"restarts": 5, **more})
            runs = [r for r in runs if r["status"] == "OK"]
            out.append(spread([inertia(cells, numpy.array(r["answer"][1:]).reshape(k, 2)) / best for r in runs]) if runs else None)
        yield Result("kmeans", name, bench.rows, words_of("k-means, k = %d" % k, pure, more), "inertia over the best", 1, out)


def do_count(name, pure, **more):
    bench = Bench([numpy.zeros(1)], [(0, 1)])
    out = [(bench.run("count", e, features=1, **pure)[0]["answer"][0],) * 3 for e in EPSILONS]
    yield Result("count", name, None, words_of("one count, or bin", pure, more), "noise, sd", 0, out)


Result = collections.namedtuple("Result", "kind set rows answer figure plain values")
SETS = {"count": (do_count, ["any"]), "bayes": (do_bayes, ["iris", "breast_cancer", "credit_risk"]), "logistic": (do_logistic, ["breast_cancer", "telco_churn", "credit_risk"]),
        "ridge": (do_ridge, ["corn_yield"]), "kmeans": (do_kmeans, ["places_country", "uk_accidents", "nz_addresses"])}


def results(wanted, more):
    for kind in wanted or SETS:
        do, names = SETS[kind]
        for name in names:
            for pure in ({}, {"delta": 0}):
                yield from do(name, pure, **more)


def cell(v):
    if v is None:
        return "refused"
    return "%.3g" % v[1] if v[0] == v[2] else "%.3f (%.3f to %.3f)" % (v[1], v[0], v[2])


def lines(all_results):
    yield "| set, rows | answer | figure | not private | " + " | ".join("ε = %g" % e for e in EPSILONS) + " |"
    yield "| --- | --- | --- | ---: |" + " ---: |" * len(EPSILONS)
    for r in all_results:
        rows = "" if r.rows is None else ", {:,}".format(r.rows)
        yield "| %s%s | %s | %s | %.3g | %s |" % (r.set, rows, r.answer, r.figure, r.plain, " | ".join(cell(v) for v in r.values))


# --- The picture ---

INK, SOFT, LINE = "#1c2430", "#5b6675", "#d5dae1"
COLOURS = ["#0b6e6e", "#b4551f", "#4a4fa3"]
WIDTH, HEIGHT, LEFT, TOP, FLOOR, PANEL, PLOT_WIDTH = 1180, 452, 52, 96, 330, 286, 200
PANELS = [("logistic", "Two classes", "logistic regression, AUC", 0.5, 1), ("bayes", "Classes", "naive Bayes, AUC (iris: accuracy)", 0, 1),
          ("ridge", "A yield", "ridge regression, R²", -0.5, 1), ("kmeans", "Sites", "k-means, inertia over the best", 1, 1.8)]
SHOWN = {"places_country": "k = 20", "uk_accidents": "", "nz_addresses": "k = 12"}


def text(x, y, words, size=12, fill=INK, anchor="start", weight=400):
    return '<text x="%.1f" y="%.1f" font-size="%g" fill="%s" text-anchor="%s" font-weight="%d">%s</text>' % (x, y, size, fill, anchor, weight, words)


def curve(x, scale, r, colour):
    at = [(x + i * PLOT_WIDTH / (len(EPSILONS) - 1), v) for i, v in enumerate(r.values) if v]
    band = ["%.1f,%.1f" % (a, scale(v[2])) for a, v in at] + ["%.1f,%.1f" % (a, scale(v[0])) for a, v in reversed(at)]
    return ['<polygon points="%s" fill="%s" fill-opacity="0.14"/>' % (" ".join(band), colour),
            '<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (" ".join("%.1f,%.1f" % (a, scale(v[1])) for a, v in at), colour)] + [
        '<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (a, scale(v[1]), colour) for a, v in at]


def panel(x, spec, chosen):
    kind, title, about, low, high = spec

    def scale(v):
        return FLOOR - (min(max(v, low), high) - low) / (high - low) * (FLOOR - TOP)
    out = [text(x, 36, title, 15, INK, weight=600), text(x, 56, about, 12, SOFT)]
    for i in range(5):
        v = low + i * (high - low) / 4
        out.append('<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="%s"/>' % (x, x + PLOT_WIDTH, scale(v), scale(v), LINE))
        out.append(text(x - 6, scale(v) + 4, "%g" % round(v, 3), 11, SOFT, "end"))
    for i, e in enumerate(EPSILONS):
        out.append(text(x + i * PLOT_WIDTH / (len(EPSILONS) - 1), FLOOR + 18, "%g" % e, 11, SOFT, "middle"))
    out.append(text(x + PLOT_WIDTH / 2, FLOOR + 36, "ε", 12, SOFT, "middle"))
    for i, r in enumerate(chosen):
        if kind != "kmeans":
            out.append('<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="%s" stroke-dasharray="4 3"/>' % (x, x + PLOT_WIDTH, scale(r.plain), scale(r.plain), COLOURS[i]))
        out += curve(x, scale, r, COLOURS[i])
        k = r.answer[r.answer.index(", "):] if kind == "kmeans" else ""
        out += ['<rect x="%g" y="%g" width="10" height="10" rx="2" fill="%s"/>' % (x, FLOOR + 50 + 17 * i, COLOURS[i]), text(x + 16, FLOOR + 59 + 17 * i, "%s%s, {:,} rows".format(r.rows) % (r.set, k), 11.5, INK)]
    return out


def drawn(all_results):
    body = []
    for i, spec in enumerate(PANELS):
        of = [r for r in all_results if r.kind == spec[0] and "pure" not in r.answer]
        seen = {}
        for r in of:
            if SHOWN.get(r.set, "") in r.answer:
                seen.setdefault(r.set, r)
        body += panel(LEFT + i * PANEL, spec, list(seen.values())[:3])
    body.append(text(LEFT, HEIGHT - 8, "Lines: medians; bands: 10th to 90th percentile over the noise; δ = 0.000001. Dashed: not private. What lies beyond a panel is drawn at its edge.", 12, SOFT))
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif">\n<title>Accuracy of private answers against epsilon</title>\n'
            '<rect width="%d" height="%d" fill="#ffffff"/>\n%s\n</svg>\n' % (WIDTH, HEIGHT, WIDTH, HEIGHT, "\n".join(body)))


def main():
    words = sys.argv[1:]
    more = dict(w.split("=") for w in words if "=" in w)
    wanted = [w for w in words if "=" not in w and w != "--print"]
    if "--print" in words:
        for line in lines(results(wanted, more)):
            print(line, flush=True)
        return
    made = list(results([], {}))
    page = open(PAGE).read()
    open(PLOT, "w").write(drawn(made))
    open(PAGE, "w").write(page[:page.index(BEGIN) + len(BEGIN)] + "\n".join(lines(made)) + "\n" + page[page.index(END):])


if __name__ == "__main__":
    main()
