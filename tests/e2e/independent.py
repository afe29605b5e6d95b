#!/usr/bin/env python3
"""The log, read by Go's golang.org/x/mod/sumdb; and what `apex` says to who uses it wrongly."""
import json
import os
import subprocess

from apexlib import BUILD, LOOSE, ROOT, Node, Party, deploy, done, manifest, say, vkey


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


def main():
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("kauri", "rimu", "totara")]
        trust(node, crew)
        sources(node, crew)
        log_by_go(node, crew)
        words(node, crew)
    finally:
        node.clean()
    done()


if __name__ == "__main__":
    main()
