# The API server goes away and comes back, etcd with it, its past compacted: livegate picks up by itself. And its token is
# replaced on disk and the old one revoked: it takes the new one; without a good one it says so, and judges on by what it
# knows.

install enforce
logged=$(wc -l <"$gate_log") # by the scenarios before
expired() {
    metric "livegate_watch_expired_total{resource=\"$1\"}"
}
# judged NAME TEXT: a VM that uses claim NAME is refused with TEXT. What the inventory knows of the claim decides it.
claim_vm() {
    jq -c --arg name "$1" '.metadata.name = "after" | .spec.template.spec.volumes =
        [{name: "d", persistentVolumeClaim: {claimName: $name}}]
        | .spec.template.spec.domain.devices.disks = [{name: "d", disk: {}}]' <<<"$masquerade_vm" >"$work/after.json"
    run k create --dry-run=server -n web-servers -f "$work/after.json"
}
claim_judged() {
    claim_vm "$1"
    [[ $status -ne 0 && $printed == *'[LG101] '*"\"$1\" is ReadWriteOnce"* ]]
}
claim() {
    k create -f - >"$work/log" 2>&1 <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, namespace: web-servers}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
YAML
}

check "a second token is put in the place of the first" gate_token 2
run k delete secret token-1 -n livegate
succeeds "which is revoked"
apiserver_stop # ends the watches; new ones need a token that is good
run curl --silent --fail --max-time 60 "http://$gate_ops/readyz"
succeeds "livegate stays ready without an API server"
check "the API server comes back" apiserver_start
check "it asks livegate at once" eventually 180 in_force enforce
check "a claim made then" eventually 180 claim after-restart
check "is judged" eventually 180 claim_judged after-restart
# That may have been a live read; what comes next needs a watch that has come back.
claims=$(k get pvc --all-namespaces --no-headers 2>"$work/log" | wc -l)
check "and its watch has brought it" eventually 180 knows persistentvolumeclaims "$claims"
says_so() {
    grep -q 'does not know us (401)' "$gate_log"
}
check "without a word about the token" eval '! says_so'

run k delete secret token-2 -n livegate
succeeds "the second token is revoked, and there is no third"
before=$(expired persistentvolumeclaims)
apiserver_stop
check "etcd stops and starts" eval 'etcd_stop; etcd_start'
revision=$(curl --silent --max-time 60 --request POST --data '{"key":"AA=="}' "$control_plane_etcd/v3/kv/range" | jq -r .header.revision)
compacted=$(curl --silent --max-time 60 --request POST --data "{\"revision\":\"$revision\",\"physical\":true}" \
    "$control_plane_etcd/v3/kv/compaction" | jq -r .header.revision)
check "its past is compacted (revision $revision)" test "$compacted" = "$revision"
check "the API server starts on it" apiserver_start
check "livegate says that it is not known any more" eventually 180 says_so
said=$(grep -c 'does not know us (401)' "$gate_log")
check "in one line ($said)" test "$said" -eq 1
check "which names the file to mend" grep -q "renew the token or client certificate of $work/gate.kubeconfig" "$gate_log"
check "it judges on by what it knows" eventually 180 claim_judged after-restart
check "a third token" gate_token 3
check "a claim made now" eventually 180 claim after-compaction
check "is judged, too" eventually 180 claim_judged after-compaction
check "the API server said 410, and it was listed anew" eventually 180 eval '[ "$(expired persistentvolumeclaims)" -gt "$before" ]'
check "livegate is ready" curl --silent --fail --max-time 60 --output /dev/null "http://$gate_ops/readyz"
complaints=$(tail -n +$((logged + 1)) "$gate_log" | grep -E '"level":"(warn|error)"')
lines=$(grep -c . <<<"$complaints")
# A server that has not read its roles yet denies each kind, once.
if [ "$lines" -ge 2 ] && [ "$lines" -le 36 ]; then
    pass "its log says it in few lines ($lines)"
else
    fail "its log says it in few lines ($lines)" "$complaints"
fi
for name in after-restart after-compaction; do
    k delete pvc $name -n web-servers --wait=false >"$work/log" 2>&1
    k patch pvc $name -n web-servers --type=merge -p '{"metadata":{"finalizers":null}}' >"$work/log" 2>&1
done
