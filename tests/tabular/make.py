"""Writes recipes.json: networks computed in float64 by the code of TabM, rtdl_num_embeddings and pytabkit. Each has the outputs of
every member, gradients, ten steps of training, and the equivalent list of layers in gradlane.

    python3 -m venv venv && venv/bin/pip install torch tabm rtdl_num_embeddings pytabkit && venv/bin/python make.py

Tensors have gradlane's names and shapes. Deliberate differences from the packages:
* The matrix of a piecewise-linear embedding has rtdl's `linear0.weight` as its first column and `linear.weight` as the others.
* pytabkit puts the inputs themselves after all waves; here each input comes before its waves.
* pytabkit's NTK parametrisation stores W·sqrt(inputs) and divides in each pass. Here W is stored, and the learning rate is
  divided by sqrt(inputs). Adam's steps are then the same except for the effect of eps, which is set to 1e-16 for both.
* For RealMLP, only the embedding is pytabkit's layer. The rest is implemented below from its formulas, including decay with
  squared factors.
"""

import json
import math
import pathlib
from importlib.metadata import version

import rtdl_num_embeddings
import tabm
import torch
from pytabkit.models.nn_models.nn import PLREmbeddingsLayerCosBias

torch.set_default_dtype(torch.float64)
ROWS, INPUTS, CLASSES, STEPS = 24, 3, 3, 10


def rows(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, INPUTS, generator=generator)
    y = torch.randint(0, CLASSES, (ROWS,), generator=generator)
    return x.float().double(), y


def plain(tensors):
    return {name: {"shape": list(t.shape), "values": t.detach().flatten().tolist()} for name, t in tensors.items()}


def rounded(parameters):
    """Rounds parameters to float32, in which gradlane reads them."""
    with torch.no_grad():
        for p in parameters:
            p.copy_(p.float().double())


def run(name, chain, outputs, parameters, named, optimizer, spec, lr, seed):
    """Initial outputs and gradients, then the steps; `outputs` returns [rows, members, classes]."""
    x, y = rows(seed)

    def loss():
        z = outputs(x)
        return torch.nn.functional.cross_entropy(z.flatten(0, 1), y.repeat_interleave(z.shape[1]))

    case = {"name": name, "chain": chain, "optimizer": spec, "lr": lr, "x": x.flatten().tolist(), "y": y.tolist()}
    case["init"] = plain(named(lambda p: p))
    case["outputs"] = outputs(x).detach().flatten().tolist()
    losses = []
    for step in range(STEPS):
        for p in parameters:
            p.grad = None
        value = loss()
        value.backward()
        losses.append(float(value.detach()))
        if step == 0:
            case["gradients"] = plain(named(lambda p: p.grad))
        optimizer()
    return case | {"losses": losses, "end": plain(named(lambda p: p)), "weight_decay": 0.0}


def adamw(parameters, lr, decay):
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=decay)
    return lambda: optimizer.step()


def tabm_case(arch, embedded, seed):
    torch.manual_seed(seed)
    x, _ = rows(seed)
    bins = [b.float().double() for b in rtdl_num_embeddings.compute_bins(x, n_bins=5)] if embedded else None
    embeddings = None
    if embedded:
        embeddings = rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, 4, activation=False, version="B")
    model = tabm.TabM.make(n_num_features=INPUTS, num_embeddings=embeddings, d_out=CLASSES, k=5, n_blocks=2, d_block=8,
                           dropout=0.0, arch_type=arch)
    with torch.no_grad():
        for p in model.parameters():  # so that no initial value, such as 0 or 1, hides a mistake
            p.add_(0.1 * torch.randn_like(p))
    rounded(model.parameters())
    parts = dict(model.named_parameters())
    chain, names = [], {}

    def add(layer, **tensors):
        for part, make in tensors.items():
            names[f"network.{len(chain)}.{part}"] = make
        chain.append(layer)

    def take(name):
        return lambda of: of(parts[name])

    if embedded:
        columns = lambda of: torch.cat([of(parts["num_module.linear0.weight"])[:, :, None],
                                        of(parts["num_module.linear.weight"]).transpose(1, 2)], dim=2)
        add({"kind": "ple", "dim": 4, "inputs": list(range(INPUTS)), "bins": [b.tolist() for b in bins]},
            weight=columns, bias=take("num_module.linear0.bias"))
    add({"kind": "expand", "members": 5})
    if arch == "tabm-mini":
        add({"kind": "adapter"}, weight=take("backbone.affine.weight"))
    for block in range(2):
        name = f"backbone.blocks.{block}.0"
        if arch == "tabm-mini":
            add({"kind": "linear", "outputs": 8}, weight=take(f"{name}.weight"), bias=take(f"{name}.bias"))
        else:
            add({"kind": "adapter"}, weight=take(f"{name}.r"))
            add({"kind": "linear", "outputs": 8, "bias": False}, weight=take(f"{name}.weight"))
            add({"kind": "adapter", "shift": 0.1}, weight=take(f"{name}.s"), bias=take(f"{name}.bias"))
        add({"kind": "activation", "function": "relu"})
    add({"kind": "linear", "outputs": CLASSES, "members": True},
        weight=lambda of: of(parts["output.weight"]).transpose(1, 2), bias=take("output.bias"))
    parameters = list(model.parameters())
    named = lambda of: {name: make(of) for name, make in names.items()}
    name = arch + (" in pieces" if embedded else "")
    return run(name, chain, lambda x: model(x), parameters, named, adamw(parameters, 0.01, 0.05),
               "adamw:weight_decay=0.05", 0.01, seed)


def realmlp_case(seed):
    """Factors of the learning rate: embedding 0.1, gains 6, biases 0.1, strengths 0.1. Decay is 0.02, except for biases."""
    torch.manual_seed(seed)
    waves, dim, width, lr, decay = 6, 4, 8, 0.02, 0.02
    features = INPUTS * dim
    p = {"w": torch.randn(INPUTS, 1, waves) * 0.3, "b": torch.rand(INPUTS, 1, waves) * 6 - 3,
         "a": torch.randn(INPUTS, waves, dim - 1) * 0.3, "c": torch.randn(INPUTS, 1, dim - 1) * 0.3,
         "gain": 1 + 0.1 * torch.randn(features),
         "w1": torch.randn(features, width) / math.sqrt(features), "b1": torch.randn(width), "s1": 1 + 0.1 * torch.randn(width),
         "w2": torch.randn(width, CLASSES) / math.sqrt(width), "b2": torch.randn(CLASSES)}
    p = {name: value.float().double() for name, value in p.items()}
    roots = {"w1": math.sqrt(features), "w2": math.sqrt(width)}
    kept = {name: (value * roots.get(name, 1.0)).requires_grad_() for name, value in p.items()}  # as pytabkit stores them
    rates = {"w": 0.1, "b": 0.1, "a": 0.1, "c": 0.1, "gain": 6.0, "b1": 0.1, "b2": 0.1, "s1": 0.1}

    def outputs(x):
        layer = PLREmbeddingsLayerCosBias.__new__(PLREmbeddingsLayerCosBias)
        torch.nn.Module.__init__(layer)
        layer.weight_1, layer.bias_1 = kept["w"], kept["b"]
        layer.weight_2, layer.bias_2 = kept["a"], kept["c"]
        layer.plr_act_name, layer.plr_use_densenet = "linear", True
        e = layer.forward_cont(x)
        v, x = e[:, :INPUTS * (dim - 1)].reshape(-1, INPUTS, dim - 1), e[:, INPUTS * (dim - 1):]
        h = torch.cat([x[:, :, None], v], dim=2).flatten(1) * kept["gain"]
        h = h @ kept["w1"] / roots["w1"] + kept["b1"]
        h = h + kept["s1"] * (torch.nn.functional.selu(h) - h)
        return (h @ kept["w2"] / roots["w2"] + kept["b2"])[:, None, :]

    groups = [{"params": [kept[name]], "lr": lr * rates.get(name, 1.0)} for name in kept]
    adam = torch.optim.Adam(groups, betas=(0.9, 0.95), eps=1e-16)

    def step():
        with torch.no_grad():
            for name, value in kept.items():
                if name not in ("b1", "b2", "b", "c"):
                    factor = rates.get(name, 1.0)
                    value.mul_(1 - decay * lr * factor * factor)
        adam.step()

    def named(of):
        is_gradient = of(kept["w1"]) is not kept["w1"]
        def take(name):
            value = of(kept[name])
            root = roots.get(name, 1.0)
            return value * root if is_gradient else value / root
        return {"network.0.waves.weight": take("w").transpose(1, 2), "network.0.waves.bias": take("b")[:, 0],
                "network.0.weight": take("a").transpose(1, 2), "network.0.bias": take("c")[:, 0],
                "network.1.weight": take("gain"), "network.2.weight": take("w1").T, "network.2.bias": take("b1"),
                "network.3.weight": take("s1"), "network.4.weight": take("w2").T, "network.4.bias": take("b2")}

    tenth, six = {"lr": 0.1, "decay": 0.1, "decays": True}, {"lr": 6.0, "decay": 6.0, "decays": True}
    chain = [{"kind": "pbld", "dim": dim, "frequencies": waves, "inputs": list(range(INPUTS)), "learn": {"lr": 0.1, "decay": 0.1}},
             {"kind": "scale", "learn": six},
             {"kind": "linear", "outputs": width, "ntk": True, "learn": {"bias": {"lr": 0.1}}},
             {"kind": "mix", "function": "selu", "learn": tenth},
             {"kind": "linear", "outputs": CLASSES, "ntk": True, "learn": {"bias": {"lr": 0.1}}}]
    case = run("realmlp", chain, outputs, list(kept.values()), named, step, "adam:beta2=0.95,eps=1e-16", lr, seed)
    return case | {"weight_decay": decay}


packages = {name: version(name) for name in ("torch", "tabm", "rtdl_num_embeddings", "pytabkit")}
cases = [tabm_case("tabm", False, 1), tabm_case("tabm-mini", False, 2), tabm_case("tabm", True, 3),
         tabm_case("tabm-mini", True, 4), realmlp_case(5)]
out = pathlib.Path(__file__).with_name("recipes.json")
out.write_text(json.dumps({"packages": packages, "rows": ROWS, "inputs": INPUTS, "cases": cases}) + "\n")
for case in cases:
    print(case["name"], case["losses"][0], case["losses"][-1])
