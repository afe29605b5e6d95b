#!/usr/bin/python3
"""Data both sides of a bench read, made once into a folder (default build/bench-data), seeds fixed:
  NAME_N.i32          places: N latitudes, then N longitudes, int32 in 1e-7 degree, six decimals. mix: 200 hills; uni: evenly spread; city: the
                      project's own real places with a jitter of 0.05 degree; places: these places themselves
  NAME_N.lab8, .lab200   uint32, the hill a row of mix stands on, modulo 8 or whole
  d16_N.i32           16 columns, 64 hills, int32 in 1e-6
  reg20_N.y, .c       20 columns of N float64, then a target, or labels 0 and 1 as float64
  mix_N.csv           mix as `latitude,longitude` with six decimals
    bench/data.py FOLDER NAME ...     such as mix_1000000.i32"""
import os
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BOX = np.array([[-89.0, -179.0], [89.0, 179.0]])


def hills(n, m=200, seed=1):
    r = np.random.default_rng(seed)
    centre = np.c_[r.uniform(-60, 70, m), r.uniform(-170, 170, m)]
    spread = np.exp(r.uniform(np.log(0.05), np.log(3), m))
    hill = r.choice(m, n, p=0.9 * r.dirichlet(np.ones(m) * 0.5) + 0.1 / m)  # none is left without rows
    return np.clip(centre[hill] + r.standard_normal((n, 2)) * spread[hill, None], *BOX), hill


def real_places():
    return np.loadtxt(os.path.join(ROOT, "data/places_country.csv"), delimiter=",", skiprows=1, usecols=(0, 1), encoding="utf-8")


def places(name, n):
    r = np.random.default_rng(2)
    if name == "mix":
        return hills(n)[0]
    if name == "uni":
        return np.c_[r.uniform(-60, 70, n), r.uniform(-170, 170, n)]
    real = real_places()
    if name == "places":
        return real[:n]
    return np.clip(real[r.integers(0, len(real), n)] + r.standard_normal((n, 2)) * 0.05, *BOX)


def degrees(x):
    """int32 in 1e-7 degree of what has six decimals."""
    return np.rint(x * 1e6).astype(np.int32) * 10


def columns(x):
    return np.ascontiguousarray(x.T)


def regressors(n):
    r = np.random.default_rng(5)
    x = r.standard_normal((n, 20)) @ (np.eye(20) + 0.3 * r.standard_normal((20, 20)) / np.sqrt(20))
    z = x @ r.standard_normal(20)
    y = z + np.sin(3 * x[:, 0]) * 2 + x[:, 1] * x[:, 2] + r.standard_normal(n)
    label = r.random(n) < 1 / (1 + np.exp(-(z + x[:, 1] * x[:, 2]) / 2))
    return x, y, label.astype(float)


def csv_write(n, path):
    x = degrees(places("mix", n)) / 1e7
    with open(path, "w", encoding="ascii") as f:
        f.write("latitude,longitude\n")
        for at in range(0, n, 100000):
            f.write("".join("%.6f,%.6f\n" % (a, b) for a, b in x[at:at + 100000].tolist()))


def make(file, path):
    stem, kind = file.split(".")
    name, n = stem.split("_")[0], int(stem.split("_")[1])
    if kind == "csv":
        csv_write(n, path)
    elif kind in ("lab8", "lab200"):
        hill = hills(n)[1]
        (hill % 8 if kind == "lab8" else hill).astype(np.uint32).tofile(path)
    elif name == "d16":
        r = np.random.default_rng(4)
        centre = r.uniform(-10, 10, (64, 16))
        x = centre[r.integers(0, 64, n)] + r.standard_normal((n, 16)) * 2.0
        columns(np.rint(x * 1e6).astype(np.int32)).tofile(path)
    elif name == "reg20":
        x, y, label = regressors(n)
        columns(np.c_[x, y if kind == "y" else label]).tofile(path)
    else:
        columns(degrees(places(name, n))).tofile(path)


def need(folder, file):
    """The path of a file of the folder, made if it is not there."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, file)
    if not os.path.exists(path):
        make(file, path + ".part")
        os.rename(path + ".part", path)
    return path


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        print(need(sys.argv[1], wanted))
