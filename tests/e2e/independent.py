#!/usr/bin/env python3
"""The log, read by Go's golang.org/x/mod/sumdb; and what `apex` says to who uses it wrongly."""
import csv
import json
import os
import re
import subprocess

from apexlib import APEX, BUILD, LOOSE, ROOT, Node, Party, deploy, done, manifest, say, vkey


def log_by_go(node, crew):
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew, release=LOOSE), "cluster")
    path = os.path.join(node.scratch, "g.csv")
    for i in range(270):  # more than one bundle and one tile
        open(path, "w").write("latitude,longitude\n-37.8,%f\n" % (170 + i * 1e-4))
        crew[i % 3].ok("contribute", address, "customers", path)
    verdict = json.loads(crew[0].ok("trust", "check", "--json"))
    go = os.path.join(node.scratch, "verify")
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": os.path.join(node.scratch, "cache"), "GOFLAGS": ""}
    built = subprocess.run(["go", "build", "-o", go, os.path.join(ROOT, "tests/go/verify.go")], env=env, stderr=subprocess.PIPE, text=True)
    if not say(built.returncode == 0, "the independent verifier builds with Debian's golang.org/x/mod", built.stderr):
        return
    log = os.path.join(node.data, "log")
    r = subprocess.run([go, log, vkey(verdict["origin"], verdict["log_key"])], stdout=subprocess.PIPE, text=True)
    print(r.stdout, end="")
    say(r.returncode == 0, "Go's sumdb reads the log as its own", r.stdout)
    wrong = subprocess.run([go, log, vkey(verdict["origin"], "00" * 31 + "01")], stdout=subprocess.PIPE, text=True)
    say(wrong.returncode != 0, "and refuses it under another key")


def words(node, crew):
    """Exit codes by class, and errors that say what to do next."""
    for want, sentence, line, env in (
            (0, "help is help", ["--help"], {}), (2, "no command is a usage error", ["frobnicate"], {}), (2, "a missing word is a usage error", ["contribute"], {}),
            (2, "an unknown option is a usage error", ["audit", "x", "--frob"], {}), (2, "an address that is none is a usage error", ["audit", "apex1xyz"], {}),
            (4, "a node that is not there is unreachable", ["trust", "check", "http://127.0.0.1:1"], {}), (3, "a file that is no receipt is bad data or not verified", ["verify", "/dev/null"], {}),
            (0, "doctor tells what this machine can do", ["doctor"], {})):
        code, out, err = crew[0].apex(*line, env=env)
        say(code == want or (want == 3 and code == 1), sentence, (code, out, err))
        if code in (2, 4):
            say("next:" in err, "%s: and what to do next is said" % sentence, err)
    code, out, err = crew[0].apex("verify", "/nowhere.json", "--json")
    say(code == 3 and json.loads(out)["error"]["exit"] == 3, "a file that is not there is told by exit code and JSON alike", (code, out))
    for line in (["doctor", "--json"], ["trust", "check", "--json"], ["id", "show", "--json"]):
        code, out, err = crew[0].apex(*line)
        say(code == 0 and json.loads(out) is not None, "apex %s is JSON" % " ".join(line), out)
    for command in ("demo", "id", "trust", "contract", "contribute", "run", "result", "withdraw", "audit", "verify", "ledger", "witness", "image", "export", "ui", "node", "doctor"):
        code, out, err = crew[0].apex(command, "--help")
        page = os.path.join(ROOT, "client/man/apex-%s.1" % command)
        say(code == 0 and "usage: apex " + command in out and os.path.exists(page), "apex %s has help and a man page" % command, out)
    code, out, err = crew[0].apex("id", "new", "kauri")
    say(code == 1 and "was not touched" in err, "an identity is never overwritten", err)
    os.chmod(os.path.join(crew[1].home, "identities/rimu.id"), 0o644)
    code, out, err = crew[1].apex("id", "show")
    say(code == 1 and "read by others" in err, "an identity that others can read is not used", err)
    sealed = Party(node, "miro")
    code, out, err = sealed.apex("trust", "init", "--replace")
    say(code == 0 and "acceptable       NO: no policy was given" in out, "before there is a policy nothing is acceptable, and that is said", out)
    code, out, err = sealed.apex("--json", "doctor")
    say(code == 2 and "name the command first" in err, "an option before the command is told from a command", err)
    sealed.ok("id", "new", "tui", env={"APEX_PASSPHRASE": "correct horse"})
    code, out, err = sealed.apex("id", "show", "tui")
    say(code == 2 and "passphrase" in err, "a sealed identity asks for its passphrase", err)
    code, out, err = sealed.apex("id", "show", "tui", env={"APEX_PASSPHRASE": "wrong"})
    say(code == 1 and "does not open" in err, "a wrong passphrase does not open it", err)
    sealed.ok("id", "show", "tui", env={"APEX_PASSPHRASE": "correct horse"})


def trust(node, crew):
    """A policy that does not name this enclave keeps every byte at home."""
    path = os.path.join(crew[2].home, "trust.json")
    policy = json.load(open(path))
    for change, sentence in ((lambda p: p["accept"][0].update(tee="sev-snp"), "a policy without sim accepts no simulated enclave"),
                             (lambda p: p["accept"][0].update(measurements=["00" * 32]), "a policy with another measurement does not accept it"),
                             (lambda p: p.update(distrust=["sim"]), "a distrusted family is not accepted"),
                             (lambda p: p["log"].update(key="00" * 32), "another log than the pinned one is not accepted"),
                             (lambda p: p.update(acept=[]), "an unknown key in the policy is refused")):
        changed = json.loads(json.dumps(policy))
        change(changed)
        json.dump(changed, open(path, "w"))
        code, out, err = crew[2].apex("audit", "apex1" + "a" * 52)
        say(code in (1, 3) and ("nothing was sent" in err or "nothing of it was used" in err), sentence, (code, err))
    json.dump(policy, open(path, "w"))


def sources(node, crew):
    address = deploy(node, crew, manifest(node, crew[0], "cluster", crew), "cluster")
    out = crew[0].ok("contract", "verify", address, "--source", os.path.join(ROOT, "contracts/cluster"))
    say("very program" in out, "a contract's source is rebuilt and is the program at its address", out)
    code, out, err = crew[0].apex("contract", "verify", address, "--source", os.path.join(ROOT, "contracts/classify"))
    say(code == 1 and "NOT" in out, "another source is not", (code, out))
    bad = os.path.join(node.scratch, "bad.json")
    text = open(manifest(node, crew[0], "cluster", crew)).read()
    for change, sentence in ((text.replace('"apex": 1', '"apex": 1, "apex": 1', 1), "a manifest with a duplicate key"), (text.replace('"purpose"', '"porpose"', 1), "a manifest with an unknown key"),
                             (text.replace('"minimum_rows": 10', '"minimum_rows": 1e1', 1), "a manifest with a number that may not stay what it is")):
        open(bad, "w").write(change)
        code, out, err = crew[0].apex("contract", "address", bad)
        say(code == 3 and "line " in err, "%s is refused with its place" % sentence, (code, err))
    wrong = os.path.join(BUILD, "contracts/classify.elf")
    code, out, err = crew[0].apex("contract", "deploy", manifest(node, crew[0], "cluster", crew), wrong)
    say(code == 2 and "not the one the manifest names" in err, "another program than the manifest's is not sent", err)


def entries(party, address):
    return json.loads(party.ok("contract", "show", address, "--json"))["entries"]


def outputs(node, crew):
    """Where an answer cannot be written it is not asked for, or it is said how to get the one that is on record. Nobody else reads it."""
    party, folder = crew[0], os.path.join(node.scratch, "out")
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE), "cluster")
    rows = os.path.join(node.scratch, "outputs.csv")
    open(rows, "w").writelines(open(os.path.join(ROOT, "data/nz_addresses.csv")).readlines()[:600])
    party.ok("contribute", address, "customers", rows)
    os.mkdir(folder)
    sites, choose = [["run", address, *w] for w in (["sites", "--param", "k=2"], ["choose_k", "--param", "k_least=1", "--param", "k_most=3"])]
    before = entries(party, address)
    for out in (os.path.join(folder, "missing", "r.json"), folder, folder + "/missing/", ""):
        code, said, err = party.apex(*sites, "-o", out)
        say(code == 3 and "nothing was asked" in err, "an answer that could not be written to %s is not asked for" % (out.replace(node.scratch, "") or "no name"), (code, said, err))
    say(entries(party, address) == before, "and nothing of it is in the log")
    for words, out, want in ((sites, "/dev/full", 3), (choose, os.path.join(folder, "k.geojson"), 2)):
        code, said, err = party.apex(*words, "-o", out, "--json")
        e = json.loads(said)["error"]
        again = re.search(r"`apex (result %s \d+ -o )FILE.json`" % address, e["next"])
        say(code == want and again and "on record as entry" in e["not_done"], "one that cannot be written to %s is kept, and it is said how to get it" % out.replace(node.scratch, ""), (code, e))
        kept = os.path.join(folder, "kept.json")
        code, said, err = party.apex(*again[1].split(), kept) if again else (1, "", "")
        say(code == 0 and party.apex("verify", kept)[0] == 0, "and so it is got", (code, said, err))
    full = os.open("/dev/full", os.O_WRONLY)
    r = subprocess.run([APEX, "result", address, again[1].split()[2] if again else "1"], env={**os.environ, "APEX_HOME": party.home, "APEX_NODE": node.url}, stdout=full, stderr=subprocess.PIPE, text=True)
    os.close(full)
    say(r.returncode == 3 and "apex result" in r.stderr, "nor is one lost that the terminal does not take", (r.returncode, r.stderr))
    say(sorted(os.listdir(folder)) == ["kept.json"], "nothing else is left there", os.listdir(folder))
    wide = os.path.join(folder, "wide.json")
    open(wide, "w").close()
    os.chmod(wide, 0o644)
    for words, out in (([*sites, "-o"], wide), ([*sites, "-o"], os.path.join(folder, "a.csv")), ([*sites, "-o"], os.path.join(folder, "a.geojson")),
                       (["export", wide, "-o"], os.path.join(folder, "b.csv")), (["export", wide, "-o"], os.path.join(folder, "b.geojson"))):
        party.ok(*words, out)
        say(os.stat(out).st_mode & 0o777 == 0o600, "%s %s is for its owner alone" % (words[0], os.path.basename(out)), oct(os.stat(out).st_mode))


def exports(party):
    """A result file is a stranger's: neither its values nor its keys reach a spreadsheet as formulas or as other cells."""
    folder = os.path.join(party.home, "export")
    os.mkdir(folder)
    file, table = os.path.join(folder, "r.json"), os.path.join(folder, "r.csv")
    keys = ["=cmd|'/c calc'!A1", "a\nb", "c,d", 'e"f', "@g", "plain"]
    json.dump({"result": {"sites": [dict.fromkeys(keys, "=1")]}}, open(file, "w"))
    party.ok("export", file, "-o", table, node=False)
    got = list(csv.reader(open(table, newline="")))
    say(got == [["'=cmd|'/c calc'!A1", "a\nb", "c,d", 'e"f', "'@g", "plain"], ["'=1"] * len(keys)], "the columns of an export are guarded as its cells are", got)
    json.dump({"result": {"done": True}}, open(file, "w"))
    for name in ("r.csv", "r.geojson"):
        out = os.path.join(folder, name)
        open(out, "w").write("kept")
        code, said, err = party.apex("export", file, "-o", out, node=False)
        say(code == 2 and open(out).read() == "kept", "an export of nothing leaves %s as it was" % name, (code, err, open(out).read()))
    code, said, err = party.apex("export", file, "-o", os.path.join(folder, "missing", "r.csv"), node=False)
    say(code == 3 and "as it was" in err, "an export into a folder that is not there is an unusable file", (code, err))


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara")]
        trust(node, crew)
        sources(node, crew)
        log_by_go(node, crew)
        words(node, crew)
        outputs(node, crew)
        exports(crew[0])
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
