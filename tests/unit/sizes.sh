#!/bin/bash
# The house's sizes: a file has 800 lines at most, a header 150, and a header's first comment says on which threads its
# functions may be called. Functions are clang-tidy's (tests/unit/tidy.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find rules certs webhook tests -name '*.[ch]' | LC_ALL=C sort)
if [ "${#files[@]}" -lt 20 ]; then
    echo "sizes: only ${#files[@]} source files found; is this the repository?" >&2
    exit 1
fi

LC_ALL=C awk '
function complain(what) { printf "%s: %s\n", file, what; bad++ }
function judge() {
    if (file == "") return
    if (header && lines > 150) complain(lines " lines; a header has 150 at most: what are its two concepts?")
    else if (!header && lines > 800) complain(lines " lines; a file has 800 at most")
    if (header && !threads) complain("its first comment does not say on which threads its functions may be called")
}
FNR == 1 {
    judge()
    file = FILENAME; header = file ~ /[.]h$/; threads = 0; comment = /^\/\*/
}
{ lines = FNR }
comment && tolower($0) ~ /thread/ { threads = 1 }
comment && /\*\// { comment = 0 }
END {
    judge()
    if (bad > 0) { print "sizes: " bad " of " ARGC - 1 " files are not in order"; exit 1 }
    print "sizes: " ARGC - 1 " files in order"
}' "${files[@]}"
