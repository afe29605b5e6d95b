"""A fresh chain (anvil) with a deployed registry and a funded key for gas, for the tests that keep a log on one."""
import json
import os
import signal
import subprocess
import time
import urllib.request

from apexlib import BUILD, ROOT, free_port

ANVIL = os.path.join(ROOT, "tests/chain/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
CHAIN_TOOL = os.path.join(BUILD, "host/apex-chain")


class Chain:
    """`scratch` holds its state, so that it can be killed and started again."""

    def __init__(self, scratch, *more):
        self.scratch, self.more, self.port = scratch, more, free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.process = None
        self.key = os.path.join(scratch, "gas.key")
        self.start()
        self.address = self.tool("key", self.key).strip()
        self.rpc("anvil_setBalance", self.address, hex(10**20))
        self.deployed = json.loads(self.tool("deploy", "--chain", self.url, "--chain-key", self.key))
        self.registry = self.deployed["registry"]

    def start(self):
        self.process = subprocess.Popen([ANVIL, "--host", "127.0.0.1", "--port", str(self.port), "--silent", *self.more],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                self.rpc("eth_chainId")
                return self
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("anvil does not start")

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(10)
        self.process = None

    def tool(self, *words):
        r = subprocess.run([CHAIN_TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if r.returncode:
            raise RuntimeError(r.stderr)
        return r.stdout

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        reply = urllib.request.urlopen(urllib.request.Request(self.url, body, {"Content-Type": "application/json"}), timeout=10)
        answer = json.loads(reply.read())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def receipt(self, transaction):
        """It can be a few milliseconds late even on a chain that mines at once."""
        for _ in range(200):
            found = self.rpc("eth_getTransactionReceipt", transaction)
            if found:
                return found
            time.sleep(0.02)
        raise RuntimeError("no receipt of " + transaction)

    def apexd(self, url=None):
        """What apexd is given to keep its log here."""
        return ["--chain", url or self.url, "--registry", self.registry, "--chain-key", self.key, "--chain-confirmations", "1", "--chain-every-s", "0"]

    def flags(self, url=None):
        """What apex is given to look here."""
        return ["--chain", url or self.url, "--registry", self.registry, "--confirmations", "1"]

    def events(self):
        return self.rpc("eth_getLogs", {"address": self.registry, "fromBlock": "0x0", "toBlock": "latest"})
