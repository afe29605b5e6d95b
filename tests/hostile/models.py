#!/usr/bin/env python3
"""Attacks on what models say, through the whole path: a party that trains on all rows, asks the model about rows of its own or has it told, and
knows the rows it gave, tries to learn one row of another. Each attack first succeeds where the rules are loose."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, attack_all, deploy, manifest, say  # noqa: E402

STRICT = {"minimum_rows": 10, "minimum_contributors": 2, "maximum_share": 0.9}


def number(name):
    return {"name": name, "type": "float64", "min": -1000, "max": 1000}


PLACE = [number("x"), number("y")]
FIELDS = PLACE + [{"name": "soil", "type": "category"}, {"name": "drained", "type": "bool"}]
KINDS = {
    "fields": ("regress", "fields", FIELDS, number("target")),
    "plain": ("regress", "fields", PLACE, number("target")),
    "classes": ("classify", "customers", PLACE, {"name": "class", "type": "category"}),
}


class World:
    """One contract, the attacker's rows and the victim's."""

    def __init__(self, node, crew, rules, kind):
        contract, self.own, columns, target = KINDS[kind]
        self.node, self.crew = node, crew
        self.columns = {"training": columns + [target], "holdout": columns + [target], self.own: columns}
        path = manifest(node, crew[0], contract, crew, release=rules, datasets=[{"name": d, "columns": c} for d, c in self.columns.items()])
        self.address = deploy(node, crew, path, contract)

    def file(self, dataset, rows):
        path = os.path.join(self.node.scratch, "rows-%d.csv" % random.getrandbits(60))
        header = ",".join(c["name"] for c in self.columns[dataset])
        open(path, "w").write("\n".join([header] + [",".join(map(str, r)) for r in rows]) + "\n")
        return path

    def give(self, *rows):
        for party, mine in zip(self.crew, rows):
            if mine:
                party.ok("contribute", self.address, "training", self.file("training", mine))
        return self

    def ask(self, function, rows=None, **params):
        given = self.file(self.own, rows) if rows else None
        return self.crew[0].run(self.address, function, *["%s=%s" % p for p in params.items()], rows=given, seed="5e" * 32)[0]

    def values(self, rows, **params):
        return [p["value"] for p in self.ask("predict", rows=rows, **params)["predictions"]]


def worlds(node, crew, kind):
    for rules in (LOOSE, STRICT):
        yield World(node, crew, rules, kind), rules is STRICT


def sentence(what, strict, kept, lost):
    return "%s: %s" % (what, kept if strict else lost + ", without rules")


def fields(n, seed):
    r = random.Random(seed)
    return [("%.3f" % r.uniform(-100, 100), "%.3f" % r.uniform(-100, 100), r.choice(("clay", "loam")), "false", "%.3f" % r.uniform(0, 40)) for _ in range(n)]


def places(n, seed):
    return [r[:2] + r[4:] for r in fields(n, seed)]


def lonely_column(node, crew):
    """A coefficient that one row has to itself makes the model pass through it: a text's, the first text's (all others' columns are 0 there), a
    bool column's."""
    lonely = [("12.345", "67.890", "bog", "false", "-231.416"), ("-50.5", "20.25", "silt", "false", "331.416"), ("33.5", "-44.75", "clay", "true", "531.416")]
    for world, strict in worlds(node, crew, "fields"):
        world.give(fields(100, 1), fields(100, 2) + lonely)
        for row, value, what in zip(lonely, world.values([r[:4] for r in lonely], method="linear"), ("the first of its texts", "a text", "a column that is true")):
            off = abs(value - float(row[4]))
            say(off > 100 if strict else off < 1e-6, sentence("%s in one row" % what, strict, "does not say its target", "says its target"), (value, row))


def lonely_leaves(node, crew):
    """Deep trees without end know every row by heart."""
    for world, strict in worlds(node, crew, "plain"):
        theirs = places(100, 4)
        world.give(places(100, 3), theirs)
        told = world.values([r[:2] for r in theirs], method="boost", rounds=1000, depth=8, rate=1)
        off = sorted(abs(v - float(r[2])) for v, r in zip(told, theirs))
        # Whoever says 20 of each is off by 10, in the median.
        say(off[50] > 7 if strict else off[-1] < 0.1, sentence("trees asked for rows they were grown of", strict, "do not know them", "know each"), off[::20])


def lonely_class(node, crew):
    for world, strict in worlds(node, crew, "classes"):
        r = random.Random(5)
        cloud = lambda c, n: [("%.4f" % r.gauss(100 * c, 3), "%.4f" % r.gauss(0, 3), "ab"[c]) for _ in range(n)]
        mine, theirs = [cloud(0, 50) + cloud(1, 50) for _ in range(2)]
        world.give(mine + [("300", "300", "rare")], theirs + [("212.3456", "-45.6789", "rare")])
        for method in ("bayes", "logistic", "boost"):
            answer = world.ask("predict", rows=[("212.4", "-45.7"), ("300", "300")], method=method)
            named = {p["class"] for p in answer["predictions"]}
            if method == "bayes" or strict:
                say(("rare" in named) != strict, sentence("a class that one row has, by %s" % method, strict, "is told of nobody", "told"), answer)
        world.ask("train")
        told = world.ask("model")
        say(("rare" in [c["class"] for c in told["classes"]]) != strict, sentence("and in the model", strict, "not named", "named"), told)


def leaf_among_ones_own(node, crew):
    """Nine rows of one's own beside one of another in a leaf: ten rows of two parties."""
    victim = ("500.5", "500.5", "31.416")
    for world, strict in worlds(node, crew, "plain"):
        mine = [("%.3f" % (500 + i * 0.1), "500.5", "200") for i in range(9)]
        world.give(places(100, 6) + mine, places(100, 7) + [victim])
        world.ask("train", method="boost", rounds=1, depth=3, rate=1)
        told = world.ask("model")
        base, values = told["base"][0], told["trees"][0]["value"]
        # With its one row, or ten of them: sum of residuals over rows + 1.
        guesses = [(k + 1) * v - (k - 1) * (200 - base) + base for v in values for k in (1, 10) if v]
        off = min(abs(g - float(victim[2])) for g in guesses)
        say(off > 5 if strict else off < 0.1, sentence("a row among nine of one's own", strict, "is no leaf", "is what is missing of the leaf"), (guesses, values))


def one_row_more(node, crew):
    """What a model says of all rows, times their number, before and after."""
    for world, strict in worlds(node, crew, "classes"):
        r = random.Random(8)
        cloud = lambda c, n: [("%.4f" % r.gauss(100 * c, 3), "%.4f" % r.gauss(0, 3), "ab"[c]) for _ in range(n)]
        world.give(cloud(0, 50) + cloud(1, 50), cloud(0, 50) + cloud(1, 50))
        means = []
        for more in ([], [("8.5", "-7.25", "a")]):
            world.give([], more).ask("train", method="bayes")
            told = world.ask("model")["classes"][0]
            means.append((told["mean"], told["variance"]))
        for j, true in enumerate((8.5, -7.25)):
            (m, v), (n, w) = [(a[j], b[j]) for a, b in means]
            guess = 101 * n - 100 * m
            square = 101 * (w + n * n) - 100 * (v + m * m)
            say(abs(guess - true) > 3 if strict else abs(guess - true) < 1e-6, sentence("one row more, from two models' means", strict, "not found", "found"), guess)
            say(abs(square - true * true) > 20 if strict else abs(square - true * true) < 1e-3, sentence("and from their variances", strict, "not found", "found"), square)
    for world, strict in worlds(node, crew, "plain"):
        world.give(places(100, 9), places(100, 10))
        bases, lines = [], []
        for more in ([], [("8.5", "-7.25", "71.416")]):
            world.give([], more).ask("train", method="boost", rounds=1)
            bases.append(world.ask("model")["base"][0])
            world.ask("train", method="linear")
            lines.append(world.ask("model")["standardised_intercept"])
        for told, what in ((bases, "trees"), (lines, "lines")):
            guess = 201 * told[1] - 200 * told[0]
            say(abs(guess - 71.416) > 20 if strict else abs(guess - 71.416) < 1e-6, sentence("its target, from where two %s begin" % what, strict, "not found", "found"), guess)


def thresholds(node, crew):
    """A threshold lies midway between two rows' numbers, and one of them may be one's own."""
    for world, strict in worlds(node, crew, "plain"):
        mine, theirs = places(300, 12), places(300, 13)
        world.give(mine, theirs).ask("train", method="boost", rounds=20, depth=3)
        told = world.ask("model")["trees"]
        found = set()
        for tree in told:
            for j, t in zip(tree["feature"], tree["threshold"]):
                guesses = [2 * t - float(m[j]) for m in mine] if isinstance(t, float) else []
                found |= {(j, r[j]) for r in theirs for g in guesses if abs(g - float(r[j])) < 1e-9 and abs(t - g) < 2}
        say((len(found) > 5) != strict, sentence("the other side of a threshold", strict, "is not found from one's own", "is found from one's own"), found)


def what_enough_have_is_told(node, crew):
    """The same worlds, of what many rows of both have: the rules leave a model that is of use."""
    world = World(node, crew, STRICT, "fields")
    r = random.Random(11)
    rows = lambda n: [(x, y, s, d, "%.3f" % (0.1 * x + (30 if s == "loam" else 0) - (20 if d == "true" else 0) + r.gauss(0, 1)))
                      for x, y, s, d in [(r.randint(-100, 100), r.randint(-100, 100), r.choice(("clay", "loam")), r.choice(("true", "false"))) for _ in range(n)]]
    world.give(rows(400), rows(400))
    asked = [(x, 0, s, d) for x in (-80, 80) for s in ("clay", "loam") for d in ("true", "false")]
    true = [0.1 * x + (30 if s == "loam" else 0) - (20 if d == "true" else 0) for x, _, s, d in asked]
    for method, most in (("linear", 1), ("ridge", 1), ("boost", 4)):
        off = [abs(a - b) for a, b in zip(world.values(asked, method=method), true)]
        say(max(off) < most, "what many rows of both have, %s says" % method, off)


if __name__ == "__main__":
    attack_all(lonely_column, lonely_leaves, lonely_class, leaf_among_ones_own, thresholds, one_row_more, what_enough_have_is_told)
