#!/usr/bin/env python3
"""Attacks on order statistics, through the whole path: an extreme, a quantile or a distance is told as a mean of several rows, and a party that
contributes most of these takes its own away. Each attack first succeeds where the rules are loose."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import answers  # noqa: E402
import outputs  # noqa: E402
from answers import CLAIMS, POINTS, STRICT, VICTIM, claims, cloud, sentence  # noqa: E402
from outputs import HOME, KM, km, places, town  # noqa: E402
from apexlib import LOOSE, attack_all, say  # noqa: E402

RADIUS = 6371.0088
SHARES = {"least": 0, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "most": 1}


def described(node, crew):
    for rules in (LOOSE, STRICT):
        yield answers.World(node, crew, rules, "describe", {"records": CLAIMS}), rules is STRICT


def screened(node, crew):
    for rules in (LOOSE, STRICT):
        yield answers.World(node, crew, rules, "screen", {"training": POINTS, "holdout": POINTS, "claims": POINTS}), rules is STRICT


def amounts(values):
    return [("%.2f" % v, "fire", "web") for v in values]


def amount(world):
    return world.ask("summary")[0]["columns"][0]


def taken_away(told, mine):
    """What is left of a window for every size it may have, when one's own rows in it are taken away."""
    return [] if told is None else [(len(mine) + n) * told - sum(mine) for n in range(1, 60)]


def found(guesses, rows, within=0.02):
    return any(abs(g - r) < within for g in guesses for r in rows)


def nine_beyond(node, crew):
    """Nine rows beyond all others, and the greatest or the least as the mean of ten."""
    for key, own, victim in (("most", 1000000, VICTIM), ("least", 0, 12.34)):
        for world, strict in described(node, crew):
            mine = [own] * 9 if strict else []
            world.give(0, "records", claims(60, 1) + amounts(mine)).give(1, "records", claims(60, 2) + [(victim, "fire", "web")])
            guesses = taken_away(amount(world)[key], mine) if strict else [amount(world)[key]]
            say(found(guesses, [victim]) != strict, sentence("%s beside nine of one's own" % key, strict, "not found", "found"), guesses[:3])


def nine_around(node, crew):
    """Any quantile is moved to where one has nine rows oneself, by rows far above and below."""
    theirs = claims(61, 2)
    below, above = sorted(float(r[0]) for r in theirs)[30:32]
    for world, strict in described(node, crew):
        mine = [round((below + above) / 2 + i, 2) for i in range(9)] if strict else []
        world.give(0, "records", amounts(mine + [1] * 30 + [999999] * 30)).give(1, "records", theirs)
        told = amount(world)["median"]
        guesses = [10 * told - sum(mine)] if strict and told is not None else [told] if told is not None else []
        say(found(guesses, [float(r[0]) for r in theirs]) != strict, sentence("a row beside nine in the middle", strict, "not found", "found"), guesses)


def ties(node, crew):
    """Rows that equal the window's end: many of one's own, and enough of others' for the rules, if those outside the mean were counted too."""
    for world, strict in described(node, crew):
        mine = [1000000] * 9 if strict else []
        world.give(0, "records", amounts(mine + [5000] * (100 - len(mine)))).give(1, "records", amounts([VICTIM] + [5000] * 60))
        told = amount(world)["most"]
        guesses = [(10 + n) * told - sum(mine) - 5000 * n for n in range(160)] if strict and told is not None else [told]
        say(None in guesses or found(guesses, [VICTIM]) != strict, sentence("a row beyond many that are equal", strict, "not found", "found"), guesses[:3])


def pushed_out(node, crew):
    """One row more at the top pushes the lowest out of the window: the two means tell it."""
    theirs = claims(60, 2)
    for world, strict in described(node, crew):
        world.give(0, "records", amounts([100] * 60)).give(1, "records", theirs)
        before = amount(world)["most"]
        world.give(0, "records", amounts([300001]))
        after = amount(world)["most"]
        guesses = [before] if not strict else [] if None in (before, after) else [300001 - n * (after - before) for n in range(1, 60)]
        say(found(guesses, [float(r[0]) for r in theirs]) != strict, sentence("a row pushed out of a window", strict, "not found", "found"), (before, after))


def mixed(node, crew):
    """Where parties' rows are mixed every figure is told, and near enough; where all above are one party's, it is not."""
    world = answers.World(node, crew, STRICT, "describe", {"records": CLAIMS})
    rows = [claims(400, 20), claims(400, 21)]
    for who in (0, 1):
        world.give(who, "records", rows[who])
    told, values = amount(world), sorted(float(r[0]) for r in sum(rows, []))
    say(all(told[k] is not None and abs(told[k] - values[round(q * 799)]) < 8000 for k, q in SHARES.items()), "rows that are mixed: every quantile is told", told)
    world.give(1, "records", amounts([900000 + i for i in range(60)]))
    told = amount(world)
    say(told["most"] is None and told["p25"] is not None, "the greatest are one party's alone: not told, while others are", told)


def three_distances(node, crew):
    """Nine rows at the other end of the world, and the greatest distance from three places: where the tenth is."""
    victim, far = (HOME[0] - 1.2345, HOME[1] + 2.3456), [(-HOME[0] + 0.001 * i, HOME[1] - 180) for i in range(9)]
    chord2 = lambda a, b: (2 * math.sin(km(a, b) / RADIUS / 2)) ** 2
    for rules in (LOOSE, STRICT):
        world, strict, off = outputs.World(node, crew, rules), rules is STRICT, []
        mine = far if strict else []
        world.give(0, town(60, 29, HOME, 0.1) + mine).give(1, town(60, 28, HOME, 0.1) + [victim])
        for site in ((HOME[0] + 3, HOME[1]), (HOME[0], HOME[1] - 3), (HOME[0] + 3, HOME[1] - 3)):
            answer = world.ask("coverage", sites=places([site]))
            for told in (answer["distance"]["max_km"], answer["sites"][0]["max_km"]):
                left = math.nan if told is None else 10 ** strict * chord2((0, 0), (0, told / KM)) - sum(chord2(site, f) for f in mine)
                off.append(abs(2 * RADIUS * math.asin(min(1, math.sqrt(max(0, left)) / 2)) - km(site, victim)))
        say((min(off) < 1) != strict if not any(map(math.isnan, off)) else strict, sentence("a row's distance from three places", strict, "not found", "found"), off)


def site_of_ones_own(node, crew):
    """A site of 22 rows that may be told, nine of one's own the furthest from it: the tenth's distance."""
    theirs = [(HOME[0] + 0.001 * i, HOME[1]) for i in range(1, 13)]
    for rules in (LOOSE, STRICT):
        world, strict = outputs.World(node, crew, rules), rules is STRICT
        mine = [(HOME[0] + 0.0305 + 0.00001 * i, HOME[1]) for i in range(9)] if strict else []
        world.give(0, town(60, 5, (-41, 172), 0.1) + mine + [HOME]).give(1, town(60, 6, (-41, 172), 0.1) + theirs)
        told = world.ask("coverage", sites=places([HOME, (-41, 172)]))["sites"][0]["max_km"]
        left = -1 if told is None else 10 * told ** 2 - sum(km(HOME, m) ** 2 for m in mine) if strict else told ** 2
        say((min(abs(math.sqrt(max(0, left)) - km(HOME, t)) for t in theirs) < 0.002) != strict, sentence("a distance at a site", strict, "not found", "found"), told)


def own_scores(told, rows):
    scale = [(f["mean"], f["sd"]) for f in told["features"]]
    return [math.dist([(float(v) - m) / s for v, (m, s) in zip(r, scale)], told["centroids"][0]) for r in rows]


def nine_scores(node, crew):
    """Nine rows far out, and the greatest score: as a threshold, and as a figure of the rows held out."""
    victim, far = ("9.0", "9.5"), [("12.%d" % i, "12") for i in range(9)]
    for world, strict in screened(node, crew):
        mine = far if strict else []
        for dataset in ("training", "holdout"):
            world.give(0, dataset, cloud(60, 11) + mine).give(1, dataset, cloud(60, 12) + [victim])
        threshold = world.ask("train", k=1, rule="quantile", quantile=1)[0]["threshold"]
        model = world.ask("model")[0]
        guesses = taken_away(threshold, own_scores(model, mine)) if strict else [threshold]
        say(found(guesses, own_scores(model, [victim]), 1e-4) != strict, sentence("a score beside nine of one's own, as a threshold", strict, "not found", "found"), guesses[:3])
        most = world.ask("rates")[0]["score"]["most"]
        guesses = taken_away(most, own_scores(model, mine)) if strict else [most]
        say(found(guesses, own_scores(model, [victim]), 1e-4) != strict, sentence("and as the greatest score", strict, "not found", "found"), guesses[:3])


def scores_of_ones_own(node, crew):
    """Where the greatest scores are one party's alone, their quantile is refused, and the median, which is used, is of a wider window."""
    world = answers.World(node, crew, STRICT, "screen", {"training": POINTS, "holdout": POINTS, "claims": POINTS})
    world.give(0, "training", cloud(100, 13) + cloud(60, 14, (40, 40))).give(1, "training", cloud(100, 15))
    code, out, err = crew[0].apex("run", world.address, "train", "--param", "k=1", "--param", "rule=quantile", "--param", "quantile=1", "--json")
    say(code != 0 and "too few rows or contributors" in out + err, "a quantile of scores that are one party's is refused", (code, out, err))
    say(world.ask("train", k=1, rule="quantile", quantile=0.3)[0]["threshold"] > 0, "one among mixed scores is not", "")
    answer = world.ask("train", k=1)[0]
    say(answer["threshold"] > 0 and answer["score"]["most"] is None, "the threshold stands; the greatest score is not told", answer)


if __name__ == "__main__":
    attack_all(nine_beyond, nine_around, ties, pushed_out, mixed, three_distances, site_of_ones_own, nine_scores, scores_of_ones_own)
