"""The image of the virtual machine: it builds to the same bytes anywhere, boots, serves, and another enclave in it is noticed."""
import filecmp
import json
import os
import shutil
import subprocess
import tempfile

from apexlib import APEX, BUILD, ROOT, Node, Party, done, say

FILES = ["vmlinuz", "initrd.img", "cmdline"]


def image(*words):
    subprocess.run([os.path.join(ROOT, "tools/image"), *words], check=True, stdout=subprocess.DEVNULL)


def in_two_folders(scratch):
    """Tool, enclave and kernel copied elsewhere, under another umask, clock and name."""
    other = os.path.join(scratch, "another place")
    for folder in ("tools", "host/vm"):
        shutil.copytree(os.path.join(ROOT, folder), os.path.join(other, folder))
    os.makedirs(os.path.join(other, "build/enclave"))
    shutil.copy(os.path.join(BUILD, "enclave/apex-enclave"), os.path.join(other, "build/enclave"))
    os.symlink(os.path.join(ROOT, "build/packages"), os.path.join(other, "build/packages"))
    subprocess.run([os.path.join(other, "tools/image")], check=True, stdout=subprocess.DEVNULL, umask=0o077)
    same = filecmp.cmpfiles(os.path.join(BUILD, "image"), os.path.join(other, "build/image"), FILES, shallow=False)
    say(same[0] == FILES, "two images built in two folders are identical to the byte", same)


def changed_byte(scratch):
    """One byte of a message for people: nothing behaves otherwise, and still it is another enclave."""
    enclave = os.path.join(scratch, "apex-enclave")
    bytes_ = open(os.path.join(BUILD, "enclave/apex-enclave"), "rb").read()
    assert bytes_.count(b"powering off") == 1
    open(enclave, "wb").write(bytes_.replace(b"powering off", b"powering Off"))
    image(os.path.join(scratch, "changed"), "--enclave", enclave)


def refused(scratch):
    node = Node().start()
    owner = Party(node, "kauri")
    first = json.loads(owner.ok("trust", "check", "--json"))
    node.stop()
    shutil.rmtree(node.data)
    node.enclave = os.path.join(BUILD, "image/apex-enclave-vm")
    node.start(timeout=120)
    code, out, err = owner.apex("trust", "check", "--json")
    inside = {c["name"]: c["result"] for c in json.loads(out)["checks"]}
    say(inside.get("measurement") == "pass" and json.loads(out)["measurement"] == first["measurement"],
        "the enclave in the machine has the measurement that was published", (out, err))
    say(json.loads(out)["simulated"] and json.loads(out)["tee"] == "sim", "a machine no hardware vouches for says that it is simulated", out)
    node.stop()
    say("Power down" in open(os.path.join(node.scratch, "node.log")).read(), "the machine powers off when the host closes the link")
    shutil.rmtree(node.data)
    node.enclave = os.path.join(scratch, "changed/apex-enclave-vm")
    node.start(timeout=120)
    code, out, err = owner.apex("trust", "check")
    say(code == 1 and "is not in the policy" in out, "a changed byte in the enclave changes the measurement, and the client refuses for that reason",
        (code, out, err))
    node.clean()


def demo():
    ran = subprocess.run([APEX, "demo", "--tee", "vm"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    say(ran.returncode == 0 and ran.stdout.count("20 of 20 checks passed") == 2 and "SIMULATED" in ran.stdout,
        "the demo runs on an enclave in a virtual machine, and says that it is simulated", ran.stdout[-1500:])


def main():
    if b"/ld-linux" in open(os.path.join(BUILD, "enclave/apex-enclave"), "rb").read(4096):
        print("# an enclave built with sanitizers is not static: it cannot be a machine's first process")
        done()
    scratch = tempfile.mkdtemp(prefix="apex-machine-")
    try:
        image(os.path.join(BUILD, "image"))
        in_two_folders(scratch)
        changed_byte(scratch)
        refused(scratch)
        demo()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    done()


if __name__ == "__main__":
    main()
