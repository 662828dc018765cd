"""JAX with optax on the CPU: a compiled call for every step, or one scan over the whole epoch. One JSON line a workload.

JAX takes as many threads as the process has CPUs; `taskset` gives it fewer.
"""
import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy
import optax

import common

parser = common.flags(__doc__)
parser.add_argument("--form", choices=["step", "scan"], default="step")
args = parser.parse_args()

RULES = {"sgd": optax.sgd(0.01, momentum=0.9), "rmsprop": optax.rmsprop(0.01), "adam": optax.adam(0.001)}
rule = optax.chain(optax.clip_by_global_norm(args.clip_norm), RULES[args.optimizer])


def initial(layers, rng):
    shapes = zip(layers, layers[1:])
    return [(jnp.asarray(rng.normal(0, (2 / i) ** 0.5, (i, o)), jnp.float32), jnp.zeros(o)) for i, o in shapes]


def loss_of(parameters, x, y):
    *hidden, (weight, bias) = parameters
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    z = x @ weight + bias
    if y.ndim == 1:
        return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
    return ((z - y) ** 2).mean()


for name in args.workload:
    layers, batch, rows, task = common.WORKLOADS[name]
    rng = numpy.random.default_rng(0)
    inputs, targets = map(jnp.asarray, common.arrays(numpy, layers, rows, task))
    parameters = initial(layers, rng)
    state = rule.init(parameters)

    def step(parameters, state, index):
        loss, grads = jax.value_and_grad(loss_of)(parameters, inputs[index], targets[index])
        updates, state = rule.update(grads, state, parameters)
        return optax.apply_updates(parameters, updates), state, loss

    one_step = jax.jit(step, donate_argnums=(0, 1))

    @partial(jax.jit, donate_argnums=(0, 1))
    def whole_epoch(parameters, state, batches):
        def body(carry, index):
            parameters, state, loss = step(*carry, index)
            return (parameters, state), loss

        (parameters, state), losses = jax.lax.scan(body, (parameters, state), batches)
        return parameters, state, losses.mean()

    def epoch():
        global parameters, state
        batches = rng.permutation(rows).reshape(-1, batch)
        if args.form == "scan":
            parameters, state, loss = whole_epoch(parameters, state, jnp.asarray(batches))
        else:
            for index in batches:
                parameters, state, loss = one_step(parameters, state, index)
        jax.block_until_ready((parameters, loss))

    threads = len(os.sched_getaffinity(0))
    common.report(f"jax-{args.form}", jax.__version__, name, args, threads, common.time_epochs(epoch, args.epochs))
