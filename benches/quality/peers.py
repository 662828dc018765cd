#!/usr/bin/env python3
"""Train a peer on the tables of tables.py, and store its figures and the loss of each test row.

usage: peers.py TABLES_DIR MODEL [--judge score|loss] [--seeds 5] [--only TABLE...] [--threads 2]
       MODEL: realmlp, tabm, lgbm, catboost, xgboost (pytabkit's defaults)
              catboost-bag (pytabkit's default CatBoost, averaged over the models of eight folds)
              tabm-mini (the package tabm, with TabArena's recipe)

Writes TABLES_DIR/peers/MODEL.jsonl, with a line for each table, seed and judge, and the rows to TABLES_DIR/peers/MODEL/.
quality.py reads both. Existing results are not computed again. Runs on the CPU.

- Boosting libraries get missing values and levels that did not occur in training as missing values. Networks get the mean and an
  indicator for a missing number, a separate category for a missing level, and a missing value for an unseen level.
- A peer chooses its epoch or its number of trees by the judged figure: --judge score by the error rate (RMSE for regressions),
  --judge loss by the log-loss. RealMLP smooths labels only in the first case, as its authors advise.
- tabm-mini is in tabm_mini.py. It has a validation part of 20 %, as pytabkit's networks have.

Environment: pip install -r requirements-peers.txt
"""
import argparse
import json
import os
import pathlib
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd

PYTABKIT = {"realmlp": "RealMLP_TD", "tabm": "TabM_D", "lgbm": "LGBM_TD", "catboost": "CatBoost_TD", "xgboost": "XGB_TD"}
PYTABKIT["catboost-bag"] = PYTABKIT["catboost"]
NETWORKS = {"realmlp", "tabm", "tabm-mini"}
MISSING = "(missing)"


def frames(folder, entry, network):
    """Inputs and targets of both parts. Numbers are floats, with NaN for missing values. Text becomes categories."""
    train, test = (pd.read_csv(folder / f"{part}.csv") for part in ("train", "test"))
    y = [frame.pop(entry["target"]) for frame in (train, test)]
    for name in list(train.columns):
        numbers = pd.api.types.is_numeric_dtype(train[name]) and pd.api.types.is_numeric_dtype(test[name])
        if numbers:
            train[name], test[name] = train[name].astype(float), test[name].astype(float)
            if network and (train[name].isna().any() or test[name].isna().any()):
                mean = train[name].mean()
                for frame in (train, test):
                    frame[f"{name} is missing"] = pd.Categorical(frame[name].isna().map({True: "yes", False: "no"}), ["no", "yes"])
                    frame[name] = frame[name].fillna(mean)
            continue
        text = [frame[name].astype(str).where(frame[name].notna(), MISSING if network else None) for frame in (train, test)]
        levels = sorted(set(text[0].dropna()))
        # Levels that did not occur in training get no code, so they are missing values.
        train[name], test[name] = (pd.Categorical(column, levels) for column in text)
    return train, y[0], test, y[1]


def new(model, judge, regression, seed, threads):
    if model == "tabm-mini":
        import tabm_mini

        return tabm_mini.TabMMini(regression, judge, seed, threads)
    import pytabkit

    cls = getattr(pytabkit, PYTABKIT[model] + ("_Regressor" if regression else "_Classifier"))
    options = dict(random_state=seed, n_threads=threads)
    if model == "catboost-bag":
        options.update(n_cv=8, n_refit=0)
    if model in NETWORKS:
        options["device"] = "cpu"
    if not regression:
        options["val_metric_name"] = "class_error" if judge == "score" else "cross_entropy"
        if model == "realmlp" and judge == "loss":
            options["use_ls"] = False
    return cls(**options)


def losses(model, x, y_test, regression):
    """The loss of each row, in the form of quality.py."""
    if regression:
        return dict(squared=(np.asarray(model.predict(x)).ravel() - y_test.to_numpy()) ** 2)
    probabilities, column = model.predict_proba(x), {name: at for at, name in enumerate(model.classes_)}
    true = np.array([probabilities[at, column[name]] if name in column else 0.0 for at, name in enumerate(y_test)])
    predicted = np.asarray(model.classes_)[probabilities.argmax(axis=1)]
    return dict(wrong=(predicted != y_test.to_numpy()).astype(float), surprise=-np.log(np.clip(true, 1e-15, 1)))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("tables", type=pathlib.Path)
    parser.add_argument("model", choices=[*PYTABKIT, "tabm-mini"])
    parser.add_argument("--judge", choices=["score", "loss"], default="score")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    folder = options.tables / "peers"
    (folder / options.model).mkdir(parents=True, exist_ok=True)
    file = folder / f"{options.model}.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    known = {(line["table"], line["seed"], line["judge"]) for line in lines if "error" not in line}
    for table, entry in sorted(json.loads((options.tables / "index.json").read_text()).items()):
        if options.only and table not in options.only:
            continue
        x, y, x_test, y_test = frames(options.tables / table, entry, options.model in NETWORKS)
        regression = entry["task"] == "regression"
        y, y_test = (of.astype(float if regression else str) for of in (y, y_test))
        for seed in range(options.seeds):
            if (table, seed, options.judge) in known:
                continue
            record = dict(table=table, model=options.model, seed=seed, judge=options.judge, rows=len(x))
            began = time.time()
            try:
                model = new(options.model, options.judge, regression, seed, options.threads).fit(x, y)
                record["seconds"] = round(time.time() - began, 1)
                if hasattr(model, "record"):
                    record.update(model.record)
                rows = losses(model, x_test, y_test, regression)
            except Exception as error:  # a failure on one table is recorded; the other tables are still run
                record["error"] = repr(error)[:300]
                rows = None
            if rows is not None:
                np.savez_compressed(folder / options.model / f"{table}-{seed}-{options.judge}.npz", **rows)
                if regression:
                    variance = float(((y_test - y_test.mean()) ** 2).sum())
                    figures = dict(r2=1 - rows["squared"].sum() / variance, rmse=rows["squared"].mean() ** 0.5)
                else:
                    figures = dict(accuracy=1 - rows["wrong"].mean(), log_loss=rows["surprise"].mean())
                record.update({name: round(float(value), 5) for name, value in figures.items()})
            with open(file, "a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
