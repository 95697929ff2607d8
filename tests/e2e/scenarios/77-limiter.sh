# The limiter, three replicas behind one address: 40 migrations at once, limits 5 for the cluster and 2 for a node.

# limit NAME COUNT DISTURB: sets $printed to what was found.
limit() {
    local folder=$work/limit-$1 pid restarts=0
    mkdir -p "$folder/policy"
    cp -r "$work/certs" "$work/gate.kubeconfig" "$work/token" "$folder/"
    # A busy machine may answer too late: then a create waits, and does not go through uncounted.
    printf 'apiVersion: livegate.io/v1\nkind: Policy\nlimiter: {whenLedgerUnreachable: refuse}\n' >"$folder/policy/policy.yaml"
    sed -i "s|tokenFile: .*|tokenFile: $work/token|" "$folder/gate.kubeconfig"
    /usr/bin/python3 tests/e2e/limiter.py "$livegate" "$work/plane" "$control_plane_server" "$control_plane_etcd" "$folder" "$2" "$3" \
        >"$folder/found" 2>&1 &
    pid=$!
    eventually 60 test -e "$folder/balancer" || { kill "$pid"; printed=$(cat "$folder/found"); return; }
    gate_saved=$gate_address
    gate_address=$(cat "$folder/balancer")
    render enforce
    # As the overlay match-conditions has it, on every API server: a migration whose call was cut does not go through.
    jq '(.items[].webhooks[] | select(.name == "migrations.livegate.io") | .failurePolicy) = "Fail"' \
        "$work/policy/webhooks.json" >"$folder/webhooks.json"
    k apply -f "$folder/webhooks.json" >"$work/log" 2>&1
    sleep 2
    touch "$folder/go"
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$3" = yes ] && [ -e "$folder/restart" ] && [ ! -e "$folder/restarted" ]; then
            apiserver_stop
            apiserver_start
            touch "$folder/restarted"
        fi
        sleep 0.3
    done
    gate_address=$gate_saved
    printed=$(cat "$folder/found")
    for namespace in lim-a lim-b lim-c; do
        k delete vmim,vmi --all -n "$namespace" --wait=false >"$work/log" 2>&1
    done
}
# limited NAME DISTURB: what it prints is what it should be.
limited() {
    local name="40 at once are created in their turn, never more than the limits ($1)"
    limit "$1" 40 "$2"
    if [[ $printed == *"40 created, 5 at once, 2 from a node, 0 times over, 0 out of turn" ]]; then
        pass "$name"
    else
        fail "$name" "$printed"
    fi
    grep '^# ' <<<"$printed"
}
limited quiet no
# LG_E2E_DISTURB=yes: once more, while a replica is killed, another stopped for 20 s, and the API server restarted.
[ "${LG_E2E_DISTURB:-}" != yes ] || limited disturbed yes
installed=
install enforce
