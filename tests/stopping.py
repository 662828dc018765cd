#!/usr/bin/env python3
"""Measures the rule for early stopping: `stopping.py GRADLANE TABLE.csv[:LABEL]…`.

Trains each table with five seeds, once in full (--patience none) and once by the default rule of `train`, on the same split
for each seed (a quarter is the test part). Prints the mean test score with its standard deviation over the seeds, and the share
of optimizer steps that were made. It counts steps, not seconds, so other processes do not matter. A rule is good if no mean
falls by more than the standard deviation of the full runs, and half of the steps are saved on average.
"""

import json
import os
import subprocess
import sys
import tempfile
from statistics import geometric_mean, mean, stdev

SEEDS = range(5)


def run(program, table, label, seed, patience):
    with tempfile.TemporaryDirectory() as place:
        flags = ["-q", "--json", "--test", "0.25", "--seed", str(seed), "--patience", patience, "-o", "run"]
        flags += ["--label", label] if label else []
        answer = subprocess.run([program, "train", table, *flags], cwd=place, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{table}: {answer.stderr}")
    summary = json.loads(answer.stdout)
    test = summary["test"]
    return test.get("accuracy", test.get("r2")), test["loss"], summary["steps"], summary["epochs"]


def main():
    program, tables = os.path.abspath(sys.argv[1]), [os.path.abspath(path) for path in sys.argv[2:]]
    tables = [table.partition(".csv:") for table in tables]
    print(f"{'table':24} {'full':>18} {'by itself':>18} {'change/sd':>9} {'loss':>15} {'epochs':>11} {'steps':>6}")
    shares, falls = [], []
    for stem, cut, label in tables:
        table = stem + ".csv" if cut else stem
        full, early = ([run(program, table, label, seed, patience) for seed in SEEDS] for patience in ("none", "auto"))
        (a, b), (da, db) = ([f([r[0] for r in runs]) for runs in (full, early)] for f in (mean, stdev))
        share = mean(r[2] for r in early) / mean(r[2] for r in full)
        shares.append(share)
        fall = (b - a) / max(da, 1e-12)
        falls.append(fall)
        losses = "/".join(f"{mean(r[1] for r in runs):.4f}" for runs in (full, early))
        epochs = "/".join(f"{mean(r[3] for r in runs):.0f}" for runs in (full, early))
        name = "/".join(table.split(os.sep)[-2:])
        print(f"{name:24} {a:9.4f} ±{da:7.4f} {b:9.4f} ±{db:7.4f} {fall:9.2f} {losses:>15} {epochs:>11} {share:6.2f}", flush=True)
    print(f"worst change {min(falls):.2f} sd; steps: mean {mean(shares):.2f}, geometric {geometric_mean(shares):.2f} of full")


main()
