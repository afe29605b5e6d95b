#!/usr/bin/env python3
"""The contract `screen` through the whole path: the insurers' claims against ../shared/data/reference, scores against their definition in plain
Python, and what the rules keep in."""
import json
import math
import os
import random

from apexlib import LOOSE, SHARED, Node, Party, deploy, done, h, manifest, say
from reference import close, load, owner, write

HEAD = ["amount", "days_to_report", "age", "channel"]
MAD_TO_SD = 1.4826


def columns(kinds, labelled):
    made = [{"name": n, "type": t} for n, t in kinds]
    return made + ([{"name": "class", "type": "category", "missing": True}] if labelled else [])


def contract(node, crew, kinds, dims=None, **changes):
    """A manifest of the template whose datasets have these columns."""
    template = json.loads(open(os.path.join(os.path.dirname(__file__), "../../contracts/screen/manifest.json")).read().replace("[@PARTIES@]", "[]"))
    functions = template["functions"]
    for f in functions:
        for p in f["params"]:
            if p["name"] == "start" and dims:
                p["dims"] = dims
    path = manifest(node, crew[0], "screen", crew, functions=functions,
                    datasets=[{"name": d, "columns": columns(kinds, d != "claims")} for d in ("training", "holdout", "claims")], **changes)
    return deploy(node, crew, path, "screen")


def encoded(row, columns):
    """A row in the reference's columns: numbers, and 0 or 1 for "column=text"."""
    return [float(row[c]) if "=" not in c else float(row[c.split("=")[0]] == c.split("=")[1]) for c in columns]


def insurers(node, crew):
    """Fraud gathers in some clusters: rates as the reference has them."""
    rows, facts = load("vehicle_claims")
    reference = json.load(open(os.path.join(SHARED, "data/reference/vehicle_claims.json")))["classification"]
    want, target = reference["kmeans_on_standardised_features"], reference["target"]
    numeric, features = facts["features"], facts["features"] + facts["categorical"]
    kinds = [("f%d" % i, "float64" if k in numeric else "category") for i, k in enumerate(features)]
    address = contract(node, crew, kinds, dims=len(reference["columns"]), release=LOOSE)
    header = [k for k, _ in kinds] + ["class"]
    for e, p in enumerate(crew):
        for dataset, test in (("training", False), ("holdout", True)):
            mine = [[r[k] for k in features] + [r[target]] for i, r in enumerate(rows) if owner(facts, rows, i, len(crew)) == e and (h(1, i) % 10 >= 7) == test]
            p.ok("contribute", address, dataset, write(os.path.join(node.scratch, "r.csv"), header, mine))
    start = [encoded(rows[i], reference["columns"]) for i in want["init_rows_among_used_rows"]]
    got, _ = crew[0].run(address, "train", "start=" + json.dumps(start), "over=all")
    clusters = got["clusters"]
    say(close(got["inertia"], want["inertia"], 1e-6), "inertia of the insurers' claims, standardised, is scikit-learn's", (got["inertia"], want["inertia"]))
    say([c["rows"] for c in clusters] == want["sizes"], "so are the sizes of the clusters", [c["rows"] for c in clusters])
    rates = [next(k["rate"] for k in c["classes"] if k["class"] == "1") for c in clusters]
    say(all(abs(a - b) < 1e-9 for a, b in zip(rates, want["positive_rate_per_cluster"])), "and the rate of fraud in each", (rates, want["positive_rate_per_cluster"]))
    base = next(c["rate"] for c in got["classes"] if c["class"] == "1")
    say(abs(base - want["base_rate"]) < 1e-9, "and in all", (base, want["base_rate"]))
    mine = rows[:200]
    answer, _ = crew[1].run(address, "score", rows=write(os.path.join(node.scratch, "own.csv"), header[:-1], [[r[k] for k in features] for r in mine]))
    told, _ = crew[2].run(address, "model")
    off = scored_wrongly(answer["scores"], told, [encoded(r, reference["columns"]) for r in mine])
    say(len(answer["scores"]) == 200 and not off, "each of one's own claims has the distance to its nearest centroid, by the model kept in the contract", off[:3])
    later, _ = crew[3].run(address, "rates")
    say(later["rows"] == reference["test_rows"] and sum(c["rows"] for c in later["clusters"]) == later["rows"], "rates of later rows are told by the same model", later["rows"])
    say(later["threshold"] == got["threshold"] == told["threshold"] == answer["threshold"], "under the same threshold", "")


def scored_wrongly(scores, told, rows):
    """Rows whose score, cluster or flag is not what the told model says. Cells are in steps of 2^-20 standard deviation."""
    off = []
    for got, row in zip(scores, rows):
        z = [(x - f["mean"]) / f["sd"] for x, f in zip(row, told["features"])]
        distances = [math.dist(z, c) for c in told["centroids"]]
        least = min(distances)
        if abs(got["score"] - least) > 1e-5 or distances[got["cluster"]] > least + 1e-5 or got["flagged"] != (got["score"] > told["threshold"]):
            off.append((got, least))
    return off


def claims(seed, n, odd=0):
    r = random.Random(seed)
    rows = []
    for i in range(n):
        kind = r.random() < 0.5
        rows.append(["%.2f" % r.gauss(2000 if kind else 9000, 400), str(r.randint(1, 20)), str(int(min(99, max(18, r.gauss(45, 12))))), "web" if kind else "phone"])
    for i in range(odd):
        rows[i] = ["%.2f" % (900000 + 10 * i), "3600", "99", "web"]
    return rows


def ruled(node, crew):
    kinds = [("amount", "float64"), ("days_to_report", "int64"), ("age", "int64"), ("channel", "category")]
    address = contract(node, crew, kinds)
    for e, p in enumerate(crew):
        rows = claims(30 + e, 300, odd=4 if e == 1 else 0)
        labelled = [r + ["fraud" if i % 7 == 0 else "" if i % 11 == 0 else "honest"] for i, r in enumerate(rows)]
        p.ok("contribute", address, "training", write(os.path.join(node.scratch, "t.csv"), HEAD + ["class"], labelled))
    got, text = crew[0].run(address, "train", "k=6", "restarts=20", seed="%064x" % 5)
    say(got["dropped_centroids"] >= 1 and got["k"] == 6 - got["dropped_centroids"], "a cluster that too few rows stand by is no cluster of the model", got)
    say(got["flagged"] is None or got["flagged"] >= 10, "and rows far from all are flagged, told as a number only where there are enough", got["flagged"])
    small = [x for c in got["clusters"] for x in [c] + c.get("classes", []) if 0 <= (x.get("rows") or 10) < 10]
    say(not small, "no cluster and no class in it is told of fewer than ten rows", small)
    named = {k["class"] for k in got["classes"]}
    say({"fraud", "honest"} <= named, "rows without a label are a column of their own", got["classes"])
    own = claims(77, 30) + [["900020.00", "3600", "99", "web"], ["5000.00", "10", "40", "post"]]
    answer, _ = crew[2].run(address, "score", rows=write(os.path.join(node.scratch, "own.csv"), HEAD, own))
    flags = [s["flagged"] for s in answer["scores"]]
    say(len(flags) == 32 and flags[30] and sum(flags[:30]) <= 6, "a claim like the odd ones is flagged, those like the others are not", answer["scores"][28:])
    say(answer["scores"][31]["score"] > 0, "a category never seen in training is none of those that were, and scored", answer["scores"][31])
    told, _ = crew[1].run(address, "model")
    off = scored_wrongly(answer["scores"], told, [[float(r[0]), float(r[1]), float(r[2]), float(r[3] == "web")] for r in own])
    say(not off, "what is used on one's own rows is what may be told, rounded alike", off[:3])
    steps = [abs(x * 2 ** 12 - round(x * 2 ** 12)) for c in told["centroids"] for x in c]
    say(max(steps) == 0, "centroids are told no finer than one row moves them by", told["centroids"][0])
    run = json.loads(crew[0].ok("audit", address, "--json"))["events"]
    mine = [e["index"] for e in run if e["kind"] == "run" and e.get("function") == "score"]
    code, out, err = crew[0].apex("result", address, mine[-1] if mine else run[-4]["index"])
    say(code == 1 and "not sealed to this identity" in err, "nobody but the requester can open the scores of its rows", (code, err))
    again, _ = crew[0].run(address, "train", "k=6", "restarts=20", seed="%064x" % 5)
    say(again == got, "the same rows and seed give the same answer", "")
    code, out, err = crew[0].apex("run", address, "train", "--param", "k=200")
    say(code == 1 and "minimum_rows" in err, "k above rows / minimum_rows is refused", (code, err))
    both, _ = crew[0].run(address, "screen", "k=3", "rule=quantile", "quantile=0.9", rows=write(os.path.join(node.scratch, "own.csv"), HEAD, own), seed="%064x" % 5)
    say(both["flagged"] >= 1 and len(both["scores"]) == 32, "rows can be screened without leaving a model", both["flagged"])


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara", "matai")]
        if os.path.isdir(SHARED):
            insurers(node, crew)
        ruled(node, crew[:3])
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
