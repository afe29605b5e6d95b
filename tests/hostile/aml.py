"""A host that gives the machine ACPI tables with code of its own: the image's kernel does not run it.

The table's code writes words to the serial port, so that one sees whether it ran; it could as well have written to the guest's memory
(docs/decisions/acpi.md). The same image with ACPI switched on runs it, which shows that this test can fail."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from apexlib import APEX, BUILD, ROOT, Node, done, say

WORDS = "the code of the host has run"
COM1 = 0x3F8


def aml(words):
    """OperationRegion (PORT, SystemIO, COM1, 1); Field (PORT, ByteAcc) {BYTE, 8}; BYTE = each letter. ACPI 6.5, 20.2."""
    code = b"\x5b\x80PORT\x01\x0b" + struct.pack("<H", COM1) + b"\x01" + b"\x5b\x81\x0bPORT\x01BYTE\x08"
    return code + b"".join(b"\x70\x0a" + bytes([c]) + b"BYTE" for c in words.encode())


def ssdt(words):
    """A secondary system description table: ACPI 6.5, 5.2.6 and 5.2.11.2."""
    body = aml(words)
    head = b"SSDT" + struct.pack("<I", 36 + len(body)) + b"\x02\x00" + b"APEX  " + b"HOSTILE " + struct.pack("<I4sI", 1, b"APEX", 1)
    table = bytearray(head + body)
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def console(scratch, name, *words):
    """What a machine with that table printed until its enclave answered."""
    folder = os.path.join(scratch, name)
    subprocess.run([os.path.join(ROOT, "tools/image"), folder, "--enclave", os.path.join(BUILD, "enclave/apex-enclave"), *words], check=True,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "machine"), "w") as machine:
        machine.write("\n".join(["-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024", "-smp", "2", "-acpitable", "file=" + os.path.join(scratch, "ssdt.aml")]))
    node = Node(enclave=os.path.join(folder, "apex-enclave-vm")).start(timeout=300)
    node.stop()
    said = open(os.path.join(node.scratch, "node.log"), errors="replace").read()
    node.clean()
    return said


def told(folder):
    """Does `apex image measure` warn of ACPI?"""
    return "ACPI is on" in subprocess.run([APEX, "image", "measure", folder], stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    if b"/ld-linux" in open(os.path.join(BUILD, "enclave/apex-enclave"), "rb").read(4096):
        print("# an enclave built with sanitizers is not static: it cannot be a machine's first process")
        done()
    scratch = tempfile.mkdtemp(prefix="apex-aml-")
    try:
        open(os.path.join(scratch, "ssdt.aml"), "wb").write(ssdt(WORDS))
        with_acpi, ours = console(scratch, "acpi", "--acpi"), console(scratch, "ours")
        say(WORDS in with_acpi, "where ACPI is on, the kernel runs the code that the host put into a table", with_acpi[-2000:])
        say(WORDS not in ours, "the image's kernel runs none of it, and the enclave serves", ours[-2000:])
        warned = [told(os.path.join(scratch, "acpi")), told(os.path.join(scratch, "ours"))]
        for line in ("acpi=off acpi=force", "quiet -- acpi=off", "xacpi=off", "acpi=force acpi=off -- acpi=on"):
            open(os.path.join(scratch, "ours/cmdline"), "w").write(line)
            warned.append(told(os.path.join(scratch, "ours")))
        say(warned == [True, False, True, True, True, False], "who measures an image that has ACPI on is told so", warned)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    done()


if __name__ == "__main__":
    main()
