#!/usr/bin/python3
"""One operation of a peer, on a file of bench/data.py; one line of JSON as our own programs print, with the same answer.
    bench/peers.py OPERATION NAME=VALUE ...     wants python3-sklearn, python3-xgboost, python3-pandas (tools/packages.txt)
The caller pins the process and sets OMP_NUM_THREADS and the like. Loading the file is not timed. An iteration of k-means is
(t(rounds) - t(1)) / (rounds - 1) from rows 0, n / k, 2 n / k, .. as start, so what comes before and after drops out."""
import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
option = dict(word.split("=", 1) for word in sys.argv[2:])
number = {k: int(v) for k, v in option.items() if v.lstrip("-").isdigit()}


def columns(kind):
    n, d = number["n"], number["d"]
    return np.fromfile(option["file"], kind, n * d).reshape(d, n)


def points():
    """Rows of what the file has as int32, in degrees or the like."""
    bits = np.float32 if option.get("bits") == "32" else np.float64
    return np.ascontiguousarray((columns(np.int32).T / float(option.get("unit", 1e7))).astype(bits))


def timed(work, repeat=1):
    """Least CPU and wall seconds, and what came of it."""
    cpu = wall = float("inf")
    for _ in range(repeat):
        c, w = time.process_time(), time.perf_counter()
        result = work()
        cpu, wall = min(cpu, time.process_time() - c), min(wall, time.perf_counter() - w)
    return cpu, wall, result


def start(x):
    k = number["k"]
    return x[np.arange(k) * (len(x) // k)].copy()


def centroids_answer(centroids, inertia):
    """In the file's units: inertia, and the weighted sum that num_kmeans prints."""
    unit = float(option.get("unit", 1e7))
    c = np.asarray(centroids, float) * unit
    return [float(inertia) * unit ** 2, float((c.ravel() * (np.arange(c.size) % 7 + 1)).sum())]


def kmeans_run(x, rounds, tol=0.0):
    from sklearn.cluster import KMeans
    return KMeans(number["k"], init=start(x), n_init=1, max_iter=rounds, tol=tol, algorithm="lloyd").fit(x)


def kmeans_iteration():
    x, rounds = points(), number.get("rounds", 6)
    c1, w1, _ = timed(lambda: kmeans_run(x, 1), 3)
    c, w, m = timed(lambda: kmeans_run(x, rounds), 2)
    return (c - c1) / (m.n_iter_ - 1), (w - w1) / (m.n_iter_ - 1), centroids_answer(m.cluster_centers_, m.inertia_)


def kmeans_fit():
    """From the same start to where no label changes, as ours; or from k-means++, with seeds= so many seeds: median times and inertia."""
    from sklearn.cluster import KMeans
    x = points()
    if "seeds" in number:
        fits = [timed(lambda: KMeans(number["k"], n_init=1, random_state=seed).fit(x)) for seed in range(number["seeds"])]  # noqa: B023
        return [float(np.median(times)) for times in list(zip(*fits))[:2]] + [[float(np.median([m.inertia_ for _, _, m in fits])) * 1e14]]
    else:
        cpu, wall, m = timed(lambda: kmeans_run(x, 10000))
    return cpu, wall, centroids_answer(m.cluster_centers_, m.inertia_)


def labels():
    return np.fromfile(option["labels"], np.uint32, number["n"])


def bayes():
    """Fit, or predict after a fit that is not timed. of=: as many rows are predicted at once as memory takes; the rest is in proportion."""
    from sklearn.naive_bayes import GaussianNB
    x, y = points(), labels()
    cpu, wall, model = timed(lambda: GaussianNB().fit(x, y))
    if sys.argv[1] == "bayes_fit":
        return cpu, wall, [float(model.theta_.sum()), float(np.log(model.var_).sum()), float(model.class_prior_[0])]
    n = number.get("of", len(x))
    cpu, wall, found = timed(lambda: model.predict(x[:n]))
    return cpu * len(x) / n, wall * len(x) / n, [float((found == y[:n]).mean())]


def regressors():
    """Of d columns and the target behind them."""
    n, d = number["n"], number["d"]
    c = np.fromfile(option["file"], np.float64, n * (d + 1)).reshape(d + 1, n)
    return np.ascontiguousarray(c[:-1].T), np.ascontiguousarray(c[-1])


def ridge():
    from sklearn.linear_model import Ridge
    x, y = regressors()
    cpu, wall, m = timed(lambda: Ridge(alpha=1.0).fit(x, y))
    return cpu, wall, [float(m.intercept_), *map(float, m.coef_)]


def objective(x, y, w, b):
    """What scikit-learn minimises with C = 1: the sum of the losses, and half the square of the weights."""
    z = x @ w + b
    return float(np.logaddexp(0, np.where(y > 0.5, -z, z)).sum() + 0.5 * w @ w)


def logistic():
    from sklearn.linear_model import LogisticRegression
    x, y = regressors()
    cpu, wall, m = timed(lambda: LogisticRegression(solver="lbfgs", C=1.0, tol=float(option.get("tol", 1e-4)), max_iter=1000).fit(x, y > 0.5))
    return cpu, wall, [objective(x, y, m.coef_[0], m.intercept_[0]), float(m.intercept_[0]), *map(float, m.coef_[0])]


def trees_answer(y, score):
    """Accuracy and log loss."""
    return [float(((score > 0) == (y > 0.5)).mean()), float(np.logaddexp(0, np.where(y > 0.5, -score, score)).mean())]


def xgboost():
    """Training with the making of the bins, as ours; and prediction."""
    import xgboost as xgb
    x, y = regressors()
    threads, bins = number.get("threads", 1), number.get("bins", 256)
    options = dict(objective="binary:logistic", tree_method="hist", max_depth=number.get("depth", 6), eta=0.1, max_bin=bins, nthread=threads)
    cpu, wall, m = timed(lambda: xgb.train(options, xgb.QuantileDMatrix(x, y, max_bin=bins, nthread=threads), number.get("rounds", 100)))
    c, w, score = timed(lambda: m.inplace_predict(x, predict_type="margin"))
    if sys.argv[1] == "xgboost_predict":
        cpu, wall = c, w
    return cpu, wall, trees_answer(y, score)


def histgb():
    from sklearn.ensemble import HistGradientBoostingClassifier
    x, y = regressors()
    depth = number.get("depth", 6)
    model = HistGradientBoostingClassifier(max_iter=number.get("rounds", 100), max_depth=depth, max_leaf_nodes=2 ** depth, learning_rate=0.1,
                                           early_stopping=False, max_bins=255)
    cpu, wall, m = timed(lambda: model.fit(x, y > 0.5))
    c, w, score = timed(lambda: m.decision_function(x))
    if sys.argv[1] == "histgb_predict":
        cpu, wall = c, w
    return cpu, wall, trees_answer(y, score)


def csv():
    import pandas
    cpu, wall, t = timed(lambda: pandas.read_csv(option["file"]), 3)
    return cpu, wall, [len(t), float(t["latitude"].sum()), float(t["longitude"].sum())]


def column():
    return np.fromfile(option["file"], np.float64, number["n"])


def moments():
    from scipy.stats import describe
    x = column()
    cpu, wall, m = timed(lambda: describe(x, ddof=0), 3)
    return cpu, wall, [m.mean, m.variance, m.skewness, m.kurtosis, *m.minmax]


def quantiles():
    x = column()
    cpu, wall, q = timed(lambda: np.quantile(x, [0.01, 0.25, 0.5, 0.75, 0.99]), 3)
    return cpu, wall, q.tolist()


def histogram():
    x = column()
    cpu, wall, (counts, _) = timed(lambda: np.histogram(x, np.arange(65) / 8 - 4), 3)
    return cpu, wall, counts.tolist()


def screen():
    from scipy.stats import median_abs_deviation
    x = np.abs(column())

    def flagged():
        middle, sd = np.median(x), 1.4826 * median_abs_deviation(x)
        return [middle, sd, float((x > middle + 3 * sd).sum())]
    return timed(flagged, 3)


OPERATIONS = {"kmeans_iteration": kmeans_iteration, "kmeans_fit": kmeans_fit, "bayes_fit": bayes, "bayes_predict": bayes, "ridge": ridge,
              "logistic": logistic, "moments": moments, "quantiles": quantiles, "histogram": histogram, "screen": screen, "xgboost": xgboost,
              "xgboost_predict": xgboost, "histgb": histgb, "histgb_predict": histgb, "csv": csv}


def main():
    cpu, wall, answer = OPERATIONS[sys.argv[1]]()
    print(json.dumps({"op": sys.argv[1], "n": number.get("n"), "seconds_cpu": cpu, "seconds_wall": wall, "answer": answer}))


if __name__ == "__main__":
    main()
