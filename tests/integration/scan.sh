#!/bin/bash
# livegate scan over files: what enforce would refuse, and the forecast of a drain by KubeVirt's eviction matrix.
#   tests/integration/scan.sh BUILD_DIRECTORY
set -uo pipefail
build=${1:?usage: tests/integration/scan.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

# guest NAME STRATEGY LIVE-MIGRATABLE [SPEC]: an instance on node a; STRATEGY and LIVE-MIGRATABLE may be -.
guest() {
    echo "---"
    echo "apiVersion: kubevirt.io/v1"
    echo "kind: VirtualMachineInstance"
    echo "metadata: {name: $1, namespace: shop, labels: {kubevirt.io/domain: $1}}"
    echo "spec:"
    [ "$2" = - ] || echo "  evictionStrategy: $2"
    [ -z "${4-}" ] || echo "  $4"
    echo "  domain: {memory: {guest: 1Gi}, devices: {}}"
    echo "status:"
    echo "  phase: Running"
    echo "  nodeName: a"
    [ "$3" = - ] || echo "  conditions: [{type: LiveMigratable, status: \"$3\", reason: Because, message: of that}]"
}

{
    for node in a b c; do
        cat <<YAML
---
apiVersion: v1
kind: Node
metadata: {name: $node, labels: {kubernetes.io/hostname: $node, kubernetes.io/arch: amd64, kubevirt.io/schedulable: "true"}}
status: {conditions: [{type: Ready, status: "True"}]}
YAML
    done
    cat <<YAML
---
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
spec: {configuration: {evictionStrategy: LiveMigrate, migrations: {parallelMigrationsPerCluster: 3, parallelOutboundMigrationsPerNode: 2}}}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata: {name: under-way, namespace: shop, labels: {kubevirt.io/vmi-name: moving}}
spec: {vmiName: moving}
status: {phase: Running}
YAML
    guest stuck LiveMigrate False
    guest silent LiveMigrate -
    guest yielding LiveMigrateIfPossible False
    guest none None True
    guest external External True
    guest pinned LiveMigrate True "nodeSelector: {kubernetes.io/hostname: a}"
    guest inherits - True
    guest moving LiveMigrate True
    guest one LiveMigrate True
    guest two LiveMigrateIfPossible True
    guest three LiveMigrate True
    guest ended LiveMigrate False | sed 's/phase: Running/phase: Succeeded/'
    guest elsewhere LiveMigrate False | sed 's/nodeName: a/nodeName: b/'
} >"$work/cluster.yaml"

run "$livegate" scan --inventory "$work/cluster.yaml" --drain a --output json
expect_status 1
expect_eq "kind" "livegate.io/v1 DrainForecast a" "$(jq -r '"\(.apiVersion) \(.kind) \(.node)"' <<<"$out")"
expect_eq "every guest's fate, in order" "blocks silent,blocks stuck,noTarget pinned,waits external,shutDown none,shutDown yielding,moves inherits 1,moves one 2,moves three 2,moves two 3,moving moving" \
    "$(jq -r '[.guests[] | "\(.fate) \(.name)" + (if .turn then " \(.turn)" else "" end)] | join(",")' <<<"$out")"
expect_eq "limits, with where they come from" '[3,1,"KubeVirt kubevirt/kubevirt",2,1]' \
    "$(jq -c '.limits | [.parallelMigrationsPerCluster.limit, .parallelMigrationsPerCluster.taken, .parallelMigrationsPerCluster.source,
        .parallelOutboundMigrationsPerNode.limit, .parallelOutboundMigrationsPerNode.taken]' <<<"$out")"
expect_eq "so many at once, so many now" "[2,1]" "$(jq -c '[.atOnce, .firstNow]' <<<"$out")"
expect_eq "why: $(jq -r '.guests[] | select(.name == "stuck") | .why' <<<"$out")" \
    "evictionStrategy LiveMigrate, and it is not live-migratable (Because: of that)" \
    "$(jq -r '.guests[] | select(.name == "stuck") | .why' <<<"$out")"
expect_in "KubeVirt has not said that it can be migrated" "$(jq -r '.guests[] | select(.name == "silent") | .why' <<<"$out")"
expect_in "has no node to go to" "$(jq -r '.guests[] | select(.name == "pinned") | .why' <<<"$out")"
expect_in "forecast" "$(jq -r .caveat <<<"$out")"

run "$livegate" scan --inventory "$work/cluster.yaml" --drain a
expect_status 1
expect_in "drain of a: 11 guests: 2 would block it, 1 have no target, 1 wait for somebody else, 2 would be shut down, 4 would move, 1 are moving" "$out"
expect_in "  moves      1. shop/inherits" "$out"
expect_in "This is a forecast" "$out"
expect_not_in $'\033' "$out"
run "$livegate" scan --inventory "$work/cluster.yaml" --drain c
expect_status 0
expect_in "drain of c: 0 guests" "$out"
run "$livegate" scan --inventory "$work/cluster.yaml" --drain a --namespace other
expect_status 0
run "$livegate" scan --inventory "$work/cluster.yaml" --drain z
expect_status 3
expect_one_line "$err"
expect_in 'there is no node "z"' "$err"

sed 's/parallelOutboundMigrationsPerNode: 2/parallelOutboundMigrationsPerNode: 0/' "$work/cluster.yaml" >"$work/frozen.yaml"
run "$livegate" scan --inventory "$work/frozen.yaml" --drain a --output json
expect_eq "with a limit of 0 nothing moves" "0 6" "$(jq -r '"\(.summary.moves) \(.summary.blocks)"' <<<"$out")"

# --- what enforce would refuse ---
cat >"$work/vms.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: bridged, namespace: shop}
spec: {template: {spec: {networks: [{name: default, pod: {}}], domain: {devices: {interfaces: [{name: default, bridge: {}}]}}}}}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: clean, namespace: shop}
spec: {template: {spec: {networks: [{name: default, pod: {}}], domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}}}}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: wrong, namespace: legacy}
spec: {template: {spec: {networks: none, domain: {}}}}
YAML
printf 'apiVersion: livegate.io/v1\nkind: Policy\nmode: observe\n' >"$work/observe.yaml"
run "$livegate" scan --inventory "$work/vms.yaml" --inventory "$work/cluster.yaml" --policy "$work/observe.yaml" --output json
expect_status 1
expect_eq "kind of the report" "livegate.io/v1 ScanReport" "$(jq -r '.apiVersion + " " + .kind' <<<"$out")"
expect_eq "what enforce would do, whatever the mode" "bridged deny,clean allow,wrong deny" \
    "$(jq -r '[.results[] | select(.object.kind == "VirtualMachine") | "\(.object.name) \(.verdict)"] | join(",")' <<<"$out")"
expect_eq "its reasons" '["LG201","deny","LG501","warn"]' \
    "$(jq -c '[.results[] | select(.object.name == "bridged") | .findings[] | .rule, .action]' <<<"$out")"
expect_eq "what cannot be read" "spec.template.spec.networks" "$(jq -r '.results[] | select(.object.name == "wrong") | .refused.field' <<<"$out")"
expect_eq "instances without a virtual machine are judged too" 12 \
    "$(jq '[.results[] | select(.object.kind == "VirtualMachineInstance")] | length' <<<"$out")"
expect_eq "the summary counts what is listed" true \
    "$(jq '.summary.objects == (.results | length) and .summary.deny == ([.results[] | select(.verdict == "deny")] | length)' <<<"$out")"
run "$livegate" scan --inventory "$work/vms.yaml" --namespace shop
expect_status 1
expect_in "VirtualMachine shop/bridged: enforce would refuse it" "$out"
expect_in "    deny [LG201] " "$out"
expect_not_in "shop/clean" "$out"
expect_not_in "legacy/wrong" "$out"
expect_in "2 objects judged: enforce would refuse 1" "$out"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nexceptions: [{rules: [LG201], namespace: shop, reason: "CHG-7"}]\n' >"$work/excepted.yaml"
run "$livegate" scan --inventory "$work/vms.yaml" --namespace shop --policy "$work/excepted.yaml" --verbose
expect_status 0
expect_in "(exception: CHG-7)" "$out"

# --- usage ---
run "$livegate" scan --inventory "$work/vms.yaml" --kubeconfig "$work/none"
expect_status 2
run "$livegate" scan --output yaml
expect_status 2
run "$livegate" scan "$work/vms.yaml"
expect_status 2
run "$livegate" scan --namespace 'A/..'
expect_status 2
run "$livegate" scan --kubeconfig "$work/none"
expect_status 3
expect_one_line "$err"
run "$livegate" scan --help
expect_status 0

finish
