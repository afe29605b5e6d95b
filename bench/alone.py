#!/usr/bin/env python3
"""What joining is worth: a model of each party's rows alone beside one of all parties' rows, on the same held-out rows, as the contracts' own
`compare` answers it through the whole path (real node, enclave, jail, receipts; release rules of the templates).
    bench/alone.py           writes docs/alone-versus-pooled.svg and the table of docs/alone-versus-pooled.md
    bench/alone.py --check   compares the answers with ../shared/data/reference, and with what that page says
Nothing is drawn that was not answered."""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
from apexlib import SHARED, Node, Party, deploy, done, h, manifest, say  # noqa: E402
from reference import load, owner, write  # noqa: E402

PAGE, PLOT = os.path.join(ROOT, "docs/alone-versus-pooled.md"), os.path.join(ROOT, "docs/alone-versus-pooled.svg")
BEGIN, END = "<!-- bench/alone.py writes from here -->\n", "<!-- to here -->\n"
BANDS = (-30, 60)


def by_band(facts, rows, i, n):
    return sum(float(rows[i]["longitude"]) >= b for b in BANDS)


SETS = [
    {"name": "olive", "contract": "classify", "params": ["method=logistic"], "figure": "accuracy", "owner": owner, "unit": "accuracy",
     "title": "Where an olive oil is from", "about": "9 areas, softmax regression", "parties": None},
    {"name": "places_country", "contract": "classify", "params": ["method=bayes"], "figure": "accuracy", "owner": by_band, "unit": "accuracy",
     "title": "Which country a place is in", "about": "236 countries, naive Bayes", "parties": ["Americas", "EMEA", "Asia-Pacific"]},
    {"name": "us_corn_by_state", "contract": "regress", "params": ["method=ridge", "penalty=1"], "figure": "r2", "owner": owner, "unit": "R²",
     "title": "Corn yield by state and year", "about": "ridge regression", "parties": ["agency 1", "agency 2", "agency 3", "agency 4"]},
]


def reference_of(s):
    """Pooled and alone as scikit-learn has them."""
    r = json.load(open(os.path.join(SHARED, "data/reference", s["name"] + ".json")))
    if s["contract"] == "regress":
        r = r["regression"]
        return r["ridge"]["r2"], [a["r2"] for a in r["alone_versus_pooled"]["alone"]], None
    r = r["classification"]
    if s["name"] == "places_country":
        return r["gaussian_nb"]["accuracy"], [a["accuracy_all_test_rows"] for a in r["alone_versus_pooled_regional"]["alone"]], r["majority_accuracy"]
    return r["logistic_regression"]["accuracy"], [a["accuracy"] for a in r["alone_versus_pooled"]["alone"]], r["majority_accuracy"]


def parties_of(s, facts, rows):
    n = 3 if s["name"] == "places_country" else facts["enterprises"]["n"]
    if s["parties"]:
        return s["parties"]
    column = facts["enterprises"]["column"]
    return sorted({r[column] for r in rows}, key=lambda v: v.encode())[:n]


def features_of(facts):
    categorical = facts.get("categorical") or []
    numeric = [k for k in facts["features"] if k not in categorical]
    return [(k, "category" if k in categorical else "float64") for k in numeric + categorical]


def answered(node, crew, s):
    """The contract's own answer."""
    rows, facts = load(s["name"])
    s["parties"] = parties_of(s, facts, rows)
    n, features = len(s["parties"]), features_of(facts)
    columns = [{"name": "f%d" % i, "type": t} for i, (_, t) in enumerate(features)]
    target = {"name": "target", "type": "float64"} if s["contract"] == "regress" else {"name": "class", "type": "category"}
    own = "fields" if s["contract"] == "regress" else "customers"
    path = manifest(node, crew[0], s["contract"], crew[:n], datasets=[{"name": "training", "columns": columns + [target]}, {"name": "holdout", "columns": columns + [target]}, {"name": own, "columns": columns}])
    address = deploy(node, crew[:n], path, s["contract"])
    header, keys = [c["name"] for c in columns + [target]], [k for k, _ in features] + [facts["target"]]
    for e, p in enumerate(crew[:n]):
        for dataset, test in (("training", False), ("holdout", True)):
            mine = [[r[k] for k in keys] for i, r in enumerate(rows) if s["owner"](facts, rows, i, n) == e and (h(1, i) % 10 >= 7) == test]
            if mine:
                p.ok("contribute", address, dataset, write(os.path.join(node.scratch, "r.csv"), header, mine))
    return crew[0].run(address, "compare", *s["params"])[0]


def figures(s, answer):
    """[(who, training rows, figure)] of the parties, and the same of all."""
    alone = [(s["parties"][a["party"]], a["training_rows"], a[s["figure"]]) for a in answer["alone"]]
    return alone, ("all together", answer["training_rows"], answer["pooled"][s["figure"]])


def same(s, answer, told, want, more):
    """As near as the rules tell a figure: to half of the power of two above what one row moves (docs/contracts/{classify,regress}.md)."""
    moves = 2 if s["figure"] == "accuracy" else 36 * (1 - want)
    return abs(told - want) <= more + moves / answer["holdout_rows"]


def compared(s, answer):
    alone, pooled = figures(s, answer)
    want, want_alone, _ = reference_of(s)
    say(same(s, answer, pooled[2], want, 1e-3), "pooled rows of %s score as the reference's" % s["name"], (pooled, want))
    off = [(a, b) for a, b in zip(alone, want_alone) if not same(s, answer, a[2], b, 0.006)]
    say(len(alone) == len(want_alone) and not off, "and each party's alone", off)
    say(all(pooled[2] > a[2] + 0.1 for a in alone), "and every party gains more than 0.1 by joining", (alone, pooled))


# --- The picture ---

INK, SOFT, LINE, ALONE, POOLED = "#1c2430", "#5b6675", "#d5dae1", "#9aa7b8", "#0b6e6e"
WIDTH, HEIGHT, LEFT, TOP, FLOOR, PANEL = 1100, 436, 52, 118, 340, 348


def text(x, y, words, size=13, fill=INK, anchor="start", weight=400):
    halo = 'paint-order="stroke" stroke="#ffffff" stroke-width="4" stroke-linejoin="round"'
    return '<text x="%g" y="%g" font-size="%g" fill="%s" text-anchor="%s" font-weight="%d" %s>%s</text>' % (x, y, size, fill, anchor, weight, halo, words.replace("&", "&amp;").replace("<", "&lt;"))


def bar(x, width, value, scale, colour, label, who, rows):
    top, zero = scale(max(value, 0)), scale(0)
    height = max(abs(scale(value) - zero), 1)
    shape = '<rect x="%g" y="%g" width="%g" height="%g" rx="2" fill="%s"/>' % (x, top if value >= 0 else zero, width, height, colour)
    at = top - 8 if value >= 0 else zero - 8
    strong = colour == POOLED
    return [shape, text(x + width / 2, at, label, 13, POOLED if strong else INK, "middle", 700 if strong else 500),
            text(x + width / 2, FLOOR + 34, who, 10.5, INK if strong else SOFT, "middle", 600 if strong else 400), text(x + width / 2, FLOOR + 49, "{:,} rows".format(rows), 10, SOFT, "middle")]


def panel(x, s, answer):
    alone, pooled = figures(s, answer)
    scale = lambda v: FLOOR - v * (FLOOR - TOP)
    out = [text(x, 44, s["title"], 15, INK, weight=600), text(x, 64, s["about"], 12, SOFT), text(x, 82, s["unit"] + " on held-out rows", 12, SOFT)]
    for tick in (0, 0.5, 1):
        out.append('<line x1="%g" x2="%g" y1="%g" y2="%g" stroke="%s" stroke-width="%g"/>' % (x, x + PANEL - 40, scale(tick), scale(tick), INK if tick == 0 else LINE, 1))
        out.append(text(x - 8, scale(tick) + 4, "%g" % tick, 11, SOFT, "end"))
    step = (PANEL - 40) / (len(alone) + 1)
    for i, (who, rows, value) in enumerate(alone + [pooled]):
        out += bar(x + i * step + step * 0.14, step * 0.72, value, scale, POOLED if i == len(alone) else ALONE, "%.2f" % value if value >= 0 else "−%.2f" % -value, "together" if i == len(alone) else who, rows)
    return out


def drawn(answers):
    body = []
    for i, (s, a) in enumerate(answers):
        body += panel(LEFT + i * (PANEL + 8), s, a)
    body += ['<rect x="%g" y="%g" width="11" height="11" rx="2" fill="%s"/>' % (LEFT, HEIGHT - 20, ALONE), text(LEFT + 17, HEIGHT - 10, "a party's rows alone", 12, SOFT),
             '<rect x="%g" y="%g" width="11" height="11" rx="2" fill="%s"/>' % (LEFT + 150, HEIGHT - 20, POOLED), text(LEFT + 167, HEIGHT - 10, "all parties' rows, in the enclave", 12, SOFT)]
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif">\n<title>Models of each party alone beside one of all parties</title>\n'
            '<rect width="%d" height="%d" fill="#ffffff"/>\n%s\n</svg>\n' % (WIDTH, HEIGHT, WIDTH, HEIGHT, "\n".join(body)))


def table(answers):
    lines = ["| set | figure | who | training rows | figure on held-out rows | scikit-learn's |", "| --- | --- | --- | ---: | ---: | ---: |"]
    for s, a in answers:
        alone, pooled = figures(s, a)
        want, want_alone, _ = reference_of(s)
        for (who, rows, value), other in zip(alone + [pooled], want_alone + [want]):
            mark = "**" if who == pooled[0] else ""
            lines.append("| %s | %s | %s%s%s | %d | %s%.4f%s | %.4f |" % (s["name"], s["unit"], mark, who, mark, rows, mark, value, mark, other))
    return "\n".join(lines) + "\n"


def page_parts():
    page = open(PAGE).read()
    return page[:page.index(BEGIN) + len(BEGIN)], page[page.index(BEGIN) + len(BEGIN):page.index(END)], page[page.index(END):]


def main():
    check = "--check" in sys.argv
    if not os.path.isdir(SHARED):
        say(True, "the reference data is not beside the project: nothing to compare # SKIP")
        return done()
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara", "matai")]
        answers = [(s, answered(node, crew, s)) for s in SETS]
    finally:
        node.clean()
    for s, a in answers:
        compared(s, a)
    before, kept, after = page_parts()
    if check:
        say(kept == table(answers) and open(PLOT).read() == drawn(answers), "docs/alone-versus-pooled.md and its picture say what was answered", table(answers))
    else:
        open(PLOT, "w").write(drawn(answers))
        open(PAGE, "w").write(before + table(answers) + after)
    return done()


if __name__ == "__main__":
    main()
