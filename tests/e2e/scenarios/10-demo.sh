# Each manifest of the demo, applied: what kubectl prints, to the letter, and what its first line expects.

install enforce
for manifest in manifests/demo/vms/*.yaml; do
    name=$(basename "$manifest" .yaml)
    run k apply -f "$manifest"
    as_written "$name prints its message" "apply-$name"
    read -r _ _ verdict rules <"$manifest"
    case $verdict in
    created) succeeds "$name is created" ;;
    denied)
        # shellcheck disable=SC2086
        refused "$name is denied by $rules" $(printf '[%s] ' $rules | sed 's/\] /]\n/g')
        ;;
    esac
    k delete -f "$manifest" --ignore-not-found --wait=false >"$work/log" 2>&1
done

manifest=manifests/demo/vms/01-two-labels.yaml
run k apply -f "$manifest"
succeeds "a good VM is created"
run k apply -f "$manifest"
prints "applied again it is unchanged" "virtualmachine.kubevirt.io/web-two-labels unchanged"
run k delete -f "$manifest"
prints "and deleted" 'virtualmachine.kubevirt.io "web-two-labels" deleted'
