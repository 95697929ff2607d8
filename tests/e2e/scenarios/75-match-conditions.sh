# The overlay for API servers that know matchConditions: more entries fail closed, and no controller ever waits for it.

if server_is_at_least 28; then
    k create -f - >"$work/log" 2>&1 <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: goes-away, namespace: old-guests, finalizers: [kubevirt.io/virtualMachineControllerFinalize]}
spec:
  runStrategy: Halted
  template: {spec: {domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}}
YAML
    install match-conditions
    bad_vmi by-controller >"$work/vmi.yaml"
    gate_stop
    run k create -f manifests/demo/vms/01-two-labels.yaml
    refused "a person's VM is refused while livegate is down" 'failed calling webhook "vm-create.livegate.io"'
    run k create -f "$work/vmi.yaml"
    refused "and a person's VMI" 'failed calling webhook "vmi.livegate.io"'
    run k patch vm goes-away -n old-guests --type=merge -p '{"spec":{"runStrategy":"Always"}}'
    refused "and a person's edit" 'failed calling webhook "vm-update.livegate.io"'
    run k create -f manifests/demo/vms/12-migration.yaml
    refused "and a person's migration" 'failed calling webhook "migrations.livegate.io"'
    run k create --as="$controller" -f "$work/vmi.yaml"
    prints "virt-controller's VMI is created" "virtualmachineinstance.kubevirt.io/by-controller created"
    run k create --as="$controller" -f manifests/demo/vms/12-migration.yaml
    prints "its migration, too" "virtualmachineinstancemigration.kubevirt.io/shop-drain-worker-1 created"
    run k create --as="$controller" -f manifests/demo/vms/01-two-labels.yaml
    prints "and its VM" "virtualmachine.kubevirt.io/web-two-labels created"
    run k delete vm goes-away -n old-guests --wait=false
    prints "a VM is deleted" 'virtualmachine.kubevirt.io "goes-away" deleted'
    run k patch vm goes-away -n old-guests --type=merge -p '{"metadata":{"finalizers":null}}'
    prints "and its finalizer taken off" "virtualmachine.kubevirt.io/goes-away patched"
    check "livegate starts again" gate_start "$gate_address"
    run k delete vm/web-two-labels vmi/by-controller vmim/shop-drain-worker-1 -n web-servers
    succeeds "what was made goes"
else
    echo "# API server 1.$server_minor has no matchConditions (1.28 has): that overlay is no part of this run"
fi
