# All that manifests/ ships is taken by a real API server; one apply installs, one delete uninstalls, nothing is left. The last
# scenario: livegate's own account goes, too.

uninstall
mapfile -t overlays < <(find "$manifests/overlays" -name kustomization.yaml -printf '%h\n' | grep -v /kubernetes-1.20/ | sort)
if ! server_is_at_least 28; then # kubectl asks the server, which does not know them
    mapfile -t overlays < <(printf '%s\n' "${overlays[@]}" | grep -v /match-conditions)
fi
absent=Certificate,Issuer
/usr/bin/python3 tests/e2e/manifests.py "$server_minor" "$absent" "${overlays[@]}" >"$work/all.json"
run k create --dry-run=server -o name -f "$work/all.json"
rejected=$(grep -v 'AlreadyExists' <<<"$printed" | grep -E '^(Error|error|The )')
shown "each object of ${#overlays[@]} overlays is taken ($(jq '.items | length' "$work/all.json") objects)" "$rejected" test -z "$rejected"
run jq -r '[.items[].kind] | unique | join(" ")' "$work/all.json"
prints "of all kinds" "ClusterRole ClusterRoleBinding ConfigMap CronJob Deployment FlowSchema Job MutatingWebhookConfiguration Namespace NetworkPolicy PodDisruptionBudget Role RoleBinding Secret Service ServiceAccount ValidatingWebhookConfiguration"

/usr/bin/python3 tests/e2e/manifests.py "$server_minor" "$absent" "$manifests/overlays/self-signed/observe" >"$work/one.json"
run k apply -f "$work/one.json"
succeeds "an overlay is applied"
# kubectl sends a budget's selector each time (policy/v1 has it replaced as a whole), and says "configured" of what is as it was.
said() {
    grep -v '^poddisruptionbudget' <<<"$printed"
}
budget() {
    k get pdb livegate -n livegate -o jsonpath='{.metadata.resourceVersion}'
}
before=$(budget)
run k apply -f "$work/one.json"
succeeds "and applied again"
shown "which changes nothing" "$printed" test -z "$(said | grep -vE ' unchanged$')"
check "nor the budget" test "$(budget)" = "$before"
run "$livegate" certs issue --kubeconfig "$KUBECONFIG" --renew=due --secret=livegate-tls --ca-secret=livegate-ca --inject=livegate
succeeds "what its Job does"
trusted() {
    k get validatingwebhookconfiguration livegate -o json |
        jq -r '[.webhooks[].clientConfig | select(.service.name == "livegate") | .caBundle // empty] | "\(length) \(unique | length)"'
}
entries=$(k get validatingwebhookconfiguration livegate -o json | jq '.webhooks | length')
check "each of the $entries entries trusts it" test "$(trusted)" = "$entries 1"
/usr/bin/python3 tests/e2e/manifests.py "$server_minor" "$absent" "$manifests/overlays/self-signed/enforce" >"$work/two.json"
run k apply -f "$work/two.json"
succeeds "then enforce"
shown "which changes policy and webhooks" "$printed" test "$(said | grep -c ' configured$')" -eq 2
check "and leaves the caBundle alone" test "$(trusted)" = "$entries 1"
gate_stop
run k delete -f "$work/two.json" --wait=false
succeeds "and deleted"
gone() {
    [ -z "$(k get validatingwebhookconfigurations,clusterroles,clusterrolebindings -o name | grep livegate)" ]
}
check "nothing of it is left in the cluster" eventually 180 gone
run k create -f manifests/demo/vms/07-bridge.yaml
succeeds "and nobody is asked"
