#!/usr/bin/env python3
"""The contract `describe` through the whole path: every figure against its definition, spelled out here in plain Python, where the rules are
loose; and what leaves where they are not."""
import json
import math
import os
import random

from apexlib import LOOSE, Node, Party, deploy, done, manifest, say

HEAD = ["latitude", "longitude", "date", "amount", "kind", "channel", "paid"]
NUMBERS = ["latitude", "longitude", "date", "amount"]
SHARES = {"least": 0, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "most": 1}
DAY = "2026-%02d-%02d"


def claims(seed, n):
    """Rows of texts, "" a missing cell."""
    r = random.Random(seed)
    rows = []
    for _ in range(n):
        amount = "%.2f" % min(999999, r.lognormvariate(7, 1))
        row = ["%.7f" % r.gauss(-38, 1), "%.7f" % r.gauss(174, 1), DAY % (r.randint(1, 12), r.randint(1, 28)), amount, r.choice("fire flood theft".split()),
               r.choice("web phone".split()), r.choice(("true", "false", "false"))]
        for i in range(len(row)):
            if r.random() < 0.06:
                row[i] = ""
        rows.append(row)
    return rows


def day(text):
    import datetime
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def numbers(rows, column):
    i = HEAD.index(column)
    return [day(r[i]) if column == "date" else float(r[i]) for r in rows if r[i] != ""]


def write(node, name, rows):
    path = os.path.join(node.scratch, name)
    open(path, "w").write("\n".join([",".join(HEAD)] + [",".join(r) for r in rows]) + "\n")
    return path


def quantile(ordered, q):
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)


def truth(values):
    n, mean = len(values), math.fsum(values) / len(values)
    m2, m3, m4 = (math.fsum((v - mean) ** k for v in values) / n for k in (2, 3, 4))
    got = {"mean": mean, "sd": math.sqrt(m2), "skewness": m3 / m2 ** 1.5, "kurtosis": m4 / m2 ** 2 - 3}
    ordered = sorted(values)
    return {**got, **{k: quantile(ordered, q) for k, q in SHARES.items()}}


def near(a, b, tolerance=1e-9):
    return a is not None and abs(a - b) <= tolerance * max(1, abs(b))


def column(answer, name):
    return next(c for c in answer["columns"] if c["column"] == name)


def figures(rows, answer, whose):
    for name in NUMBERS:
        values, got = numbers(rows, name), column(answer, name)
        want = truth(values)
        off = {k: (got.get(k), v) for k, v in want.items() if not near(got.get(k), v)}
        say(not off and (got["present"], got["missing"]) == (len(values), len(rows) - len(values)), "figures of %s over %s rows are those of their definitions" % (name, whose), off)
    for i, name in list(enumerate(HEAD))[4:]:
        want = {}
        for r in rows:
            want[r[i]] = want.get(r[i], 0) + 1
        got = column(answer, name)
        say({c["category"]: c["rows"] for c in got["categories"]} == {k: v for k, v in want.items() if k} and got["missing"] == want.get("", 0),
            "and so are the counts of %s" % name, got)


def correlation(rows):
    complete = [r for r in rows if all(r[i] != "" for i in range(4))]
    columns = [numbers(complete, c) for c in NUMBERS]
    centred = [[v - math.fsum(c) / len(c) for v in c] for c in columns]
    dot = lambda a, b: math.fsum(x * y for x, y in zip(a, b))
    return len(complete), [[dot(a, b) / math.sqrt(dot(a, a) * dot(b, b)) for b in centred] for a in centred]


def exact(node, crew):
    """With rules that hide nothing, everything is what its definition says."""
    address = deploy(node, crew, manifest(node, crew[0], "describe", crew, release=LOOSE), "describe")
    parts = [claims(10 + i, 400 + 3700 * i) for i in range(3)] # more than one block, cut across parties
    rows = sum(parts, [])
    for p, part in zip(crew, parts):
        p.ok("contribute", address, "records", write(node, "c.csv", part))
    answer, _ = crew[0].run(address, "summary")
    say(answer["rows"] == len(rows) and answer["contributors"] == 3, "all rows are there", (answer["rows"], answer["contributors"]))
    figures(rows, answer, "all")
    mine = claims(99, 60)
    beside, _ = crew[1].run(address, "own_summary", rows=write(node, "own.csv", mine))
    figures(mine, beside["own"], "one's own")
    say(beside["all"]["columns"] == answer["columns"], "beside the same figures of all", "")
    values = numbers(rows, "amount")
    edges = [0, 500, 1000, 1000.5, 2000, 50000]
    got, _ = crew[2].run(address, "histogram", "column=amount", "edges=" + json.dumps([[e] for e in edges]))
    want = [sum(a <= v < b or v == b == edges[-1] for v in values) for a, b in zip(edges, edges[1:])]
    say([b["rows"] for b in got["bins"]] == want and got["above"] == sum(v > 50000 for v in values) and got["below"] == 0 and got["missing"] == len(rows) - len(values),
        "a histogram counts the rows between its edges, below, above and missing", (got, want))
    got, _ = crew[2].run(address, "histogram", "column=latitude", "bins=4")
    say([(b["from"], b["to"]) for b in got["bins"]] == [(-90, -45), (-45, 0), (0, 45), (45, 90)] and sum(b["rows"] for b in got["bins"]) == len(numbers(rows, "latitude")),
        "without edges, bins lie evenly between the manifest's bounds", got)
    n, want = correlation(rows)
    got, _ = crew[0].run(address, "correlations")
    off = [(a, b) for x, y in zip(got["correlations"], want) for a, b in zip(x, y) if not near(a, b)]
    say(not off and got["rows"] == n and got["columns"] == NUMBERS, "correlations over complete rows are Pearson's", off)
    got, _ = crew[0].run(address, "crosstab", "down=kind", "across=paid")
    pairs = [(r[4], r[6]) for r in rows if r[4] and r[6]]
    want = [[sum(p == (k, v) for p in pairs) for v in ("false", "true")] for k in got["down"]]
    want = [r + [sum(r)] for r in want]
    want.append([sum(c) for c in zip(*want)])
    say(got["table"] == want and got["across"] == ["false", "true"], "a table of two categories has its counts and totals", (got, want))
    exported(node, crew, address)


def exported(node, crew, address):
    """What -o FILE.csv makes of the answers."""
    def lines(function, *params):
        path = os.path.join(node.scratch, "out.csv")
        crew[0].ok("run", address, function, "-o", path, *[w for p in params for w in ("--param", p)])
        return [line.split(",") for line in open(path).read().splitlines()]

    table = lines("summary")
    say(len(table) == 8 and table[0][:4] == ["column", "type", "present", "missing"] and table[1][0] == "latitude", "a summary is exported as a line for each column", table[:2])
    table = lines("correlations")
    say([r[0] for r in table] == [""] + NUMBERS and table[0][1:] == NUMBERS and table[1][1] == "1", "correlations as a table with names both ways", table)
    table = lines("crosstab", "down=kind", "across=paid")
    say(table[0] == ["", "false", "true", "total"] and table[-1][0] == "total" and int(table[-1][3]) == sum(int(r[3]) for r in table[1:-1]), "a table with its totals", table)
    say(lines("histogram", "column=amount", "bins=4")[0][:3] == ["from", "to", "rows"], "and bins line by line", "")


def ruled(node, crew):
    """With rules, no figure rests on few rows, and what is rare is not named."""
    address = deploy(node, crew, manifest(node, crew[0], "describe", crew), "describe")
    parts = [claims(20 + i, 120) for i in range(3)]
    parts[1][7][3:5] = ["987654.32", "meteorite"]
    for part in parts: # nobody has more than two rows by mail
        part[5][5] = part[6][5] = "mail"
    rows = sum(parts, [])
    for p, part in zip(crew, parts):
        p.ok("contribute", address, "records", write(node, "c.csv", part))
    answer, text = crew[0].run(address, "summary")
    amount = column(answer, "amount")
    values = sorted(numbers(rows, "amount"))
    per_party = [len(numbers(part, "amount")) for part in parts]
    wide = math.ceil(2 * 10 * len(values) / (len(values) - max(per_party)))
    for key, cells in (("least", values[:wide]), ("most", values[-wide:])):
        step = 2.0 ** math.ceil(math.log2(2 * (cells[-1] - cells[0]) / wide))
        say(amount[key] == math.floor(sum(cells) / wide / step + 0.5) * step, "%s is a mean of enough cells for the rules, to what one of them moves it by" % key,
            (amount, wide, sum(cells) / wide, step))
    say("987654.32" not in text and amount["most"] < 900000, "the greatest amount is nowhere in the answer", text[:400])
    want = truth(values)
    step = amount["mean"] % 1
    say(abs(amount["mean"] - want["mean"]) < amount["most"] and step == 0, "the mean is told no finer than one row moves it by", (amount["mean"], want["mean"]))
    kinds = column(answer, "kind")
    told = json.dumps(answer)  # a signature beside it may well spell a short word
    say("meteorite" not in text and "mail" not in told, "a category that too few rows have is not named", text)
    say(kinds["suppressed_categories"] >= 2, "and another is hidden with it, so that its rows do not follow from the total", kinds)
    got, _ = crew[1].run(address, "counts", "column=channel")
    say([c["category"] for c in got["categories"]] in (["web"], ["phone"], []) and got["suppressed_categories"] >= 2, "counts hides alike", got)
    got, text = crew[1].run(address, "histogram", "column=amount", "bins=8")
    told = [b for b in got["bins"] if "rows" in b]
    say(all(b["rows"] >= 10 and b["rows"] % 10 == 0 for b in told) and got["suppressed_bins"] >= 2, "no bin of a histogram rests on fewer than ten rows", got)
    got, text = crew[2].run(address, "crosstab", "down=kind", "across=channel")
    say("meteorite" not in text and "mail" not in json.dumps(got) and all(v is None or v >= 10 for r in got["table"] for v in r), "nor any cell of a table", got)
    code, out, err = crew[0].apex("run", address, "histogram", "--param", "column=date")
    say(code == 1 and "states no bounds" in err, "a histogram without public edges is refused", (code, err))
    code, out, err = crew[0].apex("run", address, "histogram", "--param", "column=amount", "--param", "edges=[[5],[5]]")
    say(code == 1 and "above the last" in err, "so are edges that do not ascend", (code, err))
    code, out, err = crew[0].apex("run", address, "own_summary")
    say(code != 0, "one's own rows have to come along", (code, err))


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara")]
        exact(node, crew)
        ruled(node, crew)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
