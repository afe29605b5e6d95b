#!/usr/bin/env python3
"""What `apex contribute --check` makes of good, bad and awkward files: all reported with their place, nothing sent."""
import json
import os
import subprocess
import tempfile

from apexlib import APEX, ROOT, SHARED, done, say, written

KEY = "11" * 32
scratch = tempfile.mkdtemp(prefix="apex-intake-")


def column(name, kind, **more):
    return {"name": name, "type": kind, **more}


PLACE = [column("latitude", "latitude"), column("longitude", "longitude")]
DATASETS = [
    {"name": "locations", "columns": PLACE},
    {"name": "original", "columns": PLACE + [column("class", "int64", min=0, max=4294967295)]},
    {"name": "places", "columns": PLACE + [column("class", "category")]},
    {"name": "all", "columns": [column("f", "float64", min=-10, max=10, missing=True), column("i", "int64"), column("c", "category", missing=True),
                                column("b", "bool"), column("d", "date")]},
]


def manifest():
    tree = json.loads(open(os.path.join(ROOT, "contracts/cluster/manifest.json")).read().replace("@PROGRAM@", KEY).replace("@TEE@", "sim")
                      .replace("@MEASUREMENT@", KEY).replace("@EXPIRES@", "2040-01-01T00:00:00Z").replace("[@PARTIES@]", "[]"))
    tree["parties"] = [{"name": "kauri", "sign": KEY, "seal": KEY, "may": ["contribute", "run", "receive", "approve"]}]
    tree["release"]["minimum_contributors"] = 1
    tree["datasets"] = DATASETS
    tree.pop("privacy", None) # nothing private is asked here
    tree["functions"] = [{"name": "sites", "datasets": ["locations"], "release": "receivers", "params": []}]
    path = os.path.join(scratch, "manifest.json")
    open(path, "w").write(written(tree))
    return path


MANIFEST = manifest()


def check(dataset, text, *more, raw=False):
    """(exit, report or error) of --check on these bytes."""
    path = text if raw else os.path.join(scratch, "rows")
    if not raw:
        open(path, "wb").write(text if isinstance(text, bytes) else text.encode())
    r = subprocess.run([APEX, "contribute", MANIFEST, dataset, path, "--check", "--json", *more], env={**os.environ, "APEX_HOME": scratch + "/home"},
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    try:
        return r.returncode, json.loads(r.stdout)
    except ValueError:
        return r.returncode, {"text": r.stdout + r.stderr}


def has_place(got):
    """A row number, or a line, in what was said."""
    return bool(got.get("bad") and got["bad"][0]["row"] >= 1) or "line " in got.get("error", {}).get("what", "")


def original():
    rejects = json.load(open(os.path.join(SHARED, "data/apex/rejects.json")))
    for dataset, key in (("locations", "locations"), ("original", "training")):
        for case in rejects[key]:
            code, got = check(dataset, case["input"])
            say(code == 3 and has_place(got), "refused with its place: %s (%s)" % (case["why"], key), (code, got))
    for case in json.load(open(os.path.join(SHARED, "data/apex/accepts.json")))["locations"]:
        code, got = check("locations", case["input"])
        say(code == 0 and got["rows"] == case["points"], "taken: " + case["why"], (code, got))
    for name, rows in (("telco_1", None), ("telco_2", None), ("telco_1_mini", None)):
        path = os.path.join(SHARED, "data/apex", name + ".json")
        code, got = check("locations", path, raw=True)
        say(code == 0 and got["rows"] == len(json.load(open(path))), "the original app's %s.json is taken whole" % name, (code, got))


def messy():
    folder = os.path.join(SHARED, "data/messy")
    for case in json.load(open(os.path.join(folder, "expected.json")))["files"]:
        path, must = os.path.join(folder, case["file"]), case["must"]
        code, got = check("places", path, raw=True)
        if must == "accept":
            good = code == 0 and got["rows"] == case["rows_ok"]
        elif must == "refuse":
            good = code == 3 and got["error"]["what"] and "nothing was sent" in got["error"]["not_done"]
        elif must == "report_rows":
            good = code == 3 and [b["row"] for b in got["bad"]] == case["bad_rows_1based"] and got["rows"] == case["rows_ok"]
        else:
            good = code == 2 and "--map '" in got["error"]["next"]
            offered = got["error"]["next"].split("'")[1]
            if case["file"] == "duplicate_header.csv":
                offered = "latitude=1,longitude=2,class=3"
            code, got = check("places", path, "--map", offered, raw=True)
            good = good and code == 0 and got["rows"] == case["rows_ok"]
        say(good, "messy/%s: %s" % (case["file"], must), (code, got))


CELLS = [  # column values of one row of `all`, and which column is bad (None: good)
    ("1.5,2,red,true,2026-11-23", None), (",2,,false,1970-01-01", None), ("1e1,2,x,1,2000-02-29", None), ("10.000001,2,x,1,2000-02-29", "f"),
    ("1e999,2,x,1,2000-02-29", "f"), ("nan,2,x,1,2000-02-29", "f"), ("-inf,2,x,1,2000-02-29", "f"), ("0x1,2,x,1,2000-02-29", "f"), ("1.5 2,2,x,1,2000-02-29", "f"),
    ("1,2.5,x,1,2000-02-29", "i"), ("1,,x,1,2000-02-29", "i"), ("1,1e3,x,1,2000-02-29", None), ("1,9999999999999999999,x,1,2000-02-29", "i"),
    ("1,2," + "x" * 65 + ",1,2000-02-29", "c"), ("1,2,x,maybe,2000-02-29", "b"), ("1,2,x,1,1900-02-29", "d"), ("1,2,x,1,2026-13-01", "d"), ("1,2,x,1,26-1-1", "d"),
]


def cells():
    for row, bad in CELLS:
        code, got = check("all", "f,i,c,b,d\n" + row + "\n")
        good = code == 0 if bad is None else code == 3 and got["bad"][0]["column"] == bad and got["bad"][0]["row"] == 1
        say(good, "the row %s is %s" % (row[:40], "good" if bad is None else "bad in column " + bad), (code, got))


def forms():
    good = [("JSON lines", '{"latitude": 1, "longitude": 2}\n{"longitude": 3, "latitude": 4}\n', 2),
            ("GeoJSON points", json.dumps({"type": "FeatureCollection", "features": [
                {"type": "Feature", "geometry": {"type": "Point", "coordinates": [175.2, -37.8]}, "properties": {"name": "x"}}] * 3}), 3),
            ("tab separated", "latitude\tlongitude\n1\t2\n", 1), ("old Mac line ends", "latitude,longitude\r1,2\r3,4\r", 2),
            ("quoted numbers", '"latitude","longitude"\n"1","2"\n', 1), ("no newline at the end", "latitude,longitude\n1,2", 1)]
    for name, text, rows in good:
        code, got = check("locations", text)
        say(code == 0 and got["rows"] == rows, "%s are read" % name, (code, got))
    bad = [("a GeoJSON line", json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}]})),
           ("an open quote", 'latitude,longitude\n"1,2\n3,4\n'), ("UTF-16", "latitude,longitude\n1,2\n".encode("utf-16")), ("a UTF-8 fault", b'[{"latitude": 1, "longitude": 2, "\xff": 1}]'),
           ("a lone surrogate", '[{"latitude": 1, "longitude": 2, "\\ud800": 1}]')]
    for name, text in bad:
        code, got = check("locations", text)
        say(code == 3, "%s is refused as bad data" % name, (code, got))
    many = "latitude,longitude\n" + "91,0\n" * 500
    code, got = check("locations", many)
    say(code == 3 and got["bad_rows"] == 500 and len(got["bad"]) == 100, "every bad row is counted, the first hundred are listed", (code, got.get("bad_rows")))


def copies():
    """--check -o shows the very rows that would be sealed; read again they are the same rows."""
    text = ("f,i,c,b,d,extra\n1.5,2,red,true,2026-11-23,x\n,-7,,false,1970-01-01,y\n1e1,1000,\"a, \"\"b\"\"\",1,2000-02-29,z\n"
            "-0.000000000000001,9007199254740993,=1+1,0,1969-12-31,w\n")
    want = ["f,i,c,b,d", "1.5,2,red,true,2026-11-23", ",-7,,false,1970-01-01", '10,1000,"a, ""b""",true,2000-02-29', "-1.0000000000000001e-15,9007199254740993,=1+1,false,1969-12-31"]
    copy, again = os.path.join(scratch, "copy.csv"), os.path.join(scratch, "again.csv")
    code, got = check("all", text, "--map", "f=f,i=i,c=c,b=b,d=d", "-o", copy)
    say(code == 0 and open(copy).read().splitlines() == want, "a checked file's rows can be seen as they would be sealed", (code, got, open(copy).read()))
    say(os.stat(copy).st_mode & 0o777 == 0o600, "that copy is its owner's alone")
    code, got = check("all", copy, "-o", again, raw=True)
    say(code == 0 and open(copy).read() == open(again).read(), "the copy reads as the rows it was made of", (code, got))
    code, got = check("locations", "latitude,longitude\n-37.1234567,180\n90,-0.0000001\n", "-o", copy)
    say(code == 0 and open(copy).read() == "latitude,longitude\n-37.1234567,180.0000000\n90.0000000,-0.0000001\n", "places are copied to the last digit they are kept with", open(copy).read())
    code, got = check("places", "a,lat,lng,kind\n1,2,3,x\n")
    say(code == 2 and got.get("offer") == "latitude=lat,longitude=lng,class=a", "a mapping that would fit is offered to programs too", (code, got))


def main():
    cells()
    copies()
    forms()
    if os.path.isdir(SHARED):
        original()
        messy()
    subprocess.run(["rm", "-rf", scratch])
    done()


if __name__ == "__main__":
    main()
