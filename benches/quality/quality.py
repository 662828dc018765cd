#!/usr/bin/env python3
"""Train gradlane on the public tables of tables.py and compare its quality with that of its peers.

usage: quality.py TABLES_DIR [--program PATH] [--name NAME] [--seeds N] [--only TABLE...] [--peers FILE...] [--again] [-- OPTIONS]

OPTIONS are passed to `gradlane train`. Test files are not used in training; they are predicted afterwards. Results are kept in
TABLES_DIR/results/NAME.jsonl, with the loss of each test row in TABLES_DIR/results/NAME/. They are computed again only with
--again. Peers are the lines of references.jsonl in this folder, and of the files given by --peers, which peers.py writes.

A tie is a difference within two standard errors. The variance of the difference is that of a paired bootstrap over the test rows
plus that over seeds. If the losses of a peer's rows are not available (references.jsonl), gradlane's own bootstrap error times √2
is used, and the result is marked with ~. Needs numpy and pandas.
"""
import argparse
import collections
import csv
import io
import json
import math
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent
RESAMPLES = 400
# Judged figures for classes and for numbers: the name, and whether higher is better.
JUDGES = {"score": (("accuracy", True), ("r2", True)), "loss": (("log_loss", False), ("rmse", False))}


def rows_of_classes(probabilities, predicted, truth):
    """The losses of each row: whether the prediction is wrong, and −ln p of the true class. peers.py stores the same."""
    true = np.clip(probabilities, 1e-15, 1)
    return dict(wrong=(predicted != truth).astype(float), surprise=-np.log(true))


def figures(rows, regression, truth):
    """The figures computed from the losses of rows."""
    if regression:
        squared = rows["squared"]
        return dict(r2=1 - squared.sum() / ((truth - truth.mean()) ** 2).sum(), rmse=squared.mean() ** 0.5)
    return dict(accuracy=1 - rows["wrong"].mean(), log_loss=rows["surprise"].mean())


def one_spelling(name):
    """The name of a class without differences that gradlane ignores: blanks around it, and 1.0 for 1."""
    name = name.strip()
    try:
        return repr(float(name))
    except ValueError:
        return name


def train_and_predict(program, folder, entry, seed, options):
    """Trains and predicts. Returns the seconds of training, and the losses of the test rows."""
    run = folder / f"run-{seed}"
    train = [program, "train", str(folder / "train.csv"), "--label", entry["target"], "--task", entry["task"]]
    began = time.time()
    subprocess.run([*train, "--seed", str(seed), "-o", str(run), "--overwrite", "-q", *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.time() - began
    predict = [program, "predict", str(run), str(folder / "test.csv"), "--proba"]
    text = subprocess.run(predict, check=True, capture_output=True, text=True).stdout
    said = list(csv.DictReader(io.StringIO(text)))
    if entry["task"] == "regression":
        truth = pd.read_csv(folder / "test.csv")[entry["target"]].to_numpy(float)
        return seconds, dict(squared=(np.array([float(row["prediction"]) for row in said]) - truth) ** 2)
    with open(folder / "test.csv", newline="", encoding="utf-8") as file:
        truth = [one_spelling(row[entry["target"]]) for row in csv.DictReader(file)]
    names = {one_spelling(name.removeprefix("proba_")): name for name in said[0] if name.startswith("proba_")}
    true = np.array([float(row[names[value]]) if value in names else 0.0 for row, value in zip(said, truth)])
    return seconds, rows_of_classes(true, np.array([one_spelling(row["prediction"]) for row in said]), np.array(truth))


def truth_of(folder, entry):
    return pd.read_csv(folder / "test.csv")[entry["target"]].to_numpy(float) if entry["task"] == "regression" else None


def own_results(options, index, tables):
    """{table: {seed: record}}. Missing records are computed."""
    results = tables / "results"
    (results / options.name).mkdir(parents=True, exist_ok=True)
    file, found = results / f"{options.name}.jsonl", collections.defaultdict(dict)
    if options.again:
        file.unlink(missing_ok=True)
    for line in file.read_text().splitlines() if file.exists() else []:
        record = json.loads(line)
        if record["options"] != options.options:
            sys.exit(f"{file}: made with other options, {record['options']}: give another --name, or --again")
        found[record["table"]][record["seed"]] = record
    for table, entry in index.items():
        for seed in range(options.seeds):
            if seed in found[table]:
                continue
            try:
                seconds, rows = train_and_predict(options.program, tables / table, entry, seed, options.options)
            except subprocess.CalledProcessError as error:
                sys.exit(f"{table}, seed {seed}: {' '.join(error.cmd)}\n{error.stderr}")
            np.savez_compressed(results / options.name / f"{table}-{seed}.npz", **rows)
            values = figures(rows, entry["task"] == "regression", truth_of(tables / table, entry))
            values = {name: round(float(value), 5) for name, value in values.items()}
            record = dict(table=table, model=options.name, seed=seed, options=options.options, seconds=round(seconds, 2), **values)
            found[table][seed] = record
            with open(file, "a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")
            print(f"{table} seed {seed}: {values} in {seconds:.1f} s", file=sys.stderr, flush=True)
    return found


def peers_of(files):
    """{(model, judge): {table: [record]}}. A record without a judge counts for both. If several files have a model on a
    table, the first one is used."""
    found, source = collections.defaultdict(lambda: collections.defaultdict(list)), {}
    for file in files:
        for line in pathlib.Path(file).read_text().splitlines():
            record = json.loads(line)
            if "error" in record:
                continue
            record["rows_in"] = pathlib.Path(file).with_suffix("")
            for judge in [record["judge"]] if "judge" in record else JUDGES:
                place = record["model"], judge, record["table"]
                if source.setdefault(place, file) == file:
                    found[record["model"], judge][record["table"]].append(record)
    return found


def row_losses(folder, record, judge):
    """The losses of the test rows of one run from which a figure is computed; None if they were not stored."""
    name = f"{record['table']}-{record['seed']}" if "seed" in record else ""
    name += f"-{record['judge']}" if "judge" in record else ""
    path = folder / f"{name}.npz"
    if not name or not path.exists():
        return None
    rows = np.load(path)
    return rows["squared"] if "squared" in rows else rows["wrong" if judge == "score" else "surprise"]


def spread(records, name):
    """Variance of the mean over seeds."""
    values = [record[name] for record in records]
    return statistics.variance(values) / len(values) if len(values) > 1 else 0.0


def statistic(losses, weights, judge, regression, variance):
    """The figure computed from losses, for each line of row weights."""
    mean = weights @ losses / weights.sum(axis=1)
    if not regression:
        return 1 - mean if judge == "score" else mean
    return 1 - mean / variance if judge == "score" else np.sqrt(mean)


def standard_error(own, peer, judge, regression, variance):
    """The standard error of own − peer by a paired bootstrap over rows. If the peer has no rows, that of own times √2."""
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=RESAMPLES).astype(np.float32)
    values = statistic(own, weights, judge, regression, variance)
    if peer is None:
        return float(values.std()) * math.sqrt(2)
    return float((values - statistic(peer, weights, judge, regression, variance)).std())


def compare(options, index, tables, own, peers, judge):
    """The models, the lines of the table of one judge, the pairs {model: [wins, ties, losses, marked]}, and the ranks."""
    lines, pairs, ranks = [], collections.defaultdict(lambda: [0, 0, 0, 0]), []
    models = sorted({model for model, of in peers if of == judge})
    for table, entry in index.items():
        regression = entry["task"] == "regression"
        name, higher = JUDGES[judge][regression]
        records = [own[table][seed] for seed in range(options.seeds)]
        mean = statistics.fmean(record[name] for record in records)
        mine = np.mean([row_losses(tables / "results" / options.name, {"table": table, "seed": r["seed"]}, judge) for r in records], axis=0)
        truth = truth_of(tables / table, entry)
        variance = truth.var() if regression else None
        means = {options.name: mean}
        for model in models:
            theirs = peers[model, judge].get(table, [])
            if not theirs:
                continue
            means[model] = statistics.fmean(record[name] for record in theirs)
            rows = [row_losses(record["rows_in"], record, judge) for record in theirs]
            other = None if any(r is None for r in rows) else np.mean(rows, axis=0)
            error = standard_error(mine, other, judge, regression, variance)
            error = math.sqrt(error**2 + spread(records, name) + spread(theirs, name))
            ahead = (mean - means[model]) * (1 if higher else -1)
            outcome = 1 if abs(ahead) <= 2 * error else 0 if ahead > 0 else 2
            pairs[model][outcome] += 1
            pairs[model][3] += other is None
        order = sorted(means, key=lambda model: means[model], reverse=higher)
        rank = order.index(options.name) + 1
        if len(means) > 1:
            ranks.append(rank)
        seconds = statistics.fmean(record["seconds"] for record in records)
        cells = [f"{means[model]:.4f}" if model in means else "" for model in models]
        lines.append([table, str(entry["rows_train"]), name, f"{mean:.4f}", f"{seconds:.1f}", f"{rank} of {len(means)}", *cells])
    return models, lines, pairs, ranks


def show(options, index, tables, own, peers):
    for judge in JUDGES:
        models, lines, pairs, ranks = compare(options, index, tables, own, peers, judge)
        header = ["table", "rows", judge, options.name, "seconds", "rank", *models]
        print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        for line in lines:
            print("| " + " | ".join(line) + " |")
        if ranks:
            print(f"\nmean rank by {judge}: {statistics.fmean(ranks):.2f} over {len(ranks)} tables")
        for model in models:
            wins, ties, losses, marked = pairs[model]
            mark = f" (~ {marked} without the peer's rows)" if marked else ""
            print(f"against {model} by {judge}: {wins} wins, {ties} ties, {losses} losses{mark}")


def main():
    words = sys.argv[1:]
    own_words, train_options = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("tables", type=pathlib.Path)
    parser.add_argument("--program", default=str(HERE.parents[1] / "target/release/gradlane"))
    parser.add_argument("--name", default="gradlane")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--peers", nargs="+", type=pathlib.Path, default=[])
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args(own_words)
    options.options = train_options
    index = json.loads((options.tables / "index.json").read_text())
    unknown = set(options.only or []) - set(index)
    if unknown:
        sys.exit(f"--only {' '.join(sorted(unknown))}: no such table; there are {' '.join(sorted(index))}")
    index = {table: entry for table, entry in sorted(index.items()) if not options.only or table in options.only}
    own = own_results(options, index, options.tables)
    show(options, index, options.tables, own, peers_of([*options.peers, HERE / "references.jsonl"]))


if __name__ == "__main__":
    main()
