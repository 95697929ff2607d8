# What policy's mutate names is mended, with both webhooks registered: once, whoever applies it again, and however.

install mutate
ours=$work/mended.yaml
sed 's/masquerade: {}/bridge: {}/' manifests/demo/vms/06-disk-from-rbd-profile.yaml >"$ours"
vm=(vm reports -n web-servers)
state() { k get "${vm[@]}" -o json | jq -cS '[.spec, .metadata.generation, .metadata.annotations["livegate.io/mended"]]'; }
same_state() { [ "$(state)" = "$before" ]; }

run k create --dry-run=server -f "$ours"
warned "one that is only tried is mended" 'Warning: LG101: mended: ' 'Warning: LG201: mended: '
run k get "${vm[@]}" --ignore-not-found
prints "nothing of it was kept" ""
run k apply -f "$ours"
as_written "what was mended is said" mutate-apply
warned "and the VM is created" 'virtualmachine.kubevirt.io/reports created'
run k get "${vm[@]}" -o jsonpath='{.spec.template.spec.domain.devices.interfaces}{.spec.dataVolumeTemplates[0].spec.storage.accessModes}{.metadata.annotations.livegate\.io/mended}'
prints "its interface and its template are mended, and it is recorded" \
    '[{"masquerade":{},"name":"default"}]["ReadWriteMany"]LG101,LG201'
before=$(state)

# Again, by the same file, in every way.
run k apply -f "$ours"
succeeds "applied again"
check "it left spec, generation and record as they were" same_state
run k diff -f "$ours"
succeeds "kubectl diff finds no difference"
check "and prints none" test "$(k diff -f "$ours" 2>/dev/null | wc -c)" -eq 0
run k replace -f "$ours"
succeeds "replaced by the same file"
check "it left spec, generation and record as they were" same_state
run k apply -f "$ours"
succeeds "applied once more"
check "it left spec, generation and record as they were" same_state

# Another manager, who owns something else, by server-side apply. (kubectl itself would first take over what its own apply
# wrote, so this one is a program.)
team() {
    curl --silent --fail --max-time 60 --request PATCH --output "$work/log" --write-out '%{http_code}' \
        "$control_plane_server/apis/kubevirt.io/v1/namespaces/web-servers/virtualmachines/$1?fieldManager=team" \
        --cacert "$work/plane/ca.crt" --cert "$work/plane/admin.crt" --key "$work/plane/admin.key" \
        --header 'Content-Type: application/apply-patch+yaml' --data-binary '{"apiVersion":"kubevirt.io/v1",
            "kind":"VirtualMachine","metadata":{"name":"'"$1"'","namespace":"web-servers","labels":{"team":"reports"}}}'
}
for turn in 1 2; do
    run team reports
    prints "another manager applies a label ($turn)" 200
    check "and changes nothing else ($turn)" same_state
    run k apply -f "$ours"
    succeeds "the first one applies ($turn)"
    check "and changes nothing ($turn)" same_state
done
run k get "${vm[@]}" -o jsonpath='{.metadata.labels.team}'
prints "the label stayed" reports

# The same by server-side apply from the beginning.
sed 's/^  name: reports$/  name: gitops/;s/reports-root/gitops-root/' "$ours" >"$work/gitops.yaml"
vm=(vm gitops -n web-servers)
gitops=(k apply --server-side --field-manager=gitops -f "$work/gitops.yaml")
run "${gitops[@]}"
warned "server-side apply is mended" 'Warning: LG101: mended: ' 'Warning: LG201: mended: '
before=$(state)
for turn in 1 2; do
    run "${gitops[@]}"
    succeeds "applied again ($turn)"
    check "changes nothing ($turn)" same_state
    run team gitops
    prints "another manager applies a label ($turn)" 200
    check "and changes nothing else ($turn)" same_state
done
run k diff --server-side --field-manager=gitops -f "$work/gitops.yaml"
succeeds "kubectl diff --server-side finds no difference"
vm=(vm reports -n web-servers)
before=$(state)

# What is not mended is judged.
run k apply -f manifests/demo/vms/10-all-at-once.yaml
refused "the rest is refused as ever" '[LG101] ' '[LG402] ' 'Warning: LG201: mended: '
check "and what was mended is no reason" test "${printed/\[LG201\] /}" = "$printed"

# Controllers, and objects that belong to one, are left alone.
sed 's/^  name: reports$/  name: by-controller/;s/reports-root/by-controller-root/' "$ours" >"$work/other.yaml"
run k create --as="$controller" -f "$work/other.yaml"
prints "a controller's VM passes, without a word" "virtualmachine.kubevirt.io/by-controller created"
run k get vm by-controller -n web-servers -o jsonpath='{.spec.template.spec.domain.devices.interfaces}{.metadata.annotations}'
prints "as it is" '[{"bridge":{},"name":"default"}]'

# Off is off.
run k label "${vm[@]}" tier=db
prints "with mutate on, a label is added without a word" "virtualmachine.kubevirt.io/reports labeled"
printf 'apiVersion: livegate.io/v1\nkind: Policy\nmode: enforce\n' >"$work/policy/policy.yaml.new"
mv "$work/policy/policy.yaml.new" "$work/policy/policy.yaml"
kill -HUP "$gate_pid"
check "policy switches it off while it serves" eventually 180 in_force enforce
sed 's/^  name: reports$/  name: not-mended/;s/reports-root/not-mended-root/' "$ours" >"$work/not-mended.yaml"
run k create -f "$work/not-mended.yaml"
refused "then nothing is mended, and the VM is refused" '[LG101] ' '[LG201] '
check "without a word of mending" test "${printed/mended: /}" = "$printed"
run k apply -f "$ours"
refused "nor is an update of what was mended" '[LG201] '
check "which left it as it was" same_state
run k get --raw /metrics
check "the API server saw no failure of the webhook" test "$(printf '%s\n' "$printed" |
    grep -c '^apiserver_admission_webhook_fail_open_count{name="mend.livegate.io"')" -eq 0

k delete vm reports gitops by-controller -n web-servers --ignore-not-found --wait=false >"$work/log" 2>&1
uninstall
