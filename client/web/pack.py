#!/usr/bin/env python3
"""pack.py OUT.c OUT.d WORK: builds the page with Vite into WORK and writes its files, each through gzip, as one C file. Without node packages
the file holds no page, and `apex ui` says so."""
import gzip
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
         ".svg": "image/svg+xml"}


def build(folder):
    vite = os.path.join(HERE, "node_modules/vite/bin/vite.js")
    if not os.path.exists(vite):
        print("pack.py: client/web/node_modules is missing, so there is no page in this build: run tools/setup npm-build")
        os.makedirs(folder, exist_ok=True)
        return False
    done = subprocess.run(["node", vite, "build", "--outDir", os.path.abspath(folder), "--emptyOutDir", "--logLevel", "warn"], cwd=HERE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return True


def found(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def literal(data):
    lines = (data[i:i + 24] for i in range(0, len(data), 24))
    return ",\n".join(",".join(map(str, line)) for line in lines)


def main():
    out, depfile, folder = sys.argv[1:]
    files = found(folder) if build(folder) else []
    blobs, rows = [], []
    for i, name in enumerate(files):
        packed = gzip.compress(open(os.path.join(folder, name), "rb").read(), 9, mtime=0)
        kind = TYPES[os.path.splitext(name)[1]]
        blobs.append("static const unsigned char asset_%d[] = {\n%s};\n" % (i, literal(packed)))
        rows.append('    {"/%s", "%s", asset_%d, sizeof asset_%d},\n' % (name, kind, i, i))
    with open(out, "w") as f:
        f.write('/* Made by client/web/pack.py from client/web. */\n#include "client/ui/assets.h"\n\n')
        f.write("\n".join(blobs))
        f.write("\nconst struct asset ui_assets[] = {\n%s    {0}};\nconst size_t ui_n_assets = %d;\n" % ("".join(rows), len(rows)))
    made_of = [os.path.join(HERE, name) for name in ("index.html", "package-lock.json", "vite.config.ts", "pack.py")]
    lock = os.path.join(HERE, "node_modules/.lock-installed")
    made_of += [lock] if os.path.exists(lock) else []
    made_of += [os.path.join(HERE, "src", name) for name in found(os.path.join(HERE, "src"))]
    open(depfile, "w").write("%s: %s\n" % (out, " ".join(made_of)))


if __name__ == "__main__":
    main()
