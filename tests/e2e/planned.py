#!/usr/bin/env python3
"""How many sites, and how few: `choose_k` and `cover` of the contract cluster through the whole path, against their definitions in plain Python."""
import math
import os
import random

from apexlib import LOOSE, Node, Party, deploy, done, manifest, say

SEED = "%064x" % 11
EARTH_KM = 6371.0088


def towns(seed, centres, each, spread=0.004):
    r = random.Random(seed)
    return [("%.7f" % (a + r.gauss(0, spread)), "%.7f" % (b + r.gauss(0, spread))) for a, b in centres for _ in range(each)]


def write(node, rows):
    path = os.path.join(node.scratch, "p.csv")
    open(path, "w").write("latitude,longitude\n" + "\n".join(",".join(r) for r in rows) + "\n")
    return path


def contributed(node, crew, parts, **changes):
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, **changes), "cluster")
    for p, part in zip(crew, parts):
        p.ok("contribute", address, "customers", write(node, part))
    return address


def silhouette(points, label):
    n, total = len(points), 0
    for i in range(n):
        by = {}
        for j in range(n):
            if j != i:
                by.setdefault(label[j], []).append(math.dist(points[i], points[j]))
        own = by.pop(label[i], [])
        if own and by:
            a, b = sum(own) / len(own), min(sum(d) / len(d) for d in by.values())
            total += (b - a) / max(a, b)
    return total / n


def km(a, b):
    (p, q), (s, t) = [[math.radians(float(x)) for x in v] for v in (a, b)]
    h = math.sin((s - p) / 2) ** 2 + math.cos(p) * math.cos(s) * math.sin((t - q) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def choosing(node, crew):
    centres = [(-37, 175), (-37, 175.2), (-37.2, 175), (-37.2, 175.25)]
    parts = [towns(i, centres, 25, 0.03) for i in range(3)]
    address = contributed(node, crew, parts, release=LOOSE)
    rows = [(float(a), float(b)) for a, b in sum(parts, [])]
    got, _ = crew[0].run(address, "choose_k", "k_least=1", "k_most=8", "restarts=20", seed=SEED)
    curve = {c["k"]: c for c in got["k"]}
    say(sorted(curve) == list(range(1, 9)) and got["elbow"] == 4 and got["best_silhouette"] == 4, "four towns are four clusters, by elbow and by silhouette", got)
    off = []
    for k in (2, 4, 7):
        sites, _ = crew[0].run(address, "sites", "k=%d" % k, "restarts=20", seed=SEED)
        places = [(s["latitude"], s["longitude"]) for s in sites["sites"]]
        label = [min(range(k), key=lambda c: math.dist(p, places[c])) for p in rows]
        if curve[k]["inertia"] != sites["inertia"] or abs(curve[k]["silhouette"] - silhouette(rows, label)) > 1e-9:
            off.append((k, curve[k], sites["inertia"], silhouette(rows, label)))
    say(not off, "inertia is that of sites, and the silhouette that of its definition", off)
    say("silhouette" not in curve[1] and "of_rows_drawn" not in got, "one cluster has no silhouette, and 300 rows are not sampled", got)
    code, out, err = crew[0].apex("run", address, "choose_k", "--param", "k_least=5", "--param", "k_most=4")
    say(code == 1 and "k_most is below k_least" in err, "a range that is none is refused", (code, err))


def sampled(node, crew):
    """More rows than are looked at: said so."""
    parts = [towns(50 + i, [(-37, 175), (-37, 176), (-38, 175.5)], 800) for i in range(3)]
    address = contributed(node, crew, parts)
    got, _ = crew[1].run(address, "choose_k", "k_most=6", "metric=great-circle", seed=SEED)
    say(got["silhouette_of_rows_drawn"] == 2048 and got["rows"] == 7200 and got["best_silhouette"] == got["elbow"] == 3, "where rows are drawn for the silhouette, the answer says of how many", got)
    say(all(c["silhouette"] * 2 ** 9 == round(c["silhouette"] * 2 ** 9) for c in got["k"]), "and it is told no finer than one row moves it by", got["k"])


def covering(node, crew):
    centres = [(-37, 175 + 0.3 * i) for i in range(6)]
    weights = [40, 30, 20, 10, 8, 6]
    parts = [sum((towns(7 * i + c, [centre], weights[c]) for c, centre in enumerate(centres)), []) for i in range(3)]
    address = contributed(node, crew, parts)
    rows = sum(parts, [])
    for share, want in ((1, 6), (0.9, 5), (0.5, 2), (0.3, 1)):
        got, _ = crew[2].run(address, "cover", "share=%g" % share, "radius_km=3", seed=SEED)
        places = [(s.get("latitude"), s.get("longitude")) for s in got["sites"] if "latitude" in s]
        inside = sum(any(km(r, p) <= 3 for p in places) for r in rows) / len(rows)
        say(got["k"] == want and inside >= share - 0.03, "%d of six towns cover %g of the rows within 3 km" % (want, share), (got, inside))
        told = got["within_radius"]
        say(told == 1 == inside or told is not None and abs(told - inside) <= 10 / len(rows), "and the share told is that of all rows, to ten rows", (told, inside))
    wide, _ = crew[2].run(address, "cover", "share=1", "radius_km=60", seed=SEED)
    say(wide["k"] <= 2, "a wide radius needs few sites", wide)
    code, out, err = crew[0].apex("run", address, "cover", "--param", "radius_km=0.001")
    say(code == 1 and "no candidate has enough rows within it" in err, "a radius in which there is nobody is refused", (code, err))
    again = [crew[0].run(address, "cover", "share=0.9", "radius_km=3", seed=SEED)[0] for _ in range(2)]
    say(again[0] == again[1], "the same rows and seed give the same sites", again)


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara")]
        choosing(node, crew)
        sampled(node, crew)
        covering(node, crew)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
