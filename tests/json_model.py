"""A predictor for the output of `gradlane export --to json`, as described in docs/export.md. Needs numpy."""

import math
from statistics import NormalDist

import numpy as np


def tensors(model):
    """The tensors of all networks, by their names in the model's file."""
    networks = model["networks"]
    named = {}
    for number, network in enumerate(networks):
        prefix = f"ensemble.{number}." if len(networks) > 1 else ""
        for name, tensor in network.items():
            named[prefix + name] = np.array(tensor["values"], np.float32).reshape(tensor["shape"])
    return named


def share_below(x, quantiles):
    below, upto, last = sum(q < x for q in quantiles), sum(q <= x for q in quantiles), len(quantiles) - 1
    if below == 0 and upto <= 1:
        return 0.0
    if upto == len(quantiles) and upto - below <= 1:
        return 1.0
    if upto > below:
        return 0.5 * (below + upto - 1) / last
    low, high = quantiles[below - 1], quantiles[below]
    return (below - 1 + (x - low) / (high - low)) / last


def shaped(z, shape):
    if shape == "line":
        return z
    if shape == "smooth_clip":
        return math.copysign(3, z) if math.isinf(z) else z / math.hypot(1, z / 3)
    return NormalDist().inv_cdf(min(max(share_below(z, shape["normal"]), 1e-7), 1 - 1e-7))


def numbers(markers):
    found = []
    for marker in markers:
        try:
            found.append(float(marker))
        except ValueError:
            pass
    return found


def inputs_of_number(cell, column):
    x = float(cell)
    is_date = isinstance(column["counts"], dict) and "unit" in column["counts"]
    missing = math.isnan(x) or (not is_date and x in numbers(column["missing"]))
    z = ((column["fill"] if missing else x) - column["center"]) / column["scale"]
    inputs = [shaped(z, column["shape"])]
    for period in column["periods"]:
        phase = 0.0 if missing else 2 * math.pi * ((x / period) % 1.0)
        inputs += [0.0, 0.0] if missing else [math.sin(phase), math.cos(phase)]
    return inputs + ([float(missing)] if column["indicator"] else [])


def place_of(cell, column):
    keys = column["keys"]
    if "numbers" in keys:
        if math.isnan(cell) or cell in numbers(column["missing"]):
            return column["missing_place"]
        return dict(keys["numbers"]).get(cell, column["other_place"])
    cell = cell.strip()
    if cell == "" or cell in column["missing"]:
        return column["missing_place"]
    normal = " ".join(cell.split()).lower()
    return dict(keys["texts"]).get(cell, dict(keys["normal"]).get(normal, column["other_place"]))


def inputs_of_category(cell, column):
    place = place_of(cell, column)
    if "one" in column["inputs"]:
        return [column["inputs"]["one"][place]]
    return [pair[at == place] for at, pair in enumerate(column["inputs"]["each"])]


def inputs(model, cells):
    """The inputs, `[rows, inputs]`; `cells` has a list for each column, or the images."""
    if "images" in model["rows"]:
        return cells.reshape(len(cells), -1) * np.float32(model["rows"]["images"]["scale"])
    columns = model["rows"]["columns"]
    of = {"number": inputs_of_number, "category": inputs_of_category}
    parts = [np.array([of[c["kind"]](cell, c) for cell in cells[c["name"]]]) for c in columns]
    return np.concatenate(parts, axis=1).astype(np.float32)


def erf(x):
    return np.vectorize(math.erf)(x)


def function(name, x):
    name, _, option = name.partition(":")
    a = float(option.partition("=")[2] or {"leaky_relu": 0.01, "elu": 1.0}.get(name, 0))
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    softplus = lambda x: np.logaddexp(0, x)
    with np.errstate(over="ignore"):
        return {
            "identity": lambda: x,
            "relu": lambda: np.maximum(x, 0),
            "leaky_relu": lambda: np.where(x > 0, x, a * x),
            "elu": lambda: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0))),
            "selu": lambda: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
            "gelu": lambda: x / 2 * (1 + erf(x / math.sqrt(2))),
            "gelu_tanh": lambda: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
            "silu": lambda: x * sigmoid(x),
            "mish": lambda: x * np.tanh(softplus(x)),
            "softplus": lambda: softplus(x),
            "sigmoid": lambda: sigmoid(x),
            "tanh": lambda: np.tanh(x),
            "hard_sigmoid": lambda: np.clip(x + 3, 0, 6) / 6,
            "hard_tanh": lambda: np.clip(x, -1, 1),
            "relu6": lambda: np.clip(x, 0, 6),
            "softsign": lambda: x / (1 + np.abs(x)),
        }[name]()


def network(model, tensors, x):
    """The outputs of one network, `[members, rows, outputs]`."""
    values = []

    def learnt(l, matrix):
        rows, columns, (start, end) = l["rows"], l["columns"], l["within"]
        all_of = np.array(tensors[l["tensor"]]["values"], np.float64).reshape(-1, rows, columns)[:, :, start:end]
        one = all_of if l["of"] == "member" else all_of[[0 if l["of"] == "whole" else l["of"]]]
        return one if matrix else one.reshape(len(one), 1, rows)

    def operand(b):
        if "value" in b:
            return values[b["value"]]
        if "learnt" in b:
            return learnt(b["learnt"], False)
        return np.array(b.get("numbers", b.get("number")))

    for node in model["graph"]["nodes"]:
        op = node["op"]
        v = values[node["x"]] if "x" in node else None
        if op == "input":
            y = x[None].astype(np.float64)
        elif op == "product":
            y = v @ learnt(node["w"], True).transpose(0, 2, 1)
        elif op == "plus":
            y = v + operand(node["b"])
        elif op == "times":
            y = v * operand(node["b"])
        elif op == "function":
            y = function(node["f"], v)
        elif op == "cosine":
            y = np.cos(v)
        elif op == "hold":
            least = [-np.inf if b[0] is None else b[0] for b in node["bounds"]]
            most = [np.inf if b[1] is None else b[1] for b in node["bounds"]]
            y = np.clip(v, least, most)
        elif op == "normalise":
            centred = v - v.mean(-1, keepdims=True) if node["norm"] == "layer" else v
            y = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + node["eps"])
        elif op == "select":
            y = v[..., node["features"]]
        elif op == "join":
            y = np.concatenate([values[part] for part in node["parts"]], -1)
        elif op == "sum":
            y = v.sum(-1, keepdims=True)
        elif op == "lookup":
            vectors = learnt(node["w"], True)[0].T
            at = np.floor(v[..., 0]).astype(int)
            y = vectors[np.where((at >= 0) & (at < len(vectors)), at, 0)]
        elif op == "expand":
            y = np.repeat(v, node["members"], 0)
        values.append(y)
    return values[model["graph"]["output"]]


def sigmoid(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def nearest(z):
    """The projection onto probabilities: each row minus a shift, at least 0, so that it adds up to 1."""
    ordered = -np.sort(-z, -1)
    shifts = (ordered.cumsum(-1) - 1) / np.arange(1, z.shape[-1] + 1)
    last = (ordered > shifts).sum(-1, keepdims=True) - 1
    return np.clip(z - np.take_along_axis(shifts, last, -1), 0, 1)


def predict(model, cells):
    """The labels as texts (`None` for a regression), and the probabilities or numbers, `[rows, …]`."""
    head, x = model["head"], inputs(model, cells)
    link = head["link"]
    outputs = [network(model, tensors, x) for tensors in model["networks"]]
    two_ways = head["target"]["task"] in ("binary", "multilabel")

    def said(z):
        if link == "sigmoid":
            return sigmoid(z)
        if link == "softmax":
            return softmax(z)
        return np.clip(z, 0, 1) if two_ways else nearest(z)

    with np.errstate(over="ignore"):
        return answers(head, outputs, said)


def answers(head, outputs, said):
    """The combined prediction of all networks."""
    target, link = head["target"], head["link"]
    task, classes = target["task"], target.get("classes", [])
    mean = lambda f: np.mean([f(z).mean(0) for z in outputs], 0)
    log = lambda x: np.log(np.maximum(x, np.finfo(float).tiny))
    if link == "softmax":
        z = log(mean(softmax)) if head["members"] * len(outputs) > 1 else outputs[0][0]
    elif link == "sigmoid":
        z = log(mean(sigmoid)) - log(mean(lambda z: sigmoid(-z))) if head["members"] * len(outputs) > 1 else outputs[0][0]
    elif link == "exp":
        z = log(mean(np.exp))
    else:
        of_members = [z.mean(0) for z in outputs]
        z = np.mean([said(z) for z in of_members] if len(outputs) > 1 and task != "regression" else of_members, 0)
    z = z * head["factor"]
    if task == "regression":
        numbers = (np.exp(z) if link == "exp" else z) * target["sd"] + target["mean"]
        for output, (least, most) in enumerate(target.get("range", [])):
            numbers[:, output] = np.clip(numbers[:, output], least, most)
        return None, numbers
    p = said(z)
    if task == "multilabel":
        return [["1" if there else "0" for there in row] for row in p > 0.5], p
    if task == "binary":
        # The default threshold predicts the more probable class.
        second = p[:, 0] > (head["threshold"] if head["threshold"] != 0.5 else 1 - p[:, 0])
        return [[classes[int(s)]] for s in second], np.concatenate([1 - p, p], 1)
    return [[classes[best]] for best in p.argmax(1)], p
