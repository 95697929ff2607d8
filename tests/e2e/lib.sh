# Sourced by tests/e2e/run: checks, and the gate in front of the control plane. Scenarios use what has a comment here.

passed=0
failed=0
scenario=setup
printed=
status=0
gate_pid=
gate_address=
gate_ops=
gate_log=
gate_starts=0
installed=
manifests=${LG_MANIFESTS:-manifests}

# ---- checks ------------------------------------------------------------------------------------------------------------

pass() {
    passed=$((passed + 1))
    echo "ok      $scenario: $1"
}

# fail NAME [DETAIL]
fail() {
    failed=$((failed + 1))
    echo "FAILED  $scenario: $1"
    printf '%s\n' "${2:-}" | sed 's/^/        | /'
}

# run COMMAND...: sets $printed (both streams, as a terminal shows them) and $status. What versions of kubectl and of CRDs
# say differently, and livegate has no part in, is evened out.
run() {
    status=0
    printed=$("$@" 2>&1 </dev/null) || status=$?
    printed=$(sed -E '/^Warning: .* deprecated/d; s/( deleted) from [^ ]+ namespace$/\1/' <<<"$printed")
}

# check NAME COMMAND...: COMMAND succeeds.
check() {
    local name=$1
    shift
    if "$@"; then pass "$name"; else fail "$name" "failed: $*"; fi
}

# shown NAME DETAIL COMMAND...: COMMAND succeeds; else DETAIL is shown.
shown() {
    local name=$1 detail=$2
    shift 2
    if "$@"; then pass "$name"; else fail "$name" "$detail"; fi
}

# The next four look at what `run` left.

# succeeds NAME
succeeds() {
    if [ "$status" -eq 0 ]; then pass "$1"; else fail "$1" "status $status: $printed"; fi
}

# prints NAME TEXT: succeeded, and printed exactly TEXT.
prints() {
    if [ "$status" -eq 0 ] && [ "$printed" = "$2" ]; then
        pass "$1"
    else
        fail "$1" "$(printf 'status %s\n' "$status" && diff <(printf '%s\n' "$2") <(printf '%s\n' "$printed"))"
    fi
}

# refused NAME TEXT...: failed, and printed each TEXT.
refused() {
    local name=$1 text
    shift
    for text in "$@"; do
        if [ "$status" -eq 0 ] || [[ $printed != *"$text"* ]]; then
            fail "$name" "wanted: $text
status $status: $printed"
            return
        fi
    done
    pass "$name"
}

# warned NAME TEXT...: succeeded, and printed each TEXT.
warned() {
    local name=$1 text
    shift
    for text in "$@"; do
        if [ "$status" -ne 0 ] || [[ $printed != *"$text"* ]]; then
            fail "$name" "wanted: $text
status $status: $printed"
            return
        fi
    done
    pass "$name"
}

# as_written NAME FILE: printed, to the letter, what expected/FILE.txt holds (the run's own folder is called WORK there);
# LG_E2E_WRITE=yes writes it instead, for somebody to read before it is kept.
as_written() {
    local file=tests/e2e/expected/$2.txt text=${printed//"$work"/WORK}
    if [ "${LG_E2E_WRITE:-}" = yes ]; then
        mkdir -p tests/e2e/expected
        printf '%s\n' "$text" >"$file"
    fi
    if [ -e "$file" ] && [ "$text" = "$(cat "$file")" ]; then
        pass "$1"
    else
        fail "$1" "$(diff "$file" <(printf '%s\n' "$text"))"
    fi
}

# eventually SECONDS COMMAND...: COMMAND succeeds before the time is up.
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# ---- the API server ----------------------------------------------------------------------------------------------------

# k ARGUMENT...: kubectl, as cluster-admin, with a deadline that a busy machine does not reach.
k() {
    timeout 120 kubectl --request-timeout=100s "$@"
}

# The newest minor version of 1.x that is asked for is known to this server.
server_is_at_least() {
    [ "$server_minor" -ge "$1" ]
}

controller=system:serviceaccount:openshift-cnv:kubevirt-controller
controllers=("$controller" system:serviceaccount:openshift-cnv:kubevirt-apiserver
    system:serviceaccount:web-servers:kubevirt-controller)

cluster_start() {
    control_plane_start "$work/plane" || return 1
    PATH=$control_plane_assets:$PATH
    export KUBECONFIG=$work/plane/admin.kubeconfig
    server_minor=$(k get --raw /version | jq -r '.minor | gsub("[^0-9]"; "")')
    echo "# API server 1.$server_minor, $(kubectl version --client -o json | jq -r '"kubectl " + .clientVersion.gitVersion')"
    crds_create && eventually 300 k wait --for=condition=Established --all crd --timeout=100s >"$work/log" 2>&1 &&
        /usr/bin/python3 tests/e2e/cluster.py "$control_plane_server" "$work/plane" manifests/demo/cluster/*.yaml &&
        controllers_allowed >"$work/log" 2>&1 || {
        cat "$work/log"
        return 1
    }
}

# Those of LG_CRDS where it is set, and ours for what it has not.
crds_create() {
    local file there
    if [ -n "${LG_CRDS:-}" ]; then
        k create -f "$LG_CRDS" >"$work/log" 2>&1 || return 1
    fi
    there=$(k get crd -o name)
    for file in tests/e2e/crds/*.yaml; do
        [[ $there == *"/$(basename "$file" .yaml)"* ]] || k create -f "$file" >"$work/log" 2>&1 || return 1
    done
}

# KubeVirt's accounts may do what they do, and so may somebody who only looks like one of them.
controllers_allowed() {
    local user i=0
    for user in "${controllers[@]}"; do
        i=$((i + 1))
        k create clusterrolebinding "e2e-$i" --clusterrole=cluster-admin --user="$user" || return 1
    done
}

# ---- the gate ----------------------------------------------------------------------------------------------------------

# render OVERLAY: writes $work/policy/{webhooks,rbac}.json and policy.yaml.
render() {
    mkdir -p "$work/policy"
    gate_certificate &&
        /usr/bin/python3 tests/e2e/webhooks.py "$manifests/overlays/$1" "https://${gate_address:-127.0.0.1:1}" "$work/certs/ca.crt" "$work/policy"
}

gate_certificate() {
    [ -e "$work/certs/tls.crt" ] ||
        "$livegate" certs issue --cert-dir "$work/certs" --san localhost --san 127.0.0.1 >"$work/log"
}

# gate_account: the account and the rights that the manifests render, and a kubeconfig with a token of that account.
gate_account() {
    render enforce && k apply -f "$work/policy/rbac.json" >"$work/log" 2>&1 && gate_token 1 &&
        control_plane_write_kubeconfig "$work/gate.kubeconfig" livegate "tokenFile: $work/token" || {
        cat "$work/log"
        return 1
    }
}

# gate_token N: a new token in $work/token, put there as a kubelet does. It is good for as long as secret token-N is there.
gate_token() {
    local path=/api/v1/namespaces/livegate/serviceaccounts/livegate/token
    k create secret generic "token-$1" -n livegate >"$work/log" 2>&1 &&
        jq -n --arg name "token-$1" '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest",
            spec: {expirationSeconds: 3600, boundObjectRef: {kind: "Secret", apiVersion: "v1", name: $name}}}' >"$work/request.json" &&
        k create --raw "$path" -f "$work/request.json" >"$work/token.json" 2>"$work/log" &&
        jq -er .status.token "$work/token.json" >"$work/token.new" && mv "$work/token.new" "$work/token"
}

# gate_start [LISTEN-ADDRESS]: sets $gate_pid and $gate_address; the log is $gate_log. A restart on the same address is
# gate_start "$gate_address".
gate_start() {
    gate_starts=$((gate_starts + 1))
    gate_log=$work/gate-$gate_starts.log
    "$livegate" serve --kubeconfig "$work/gate.kubeconfig" --cert-dir "$work/certs" --policy "$work/policy/policy.yaml" \
        --listen "${1:-127.0.0.1:0}" --ops-listen 127.0.0.1:0 --drain "${gate_drain:-0s}" 2>"$gate_log" </dev/null &
    gate_pid=$!
    if ! eventually 180 gate_listens "$gate_log"; then
        tail -n 20 "$gate_log"
        return 1
    fi
}

gate_listens() {
    kill -0 "$gate_pid" 2>/dev/null && [ -e "$1" ] || return 1
    gate_address=$(sed -nE 's/.*"message":"listening".*"reviews":"([^"]+)".*/\1/p' "$1" | head -n 1)
    gate_ops=$(sed -nE 's/.*"message":"listening".*"operations":"([^"]+)".*/\1/p' "$1" | head -n 1)
    [ -n "$gate_address" ] &&
        curl --silent --fail --max-time 60 --output /dev/null "http://$gate_ops/readyz"
}

# metric NAME[{LABELS}]: prints the value, nothing where there is no such series.
metric() {
    curl --silent --fail --max-time 60 "http://$gate_ops/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

# knows RESOURCE N: the inventory holds N objects of it.
knows() {
    [ "$(metric "livegate_inventory_objects{resource=\"$1\"}")" = "$2" ]
}

# gate_stop: asks it to end, and sets $status to how it did.
gate_stop() {
    status=0
    [ -n "$gate_pid" ] || return 0
    kill "$gate_pid" 2>/dev/null
    wait "$gate_pid" || status=$?
    gate_pid=
}

# install OVERLAY: registers what it renders, hands its policy to the gate, and waits until both are in force.
install() {
    [ "$installed" != "$1" ] || return 0
    uninstall
    render "$1" &&
        k apply -f "$work/policy/rbac.json" >"$work/log" 2>&1 && kill -HUP "$gate_pid" &&
        k apply -f "$work/policy/webhooks.json" >"$work/log" 2>&1 || {
        cat "$work/log"
        return 1
    }
    eventually 180 in_force "$(policy_mode)" || {
        echo "# $1 is not in force: $(probe)"
        return 1
    }
    installed=$1
}

# The mode of the policy in force; "mended" where it mends a bridge.
policy_mode() {
    if grep -q '^  LG201: {}' "$work/policy/policy.yaml"; then
        echo mended
    else
        sed -n 's/^mode: //p' "$work/policy/policy.yaml"
    fi
}

# uninstall: nothing is registered, and the API server knows.
uninstall() {
    k delete validatingwebhookconfiguration,mutatingwebhookconfiguration livegate --ignore-not-found >"$work/log" 2>&1
    eventually 180 in_force none
    installed=
}

# bad_vmi NAME: prints a VMI as virt-controller makes it, bridged.
bad_vmi() {
    cat <<YAML
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: $1
  namespace: web-servers
  labels: {kubevirt.io/created-by: 5f1e0c2b, kubevirt.io/vm: $1}
  ownerReferences:
  - {apiVersion: kubevirt.io/v1, kind: VirtualMachine, name: $1, uid: 5f1e0c2b-0000-4000-8000-000000000000, controller: true}
spec:
  domain:
    memory: {guest: 1Gi}
    devices:
      interfaces:
      - {name: default, bridge: {}}
  networks:
  - {name: default, pod: {}}
YAML
}

bridge_vm='{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":{"name":"probe"},"spec":{"runStrategy":"Halted",
"template":{"spec":{"domain":{"devices":{"interfaces":[{"name":"default","bridge":{}}]}},
"networks":[{"name":"default","pod":{}}]}}}}'
masquerade_vm=${bridge_vm/bridge/masquerade}

# probe: prints what the API server answers to a bridged VM that is only tried.
probe() {
    curl --silent --include --max-time 60 --request POST \
        "$control_plane_server/apis/kubevirt.io/v1/namespaces/web-servers/virtualmachines?dryRun=All" \
        --cacert "$work/plane/ca.crt" --cert "$work/plane/admin.crt" --key "$work/plane/admin.key" \
        --header 'Content-Type: application/json' --data-binary "$bridge_vm"
}

# in_force enforce|observe|mended|none
in_force() {
    local answer
    answer=$(probe)
    case $1 in
    enforce) [[ $answer == *" 403"*"[LG201]"* ]] ;;
    observe) [[ $answer == *" 201"*"would be denied: "* ]] ;;
    mended) [[ $answer == *" 201"*"LG201: mended: "* ]] ;;
    none) [[ $answer == *" 201"* ]] && [[ $answer != *LG201* ]] ;;
    *) return 1 ;;
    esac
}
