#!/usr/bin/env python3
"""Attacks on what an answer hides, by what another number tells: totals beside a table, ratios made of hidden counts, two functions of the same rows,
a figure with one row more, a boundary that moves. Each attack first succeeds where the rules are loose."""
import math
import os
import random
import sys
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import answers  # noqa: E402
from answers import STRICT, sentence  # noqa: E402
from apexlib import LOOSE, attack_all, say  # noqa: E402

XY = [{"name": "x", "type": "float64", "min": -1000, "max": 1000}, {"name": "y", "type": "float64", "min": -1000, "max": 1000}]
CLASSES = XY + [{"name": "class", "type": "category"}]
NUMBERS = XY + [{"name": "target", "type": "float64", "min": -1000, "max": 1000}]
GAPS = [dict(c, missing=True) if c["name"] == "kind" else c for c in answers.CLAIMS]


class World(answers.World):
    """As there; `own` is the dataset of rows that are sent along."""

    def __init__(self, node, crew, rules, contract, datasets, own=None):
        super().__init__(node, crew, rules, contract, datasets)
        self.own = own

    def ask(self, function, rows=None, **params):
        given = self.file(self.own, rows) if rows else None
        return self.crew[0].run(self.address, function, *["%s=%s" % p for p in params.items()], rows=given, seed="5e" * 32)[0]


def worlds(node, crew, contract, datasets, own=None):
    for rules in (LOOSE, STRICT):
        yield World(node, crew, rules, contract, datasets, own), rules is STRICT


def classes(node, crew):
    return worlds(node, crew, "classify", {"training": CLASSES, "holdout": CLASSES, "customers": XY}, "customers")


def near(r, at):
    return tuple("%.4f" % r.gauss(v, 3) for v in at)


def follows(unknown, equations):
    """What of the unknown is not told follows from sums of them: Gauss, in fractions. equations: ({name: 1}, sum)."""
    rows = [[Fraction(e.get(u, 0)) for u in unknown] + [Fraction(total)] for e, total in equations]
    at = 0
    for c in range(len(unknown)):
        pivot = next((i for i in range(at, len(rows)) if rows[i][c]), None)
        if pivot is None:
            continue
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [v / rows[at][c] for v in rows[at]]
        for i in range(len(rows)):
            if i != at and rows[i][c]:
                rows[i] = [a - rows[i][c] * b for a, b in zip(rows[i], rows[at])]
        at += 1
    return {unknown[next(c for c, v in enumerate(r[:-1]) if v)]: int(r[-1]) for r in rows if sum(v != 0 for v in r[:-1]) == 1}


def table_follows(table, down, across, all_rows):
    """table: inner cells, None where hidden; down, across: totals, likewise."""
    names = [(i, j) for i in range(len(table)) for j in range(len(table[0]))]
    e = [({n: 1}, table[n[0]][n[1]]) for n in names if table[n[0]][n[1]] is not None] + [({n: 1 for n in names}, all_rows)]
    e += [({n: 1 for n in names if n[0] == i}, t) for i, t in enumerate(down) if t is not None]
    e += [({n: 1 for n in names if n[1] == j}, t) for j, t in enumerate(across) if t is not None]
    return follows(names, e)


def totals_beside_the_matrix(node, crew):
    truth = [[80, 5, 15], [30, 120, 15], [30, 30, 120]]
    place = [(0, 0), (100, 0), (0, 100)]
    for world, strict in classes(node, crew):
        r = random.Random(1)
        held = [near(r, place[p]) + ("abc"[t],) for t in range(3) for p in range(3) for _ in range(truth[t][p])]
        for who in (0, 1):
            world.give(who, "training", [near(r, place[c]) + ("abc"[c],) for c in range(3) for _ in range(50)])
            world.give(who, "holdout", held[who::2])
        a = world.ask("evaluate")
        found = table_follows(a["confusion"], [None] * 3, [c.get("rows") for c in a["classes"]], a["holdout_rows"])
        small = {n: v for n, v in found.items() if v < 10}
        say(small == ({} if strict else {(0, 1): 5}), sentence("five rows of a confusion matrix", strict, "do not follow from the totals of the classes", "told"), (a["confusion"], a["classes"]))


def a_class_that_training_never_saw(node, crew):
    place = [(0, 0), (100, 0)]
    for world, strict in classes(node, crew):
        r = random.Random(6)
        for who in (0, 1):
            world.give(who, "training", [near(r, place[c]) + ("ab"[c],) for c in (0, 1) for _ in range(50)])
            world.give(who, "holdout", [near(r, place[p]) + ("ab"[t],) for t, p, n in ((0, 0, 30), (0, 1, 20), (1, 0, 20), (1, 1, 30)) for _ in range(n)])
        world.give(1, "holdout", [near(r, place[0]) + ("new",) for _ in range(2)])
        a = world.ask("evaluate")
        left = [c["rows"] - sum(row[i] for row in a["confusion"]) if None not in [row[i] for row in a["confusion"]] else None for i, c in enumerate(a["classes"])]
        say(left == ([None, None] if strict else [2, 0]), sentence("two rows of another class, from the totals", strict, "not found", "found"), (left, a["confusion"], a["classes"]))


def a_ratio_of_hidden_classes(node, crew):
    place = [(0, 0), (100, 0)]
    for world, strict in classes(node, crew):
        r = random.Random(2)
        rows = lambda p, c, n: [near(r, place[p]) + (c,) for _ in range(n)]
        for who in (0, 1):
            world.give(who, "training", rows(0, "a", 50) + rows(1, "b", 50))
        world.give(0, "holdout", rows(0, "a", 60) + rows(1, "a", 20))
        world.give(1, "holdout", rows(0, "a", 60) + rows(1, "a", 20) + rows(1, "b", 2) + rows(0, "b", 1))
        for a in (world.ask("evaluate"), world.ask("compare")["pooled"]):
            n, told = 163, a["balanced_accuracy"]
            right = round(a["accuracy"] * n)
            guesses = [] if told is None else [(n1, r1) for n1 in range(1, n) for r1 in range(min(n1, right) + 1)
                                               if right - r1 <= n - n1 and abs((r1 / n1 + (right - r1) / (n - n1)) / 2 - told) < 1e-13]
            say(guesses == [] if strict else (3, 2) in guesses and len(guesses) <= 2,
                sentence("the rows of a class, from balanced accuracy", strict, "not found", "found"), (told, guesses))
            say([k for k in ("roc_auc", "average_precision", "positives_in_top_tenth") if a[k] is None] == (["roc_auc", "average_precision", "positives_in_top_tenth"] if strict else []),
                sentence("ratios of its rows", strict, "are not told either", "are told"), a)


def given_by(world, truth):
    kinds, channels = ("fire", "flood", "theft"), ("mail", "phone", "web")
    rows = [("5.00", kinds[i], channels[j]) for i in range(3) for j in range(3) for _ in range(truth[i][j])]
    shares = [], []
    for i in range(3):
        for j in range(3):
            cell = [("5.00", kinds[i], channels[j])] * truth[i][j]
            shares[0].extend(cell[0::2])
            shares[1].extend(cell[1::2])
    for who in (0, 1):
        world.give(who, "records", shares[who])
    return kinds, channels, len(rows)


def a_table_and_its_columns(node, crew):
    """Two functions of the same rows: the cell that one hides follows from the other's total."""
    for truth in ([[30, 30, 3], [60, 3, 15], [30, 100, 100]], [[3, 30, 40], [30, 30, 30], [2, 1, 30]], [[200, 40, 0], [7, 60, 50], [50, 50, 50]]):
        for world, strict in worlds(node, crew, "describe", {"records": answers.CLAIMS}):
            kinds, channels, n = given_by(world, truth)
            x = world.ask("crosstab")
            totals = [{c["category"]: c["rows"] for c in world.ask("counts", column=name)["categories"]} for name in ("kind", "channel")]
            table = [[x["table"][x["down"].index(k)][x["across"].index(c)] if k in x["down"] and c in x["across"] else None for c in channels] for k in kinds]
            found = table_follows(table, [totals[0].get(k) for k in kinds], [totals[1].get(c) for c in channels], n)
            small = {c: v for c, v in found.items() if v < 10}
            say(bool(small) != strict, sentence("a cell of few rows, from a table and the counts of its columns", strict, "not found", "found"), (x["table"], totals, small))
            both = {k: r[-1] for k, r in zip(x["down"], x["table"])}
            say(all(both[k] == totals[0].get(k) for k in both), "both tell the same total", (both, totals))


def rows_that_miss_a_cell(node, crew):
    for world, strict in worlds(node, crew, "describe", {"records": GAPS}):
        world.give(0, "records", answers.claims(60, 1)).give(1, "records", answers.claims(60, 2) + [("5.00", "", "web")] * 3)
        counts, x = world.ask("counts", column="kind"), world.ask("crosstab")
        channels = {c["category"]: c["rows"] for c in world.ask("counts", column="channel")["categories"]}
        left = [counts["missing"], x["rows_dropped"], None if x["rows"] is None else counts["rows"] - x["rows"], None if x["table"][-1][-1] is None else counts["rows"] - x["table"][-1][-1]]
        left += [channels[c] - t for c, t in zip(x["across"], x["table"][-1]) if c == "web" and t is not None]
        say(all(v is None for v in left) if strict else left == [3] * 5, sentence("three rows without a kind", strict, "do not follow from two totals", "counted"), left)


def a_boundary_that_moves(node, crew):
    place = [{"name": "latitude", "type": "latitude"}, {"name": "longitude", "type": "longitude"}]
    labelled = place + [{"name": "class", "type": "category"}]
    home = (-37.78, 175.28)
    for world, strict in worlds(node, crew, "classify", {"training": labelled, "holdout": labelled, "customers": place}, "training"):
        r = random.Random(31)
        town = [[("%.7f" % r.gauss(home[0], 0.05), "%.7f" % r.gauss(home[1], 0.05)) for _ in range(200)] for _ in (0, 1)]
        for who in (0, 1):
            world.give(who, "customers", town[who])
        rows = sorted(float(p[1]) for t in town for p in t)[195:205]

        def west(line):
            mine = [("%.7f" % (home[0] + a), "%.7f" % (line + side * 0.4 + d), name) for d in (-0.1, -0.05, 0.05, 0.1) for a in (-0.1, 0.1) for side, name in ((-1, "w"), (1, "e"))]
            return [c["rows"] for c in world.ask("own_market", rows=mine)["classes"]]

        # A rounded count turns somewhere too: at one row in ten, either way.
        found = sum(west(v - 2e-6) != west(v + 2e-6) for v in rows)
        say(found <= 2 if strict else found == 10, sentence("ten rows, each between two boundaries of one's own", strict, "eight are not found", "all found"), found)


def a_figure_of_a_pair(node, crew):
    for world, strict in worlds(node, crew, "regress", {"training": NUMBERS, "holdout": NUMBERS, "fields": XY}, "fields"):
        r = random.Random(3)
        rows = lambda n: [tuple("%.3f" % r.uniform(*b) for b in ((-100, 100), (-100, 100), (0, 40))) for _ in range(n)]
        for who in (0, 1):
            world.give(who, "training", rows(100)).give(who, "holdout", rows(50))
        before, row = world.ask("evaluate"), rows(1)[0]
        world.give(1, "holdout", [row])
        after = world.ask("evaluate")
        true = abs(world.ask("predict", rows=[row[:2]])["predictions"][0]["value"] - float(row[2]))
        n = before["holdout_rows"]
        guesses = [after["mae"] * (n + 1) - before["mae"] * n, math.sqrt(abs(after["rmse"] ** 2 * (n + 1) - before["rmse"] ** 2 * n))]
        say(all(abs(g - true) > 1 if strict else abs(g - true) < 1e-6 for g in guesses), sentence("one row's residual, from two means", strict, "not found", "found"), (guesses, true))
    for world, strict in classes(node, crew):
        r = random.Random(4)
        for who in (0, 1):
            for dataset in ("training", "holdout"):
                world.give(who, dataset, [tuple("%.4f" % r.gauss(40 * c, 30) for _ in "xy") + ("ab"[c],) for c in (0, 1) for _ in range(60)])
        before, row = world.ask("evaluate"), ("75.5", "-12.25", "a")
        world.give(1, "holdout", [row])
        after = world.ask("evaluate")
        true = -math.log(1 - world.ask("predict", rows=[row[:2]])["predictions"][0]["score"])
        n = before["holdout_rows"]
        guess = after["log_loss"] * (n + 1) - before["log_loss"] * n
        say(abs(guess - true) > 0.1 if strict else abs(guess - true) < 1e-6, sentence("one row's own loss, from two", strict, "not found", "found"), (guess, true))


def names(node, crew):
    for world, strict in classes(node, crew):
        r = random.Random(5)
        for who in (0, 1):
            world.give(who, "training", [near(r, (0, 0)) + ("a",) for _ in range(50)] + [near(r, (100, 0)) + ("b",) for _ in range(50)])
            world.give(who, "holdout", [near(r, (0, 0)) + ("a",) for _ in range(50)] + [near(r, (100, 0)) + ("b",) for _ in range(50)])
        world.give(1, "training", [("500", "500", "meteorite"), ("501", "502", "meteorite")])
        for a in (world.ask("evaluate"), world.ask("market")):
            told = [c["class"] for c in a["classes"]]
            say(told == ["a", "b"] if strict else told == ["a", "b", "meteorite"], sentence("a class that two rows have", strict, "not named", "named"), told)
            say(all(len(row) == len(told) for row in a.get("confusion", [])) and a["n_classes"] == len(told), "it is no part of the model, and the matrix has the classes that have names", a)


if __name__ == "__main__":
    attack_all(totals_beside_the_matrix, a_class_that_training_never_saw, a_ratio_of_hidden_classes, a_table_and_its_columns, rows_that_miss_a_cell, a_boundary_that_moves, a_figure_of_a_pair, names)
