#!/bin/bash
# clang-tidy over everything that the build compiles, as .clang-tidy says. Slow: minutes, not seconds; what was clean before
# is not looked at again.
#   tests/unit/tidy.sh BUILD_DIRECTORY      (its compile_commands.json says how each file is compiled)
#
# A file that is clean is remembered in ${XDG_CACHE_HOME:-~/.cache}/livegate/tidy, by everything that the answer hangs on:
# the program, .clang-tidy, the flags, and each byte of the file and of what it includes.
set -euo pipefail
build=$(realpath "${1:?usage: tests/unit/tidy.sh BUILD_DIRECTORY}")
cd "$(dirname "$0")/../.."
root=$PWD
clean=${XDG_CACHE_HOME:-$HOME/.cache}/livegate/tidy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$clean"
find "$clean" -type f -mtime +30 -delete

# clang does not know all of gcc's flags; none of these changes what the code means.
sed -E 's/ -(ftrivial-auto-var-init|fzero-init-padding-bits|fstrict-flex-arrays|fsanitize|fno-sanitize-recover)=[^ "]*//g' \
    "$build/compile_commands.json" >"$work/compile_commands.json"
# Sources only; generated files and tests are judged by the compiler and by what they assert.
jq -r --arg root "$root" '.[] | select(.file | test("^\($root)/(rules|certs|webhook)/")) | "\(.file)\t\(.command)"' \
    "$work/compile_commands.json" | LC_ALL=C sort -u >"$work/files"
if [ "$(wc -l <"$work/files")" -lt 20 ]; then
    echo "tidy: $build/compile_commands.json names only $(wc -l <"$work/files") of our files" >&2
    exit 1
fi
program=$(clang-tidy --version | sha256sum)

# key FILE COMMAND: one line that stands for all that clang-tidy would look at; the same in every clone.
key() {
    local flags uses sums
    flags=$(sed -E 's/^[^ ]+ //; s/ -o [^ ]+ -c [^ ]+$//' <<<"$2") &&
        uses=$(eval "clang $flags -M -MT uses '$1'") &&
        sums=$(sed -E 's/^uses://; s/ \\$//' <<<"$uses" | xargs sha256sum .clang-tidy) &&
        sed "s,$root,.,g" <<<"$program $flags $sums" | sha256sum | cut -d ' ' -f 1
}

# judge FILE<tab>COMMAND
judge() {
    local file=${1%%$'\t'*} command=${1#*$'\t'} key out status=0
    key=$(key "$file" "$command") || key=
    if [ -n "$key" ] && [ -e "$clean/$key" ]; then
        touch "$clean/$key"
        return
    fi
    out=$(clang-tidy -quiet -p "$work" "$file" 2>&1) || status=$?
    if [ "$status" -eq 0 ] && [ -n "$key" ]; then
        touch "$clean/$key"
    elif [ "$status" -ne 0 ]; then
        grep -E '(warning|error|note):|^Error' <<<"$out" || echo "$file: $out"
    fi
    echo x >>"$work/looked-at"
    return "$status"
}

export -f key judge
export root clean work program
status=0
xargs -d '\n' -P "$(nproc)" -I ENTRY bash -c 'set -euo pipefail; judge "$1"' judge ENTRY <"$work/files" || status=$?
touch "$work/looked-at"
echo "tidy: $(wc -l <"$work/files") files, $(wc -l <"$work/looked-at") of them new or changed"
if [ "$status" -ne 0 ]; then
    echo "tidy: not clean"
    exit 1
fi
echo "tidy: clean"
