#!/bin/bash
# README says what is so: commands over files of the repository print what stands there, the policy is one, and every path
# it names is there. The table of rules is tests/integration/rules.sh's.
#   tests/integration/readme.sh BUILD_DIRECTORY
set -uo pipefail
build=${1:?usage: tests/integration/readme.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.." || exit 1
. tests/support/shell.sh

# Blocks of four spaces, one a file: $work/block.N
awk -v out="$work/block." '
/^    / { if (!inside) n++; inside = 1; sub(/^    /, ""); print > (out n); next }
/^$/ && inside { held = held "\n"; inside = 0; next }
{ inside = 0 }' README.md

shown=0
for block in "$work"/block.*; do
    first=$(head -n 1 "$block")
    # What a reader types; over files that are a reader's own (vm.yaml, cluster/) there is nothing to compare.
    case $first in
    "$ livegate check manifests/"*)
        read -ra words <<<"${first#\$ livegate }"
        run "$livegate" "${words[@]}"
        expect_eq "README: $first" "$(tail -n +2 "$block")" "$out"
        shown=$((shown + 1))
        ;;
    "apiVersion: livegate.io/v1")
        run "$livegate" policy "$block"
        expect_status 0
        shown=$((shown + 1))
        ;;
    esac
done
expect_eq "examples of README that were tried" 3 "$shown"

paths=0
while read -r path; do
    paths=$((paths + 1))
    expect_eq "README names $path" there "$([ -e "$path" ] && echo there)"
done < <(grep -oE '(rules|certs|webhook|manifests|tests)/[a-z0-9_./-]*[a-z0-9]' README.md | LC_ALL=C sort -u)
[ "$paths" -ge 30 ] || expect_eq "paths found in README" "30 or more" "$paths"

finish
