#!/usr/bin/env bash
# Runs the commands of the README's ```console blocks, in order, in a scratch copy of the paths they name; training runs
# are cut short by GRADLANE_EPOCHS unless the command says itself how long it trains.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release
export PATH="$PWD/target/release:$PATH" GRADLANE_EPOCHS=1 GRADLANE_PROGRESS=none
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ln -s "$PWD/datasets" "$PWD/Cargo.toml" "$PWD/src" "$PWD/target" "$PWD/benches" "$PWD/examples" "$PWD/tests" "$scratch"
readme="$PWD/README.md"
cp .gitignore "$scratch"
cd "$scratch"
git init -q && git add -A
awk '/^```console$/{on=1; next} /^```$/{on=0} on && /^\$ /{print substr($0, 3)}' "$readme" > commands
[ -s commands ] || { echo "no commands found in README.md"; exit 1; }
while IFS= read -r command; do
    case "$command" in
        "cargo test"*) continue ;; # run by its own step
        "gradlane compare"*) command="unset GRADLANE_EPOCHS; $command" ;; # its problems have their own length
        "cargo run --release -- "*) command="gradlane ${command#cargo run --release -- }" ;;
    esac
    printf '\n$ %s\n' "$command"
    bash -euo pipefail -c "$command" > output 2> messages || { cat output messages; exit 1; }
    tail -n 3 output
done < commands
# What the commands write must not show up in `git status` of a clone.
rm -f commands output messages
seen=$(git ls-files --others --exclude-standard | head -5)
[ -z "$seen" ] || { echo "not in .gitignore: $seen"; exit 1; }
