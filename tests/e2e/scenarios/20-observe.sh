# The first install: nothing is refused, and what would be is said.

install observe
for name in 05-claim-not-shared 10-all-at-once 13-migration-of-immovable 01-two-labels; do
    run k apply -f "manifests/demo/vms/$name.yaml"
    succeeds "$name is created"
    as_written "$name prints its warnings" "observe-$name"
done
run k get vm legacy-import -n web-servers -o name
prints "what would be denied is there" virtualmachine.kubevirt.io/legacy-import
for name in 05-claim-not-shared 10-all-at-once 13-migration-of-immovable 01-two-labels; do
    k delete -f "manifests/demo/vms/$name.yaml" >"$work/log" 2>&1
done

run k get validatingwebhookconfiguration livegate -o jsonpath='{.webhooks[*].failurePolicy}'
prints "no entry of the observe overlay is Fail" "Ignore Ignore Ignore Ignore Ignore Ignore"
