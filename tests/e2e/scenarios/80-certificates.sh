# Certificates change while requests run: a new authority is trusted before it signs, and no request fails.

install enforce
inject=("$livegate" certs inject --cert-dir "$work/certs" --configuration livegate)
run "${inject[@]}"
prints "what is registered trusts us already" "validatingwebhookconfiguration/livegate: unchanged, 6 of our entries"

# pound: asks the API server again and again; one status a line in $work/pound.
pound() {
    while :; do
        case $(probe) in
        *" 403"*"[LG201]"*) echo refused ;;
        *) echo wrong && probe >>"$work/pound.wrong" ;;
        esac
    done >>"$work/pound"
}
pound_stop() {
    [ -z "${pound_pid:-}" ] || { kill "$pound_pid" && wait "$pound_pid"; } 2>/dev/null
    pound_pid=
}
taken() {
    [ "$(metric 'livegate_reloads_total{of="certificate",result="taken"}')" = "$1" ]
}
serial() {
    openssl s_client -connect "$gate_address" </dev/null 2>/dev/null | openssl x509 -noout -serial
}
serial_changed() {
    local now
    now=$(serial)
    [ -n "$now" ] && [ "$now" != "$before" ]
}
before=$(serial)
pound &
pound_pid=$!
run "$livegate" certs issue --cert-dir "$work/certs" --new-ca
succeeds "a new authority is made"
run "${inject[@]}" --dry-run
prints "a trial" "validatingwebhookconfiguration/livegate: caBundle would be set in 6 of 6 of our entries"
run "${inject[@]}"
prints "the API server is told" "validatingwebhookconfiguration/livegate: caBundle set in 6 of 6 of our entries"
run k get validatingwebhookconfiguration livegate -o jsonpath='{.webhooks[0].clientConfig.caBundle}'
check "both authorities are trusted" test "$(base64 -d <<<"$printed" | grep -c BEGIN)" -eq 2
run "$livegate" certs issue --cert-dir "$work/certs" --renew
succeeds "the new authority signs"
kill -HUP "$gate_pid"
check "livegate serves the new certificate" eventually 180 serial_changed
run "${inject[@]}"
prints "there is nothing left to tell" "validatingwebhookconfiguration/livegate: unchanged, 6 of our entries"
sleep 1
check "requests ran all the time" eventually 180 eval '[ "$(grep -c . "$work/pound")" -ge 20 ]'
pound_stop
shown "each was answered, and right" "$(head -n 5 "$work/pound.wrong" 2>/dev/null)" test "$(grep -c wrong "$work/pound")" -eq 0

# The account of overlays/self-signed may do what its Job does, and nothing else.
render self-signed/enforce && k apply -f "$work/policy/rbac.json" >"$work/log" 2>&1 &&
    k apply -f "$work/policy/secrets.json" >"$work/log" 2>&1
jq -n '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {expirationSeconds: 3600}}' >"$work/request.json"
k create --raw /api/v1/namespaces/livegate/serviceaccounts/livegate-certs/token -f "$work/request.json" >"$work/token.json" 2>"$work/log"
certs_config=$(control_plane_kubeconfig certs "$(jq -r .status.token "$work/token.json")")
job=("$livegate" certs issue --kubeconfig "$certs_config" --renew=due --service=livegate --namespace=livegate
    --secret=livegate-tls --ca-secret=livegate-ca)
run "${job[@]}" --inject=livegate
warned "the Job's account makes certificates, and has the API server trust them" 'secret/livegate-ca: written' \
    'validatingwebhookconfiguration/livegate: caBundle set in 6 of 6 of our entries' 'secret/livegate-tls: written'
run "${job[@]}" --inject=livegate
warned "again: nothing to do" 'secret/livegate-ca: unchanged' 'unchanged, 6 of our entries' 'secret/livegate-tls: unchanged'
check "what was trusted before still is" in_force enforce
run k apply -f "$work/policy/secrets.json"
succeeds "the manifests are applied again"
run k get secret livegate-tls -n livegate -o jsonpath='{.data}'
check "and leave the certificate alone" test "$(jq -r 'keys | join(" ")' <<<"$printed")" = "ca.crt tls.crt tls.key"
run "$livegate" certs issue --kubeconfig "$certs_config" --secret=token-1 --ca-secret=livegate-ca
refused "another secret is out of its reach" 'we may not get secrets; a Role or ClusterRole of ours must allow it'
run "$livegate" certs inject --kubeconfig "$certs_config" --cert-dir "$work/certs"
refused "other webhook configurations, too" 'we may not list validatingwebhookconfigurations'
run "$livegate" certs inject --kubeconfig "$work/gate.kubeconfig" --cert-dir "$work/certs" --configuration livegate
refused "the gate's own account may not write" 'we may not get validatingwebhookconfigurations'
