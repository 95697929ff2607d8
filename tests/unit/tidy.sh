#!/bin/bash
# clang-tidy over everything that the build compiles, as .clang-tidy says. Slow: minutes, not seconds.
# Called with the build directory (its compile_commands.json says how each file is compiled).
set -euo pipefail
build=${1:?usage: tests/unit/tidy.sh BUILD_DIRECTORY}
cd "$(dirname "$0")/../.."
root=$PWD

out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
# Sources only; generated files and tests are judged by the compiler and by what they assert.
run-clang-tidy -quiet -j 2 -p "$build" "^$root/(rules|certs|webhook)/" >"$out" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    grep -E '(warning|error|note):|^Error' "$out" || cat "$out"
    echo "tidy: not clean"
    exit 1
fi
echo "tidy: clean"
