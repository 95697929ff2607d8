#!/bin/bash
# What manifests/policies promise: each is valid and without an entry that does nothing; strict refuses whatever KubeVirt
# refuses, by every rule that names a reason of KubeVirt's; the example for restores exempts whom it names, and nobody else.
#   tests/integration/policies.sh BUILD_DIRECTORY
set -uo pipefail
build=${1:?usage: tests/integration/policies.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

for file in manifests/policies/*/policy.yaml; do
    run "$livegate" policy "$file"
    expect_status 0
    expect_not_in "NEVER MATCHES" "$out"
    expect_not_in "EXPIRED" "$out"
done

run "$livegate" rules --output json
expect_status 0
list=$out
run "$livegate" policy manifests/policies/strict/policy.yaml
expect_status 0
strict=$out
reasoned=$(jq -r '.rules[] | select(.kubevirtReason != null) | .id' <<<"$list")
expect_eq "there are rules with a reason of KubeVirt's" true "$([ "$(wc -l <<<"$reasoned")" -gt 5 ] && echo true)"
for id in $reasoned LG104 LG601 LG602 LG603; do
    expect_eq "strict denies by $id" deny "$(awk -v id="$id" '$1 == id { print $3 }' <<<"$strict")"
done
expect_in "warnings at most for a VM with evictionStrategy None of its own: none" "$strict"

# A guest that declares itself immovable is refused all the same.
cat >"$work/vm.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: db, namespace: legacy}
spec:
  template:
    spec:
      evictionStrategy: None
      domain: {devices: {hostDevices: [{name: card, deviceName: vendor.example/card}]}}
YAML
run "$livegate" check "$work/vm.yaml" --policy manifests/policies/strict/policy.yaml --output json
expect_status 1
expect_eq "strict: a host device" '["LG301","deny"]' \
    "$(jq -c '.results[0].findings[] | select(.rule == "LG301") | [.rule, .action]' <<<"$out")"
run "$livegate" check "$work/vm.yaml" --policy manifests/policies/default/policy.yaml --output json
expect_status 0

run "$livegate" policy manifests/policies/restores/policy.yaml
expect_status 0
for who in velero volsync openshift-dr-system openshift-mtv; do
    expect_in "$who" "$out"
done

# What livegate policy marks.
cat >"$work/marks.yaml" <<'YAML'
apiVersion: livegate.io/v1
kind: Policy
exceptions:
- {rules: [LG101], namespace: legacy, expires: 2020-01-01T00:00:00Z, reason: "over"}
- {rules: [LG101], namespace: Legacy}
YAML
run "$livegate" policy "$work/marks.yaml"
expect_status 0
expect_in "EXPIRED: it counts no more" "$out"
expect_in "NEVER MATCHES: no namespace can have such a name" "$out"

finish
