#!/bin/bash
# livegate check: verdicts, positions, both outputs, exit statuses.
set -uo pipefail
build=${1:?usage: tests/integration/check.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh
cluster=manifests/demo/cluster
vms=manifests/demo/vms

check() { run "$livegate" check "$@"; }

# --- the demo's manifests get the verdicts that they expect ---
for manifest in "$vms"/*.yaml; do
    wanted=$(sed -n '1s/^# expected: //p' "$manifest")
    check "$manifest" --inventory "$cluster" --output json
    case $wanted in
    denied*) expect_status 1 ;;
    *) expect_status 0 ;;
    esac
    got=$(jq -r '.results[0] | if .verdict == "allow" then "created" elif .verdict == "deny"
        then "denied " + ([.findings[] | select(.action == "deny").rule] | unique | join(" "))
        else "created with warnings" end' <<<"$out")
    expect_eq "$manifest" "$wanted" "$got"
done

# --- a denial, as people see it ---
vm=$vms/05-claim-not-shared.yaml
line=$(grep -n 'orders-db-data' "$vm" | cut -d: -f1)
check "$vm" --inventory "$cluster"
expect_status 1
expect_eq "nothing on stderr" "" "$err"
expect_eq "first line" "$vm:3: VirtualMachine web-servers/orders-db cannot be live-migrated, 1 reason:" "$(head -n 1 <<<"$out")"
expect_eq "what the head says beside it" "    (LG501: with evictionStrategy LiveMigrate a drain of its node waits for ever; LiveMigrateIfPossible would shut it down)" \
    "$(sed -n 2p <<<"$out")"
expect_in "$vm:$line: deny [LG101] volume \"data\": claim \"orders-db-data\" is ReadWriteOnce" "$out"
expect_in "
    at:  spec.template.spec.volumes[0].persistentVolumeClaim.claimName
    fix: " "$out"
expect_in "    nodes: 2 eligible (worker-1, worker-2), 1 away (worker-3), 4 excluded (control-plane-1, gpu-1, virt-1, virt-2)" "$out"
expect_eq "last line" "1 object judged: 1 denied, 0 with warnings, 0 pending, 0 clean" "$(tail -n 1 <<<"$out")"
expect_not_in $'\033' "$out"
expect_not_in "why: " "$out"
check "$vm" --inventory "$cluster" --explain
expect_in "    why: " "$out"
expect_in "        NODE             VERDICT   REASON" "$out"
expect_in "        worker-3         away      cordoned" "$out"
expect_in "        gpu-1            excluded  taint gpu=true:NoSchedule is not tolerated" "$out"
expect_in "        worker-1         eligible"$'\n' "$out"

# --- where a migration can go ---
check "$vms/12-migration.yaml" --inventory "$cluster" --explain
expect_status 0
expect_in "        worker-1         source    the guest runs here" "$out"
expect_in "        worker-2         eligible"$'\n' "$out"
check "$vms/12-migration.yaml" --inventory "$cluster" --output json
expect_eq "placement of a migration" '{"source":"worker-1","eligible":["worker-2"],"away":["worker-3"]}' \
    "$(jq -c '.results[0].placement | {source, eligible, away: [.away[].node]}' <<<"$out")"

# --- guests that are kept apart, and what is not looked at ---
sed 's/^      domain:/      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]\n      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {kubevirt.io\/vm: shop}}, topologyKey: kubernetes.io\/hostname}]}}\n&/' \
    "$vms/01-two-labels.yaml" >"$work/apart.yaml"
check "$work/apart.yaml" --inventory "$cluster" --explain
expect_in "worker-1         excluded  podAntiAffinity keeps it apart from VMI web-servers/shop (kubernetes.io/hostname)" "$out"
expect_in "not covered: topologySpreadConstraints are not judged" "$out"
check "$work/apart.yaml" --inventory "$cluster" --output json
expect_eq "LG406 is a warning" 'LG406 warn' \
    "$(jq -r '.results[0].findings[] | select(.rule == "LG406") | .rule + " " + .action' <<<"$out")"
expect_eq "what the answer does not cover" '["topologySpreadConstraints are not judged"]' \
    "$(jq -c '.results[0].placement.notCovered' <<<"$out")"

# --- and as programs do ---
check "$vm" --inventory "$cluster" --output json
expect_status 1
report=$out
expect_eq "keys of the report" '["apiVersion","kind","results","summary","notGiven"]' "$(jq -c keys_unsorted <<<"$report")"
expect_eq "what it is" "livegate.io/v1 CheckReport" "$(jq -r '.apiVersion + " " + .kind' <<<"$report")"
expect_eq "keys of a result" '["object","verdict","migratable","blockMigration","findings","placement"]' \
    "$(jq -c '.results[0] | keys_unsorted' <<<"$report")"
expect_eq "the object" '{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","namespace":"web-servers","name":"orders-db","file":"'"$vm"'","document":1,"line":3}' \
    "$(jq -c '.results[0].object' <<<"$report")"
expect_eq "keys of a finding" '["rule","name","action","about","field","line","message","fix","kubevirtReason"]' \
    "$(jq -c '.results[0].findings[0] | keys_unsorted' <<<"$report")"
expect_eq "the finding" 'LG101 claim-not-shared deny data spec.template.spec.volumes[0].persistentVolumeClaim.claimName '"$line"' DisksNotLiveMigratable' \
    "$(jq -r '.results[0].findings[0] | [.rule, .name, .action, .about, .field, .line, .kubevirtReason] | join(" ")' <<<"$report")"
expect_eq "verdict" 'deny false' "$(jq -r '.results[0] | "\(.verdict) \(.migratable)"' <<<"$report")"
expect_eq "placement" '{"eligible":["worker-1","worker-2"],"away":["worker-3"],"excluded":["control-plane-1","gpu-1","virt-1","virt-2"]}' \
    "$(jq -c '.results[0].placement | {eligible, away: [.away[].node], excluded: [.excluded[].node]}' <<<"$report")"
expect_eq "a reason" 'taint gpu=true:NoSchedule is not tolerated' \
    "$(jq -r '.results[0].placement.excluded[] | select(.node == "gpu-1").reason' <<<"$report")"
expect_eq "summary" '{"objects":1,"deny":1,"warn":0,"pending":0}' "$(jq -c .summary <<<"$report")"
expect_eq "not given" '[]' "$(jq -c .notGiven <<<"$report")"
check "$vms/01-two-labels.yaml" --inventory "$cluster" --output json
expect_eq "a good one" 'allow true 0' "$(jq -r '.results[0] | "\(.verdict) \(.migratable) \(.findings | length)"' <<<"$out")"
expect_eq "the same every time" "$out" "$("$livegate" check "$vms/01-two-labels.yaml" --inventory "$cluster" --output json)"

# --- everything that is given is one bundle, whatever the order ---
mkdir "$work/bundle"
cat >"$work/bundle/a.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: early}
spec:
  runStrategy: Always
  template:
    spec:
      domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}
      networks: [{name: default, pod: {}}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: early-data}}]
YAML
cat >"$work/bundle/b.yaml" <<'YAML'
---
# a comment is no document
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: other}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: early-data, namespace: default}
  spec:
    accessModes: [ReadWriteOnce]
    storageClassName: nfs-storage
    resources: {requests: {storage: 1Gi}}
YAML
check "$work/bundle" --output json
expect_status 1
expect_eq "the claim is there" "early:deny:LG101" \
    "$(jq -r '.results[] | select(.object.kind == "VirtualMachine") | "\(.object.name):\(.verdict):\([.findings[] | select(.action == "deny").rule] | join(","))"' <<<"$out")"
expect_eq "where the claim stands" "$work/bundle/b.yaml 10" \
    "$(jq -r '.results[] | select(.object.kind == "PersistentVolumeClaim").object | "\(.file) \(.line)"' <<<"$out")"
expect_eq "the namespace that kubectl would use" "default" "$(jq -r '.results[0].object.namespace' <<<"$out")"
check "$work/bundle/b.yaml" "$work/bundle/a.yaml" --output json
expect_status 1
check "$work/bundle/a.yaml" --inventory "$work/bundle" --output json
expect_status 1
expect_eq "given twice, judged once" 1 "$(jq '.results | length' <<<"$out")"
check "$work/bundle"
expect_in "; 1 of kinds that no rule judges" "$out"

# --- what was not given is said once, at the end ---
cat "$work/bundle/a.yaml" >"$work/two.yaml"
echo --- >>"$work/two.yaml"
sed 's/early$/late/; s/name: early}/name: late}/' "$work/bundle/a.yaml" >>"$work/two.yaml"
check "$work/two.yaml"
expect_status 0
expect_eq "one line says so" 1 "$(grep -c '^not given: ' <<<"$out")"
expect_in "nodes" "$(grep '^not given: ' <<<"$out")"
expect_in "LG401, LG402" "$(grep '^not given: ' <<<"$out")"
expect_not_in "[LG401]" "$out"
expect_in "(document 2)" "$out"
check "$vm" "$work/two.yaml" --inventory "$cluster" --policy <(printf 'apiVersion: livegate.io/v1\nkind: Policy\nrules: {LG102: {action: deny}}\n')
expect_status 1
expect_in "two.yaml:12: VirtualMachine default/late cannot be live-migrated, 1 reason (document 2):" "$out"
check "$work/two.yaml" --explain
expect_in "pending [LG307, LG401, LG402, LG405] not known: nodes" "$out"
check "$work/two.yaml" --strict
expect_status 1
check "$work/two.yaml" --output json
expect_status 0
expect_eq "kinds and rules" true "$(jq '[.notGiven[] | select(.kind == "Node").rules[]] | index("LG401") != null' <<<"$out")"
expect_eq "not known" "pending null" "$(jq -r '.results[0] | "\(.verdict) \(.migratable)"' <<<"$out")"

# --- a name that the API server will make up ---
check tests/reviews/vmim.yaml --inventory "$cluster" --output json
expect_eq "no name yet" "migrate-orders-db- " "$(jq -r '.results[0].object | .generateName + " " + .name' <<<"$out")"
check tests/reviews/vmim.yaml --inventory "$cluster"
expect_status 1
expect_in "VirtualMachineInstanceMigration web-servers/migrate-orders-db-* cannot run" "$out"

# --- standard input, JSON ---
run_with "$(cat "$vm")" "$livegate" check - --inventory "$cluster"
expect_status 1
expect_in "-:$line: deny [LG101]" "$out"
/usr/bin/python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, indent=1)' "$vm" >"$work/vm.json"
check "$work/vm.json" --inventory "$cluster" --output json
expect_status 1
expect_eq "the line in a JSON file" "$(grep -n '"orders-db-data"' "$work/vm.json" | cut -d: -f1)" "$(jq '.results[0].findings[0].line' <<<"$out")"

# --- an object that the webhook would refuse to read is a denial without findings ---
sed 's/volumes: \[.*/volumes: {name: data}/' "$work/bundle/a.yaml" >"$work/refused.yaml"
check "$work/refused.yaml"
expect_status 1
expect_in "$work/refused.yaml:10: deny VirtualMachine default/early cannot be judged: " "$out"
expect_in "    at:  spec.template.spec.volumes" "$out"
check "$work/refused.yaml" --output json
expect_status 1
expect_eq "as JSON" 'deny null [] spec.template.spec.volumes 10' \
    "$(jq -r '.results[0] | "\(.verdict) \(.migratable) \(.findings) \(.refused.field) \(.refused.line)"' <<<"$out")"

# --- what cannot be judged: status 3, one line, where ---
printf 'kind: [\n' >"$work/broken.yaml"
check "$work/broken.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/broken.yaml:" "$err"
check "$work/absent.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/absent.yaml" "$err"
mkdir "$work/empty"
check "$work/empty"
expect_status 3
expect_one_line "$err"
check "$vm" --inventory "$work/absent"
expect_status 3
expect_one_line "$err"
printf 'apiVersion: v1\nkind: Node\nmetadata: {name: [1]}\n' >"$work/node.yaml"
check "$vm" "$work/node.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/node.yaml" "$err"

# --- usage ---
check
expect_status 2
check "$vm" --output yaml
expect_status 2
expect_in '--output is table or json, not "yaml"' "$err"
check "$vm" --kubevirt-version new
expect_status 2
for version in 1.5 v1.5 v1.5.3 auto; do
    check "$vm" --kubevirt-version "$version" --inventory "$cluster"
    expect_status 1
done

# --- what is wrong with a placement is said once, where it stands ---
cat >"$work/affinity.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: placed, namespace: shop}
spec:
  template:
    spec:
      networks: [{name: default, pod: {}}]
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: in, values: [a]}]}]}}}
      domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}
YAML
check "$work/affinity.yaml" --inventory "$cluster"
expect_status 1
expect_in "VirtualMachine shop/placed cannot be live-migrated, 1 reason:" "$out"
expect_in 'deny [LG404, LG401] required node affinity, "zone": there is no operator "in"' "$out"
expect_not_in "no node fits" "$out"
check "$work/affinity.yaml" --inventory "$cluster" --output json
expect_eq "programs are told both" "LG401 LG404" "$(jq -r '[.results[0].findings[].rule] | join(" ")' <<<"$out")"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nrules: {LG404: {action: warn}}\n' >"$work/policy.yaml"
check "$work/affinity.yaml" --inventory "$cluster" --policy "$work/policy.yaml"
expect_in "deny [LG401] no node fits" "$out"
# A placement that is wrong somewhere else does not say why no node fits.
sed 's/affinity: .*/affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}]}}/' \
    "$work/affinity.yaml" >"$work/elsewhere.yaml"
printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: n%s}\nspec: {taints: [{key: gpu, effect: NoSchedule}]}\n' 1 2 \
    >"$work/tainted.yaml"
check "$work/elsewhere.yaml" --inventory "$work/tainted.yaml"
expect_status 1
expect_in "VirtualMachine shop/placed cannot be live-migrated, 2 reasons:" "$out"
expect_in "deny [LG401] no node fits: 2 have taint gpu:NoSchedule that is not tolerated (n1, n2)" "$out"
expect_in "deny [LG404] pod affinity: a term has no topologyKey" "$out"

# --- the version of KubeVirt: OpenShift Virtualization's numbers are understood, others are said ---
cat >"$work/virtiofs.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: files, namespace: shop}
spec:
  template:
    spec:
      networks: [{name: default, pod: {}}]
      domain: {devices: {filesystems: [{name: share, virtiofs: {}}], interfaces: [{name: default, masquerade: {}}]}}
      volumes: [{name: share, configMap: {name: settings}}]
YAML
kubevirt() {
    printf 'apiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata: {name: kubevirt, namespace: openshift-cnv}\nstatus: {observedKubeVirtVersion: "%s"}\n' "$1" >"$work/kubevirt.yaml"
}
for version in v1.4.2 v4.18.3 v4.17.0-12; do
    kubevirt "$version"
    check "$work/virtiofs.yaml" --inventory "$work/kubevirt.yaml"
    expect_in "[LG107]" "$out"
    expect_eq "$version is understood" "" "$err"
done
for version in v4.19.0 v1.5.0; do
    kubevirt "$version"
    check "$work/virtiofs.yaml" --inventory "$work/kubevirt.yaml"
    expect_not_in "[LG107]" "$out"
    expect_eq "$version is understood" "" "$err"
done
kubevirt sha256:1234
check "$work/virtiofs.yaml" --inventory "$work/kubevirt.yaml"
expect_not_in "[LG107]" "$out"
expect_eq "what is not understood is said" \
    "livegate: the KubeVirt CR's version \"sha256:1234\" is not understood; judged as KubeVirt 1.9, the newest known (check --kubevirt-version, or policy's kubevirtVersion, says another)" "$err"
check "$work/virtiofs.yaml" --inventory "$work/kubevirt.yaml" --kubevirt-version 4.18
expect_in "[LG107]" "$out"
expect_eq "unless another is given" "" "$err"

# --- policy ---
printf 'apiVersion: livegate.io/v1\nkind: Policy\nrules:\n  LG101: {action: warn}\n' >"$work/policy.yaml"
check "$vm" --inventory "$cluster" --policy "$work/policy.yaml"
expect_status 0
expect_in "VirtualMachine web-servers/orders-db: 2 warnings" "$out"
expect_in "warn [LG101]" "$out"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nrules:\n  LG101: {action: audit}\n' >"$work/policy.yaml"
check "$vm" --inventory "$cluster" --policy "$work/policy.yaml"
expect_status 0
expect_not_in "LG101" "$out"
check "$vm" --inventory "$cluster" --policy "$work/policy.yaml" --verbose
expect_in "audit [LG101]" "$out"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nrules: {"*": {action: "off"}}\n' >"$work/policy.yaml"
check "$vm" --inventory "$cluster" --policy "$work/policy.yaml"
expect_status 0
expect_in "orders-db: cannot be live-migrated, which policy tolerates" "$out"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nruels: {}\n' >"$work/policy.yaml"
check "$vm" --inventory "$cluster" --policy "$work/policy.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/policy.yaml:3:1" "$err"

# --- several rules lack one instancetype: one line for people, a finding a rule for programs ---
cat >"$work/types.yaml" <<'END'
apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachineClusterInstancetype
metadata: {name: another}
spec: {cpu: {guest: 1}, memory: {guest: 1Gi}}
END
cat >"$work/typed.yaml" <<'END'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: typed, namespace: web-servers}
spec:
  runStrategy: Always
  instancetype: {name: u1.small}
  template: {spec: {domain: {devices: {}}}}
END
check "$work/typed.yaml" --inventory "$cluster" --inventory "$work/types.yaml"
expect_status 0
expect_eq "lines about it" 1 "$(grep -c 'u1.small' <<<"$out")"
expect_in "pending [LG301, LG302, LG303, " "$out"
expect_in "typed: 1 pending" "$out"
check "$work/typed.yaml" --inventory "$cluster" --inventory "$work/types.yaml" --output json
expect_eq "each rule says it" true \
    "$(jq '[.results[0].findings[] | select(.message | contains("u1.small")) | .rule] | length > 3 and . == unique' <<<"$out")"

# --- a terminal gets colours, unless NO_COLOR says no; a file never does ---
command="$(printf '%q ' "$livegate" check "$vm" --inventory "$cluster")"
run script -qefc "$command" /dev/null
expect_in $'\033[' "$out"
run env NO_COLOR=1 script -qefc "$command" /dev/null
expect_not_in $'\033[' "$out"
run bash -c '"$@" >/dev/full' - "$livegate" check "$vm" --inventory "$cluster"
expect_status 4

# --- a name cannot steer the terminal ---
sed 's/{name: early}/{name: "early\\e[31m\\nforged"}/' "$work/bundle/a.yaml" >"$work/hostile.yaml"
check "$work/hostile.yaml"
expect_not_in $'\033' "$out"
expect_eq "no forged line" 0 "$(grep -c '^forged' <<<"$out")"

finish
