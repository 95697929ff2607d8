#!/bin/bash
# Every C file is formatted as .clang-format says (`clang-format -i FILE` mends it), and no line has more than 100 columns:
# comments and long strings clang-format leaves as they are.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find rules certs webhook tests -name '*.[ch]' | LC_ALL=C sort)
if [ "${#files[@]}" -lt 20 ]; then
    echo "format: only ${#files[@]} source files found; is this the repository?" >&2
    exit 1
fi
clang-format --dry-run -Werror "${files[@]}"
if LC_ALL=C.UTF-8 grep -nE '^.{101,}' "${files[@]}"; then
    echo "format: these lines have more than 100 columns" >&2
    exit 1
fi
echo "format: ${#files[@]} files in order"
