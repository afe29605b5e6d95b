"""Starts a real node (apexd and enclave) in a scratch folder and drives the real `apex`: what the end-to-end tests stand on."""
import base64
import hashlib
import itertools
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
PATIENCE = 120  # seconds until what never comes is given up: no test is about how soon it comes
os.environ["no_proxy"] = "*"  # all addresses are this machine's
failures = 0
numbers = itertools.count(1)  # for names that nobody else takes
claims = []


def say(good, sentence, why=""):
    """One line a test proves; tools/check counts them."""
    global failures
    lines = ("ok - " if good else "not ok - ") + sentence + "\n"
    if not good:
        failures += 1
        lines += "# " + str(why).replace("\n", "\n# ") + "\n"
    sys.stdout.write(lines)  # whole, whatever other threads say
    sys.stdout.flush()
    return good


def wait_for(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


def done():
    sys.exit(1 if failures else 0)


def splitmix64(x):
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def h(seed, row):
    return splitmix64(((seed << 32) + row) & MASK)


def claim(name):
    """A name that one process of this machine has, until it ends."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind("\0" + name)
    except OSError:
        s.close()
        return False
    claims.append(s)
    return True


def free_port():
    """Below the ports that the kernel gives to those who ask for any, and not another test's: nobody takes it between its choice and its use, or while
    its server is away."""
    given = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
    top = given if given > 16000 else 32000
    while True:
        port = random.SystemRandom().randrange(top - 12000, top)
        if not claim("apex-test-port-%d" % port):
            continue
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def processors(n):
    """Words before a command that may use so many of the machine's processors at most."""
    return ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:n]))]


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

    def start(self, wait=True, timeout=PATIENCE):
        self.log = open(os.path.join(self.scratch, "node.log"), "a")
        self.log_from = os.path.getsize(self.log.name)
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

    def healthy_now(self):
        try:
            return urllib.request.urlopen(self.url + "/healthz", timeout=10).status == 200
        except OSError:
            return False

    def healthy(self, timeout=PATIENCE):
        return wait_for(self.healthy_now, timeout)

    def log_text(self):
        return open(os.path.join(self.scratch, "node.log"), errors="replace").read()[-2000:]

    def logs(self, words):
        """Waits until the log of this start has these words."""
        def there():
            with open(os.path.join(self.scratch, "node.log"), errors="replace") as log:
                log.seek(self.log_from)
                return words in log.read()
        return wait_for(there)

    def stop(self, how=signal.SIGTERM):
        if self.host and self.host.poll() is None:
            self.host.send_signal(how)
            self.host.wait(PATIENCE)
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
        return urllib.request.urlopen(self.url + path, timeout=PATIENCE).read()


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
        path = os.path.join(self.node.scratch, "result-%d.json" % next(numbers))
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
    changes.setdefault("purpose", "test %d" % next(numbers))  # an address of its own
    for key, value in changes.items():
        text = set_key(text, key, value)
    name = os.path.join(node.scratch, "template-%d.json" % next(numbers))
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


def attack_all(*attacks):
    """Each on one node, by a party of two against the other."""
    node = Node().start()
    try:
        crew = [Party(node, n) for n in ("attacker", "victim")]
        for attack in attacks:
            attack(node, crew)
    finally:
        node.clean()
    done()


LOOSE = {"minimum_rows": 1, "minimum_contributors": 1, "maximum_share": 1}
