# What stood in the cluster before livegate came: machines that it would refuse today.

k create namespace old-guests >"$work/log" 2>&1
for name in legacy legacy-edited legacy-finalized legacy-deleted; do
    k create -f - >>"$work/log" 2>&1 <<YAML || fail "a VM before livegate: $name" "$(cat "$work/log")"
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: $name
  namespace: old-guests
  finalizers: [kubevirt.io/virtualMachineControllerFinalize]
spec:
  runStrategy: Halted
  template:
    spec:
      domain:
        memory: {guest: 1Gi}
        devices:
          interfaces:
          - {name: default, bridge: {}}
      networks:
      - {name: default, pod: {}}
YAML
done
