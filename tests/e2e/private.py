#!/usr/bin/env python3
"""Private functions through the whole path: what they answer, what they cost, what they refuse. With a large epsilon an answer is near the
one that is not private; the log says what was spent, and when it is spent there are no more."""
import json
import os
import random

from apexlib import LOOSE, Node, Party, deploy, done, manifest, say

BUDGET = {"epsilon": 1000, "delta": 0.0001}
EPSILON = {"name": "epsilon", "type": "float", "min": 0.01, "max": 1000, "default": 1}
SEED = "%064x" % 3
KINDS = ["fire", "flood", "theft"]


def write(node, header, rows):
    path = os.path.join(node.scratch, "rows-%d.csv" % random.getrandbits(60))
    open(path, "w").write("\n".join([header] + [",".join(str(c) for c in r) for r in rows]) + "\n")
    return path


def generous(template):
    """The template with room for an epsilon that hides nothing, to compare."""
    from apexlib import ROOT
    tree = json.loads(open(os.path.join(ROOT, "contracts", template, "manifest.json")).read().replace("[@PARTIES@]", "[]"))
    for f in tree["functions"]:
        f["params"] = [EPSILON if p["name"] == "epsilon" else p for p in f["params"]]
    return tree["functions"]


def refused(party, address, function, *params):
    words = [w for p in params for w in ("--param", p)]
    code, out, err = party.apex("run", address, function, *words)
    return "" if code == 0 else out + err


def sites(node, crew):
    r = random.Random(1)
    # So far apart that a cell of nothing but noise, far out, costs less than two towns in one site; a row or two there draw a site by half a degree.
    towns = [(-41.3, 174.8), (30.04, 31.24), (-33.45, -70.67)]
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, functions=generous("cluster"), privacy=BUDGET), "cluster")
    for p in crew:
        rows = [("%.7f" % r.gauss(a, 0.05), "%.7f" % r.gauss(b, 0.05)) for a, b in towns for _ in range(400)]
        p.ok("contribute", address, "customers", write(node, "latitude,longitude", rows))
    got, text = crew[0].run(address, "private_sites", "k=3", "epsilon=100")
    near = all(min(abs(s["latitude"] - a) + abs(s["longitude"] - b) for s in got["sites"]) < 2 for a, b in towns)
    say(near and abs(got["rows"] - 2400) < 30, "private sites stand where the towns are", got)
    say(got["privacy"]["epsilon"] == 100 and 0 < got["privacy"]["delta"] <= 1e-5 * 1.0001,
        "the answer says what it cost: its epsilon, and the same part of delta", got["privacy"])
    # At 100 the noise is often 0 everywhere. At 1 two answers are alike once in 10^8, three once in 10^16.
    again = [sorted(x["rows"] for x in crew[0].run(address, "private_sites", "k=3", "epsilon=1", seed=SEED)[0]["sites"]) for _ in range(3)]
    say(again != [again[0]] * 3, "the same question again has other noise", again)
    shown = crew[0].ok("contract", "show", address)
    say("epsilon 103 of 1000 spent" in shown, "and is charged again", shown)
    say("not released" not in text and "suppressed" not in text, "no rule that looks at rows is applied", text[:300])
    return address


def claims(node, crew):
    columns = [{"name": "amount", "type": "float64", "min": 0, "max": 1000}, {"name": "age", "type": "int64"},
               {"name": "kind", "type": "category", "values": KINDS + ["hail"], "missing": True}, {"name": "channel", "type": "category"},
               {"name": "paid", "type": "bool"}]
    functions = generous("describe")
    for f in functions:
        for p in f["params"]:
            if p["name"] == "column" and "amount" in p["choices"]:
                p["choices"] = ["amount", "age"]
            if p["name"] == "column" and "kind" in p["choices"]:
                p["choices"] = ["kind", "channel", "paid"]
    functions = [f for f in functions if f["name"] != "crosstab"]
    address = deploy(node, crew, manifest(node, crew[0], "describe", crew, datasets=[{"name": "records", "columns": columns}], functions=functions,
                                          privacy=BUDGET), "describe")
    r = random.Random(2)
    rows = [(round(r.uniform(100, 300), 2), r.randint(18, 90), r.choice(KINDS + [""]), "web", r.choice(["true", "false"])) for _ in range(900)]
    header = "amount,age,kind,channel,paid"
    bad = write(node, header, [(1, 2, "meteor", "web", "true")])
    code, out, err = crew[0].apex("contribute", address, "records", bad)
    say(code == 3 and "not one of the values" in out + err, "a text that the manifest does not list does not leave", (code, out, err))
    for p, part in zip(crew, (rows[:450], rows[450:])):
        p.ok("contribute", address, "records", write(node, header, part))
    got, _ = crew[0].run(address, "private_summary", "epsilon=40")
    amount = got["columns"][0]
    want = sum(x[0] for x in rows) / len(rows)
    say(abs(amount["mean"] - want) < 7 * amount["noise_sd"] + 0.01 and abs(amount["present"] - 900) < 9 and amount["noise_sd"] < 3,
        "a private mean is within its noise of the mean", (amount, want))
    say(got["without_bounds"] == ["age"], "a column without public bounds is named and left out", got)
    got, _ = crew[1].run(address, "private_histogram", "column=amount", "bins=10", "epsilon=40")
    want = [sum(b * 100 <= x[0] < (b + 1) * 100 for x in rows) for b in range(10)]
    say(all(abs(b["rows"] - w) < 6 * got["noise_sd"] + 1 for b, w in zip(got["bins"], want)), "a private histogram is near the histogram", (got, want))
    got, _ = crew[0].run(address, "private_counts", "column=kind", "epsilon=40")
    want = {k: sum(x[2] == k for x in rows) for k in KINDS + ["hail"]}
    say({c["category"] for c in got["categories"]} == set(want) and all(abs(c["rows"] - want[c["category"]]) < 6 * got["noise_sd"] + 1 for c in got["categories"]),
        "private counts are of the values that the manifest lists, rows there or not", (got, want))
    why = refused(crew[0], address, "private_histogram", "column=age", "epsilon=1")
    say("min and max" in why, "a column without bounds is refused by name", why)
    why = refused(crew[0], address, "private_counts", "column=channel", "epsilon=1")
    say("lists no values" in why, "so is a category without listed values", why)


def learned(node, crew):
    r = random.Random(3)
    columns = [{"name": "x", "type": "float64", "min": -4, "max": 4}, {"name": "y", "type": "float64", "min": -4, "max": 4}]
    label = [{"name": "class", "type": "category", "values": ["bad", "good"]}]
    address = deploy(node, crew, manifest(node, crew[0], "classify", crew, functions=generous("classify"), privacy=BUDGET,
                                          datasets=[{"name": "training", "columns": columns + label}, {"name": "holdout", "columns": columns + label},
                                                    {"name": "customers", "columns": columns}]), "classify")

    def rows(n):
        for _ in range(n):
            good = r.random() < 0.5
            yield (round(max(-4, min(4, r.gauss(1.2 if good else -1.2, 1))), 4), round(r.uniform(-4, 4), 4), "good" if good else "bad")
    for p in crew:
        p.ok("contribute", address, "training", write(node, "x,y,class", rows(800)))
        p.ok("contribute", address, "holdout", write(node, "x,y,class", rows(400)))
    mine = write(node, "x,y", [(3, 0), (-3, 0)])
    for method in ("bayes", "logistic"):
        got, _ = crew[0].run(address, "private_train", "method=" + method, "epsilon=20")
        say(got["accuracy"] > 0.83 and abs(got["holdout_rows"] - 800) < 20, "%s, trained privately, is right on held-out rows, as privately counted" % method, got)
        say(got["classes"][-1]["class"] == "good", "and its parameters are told", got)
        scored, _ = crew[1].run(address, "score_private", rows=mine)
        say([p["class"] for p in scored["predictions"]] == ["good", "bad"], "and used by another party on its own rows, at no further cost", scored)
    say("budget" in refused(crew[0], address, "private_train", "epsilon=970"), "what is charged is gone: more than is left is refused", "")


def valued(node, crew):
    r = random.Random(4)
    columns = [{"name": "x", "type": "float64", "min": 0, "max": 10}, {"name": "soil", "type": "category", "values": ["clay", "sand"]}]
    target = [{"name": "target", "type": "float64", "min": 0, "max": 40}]
    address = deploy(node, crew, manifest(node, crew[0], "regress", crew, functions=generous("regress"), privacy=BUDGET,
                                          datasets=[{"name": "training", "columns": columns + target}, {"name": "holdout", "columns": columns + target},
                                                    {"name": "fields", "columns": columns}]), "regress")
    for p in crew:
        rows = [(round(x, 3), s, round(2 * x + (3 if s == "sand" else 0) + 5 + r.gauss(0, 0.5), 3))
                for x, s in ((r.uniform(0, 10), r.choice(["clay", "sand"])) for _ in range(1000))]
        p.ok("contribute", address, "training", write(node, "x,soil,target", rows))
    got, _ = crew[0].run(address, "private_train", "epsilon=100", "penalty=0.1")
    say(abs(got["coefficients"][0] - 2) < 0.1 and abs(got["coefficients"][1] - 3) < 0.3, "ridge regression, trained privately, finds the line", got)
    scored, _ = crew[1].run(address, "score_private", rows=write(node, "x,soil", [(5, "sand")]))
    say(abs(scored["predictions"][0]["value"] - 18) < 0.5, "and values a party's own row", scored)


def spent(node, crew):
    """The template's own budget, to its end."""
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, privacy={"epsilon": 3, "delta": 0}), "cluster")
    r = random.Random(5)
    for p in crew:
        p.ok("contribute", address, "customers", write(node, "latitude,longitude", [("%.6f" % r.uniform(-40, -38), "%.6f" % r.uniform(175, 177)) for _ in range(300)]))
    got, _ = crew[0].run(address, "private_sites", "k=2", "epsilon=2")
    say(got["privacy"]["noise"] == "discrete Laplace" and got["privacy"]["delta"] == 0, "without a delta the noise is Laplace's", got["privacy"])
    why = refused(crew[1], address, "private_sites", "k=2", "epsilon=1.000001")
    say("budget" in why, "more than is left is refused, whoever asks", why)
    shown = crew[0].ok("contract", "show", address)
    say("epsilon 2 of 3 spent" in shown and "1 left" in shown, "the contract shows what is spent and left", shown)
    crew[1].run(address, "private_sites", "k=2", "epsilon=1")
    why = refused(crew[0], address, "private_sites", "k=2", "epsilon=0.01")
    say("budget" in why, "when it is spent, nothing private is answered", why)
    audit = crew[1].ok("audit", address)
    say("private_sites, epsilon 2" in audit and "epsilon 3 of 3 spent, 0 left" in audit, "the log that everybody reads holds each charge", audit)
    say(refused(crew[0], address, "private_sites", "k=2", "epsilon=0") != "", "an epsilon of 0 is refused", "")


def mislabelled(node, crew):
    """A manifest cannot call an exact answer private, nor leave the charge away."""
    functions = generous("cluster")
    plain = next(f for f in functions if f["name"] == "sites")
    private = next(f for f in functions if f["name"] == "private_sites")
    plain["private"], private["private"] = True, False
    plain["params"].append(EPSILON)
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, functions=functions, privacy=BUDGET), "cluster")
    for p in crew:
        p.ok("contribute", address, "customers", write(node, "latitude,longitude", [(1, 1), (2, 2)] * 10))
    why = refused(crew[0], address, "sites", "k=1")
    say("no private form" in why, "a function that adds no noise is refused where the manifest calls it private", why)
    why = refused(crew[0], address, "private_sites", "k=1")
    say("does not mark" in why, "and one that does where the manifest does not charge it", why)


def alone(node, crew):
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew), "cluster")
    crew[0].ok("contribute", address, "customers", write(node, "latitude,longitude", [(1, 1), (2, 2)] * 100))
    why = refused(crew[0], address, "private_sites", "k=1")
    say("contributed" in why, "one party's rows alone are refused where the rules demand two", why)


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu")]
        for test in (sites, claims, learned, valued, spent, mislabelled, alone):
            test(node, crew)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
