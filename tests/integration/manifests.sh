#!/bin/bash
# Every overlay of manifests/ renders, registers what the rules judge, grants what they read, and says what it should.
# tests/integration/manifests.py is the test.
set -euo pipefail
livegate=$(realpath "$1")/livegate
cd "$(dirname "$0")/../.."
command -v kubectl >/dev/null || tests/support/packages kubectl
exec /usr/bin/python3 tests/integration/manifests.py "$livegate"
