#!/usr/bin/env python3
"""Attacks on what `describe` and `screen` answer, through the whole path, as tests/hostile/outputs.py has them for `cluster`: a party that may ask,
and knows its own rows, tries to learn one row of another. Each attack first succeeds where the rules are loose."""
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, attack_all, deploy, manifest, say  # noqa: E402

STRICT = {"minimum_rows": 10, "minimum_contributors": 2, "maximum_share": 0.9}
CLAIMS = [{"name": "amount", "type": "float64", "min": 0, "max": 1000000}, {"name": "kind", "type": "category"}, {"name": "channel", "type": "category"}]
POINTS = [{"name": "x", "type": "float64"}, {"name": "y", "type": "float64"}]
VICTIM = 345678.9


class World:
    """One contract: the attacker's rows and the victim's."""

    def __init__(self, node, crew, rules, contract, datasets):
        self.node, self.crew, self.contract = node, crew, contract
        text = open(os.path.join(os.path.dirname(__file__), "../../contracts", contract, "manifest.json")).read().replace("[@PARTIES@]", "[]")
        functions = json.loads(text)["functions"]
        for f in functions:
            for p in f["params"]:
                if contract == "describe" and p["type"] == "choice":
                    p["choices"] = ["amount", "kind", "channel"]
                    p["default"] = {"column": "amount", "down": "kind", "across": "channel"}[p["name"]]
                if p["name"] == "start":
                    p["dims"] = 2
        self.columns = {d: [c["name"] for c in columns] for d, columns in datasets.items()}
        path = manifest(node, crew[0], contract, crew, release=rules, functions=functions, datasets=[{"name": d, "columns": c} for d, c in datasets.items()])
        self.address = deploy(node, crew, path, contract)

    def file(self, dataset, rows):
        path = os.path.join(self.node.scratch, "rows-%d.csv" % random.getrandbits(60))
        open(path, "w").write("\n".join([",".join(self.columns[dataset])] + [",".join(map(str, r)) for r in rows]) + "\n")
        return path

    def give(self, who, dataset, rows):
        self.crew[who].ok("contribute", self.address, dataset, self.file(dataset, rows))
        return self

    def ask(self, function, rows=None, **params):
        given = self.file("claims", rows) if rows else None
        return self.crew[0].run(self.address, function, *["%s=%s" % p for p in params.items()], rows=given, seed="5e" * 32)


def described(node, crew):
    for rules in (LOOSE, STRICT):
        yield World(node, crew, rules, "describe", {"records": CLAIMS}), rules is STRICT


def claims(n, seed):
    r = random.Random(seed)
    return [("%.2f" % r.uniform(1000, 300000), r.choice(("fire", "flood")), r.choice(("web", "phone"))) for _ in range(n)]


def sentence(what, strict, kept, lost):
    return "%s: %s" % (what, kept if strict else lost + ", without rules")


def edges_that_move(node, crew):
    """Bisection: the edge at which the number above turns is the row's own amount."""
    for world, strict in described(node, crew):
        world.give(0, "records", claims(60, 1)).give(1, "records", claims(60, 2) + [(VICTIM, "fire", "web")])
        low, high = 300000.0, 400000.0

        def above(edge):
            answer, _ = world.ask("histogram", column="amount", edges=json.dumps([[0.0], [edge], [1000000.0]]))
            return answer["bins"][1].get("rows", -1)

        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) == 1 else (low, middle)
        say((abs(low - VICTIM) < 1) != strict, sentence("one row between two edges", strict, "not found by moving one", "found by moving one"), low)


def extremes(node, crew):
    for world, strict in described(node, crew):
        world.give(0, "records", claims(60, 3)).give(1, "records", claims(60, 4) + [(VICTIM, "fire", "web")])
        answer, text = world.ask("summary")
        say((str(VICTIM) in text) != strict, sentence("the greatest amount", strict, "not told", "told"), text[:400])


def one_row_more(node, crew):
    """Two means, times their rows; two standard deviations as well."""
    for world, strict in described(node, crew):
        mine, theirs = claims(100, 5), claims(100, 6)
        world.give(0, "records", mine).give(1, "records", theirs)
        before = world.ask("summary")[0]["columns"][0]
        world.give(1, "records", [(VICTIM, "fire", "web")])
        after = world.ask("summary")[0]["columns"][0]
        (n, m) = (before["present"], after["present"])
        guess = after["mean"] * m - before["mean"] * n
        # Knowing nothing of it, a guess at the mean is some 200000 off.
        say(abs(guess - VICTIM) > 50000 if strict else abs(guess - VICTIM) < 1, sentence("one row more, from two means", strict, "not found", "found"), guess)
        square = lambda c: c["sd"] ** 2 + c["mean"] ** 2
        guess = math.sqrt(abs(square(after) * m - square(before) * n))
        say(abs(guess - VICTIM) > 20000 if strict else abs(guess - VICTIM) < 1, sentence("and from two deviations", strict, "not found", "found"), guess)


def rare(node, crew):
    """A kind that one row has, and a cell that one row is in."""
    for world, strict in described(node, crew):
        world.give(0, "records", claims(60, 7)).give(1, "records", claims(60, 8) + [("5.00", "meteorite", "web")])
        told = "".join(world.ask(f, **p)[1] for f, p in (("summary", {}), ("counts", {"column": "kind"}), ("crosstab", {})))
        say(("meteorite" in told) != strict, sentence("a kind that one row has", strict, "not named", "named"), told[:300])
        answer, _ = world.ask("counts", column="kind")
        hidden = answer["rows"] - sum(c["rows"] for c in answer["categories"])
        say(hidden >= 11 if strict else hidden == 0, sentence("nor do its rows follow from the total" if strict else "and its rows", strict, "two kinds are hidden", "are told"), answer)
        answer, _ = world.ask("crosstab")
        alone = [r for r in answer["table"] if r[-1] is not None and r.count(None) + answer["suppressed_across"] == 1]
        say(not alone, "a row of a table that tells its total never hides a single cell", answer)


def screened(node, crew):
    for rules in (LOOSE, STRICT):
        yield World(node, crew, rules, "screen", {"training": POINTS, "holdout": POINTS, "claims": POINTS}), rules is STRICT


def cloud(n, seed, at=(0, 0)):
    r = random.Random(seed)
    return [("%.6f" % r.gauss(at[0], 1), "%.6f" % r.gauss(at[1], 1)) for _ in range(n)]


def solved(scores, told, rows):
    """The centroid at these distances from three rows, in the rows' units."""
    (mx, sx), (my, sy) = ((f["mean"], f["sd"]) for f in told["features"])
    z = [((x - mx) / sx, (y - my) / sy) for x, y in rows]
    d = [s["score"] for s in scores]
    a = [[2 * (z[i][0] - z[0][0]), 2 * (z[i][1] - z[0][1])] for i in (1, 2)]
    b = [d[0] ** 2 - d[i] ** 2 + z[i][0] ** 2 - z[0][0] ** 2 + z[i][1] ** 2 - z[0][1] ** 2 for i in (1, 2)]
    det = a[0][0] * a[1][1] - a[0][1] * a[1][0]
    x, y = (b[0] * a[1][1] - b[1] * a[0][1]) / det, (a[0][0] * b[1] - a[1][0] * b[0]) / det
    return x * sx + mx, y * sy + my


def lonely_centroid(node, crew):
    """A start on a lonely row makes it a centroid; distances of three rows of one's own say where it is."""
    victim, probes = (40.5, 30.25), [(40.0, 30.0), (41.0, 30.0), (40.0, 31.0)]
    for world, strict in screened(node, crew):
        world.give(0, "training", cloud(60, 9)).give(1, "training", cloud(60, 10) + [victim])
        world.ask("train", start="[[0.0,0.0],[40.0,30.0]]")
        told, scores = world.ask("model")[0], world.ask("score", rows=probes)[0]["scores"]
        found = solved(scores, told, probes)
        say((math.dist(found, victim) < 0.01) != strict, sentence("a lonely row, by three distances", strict, "is no centroid", "found"), (found, told["centroids"]))


def sliding_quantile(node, crew):
    """The greatest score, asked for as a threshold, is one row's own."""
    for world, strict in screened(node, crew):
        victim = (9.0, 9.5)
        mine = cloud(60, 11)
        world.give(0, "training", mine).give(1, "training", cloud(60, 12) + [victim])
        answer, _ = world.ask("train", k=1, rule="quantile", quantile=1)
        told = world.ask("model")[0]
        z = [(v - f["mean"]) / f["sd"] for v, f in zip(victim, told["features"])]
        own = math.dist(z, told["centroids"][0])
        say((abs(answer["threshold"] - own) < 1e-4) != strict, sentence("a row's own score as the threshold", strict, "not told", "told"), (answer["threshold"], own))
        several = {world.ask("train", k=1, rule="quantile", quantile=q)[0]["threshold"] for q in (0.9, 0.91, 0.92, 0.93)}
        say((len(several) <= 2) == strict, sentence("quantiles side by side", strict, "are means of the same scores", "each tell another"), several)


if __name__ == "__main__":
    attack_all(edges_that_move, extremes, one_row_more, rare, lonely_centroid, sliding_quantile)
