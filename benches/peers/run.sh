#!/usr/bin/env bash
# Times gradlane and its peers on the same work, alternately, and writes the table of BENCHMARKS.md.
#
#   benches/peers/run.sh [--rounds N] [--workloads "iris digits"] [--optimizer adam|sgd|rmsprop] [--threads "1 2"]
#                        [--no-rust] [--no-write]
#
# Each round runs each program once on each workload, so all programs run under similar conditions. gradlane, which takes
# least time, runs before and after the others. If several numbers of threads are given, the best median counts.
# Measurements are kept in benches/peers/rounds until the next run. Run it on an otherwise idle machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=3 optimizer=adam rust=yes write=yes
workloads="iris digits mnist mnist-128 wide tabular deep huge"
cpus=$(nproc)
threads=$([ "$cpus" -gt 1 ] && echo "1 $cpus" || echo 1)
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --workloads) workloads=$2; shift 2 ;;
        --optimizer) optimizer=$2; shift 2 ;;
        --threads) threads=$2; shift 2 ;;
        --no-rust) rust=no; shift ;;
        --no-write) write=no; shift ;;
        *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

# PEERS_VENV names an existing environment.
venv=${PEERS_VENV:-$here/.venv}
if [ -z "${PEERS_VENV:-}" ] && [ ! -e "$venv/complete" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
    touch "$venv/complete"
fi
cargo build --release --quiet --manifest-path "$root/Cargo.toml"
if [ $rust = yes ]; then
    cargo build --release --quiet --manifest-path "$here/rust/Cargo.toml"
fi

results=$here/rounds
rm -rf "$results"
mkdir "$results"
# Records the lines of a program. A program that fails is reported and left out.
record() {
    if ! "$@" >>"$results/$round.jsonl"; then
        echo "failed: $*" >&2
    fi
}
python() { record "$venv/bin/python" "$here/$1" "${@:2}" --optimizer "$optimizer"; }
# JAX uses as many threads as the process has CPUs.
python_on() { record taskset -c "0-$(($1 - 1))" "$venv/bin/python" "$here/$2" "${@:3}" --optimizer "$optimizer"; }
# The peers' SGD has a momentum of 0.9, which gradlane calls momentum.
own=$([ "$optimizer" = sgd ] && echo momentum || echo "$optimizer")
gradlane() {
    record "$root/target/release/gradlane" bench --json --workload "$1" --optimizer "$own" --threads "${threads// /,}"
}

for round in $(seq -w "$rounds"); do
    for workload in $workloads; do
        echo "round $round of $rounds: $workload" >&2
        gradlane "$workload"
        for n in $threads; do
            for form in step scan; do
                python_on "$n" jax_mlp.py --workload "$workload" --form $form
            done
            for form in eager fused compiled; do
                python torch_mlp.py --workload "$workload" --threads "$n" --form $form
            done
            if [ "$optimizer" = adam ]; then
                python sklearn_mlp.py --workload "$workload" --threads "$n" --epochs 2
            fi
            if [ $rust = yes ] && [ "$optimizer" = adam ]; then
                for peer in candle burn; do
                    record "$here/rust/target/release/gradlane-peers" $peer "$workload" "$n"
                done
            fi
        done
        for program in "$here"/optional/*.sh; do # peers that exist only on some machines
            [ -e "$program" ] && record "$program" "$workload" "$optimizer"
        done
        gradlane "$workload"
    done
done

table=("$venv/bin/python" "$here/table.py" "$results"/*.jsonl --version "$("$root/target/release/gradlane" --version)")
if [ $write = yes ]; then
    "${table[@]}" --into "$root/BENCHMARKS.md"
fi
"${table[@]}"
