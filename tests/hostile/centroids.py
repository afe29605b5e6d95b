#!/usr/bin/env python3
"""Attacks on centroids and on what is counted about them, in `cluster` and `screen`, through the whole path, as tests/hostile/outputs.py has them: a
party that may ask, and knows its own rows, tries to learn one row of another. Each attack first succeeds where the rules are loose."""
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import LOOSE, attack_all, deploy, manifest, say  # noqa: E402

SEED = "5e" * 32
STRICT = {"minimum_rows": 10, "minimum_contributors": 2, "maximum_share": 0.9}
HOME = (-37.8, 175.3)
MAD_TO_SD = 1.4826
PLACES = [{"name": "latitude", "type": "latitude"}, {"name": "longitude", "type": "longitude"}]
WEIGHED = PLACES + [{"name": "weight", "type": "int64", "min": 0, "max": 4294967295}]
POINTS = [{"name": "x", "type": "float64"}, {"name": "y", "type": "float64"}]
CLUSTER = {"customers": PLACES, "weighted": WEIGHED}
SCREEN = {"training": POINTS, "holdout": POINTS, "claims": POINTS}


class World:
    """One contract: the attacker's rows and the victim's."""

    def __init__(self, node, crew, rules, contract, datasets):
        self.node, self.crew, self.strict = node, crew, rules is STRICT
        text = open(os.path.join(os.path.dirname(__file__), "../../contracts", contract, "manifest.json")).read().replace("[@PARTIES@]", "[]")
        functions = json.loads(text)["functions"]
        for p in (p for f in functions for p in f["params"] if p["name"] == "start"):
            p["dims"] = 2
        self.columns = {d: columns for d, columns in datasets.items()}
        path = manifest(node, crew[0], contract, crew, release=rules, functions=functions, datasets=[{"name": d, "columns": c} for d, c in datasets.items()])
        self.address = deploy(node, crew, path, contract)

    def give(self, who, dataset, rows):
        path = os.path.join(self.node.scratch, "rows-%d.csv" % random.getrandbits(60))
        cells = [["%d" % x if c["type"] == "int64" else "%.7f" % x for c, x in zip(self.columns[dataset], r)] for r in rows]
        open(path, "w").write("\n".join(map(",".join, [[c["name"] for c in self.columns[dataset]]] + cells)) + "\n")
        self.crew[who].ok("contribute", self.address, dataset, path)
        return self

    def ask(self, function, **params):
        return self.crew[0].run(self.address, function, *["%s=%s" % p for p in params.items()], seed=SEED)[0]


def worlds(node, crew, contract, datasets):
    for rules in (LOOSE, STRICT):
        yield World(node, crew, rules, contract, datasets)


def judge(world, learnt, what, found, got):
    """Without rules the attack succeeds, with them it does not."""
    say(bool(learnt) != world.strict, "%s: %s" % (what, "not found" if world.strict else found + ", without rules"), got)


def town(n, seed, at=HOME, spread=0.2):
    r = random.Random(seed)
    return [(round(at[0] + r.uniform(-spread, spread), 7), round(at[1] + r.uniform(-spread, spread), 7)) for _ in range(n)]


def cloud(n, seed):
    r = random.Random(seed)
    return [(round(r.gauss(0, 1), 6), round(r.gauss(0, 1), 6)) for _ in range(n)]


def vector(place):
    a, b = map(math.radians, place)
    return [math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)]


def km(a, b):
    return 2 * 6371.0088 * math.asin(min(1, math.dist(vector(a), vector(b)) / 2))


def place_of(site):
    return (site["latitude"], site["longitude"]) if "latitude" in site else None


def ring_about(guess, radius, flat=1.0):
    return [(guess[0] + radius * math.cos(t), guess[1] + radius * math.sin(t) / flat) for t in (i * math.pi / 4 for i in range(8))]


def nearest(p, starts):
    return min(range(len(starts)), key=lambda i: math.dist(p, starts[i]))


def listed(points):
    return json.dumps([["%s" % x for x in p] for p in points]).replace('"', "")


def one_round(node, crew):
    """Starts about a guess, so that the one in the middle has one row; after one round its centroid is that row, and hundreds are nearest to it."""
    theirs, mine = town(1500, 31), town(1500, 30)
    flat = math.cos(math.radians(HOME[0]))
    victim = max(sorted(theirs, key=lambda p: math.dist(p, HOME))[:400], key=lambda p: sorted(math.dist(p, q) for q in theirs + mine)[1])
    guess = (victim[0] + 0.0008, victim[1] - 0.0009)
    r = random.Random(4)
    mine += [(guess[0] + 0.0055 * math.cos(t), guess[1] + 0.0055 * math.sin(t) / flat) for t in (r.uniform(0, 2 * math.pi) for _ in range(500))]
    starts = [guess] + ring_about(guess, 0.008, flat)
    assert sum(nearest(p, starts) == 0 for p in theirs + mine) == 1
    for world in worlds(node, crew, "cluster", CLUSTER):
        world.give(0, "customers", mine).give(1, "customers", theirs)
        for metric in ("planar", "great-circle"):
            answer = world.ask("sites", start=listed(starts), max_rounds=1, metric=metric)
            told = place_of(answer["sites"][0])
            judge(world, told and km(told, victim) < 0.05, "the row that a start had to itself, %s" % metric, "told as the place of its site", (told, victim))
        site = world.ask("sites", start=listed(starts), max_rounds=1)["sites"][1]
        say(place_of(site) is not None, "sites whose means rest on enough rows are told after one round", site)
        whole = world.ask("sites", start=listed(starts))
        say(whole["converged"] and any(place_of(s) for s in whole["sites"]), "and so they are at the end of all rounds", whole["sites"])


def one_round_screened(node, crew):
    """The same of a centroid of `screen`, from a model that leaves."""
    theirs, mine = cloud(400, 10), cloud(400, 9)
    everybody = theirs + mine
    victim = max((p for p in theirs if math.hypot(*p) < 2), key=lambda p: sorted(math.dist(p, q) for q in everybody)[1])
    starts = next(s for s in ([g] + ring_about(g, w) for w in (0.16, 0.12, 0.08) for g in [(victim[0] + 0.01, victim[1] - 0.012)])
                  if sum(nearest(p, s) == 0 for p in everybody) == 1)
    for world in worlds(node, crew, "screen", SCREEN):
        world.give(0, "training", mine).give(1, "training", theirs)
        answer = world.ask("train", start=listed(starts), max_rounds=1)
        told = world.ask("model")
        at = [[z * f["sd"] + f["mean"] for z, f in zip(c, told["features"])] for c in told["centroids"]]
        off = min(math.dist(c, victim) for c in at)
        judge(world, off < 0.1, "the row that a start had to itself, in a model", "a centroid of it", (off, at))
        if world.strict:
            say(answer["dropped_centroids"] >= 1 and answer["k"] + answer["dropped_centroids"] == len(starts), "that centroid is no part of the model, the others are", answer["k"])


def heavy_row(node, crew):
    """One row that outweighs all others of its site; and one beside rows of the attacker's that weigh nothing, before and after."""
    place = (HOME[0] + 0.1234567, HOME[1] - 0.0765432)
    r = random.Random(5)
    theirs = [p + (r.randint(1, 20),) for p in town(100, 31)]
    mine = [p + (8,) for p in town(100, 30)]
    for world in worlds(node, crew, "cluster", CLUSTER):
        world.give(0, "weighted", mine).give(1, "weighted", theirs + [place + (4000000,)])
        site = world.ask("weighted_sites", k=1)["sites"][0]
        told = place_of(site)
        judge(world, told and km(told, place) < 1, "the place of a row that outweighs its site", "its site's", site)
    # No row outweighs others, and one comes later: what it weighs, and where it is.
    for weight in (7, 20):
        for world in worlds(node, crew, "cluster", CLUSTER):
            world.give(0, "weighted", mine + [HOME + (0,)] * 20000).give(1, "weighted", [p + (20,) for p in town(100, 31)])
            first = world.ask("weighted_sites", k=1)
            after = world.give(1, "weighted", [place + (weight,)]).ask("weighted_sites", k=1)
            a, b = first["sites"][0], after["sites"][0]
            if world.strict:
                say(place_of(a) and place_of(b) and a["rows"] == 200, "a site of light and heavy rows is told, without those of weight 0", (a, b))
            more = b["weight"] - a["weight"]
            guess = [(b[x] * b["weight"] - a[x] * a["weight"]) / more if more else HOME[i] for i, x in enumerate(("latitude", "longitude"))]
            guess = (max(-90, min(90, guess[0])), guess[1])
            judge(world, km(guess, place) < 1 or more == weight, "a row of weight %d that came, from two answers" % weight, "its weight and place", (more, km(guess, place)))


def contributors_of_weight(node, crew):
    """A site in which the other party's rows weigh next to nothing is the attacker's own but for them."""
    for world in worlds(node, crew, "cluster", CLUSTER):
        mine = [p + (1000,) for p in town(100, 30)]
        world.give(0, "weighted", mine).give(1, "weighted", [p + (1,) for p in town(100, 31)])
        site = world.ask("weighted_sites", k=1)["sites"][0]
        judge(world, "latitude" in site, "a site by weight all of one party's", "told", site)


def line_between(node, crew):
    """Two sites, the line between them just west and just east of where a row is thought to be: does the count change?"""
    theirs, mine = town(200, 31), town(200, 30)
    victim = theirs[7]
    for world in worlds(node, crew, "cluster", CLUSTER):
        world.give(0, "customers", mine).give(1, "customers", theirs)
        for function, given in (("coverage", "sites"), ("sites", "start")):
            counts = []
            for off in (-3e-6, 3e-6):
                pair = [(HOME[0], victim[1] + off - 0.3), (HOME[0], victim[1] + off + 0.3)]
                answer = world.ask(function, **{given: listed(pair)}, **({"max_rounds": 1} if function == "sites" else {}))
                counts.append(answer["sites"][0]["rows"])
            if function == "coverage":
                judge(world, counts[1] - counts[0] == 1, "a row that the line between two sites passed", "counted", counts)
            if world.strict:
                say(all(n % 10 == 0 for n in counts), "rows of a site of %s are told in tens" % function, counts)
        shares = [world.ask("coverage", sites=listed([(HOME[0], HOME[1] - 0.1), (HOME[0], HOME[1] + 0.1)]), radius_km=k)["sites"][0] for k in (12, 13)]
        told = [s["within_radius"] for s in shares if s["within_radius"]]
        whole = [s["rows"] / t for s in shares for t in told]
        if world.strict:
            say(told and all(abs(t * shares[0]["rows"] % 10) < 1e-6 or abs(t * shares[0]["rows"] % 10 - 10) < 1e-6 for t in told), "a site's share is one of rows as they are told", (shares, whole))


def threshold_moved(node, crew):
    """The threshold moved past the score of a row that the attacker thinks is there."""
    theirs = cloud(200, 10)
    for world in worlds(node, crew, "screen", SCREEN):
        world.give(0, "training", cloud(200, 9)).give(1, "training", theirs)
        world.ask("train", k=1, c=1)
        told = world.ask("model")

        def score(p):
            return math.dist([(x - f["mean"]) / f["sd"] for x, f in zip(p, told["features"])], told["centroids"][0])
        victim = sorted(theirs, key=score)[120]
        c = (score(victim) - told["median"]) / (MAD_TO_SD * told["mad"])
        answers = [world.ask("train", k=1, c="%.12f" % (c + off)) for off in (-1e-5, 1e-5)]
        for part in (lambda a: a, lambda a: a["clusters"][0]):
            judge(world, part(answers[0])["flagged"] - part(answers[1])["flagged"] == 1, "a row that the threshold passed", "counted", [part(a)["flagged"] for a in answers])
        if world.strict:
            say(len({a["flagged_rate"] for a in answers}) == 1, "nor is it by the rate", [a["flagged_rate"] for a in answers])


def short_mean(node, crew):
    """On the globe, rows of the attacker's on the other side make the mean vector of all about nothing: its direction is then one row's."""
    theirs = town(100, 31)
    mine = [(-a, b - 180) for a, b in theirs]  # at its worst: the attacker knows all but one
    victim = (12.3456789, 45.6789012)
    for world in worlds(node, crew, "cluster", CLUSTER):
        world.give(0, "customers", mine).give(1, "customers", theirs + [victim])
        told = place_of(world.ask("sites", k=1, metric="great-circle")["sites"][0])
        judge(world, told and km(told, victim) < 400, "the one row that nothing balances", "the site of all", (told, told and km(told, victim)))


def on_the_earth(node, crew):
    """A longitude is told no finer than rows move it by: near a pole, and the date line, that is coarse, yet no further than 180."""
    for world in worlds(node, crew, "cluster", CLUSTER):
        world.give(0, "customers", [(89.999, 178.0)] * 10).give(1, "customers", [(89.999, 178.0)] * 7 + [(86.0, 178.0)] * 3)
        for metric in ("planar", "great-circle"):
            told = place_of(world.ask("sites", k=1, metric=metric)["sites"][0])
            say(told and abs(told[0]) <= 90 and abs(told[1]) <= 180, "a site by a pole is on the Earth, %s" % metric, told)
            judge(world, told and abs(told[1] - 178) < 1e-6, "the longitude of rows by a pole", "told", told)


if __name__ == "__main__":
    attack_all(one_round, one_round_screened, heavy_row, contributors_of_weight, line_between, threshold_moved, short_mean, on_the_earth)
