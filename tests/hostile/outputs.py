#!/usr/bin/env python3
"""Attacks on answers, through the whole path: a party that may ask, and knows its own rows, tries to learn one row of another. Each attack
first succeeds where the rules are loose, so that failing means something."""
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, attack_all, deploy, manifest, say  # noqa: E402

SEED = "5e" * 32
STRICT = {"minimum_rows": 10, "minimum_contributors": 2, "maximum_share": 0.9}
HOME = (-37.8, 175.3)
KM = 111.195


def town(n, seed, at=HOME, spread=0.2):
    r = random.Random(seed)
    return [(round(at[0] + r.uniform(-spread, spread), 7), round(at[1] + r.uniform(-spread, spread), 7)) for _ in range(n)]


def km(a, b):
    """Along a great circle."""
    p, q = ([math.cos(math.radians(x[0])) * math.cos(math.radians(x[1])), math.cos(math.radians(x[0])) * math.sin(math.radians(x[1])),
             math.sin(math.radians(x[0]))] for x in (a, b))
    return 2 * 6371.0088 * math.asin(min(1, math.dist(p, q) / 2))


class World:
    """One contract: the attacker's rows and the victim's."""

    def __init__(self, node, crew, rules, **more):
        self.node, self.crew, self.n = node, crew, 0
        self.address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=rules, **more), "cluster")

    def give(self, who, rows):
        path = os.path.join(self.node.scratch, "rows-%d.csv" % random.getrandbits(60))
        open(path, "w").write("latitude,longitude\n" + "".join("%.7f,%.7f\n" % r for r in rows))
        self.crew[who].ok("contribute", self.address, "customers", path)
        return self

    def ask(self, function, **params):
        return self.crew[0].run(self.address, function, *["%s=%s" % p for p in params.items()], seed=SEED)[0]

    def refusal(self, function, **params):
        words = [w for p in params.items() for w in ("--param", "%s=%s" % p)]
        code, out, err = self.crew[0].apex("run", self.address, function, *words, "--json")
        return "rule-k" if code != 0 and "rule-k" in out else out + err


def places(points):
    return "[" + ",".join("[%.7f,%.7f]" % p for p in points) + "]"


def both(node, crew):
    return World(node, crew, LOOSE), World(node, crew, STRICT)


def one_row_each(node, crew):
    """k = n, and a start at every row: centroids that are rows."""
    theirs = town(30, 1)
    for world, strict in zip(both(node, crew), (False, True)):
        world.give(0, town(30, 2)).give(1, theirs)
        if strict:
            say(world.refusal("sites", k=60) == "rule-k", "k = n is stopped", world.refusal("sites", k=60))
            say(world.refusal("sites", start=places(theirs)) == "rule-k", "so is a start at as many places", world.refusal("sites", start=places(theirs)))
        answer = world.ask("sites", k=6 if strict else 60)
        rows = {r for r in theirs for s in answer["sites"] if "latitude" in s and km(r, (s["latitude"], s["longitude"])) < 0.001}
        say(len(rows) >= 25 if not strict else not rows, "rows that are centroids: none with rules" if strict else "rows that are centroids: found without rules", (len(rows), answer))


def singleton(node, crew):
    """A start on a lonely row gives it a site of its own."""
    lonely = (10.0, 10.0)
    for world, strict in zip(both(node, crew), (False, True)):
        world.give(0, town(60, 3)).give(1, town(60, 4) + [lonely])
        answer = world.ask("sites", start=places([HOME, (10.1, 10.1)]))
        found = "latitude" in answer["sites"][1] and km((answer["sites"][1]["latitude"], answer["sites"][1]["longitude"]), lonely) < 0.001
        say(found != strict, "a site of one row: %s" % ("suppressed" if strict else "is that row, without rules"), answer)
        if strict:
            say(set(answer["sites"][1]) == {"site", "suppressed"} and answer["rows"] is None, "neither its rows nor the total that would give them is told", answer)


def dominant(node, crew):
    """The attacker owns nine rows of ten at a site and takes them away from the mean."""
    mine = [(10 + 0.001 * i, 10.0) for i in range(9)]
    victim = (10.2345678, 10.3456789)
    for world, strict in zip(both(node, crew), (False, True)):
        world.give(0, town(60, 5) + mine).give(1, town(60, 6) + [victim])
        site = world.ask("sites", start=places([HOME, (10.1, 10.1)]))["sites"][1]
        guess = tuple(10 * site[x] - sum(r[i] for r in mine) for i, x in enumerate(("latitude", "longitude"))) if "latitude" in site else (0, 0)
        say((km(guess, victim) < 0.01) != strict, "one row beside nine of the attacker's own: %s" % ("suppressed" if strict else "found, without rules"), (site, guess))


def small_totals(node, crew):
    """Two hidden sites of nine rows: each is below ten, together they are eighteen."""
    for world, strict in zip(both(node, crew), (False, True)):
        far = [town(9, 7, (10, 10)), town(9, 8, (40, 40))]
        world.give(0, town(60, 9) + far[0][:5] + far[1][:5]).give(1, town(60, 10) + far[0][5:] + far[1][5:])
        answer = world.ask("sites", start=places([HOME, (10, 10), (40, 40)]))
        hidden = [s for s in answer["sites"] if "suppressed" in s]
        if not strict:
            say([s["rows"] for s in answer["sites"]] == [120, 9, 9], "two small sites: told without rules", answer)
            continue
        left = None if answer["rows"] is None else answer["rows"] - sum(s.get("rows", 0) for s in answer["sites"])
        say(len(hidden) == 2 and (left is None or 9 * len(hidden) > left), "two small sites: their sum does not pin each to nine", (left, answer))


def share_by_subtraction(node, crew):
    """A site's share within the radius is hidden; the share of all rows and the other site's are not."""
    for world, strict in zip(both(node, crew), (False, True)):
        near = [town(20, 20, HOME, 0.01), town(20, 21, HOME, 0.01)]
        ring = town(25, 22, (HOME[0] + 0.3, HOME[1]), 0.01)
        other = [(10.0, 10.0)] + town(40, 23, (10.3, 10.0), 0.01)
        world.give(0, near[0] + ring[:12] + other[1:21]).give(1, near[1] + ring[12:] + other[21:] + other[:1])
        answer = world.ask("coverage", sites=places([HOME, (10.0, 10.0)]), radius_km=5)
        first, second = answer["sites"]
        derived = None
        if None not in (answer["within_radius"], first["within_radius"], answer["rows"]):
            derived = answer["within_radius"] * answer["rows"] - first["within_radius"] * first["rows"]
        if not strict:
            say(derived is not None and round(derived) == 1, "one row near a site, by subtraction: found without rules", answer)
        else:
            say(second["within_radius"] is None and first["within_radius"] is not None, "a share that rests on one row is not told, its neighbour's is", answer)
            say(derived is None, "nor does it follow from the share of all rows", (derived, answer))


def two_circles(node, crew):
    """Two radii with one row between them."""
    for world, strict in zip(both(node, crew), (False, True)):
        victim = (HOME[0] + 0.5, HOME[1])
        world.give(0, town(50, 24, HOME, 0.05) + town(50, 25, (HOME[0] + 1, HOME[1]), 0.05))
        world.give(1, town(50, 26, HOME, 0.05) + town(50, 27, (HOME[0] + 1, HOME[1]), 0.05) + [victim])
        shares = [world.ask("coverage", sites=places([HOME]), radius_km=r)["within_radius"] for r in (55.0, 56.0)]
        say((None in shares or shares[0] == shares[1]) == strict, "one row between two circles: %s" % ("does not show" if strict else "shows, without rules"), shares)


def trilateration(node, crew):
    """An order statistic is one row's own distance; told from three sites it says where the row is."""
    for world, strict in zip(both(node, crew), (False, True)):
        rows = town(60, 28, HOME, 0.1)
        world.give(0, town(60, 29, HOME, 0.1)).give(1, rows)
        mine = town(60, 29, HOME, 0.1)
        far = [(HOME[0] + 3, HOME[1]), (HOME[0], HOME[1] + 3), (HOME[0] + 3, HOME[1] + 3)]
        exact = 0
        for site in far:
            spread = world.ask("coverage", sites=places([site]))["distance"]
            exact += any(abs(km(r, site) - spread["max_km"]) < 1e-6 for r in rows + mine)
        say((exact == 0) == strict, "a row's own distance: %s" % ("is not told" if strict else "told, without rules"), exact)


def differencing(node, crew):
    """The same question before and after a contribution of one row."""
    victim = (HOME[0] + 0.1234567, HOME[1] - 0.0765432)
    for world, strict in zip(both(node, crew), (False, True)):
        world.give(0, town(100, 30)).give(1, town(100, 31))
        first = world.ask("sites", k=1)
        after = world.give(1, [victim]).ask("sites", k=1)
        (a, n), (b, more) = ((s["sites"][0], s["sites"][0]["rows"]) for s in (first, after))
        guess = tuple(b[x] * more - a[x] * n for x in ("latitude", "longitude"))
        off = km(guess, victim)
        # Knowing nothing of it, a guess at the middle of the town is some 14 km off.
        say(off > 5 if strict else off < 0.01, "one row more, from two means: %s" % ("not found" if strict else "found, without rules"), (off, a, b))
        rise = after["inertia"] - first["inertia"]
        middle = (a["latitude"], a["longitude"])
        true = (victim[0] - middle[0]) ** 2 + (victim[1] - middle[1]) ** 2
        say((abs(rise - true) < 0.05 * true) != strict, "nor how far out it lies, from two inertias" if strict else "and how far out it lies", (rise, true))


def private_differencing(node, crew):
    """The same against a private function, asked again and again: it is charged each time, the noise outweighs the row, and then there is no more."""
    world = World(node, crew, STRICT, privacy={"epsilon": 12, "delta": 0})
    world.give(0, town(3000, 40)).give(1, town(3000, 41))  # far more than the noise

    def rows():
        return world.ask("private_sites", k=1, epsilon=1)["rows"]
    before = [rows() for _ in range(6)]  # two of them are within a row of one another once in fifty times
    world.give(1, [(HOME[0] + 0.05, HOME[1])])
    after = [rows() for _ in range(6)]
    noise = max(max(told) - min(told) for told in (before, after))
    say(noise > 1, "the same question's answers differ by more than a row", (before, after))
    why = world.refusal("private_sites", k=1, epsilon=0.01)
    say("privacy-budget" in why, "a thirteenth question is refused: the budget is spent", why)
    why = world.refusal("private_sites", k=2, epsilon=0.01)
    say("privacy-budget" in why, "so is any other private question", why)
    out = crew[1].ok("audit", world.address)
    say(out.count("private_sites, epsilon 1:") + out.count("private_sites, epsilon 1\n") == 12 and "epsilon 12 of 12 spent" in out, "each charge stands in the log that the victim reads", out)
    say(world.ask("sites", k=1)["rows"] == 6001, "what the manifest does not call private is answered under the rules, and is not part of that promise", "")


def weights_and_contributions(node, crew):
    """What the log and the refusals of many questions tell: every question is in the log that the victim reads."""
    world = World(node, crew, STRICT)
    world.give(0, town(60, 32)).give(1, town(60, 33))
    for radius in (1, 2, 3):
        world.ask("coverage", sites=places([HOME]), radius_km=radius)
    out = crew[1].ok("audit", world.address, "--json")
    say(out.count('"run"') >= 3, "a series of questions stands in the log that the other party reads", out[-500:])


if __name__ == "__main__":
    attack_all(one_row_each, singleton, dominant, small_totals, share_by_subtraction, two_circles, trilateration, differencing, private_differencing, weights_and_contributions)
