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

# --- what a server makes of it: answers, metrics, log lines ---
cat >"$work/served.yaml" <<'YAML'
apiVersion: livegate.io/v1
kind: Policy
exempt:
- {groups: [restorers], rules: ["*"], action: warn, reason: "restores"}
exceptions:
- {rules: [LG101], namespace: web-servers, name: "orders-.*", reason: "CHG-7", expires: 2999-01-01T00:00:00Z}
- {rules: [LG101], namespace: web-servers, name: "(a+)+[bc]"}
- {rules: [LG101], namespace: legacy, expires: 2020-01-01T00:00:00Z}
- {rules: [LG101], namespace: Legacy}
YAML
start_server "$livegate" --inventory manifests/demo/cluster --policy "$work/served.yaml"
operations=$(sed -nE 's/.*"message":"listening".*"operations":"([^"]+)".*/\1/p' "$work/server.log" | head -n 1)
# review JQ-FILTER: reviews the creation of the demo's VM with an unshared claim, changed by the filter.
review() {
    /usr/bin/python3 manifests/demo/review.py request manifests/demo/vms/05-claim-not-shared.yaml | jq "$1" >"$work/request.json"
    run curl --silent --show-error --fail --max-time 60 --cacert "$cacert" --header 'Content-Type: application/json' \
        --data-binary "@$work/request.json" --connect-to "localhost:${address##*:}:$address" \
        "https://localhost:${address##*:}/validate?timeout=10s"
    expect_status 0
}
metric() {
    curl --silent --max-time 60 "http://$operations/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}
review .
expect_eq "an exception lets it in" "true" "$(jq -r .response.allowed <<<"$out")"
expect_eq "and records it" "LG101=audit" "$(jq -r '.response.auditAnnotations.rules | split(",")[0]' <<<"$out")"
evil=$(printf 'a%.0s' $(seq 60))
review ".request.name = \"$evil\" | .request.object.metadata.name = \"$evil\""
expect_eq "a pattern that stalls is no exception" "false" "$(jq -r .response.allowed <<<"$out")"
review '.request.name = "other" | .request.object.metadata.name = "other" | .request.userInfo.groups += ["restorers"]'
expect_eq "who is exempt is warned" "true" "$(jq -r .response.allowed <<<"$out")"
expect_in "LG101" "$(jq -r '.response.warnings[]' <<<"$out")"
expect_eq "exceptions used" 1 "$(metric livegate_exceptions_used_total)"
expect_eq "patterns that hit a limit" true "$([ "$(metric livegate_policy_pattern_limits_total)" -ge 1 ] && echo true)"
expect_eq "active exceptions" 2 "$(metric 'livegate_policy_entries{part="exceptions",state="active"}')"
expect_eq "expired exceptions" 1 "$(metric 'livegate_policy_entries{part="exceptions",state="expired"}')"
expect_eq "exceptions that never match" 1 "$(metric 'livegate_policy_entries{part="exceptions",state="never-matching"}')"
expect_eq "active exemptions" 1 "$(metric 'livegate_policy_entries{part="exempt",state="active"}')"
stop_server
log=$(cat "$work/server.log")
expect_in '"pattern":"(a+)+[bc]"' "$log"
expect_in '"expired":1,"never_matching":1' "$log"

finish
