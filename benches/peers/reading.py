"""Times reading a table in gradlane and in polars, alternately: the same numbers as CSV and as Parquet.

    python3 -m venv venv && venv/bin/pip install polars numpy
    venv/bin/python benches/peers/reading.py [--megabytes 1000] [--rounds 5] [--threads 2]

gradlane's time is that of `gradlane inspect FILE`: start, reading, detection of dates, levels and the header, and statistics of each
column. polars' time is that of read_csv or read_parquet in a running process, without and with describe(), which has about the same
statistics, except for the numbers of distinct values. Prints the medians, their ratios, and the peak memory of gradlane divided by 8
bytes a cell.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


MEASURE = """
import os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - began, usage.ru_maxrss)
sys.exit(status != 0)
"""


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--program", default="target/release/gradlane")
    return parser.parse_args()


def write(folder, megabytes, columns):
    """Writes a table of normal random numbers; returns the number of its rows."""
    import numpy
    import polars

    rows = megabytes * 1_000_000 // (columns * 9)
    random = numpy.random.default_rng(1)
    names = [f"x{n}" for n in range(columns - 1)] + ["y"]
    table = polars.DataFrame({name: random.standard_normal(rows).round(6) for name in names})
    table.write_csv(folder / "table.csv")
    table.write_parquet(folder / "table.parquet", compression="zstd")
    return rows


def timed_program(program, file, threads):
    """Seconds and peak memory in bytes of one run of the program."""
    command = [program, "inspect", file]
    environment = os.environ | {"GRADLANE_THREADS": str(threads)}
    # A small process starts the program, because the peak memory of a child includes the size of its parent at the start.
    report = subprocess.run([sys.executable, "-c", MEASURE, *command], env=environment, capture_output=True, text=True)
    if report.returncode != 0:
        sys.exit(f"{command} failed")
    seconds, kilobytes = report.stdout.split()
    return float(seconds), int(kilobytes) * 1024


def timed_polars(file):
    import polars

    began = time.perf_counter()
    table = polars.read_csv(file) if file.endswith(".csv") else polars.read_parquet(file)
    seconds = time.perf_counter() - began
    assert table.describe().height > 0
    return seconds, time.perf_counter() - began


def main():
    options = arguments()
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = write(folder, options.megabytes, options.columns)
        for form in ["csv", "parquet"]:
            file = str(folder / f"table.{form}")
            ours, theirs, described, memory = [], [], [], 0
            for _ in range(options.rounds):
                read, all_of_it = timed_polars(file)
                theirs.append(read)
                described.append(all_of_it)
                seconds, peak = timed_program(options.program, file, options.threads)
                ours.append(seconds)
                memory = max(memory, peak)
            ours, theirs, described = (statistics.median(times) for times in (ours, theirs, described))
            size = pathlib.Path(file).stat().st_size / 1e6
            print(
                f"{form:8} {size:7.0f} MB, {rows} x {options.columns}: gradlane {ours:.2f} s, polars {theirs:.2f} s, with describe() "
                f"{described:.2f} s, speed {theirs / ours:.2f} and {described / ours:.2f} of polars', memory {memory / (8 * rows * options.columns):.2f} x 8 bytes a cell"
            )


if __name__ == "__main__":
    main()
