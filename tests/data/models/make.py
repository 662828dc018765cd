#!/usr/bin/env python3
"""Makes the models of one version of the model's file format: `make.py GRADLANE FOLDER [VERSION]`.

Each case is a small model with raw rows and the output of `predict --proba` for them. The folder of a version is made only
once, with a program that writes that version; later programs must give the same predictions. A new version gets a new folder.
"""

import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

SMALL = ["--hidden", "4", "--epochs", "3", "-j", "1", "--isa", "avx2", "-q", "-o", "run"]


def table(path, header, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in ([header] if header else []) + rows:
            file.write(",".join(str(cell) for cell in row) + "\n")


def numbers(rng, count):
    return [f"{rng.gauss(0, 1):.4f}" for _ in range(count)]


def binary_text(rng, path):
    rows = [(a, b, "yes" if float(a) + float(b) > 0 else "no") for a, b in (numbers(rng, 2) for _ in range(60))]
    table(path, ["x", "z", "answer"], rows)
    return []


def classes_012(rng, path):
    table(path, ["x", "z", "kind"], [(*numbers(rng, 2), n % 3) for n in range(60)])
    return []


def codes_01(rng, path):
    table(path, ["x", "z", "code"], [(*numbers(rng, 2), f"{n % 4 + 1:02}") for n in range(60)])
    return ["--task", "multiclass"]


def multilabel(rng, path):
    rows = [(*numbers(rng, 2), rng.randrange(2), rng.randrange(2)) for _ in range(60)]
    table(path, ["x", "z", "red", "blue"], rows)
    return ["--label", "red", "--label", "blue", "--task", "multilabel"]


def regression_offset(rng, path):
    rows = [(a, b, f"{5000 + 30 * float(a) + rng.random():.3f}") for a, b in (numbers(rng, 2) for _ in range(60))]
    table(path, ["x", "z", "price"], rows)
    return []


def several_targets(rng, path):
    rows = [(a, b, f"{float(a) * 3 + 7:.3f}", f"{float(b) - 2:.3f}") for a, b in (numbers(rng, 2) for _ in range(60))]
    table(path, ["x", "z", "up", "down"], rows)
    return ["--label", "up", "--label", "down", "--task", "regression"]


def mixed(rng, path):
    rows = []
    for n in range(80):
        a, b = numbers(rng, 2)
        rows.append(("" if n % 7 == 0 else a, b, ["oslo", "rome", "", "kyiv"][n % 4], 1 + n % 3, "ab"[float(b) > 0]))
    table(path, ["x", "z", "city", "weight", "kind"], rows)
    return ["--weight-col", "weight"]


def headerless(rng, path):
    table(path, None, [(*numbers(rng, 3), "pq"[rng.randrange(2)]) for _ in range(60)])
    return []


def deep(rng, path):
    table(path, ["x", "z", "kind"], [(*numbers(rng, 2), "abc"[n % 3]) for n in range(60)])
    return ["--hidden", "4,4", "--norm", "layer", "--residual", "--dropout", "0.2", "--activation", "gelu"]


NETWORK = """
chain = [
  { kind = "branches", branches = [
    [{ kind = "linear", outputs = 3 }, { kind = "prelu" }],
    [{ kind = "skip", chain = [{ kind = "norm", norm = "rms" }, { kind = "linear", outputs = 4 }] }],
    [{ kind = "scale" }],
  ] },
  { kind = "mix", function = "silu" },
  { kind = "dropout", rate = 0.2 },
  { kind = "linear", outputs = "outputs", learn = { lr = 0.5 } },
]
"""


def layers(rng, path):
    with open(os.path.join(os.path.dirname(path), "net.toml"), "w", encoding="utf-8") as file:
        file.write(NETWORK)
    table(path, ["x", "z", "kind"], [(*numbers(rng, 2), "abc"[n % 3]) for n in range(60)])
    return ["--network", "net.toml"]


def images(rng, folder):
    os.mkdir(folder)
    for part, count in (("train", 40), ("t10k", 12)):
        pixels = bytes(rng.randrange(256) for _ in range(count * 9))
        labels = bytes(n % 3 for n in range(count))
        with gzip.GzipFile(f"{folder}/{part}-images-idx3-ubyte.gz", "wb", mtime=0) as file:
            file.write(struct.pack(">4B3I", 0, 0, 8, 3, count, 3, 3) + pixels)
        with gzip.GzipFile(f"{folder}/{part}-labels-idx1-ubyte.gz", "wb", mtime=0) as file:
            file.write(struct.pack(">4BI", 0, 0, 8, 1, count) + labels)
    return []


def two_classes(rng, path, rows):
    lines = [(a, b, "yes" if float(a) + rng.gauss(0, 1.5) > 0.4 else "no") for a, b in (numbers(rng, 2) for _ in range(rows))]
    table(path, ["x", "z", "answer"], lines)


def threshold(rng, path):
    two_classes(rng, path, 120)
    return ["--threshold", "auto"]


def temperature(rng, path):
    valid = os.path.join(os.path.dirname(path), "valid.csv")
    for to, rows in ((valid, 600), (path, 60)):
        lines = [(a, b, "abc"[int(abs(float(a) + rng.gauss(0, 1)) * 2) % 3]) for a, b in (numbers(rng, 2) for _ in range(rows))]
        table(to, ["x", "z", "kind"], lines)
    return ["--hidden", "16", "--lr", "0.03", "--valid", "valid.csv"]


def clipped(rng, path):
    mixed(rng, path)
    return ["--weight-col", "weight", "--scale", "robust_clip", "--binary-column", "--one-hot", "2"]


def quantiles(rng, path):
    regression_offset(rng, path)
    return ["--scale", "quantile", "--clamp"]


def ensemble(rng, path):
    two_classes(rng, path, 80)
    return ["--ensemble", "3"]


def pieces(rng, path):
    two_classes(rng, path, 80)
    return ["--embed", "ple:bins=4,dim=3", "--members", "tabm:3"]


def waves(rng, path):
    mixed(rng, path)
    return ["--weight-col", "weight", "--preset", "realmlp", "--hidden", "4", "--embed-above", "2"]


def levels(rng, path):
    cities = [f"city{n}" for n in range(12)]
    rows = [(rng.choice([*cities, ""]), a, "ab"[float(a) + rng.gauss(0, 1) > 0]) for a, _ in (numbers(rng, 2) for _ in range(90))]
    table(path, ["city", "x", "kind"], rows)
    return ["--preset", "realmlp", "--hidden", "4"]


def forms(rng, path):
    rows = [(a, b, "uvw"[n % 3], "no" if float(a) + float(b) * float(b) > rng.gauss(0.5, 0.5) else "yes")
            for n, (a, b) in enumerate(numbers(rng, 2) for _ in range(120))]
    table(path, ["x", "z", "kind", "answer"], rows)
    return ["--preset", "best", "--portfolio", "plain,tabm-mini-small", "--cv", "2", "--epochs", "120"]


CASES = [
    binary_text,
    classes_012,
    codes_01,
    multilabel,
    regression_offset,
    several_targets,
    mixed,
    headerless,
    deep,
    layers,
    images,
]

# New in version 2.
CASES_2 = [threshold, temperature, clipped, quantiles, ensemble, pieces, waves]
# New in version 3.
CASES_3 = [levels]
# New in version 4.
CASES_4 = [forms]


def main():
    program, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    for case in {"2": CASES_2, "3": CASES_3, "4": CASES_4}.get("".join(sys.argv[3:]), CASES):
        to = os.path.join(folder, case.__name__)
        os.makedirs(to)
        name = "data" if case is images else "data.csv"
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, name)
            options = case(random.Random(case.__name__), path)
            own = any(flag in options for flag in ("--hidden", "--network", "--portfolio"))
            flags = [flag for flag in SMALL if not own or flag not in ("--hidden", "4")]
            if "--epochs" in options:
                flags = [flag for flag in flags if flag not in ("--epochs", "3")]
            subprocess.run([program, "train", name, *flags, *options], cwd=place, check=True, stdout=subprocess.DEVNULL)
            asked = [program, "predict", "run", name, "--proba", "--isa", "avx2", "-j", "1"]
            answer = subprocess.run(asked, cwd=place, check=True, capture_output=True).stdout
            shutil.copy(os.path.join(place, "run", "model.safetensors"), to)
            (shutil.copytree if case is images else shutil.copy)(path, os.path.join(to, name))
            with open(os.path.join(to, "predictions.csv"), "wb") as file:
                file.write(answer)


main()
