#!/bin/bash
# Every header compiles alone, with warnings as errors: what it needs, it includes.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t headers < <(find rules certs webhook tests -name '*.h' | LC_ALL=C sort)
if [ "${#headers[@]}" -lt 10 ]; then
    echo "headers: only ${#headers[@]} headers found; is this the repository?" >&2
    exit 1
fi
cflags=$(pkg-config --cflags jansson libmicrohttpd cmocka)

failed=0
for header in "${headers[@]}"; do
    # shellcheck disable=SC2086  # flags are words
    if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        gcc -std=gnu17 -D_GNU_SOURCE -DLG_VERSION='"0"' -I. $cflags -Wall -Wextra -Wstrict-prototypes -Wundef \
            -Werror -fsyntax-only -x c -; then
        echo "headers: $header does not compile alone" >&2
        failed=$((failed + 1))
    fi
done
echo "headers: ${#headers[@]} compiled alone, $failed failed"
[ "$failed" -eq 0 ]
