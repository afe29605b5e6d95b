#!/usr/bin/env python3
"""Seeds for fuzz_contract_*: for every function of every contract's template a request as the enclave writes it, small tables of two parties, the
requester's own rows where the function takes them, and for functions that use a model one that the built program (build/contracts) left."""
import json
import os
import random
import struct
import subprocess

from forms import HERE, cbor, seed, table

ROOT = os.path.dirname(os.path.dirname(HERE))
TYPES = {"latitude": (1, "i"), "longitude": (2, "i"), "float64": (3, "d"), "int64": (4, "q"), "category": (5, None), "bool": (6, "B"), "date": (7, "i")}
ROWS, PARTIES = 9, 2
TRAILER = b"APXMODEL"
MORE = {"classify": [{"method": "logistic"}, {"method": "boost", "rounds": 2, "depth": 2}], "regress": [{"method": "linear"}, {"method": "boost", "rounds": 2, "depth": 2}],
        "cluster": [{"metric": "great-circle"}], "screen": [{"rule": "quantile", "over": "all"}], "describe": [{"column": "latitude", "edges": [[-90.0], [0.5], [1.0]]}, {"column": "channel"}]}
SMALL = {"k": 2, "restarts": 1, "rounds": 2, "depth": 2, "k_most": 3, "candidates": 4, "bins": 3}


def cell(r, column, i):
    kind = column["type"]
    if kind == "category":
        texts = column.get("values", "abc")
        return texts[i % 2 % len(texts)] if r.random() < 0.9 else texts[-1]
    return {"latitude": r.randint(-9 * 10 ** 8, 9 * 10 ** 8), "longitude": r.randint(-18 * 10 ** 8, 18 * 10 ** 8), "float64": r.gauss(5 + i % 2, 1), "int64": r.randint(0, 50), "bool": i % 2,
            "date": r.randint(0, 20000)}[kind]


def rows_of(dataset, salt):
    r = random.Random(salt)
    columns = []
    for c in dataset["columns"]:
        kind, code = TYPES[c["type"]]
        cells = [cell(r, c, i) for i in range(ROWS)]
        if c.get("missing"):
            cells[salt % ROWS] = None
        columns.append((kind, c["name"], code, cells))
    return table(ROWS, columns)


def schema(dataset):
    bounds = lambda c: [float(c["min"]), float(c["max"])] if "min" in c and "max" in c else []
    return [dataset["name"], [[c["name"], TYPES[c["type"]][0], bool(c.get("missing")), bounds(c), c.get("values", [])] for c in dataset["columns"]]]


def value(p, changes):
    v = changes.get(p["name"], SMALL.get(p["name"], p.get("default")))
    if p["type"] == "points":
        return v or ([[1.0] * p["dims"]] * 2 if p["name"] == "sites" else [])
    return float(v) if p["type"] == "float" else v


def ordered(params):
    return dict(sorted(params.items(), key=lambda kv: (len(kv[0]), kv[0])))


def bounded(dataset):
    """As private functions need their columns: with bounds, and texts that are listed."""
    bounds = {"latitude": (-90, 90), "longitude": (-180, 180), "float64": (0, 10), "int64": (0, 50), "date": (0, 20000)}
    columns = []
    for c in dataset["columns"]:
        more = {"values": ["a", "b"]} if c["type"] == "category" else dict(zip(("min", "max"), bounds.get(c["type"], ())))
        columns.append({**c, **more})
    return {**dataset, "columns": columns}


class Case:
    """One function of a template, as its program is asked."""

    def __init__(self, manifest, function, changes):
        sets = {d["name"]: bounded(d) if function.get("private") else d for d in manifest["datasets"]}
        self.manifest, self.function = manifest, function
        self.params = ordered({p["name"]: value(p, changes) for p in function["params"]})
        given = [(sets[n], e, False) for n in function["datasets"] for e in range(PARTIES)]
        if "rows" in function:
            given.append((sets[function["rows"]], 0, True))
        self.tables = [(d["name"], e, rows_of(d, 7 * i + e), private) for i, (d, e, private) in enumerate(given)]
        named = function["datasets"] + ([function["rows"]] if "rows" in function else [])
        self.schemas = [schema(sets[d["name"]]) for d in manifest["datasets"] if d["name"] in named]

    def request(self, rules, model):
        return cbor({1: "apex/program/v1", 2: self.function["name"], 3: self.params, 4: b"s" * 32, 5: dict(zip((1, 2, 3), rules)), 6: 1, 7: PARTIES,
                     8: [[n, e, len(t), private] for n, e, t, private in self.tables], 9: {1: True, 2: bool(self.function.get("exports")), 3: len(model), 4: b"n" * 32 if self.function.get("private") else b"", 5: 1e-6 if self.function.get("private") else 0.0, 6: False}, 10: self.schemas})

    def bytes(self, rules, model):
        request = self.request(rules, model)
        return struct.pack(">I", len(request)) + request + b"".join(t for _, _, t, _ in self.tables) + model


def memory(data):
    fd = os.memfd_create("seed")
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def asked(program, case, rules, model=b""):
    """What the built program answers on descriptors as contract.h has them: exit status, answer, model left."""
    result = memory(b"")
    quiet = os.open("/dev/null", os.O_WRONLY)
    given = [memory(case.request(rules, model)), result, quiet] + [memory(t) for _, _, t, _ in case.tables] + ([memory(model)] if model else [])

    def place():
        held = [os.dup2(fd, 100 + i) for i, fd in enumerate(given)]
        for i, fd in enumerate(held):
            os.dup2(fd, 3 + i)

    code = subprocess.Popen([program], preexec_fn=place, close_fds=False).wait()
    os.lseek(result, 0, os.SEEK_SET)
    out = os.read(result, 1 << 24)
    for fd in given:
        os.close(fd)
    if out[-16:-8] != TRAILER:
        return code, out, b""
    size = struct.unpack(">Q", out[-8:])[0]
    return code, out[:-16 - size], out[-16 - size:-16]


def main():
    for contract in sorted(MORE):
        program = os.path.join(ROOT, "build/contracts", contract + ".elf")
        text = open(os.path.join(ROOT, "contracts", contract, "manifest.json")).read().replace("[@PARTIES@]", "[]")
        manifest, models = json.loads(text), {}
        for function in manifest["functions"]:
            for i, changes in enumerate([{}] + MORE[contract]):
                case = Case(manifest, function, changes)
                if i > 0 and case.params == Case(manifest, function, {}).params and not function.get("uses"):
                    continue
                model = models.get((function.get("uses"), i), b"")
                if function.get("uses") and not model:
                    continue
                for rules, name in (((1, 1, 1.0), ""), ((3, 2, 0.9), "-ruled")):
                    code, out, left = asked(program, case, rules, model)
                    if name and code == 0 and not function.get("trains"):
                        continue  # one of both is enough where both are answered
                    if left and not name:
                        models[function["name"], i] = left
                    seed("contract_" + contract, "%s-%d%s" % (function["name"], i, name), case.bytes(rules, model))
                    print(contract, function["name"], i, name, code, out[:70])


if __name__ == "__main__":
    main()
