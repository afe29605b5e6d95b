#!/usr/bin/env python3
"""A hostile host: it flips, cuts, swaps, replays, rolls back and forks what it stores. Whatever it does is noticed, or changes nothing."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.error

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import BUILD, LOOSE, Node, Party, deploy, done, manifest, say  # noqa: E402

SEED = "11" * 32
FLIPS = int(os.environ.get("APEX_FLIPS", "70"))


def town(path, n, seed):
    r = random.Random(seed)
    open(path, "w").write("latitude,longitude\n" + "".join("%.6f,%.6f\n" % (-37.8 + r.uniform(-.2, .2), 175.3 + r.uniform(-.2, .2)) for _ in range(n)))
    return path


def files_of(folder):
    return [os.path.join(at, n) for at, _, names in os.walk(folder) for n in names if n not in ("lock",)]


class World:
    """A node with one contract, three parties and one answer; and how it looks from outside."""

    def __init__(self):
        self.node = Node().start()
        self.crew = [Party(self.node, n) for n in ("kauri", "rimu", "totara")]
        self.address = deploy(self.node, self.crew, manifest(self.node, self.crew[0], "cluster", self.crew, release=LOOSE), "cluster")
        for i, p in enumerate(self.crew):
            p.ok("contribute", self.address, "customers", town(os.path.join(self.node.scratch, "c.csv"), 60, i))
        self.answer = self.ask(self.crew[0])
        self.kept = os.path.join(self.node.scratch, "kept")

    def ask(self, party):
        code, out, err = party.apex("run", self.address, "sites", "--param", "k=4", "--seed", SEED)
        return out if code == 0 else None

    def look(self, party):
        """What a careful party does: judge the node, read the history, ask again, open the old answer."""
        said = []
        for words in (("trust", "check"), ("audit", self.address), ("run", self.address, "sites", "--param", "k=4", "--seed", SEED)):
            code, out, err = party.apex(*words)
            said.append((code, err.splitlines()[0] if code and err else out if words[0] == "run" else ""))
            if code:
                break
        return said

    def stop(self):
        self.node.stop()

    def save(self):
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.node.data, self.kept)
        self.homes = {p: os.path.join(self.node.scratch, "kept-" + p.name) for p in self.crew}
        for p, folder in self.homes.items():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(p.home, folder)

    def restore(self, homes=True):
        shutil.rmtree(self.node.data, ignore_errors=True)
        shutil.copytree(self.kept, self.node.data)
        for p, folder in self.homes.items() if homes else ():
            shutil.rmtree(p.home)
            shutil.copytree(folder, p.home)

    def try_it(self):
        """(noticed, same): starts the node on what is stored and looks at it."""
        try:
            self.node.start(wait=False)
        except RuntimeError:
            self.node.stop(signal.SIGKILL)
            return True, False
        end = time.monotonic() + 120
        while time.monotonic() < end and not self.node.healthy(0.2) and not self.node.is_down():
            pass
        said = self.look(self.crew[0])
        self.node.stop(signal.SIGKILL)
        failed = any(code for code, _ in said)
        same = not failed and said[-1][1] == self.answer
        return failed, same


def is_down(self):
    """The host has ended, the enclave refuses the log, or it ended so often on the same data that it will again."""
    try:
        restarts = self.get("/metrics").decode().split("\napexd_enclave_restarts_total ")[1].split()[0]
        self.get("/healthz")
    except urllib.error.HTTPError as e:
        return "refused" in e.read().decode() or float(restarts) >= 3
    except OSError:
        return self.host.poll() is not None
    return False


Node.is_down = is_down


def flips(w):
    r = random.Random(7)
    files = files_of(w.kept)
    silent, noticed, harmless = [], 0, 0
    for n in range(FLIPS):
        path = files[n % len(files)]
        size = os.path.getsize(path)
        if size == 0:
            continue
        w.restore()
        target = path.replace(w.kept, w.node.data)
        data = bytearray(open(target, "rb").read())
        at = r.randrange(size)
        data[at] ^= 1 << r.randrange(8)
        os.chmod(target, 0o600)
        open(target, "wb").write(data)
        failed, same = w.try_it()
        noticed += failed
        harmless += same
        if not failed and not same:
            silent.append((os.path.relpath(path, w.kept), at))
    say(not silent and noticed > 0, "of %d flipped bits in stored files none is silently accepted (%d noticed, %d mended or without effect)" % (FLIPS, noticed, harmless), silent)


def cuts(w):
    silent = []
    for path in files_of(w.kept):
        size = os.path.getsize(path)
        for keep in {0, size // 2, size - 1}:
            if size == 0 or keep < 0:
                continue
            w.restore()
            with open(path.replace(w.kept, w.node.data), "r+b") as f:
                f.truncate(keep)
            failed, same = w.try_it()
            if not failed and not same:
                silent.append((os.path.relpath(path, w.kept), keep))
    say(not silent, "no file cut short is silently accepted", silent)


def removals(w):
    silent = []
    for path in files_of(w.kept):
        w.restore()
        os.unlink(path.replace(w.kept, w.node.data))
        failed, same = w.try_it()
        if not failed and not same:
            silent.append(os.path.relpath(path, w.kept))
    say(not silent, "no removed file goes unnoticed", silent)


def swaps(w):
    blobs = [p for p in files_of(w.kept) if "/log/" not in p and "enclave" not in p and os.path.getsize(p) > 100]
    r, silent = random.Random(9), []
    for _ in range(12):
        a, b = r.sample(blobs, 2)
        w.restore()
        shutil.copyfile(a, b.replace(w.kept, w.node.data))
        failed, same = w.try_it()
        if not failed and not same:
            silent.append((a, b))
    say(not silent, "a blob or program put in the place of another is noticed", silent)


def rollback(w):
    """The host goes back to an older state: who has seen the newer one notices; who then acts on it is refused."""
    w.restore()
    w.node.start()
    w.crew[0].ok("contribute", w.address, "customers", town(os.path.join(w.node.scratch, "n.csv"), 30, 50))
    w.node.stop()
    w.restore(homes=False)
    w.node.start()
    code, out, err = w.crew[0].apex("audit", w.address)
    say(code == 1 and "rolled back or forked" in err, "a rolled-back log is noticed by who has seen the newer one", (code, err))
    code, out, err = w.crew[0].apex("run", w.address, "sites", "--param", "k=4")
    say(code == 1, "and nothing more is asked of it", (code, err))
    # The fork: another party, which saw only the old state, goes on with it; then the host shows that branch to the first.
    w.crew[1].ok("contribute", w.address, "customers", town(os.path.join(w.node.scratch, "m.csv"), 31, 51))
    w.crew[1].ok("contribute", w.address, "customers", town(os.path.join(w.node.scratch, "m.csv"), 31, 52))
    code, out, err = w.crew[0].apex("audit", w.address)
    say(code == 1 and "rolled back or forked" in err, "a fork is noticed by who stood on the other branch", (code, err))
    w.node.stop()


def another_root(w):
    """A node set up anew under the same address is another log, and the trust policy says so."""
    w.restore()
    shutil.rmtree(w.node.data)
    w.node.start()
    code, out, err = w.crew[0].apex("audit", w.address)
    say(code == 1 and ("another log" in err or "replaced" in err), "a node that was replaced wholesale is noticed", (code, err))
    w.node.stop()


def another_build(w):
    """The operator starts another build of the enclave on the same root and log."""
    w.restore()
    good = os.path.join(BUILD, "enclave/apex-enclave")
    other = os.path.join(w.node.scratch, "apex-enclave")
    shutil.copyfile(good, other)
    with open(other, "ab") as f:
        f.write(b"a changed byte")
    os.chmod(other, 0o755)
    start_with(w.node, other)
    code, out, err = w.crew[0].apex("run", w.address, "sites", "--param", "k=4")
    say(code == 1 and "does not accept it" in err, "another build of the enclave is not in the trust policy", (code, err))
    w.crew[0].ok("trust", "init", "--replace")
    code, out, err = w.crew[0].apex("run", w.address, "sites", "--param", "k=4")
    say(code == 1 and "not one the contract names" in err, "and even where it is, the contract that does not name it gets nothing", (code, err))
    forge = subprocess.run([os.path.join(BUILD, "tests/forge"), w.crew[0].home, w.node.url, w.address, "00" * 32, "unnamed"], stdout=subprocess.PIPE, text=True)
    print(forge.stdout, end="")
    say(forge.returncode == 0, "nor does the enclave itself serve it", forge.stdout)
    w.node.stop()


def start_with(node, enclave):
    node.log = open(os.path.join(node.scratch, "node.log"), "a")
    node.host = subprocess.Popen([os.path.join(BUILD, "host/apexd"), "--data", node.data, "--listen", "127.0.0.1:0", "--tee", "sim", "--enclave", enclave],
                                 stdout=subprocess.PIPE, stderr=node.log, text=True)
    line = node.host.stdout.readline()
    node.url = line[line.index("http://"):].strip()
    assert node.healthy(120), node.log_text()


def main():
    w = World()
    try:
        say(w.answer is not None, "the untouched node answers")
        w.stop()
        w.save()
        failed, same = w.try_it()
        say(same and not failed, "a restarted node gives the same answer to the byte", (failed, same))
        flips(w)
        cuts(w)
        removals(w)
        swaps(w)
        rollback(w)
        another_root(w)
        another_build(w)
    finally:
        w.node.clean()
    done()


if __name__ == "__main__":
    main()
