#!/usr/bin/env python3
"""Exports models of every kind and compares their predictions with `gradlane predict`: `export.py GRADLANE [CASE…]`.

ONNX is run by ONNX Runtime, JSON by the predictor in `json_model.py`, C after compilation by `cc`. The rows are those of training
and unusual ones: missing cells, unseen levels, other spellings, numbers far outside the range. The predicted class must be the same;
if two classes are within the tolerance of each other, either may be predicted. Probabilities must agree to 1e-5, numbers to 1e-5 of
their spread.
"""

import csv
import datetime
import glob
import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import json_model

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOLERANCE = 1e-5
SMALL = ["--epochs", "6", "-q"]
FAR = ["1e9", "-1e9", "123456.789"]


def shipped(name):
    return os.path.join(ROOT, "datasets", name + ".csv")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header] + rows)


def mixed(path, target):
    """A table with every kind of column."""
    rng = random.Random(7)
    day = datetime.date(2021, 1, 1)
    rows = []
    for n in range(400):
        x, z = rng.gauss(0, 1), rng.gauss(3, 2)
        date = day + datetime.timedelta(days=rng.randrange(900))
        moment = datetime.datetime(2023, 1, 1) + datetime.timedelta(minutes=rng.randrange(20000))
        colour = rng.choice(["Red", "dark blue", "grün", "NO"])
        flag = rng.choice(["true", "false"])
        price = f"${rng.randrange(1000, 90000) / 10:,.1f}"
        code = rng.choice([1, 2, 5, 10])
        score = x + 0.3 * z + (colour == "Red") - 0.5 * (flag == "true") + 0.1 * code + rng.gauss(0, 0.5)
        blank = lambda cell: "" if rng.random() < 0.08 else cell
        cells = [blank(f"{x:.4f}"), f"{z:.3f}", blank(date.isoformat()), moment.isoformat(sep=" ", timespec="minutes")]
        cells += [blank(colour), flag, price, blank(str(code)), str(round(abs(z)))]
        rows.append(cells + target(score, rng))
    return ["x", "z of all", "day", "moment", "colour", "flag", "price", "code", "count"], rows


TARGETS = {
    "binary": (["y"], lambda s, rng: ["yes" if s > 1 else "no"]),
    "codes": (["y"], lambda s, rng: [str(1 + int(min(max(s, 0), 3)))]),
    "words": (["y"], lambda s, rng: [["low", "mid", "high"][min(max(int(s), 0), 2)]]),
    "number": (["y"], lambda s, rng: [f"{1000 + 50 * s:.3f}"]),
    "counts": (["y"], lambda s, rng: [str(int(max(s, 0) * 2))]),
    "two": (["u", "v"], lambda s, rng: [f"{s:.4f}", f"{-3 * s * s:.4f}"]),
    "labels": (["a", "b"], lambda s, rng: [str(int(s > 1)), str(int(s < 2))]),
}

MIXED = ["--categorical", "code"]
# Layers that the options of networks do not use.
NETWORK = """
chain = [
    { kind = "branches", branches = [
        [{ kind = "ple", bins = 6, dim = 4, by = "tree" }, { kind = "linear", outputs = 12 }],
        [{ kind = "linear", outputs = 8, bias = false }, { kind = "prelu" }, { kind = "norm", norm = "rms" }],
        [],
    ] },
    { kind = "scale" },
    { kind = "expand", members = 3 },
    { kind = "adapter" },
    { kind = "skip", chain = [{ kind = "linear", outputs = 16 }, { kind = "mix", function = "silu", members = true }] },
    { kind = "skip", chain = [{ kind = "linear", outputs = 16, members = true }, { kind = "norm", norm = "layer" }] },
    { kind = "linear", outputs = "outputs", members = true },
]
"""
# Case: (data, or target in the mixed table; options).
CASES = {
    **{name: (shipped(name), SMALL) for name in
       ["breast_cancer", "credit", "diabetes", "digits", "iris", "penguins", "wine"]},
    **{name + "_plain": (shipped(name), ["--preset", "plain", *SMALL]) for name in ["credit", "diabetes", "iris", "penguins"]},
    "penguins_tabm": (shipped("penguins"), ["--preset", "tabm", "--hidden", "96,96", *SMALL]),
    "diabetes_tabm_mini": (shipped("diabetes"), ["--preset", "tabm-mini", "--hidden", "96,96", *SMALL]),
    "wine_ensemble": (shipped("wine"), ["--ensemble", "3", *SMALL]),
    "binary": ("binary", [*MIXED, *SMALL]),
    "binary_plain": ("binary", [*MIXED, "--preset", "plain", "--threshold", "0.4", *SMALL]),
    "binary_ensemble": ("binary", [*MIXED, "--preset", "plain", "--ensemble", "2", *SMALL]),
    "binary_tabm": ("binary", [*MIXED, "--preset", "tabm", "--hidden", "96,96", *SMALL]),
    "binary_numbers": ("binary", [*MIXED, "--preset", "plain", "--loss", "mse", *SMALL]),
    "binary_numbers_ensemble": ("binary", [*MIXED, "--preset", "plain", "--loss", "mse", "--ensemble", "2", *SMALL]),
    "codes": ("codes", [*MIXED, "--scale", "quantile", "--preset", "plain", *SMALL]),
    "codes_calibrated": ("codes", [*MIXED, "--preset", "plain", "--label-smoothing", "0.1", "--valid", "0.3", *SMALL]),
    "words": ("words", [*MIXED, "--scale", "robust_clip", "--hidden", "32,32", "--norm", "layer", "--residual", *SMALL]),
    "words_rms": ("words", [*MIXED, "--scale", "minmax", "--hidden", "32,24", "--norm", "rms", "--residual", *SMALL]),
    "words_numbers": ("words", [*MIXED, "--preset", "plain", "--loss", "mse", *SMALL]),
    "words_numbers_ensemble": ("words", [*MIXED, "--preset", "plain", "--loss", "mse", "--ensemble", "2", *SMALL]),
    "words_pieces": ("words", [*MIXED, "--preset", "plain", "--embed", "ple:bins=8,dim=6", "--category-embedding", "4", *SMALL]),
    "words_vectors": ("words", [*MIXED, "--preset", "plain", "--category-embedding", "4", "--embed-above", "2", *SMALL]),
    "words_vectors_members":
        ("words", [*MIXED, "--preset", "plain", "--category-embedding", "4", "--embed-above", "1", "--members", "tabm:3", *SMALL]),
    "words_waves": ("words", [*MIXED, "--preset", "plain", "--embed", "pbld", *SMALL]),
    "words_na": ("words", ["--preset", "plain", "--na", "NO,5,-999", *MIXED, *SMALL]),
    "words_binary_columns": ("words", ["--preset", "plain", "--binary-column", "--one-hot", "2", *MIXED, *SMALL]),
    "number": ("number", [*MIXED, "--clamp", *SMALL]),
    "number_ensemble": ("number", [*MIXED, "--preset", "plain", "--ensemble", "2", *SMALL]),
    "counts": ("counts", [*MIXED, "--preset", "plain", "--task", "regression", "--loss", "poisson", *SMALL]),
    "counts_tabm": ("counts", [*MIXED, "--preset", "plain", "--members", "tabm:3", "--task", "regression", "--loss", "poisson", *SMALL]),
    "two": ("two", [*MIXED, "--preset", "plain", "--label", "u", "--label", "v", "--task", "regression", *SMALL]),
    "labels": ("labels", [*MIXED, "--preset", "plain", "--label", "a", "--label", "b", "--task", "multilabel", *SMALL]),
    "labels_ensemble":
        ("labels", [*MIXED, "--preset", "plain", "--label", "a", "--label", "b", "--task", "multilabel", "--ensemble", "2", *SMALL]),
    **{"activation_" + name.replace(":", "_").replace("=", "_"): (shipped("iris"), ["--hidden", "16,8", "--activation", name, *SMALL])
       for name in ["identity", "relu", "leaky_relu:slope=0.2", "elu:alpha=0.5", "selu", "gelu", "gelu_tanh", "silu", "mish",
                    "softplus", "sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "relu6", "softsign"]},
    "network": ("words", [*MIXED, "--network", "net.toml", *SMALL]),
    "mnist": (os.path.join(ROOT, "datasets", "mnist"), ["--hidden", "32", "--epochs", "1", "-q"]),
}


def odd_rows(header, rows, columns):
    """Rows with one unusual cell each."""
    odd = []
    for at, name in enumerate(header):
        if name not in columns:
            continue
        column = columns[name]
        text = column["kind"] == "category" and "texts" in column["keys"]
        cells = [""]
        if text:
            level = column["keys"]["texts"][0][0] if column["keys"]["texts"] else "x"
            cells += ["never seen", level.upper(), level.lower(), level.capitalize(), *column["missing"][:2]]
        elif column.get("counts", "plain") == "plain":
            cells += FAR + [cell for cell in column["missing"] if is_number(cell)]
        for cell in cells:
            row = list(rows[len(odd) % len(rows)])
            row[at] = cell
            odd.append(row)
    return odd


def is_number(cell):
    try:
        float(cell)
        return True
    except ValueError:
        return False


def number_of(cell, column):
    """The value of a cell for a double input of ONNX or C."""
    cell = cell.strip()
    if cell == "" or (cell in column["missing"] and not is_number(cell)):
        return float("nan")
    counts = column.get("counts", "plain")
    if counts == "plain":
        return float(cell)
    if "pattern" in counts:
        moment = datetime.datetime.fromisoformat(cell) - datetime.datetime(1970, 1, 1)
        return float(moment.days if counts["unit"] == "days" else moment.total_seconds())
    return float(cell.replace("$", "").replace(",", ""))


def is_text(column):
    return column["kind"] == "category" and "texts" in column["keys"]


def is_text_in_onnx(column):
    """Whether the cells of a column are texts in ONNX: levels, and dates and numbers in a form of their own."""
    return is_text(column) or column.get("counts", "plain") != "plain"


def cells_of(model, header, rows, is_text=is_text):
    """The cells of each column in the form that exports read: texts or doubles."""
    cells = {}
    for column in model["rows"]["columns"]:
        at = header.index(column["name"])
        raw = [row[at] for row in rows]
        cells[column["name"]] = raw if is_text(column) else [number_of(cell, column) for cell in raw]
    return cells


def images(folder, part):
    path = os.path.join(folder, f"{part}-images-idx3-ubyte")
    with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
        _, count, high, wide = struct.unpack(">4I", file.read(16))
        return np.frombuffer(file.read(), np.uint8).reshape(count, high, wide)


def by_onnx(path, model, cells):
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    if "images" in model["rows"]:
        assert [i.name for i in session.get_inputs()] == ["image"]
        feed = {"image": cells}
    else:
        feed = {}
        for value, column in zip(session.get_inputs(), model["rows"]["columns"]):
            wanted = "tensor(string)" if is_text_in_onnx(column) else "tensor(double)"
            assert (value.name, value.type, value.shape) == (column["name"], wanted, ["N", 1]), value
            kind = object if is_text_in_onnx(column) else np.float64
            feed[value.name] = np.array(cells[column["name"]], kind).reshape(-1, 1)
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed)))
    rows = len(next(iter(feed.values())))
    assert all(len(value) == rows for value in found.values())
    if "prediction" in found:
        return None, found["prediction"].reshape(rows, -1)
    label, p = found["label"], found["probabilities"]
    assert p.dtype == np.float32 and p.ndim == 2
    said = [[str(word) for word in np.atleast_1d(row)] for row in label]
    return said, p


def by_c(folder, path, model, cells):
    program = os.path.join(folder, "program")
    strict = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsanitize=address,undefined", "-DGRADLANE_MAIN"]
    subprocess.run(["cc", *strict, "-o", program, path, "-lm"], check=True)
    if "images" in model["rows"]:
        lines = "\n".join("\t".join(str(byte) for byte in image.reshape(-1)) for image in cells)
    else:
        columns = [cells[column["name"]] for column in model["rows"]["columns"]]
        text = lambda cell: cell if isinstance(cell, str) else "" if cell != cell else repr(cell)
        lines = "\n".join("\t".join(text(cell) for cell in row) for row in zip(*columns))
    out = subprocess.run([program], input=lines + "\n", capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    target = model["head"]["target"]
    if target["task"] == "regression":
        return None, np.array(rows, float)
    labels = len(target["columns"]) if target["task"] == "multilabel" else 1
    return [row[:labels] for row in rows], np.array([row[labels:] for row in rows], float)


def compare(what, model, expected, found):
    (said, values), (found_said, found_values) = expected, found
    assert found_values.shape == values.shape, f"{what}: {found_values.shape} for {values.shape}"
    several, scale = model["head"]["target"]["task"] == "multilabel", 1.0
    if model["head"]["link"] == "exp":
        # Rates predicted far outside the range are 0 or infinite.
        values, found_values = (np.clip(np.log(np.maximum(v, 1e-300)), -600, 600) for v in (values, found_values))
        scale = np.maximum(1.0, np.abs(values))
    elif said is None:
        scale = np.maximum(1.0, values.std(axis=0))
    off = np.abs(found_values - values) / scale
    assert np.isfinite(off).all(), what
    assert off.max() <= TOLERANCE, f"{what}: {off.max()} in row {off.max(axis=1).argmax()}"
    differ = 0
    for row, words in enumerate(said or []):
        if words != found_said[row]:
            # Different classes are accepted only if both are equally good.
            near = np.abs(values[row] - 0.5).min() if several else -np.diff(np.sort(values[row])[-2:][::-1])[0]
            assert near <= TOLERANCE, f"{what}, row {row}: {found_said[row]} for {words}"
            differ += 1
    return off.max(), differ


def predicted(text, model):
    target = model["head"]["target"]
    rows = list(csv.reader(io.StringIO(text)))[1:]
    labels = len(target["columns"]) if target["task"] == "multilabel" else 0 if target["task"] == "regression" else 1
    return [row[:labels] for row in rows] if labels else None, np.array([row[labels:] for row in rows], float)


def train(gradlane, name, folder):
    """Trains the model of a case; returns its data."""
    data, options = CASES[name]
    if data in TARGETS:
        names, target = TARGETS[data]
        header, rows = mixed(folder, target)
        data = os.path.join(folder, "data.csv")
        write(data, header + names, rows)
    with open(os.path.join(folder, "net.toml"), "w", encoding="utf-8") as file:
        file.write(NETWORK)
    run_in(folder, gradlane, "train", data, *options, "-o", "model")
    return data


def run_in(folder, *words):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder).stdout


def has_several_forms(path):
    """Whether a model's file has networks of several forms, as made by `--preset best`."""
    path = os.path.join(path, "model.safetensors") if os.path.isdir(path) else path
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return bool(json.loads(header["__metadata__"]["gradlane"]).get("forms"))


def agree(gradlane, name, folder, source, data):
    """Exports a model to every form and compares the predictions."""
    run = lambda *words: run_in(folder, gradlane, *words)
    paths = {form: os.path.join(folder, "model." + form) for form in ["onnx", "c", "json", "npz"]}
    several = has_several_forms(source if os.path.isabs(source) else os.path.join(folder, source))
    for form, path in paths.items():
        if form != "json" or not several:
            run("export", source, "--to", form, "-o", path)
    if several:
        # JSON is refused; the export of a small network on the same data provides the columns and the classes.
        run("train", data, "--hidden", "4", "--epochs", "1", "-q", "-o", "small")
        run("export", "small", "--to", "json", "-o", paths["json"])
    with open(paths["json"], encoding="utf-8") as file:
        model = json.load(file)
    if not several:
        weights = np.load(paths["npz"])
        stored = json_model.tensors(model)
        assert sorted(weights.files) == sorted(stored), "names of tensors"
        assert all(weights[key].dtype == np.float32 and (weights[key] == stored[key]).all() for key in stored)
    texts = None
    if "images" in model["rows"]:
        cells = images(data, "t10k")[:500]
        expected = run("predict", source, data, "--proba").splitlines()
        expected = predicted("\n".join(expected[:501]), model)
    else:
        header, rows = read(data)
        if model["card"]["preprocessing"]["named"] is False:
            header, rows = [f"c{at}" for at in range(len(header))], [header] + rows
        columns = {column["name"]: column for column in model["rows"]["columns"]}
        rows += odd_rows(header, rows, columns)
        write(os.path.join(folder, "odd.csv"), header, rows)
        expected = predicted(run("predict", source, "odd.csv", "--proba"), model)
        cells = cells_of(model, header, rows)
        texts = cells_of(model, header, rows, is_text_in_onnx)
    found = {"onnx": by_onnx(paths["onnx"], model, cells if texts is None else texts)}
    if not several:
        found["json"] = json_model.predict(model, cells)
    found["c"] = by_c(folder, paths["c"], model, cells)
    figures = []
    for form, answers in found.items():
        off, differ = compare(f"{name} as {form}", model, expected, answers)
        figures.append(f"{form} {off:.1e}" + (f" ({differ} ties)" if differ else ""))
    print(f"{name:32}{len(expected[1]):6} rows  " + "  ".join(figures), flush=True)


def older():
    """Models written by older versions, by name: the file and its data."""
    folders = sorted(glob.glob(os.path.join(ROOT, "tests", "data", "models", "v*", "*")))
    data = lambda folder: next(path for path in glob.glob(os.path.join(folder, "data*")))
    of = lambda folder: "/".join(folder.split(os.sep)[-2:])
    return {of(folder): (os.path.join(folder, "model.safetensors"), data(folder)) for folder in folders}


def documented(gradlane, folder):
    """Runs the example in docs/export.md, and checks how it treats infinite numbers."""
    run = lambda *words: run_in(folder, *words)
    os.symlink(os.path.join(ROOT, "datasets"), os.path.join(folder, "datasets"))
    run(gradlane, "train", "datasets/penguins.csv", "-q", "-o", "penguins")
    for form in ["onnx", "c"]:
        run(gradlane, "export", "penguins", "-o", "penguins." + form)
    with open(os.path.join(ROOT, "docs", "export.md"), encoding="utf-8") as file:
        text = file.read()
    block = lambda language: text.split(f"```{language}\n")[1].split("```")[0]
    expected = [row[0] for row in csv.reader(io.StringIO(run(gradlane, "predict", "penguins", "datasets/penguins.csv")))][1:]
    python = block("python") + "\nprint(*label, sep='\\n')"
    assert run(sys.executable, "-c", python).split() == expected, "the example in Python"
    with open(os.path.join(folder, "main.c"), "w", encoding="utf-8") as file:
        file.write(block("c"))
    run("cc", "-std=c99", "-O2", "main.c", "-lm", "-o", "program")
    print("the example in C:", run("./program").strip())
    session = onnxruntime.InferenceSession(os.path.join(folder, "penguins.onnx"))
    feed = {i.name: np.array([["Dream"]], object) if "string" in i.type else np.array([[np.inf]]) for i in session.get_inputs()}
    label, p = session.run(["label", "probabilities"], feed)
    assert label[0] == "" and np.isnan(p).all(), "infinite numbers"


# Forms of dates and numbers: the cells of a column, those that a model of it also reads, and those that it does not.
MOMENT = datetime.datetime(1971, 3, 1, 9, 5, 7)
MOMENTS = [MOMENT + datetime.timedelta(hours=7151 * n, minutes=11 * n) for n in range(60)]
NUMBERS = [(-1) ** n * 1.37 ** (n % 40) for n in range(60)]
NO_DATES = ["2023-02-29", "2023-13-01", "31/04/2023", "29.02.2023", "hello", "5", "24:61", "2023-01-01T24:00:00"]
NO_NUMBERS = ["hello", "--5", "1.2.3", "$", "1,2,3,4", "5)", "2024-02-29"]
SWAP = str.maketrans(",.", ".,")
FORMS = {
    **{pattern: ([m.strftime(pattern) for m in MOMENTS], ["2024-02-29", "2024-02-29 10:20", " 1999-12-31"], NO_DATES)
       for pattern in ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%S-05:30", "%Y-%m-%d %H:%M+0145", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S +0100", "%d/%m/%Y",
                       "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d. %B %Y", "%d-%b-%y", "%d/%m/%y", "%d/%m/%Y %H:%M",
                       "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"]},
    **{pattern: ([m.strftime(pattern) for m in MOMENTS], [" " + MOMENT.strftime(pattern)], NO_DATES)
       for pattern in ["%H:%M", "%H:%M:%S", "%I:%M %p"]},
    "unpadded": ([f"{m.day}.{m.month}.{m.year}" for m in MOMENTS], ["01.02.2003"], NO_DATES),
    "month": ([f"{m:%Y-%m}" for m in MOMENTS], ["2024-02-29"], NO_DATES),
    "dollars": ([f"${x:,.2f}".replace("$-", "-$") for x in NUMBERS], ["($4.25)", "$(4)", "$-3", "7", "- $1,234", "5-", "$5-", "–$3"], NO_NUMBERS),
    "euros": ([f"{x:,.2f} €".translate(SWAP) for x in NUMBERS], ["5", "-€1,5"], NO_NUMBERS),
    "comma": ([f"{x:.3e}".translate(SWAP) for x in NUMBERS], ["1,5E-3", "−2,5"], NO_NUMBERS),
    "percent": ([f"{x:.1f} %" for x in NUMBERS], ["5%", "0"], NO_NUMBERS),
    "behind": ([f"{-x:,.1f}-" if x < 0 else f"{x:,.1f}" for x in NUMBERS], ["-5", "(3)", "7 -"], NO_NUMBERS + ["-5-", "(5-)"]),
    "brackets": ([f"({-x:,.1f})" if x < 0 else f"{x:,.1f}" for x in NUMBERS], ["-5", "( 7 )", "(+7)"], NO_NUMBERS + ["(-5)", "-(5)", "(5)-", "5.--x"]),
    "blanks": ([f"{x:,.1f}".replace(",", "\u202f") for x in NUMBERS], ["12\u202f345", "12\u00a0345", "1\u2009234 567"], NO_NUMBERS + ["12'345"]),
    "dashes": ([f"{x:,.2f} €".translate(SWAP).replace(",00", ",-") for x in range(-150, 2850, 50)] + ["9,50 €"], ["12,-", "1.200,– €", "-3,-- €", "7,— €"],
               NO_NUMBERS + ["(-5)", "12.-"]),
    "india": ([f"{n % 89 + 1},34,567.{n * n % 10}" if n % 3 else f"{n}" for n in range(1, 61)], ["1,234"], NO_NUMBERS),
}


def read_by_onnx(gradlane, name, folder):
    """Cells that ONNX reads from texts as `predict` does; for those that `predict` refuses it has no answer."""
    cells, others, refused = FORMS[name]
    write(os.path.join(folder, "form.csv"), ["cell", "x", "y"], [[c, n % 7, "ab"[n % 3 > 0]] for n, c in enumerate([*cells, ""])])
    run_in(folder, gradlane, "train", "form.csv", "--preset", "plain", "--categorical", "x", *SMALL, "-o", "form")
    run_in(folder, gradlane, "export", "form", "-o", "form.onnx")
    onnx.checker.check_model(os.path.join(folder, "form.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(os.path.join(folder, "form.onnx"), providers=["CPUExecutionProvider"])
    kinds = {"tensor(string)": object, "tensor(double)": np.float64}

    def answered(cells):
        values = {"cell": cells, "x": [3] * len(cells)}
        feed = {i.name: np.array(values[i.name], kinds[i.type]).reshape(-1, 1) for i in session.get_inputs()}
        assert feed["cell"].dtype == object, "the input is no text"
        return session.run(["label", "probabilities"], feed)

    def expected(cells):
        write(os.path.join(folder, "new.csv"), ["cell", "x"], [[cell, 3] for cell in cells])
        rows = csv.DictReader(io.StringIO(run_in(folder, gradlane, "predict", "form", "new.csv", "--proba")))
        return np.array([[float(row[key]) for key in row if key.startswith("proba_")] for row in rows])

    cells = [*cells, "", *others]
    off = np.abs(answered(cells)[1] - expected(cells)).max()
    assert off <= TOLERANCE, f"{name}: {off}"
    assert np.ptp(answered(cells)[1]) > 1e-3, f"{name}: the cells make no difference"
    for cell in refused:
        label, p = answered([cell])
        assert label[0] == "" and np.isnan(p).all(), f"{name}: {cell} has the answer {label[0]} {p[0]}"
        try:
            expected([cell])
        except subprocess.CalledProcessError:
            continue
        raise AssertionError(f"{name}: predict reads {cell}")
    print(f"cells as {name:24}{len(cells):6} rows  onnx {off:.1e}", flush=True)


def main():
    gradlane = os.path.abspath(sys.argv[1])
    failed, models = [], older()
    if not sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            documented(gradlane, folder)
    for name in sys.argv[2:] or [*models, *CASES, *FORMS]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                if name in FORMS:
                    read_by_onnx(gradlane, name, folder)
                    continue
                source, data = models[name] if name in models else ("model", train(gradlane, name, folder))
                agree(gradlane, name, folder, source, data)
            except subprocess.CalledProcessError as error:
                failed.append(name)
                print(f"{name}: {' '.join(error.cmd)}: {error.stderr}", flush=True)
            except Exception as error:
                failed.append(name)
                print(f"{name}: {type(error).__name__}: {error}", flush=True)
    if failed:
        sys.exit(f"{len(failed)} cases failed: {' '.join(failed)}")


if __name__ == "__main__":
    main()
