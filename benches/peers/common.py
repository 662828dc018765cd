"""What the peers' scripts share: the workloads, their flags, timing by the epoch, and the line that is printed."""
import argparse
import json
import statistics
import time

# As in `src/experiment/workloads.rs`.
WORKLOADS = {
    "iris": ([4, 16, 3], 16, 4096, "classify"),
    "digits": ([64, 128, 64, 10], 32, 8192, "classify"),
    "mnist": ([784, 128, 10], 32, 16384, "classify"),
    "mnist-128": ([784, 256, 128, 10], 128, 16384, "classify"),
    "wide": ([784, 1024, 1024, 10], 256, 8192, "classify"),
    "tabular": ([28, 512, 512, 512, 1], 512, 32768, "regress"),
    "deep": ([64] + [256] * 6 + [10], 256, 16384, "classify"),
    "huge": ([784, 2048, 2048, 2048, 10], 1024, 4096, "classify"),
}


def flags(description):
    """The flags of every script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--workload", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--clip-norm", type=float, default=1.0)
    parser.add_argument("--optimizer", default="adam", choices=["sgd", "rmsprop", "adam"])
    return parser


def arrays(numpy, layers, rows, task):
    """Inputs and targets without anything to learn in them; the same work as `gradlane bench`."""
    rng = numpy.random.default_rng(0)
    inputs = rng.random((rows, layers[0]), dtype=numpy.float32)
    if task == "classify":
        return inputs, rng.integers(0, layers[-1], rows)
    return inputs, rng.random((rows, layers[-1]), dtype=numpy.float32)


def time_epochs(epoch, epochs):
    """Median seconds of `epoch()`, which must wait for its work to end; the first, which may compile, does not count."""
    epoch()
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def report(peer, version, workload, args, threads, seconds):
    """One JSON line, with the names of `gradlane bench --json`."""
    _, batch, rows, _ = WORKLOADS[workload]
    steps = -(-rows // batch)
    line = {"peer": peer, "version": version, "workload": workload, "threads": threads, "optimizer": args.optimizer}
    line |= {"samples_per_s": round(rows / seconds), "us_per_step": round(seconds / steps * 1e6, 2)}
    print(json.dumps(line), flush=True)
