"""Medians of all rounds as one Markdown table, printed or written between the marks of a file."""
import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import statistics
import tomllib

import common

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


def read(path):
    """`{workload: {peer: (best median µs a step, its threads)}}`, and the versions, optimizers and numbers of threads seen."""
    samples, versions, optimizers, limits = collections.defaultdict(list), {}, set(), set()
    runs = collections.Counter()
    for line in pathlib.Path(path).read_text().splitlines():
        run = json.loads(line)
        peer = run.get("peer", "gradlane")
        samples[run["workload"], peer, run.get("threads_used", run["threads"])].append(run["us_per_step"])
        limits.add(run["threads"])
        runs[run["workload"], peer, run["threads"]] += 1
        name = peer.split("-")[0]
        versions[name] = run.get("version") or of_crates().get(name)
        optimizers |= {run["optimizer"]} if "peer" in run else set()
    best = collections.defaultdict(dict)
    for (workload, peer, threads), times in samples.items():
        candidate = (statistics.median(times), threads)
        best[workload][peer] = min(candidate, best[workload].get(peer, candidate))
    return best, versions, optimizers, limits, max(runs.values(), default=0)


def of_crates():
    """Versions of the Rust peers, which cannot tell them themselves."""
    lock = tomllib.loads((pathlib.Path(__file__).parent / "rust/Cargo.lock").read_text())
    locked = {package["name"]: package["version"] for package in lock["package"]}
    return {"burn": locked["burn"], "candle": locked["candle-core"]}


def micros(us):
    return f"{us:.2f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:,.0f}"


def machine():
    model = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, {platform.system()}"


def table(best, versions, optimizers, limits, rounds, version):
    """Rows are programs, columns workloads; the last row is the best peer's time over gradlane's."""
    workloads = [name for name in common.WORKLOADS if name in best]
    peers = sorted({peer for row in best.values() for peer in row} - {"gradlane"})
    known = ", ".join(f"{peer} {v}" for peer, v in sorted(versions.items()) if v)
    tried = " or ".join(map(str, sorted(limits)))
    lines = [
        f"{datetime.date.today()}, {machine()}. {version}; {known}.",
        f"Optimizer {', '.join(sorted(optimizers))}, clipping at norm 1. Median µs a step, rounds: {rounds}. Threads allowed:"
        f" {tried}, of which the best counts; in brackets those at work. *ratio*: the best peer's time over gradlane's.",
        "",
        "| | " + " | ".join(workloads) + " |",
        "|---" * (len(workloads) + 1) + "|",
    ]
    for peer in ["gradlane", *peers]:
        cells = [best[w].get(peer) for w in workloads]
        lines.append(f"| {peer} | " + " | ".join(f"{micros(c[0])} ({c[1]})" if c else "–" for c in cells) + " |")
    ratios = []
    for workload in workloads:
        own, others = best[workload].get("gradlane"), [c[0] for p, c in best[workload].items() if p != "gradlane"]
        ratios.append(f"**{min(others) / own[0]:.2f}**" if own and others else "–")
    lines.append("| ratio | " + " | ".join(ratios) + " |")
    return "\n".join(lines)


def write_between_marks(path, text):
    old = path.read_text()
    before, rest = old.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", help="JSON lines of all programs")
    parser.add_argument("--version", default="gradlane", help="what gradlane says of its version")
    parser.add_argument("--into", type=pathlib.Path, help="write between the marks of this file")
    args = parser.parse_args()
    text = table(*read(args.results), args.version)
    if args.into:
        write_between_marks(args.into, text)
    else:
        print(text)
