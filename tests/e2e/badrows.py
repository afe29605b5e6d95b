#!/usr/bin/env python3
"""Rows no kernel likes, through every contract and the whole path: each is refused by name, or answered with finite numbers that are right.
The rules are loose, so that a null in an answer could only be a number that is none."""
import json
import os
import sys
from multiprocessing.pool import ThreadPool

from apexlib import LOOSE, Node, Party, deploy, done, manifest, numbers, say

PLACES = [("latitude", "latitude"), ("longitude", "longitude")]
WEIGHED = PLACES + [("weight", "int64")]
XY = [("x", "float64"), ("y", "float64")]
LABELLED, VALUED = XY + [("class", "category")], XY + [("target", "float64")]
MIXED = [("x", "float64"), ("n", "int64"), ("text", "category"), ("flag", "bool"), ("day", "date")]
SCHEMAS = {"cluster": {"customers": PLACES, "weighted": WEIGHED}, "classify": {"training": LABELLED, "holdout": LABELLED, "customers": XY},
           "regress": {"training": VALUED, "holdout": VALUED, "fields": XY}, "screen": {"training": LABELLED, "holdout": LABELLED, "claims": XY}, "describe": {"records": MIXED}}
TWO = [(0, 0, "a"), (1, 2, "a"), (2, 1, "a"), (9, 9, "b"), (8, 7, "b"), (9, 6, "b")]
BIG = 1e300
LINE = [(x, (3 * x) % 7, 2 * x + 1) for x in range(12)]


def same(n, *row):
    return [row] * n


def train(rows, held=None):
    return {"training": rows, "holdout": held if held is not None else rows}


def accuracy(want):
    return lambda a: a["accuracy"] == want


def near(key, want):
    return lambda a: abs(a[key] - want) <= 1e-9 * max(1, abs(want))


def column(name, **want):
    return lambda a: all(next(c for c in a["columns"] if c["column"] == name).get(k) == v for k, v in want.items())


# contract, what is in the rows, function, parameters, contributed rows, rows sent along, then words of a refusal or what the answer has to be
CASES = [
    ("cluster", "no rows", "sites", [], {}, None, "no rows"),
    ("cluster", "fewer rows than k", "sites", ["k=4"], {"customers": [(1, 1), (2, 2), (3, 3)]}, None, "k is above the number of rows"),
    ("cluster", "one row", "sites", ["k=1"], {"customers": [(1, 1)]}, None, lambda a: a["sites"][0]["latitude"] == 1 and a["inertia"] == 0),
    ("cluster", "all points equal", "sites", ["k=3"], {"customers": same(40, -37.5, 175)}, None, lambda a: a["inertia"] == 0 and sum(s.get("rows", 0) for s in a["sites"]) == 40),
    ("cluster", "all points equal on the sphere", "sites", ["k=3", "metric=great-circle"], {"customers": same(40, -37.5, 175)}, None, lambda a: a["inertia"] < 1e-9),
    ("cluster", "starts that are one point", "sites", ["start=[[1,1],[1,1]]"], {"customers": [(0, 0), (2, 2)]}, None, lambda a: a["sites"][0]["rows"] == 2),
    ("cluster", "the corners of the map", "sites", ["k=4"], {"customers": [(a, b) for a in (-90, 90) for b in (-180, 180)] * 3}, None, lambda a: a["inertia"] == 0 and a["converged"]),
    ("cluster", "the poles and the date line", "sites", ["k=2", "metric=great-circle"], {"customers": [(90, 180), (90, -180), (-90, 0), (-90, 17)]}, None,
     lambda a: sorted(round(s["latitude"]) for s in a["sites"]) == [-90, 90]),
    ("cluster", "weights all 0", "weighted_sites", ["k=1"], {"weighted": [(1, 1, 0), (2, 2, 0)]}, None, "no rows"),
    ("cluster", "the greatest weights", "weighted_sites", ["k=1"], {"weighted": [(1, 1, 4294967295), (3, 3, 4294967295), (9, 9, 0)]}, None,
     lambda a: a["sites"][0]["latitude"] == 2 and a["sites"][0]["weight"] == 2 * 4294967295),
    ("cluster", "a site at the far side of the Earth", "coverage", ["sites=[[90,180]]"], {"customers": [(-90, 0)]}, None, lambda a: 20015 < a["distance"]["max_km"] < 20016),
    ("cluster", "one row to choose k for", "choose_k", ["k_least=1", "k_most=2"], {"customers": [(1, 1)]}, None, "k_most is above"),
    ("cluster", "all points equal, to choose k for", "choose_k", ["k_least=2", "k_most=4"], {"customers": same(9, 1, 1)}, None, lambda a: all(c["inertia"] == 0 for c in a["k"])),
    ("cluster", "all points equal, to cover", "cover", ["share=1"], {"customers": same(9, 1, 1)}, None, lambda a: a["k"] == 1 and a["within_radius"] == 1),
    ("cluster", "the poles and the date line, to cover", "cover", ["share=1"], {"customers": [(90, 180), (90, -180), (-90, 0), (-90, 17), (0, 180), (0, -180)]}, None, lambda a: a["k"] == 3),
    ("cluster", "a share of nothing", "cover", ["share=0"], {"customers": [(1, 1)]}, None, "no candidate"),
    ("cluster", "no sites", "coverage", [], {"customers": [(1, 1)]}, None, "at least one place"),
    ("screen", "no rows", "train", ["k=1"], {}, None, "no rows"),
    ("screen", "fewer rows than k", "train", ["k=7"], {"training": TWO}, None, "k is above the number of rows"),
    ("screen", "all points equal", "train", ["k=2"], {"training": same(9, 5, 5, "a")}, None, lambda a: a["threshold"] == 0 and a["flagged"] == 0 and a["inertia"] == 0),
    ("screen", "a constant column", "train", ["k=2"], {"training": [(x, 7, t) for x, _, t in TWO]}, None, lambda a: [c["rows"] for c in a["clusters"]] in ([3, 3],)),
    ("screen", "one row", "train", ["k=1"], {"training": [(1, 1, "a")]}, None, lambda a: a["clusters"][0]["classes"][0]["rate"] == 1),
    ("screen", "numbers too large to square", "train", ["k=1"], {"training": [(BIG, 1, "a"), (-BIG, 2, "b")]}, None, "too large"),
    ("screen", "one's own row far out", "screen", ["k=1"], {"training": TWO}, [(1e308, -1e308)], lambda a: a["scores"][0]["flagged"] and a["scores"][0]["score"] > 2000),
    ("screen", "starts of other features", "train", ["start=[[1,2,3,4]]"], {"training": TWO}, None, "another number of coordinates"),
    ("screen", "rows of one's own left at home", "screen", ["k=1"], {"training": TWO}, None, "--rows"),
    ("describe", "no rows", "summary", [], {}, None, "no rows"),
    ("describe", "one row", "summary", [], {"records": [(5, -3, "a", "true", "2026-01-01")]}, None, column("x", mean=5, sd=0, skewness=0, kurtosis=0, least=5, most=5)),
    ("describe", "a column wholly missing", "summary", [], {"records": [("", 1, "", "", "")] * 3}, None, column("n", mean=1, present=3, missing=0)),
    ("describe", "a constant column", "summary", [], {"records": same(30, 0.1, 7, "a", "true", "2026-01-01")}, None, column("n", mean=7, sd=0, skewness=0, kurtosis=0, median=7)),
    ("describe", "the ends of int64", "summary", [], {"records": [(1, n, "a", "true", "2026-01-01") for n in (-9007199254740991, 9007199254740991)]}, None, column("n", mean=0, least=-9007199254740991)),
    ("describe", "numbers whose powers overflow", "summary", [], {"records": [(s * BIG, 1, "a", "true", "2026-01-01") for s in (-1, 1)]}, None, column("x", failed="numbers are too large to be summed exactly")),
    ("describe", "all rows outside the edges", "histogram", ["column=x", "edges=[[0],[1]]"], {"records": [(s, 1, "a", "true", "2026-01-01") for s in (-BIG, BIG)]}, None,
     lambda a: a["below"] == a["above"] == 1 and a["bins"][0]["rows"] == 0),
    ("describe", "correlations with a constant column", "correlations", [], {"records": [(x, 7, "a", "true", "2026-01-%02d" % x) for x in (1, 2, 3)]}, None,
     lambda a: [[round(r, 12) for r in row] for row in a["correlations"]] == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
    ("describe", "correlations of one row", "correlations", [], {"records": [(1, 7, "a", "true", "2026-01-01")]}, None, lambda a: a["correlations"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ("describe", "correlations of numbers too large", "correlations", [], {"records": [(s * BIG, 7, "a", "true", "2026-01-01") for s in (-1, 1)]}, None, "too large"),
    ("describe", "a table without a complete row", "crosstab", ["down=text", "across=flag"], {"records": [(1, 1, "a", "", ""), (1, 1, "", "true", "")]}, None, "no rows"),
    ("describe", "a table of a column with itself", "crosstab", ["down=text", "across=text"], {"records": [(1, 1, "a", "true", "")]}, None, "two different columns"),
]
for m in ("bayes", "logistic", "boost"):
    CASES += [
        ("classify", "no rows, " + m, "evaluate", ["method=" + m], {}, None, "no rows"),
        ("classify", "one class only, " + m, "evaluate", ["method=" + m], train(TWO[:3]), None, "one class"),
        ("classify", "a class with one row, " + m, "evaluate", ["method=" + m], train(TWO[:4]), None, lambda a: a["accuracy"] >= 0.75),
        ("classify", "all points equal, " + m, "evaluate", ["method=" + m], train(same(5, 1, 1, "a") + same(4, 1, 1, "b")), None, lambda a: abs(a["accuracy"] - 5 / 9) < 1e-12 and a["roc_auc"] == 0.5),
        ("classify", "a constant column, " + m, "evaluate", ["method=" + m], train([(x, 7, t) for x, _, t in TWO]), None, accuracy(1)),
        ("classify", "a column twice, " + m, "evaluate", ["method=" + m], train([(x, x, t) for x, _, t in TWO]), None, accuracy(1)),
        ("classify", "a label never seen in training, " + m, "evaluate", ["method=" + m], train(TWO, TWO + [(0, 0, "new"), (9, 9, "new")]), None, accuracy(0.75)),
        ("classify", "no held-out rows, " + m, "evaluate", ["method=" + m], train(TWO, []), None, "no rows"),
        ("classify", "only labels never seen held out, " + m, "evaluate", ["method=" + m], train(TWO, [(0, 0, "new")]), None, accuracy(0)),
        ("classify", "rows all of which miss a cell, " + m, "evaluate", ["method=" + m], train([("", 1, "a"), (1, "", "b")]), None, "no training rows"),
        ("classify", "separable classes, " + m, "evaluate", ["method=" + m], train(TWO), None, accuracy(1)),
        ("classify", "a row of one's own far out, " + m, "predict", ["method=" + m], train(TWO), [(1e308, 1e308)], lambda a: a["predictions"][0]["class"] in "ab"),
        ("classify", "rows of one's own that miss cells, " + m, "predict", ["method=" + m], train(TWO), [("", 1)], lambda a: a["rows_dropped"] == 1 and a["predictions"] == []),
        ("classify", "a party with one class, " + m, "compare", ["method=" + m], train(TWO), None, lambda a: len(a["alone"]) == 2 and a["pooled"]["accuracy"] == 1),
    ]
CASES += [
    ("classify", "separable classes without penalty", "evaluate", ["method=logistic", "penalty=0"], train(TWO), None, "did not converge"),
    ("classify", "columns that depend on each other, without penalty", "evaluate", ["method=logistic", "penalty=0"], train([(x, 2 * x, t) for x, _, t in TWO + [(4, 0, "a"), (3, 0, "b")]]), None, "columns depend"),
    ("classify", "numbers too large to square, logistic", "evaluate", ["method=logistic"], train([(BIG, 1, "a"), (-BIG, 2, "b")]), None, "too large"),
    ("classify", "numbers too large to square, bayes", "evaluate", ["method=bayes"], train([(BIG, 1, "a"), (-BIG, 2, "b"), (BIG / 2, 1, "a")]), None, "too large"),
    ("classify", "numbers too large to square, boost", "evaluate", ["method=boost"], train([(BIG, 1, "a"), (-BIG, 2, "b")] * 3), None, accuracy(1)),
    ("classify", "denormal numbers, logistic", "evaluate", ["method=logistic"], train([(5e-324 * i, 1, "ab"[i > 3]) for i in range(8)]), None, lambda a: 0 <= a["accuracy"] <= 1),
    ("classify", "denormal numbers, bayes", "evaluate", ["method=bayes"], train([(5e-324 * i, 1, "ab"[i > 3]) for i in range(8)]), None, lambda a: 0 <= a["accuracy"] <= 1),
]
for m in ("linear", "ridge", "boost"):
    CASES += [
        ("regress", "no rows, " + m, "evaluate", ["method=" + m], {}, None, "no rows"),
        ("regress", "one row, " + m, "evaluate", ["method=" + m], train([(1, 2, 3)], LINE), None, near("rmse", (sum((2 * x + 1 - 3) ** 2 for x in range(12)) / 12) ** 0.5)),
        ("regress", "a constant target, " + m, "evaluate", ["method=" + m], train([(x, y, 5) for x, y, _ in LINE]), None, lambda a: a["r2"] == 0 and a["rmse"] < 1e-9),
        ("regress", "constant columns, " + m, "evaluate", ["method=" + m], train([(7, 7, t) for _, _, t in LINE]), None, lambda a: abs(a["r2"]) < 1e-9),
        ("regress", "a column twice, " + m, "evaluate", ["method=" + m], train([(x, x, t) for x, _, t in LINE]), None, lambda a: a["r2"] > 0.95),
        ("regress", "all points equal, " + m, "evaluate", ["method=" + m], train(same(8, 1, 1, 3)), None, lambda a: a["rmse"] < 1e-9),
        ("regress", "a row of one's own far out, " + m, "predict", ["method=" + m], train(LINE), [(1e9, -1e9)], lambda a: isinstance(a["predictions"][0]["value"], (int, float))),
        ("regress", "a party with one row, " + m, "compare", ["method=" + m], {"training": LINE[:1] + LINE[2:3], "holdout": LINE}, None, lambda a: len(a["alone"]) == 2),
    ]
CASES += [
    ("regress", "fewer rows than columns, linear", "evaluate", ["method=linear"], train([(1, 2, 3), (2, 3, 5)], LINE), None, lambda a: a["rmse"] > 0),
    ("regress", "numbers too large to square, ridge", "evaluate", ["method=ridge"], train([(BIG, 1, 1), (-BIG, 2, 2)]), None, "too large"),
    ("regress", "a target too large to square, linear", "evaluate", ["method=linear"], train([(1, 1, BIG), (2, 2, -BIG)]), None, "too large"),
    ("regress", "an exact line, linear", "evaluate", ["method=linear"], train(LINE), None, near("r2", 1)),
]


def template(kind):
    """The template's functions with this test's columns as choices."""
    text = open(os.path.join(os.path.dirname(__file__), "../../contracts", kind, "manifest.json")).read()
    functions = json.loads(text.replace("[@PARTIES@]", "[]"))["functions"]
    choices = {"column": ["x", "n", "day", "text", "flag"], "down": ["text", "flag"], "across": ["text", "flag"]}
    for f in functions:
        for p in f["params"]:
            if kind == "describe" and p["name"] in choices:
                p.update(choices=choices[p["name"]], default=choices[p["name"]][0])
    return functions


def column_made(name, kind):
    made = {"name": name, "type": kind, "missing": True}
    if kind in ("latitude", "longitude"):
        made["missing"] = False
    if name == "weight":
        made.update(min=0, max=4294967295, missing=False)
    return made


def contract(node, crew, kind):
    datasets = [{"name": d, "columns": [column_made(*c) for c in columns]} for d, columns in SCHEMAS[kind].items()]
    return manifest(node, crew[0], kind, crew, release=LOOSE, datasets=datasets, functions=template(kind))


def csv(node, columns, rows):
    path = os.path.join(node.scratch, "rows-%d.csv" % next(numbers))
    text = [",".join(repr(v) if isinstance(v, float) else str(v) for v in r) for r in rows]
    open(path, "w").write("\n".join([",".join(n for n, _ in columns)] + text) + "\n")
    return path


def number_only(text):
    """Loads JSON in which every number is one."""
    def wrong(what):
        raise ValueError(what)
    answer = json.loads(text, parse_constant=wrong)
    if "null" in json.dumps(answer):
        raise ValueError("null in " + json.dumps(answer))
    return answer


def answered(node, crew, case, address):
    kind, _, function, params, rows, own, _ = case
    for dataset, mine in rows.items():
        for p, part in zip(crew, (mine[::2], mine[1::2])):
            if part:
                p.ok("contribute", address, dataset, csv(node, SCHEMAS[kind][dataset], part))
    words = ["run", address, function, "--seed", "%064x" % 1]
    for p in params:
        words += ["--param", p]
    if own:
        name = next(f["rows"] for f in template(kind) if f["name"] == function)
        words += ["--rows", csv(node, SCHEMAS[kind][name], own)]
    return crew[0].apex(*words)


def one(node, crew, case, address):
    kind, sentence, function, params, _, _, want = case
    code, out, err = answered(node, crew, case, address)
    label = "%s: %s %s" % (kind, sentence, "are refused by name" if isinstance(want, str) else "are answered")
    if isinstance(want, str):
        return say(code == 1 and want in err and "failed" not in err, label, (code, out[:300], err[:600]))
    try:
        good = code == 0 and want(number_only(out))
    except (ValueError, KeyError, IndexError, TypeError) as wrong:
        return say(False, label, (repr(wrong)[:600], err[:300]))
    return say(good, label, (code, out[:900], err[:300]))


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu")]
        chosen = [c for c in CASES if len(sys.argv) < 2 or sys.argv[1] in c[0] + ": " + c[1]]
        with ThreadPool(4) as pool:
            pool.map(lambda c: one(node, crew, c, deploy(node, crew, contract(node, crew, c[0]), c[0])), chosen, 1)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
