#!/bin/bash
# livegate certs inject, and issue into secrets, against a canned API server: what is written, in which order, what is
# left alone, and what is said when it cannot be done. tests/e2e does the same with a real one.
set -uo pipefail
livegate=$(realpath "$1")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

state=$work/state.json
api=
api_stop() {
    [ -z "$api" ] || { kill "$api" && wait "$api"; } 2>/dev/null
    api=
}
trap 'api_stop; cleanup' EXIT

validating=/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations
mutating=/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations
secrets=/api/v1/namespaces/livegate/secrets

# Five entries: two of ours, one of another service, one of ours elsewhere, one with a url.
fresh() {
    rm -f "$state.faults"
    jq -n --arg v $validating --arg m $mutating --arg s $secrets '
        def service($ns; $name): {clientConfig: {service: {namespace: $ns, name: $name, path: "/validate"}}};
        {
          "\($v)/livegate": {metadata: {name: "livegate", resourceVersion: "7"}, webhooks: [
            service("livegate"; "livegate") + {name: "a"},
            service("other"; "other") + {name: "b"},
            service("livegate"; "livegate") + {name: "c", extra: {kept: ["as", "it", "is"]}},
            service("elsewhere"; "livegate") + {name: "d"},
            {name: "e", clientConfig: {url: "https://10.0.0.1:8443/validate"}}]},
          "\($m)/mends": {metadata: {name: "mends", resourceVersion: "8"}, webhooks: [
            service("livegate"; "livegate") + {name: "m"}]},
          "\($v)/others": {metadata: {name: "others", resourceVersion: "9"}, webhooks: [
            service("other"; "other") + {name: "o"}]},
          "\($s)/livegate-tls": {metadata: {name: "livegate-tls", resourceVersion: "10"}},
          "\($s)/livegate-ca": {metadata: {name: "livegate-ca", resourceVersion: "11"}}
        }' >"$state"
}

# fault "METHOD PATH" STATUS...
fault() {
    local key=$1
    shift
    jq -n --arg key "$key" '{($key): $ARGS.positional}' --jsonargs "$@" >"$state.faults"
}

# bundle PATH ENTRY: how many certificates its caBundle holds, and whether they vouch for the serving certificate.
bundle() {
    jq -r --arg path "$1" --arg name "$2" '.[$path].webhooks[] | select(.name == $name) | .clientConfig.caBundle // ""' \
        "$state" | base64 -d >"$work/bundle.pem"
    [ -s "$work/bundle.pem" ] || { echo none && return; }
    openssl verify -purpose sslserver -CAfile "$work/bundle.pem" "$certs/tls.crt" >/dev/null 2>&1 && printf 'good '
    grep -c BEGIN "$work/bundle.pem"
}

secret() {
    jq -r --arg path "$secrets/$1" --arg key "$2" '.[$path].data[$key] // ""' "$state" | base64 -d
}

keys=$work/api
certs=$work/certs
"$livegate" certs issue --cert-dir "$keys" --san 127.0.0.1 >/dev/null
"$livegate" certs issue --cert-dir "$certs" >/dev/null
fresh
/usr/bin/python3 tests/support/configurations.py "$keys" "$state" >"$work/port" 2>"$work/api.log" </dev/null &
api=$!
for _ in $(seq 2400); do
    [ ! -s "$work/port" ] || break
    sleep 0.05
done
# kubeconfig FILE CA-FILE
kubeconfig() {
    cat >"$1" <<YAML
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$(cat "$work/port")", certificate-authority: $2}}]
users: [{name: u, user: {token: t}}]
YAML
}
kubeconfig "$work/kubeconfig" "$keys/ca.crt"
inject=("$livegate" certs inject --kubeconfig "$work/kubeconfig" --cert-dir "$certs")

# --- all entries of the service, wherever they stand ---
run "${inject[@]}" --dry-run
expect_status 0
expect_eq "what a trial says" "validatingwebhookconfiguration/livegate: caBundle would be set in 2 of 2 of our entries
mutatingwebhookconfiguration/mends: caBundle would be set in 1 of 1 of our entries" "$out"
expect_eq "a trial leaves nothing" none "$(bundle $validating/livegate a)"
run "${inject[@]}"
expect_status 0
expect_eq "what is done" "validatingwebhookconfiguration/livegate: caBundle set in 2 of 2 of our entries
mutatingwebhookconfiguration/mends: caBundle set in 1 of 1 of our entries" "$out"
expect_eq "nothing on stderr" "" "$err"
for entry in a c; do
    expect_eq "entry $entry trusts us" "good 1" "$(bundle $validating/livegate $entry)"
done
expect_eq "the mutating one, too" "good 1" "$(bundle $mutating/mends m)"
for entry in b d e; do
    expect_eq "entry $entry is not ours" none "$(bundle $validating/livegate $entry)"
done
expect_eq "the rest of an entry stays" '["as","it","is"]' \
    "$(jq -c --arg p $validating/livegate '.[$p].webhooks[2].extra.kept' "$state")"
before=$(cat "$state")
run "${inject[@]}"
expect_status 0
expect_eq "again: nothing to do" "validatingwebhookconfiguration/livegate: unchanged, 2 of our entries
mutatingwebhookconfiguration/mends: unchanged, 1 of our entries" "$out"
expect_eq "and nothing done" "$before" "$(cat "$state")"

# --- by name: entries with a url are ours, those of others never ---
fresh
run "${inject[@]}" --configuration livegate
expect_status 0
expect_eq "by name" "validatingwebhookconfiguration/livegate: caBundle set in 3 of 3 of our entries" "$out"
expect_eq "the entry with a url" "good 1" "$(bundle $validating/livegate e)"
expect_eq "the entry of another service" none "$(bundle $validating/livegate b)"
expect_eq "another configuration" none "$(bundle $mutating/mends m)"
run "${inject[@]}" --namespace elsewhere --configuration livegate
expect_in "caBundle set in 1 of 2" "$out"
expect_eq "the service elsewhere" "good 1" "$(bundle $validating/livegate d)"

# --- authorities change: the old one and the new one, then the new one ---
run "$livegate" certs issue --cert-dir "$certs" --new-ca
expect_status 0
run "${inject[@]}" --configuration livegate
expect_status 0
expect_eq "both authorities, and the old certificate is trusted" "good 2" "$(bundle $validating/livegate a)"
run "$livegate" certs issue --cert-dir "$certs" --renew
expect_status 0
expect_eq "the new certificate was trusted before it was made" "good 2" "$(bundle $validating/livegate a)"
run "${inject[@]}" --configuration livegate
expect_in "unchanged" "$out"
rm -rf "$certs"
"$livegate" certs issue --cert-dir "$certs" >/dev/null
run "${inject[@]}" --configuration livegate
expect_eq "a directory that was lost: those before stay trusted" "good 3" "$(bundle $validating/livegate a)"
run "${inject[@]}" --configuration livegate --replace
expect_status 0
expect_eq "--replace: nothing else is trusted" "good 1" "$(bundle $validating/livegate a)"
jq --arg p $validating/livegate '.[$p].webhooks[0].clientConfig.caBundle = "Cg=="' "$state" >"$state.new"
mv "$state.new" "$state"
run "${inject[@]}" --configuration livegate
expect_eq "a placeholder is replaced" "good 1" "$(bundle $validating/livegate a)"

# --- somebody else writes, too ---
fresh
fault "PATCH $validating/livegate" '"meanwhile"' '"meanwhile"' 422
run "${inject[@]}" --configuration livegate
expect_status 0
expect_eq "done at the fourth attempt" "good 1" "$(bundle $validating/livegate a)"
fresh
fault "PATCH $validating/livegate" 409 409 409 409 409 409 409 409 409
run "${inject[@]}" --configuration livegate
expect_status 3
expect_one_line "$err"
expect_in "the API server answered 409" "$err"

# --- what is wrong is said, and nothing is done ---
fresh
before=$(cat "$state")
fault "PATCH $validating/livegate" 403
run "${inject[@]}"
expect_status 3
expect_one_line "$err"
expect_in "livegate: validatingwebhookconfigurations: we may not patch validatingwebhookconfigurations; a Role or ClusterRole of ours must allow it" "$err"
fault "GET $validating" 403
run "${inject[@]}"
expect_status 3
expect_in "we may not list validatingwebhookconfigurations" "$err"
fault "GET $validating/livegate" 403
run "${inject[@]}" --configuration livegate
expect_status 3
expect_in "we may not get validatingwebhookconfigurations" "$err"
fault "GET $validating/livegate" 401
run "${inject[@]}" --configuration livegate
expect_status 3
expect_in "renew the token or client certificate of $work/kubeconfig" "$err"
run "${inject[@]}" --configuration livegat
expect_status 3
expect_one_line "$err"
expect_in 'there is no webhook configuration "livegat"; install the manifests first' "$err"
run "${inject[@]}" --configuration ../../x
expect_status 3
expect_in "cannot be an object's name" "$err"
run "${inject[@]}" --service nobody
expect_status 3
expect_in "no webhook configuration has an entry that calls the service livegate/nobody" "$err"
run "${inject[@]}" --configuration others
expect_status 3
expect_in "none of these webhook configurations has an entry that calls the service livegate/livegate" "$err"
kubeconfig "$work/wrong-ca" "$certs/ca.crt"
run "$livegate" certs inject --cert-dir "$certs" --kubeconfig "$work/wrong-ca"
expect_status 3
expect_one_line "$err"
expect_in "the server, the certificate-authority and the tls-server-name of the kubeconfig must belong together" "$err"
run "$livegate" certs inject --cert-dir "$certs" --kubeconfig "$work/absent"
expect_status 3
expect_in "$work/absent" "$err"
mkdir "$work/bad"
cp "$certs/tls.crt" "$certs/tls.key" "$work/bad/"
run "$livegate" certs inject --cert-dir "$work/bad" --kubeconfig "$work/kubeconfig"
expect_status 3
expect_in "ca.crt is missing; nothing was injected" "$err"
cp "$keys/ca.crt" "$work/bad/"
run "$livegate" certs inject --cert-dir "$work/bad" --kubeconfig "$work/kubeconfig"
expect_status 1
expect_one_line "$err"
expect_in "tls.crt does not verify against ca.crt" "$err"
expect_in "nothing was injected" "$err"
rm -f "$state.faults"
expect_eq "nothing was done" "$before" "$(cat "$state")"

# --- certificates that live in secrets ---
issue=("$livegate" certs issue --kubeconfig "$work/kubeconfig" --secret livegate-tls --ca-secret livegate-ca
    --inject livegate --renew=due)
fresh
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
run "${issue[@]}"
expect_status 0
expect_in "secret/livegate-ca: written" "$out"
expect_in "validatingwebhookconfiguration/livegate: caBundle set in 3 of 3 of our entries" "$out"
expect_in "secret/livegate-tls: written" "$out"
expect_in "ca.crt: made a new authority" "$out"
unpack() {
    rm -rf "$certs"
    mkdir "$certs"
    for key in tls.crt tls.key ca.crt; do
        secret livegate-tls $key >"$certs/$key"
    done
}
unpack
run "$livegate" certs show --cert-dir "$certs"
expect_status 0
expect_in "no problems" "$out"
expect_in "livegate.livegate.svc" "$out"
expect_eq "the authority's key is not where the server looks" "" "$(secret livegate-tls ca.key)"
expect_in "BEGIN PRIVATE KEY" "$(secret livegate-ca ca.key)"
expect_eq "trusted" "good 1" "$(bundle $validating/livegate a)"
expect_eq "no key is left on the disk" "" "$(ls "$TMPDIR")"
before=$(cat "$state")
run "${issue[@]}"
expect_status 0
expect_in "secret/livegate-ca: unchanged" "$out"
expect_in "secret/livegate-tls: unchanged" "$out"
expect_eq "again: nothing done" "$before" "$(cat "$state")"

# A new authority: trusted now, signs at the next renewal.
leaf=$(secret livegate-tls tls.crt)
run "${issue[@]}" --new-ca
expect_status 0
expect_in "The new authority signs from the next renewal on" "$out"
unpack
expect_eq "two authorities are trusted" "good 2" "$(bundle $validating/livegate a)"
run "${issue[@]}" --renew
expect_status 0
unpack
expect_eq "the certificate is another one, and trusted" "good 2" "$(bundle $validating/livegate a)"
[ "$leaf" != "$(secret livegate-tls tls.crt)" ]
expect_eq "the certificate was renewed" 0 $?

# Where the API server cannot be told, what is served stays.
leaf=$(secret livegate-tls tls.crt)
jq --arg p "$validating/livegate" '.[$p].webhooks[0].clientConfig.caBundle = "Cg=="' "$state" >"$state.new"
mv "$state.new" "$state"
fault "PATCH $validating/livegate" 403
run "${issue[@]}" --renew
expect_status 3
expect_in "we may not patch validatingwebhookconfigurations" "$err"
expect_eq "what is served stays" "$leaf" "$(secret livegate-tls tls.crt)"
fault "PATCH $secrets/livegate-tls" '"meanwhile"'
run "${issue[@]}" --renew
expect_status 3
expect_one_line "$err"
expect_in "409" "$err"
jq --arg p "$secrets/livegate-tls" 'del(.[$p])' "$state" >"$state.new"
mv "$state.new" "$state"
rm -f "$state.faults"
run "${issue[@]}"
expect_status 3
expect_in 'there is no secret "livegate-tls" in namespace livegate; make an empty one: kubectl create secret generic livegate-tls -n livegate' "$err"
expect_eq "no key is left on the disk after errors" "" "$(ls "$TMPDIR")"

# --- usage ---
run "$livegate" certs inject
expect_status 2
run "$livegate" certs inject --help
expect_status 0
run "$livegate" certs issue --secret a
expect_status 2
run "$livegate" certs issue --secret a --ca-secret b --cert-dir c
expect_status 2
run "$livegate" certs issue --inject livegate
expect_status 2

finish
