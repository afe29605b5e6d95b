"""README's own commands, as they stand there, typed into one shell in an empty home."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile

from apexlib import BUILD, ROOT, done, free_port, say

HEADING = "## In your own hands"
PORT = "8080"
UP = """until python3 -c 'import urllib.request, sys; urllib.request.urlopen(sys.argv[1])' $APEX_NODE/healthz 2>/dev/null; do sleep 0.2; done
"""


def block():
    text = open(os.path.join(ROOT, "README.md"), encoding="utf-8").read()
    return re.search(re.escape(HEADING) + r".*?```sh\n(.*?)```", text, re.S)[1]


def typed(home):
    words = block()
    assert words.count(":" + PORT) == 2, words
    words = re.sub(r"(?m)^(export APEX_NODE=.*\n)", lambda m: m[1] + UP, words)  # a shell types faster than a person
    script = "set -eu\n" + words.replace(":" + PORT, f":{free_port()}").replace("$PWD/build/", BUILD + "/").replace("$S/build/", BUILD + "/")
    shell = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env={**os.environ, "HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, text=True,
                             stdin=subprocess.DEVNULL, stdout=open(os.path.join(home, "out"), "w"), stderr=subprocess.STDOUT, start_new_session=True)
    code = shell.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGTERM)  # the node it left behind
    return code, open(os.path.join(home, "out")).read()


def main():
    home = tempfile.mkdtemp(prefix="apex-readme-")
    try:
        code, out = typed(home)
        say(code == 0, "every command of README's block does its work", out[-3000:])
        say(re.search(r"pass +result-shown", out) and "FAIL" not in out, "the receipt proves itself", out[-3000:])
        say("sites: verified" in out and "every rule held" in out, "and the audit finds its run verified, and every rule held", out[-3000:])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    done()


if __name__ == "__main__":
    main()
