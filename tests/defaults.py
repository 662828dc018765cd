#!/usr/bin/env python3
"""Prints the scores of default options on each shipped table, beside the column "MLP, plain" of datasets/README.md.

    cargo build --release && python3 tests/defaults.py [OPTION…]

Mean and standard deviation over `--seed 0..9 --test 0.25`; further options are passed to `gradlane train`. A row fails if
its mean is worse than the reference by more than one percentage point of accuracy and by more than twice the standard error
of the difference; diabetes fails if its RMSE is above 60. Exits with 1 if a row fails.
"""
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = range(10)
# Accuracy of "MLP, plain": mean and standard deviation over ten splits.
REFERENCE = {
    "iris": (0.937, 0.038),
    "wine": (0.984, 0.017),
    "breast_cancer": (0.971, 0.008),
    "digits": (0.976, 0.004),
    "penguins": (0.985, 0.012),
    "credit": (0.800, 0.012),
}
MOST_RMSE = 60.0


def figures(name, metric, options):
    """The metric on the test part for each seed."""
    found = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            command = [ROOT / "target/release/gradlane", "train", ROOT / f"datasets/{name}.csv", "--test", "0.25"]
            command += ["--seed", str(seed), "--json", "--quiet", "--out", folder, *options]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(run.stdout)["test"][metric])
    return found


def main():
    options = sys.argv[1:]
    failed = False
    print(f"{'data':<15}{'metric':<10}{'mean':>8}{'sd':>8}{'plain':>8}{'at least':>10}")
    for name, (mean, deviation) in REFERENCE.items():
        found = figures(name, "accuracy", options)
        ours, spread = statistics.mean(found), statistics.stdev(found)
        error = math.sqrt((spread**2 + deviation**2) / len(found))
        least = mean - max(0.01, 2 * error)
        failed |= ours < least
        mark = "" if ours >= least else "  FAILED"
        print(f"{name:<15}{'accuracy':<10}{ours:>8.4f}{spread:>8.4f}{mean:>8.3f}{least:>10.4f}{mark}", flush=True)
    found = figures("diabetes", "rmse", options)
    ours, spread = statistics.mean(found), statistics.stdev(found)
    failed |= ours > MOST_RMSE
    mark = "" if ours <= MOST_RMSE else "  FAILED"
    print(f"{'diabetes':<15}{'rmse':<10}{ours:>8.2f}{spread:>8.2f}{'':>8}{'60 or less':>10}{mark}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
