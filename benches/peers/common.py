"""Common parts of the scripts of peers: workloads, flags, timing of epochs, and the line that is printed."""
import argparse
import json
import pathlib
import statistics
import time

# The workloads of `src/experiment/workloads.rs`: layers, batch, rows, task.
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

# Least total time of the timed epochs, in seconds.
LEAST = 0.3


def flags(description):
    """A parser with the flags that all scripts have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--workload", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--clip-norm", type=float, default=1.0)
    parser.add_argument("--optimizer", default="adam", choices=["sgd", "rmsprop", "adam"])
    return parser


def arrays(numpy, layers, rows, task):
    """Random inputs and targets, which are unrelated. The work is the same as in `gradlane bench`."""
    rng = numpy.random.default_rng(0)
    inputs = rng.random((rows, layers[0]), dtype=numpy.float32)
    if task == "classify":
        return inputs, rng.integers(0, layers[-1], rows)
    return inputs, rng.random((rows, layers[-1]), dtype=numpy.float32)


def time_epochs(epoch, epochs):
    """Median seconds of `epoch()`, which must wait until its work has finished, and the stolen share of the CPU time. The
    first epoch may include compilation and is not counted. Like `gradlane bench`, it runs for at least `LEAST` seconds."""
    epoch()
    seconds, before = [], cpu_time()
    while len(seconds) < epochs or sum(seconds) < LEAST:
        start = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), stolen_between(before, cpu_time())


def cpu_time():
    """Ticks that the programs of this machine used, and ticks that the host of a virtual machine gave to others."""
    stat = pathlib.Path("/proc/stat")
    if not stat.exists():
        return None
    ticks = [int(number) for number in stat.read_text().splitlines()[0].split()[1:]]
    if len(ticks) < 8:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, stolen, *_ = ticks
    return user + nice + system + irq + softirq, stolen


def stolen_between(before, after):
    """The stolen share of the CPU time between two calls of `cpu_time`; `None` if the system does not report it."""
    if before is None:
        return None
    worked, stolen = (max(now - then, 0) for now, then in zip(after, before))
    return stolen / (worked + stolen) if worked + stolen else None


def report(peer, version, workload, args, threads, timed):
    """Prints a line of JSON with the names of `gradlane bench --json`. `timed` is the result of `time_epochs`."""
    seconds, stolen = timed
    _, batch, rows, _ = WORKLOADS[workload]
    steps = -(-rows // batch)
    line = {"peer": peer, "version": version, "workload": workload, "threads": threads, "optimizer": args.optimizer}
    line |= {"samples_per_s": round(rows / seconds), "us_per_step": round(seconds / steps * 1e6, 2), "stolen": stolen}
    print(json.dumps(line), flush=True)
