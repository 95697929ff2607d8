# KubeVirt's own accounts are never refused; who only looks like one of them is.

install enforce
as_controller=(--as="$controller")
bad_vmi by-controller >"$work/vmi.yaml"
run k create "${as_controller[@]}" -f "$work/vmi.yaml"
prints "the controller creates a bad VMI, without a word" "virtualmachineinstance.kubevirt.io/by-controller created"
run k create "${as_controller[@]}" -f manifests/demo/vms/10-all-at-once.yaml
prints "and a bad VM" "virtualmachine.kubevirt.io/legacy-import created"
run k create "${as_controller[@]}" -f manifests/demo/vms/13-migration-of-immovable.yaml
prints "and a migration that cannot be" \
    "virtualmachineinstancemigration.kubevirt.io/edge-router-drain-worker-2 created"

bad_vmi by-person >"$work/vmi.yaml"
run k create -f "$work/vmi.yaml"
refused "a person is refused that VMI, whatever its labels and owners say" 'admission webhook "vmi.livegate.io" denied' '[LG201] '
as_written "with the whole message" vmi-by-person
run k create --as=system:serviceaccount:web-servers:kubevirt-controller -f "$work/vmi.yaml"
refused "an account of that name elsewhere is a person" '[LG201] '
run k create --as=system:serviceaccount:openshift-cnv:kubevirt-apiserver \
    -f manifests/demo/vms/14-migration-of-nothing.yaml
refused "virt-api asks for a person" '[LG601] '
k delete vmi/by-controller vm/legacy-import vmim/edge-router-drain-worker-2 -n web-servers >"$work/log" 2>&1
