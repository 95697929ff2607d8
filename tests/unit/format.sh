#!/bin/bash
# Every C file is formatted as .clang-format says: `clang-format -i FILE` mends it.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find rules certs webhook tests -name '*.[ch]' | LC_ALL=C sort)
if [ "${#files[@]}" -lt 20 ]; then
    echo "format: only ${#files[@]} source files found; is this the repository?" >&2
    exit 1
fi
clang-format --dry-run -Werror "${files[@]}"
echo "format: ${#files[@]} files in order"
