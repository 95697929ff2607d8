# The limiter, three replicas behind one address: 40 migrations at once, limits 5 for the cluster and 2 for a node; a drain;
# callers that go away. limiter.py plays and judges, a line a check.

# limit FOLDER DISTURB LONGER
limit() {
    local folder=$1 pid line
    mkdir -p "$folder/policy"
    cp -r "$work/certs" "$work/gate.kubeconfig" "$work/token" "$folder/"
    # A busy machine may answer too late: then a create waits, and does not go through uncounted.
    printf 'apiVersion: livegate.io/v1\nkind: Policy\nlimiter: {whenLedgerUnreachable: refuse}\n' >"$folder/policy/policy.yaml"
    sed -i "s|tokenFile: .*|tokenFile: $work/token|" "$folder/gate.kubeconfig"
    /usr/bin/python3 tests/e2e/limiter.py "$livegate" "$work/plane" "$control_plane_server" "$control_plane_etcd" "$folder" "$2" "$3" \
        >"$folder/found" 2>&1 &
    pid=$!
    if eventually 180 test -e "$folder/balancer"; then
        limit_register "$folder"
        touch "$folder/go"
    else
        kill "$pid"
    fi
    while kill -0 "$pid" 2>/dev/null; do
        if [ -e "$folder/restart" ] && [ ! -e "$folder/restarted" ]; then
            apiserver_stop
            apiserver_start
            touch "$folder/restarted"
        fi
        sleep 0.2
    done
    status=0
    wait "$pid" || status=$?
    check "all of it was played" test "$status" -eq 0
    while read -r line; do
        case $line in
        "ok "*) pass "${line#ok }" ;;
        "FAILED "*) fail "${line#FAILED }" ;;
        *) echo "$line" ;;
        esac
    done <"$folder/found"
    for namespace in lim-a lim-b lim-c lim-drain; do
        k delete vmim,vmi --all -n "$namespace" --wait=false >"$work/log" 2>&1
    done
}
# limit_register FOLDER: the balancer's address instead of the gate's.
limit_register() {
    local gate_address
    gate_address=$(cat "$1/balancer")
    render enforce
    # As the overlay match-conditions has it, on every API server: a migration whose call was cut does not go through. The API
    # server gives a call up before a replica that is stopped goes on.
    jq '(.items[].webhooks[] | select(.name == "migrations.livegate.io")) |= (.failurePolicy = "Fail" | .timeoutSeconds = 10)' \
        "$work/policy/webhooks.json" >"$1/webhooks.json"
    k apply -f "$1/webhooks.json" >"$work/log" 2>&1
    check "the API server asks the replicas" eventually 180 limit_asked "$1"
}

# limit_asked FOLDER: a replica refused what is refused.
limit_asked() {
    probe >"$work/log"
    grep -q '"message":"denied"' "$1"/replica-*.log
}

# LG_E2E_DISTURB=yes: a replica is killed, another stopped for 20 s, and the API server restarted meanwhile. LG_E2E_LONGER=yes plays
# both, with more that lasts long.
disturb=${LG_E2E_DISTURB:-no}
if [ "${LG_E2E_LONGER:-}" = yes ]; then
    limit "$work/limit-quiet" no yes
    disturb=yes
fi
limit "$work/limit" "$disturb" "${LG_E2E_LONGER:-no}"
installed=
install enforce
