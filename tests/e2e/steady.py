#!/usr/bin/env python3
"""Contributions in another order, one processor or two: every contract's answer has the same bytes."""
import json
import os
import random

from apexlib import Node, Party, deploy, done, manifest, processors, say

SEED = "%064x" % 9
PLACES = [("latitude", "latitude"), ("longitude", "longitude")]
CLAIMS = PLACES + [("amount", "float64"), ("kind", "category")]
ASKED = {
    "cluster": [("choose_k", "k_most=5"), ("cover", "share=0.8", "radius_km=40"), ("sites", "k=7", "metric=great-circle")],
    "classify": [("evaluate", "method=bayes"), ("evaluate", "method=logistic"), ("evaluate", "method=boost", "rounds=5"), ("compare", "method=bayes")],
    "regress": [("evaluate", "method=ridge"), ("evaluate", "method=boost", "rounds=5")],
    "screen": [("train", "k=5"), ("train", "k=3", "rule=quantile", "quantile=0.9")],
    "describe": [("summary",), ("correlations",), ("crosstab", "down=kind", "across=flag"), ("histogram", "column=amount", "bins=9")],
}
SETS = {"cluster": {"customers": PLACES}, "classify": {"training": CLAIMS[:3] + [("class", "category")], "holdout": CLAIMS[:3] + [("class", "category")]},
        "regress": {"training": CLAIMS + [("target", "float64")], "holdout": CLAIMS + [("target", "float64")]}, "screen": {"training": CLAIMS + [("class", "category")], "holdout": CLAIMS + [("class", "category")]},
        "describe": {"records": CLAIMS + [("flag", "bool")]}}


def rows_of(columns, seed, n):
    r = random.Random(seed)
    make = {"latitude": lambda i: "%.7f" % r.gauss(-38, 0.4), "longitude": lambda i: "%.7f" % r.gauss(175, 0.4), "amount": lambda i: "%.3f" % r.lognormvariate(7, 1),
            "kind": lambda i: r.choice("xyz"), "class": lambda i: "ab"[i % 2], "target": lambda i: "%.4f" % r.gauss(i % 5, 1), "flag": lambda i: r.choice(("true", "false"))}
    return [[make[c](i) for c, _ in columns] for i in range(n)]


def datasets_of(kind):
    bounds = {"amount": {"min": 0, "max": 1000000}}
    return [{"name": d, "columns": [{"name": n, "type": t, **bounds.get(n, {})} for n, t in columns]} for d, columns in SETS[kind].items()]


def functions_of(kind):
    """Those asked, with the choices of this test's columns."""
    text = open(os.path.join(os.path.dirname(__file__), "../../contracts", kind, "manifest.json")).read()
    chosen = []
    for f in json.loads(text.replace("[@PARTIES@]", "[]"))["functions"]:
        if f["name"] not in {a[0] for a in ASKED[kind]}:
            continue
        f["datasets"] = [d for d in f["datasets"] if d in SETS[kind]]
        for p in f["params"]:
            if kind == "describe" and p["type"] == "choice":
                p.update(choices=["amount", "kind", "flag"], default="amount" if p["name"] == "column" else "kind")
        chosen.append(f)
    return chosen


def answers(node, crew, kind, order):
    path = manifest(node, crew[0], kind, crew, datasets=datasets_of(kind), functions=functions_of(kind))
    address = deploy(node, crew, path, kind)
    for dataset, columns in SETS[kind].items():
        for i in order:
            text = "\n".join([",".join(n for n, _ in columns)] + [",".join(r) for r in rows_of(columns, dataset + str(i), 1500 + 800 * i)])
            file = os.path.join(node.scratch, "s.csv")
            open(file, "w").write(text + "\n")
            crew[i].ok("contribute", address, dataset, file)
    got = []
    for function, *params in ASKED[kind]:
        got.append(crew[0].ok("run", address, function, "--seed", SEED, *[w for p in params for w in ("--param", p)]))
    return got


def main():
    names = ("kauri", "rimu", "totara")
    two, one = Node().start(), Node(wrap=processors(1)).start()
    try:
        crew, alone = [Party(two, n) for n in names], [Party(one, n) for n in names]
        for kind in sorted(ASKED):
            first, other, single = answers(two, crew, kind, (0, 1, 2)), answers(two, crew, kind, (2, 0, 1)), answers(one, alone, kind, (1, 2, 0))
            off = [(asked, a[:300], b[:300], c[:300]) for asked, a, b, c in zip(ASKED[kind], first, other, single) if not a == b == c]
            say(not off and all(a.strip() for a in first), "%s answers the same bytes whatever the order of contributions and the processors" % kind, off)
    finally:
        two.clean()
        one.clean()
    done()


if __name__ == "__main__":
    main()
