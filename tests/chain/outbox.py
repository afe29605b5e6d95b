#!/usr/bin/env python3
"""Runs test_outbox beside a fresh chain."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from apexlib import BUILD, ROOT  # noqa: E402
from chainlib import Chain  # noqa: E402


def main():
    scratch = tempfile.mkdtemp(prefix="apex-outbox-")
    chain = Chain(scratch)
    try:
        return subprocess.run([os.path.join(BUILD, "tests/test_outbox"), chain.url, chain.registry, chain.key], cwd=ROOT).returncode
    finally:
        chain.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
