#!/bin/bash
# One engine, two doors: what the webhook answers over TLS is what `livegate check` prints, byte for byte.
set -uo pipefail
build=${1:?usage: tests/integration/doors.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh
cluster=manifests/demo/cluster

# A finding as the webhook can say it: denials as causes; warnings and pending ones as the text of a warning, which has
# the fix where it fits into 256 bytes, and of more than ten the first nine.
from_check='.results[0] |
    if .refused then {denied: true, code: 422, message: ((.object | .kind + " " + (if .namespace == "" then "" else .namespace + "/" end) + .name) +
        " cannot be judged: " + .refused.field + ": " + .refused.message)} else
    {denied: (.verdict == "deny"),
     causes: [.findings[] | select(.action == "deny") |
              {reason: .rule, field, message: (.message + (if .fix == "" then "" else "; fix: " + .fix end))}],
     warnings: ([.findings[] | select((.action == "warn" or .action == "pending") and (.inHead | not))] |
               reduce .[] as $finding ([]; (map(.action == "pending" and $finding.action == "pending" and
                   .message == $finding.message and .field == $finding.field) | index(true)) as $first |
                   if $first == null then . + [$finding] else .[$first].rule += ", " + $finding.rule end) |
               [.[] | (.rule + ": " + .message) as $text |
                if .fix != "" and (($text + "; fix: " + .fix) | utf8bytelength) <= 256
                then $text + "; fix: " + .fix else $text end] |
                if length > 10 then .[:9] + ["livegate: \(length - 9) more; `livegate check` lists all of them"] else . end)} end'
from_webhook='.response |
    if .status.code == 422 then {denied: (.allowed | not), code: 422, message: .status.message} else
    {denied: (.allowed | not), causes: [(.status.details.causes // [])[] | {reason, field, message}],
     warnings: (.warnings // [])} end'

# compare OBJECT-FILE CHECK-OPTION...: the running server has the same inventory and policy.
compare() {
    local object=$1 path=/validate
    shift
    ! grep -q '^kind: VirtualMachineInstanceMigration$' "$object" || path=/validate/migrations
    run /usr/bin/python3 manifests/demo/review.py request "$object"
    expect_status 0
    cp "$work/stdout" "$work/request.json"
    run curl --silent --show-error --fail --max-time 60 --cacert "$cacert" --header 'Content-Type: application/json' \
        --data-binary "@$work/request.json" --output "$work/response.json" \
        --connect-to "localhost:${address##*:}:$address" "https://localhost:${address##*:}$path?timeout=10s"
    expect_status 0
    run "$livegate" check "$object" "$@" --output json
    expect_eq "$object at both doors" "$(jq -cS "$from_check" <<<"$out")" \
        "$(jq -cS "$from_webhook" "$work/response.json")"
    compared=$((compared + 1))
}

compared=0
start_server "$livegate" --inventory "$cluster"
for object in manifests/demo/vms/*.yaml tests/reviews/*.yaml tests/integration/doors/*.yaml; do
    compare "$object" --inventory "$cluster"
done
stop_server

# The case folders of the rules that create something, each with its own inventory and policy. check counts the object
# itself to what is there, so the server is given it too. Left out: what only a request says (an old object, a user),
# and a status, which a file may have from the cluster and a request's author may not.
for object in tests/rules/*/*/object.yaml; do
    folder=$(dirname "$object")
    if [ -e "$folder/old.yaml" ] || [ -e "$folder/request.yaml" ] || ! [ -e "$folder/inventory.yaml" ] ||
        grep -q '^status:' "$object" || grep -q 'mode: observe' "$folder/policy.yaml"; then
        continue
    fi
    inventory=(--inventory "$folder/inventory.yaml")
    grep -q '"refused"' "$folder/expect.json" || inventory+=(--inventory "$object")
    start_server "$livegate" "${inventory[@]}" --policy "$folder/policy.yaml"
    compare "$object" --inventory "$folder/inventory.yaml" --policy "$folder/policy.yaml"
    stop_server
done
expect_eq "enough was compared" yes "$([ "$compared" -ge 60 ] && echo yes)"

finish
