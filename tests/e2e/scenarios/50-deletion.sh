# A bad VM goes away like any other: deletion, edits of its finalizers, nothing waits.

install enforce
vm=(vm legacy-deleted -n old-guests)
run k delete "${vm[@]}" --wait=false
prints "a bad VM is deleted" 'virtualmachine.kubevirt.io "legacy-deleted" deleted'
run k patch "${vm[@]}" --type=json -p '[{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"pool":"none"}}]'
prints "while it goes, any edit passes" "virtualmachine.kubevirt.io/legacy-deleted patched"
run k get "${vm[@]}" -o jsonpath='{.metadata.deletionTimestamp}'
check "it waits for its finalizer" test -n "$printed"
run k patch "${vm[@]}" --type=merge -p '{"metadata":{"finalizers":null}}'
prints "the finalizer is taken off" "virtualmachine.kubevirt.io/legacy-deleted patched"
run k get "${vm[@]}" --ignore-not-found
prints "it is gone" ""

run k patch vm legacy-finalized -n old-guests --type=merge -p '{"metadata":{"finalizers":null}}'
prints "of one that stays, too" "virtualmachine.kubevirt.io/legacy-finalized patched"
