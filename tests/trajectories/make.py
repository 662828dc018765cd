"""Writes schedulefree.json and lbfgs.json: optimizer steps on tasks of ../fixtures/tasks.json, computed in float64 and in float32
by the authors' package or a reference package.

    python3 -m venv venv && venv/bin/pip install torch schedulefree numpy && venv/bin/python make.py

The format is that of ../fixtures (see its README.md), with these additions:
* In a checkpoint, `eval_layers` are the parameters of Schedule-Free's evaluation mode (x), `layers` those of training mode (y).
* L-BFGS: one step is one iteration of torch.optim.LBFGS with its line search (`max_iter` 1, `max_eval` 26), over all rows;
  `evaluations[step]` is the number of losses computed so far, including one at the beginning of each step.
"""

import json
import pathlib
from importlib.metadata import version

import schedulefree
import torch

HERE = pathlib.Path(__file__).parent
TASKS = {t["name"]: t for t in json.loads((HERE / "../fixtures/tasks.json").read_text())["tasks"]}
CHECKPOINTS = (1, 2, 10, 30)
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda z: z}


class Network:
    """The network and rows of a task in one precision."""

    def __init__(self, task, dtype):
        self.task, self.dtype = task, dtype
        sizes = task["layer_sizes"]
        self.parameters = []
        for (fan_in, fan_out), layer in zip(zip(sizes, sizes[1:]), task["init"]):
            w = torch.tensor(layer["w"], dtype=dtype).reshape(fan_out, fan_in)
            self.parameters += [w.requires_grad_(), torch.tensor(layer["b"], dtype=dtype).requires_grad_()]
        self.x = torch.tensor(task["x"], dtype=dtype).reshape(task["rows"], -1)
        labels = task["y_kind"] == "class_index"
        self.y = torch.tensor(task["y"], dtype=torch.int64 if labels else dtype)
        if not labels:
            self.y = self.y.reshape(task["rows"], -1)

    def loss(self, rows):
        a, y = self.x[rows], self.y[rows]
        for activation, w, b in zip(self.task["activations"], self.parameters[::2], self.parameters[1::2]):
            a = ACTIVATIONS[activation](a @ w.T + b)
        if self.task["loss"] == "softmax_cross_entropy":
            return torch.nn.functional.cross_entropy(a, y)
        if self.task["loss"] == "bce_with_logits":
            return torch.nn.functional.binary_cross_entropy_with_logits(a[:, 0], y.to(self.dtype))
        assert self.task["loss"] == "mse"
        return torch.nn.functional.mse_loss(a, y)

    def backward(self, rows):
        for p in self.parameters:
            p.grad = None
        loss = self.loss(rows)
        loss.backward()
        return loss

    def grad_norm(self):
        return float(torch.sqrt(sum((p.grad.double() ** 2).sum() for p in self.parameters)))

    def layers(self):
        pairs = zip(self.parameters[::2], self.parameters[1::2])
        return [{"w": flat(w), "b": flat(b)} for w, b in pairs]


def flat(tensor):
    """The numbers of a tensor; for float32 the shortest decimals."""
    values = tensor.detach().flatten()
    return values.tolist() if values.dtype == torch.float64 else [float(str(v)) for v in values.numpy()]


def run_schedulefree(case, dtype):
    network = Network(TASKS[case["task"]], dtype)
    options = {**case["options"], "betas": tuple(case["options"]["betas"])}
    optimizer = schedulefree.AdamWScheduleFree(network.parameters, foreach=False, **options)
    optimizer.train()
    run = {"loss": [], "grad_norm": [], "checkpoints": []}
    for step, rows in enumerate(network.task["batches"], 1):
        if "lr_per_step" in case:
            optimizer.param_groups[0]["lr"] = case["lr_per_step"][step - 1]
        run["loss"].append(float(network.backward(rows).detach()))
        run["grad_norm"].append(network.grad_norm())
        optimizer.step()
        if step in CHECKPOINTS:
            checkpoint = {"step": step, "layers": network.layers()}
            kept = [p.detach().clone() for p in network.parameters]
            optimizer.eval()
            checkpoint["eval_layers"] = network.layers()
            optimizer.train()
            with torch.no_grad():  # restores the same bits
                for p, k in zip(network.parameters, kept):
                    p.copy_(k)
            run["checkpoints"].append(checkpoint)
    return run


def run_lbfgs(case, dtype):
    network = Network(TASKS[case["task"]], dtype)
    rows = list(range(network.task["rows"]))
    optimizer = torch.optim.LBFGS(network.parameters, max_iter=1, max_eval=26, line_search_fn="strong_wolfe", **case["options"])
    run = {"loss": [], "grad_norm": [], "evaluations": [], "checkpoints": []}
    for step in range(1, case["steps"] + 1):
        run["loss"].append(float(network.backward(rows).detach()))
        run["grad_norm"].append(network.grad_norm())
        optimizer.step(lambda: network.backward(rows))
        run["evaluations"].append(optimizer.state[network.parameters[0]]["func_evals"])
        if step in CHECKPOINTS:
            run["checkpoints"].append({"step": step, "layers": network.layers()})
    return run


def numbers(layers):
    return [v for layer in layers for key in ("w", "b") for v in layer[key]]


def largest_difference(a, b):
    return max(abs(a - b) for a, b in zip(a, b, strict=True))


def deviation(f32, f64):
    """The difference between float32 and float64, for the losses and for the parameters at each checkpoint."""
    params = []
    for a, b in zip(f32["checkpoints"], f64["checkpoints"], strict=True):
        keys = [key for key in ("layers", "eval_layers") if key in b]
        params.append(max(largest_difference(numbers(a[key]), numbers(b[key])) for key in keys))
    return {"loss": largest_difference(f32["loss"], f64["loss"]), "params": params}


def write(name, library, run, cases):
    for case in cases:
        case["library"] = library
        case["f64"] = run(case, torch.float64)
        f32 = run(case, torch.float32)
        case["f32_deviation"] = deviation(f32, case["f64"])
        case["f32"] = {"loss": f32["loss"], "grad_norm": f32["grad_norm"]}
        if "evaluations" in f32:
            assert f32["evaluations"] == case["f64"]["evaluations"], f"{case['name']}: another line search in float32"
        print(case["name"], case["f32_deviation"])
    versions = {package: version(package) for package in (library, "torch")}
    file = {"format": "gradlane-fixtures/1", "versions": versions, "cases": cases}
    (HERE / name).write_text(json.dumps(file) + "\n")


def schedulefree_case(name, task, lr_per_step=None, **options):
    defaults = dict(lr=0.0025, betas=[0.9, 0.999], eps=1e-8, weight_decay=0.0, warmup_steps=0, r=0.0, weight_lr_power=2.0)
    case = {"name": name, "optimizer": "AdamWScheduleFree", "options": {**defaults, **options}, "task": task}
    if lr_per_step:
        case["lr_per_step"] = lr_per_step
    return case


def lbfgs_case(name, task, steps, **options):
    defaults = dict(lr=1.0, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100)
    return {"name": name, "optimizer": "LBFGS", "options": {**defaults, **options}, "task": task, "steps": steps}


torch.set_num_threads(1)
write("schedulefree.json", "schedulefree", run_schedulefree, [
    schedulefree_case("schedulefree_default", "cls"),
    schedulefree_case("schedulefree_warmup", "reg", lr=0.02, warmup_steps=7),
    schedulefree_case("schedulefree_options", "bin", lr=0.01, betas=[0.8, 0.95], eps=1e-4, weight_decay=0.1, warmup_steps=3,
                      r=0.5, weight_lr_power=1.0),
    schedulefree_case("schedulefree_changing_lr", "cls", weight_decay=0.05,
                      lr_per_step=[0.01 * (1 - t / 40) if t < 20 else 0.012 for t in range(30)]),
])
write("lbfgs.json", "torch", run_lbfgs, [
    lbfgs_case("lbfgs_bin", "bin", 10),
    lbfgs_case("lbfgs_cls_short_history", "cls", 10, history_size=3),
    lbfgs_case("lbfgs_reg_half_rate", "reg", 10, lr=0.5, history_size=5),
    lbfgs_case("lbfgs_reg_long_first_step", "reg", 10, lr=8.0, history_size=10),
    lbfgs_case("lbfgs_cls_very_long_steps", "cls", 10, lr=100.0, history_size=10),
])
