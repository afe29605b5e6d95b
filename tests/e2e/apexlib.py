"""Starts a real node (apexd and enclave) in a scratch folder and drives the real `apex`: what the end-to-end tests stand on."""
import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("APEX_BUILD", os.path.join(ROOT, "build"))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
APEX = os.path.join(BUILD, "client/apex")
MASK = (1 << 64) - 1
failures = 0


def say(good, sentence, why=""):
    """One line a test proves; tools/check counts them."""
    global failures
    print(("ok - " if good else "not ok - ") + sentence, flush=True)
    if not good:
        failures += 1
        print("# " + str(why).replace("\n", "\n# "), flush=True)
    return good


def done():
    sys.exit(1 if failures else 0)


def splitmix64(x):
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def h(seed, row):
    return splitmix64(((seed << 32) + row) & MASK)


def free_port():
    """Below the ports that the kernel gives to those who ask for any: nobody takes it between its choice and its use."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def vkey(origin, key):
    """c2sp.org/signed-note: name+hash+key."""
    raw = bytes.fromhex(key)
    digest = hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4].hex()
    return "%s+%s+%s" % (origin, digest, base64.b64encode(b"\x01" + raw).decode())


class Node:
    def __init__(self, folder=None, wrap=(), enclave="enclave/apex-enclave", extra=()):
        self.scratch = folder or tempfile.mkdtemp(prefix="apex-test-")
        self.data = os.path.join(self.scratch, "node")
        self.wrap = list(wrap)
        self.enclave = enclave if ":" in enclave else os.path.join(BUILD, enclave)
        self.extra = list(extra)
        self.host = None
        self.url = None

    def start(self, wait=True, timeout=30):
        self.log = open(os.path.join(self.scratch, "node.log"), "a")
        self.host = subprocess.Popen(
            self.wrap + [os.path.join(BUILD, "host/apexd"), "--data", self.data, "--listen", "127.0.0.1:0", "--tee", "sim",
                         "--enclave", self.enclave, *self.extra],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.host.stdout.readline()
        if "http://" not in line:
            raise RuntimeError("apexd did not start: " + line + self.log_text())
        self.url = line[line.index("http://"):].strip()
        if wait and not self.healthy(timeout):
            raise RuntimeError("the enclave did not come up: " + self.log_text())
        return self

    def healthy(self, timeout=30):
        end = time.time() + timeout
        while time.time() < end:
            try:
                if urllib.request.urlopen(self.url + "/healthz", timeout=2).status == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.03)
        return False

    def log_text(self):
        return open(os.path.join(self.scratch, "node.log"), errors="replace").read()[-2000:]

    def stop(self, how=signal.SIGTERM):
        if self.host and self.host.poll() is None:
            self.host.send_signal(how)
            self.host.wait(30)
        if self.host:
            self.host.stdout.close()
            self.log.close()
        self.host = None

    def clean(self):
        self.stop()
        log = os.path.join(self.scratch, "node.log")
        text = open(log, errors="replace").read() if os.path.exists(log) else ""
        bad = [line for line in text.splitlines() if "runtime error" in line or "Sanitizer" in line and "LeakSanitizer" not in line]
        if bad:
            say(False, "no sanitizer has anything to say of the node", bad[:5])
        shutil.rmtree(self.scratch, ignore_errors=True)

    def get(self, path):
        return urllib.request.urlopen(self.url + path, timeout=10).read()


class Party:
    """A home folder with one identity and a trust policy for the node."""

    def __init__(self, node, name, trust=True):
        self.node, self.name = node, name
        self.home = os.path.join(node.scratch, "home-" + name)
        self.file = os.path.join(node.scratch, name + ".json")
        code, out, err = self.apex("id", "new", name)
        assert code == 0, err
        open(self.file, "w").write(out)
        if trust:
            self.ok("trust", "init", node.url)

    def apex(self, *words, node=True, env=None):
        extra = {"APEX_HOME": self.home}
        if node and self.node.url:
            extra["APEX_NODE"] = self.node.url
        r = subprocess.run([APEX, *map(str, words)], env={**os.environ, **extra, **(env or {})}, text=True, errors="replace",
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return r.returncode, r.stdout, r.stderr

    def ok(self, *words, **more):
        code, out, err = self.apex(*words, **more)
        if code != 0:
            raise AssertionError("apex %s: exit %d: %s%s" % (" ".join(map(str, words)), code, out, err))
        return out

    def run(self, address, function, *params, rows=None, seed=None):
        """The answer and the result file's text."""
        path = os.path.join(self.node.scratch, "result-%s-%d.json" % (self.name, time.time_ns()))
        words = ["run", address, function, "-o", path]
        for p in params:
            words += ["--param", p]
        if rows:
            words += ["--rows", rows]
        if seed:
            words += ["--seed", seed]
        self.ok(*words)
        text = open(path).read()
        return json.loads(text)["result"], text


def manifest(node, party, template, parties, **changes):
    """A manifest from a contract's template, with keys of the template replaced; returns its path."""
    folder = os.path.join(ROOT, "contracts", template)
    text = open(os.path.join(folder, "manifest.json")).read()
    changes.setdefault("purpose", "test %d" % time.time_ns())  # an address of its own
    for key, value in changes.items():
        text = set_key(text, key, value)
    name = os.path.join(node.scratch, "template-%d.json" % time.time_ns())
    open(name, "w").write(text)
    out = name.replace("template", "manifest")
    words = ["contract", "new", name, "--program", os.path.join(BUILD, "contracts", template + ".elf"), "-o", out]
    for p in parties:
        words += ["--party", p.file]
    party.ok(*words)
    return out


def written(tree):
    """A manifest's text: its numbers have no exponents, so 0.000001 is written out."""
    return re.sub(r"\b(\d)e-0(\d)\b", lambda n: "0." + "0" * (int(n[2]) - 1) + n[1], json.dumps(tree, indent=1))


def set_key(text, key, value):
    quoted = text.replace("[@PARTIES@]", '"@PARTIES@"')
    tree = json.loads(quoted)
    tree[key] = value
    return written(tree).replace('"@PARTIES@"', "[@PARTIES@]")


def deploy(node, parties, path, program):
    out = parties[0].ok("contract", "deploy", path, os.path.join(BUILD, "contracts", program + ".elf"), "--json")
    address = json.loads(out)["address"]
    for p in parties:
        p.ok("contract", "accept", address)
    return address


LOOSE = {"minimum_rows": 1, "minimum_contributors": 1, "maximum_share": 1}
