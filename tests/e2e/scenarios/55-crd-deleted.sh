# A CRD that is deleted: livegate notices, and serves meanwhile. 82-crd-again.sh is how it goes on.

install enforce
crd=datavolumes.cdi.kubevirt.io
k get crd $crd -o json | jq '{apiVersion, kind, metadata: {name: .metadata.name}, spec}' >"$work/crd.json"
volume() {
    jq -n --arg mode "$1" '{apiVersion: "cdi.kubevirt.io/v1beta1", kind: "DataVolume",
        metadata: {name: "later", namespace: "web-servers"},
        spec: {source: {blank: {}}, pvc: {accessModes: [$mode], resources: {requests: {storage: "1Gi"}}}}}'
}
later_vm=$(jq -c '.metadata.name = "later" | .spec.template.spec.volumes = [{name: "d", dataVolume: {name: "later"}}]
    | .spec.template.spec.domain.devices.disks = [{name: "d", disk: {}}]' <<<"$masquerade_vm")
printf '%s' "$later_vm" >"$work/later.json"
try_vm() {
    run k create --dry-run=server -n web-servers -f "$work/later.json"
}
volume ReadWriteOnce >"$work/volume.json"
volumes=$(k get datavolumes -A -o name | wc -l)
k create -f "$work/volume.json" >"$work/log" 2>&1
check "a data volume is known" eventually 180 knows datavolumes $((volumes + 1))
try_vm
refused "a VM with a data volume that is not shared is refused" '[LG101] '

run k delete crd $crd --timeout=100s
succeeds "the CRD is deleted"
check "livegate notices that the kind is gone" eventually 180 knows datavolumes ""
try_vm
warned "what a rule needs of it is not known: nothing is refused for it" 'created (server dry run)'
run k create --dry-run=server -f manifests/demo/vms/07-bridge.yaml
refused "what is known is judged meanwhile" '[LG201] '
check "it is ready all the time" curl --silent --fail --max-time 60 --output /dev/null "http://$gate_ops/readyz"


# Nothing is waited for here: livegate looks for a kind that is not served every 15 to 20 seconds.
create_volume() {
    k create -f "$work/volume.json" >"$work/log" 2>&1
}
k create -f "$work/crd.json" >"$work/log" 2>&1 && k wait --for=condition=Established "crd/$crd" --timeout=100s >"$work/log" 2>&1
check "the CRD appears again" eventually 180 create_volume
