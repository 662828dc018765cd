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

# Measurements with a larger stolen share of the CPU time are reported, as in the warning of `gradlane bench`.
ROBBED = 0.05
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


def read(paths):
    """For each round, `{workload: {(peer, threads used): [(µs a step, stolen share of the CPU time)]}}`; also the versions,
    optimizers and numbers of threads that occur."""
    rounds, versions, optimizers, limits = [], {}, set(), set()
    for path in paths:
        samples = collections.defaultdict(lambda: collections.defaultdict(list))
        for line in path.read_text().splitlines():
            run = json.loads(line)
            peer = run.get("peer", "gradlane")
            found = samples[run["workload"]][peer, run.get("threads_used", run["threads"])]
            sample = run["us_per_step"], run.get("stolen")
            if sample not in found:  # one measurement may be listed for several numbers of threads
                found.append(sample)
            limits.add(run["threads"])
            name = peer.split("-")[0]
            versions[name] = run.get("version") or of_crates().get(name)
            optimizers |= {run["optimizer"]} if "peer" in run else set()
        rounds.append(samples)
    return rounds, versions, optimizers, limits


def best(rounds, workload):
    """`{peer: (median µs a step over the rounds, threads used)}`, for the fastest number of threads."""
    samples = collections.defaultdict(list)
    for of_round in rounds:
        for program, found in of_round.get(workload, {}).items():
            samples[program] += [us for us, _ in found]
    fastest = {}
    for (peer, threads), times in samples.items():
        candidate = (statistics.median(times), threads)
        fastest[peer] = min(candidate, fastest.get(peer, candidate))
    return fastest


def ratio(rounds, workload):
    """The fastest peer's time divided by gradlane's."""
    found = best(rounds, workload)
    own, peers = found.get("gradlane"), [time for peer, (time, _) in found.items() if peer != "gradlane"]
    return f"{min(peers) / own[0]:.2f}" if own and peers else "–"


def of_crates():
    """Versions of the Rust peers, which cannot report them."""
    lock = tomllib.loads((pathlib.Path(__file__).parent / "rust/Cargo.lock").read_text())
    locked = {package["name"]: package["version"] for package in lock["package"]}
    return {"burn": locked["burn"], "candle": locked["candle-core"]}


def micros(us):
    return f"{us:.2f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:,.0f}"


def theft(rounds):
    """A sentence about measurements during which the host of a virtual machine took CPU time; empty if there are none."""
    stolen = [part for of_round in rounds for found in of_round.values() for times in found.values() for _, part in times]
    known = [part for part in stolen if part is not None]
    robbed = sum(part > ROBBED for part in known)
    if not robbed:
        return ""
    return f" During {robbed} of {len(known)} measurements the host gave more than {ROBBED:.0%} of the CPU time to others."


def machine():
    model = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, {platform.system()}"


def table(rounds, versions, optimizers, limits, version):
    """The Markdown table, with programs as rows and workloads as columns. The last rows are ratios."""
    workloads = [name for name in common.WORKLOADS if any(name in of_round for of_round in rounds)]
    if not workloads:
        raise SystemExit("nothing was measured")
    times = {workload: best(rounds, workload) for workload in workloads}
    peers = sorted({peer for row in times.values() for peer in row} - {"gradlane"})
    known = ", ".join(f"{peer} {v}" for peer, v in sorted(versions.items()) if v and peer != "gradlane")
    tried = " or ".join(map(str, sorted(limits)))
    lines = [
        f"{datetime.date.today()}, {machine()}. {version}; {known}.",
        f"Optimizer {', '.join(sorted(optimizers))}, clipping at norm 1. Median µs a step, rounds: {len(rounds)}. Threads"
        f" allowed: {tried}, of which the best counts; in brackets those at work. *ratio*: the best peer's time over gradlane's;"
        f" below it that of each round by itself.{theft(rounds)}",
        "",
        "| | " + " | ".join(workloads) + " |",
        "|---" * (len(workloads) + 1) + "|",
    ]
    for peer in ["gradlane", *peers]:
        cells = [times[workload].get(peer) for workload in workloads]
        lines.append(f"| {peer} | " + " | ".join(f"{micros(c[0])} ({c[1]})" if c else "–" for c in cells) + " |")
    lines.append("| ratio | " + " | ".join(f"**{ratio(rounds, workload)}**" for workload in workloads) + " |")
    if len(rounds) > 1:
        alone = [" ".join(ratio([of_round], workload) for of_round in rounds) for workload in workloads]
        lines.append("| each round | " + " | ".join(alone) + " |")
    return "\n".join(lines)


def write_between_marks(path, text):
    old = path.read_text()
    before, rest = old.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="+", type=pathlib.Path, help="JSON lines of all programs, a file for each round")
    parser.add_argument("--version", default="gradlane", help="what gradlane says of its version")
    parser.add_argument("--into", type=pathlib.Path, help="write between the marks of this file")
    args = parser.parse_args()
    text = table(*read(args.rounds), args.version)
    if args.into:
        write_between_marks(args.into, text)
    else:
        print(text)
