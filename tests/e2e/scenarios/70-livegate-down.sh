# livegate is not there: only the creation of a VM waits for it, everything that runs goes on.

install enforce
gate_stop
check "livegate ends with status 0 when it is asked to" test "$status" -eq 0

run k create -f manifests/demo/vms/01-two-labels.yaml
refused "a person's VM is refused" 'failed calling webhook "vm-create.livegate.io"'
cat >"$work/claim.yaml" <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: while-down, namespace: web-servers}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
YAML
run k create -f "$work/claim.yaml"
prints "a claim is created" "persistentvolumeclaim/while-down created"
sed -e '1,/^---$/d' -e '/^---$/,$d' manifests/demo/cluster/running.yaml | sed -e 's/name: shop$/name: while-down/' >"$work/vmi.yaml"
run k create --as="$controller" -f "$work/vmi.yaml"
prints "virt-controller's VMI is created" "virtualmachineinstance.kubevirt.io/while-down created"
cat >"$work/evacuation.yaml" <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  generateName: kubevirt-evacuation-
  namespace: web-servers
  annotations: {kubevirt.io/evacuationMigration: worker-1}
spec: {vmiName: while-down}
YAML
run k create --as="$controller" -f "$work/evacuation.yaml" -o jsonpath='{.spec.vmiName}'
prints "an evacuation's migration is created" while-down
run k patch vm legacy-edited -n old-guests --type=merge -p '{"metadata":{"finalizers":null}}'
prints "a finalizer is taken off" "virtualmachine.kubevirt.io/legacy-edited patched"
run k patch vm legacy-edited -n old-guests --type=merge -p '{"spec":{"runStrategy":"Always"}}'
prints "a VM is started" "virtualmachine.kubevirt.io/legacy-edited patched"
run k delete vm legacy-edited -n old-guests
prints "a VM is deleted" 'virtualmachine.kubevirt.io "legacy-edited" deleted'
run k get namespace web-servers -o name
prints "what is not KubeVirt's does not notice" namespace/web-servers

check "livegate starts again" gate_start "$gate_address"
run k create -f manifests/demo/vms/01-two-labels.yaml
prints "the first VM after that is created" "virtualmachine.kubevirt.io/web-two-labels created"
run k create -f manifests/demo/vms/07-bridge.yaml
refused "and a bad one refused" '[LG201] '
k delete vm/web-two-labels vmi/while-down -n web-servers >"$work/log" 2>&1
k delete vmim --all -n web-servers >"$work/log" 2>&1
