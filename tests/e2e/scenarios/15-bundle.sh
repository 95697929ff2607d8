# A VM and its claim in one apply, in both orders: what is known by the time is judged, the rest is pending, never refused.

install enforce

# bundle_claim NAME MODE, bundle_vm NAME: documents.
bundle_claim() {
    cat <<YAML
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, namespace: web-servers}
spec:
  storageClassName: nfs-storage
  accessModes: [$2]
  resources: {requests: {storage: 1Gi}}
YAML
}
bundle_vm() {
    cat <<YAML
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: $1, namespace: web-servers}
spec:
  runStrategy: Halted
  template:
    spec:
      domain:
        memory: {guest: 1Gi}
        devices:
          disks:
          - {name: data, disk: {bus: virtio}}
          interfaces:
          - {name: default, masquerade: {}}
      networks:
      - {name: default, pod: {}}
      volumes:
      - {name: data, persistentVolumeClaim: {claimName: $1}}
YAML
}
claims=$(k get pvc -A -o name | wc -l)

{ bundle_claim bundle-1 ReadWriteMany && bundle_vm bundle-1; } >"$work/bundle.yaml"
run k apply -f "$work/bundle.yaml"
prints "a shared claim, then its VM: without a word" "persistentvolumeclaim/bundle-1 created
virtualmachine.kubevirt.io/bundle-1 created"
run k get pvc/bundle-1 vm/bundle-1 -n web-servers -o name
prints "both are there" "persistentvolumeclaim/bundle-1
virtualmachine.kubevirt.io/bundle-1"

{ bundle_vm bundle-2 && bundle_claim bundle-2 ReadWriteMany; } >"$work/bundle.yaml"
run k apply -f "$work/bundle.yaml"
warned "a VM, then its shared claim: the claim is pending" 'Warning: LG102: ' bundle-2 \
    'virtualmachine.kubevirt.io/bundle-2 created' 'persistentvolumeclaim/bundle-2 created'
check "the inventory has both claims" eventually 180 knows persistentvolumeclaims $((claims + 2))
run k apply --dry-run=server -f "$work/bundle.yaml"
prints "afterwards nothing is pending" "virtualmachine.kubevirt.io/bundle-2 unchanged (server dry run)
persistentvolumeclaim/bundle-2 unchanged (server dry run)"
run k patch vm bundle-2 -n web-servers --type=merge -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":30}}}}'
prints "nor at an edit" "virtualmachine.kubevirt.io/bundle-2 patched"

{ bundle_claim bundle-3 ReadWriteOnce && bundle_vm bundle-3; } >"$work/bundle.yaml"
run k apply -f "$work/bundle.yaml"
refused "a claim that is not shared, then its VM: refused, whether the watch told of the claim or it had to be read" '[LG101] ' \
    ReadWriteOnce 'persistentvolumeclaim/bundle-3 created'
check "the inventory has that claim" eventually 180 knows persistentvolumeclaims $((claims + 3))
k delete vm bundle-3 -n web-servers --ignore-not-found >"$work/log" 2>&1
run k apply -f "$work/bundle.yaml"
refused "the same again is refused" '[LG101] ' '"bundle-3" is ReadWriteOnce'

{ bundle_vm bundle-4 && bundle_claim bundle-4 ReadWriteOnce; } >"$work/bundle.yaml"
run k apply -f "$work/bundle.yaml"
warned "a VM, then its claim that is not shared: both are there, and the claim is pending" 'Warning: LG102: ' \
    'virtualmachine.kubevirt.io/bundle-4 created' 'persistentvolumeclaim/bundle-4 created'
check "the inventory has that claim, too" eventually 180 knows persistentvolumeclaims $((claims + 4))
k delete vm/bundle-4 -n web-servers >"$work/log" 2>&1
run k apply -f "$work/bundle.yaml"
refused "the VM made anew is refused" '[LG101] ' '"bundle-4" is ReadWriteOnce'
run k delete vm/bundle-1 vm/bundle-2 -n web-servers
succeeds "VMs are deleted"
k delete pvc bundle-1 bundle-2 bundle-3 bundle-4 -n web-servers --wait=false >"$work/log" 2>&1
for name in bundle-1 bundle-2 bundle-3 bundle-4; do # nobody here takes the claims' own finalizer off
    k patch pvc $name -n web-servers --type=merge -p '{"metadata":{"finalizers":null}}' >"$work/log" 2>&1
done
check "the inventory forgets them" eventually 180 knows persistentvolumeclaims "$claims"
