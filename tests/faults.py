#!/usr/bin/env python3
"""Makes system calls fail, one after the other, and looks at what is left: `faults.py GRADLANE [--every N] [VERB…]`.

Each verb that writes runs once for every call that it makes of some kinds, and that call fails: a write with ENOSPC, a sync and a read with
EIO, a rename, a new file and a new directory with EACCES. strace makes them fail; it counts calls for each thread, so the N-th call of every
thread fails. Then each verb runs on small file systems that are full after some kilobytes, where this user may mount them.

Afterwards the verb has ended with exit code 0 and written what an undisturbed run writes, or with 5 and a message; a checkpoint alone may be
missing. What was there before is as it was, or replaced by what an undisturbed run writes. No temporary file is left, and nothing hangs.

--every N tries each N-th call alone. Needs Linux, strace and Python.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
IRIS = str(ROOT / "datasets" / "iris.csv")
# Kinds of calls, and the error of each.
FAULTS = {
    "write": ("write,pwrite64,writev,pwritev,copy_file_range,sendfile,ftruncate,fallocate", "ENOSPC"),
    "sync": ("fsync,fdatasync,syncfs,sync_file_range", "EIO"),
    "read": ("read,pread64,readv", "EIO"),
    "rename": ("rename,renameat,renameat2,link,linkat", "EACCES"),
    "make": ("mkdir,mkdirat", "EACCES"),
    "remove": ("unlink,unlinkat,rmdir", "EACCES"),
}
SECONDS = 60
TRAIN = ["train", IRIS, "--epochs", "3", "--preset", "plain", "-q", "-j", "2"]

# For each verb: what is made beforehand, the arguments, and the outputs that an undisturbed run writes the same every time.
Case = collections.namedtuple("Case", "before arguments outputs")
CASES = {
    "train": Case([], [*TRAIN, "-o", "run"], ["run/model.safetensors"]),
    "overwrite": Case(
        [[*TRAIN, "--seed", "7", "-o", "run"]], [*TRAIN, "-o", "run", "--overwrite"], ["run/model.safetensors"]
    ),
    "resume": Case(
        [[*TRAIN, "-o", "run"]], ["resume", "run", "--epochs", "5", "-q"], ["run/model.safetensors"]
    ),
    "ensemble": Case([], [*TRAIN, "--ensemble", "2", "-o", "run"], ["run/model.safetensors"]),
    "tune": Case(
        [], ["tune", IRIS, "--budget", "2", "--epochs", "2", "--preset", "plain", "-q", "-o", "found"], []
    ),
    "compare": Case(
        [],
        ["compare", IRIS, *"--optimizer sgd --optimizer adam --steps 9 --studies 2 --trials 2 --seeds 1 -q -o runs".split()],
        [],
    ),
    "lr-find": Case([], ["lr-find", IRIS, "-q"], []),
    "init": Case([], ["config", "init", "-o", "new.toml"], ["new.toml"]),
    "predict": Case(
        [[*TRAIN, "-o", "run"], ["data", "convert", IRIS, "out.csv"]],
        ["predict", "run", IRIS, "-o", "out.csv"],
        ["out.csv"],
    ),
    "convert": Case([], ["data", "convert", IRIS, "iris.parquet"], ["iris.parquet"]),
    "pack": Case([], ["data", "pack", IRIS, "-o", "iris.pack"], ["iris.pack"]),
    "split": Case([], ["data", "split", IRIS, "--test", "0.2", "-o", "parts"], ["parts/train.csv"]),
    "synth": Case([], ["data", "synth", "moons", "moons.csv"], ["moons.csv"]),
    "onnx": Case([[*TRAIN, "-o", "run"]], ["export", "run", "--to", "onnx", "-o", "model.onnx"], ["model.onnx"]),
    "c": Case([[*TRAIN, "-o", "run"]], ["export", "run", "--to", "c", "-o", "model.c"], ["model.c"]),
    "json": Case([[*TRAIN, "-o", "run"]], ["export", "run", "--to", "json", "-o", "model.json"], ["model.json"]),
    "npz": Case([[*TRAIN, "-o", "run"]], ["export", "run", "--to", "npz", "-o", "model.npz"], ["model.npz"]),
}


def call(program, arguments, folder, wrapper=()):
    """Exit code and what is said; a negative code for a signal, None where it hangs."""
    command = [*wrapper, program, *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stderr.decode(errors="replace")


def files(folder):
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def meaning(content):
    """The bytes of a file that do not depend on the clock: of a model those of its tensors."""
    if content and content[8:10] == b"{\"":
        return content[8 + int.from_bytes(content[:8], "little") :]
    return content


def prepared(program, case, folder):
    for arguments in case.before:
        code, said = call(program, arguments, folder)
        if code != 0:
            sys.exit(f"{arguments} ended with {code}: {said}")


class Verb:
    """A verb, what it starts from and what it writes undisturbed."""

    def __init__(self, program, name):
        self.program, self.name, self.case = program, name, CASES[name]
        self.folder = tempfile.TemporaryDirectory(prefix="faults-")
        base = pathlib.Path(self.folder.name)
        self.start = base / "start"
        self.start.mkdir()
        prepared(program, self.case, self.start)
        shutil.copytree(self.start, base / "whole")
        code, said = call(program, self.case.arguments, base / "whole")
        if code != 0:
            sys.exit(f"{name} ended undisturbed with {code}: {said}")
        self.before, self.whole = files(self.start), files(base / "whole")

    def calls(self, kind):
        """The most calls of a kind that a thread makes."""
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            shutil.copytree(self.start, folder, dirs_exist_ok=True)
            log = pathlib.Path(folder).parent / (pathlib.Path(folder).name + ".log")
            call(self.program, self.case.arguments, folder, ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=" + FAULTS[kind][0]])
            lines = log.read_text(errors="replace").splitlines()
            log.unlink()
        threads = collections.Counter(line.split()[0] for line in lines if "resumed>" not in line)
        return max(threads.values(), default=0)

    def judge(self, kind, folder, code, said):
        """What is wrong after a run that was disturbed; nothing where all is well."""
        after = files(folder)
        left = [name for name in after if ".tmp" in name]
        if code is None:
            return "it hangs"
        if code == 127 and "shared libraries" in said:
            return None  # the program was never loaded
        if code not in (0, 5):
            return f"exit code {code}: {said[-300:]}"
        # Where the write that fails is that of the message, nothing can be told.
        if code == 5 and "gradlane: " not in said and kind != "write":
            return f"no error is told: {said[-300:]}"
        if left and kind != "remove":
            return f"left behind: {left}"
        for name in self.case.outputs:
            found, whole, before = (meaning(of.get(name)) for of in (after, self.whole, self.before))
            if found not in ([whole] if code == 0 else [whole, before]):
                return f"exit code {code}, and {name} is {'gone' if found is None else f'another, {len(found)} bytes'}"
        for name in self.before:
            if name not in self.whole and name not in after:
                return f"{name} is gone"
        return None

    def disturbed(self, kind, number):
        """Runs with the calls of that number failing; exit code and what is wrong."""
        calls, error = FAULTS[kind]
        wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={number}"]
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            shutil.copytree(self.start, folder, dirs_exist_ok=True)
            code, said = call(self.program, self.case.arguments, folder, wrapper)
            return code, self.judge(kind, folder, code, said)

    def on_full_disk(self, kilobytes):
        """Runs on a file system with so much room beside what is there."""
        script = f'mount -t tmpfs -o size={kilobytes}k none "$1" && cp -r "$2"/. "$1"; cd "$1"; shift 2; "$@" >/dev/null; code=$?; ' \
            'cp -r . "$OUT"; exit $code'
        with tempfile.TemporaryDirectory(prefix="faults-") as folder, tempfile.TemporaryDirectory(prefix="faults-") as out:
            command = ["unshare", "-m", "sh", "-c", script, "sh", folder, str(self.start), self.program, *self.case.arguments]
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=os.environ | {"OUT": out})
            return done.returncode, self.judge("full disk", out, done.returncode, done.stderr.decode(errors="replace"))


def rooms(verb):
    """Some forty sizes of a file system in kilobytes: from what is there before to more than the verb needs."""
    least, most = (sum(-(-len(content) // 4096) * 4 for content in of.values()) for of in (verb.before, verb.whole))
    most = 2 * most + 64
    return range(least + 8, most, max(4, (most - least) // 40))


def may_mount():
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("verbs", nargs="*", default=list(CASES))
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    program = str(options.program.resolve())
    if shutil.which("strace") is None:
        sys.exit("strace is needed")
    wrong, tried, failed = [], 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name in options.verbs or CASES:
            verb = Verb(program, name)
            points = [(kind, n) for kind in FAULTS for n in range(1, verb.calls(kind) + 1)][:: options.every]
            found = list(pool.map(lambda point: (point, verb.disturbed(*point)), points))
            if may_mount():
                full = lambda room: (("full disk", room), verb.on_full_disk(room))
                found += list(pool.map(full, rooms(verb)[:: options.every]))
            bad = [(name, *point, what) for point, (_, what) in found if what]
            noticed = sum(code != 0 for _, (code, _) in found)
            print(f"{name}: {len(found)} faults, {noticed} ended with an error, {len(bad)} wrong", flush=True)
            wrong, tried, failed = wrong + bad, tried + len(found), failed + noticed
    for line in wrong:
        print("WRONG", *line)
    print(f"{tried} faults, {failed} ended with an error, {len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
