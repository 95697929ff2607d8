#!/bin/bash
# clang-tidy over everything that the build compiles, as .clang-tidy says. Slow: minutes, not seconds.
# Called with the build directory (its compile_commands.json says how each file is compiled).
set -euo pipefail
build=${1:?usage: tests/unit/tidy.sh BUILD_DIRECTORY}
cd "$(dirname "$0")/../.."
root=$PWD

# clang does not know all of gcc's flags; none of these changes what the code means.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/out
sed -E 's/ -(ftrivial-auto-var-init|fzero-init-padding-bits|fstrict-flex-arrays|fsanitize|fno-sanitize-recover)=[^ "]*//g' \
    "$build/compile_commands.json" >"$work/compile_commands.json"
status=0
# Sources only; generated files and tests are judged by the compiler and by what they assert.
run-clang-tidy -quiet -j "$(nproc)" -p "$work" "^$root/(rules|certs|webhook)/" >"$out" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    grep -E '(warning|error|note):|^Error' "$out" || cat "$out"
    echo "tidy: not clean"
    exit 1
fi
echo "tidy: clean"
