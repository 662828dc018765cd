#!/usr/bin/env python3
"""Seconds an epoch of the recipes for tables, beside the packages of their authors, in turn and on as many threads.

usage: tabular.py [--program PATH] [--rounds 3] [--rows 5000 20000] [--columns 10] [--only realmlp tabm]

RealMLP: pytabkit's RealMLP_TD_Classifier, and `--preset realmlp`: 3 × 256 units, waves, batch 256. TabM: the package tabm with
piecewise-linear embeddings (48 bins, 16 features), 32 members of 2 × 512 units for `tabm` and 3 × 512 for `tabm-mini`, batch 256, AdamW,
gradients clipped, and the preset of the same name with `--batch 256`. Tables are made here: normal numbers, two classes.

The time of an epoch is that of a run of 2E epochs less that of a run of E, divided by E, so that reading, preparing and starting do
not count; both sides predict a validation part of a tenth after each epoch. Every round runs every program once; medians are shown,
with the least and the most. Run it with nothing else at work. Needs numpy, pandas, torch, pytabkit, tabm and rtdl_num_embeddings.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import warnings

THREADS = len(os.sched_getaffinity(0))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "target/release/gradlane"
EPOCHS = {"realmlp": 8, "tabm": 1, "tabm-mini": 1}


def table(rows, columns):
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, columns))
    y = (np.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2] + 0.5 * rng.normal(size=rows) > 0).astype(int)
    frame = pd.DataFrame(x, columns=[f"x{n}" for n in range(columns)])
    frame["label"] = y
    return frame


def gradlane(options, folder, recipe, epochs):
    train = [options.program, "train", folder / "table.csv", "--preset", recipe, "--epochs", str(epochs), "--patience", "none"]
    out = subprocess.run(
        [*train, "--batch", "256", "--quiet", "--json", "--overwrite", "--out", folder / "run"],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(out.stdout)["seconds"]


def pytabkit(frame, epochs):
    from pytabkit import RealMLP_TD_Classifier

    valid = np.arange(len(frame)) >= len(frame) - len(frame) // 10
    model = RealMLP_TD_Classifier(device="cpu", n_epochs=epochs, n_threads=THREADS, random_state=0, verbosity=0)
    began = time.perf_counter()
    model.fit(frame.drop(columns="label"), frame["label"], val_idxs=np.flatnonzero(valid))
    return time.perf_counter() - began


def tabm(frame, recipe, epochs):
    import rtdl_num_embeddings
    import torch
    from tabm import TabM

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    x = torch.tensor(frame.drop(columns="label").to_numpy(np.float32))
    y = torch.tensor(frame["label"].to_numpy())
    split = len(x) - len(x) // 10
    bins = rtdl_num_embeddings.compute_bins(x[:split], n_bins=48)
    embeddings = rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, d_embedding=16, activation=False, version="B")
    blocks = 2 if recipe == "tabm" else 3
    model = TabM.make(
        n_num_features=x.shape[1], num_embeddings=embeddings, d_out=2, n_blocks=blocks, d_block=512, dropout=0.1, k=32, arch_type=recipe
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002, weight_decay=0.0003)
    began = time.perf_counter()
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(split).split(256):
            optimizer.zero_grad()
            z = model(x[rows])
            torch.nn.functional.cross_entropy(z.flatten(0, 1), y[rows].repeat_interleave(32)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            torch.cat([model(part).softmax(-1).mean(1) for part in x[split:].split(1024)])
    return time.perf_counter() - began


def epoch_seconds(run, epochs):
    """Seconds of an epoch: the difference between runs of `2 * epochs` and of `epochs`, divided by `epochs`."""
    few, many = run(epochs), run(2 * epochs)
    return (many - few) / epochs


def spread(times):
    return f"{statistics.median(times):.4f} ({min(times):.4f} to {max(times):.4f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=list(EPOCHS), choices=list(EPOCHS))
    options = parser.parse_args()
    print(f"Seconds an epoch, {THREADS} threads, median of {options.rounds} rounds (least to most)\n")
    print("| recipe | rows | columns | gradlane | package | ratio |\n|---|---|---|---|---|---|")
    for recipe in options.only:
        for rows in options.rows:
            frame = table(rows, options.columns)
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                frame.to_csv(folder / "table.csv", index=False)
                own, theirs = [], []
                for _ in range(options.rounds):
                    own.append(epoch_seconds(lambda epochs: gradlane(options, folder, recipe, epochs), EPOCHS[recipe]))
                    peer = pytabkit if recipe == "realmlp" else lambda frame, epochs: tabm(frame, recipe, epochs)
                    theirs.append(epoch_seconds(lambda epochs: peer(frame, epochs), EPOCHS[recipe]))
            ratio = statistics.median(theirs) / statistics.median(own)
            print(f"| {recipe} | {rows} | {options.columns} | {spread(own)} | {spread(theirs)} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
