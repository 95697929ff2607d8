#!/bin/bash
# manifests/demo/run shows what it promises, says so when an answer is another one, and leaves nothing behind.
set -uo pipefail
build=${1:?usage: tests/integration/demo.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

mkdir "$work/tmp"
export TMPDIR=$work/tmp
run env LIVEGATE="$livegate" manifests/demo/run
expect_status 0
for id in LG101 LG201 LG202 LG401 LG402 LG601 LG602; do
    expect_in "[$id] " "$out"
done
expect_in 'Error from server (Forbidden): error when creating "manifests/demo/vms/05-claim-not-shared.yaml": admission webhook "vm-create.livegate.io" denied the request: VirtualMachine web-servers/orders-db cannot be live-migrated, 1 reason:
(LG501: with evictionStrategy LiveMigrate a drain of its node waits for ever; LiveMigrateIfPossible would shut it down)
[LG101] volume "data": claim "orders-db-data" is ReadWriteOnce' "$out"
expect_in "virtualmachine.kubevirt.io/web-two-labels created" "$out"
expect_in "virtualmachineinstancemigration.kubevirt.io/shop-drain-worker-1 created" "$out"
expect_in "Warning: LG" "$out"
expect_in "livegate check my-vm.yaml --inventory manifests/demo/cluster" "$out"
expect_eq "nothing is left in TMPDIR" "" "$(ls -A "$TMPDIR")"

# The same with one manifest that expects something else.
cp -r manifests tests "$work"/ 2>/dev/null
sed -i '1s/.*/# expected: denied LG999/' "$work/manifests/demo/vms/01-two-labels.yaml"
run env LIVEGATE="$livegate" "$work/manifests/demo/run"
expect_status 1
expect_in "expected: denied LG999; got: created" "$err"
expect_in "1 answers were not the expected ones" "$err"

# A server that does not start is an error with its own words.
run env LIVEGATE=/bin/false manifests/demo/run
expect_status 1
expect_eq "nothing is left in TMPDIR" "" "$(ls -A "$TMPDIR")"

finish
