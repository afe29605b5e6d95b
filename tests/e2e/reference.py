#!/usr/bin/env python3
"""Every reference run of k-means in ../shared/data/reference, through the whole path: contributed as the listed enterprises, run, opened,
verified, compared with scikit-learn's results. (learned.py does so for models.)"""
import csv
import json
import os

from apexlib import LOOSE, SHARED, Node, Party, deploy, done, h, manifest, say

FOLDERS = ("geo", "binary", "multiclass", "regression")
index = {f["path"]: f for f in json.load(open(os.path.join(SHARED, "data/manifest.json")))["files"]} if os.path.isdir(SHARED) else {}


def load(name):
    for path, facts in index.items():
        if os.path.basename(path) == name + ".csv":
            return list(csv.DictReader(open(os.path.join(SHARED, "data", path)))), facts
    raise KeyError(name)


def close(a, b, tolerance):
    return abs(a - b) <= tolerance * max(1.0, abs(b))


def owner(facts, rows, i, n):
    """The enterprise a row is of, as the data's manifest says."""
    if facts["enterprises"]["by"] == "hash":
        return h(2, i) % n
    column = facts["enterprises"]["column"]
    if column == "rep_number":
        return (int(rows[i][column]) - 1) // 4
    values = sorted({r[column] for r in rows}, key=lambda v: v.encode())
    return values.index(rows[i][column]) % n


def write(path, columns, rows):
    with open(path, "w") as f:
        f.write(",".join(columns) + "\n")
        for r in rows:
            f.write(",".join(r) + "\n")
    return path


def column(name, kind):
    c = {"name": name, "type": kind}
    if kind == "int64":
        c.update(min=0, max=4294967295)
    return c


def kmeans_runs(node, parties, name, reference):
    rows, facts = load(name)
    weight = facts.get("weight")
    place = [column("latitude", "latitude"), column("longitude", "longitude")]
    path = manifest(node, parties[0], "cluster", parties, release=LOOSE,
                    datasets=[{"name": "customers", "columns": place}, {"name": "weighted", "columns": place + [column("weight", "int64")]}])
    address = deploy(node, parties, path, "cluster")
    for e, p in enumerate(parties):
        mine = [r for i, r in enumerate(rows) if owner(facts, rows, i, len(parties)) == e]
        p.ok("contribute", address, "customers", write(os.path.join(node.scratch, "c.csv"), ["latitude", "longitude"], [(r["latitude"], r["longitude"]) for r in mine]))
        if weight:
            p.ok("contribute", address, "weighted", write(os.path.join(node.scratch, "w.csv"), ["latitude", "longitude", "weight"],
                                                          [(r["latitude"], r["longitude"], r[weight]) for r in mine]))
    for run in reference["kmeans"]["runs"]:
        kmeans_one(parties[run["k"] % len(parties)], address, name, run)


def kmeans_one(party, address, name, run):
    function = "weighted_sites" if run.get("weighted") else "sites"
    answer, text = party.run(address, function, "start=" + json.dumps(run["init"]), "radius_km=1")
    sites = answer["sites"]
    worst = max(max(abs(s["latitude"] - c[0]), abs(s["longitude"] - c[1])) for s, c in zip(sites, run["centroids"]))
    good = worst <= 1e-6 and abs(answer["inertia"] - run["inertia"]) <= 1e-6 * run["inertia"] and [s["rows"] for s in sites] == run["sizes"]
    label = "%s k=%d%s" % (name, run["k"], " weighted" if run.get("weighted") else "")
    say(good, "k-means of %s from the given start is scikit-learn's: centroids 1e-6, inertia 1e-6, sizes equal" % label,
        "worst %g, inertia %.12g against %.12g" % (worst, answer["inertia"], run["inertia"]))
    km = run.get("km_to_own_centroid")
    if km:
        d = answer["distance"]
        say(all(close(d[a], km[b], 1e-6) for a, b in (("median_km", "median"), ("p95_km", "p95"), ("max_km", "max"))),
            "distances of %s in km are the reference's" % label, (d, km))
    if "best_of_5_kmeanspp_inertia" in run:
        own, _ = party.run(address, function, "k=%d" % run["k"], "radius_km=1", seed="%064x" % run["k"])
        ratio = own["inertia"] / run["best_of_5_kmeanspp_inertia"]
        say(ratio <= 1.05, "the default start of %s ends at most 5 %% above the best of five" % label, "ratio %.4f" % ratio)


def main():
    if not index:
        say(True, "the reference data is not beside the project: nothing to compare # SKIP")
        return done()
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara", "matai", "miro")]
        folder = os.path.join(SHARED, "data/reference")
        for file in sorted(os.listdir(folder)):
            reference, name = json.load(open(os.path.join(folder, file))), file[:-5]
            n = load(name)[1]["enterprises"]["n"] if name != "apex" else 0
            if "kmeans" in reference:
                kmeans_runs(node, crew[:n], name, reference)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
