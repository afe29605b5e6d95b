"""The image of the virtual machine: it builds to the same bytes anywhere, boots, serves, and another enclave in it is noticed."""
import filecmp
import json
import os
import shutil
import socket
import subprocess
import tempfile

from apexlib import APEX, BUILD, ROOT, Node, Party, done, say

BOOT_S = 600  # an emulated processor on a busy machine takes its time
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
    assert bytes_.count(b"the machine with it") == 1
    open(enclave, "wb").write(bytes_.replace(b"the machine with it", b"the Machine with it"))
    image(os.path.join(scratch, "changed"), "--enclave", enclave)


def measure(folder):
    ran = subprocess.run([APEX, "image", "measure", folder, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout)


def measured(scratch):
    ours, theirs = measure(os.path.join(BUILD, "image")), measure(os.path.join(scratch, "changed"))
    say(ours["tdx_rtmr2"] != theirs["tdx_rtmr2"] and ours["initrd"] != theirs["initrd"] and ours["kernel"] == theirs["kernel"],
        "what hardware would measure of the image changes with it", (ours, theirs))


def elsewhere(scratch):
    """An enclave that others start, behind a unix socket, as a machine's virtio-serial port is."""
    where = os.path.join(scratch, "enclave.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    server.listen(1)
    node = Node(enclave="unix:" + where).start(wait=False)
    link = server.accept()[0]
    enclave = subprocess.Popen([os.path.join(BUILD, "enclave/apex-enclave"), "--tee", "sim", "--state", os.path.join(scratch, "state"), "--link-fd",
                                str(link.fileno())], pass_fds=[link.fileno()], stderr=subprocess.DEVNULL)
    link.close()
    say(node.healthy(), "apexd serves an enclave that others started", node.log_text())
    enclave.kill()
    enclave.wait()
    link = server.accept()[0]
    say(True, "and looks for it again when it is gone")
    link.close()
    server.close()
    node.clean()
    bad = subprocess.run([os.path.join(BUILD, "host/apexd"), "--data", scratch, "--enclave", "vsock:3"], stderr=subprocess.PIPE, text=True)
    say(bad.returncode == 2 and "vsock:CID:PORT" in bad.stderr, "a place that does not read is refused in words", bad.stderr)


def refused(scratch):
    node = Node().start()
    owner = Party(node, "kauri")
    first = json.loads(owner.ok("trust", "check", "--json"))
    node.stop()
    shutil.rmtree(node.data)
    node.enclave = os.path.join(BUILD, "image/apex-enclave-vm")
    node.start(timeout=BOOT_S)
    code, out, err = owner.apex("trust", "check", "--json")
    inside = {c["name"]: c["result"] for c in json.loads(out)["checks"]}
    say(inside.get("measurement") == "pass" and json.loads(out)["measurement"] == first["measurement"],
        "the enclave in the machine has the measurement that was published", (out, err))
    say(json.loads(out)["simulated"] and json.loads(out)["tee"] == "sim", "a machine no hardware vouches for says that it is simulated", out)
    log = json.loads(out)["log_key"]
    node.stop()
    node.start(timeout=BOOT_S)
    code, out, err = owner.apex("trust", "check", "--json")
    say(json.loads(out)["log_key"] == log, "the machine started again unseals its root secret, which the host keeps, and goes on with its log", (out, err))
    node.stop()
    shutil.rmtree(node.data)
    node.enclave = os.path.join(scratch, "changed/apex-enclave-vm")
    node.start(timeout=BOOT_S)
    code, out, err = owner.apex("trust", "check")
    say(code == 1 and "is not in the policy" in out, "a changed byte in the enclave changes the measurement, and the client refuses for that reason",
        (code, out, err))
    node.clean()


def ended(scratch):
    """Without apexd, which ends by force what does not end in time."""
    log = os.path.join(scratch, "machine.log")
    ours, theirs = socket.socketpair()
    machine = subprocess.Popen([os.path.join(BUILD, "image/apex-enclave-vm"), "--tee", "sim", "--state", scratch, "--link-fd", str(theirs.fileno())],
                               pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(log, "w"))
    theirs.close()
    try:
        ours.recv(1)  # it has booted, and asks for its root secret
        ours.close()
        machine.wait(BOOT_S)
    finally:
        machine.kill()
        machine.wait()
    say("Restarting system" in open(log, errors="replace").read(), "the machine ends when the host closes the link", open(log, errors="replace").read()[-1000:])


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
        measured(scratch)
        elsewhere(scratch)
        refused(scratch)
        ended(scratch)
        demo()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    done()


if __name__ == "__main__":
    main()
