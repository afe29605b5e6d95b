#!/usr/bin/env python3
"""Two contracts that differ only in `oblivious` give the same answers, number for number, to the same questions about the same rows."""
import random

from apexlib import LOOSE, Node, Party, deploy, done, manifest, say
from rules import SEED, rows_file, town

DATASETS = [
    {"name": "customers", "columns": [{"name": "latitude", "type": "latitude", "unit": "degree", "missing": True},
                                      {"name": "longitude", "type": "longitude", "unit": "degree", "missing": True}]},
    {"name": "weighted", "columns": [{"name": "latitude", "type": "latitude", "unit": "degree"}, {"name": "longitude", "type": "longitude", "unit": "degree"},
                                     {"name": "weight", "type": "int64", "unit": "customers", "min": 0, "max": 4294967295}]}]
QUESTIONS = (
    ("k-means++, planar", "sites", "k=30"), ("k-means++ on the globe", "sites", "k=30", "metric=great-circle"),
    ("a start far from all rows, most sites empty", "sites", "start=[[10,10],[20,20],[30,30],[10,10],[-30,160]]"),
    ("many sites", "sites", "k=200", "restarts=1"), ("many sites on the globe", "sites", "k=200", "restarts=1", "metric=great-circle"), ("three rounds", "sites", "k=12", "max_rounds=3", "restarts=1"), ("weights", "weighted_sites", "k=20"),
    ("weights on the globe", "weighted_sites", "k=20", "metric=great-circle"), ("given sites", "coverage", "sites=[[-37.8,175.3],[-33,150]]", "radius_km=100"))


def rows_of(i):
    """Towns, rows of which some cells are missing, many customers in one place, and others at the ends of the Earth."""
    r = random.Random(i)
    rows = town(1500 + 50 * i, i) + town(800, 10 + i, -33, 150, 2) + [("-36.8500000", "174.7600000")] * 60
    rows += [("%.7f" % r.uniform(-89, 89), "%.7f" % r.uniform(-180, 180)) for _ in range(80)] + [("90", "180"), ("-90", "-180"), ("0", "0")]
    r.shuffle(rows)
    return rows


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu")]
        one = manifest(node, crew[0], "cluster", crew, purpose="modes", datasets=DATASETS, oblivious=True)
        two = manifest(node, crew[0], "cluster", crew, purpose="modes", datasets=DATASETS, oblivious=False)
        differ = set(open(one).read().splitlines()) ^ set(open(two).read().splitlines())
        say(all("oblivious" in line for line in differ) and len(differ) == 2, "two manifests differ in `oblivious` alone", differ)
        loose = [deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE, datasets=DATASETS, oblivious=o), "cluster") for o in (True, False)]
        pairs = [[deploy(node, crew, path, "cluster") for path in (one, two)], loose]
        for i, p in enumerate(crew):
            rows = rows_of(i)
            r = random.Random(100 + i)
            holes = [("", b) if r.random() < 0.02 else (a, "") if r.random() < 0.02 else (a, b) for a, b in rows]
            weights = [(a, b, 0 if r.random() < 0.1 else r.choice((1, 7, 4000000000))) for a, b in rows]
            for address in pairs[0] + pairs[1]:
                p.ok("contribute", address, "customers", rows_file(node, "c%d.csv" % i, holes))
                p.ok("contribute", address, "weighted", rows_file(node, "w%d.csv" % i, weights, "latitude,longitude,weight"))
        for name, function, *params in QUESTIONS:
            for rules, pair in zip(("its release rules", "every site told"), pairs):
                answers = [crew[0].run(address, function, *params, seed=SEED)[0] for address in pair]
                say(answers[0] == answers[1] and len(answers[0]["sites"]) > 1, "%s, %s: oblivious or not, the answer is the same" % (name, rules), answers)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
