"""An apexd under test: started, asked over HTTP, stopped."""
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
APEXD = sys.argv[1]
ENCLAVE = os.path.join(HERE, "fake_enclave.py")
UP_S = 120  # only what never comes takes so long
ATTACH_S = 2  # how long apexd holds a message for an enclave that is just starting


def sha(data):
    return hashlib.sha256(data).hexdigest()


def folder():
    return tempfile.mkdtemp(prefix="test_apexd.")


class Node:
    def __init__(self, data=None, *words, enclave=ENCLAVE, wait="up", within=(), refuse=False):
        self.own = data is None
        self.data = data or folder()
        self.state = os.path.join(self.data, "enclave")
        if refuse:
            os.makedirs(self.state)
            open(os.path.join(self.state, "refuse"), "w").close()
        self.log_path = os.path.join(self.data, "stderr")
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*within, APEXD, "--data", self.data, "--listen", "127.0.0.1:0", "--enclave", enclave, "--reserve-mib", "0", *words],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        assert line.startswith("apexd: listening on http://127.0.0.1:"), (line, self.lines())
        self.port = int(line.rsplit(":", 1)[1])
        if wait:
            self.wait_enclave(wait)

    def lines(self):
        return open(self.log_path).read().splitlines()

    def ask(self, method, path, body=None, headers=None, timeout=UP_S):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def raw(self, data, timeout=UP_S):
        """Sends bytes, gives what comes back until the other end closes (or b'' on a reset)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            got = b""
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while piece := s.recv(65536):
                    got += piece
            except OSError:
                pass
            return got

    def tell(self, **order):
        return self.ask("POST", "/message", json.dumps(order))

    def tell_starting(self, **order):
        """As `tell`, to an enclave that is just being started: a 503 must have been waited for."""
        until = time.monotonic() + UP_S
        while True:
            began = time.monotonic()
            a = self.tell(**order)
            if a.code != 503 or began > until:
                return a
            assert time.monotonic() - began >= ATTACH_S, "turned away without a wait for the enclave"

    def health(self):
        return json.loads(self.ask("GET", "/healthz").body)

    def wait_enclave(self, state):
        wait_for(lambda: self.health()["enclave"] == state, f"enclave {state}")

    def wait_run(self, run, state):
        wait_for(lambda: json.loads(self.ask("GET", f"/runs/{run}").body)["state"] == state, f"run {run} {state}")

    def enclave_pid(self):
        return json.loads(self.tell(do="facts").body)["pid"]

    def metric(self, line):
        text = self.ask("GET", "/metrics").body.decode()
        found = [l.rsplit(" ", 1)[1] for l in text.splitlines() if l.rsplit(" ", 1)[0] == line]
        return float(found[0]) if found else None

    def stop(self, expect=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(UP_S)
        self.process.stdout.close()
        self.log.close()
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)
        assert expect is None or code == expect, f"apexd ended with {code}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            value.log = "".join("    " + line + "\n" for line in self.lines()[-15:])
            self.process.kill()
        self.stop(expect=None if kind else 0)


def gone(pid):
    """No such process, or one that has ended and waits for its parent."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body

    def error(self):
        """The words of a refusal; both parts must be there."""
        said = json.loads(self.body)
        assert set(said) == {"error", "next"} and said["error"] and said["next"], said
        return said["error"]


def wait_for(true, what, seconds=UP_S):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for: {what}")


def equal(got, want, where=""):
    assert got == want, f"{where}: got {got!r}, want {want!r}"
