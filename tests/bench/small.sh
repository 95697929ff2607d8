# What tests/bench/run and tests/bench/profile share: a small cluster in files, reviews, and the two servers. Sourced at the
# repository's root; sets bin, work (removed at the end), pids (ended then), nodes and claims.
nodes=${NODES:-1000}
claims=${CLAIMS:-10000}
bin=build/release
cmake --workflow --preset release >/dev/null
work=$(mktemp -d)
pids=()
under=() # what the servers run under, if anything
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# --- a cluster of the size that is asked for ---
mkdir "$work/cluster"
awk -v n="$nodes" 'BEGIN {
    print "apiVersion: v1\nkind: List\nitems:"
    for (i = 0; i < n; i++) {
        printf "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: worker-%d\n    labels: {kubernetes.io/hostname: worker-%d, kubernetes.io/arch: amd64, kubevirt.io/schedulable: \"true\", topology.kubernetes.io/zone: zone-%d, example-key-1: example-value-1, example-key-2: example-value-2, example.io/example-key: example-value-%d, cpu-model.node.kubevirt.io/Haswell: \"true\", cpu-feature.node.kubevirt.io/vmx: \"true\"}\n", i, i, i % 3, i % 4 + 1
        printf "  spec: %s\n", i % 10 == 9 ? "{taints: [{key: gpu, value: \"true\", effect: NoSchedule}]}" : "{}"
        print "  status: {conditions: [{type: Ready, status: \"True\"}]}"
    }
}' >"$work/cluster/nodes.yaml"
awk -v n="$claims" 'BEGIN {
    print "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    for (i = 0; i < n; i++)
        printf "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{\"name\":\"claim-%d\",\"namespace\":\"ns-%d\"},\"spec\":{\"accessModes\":[\"%s\"],\"storageClassName\":\"nfs\",\"volumeMode\":\"Filesystem\"}},\n", i, i % 50, i % 4 ? "ReadWriteMany" : "ReadWriteOnce"
    print "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{\"name\":\"orders-db-data\",\"namespace\":\"web-servers\"},\"spec\":{\"accessModes\":[\"ReadWriteMany\"],\"storageClassName\":\"nfs\"}}]}"
}' >"$work/cluster/claims.json"
cat >"$work/cluster/base.yaml" <<'Y'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nfs, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: nfs.csi.k8s.io
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: StorageProfile
metadata: {name: nfs}
spec: {}
status: {claimPropertySets: [{accessModes: [ReadWriteMany], volumeMode: Filesystem}]}
---
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
spec: {configuration: {network: {defaultNetworkInterface: masquerade}}}
status: {observedKubeVirtVersion: v1.9.0}
Y

# --- reviews: as a real API server sent them; the allowed ones with the reserved port moved ---
reviews=tests/reviews
sed 's/49152/8152/g' $reviews/vm-create.json >"$work/create.json"
sed 's/49152/8152/g; s/49153/8153/g' $reviews/vm-update-ports.json >"$work/update.json"
cp $reviews/vm-update-label.json "$work/equal.json"
cp $reviews/vm-create.json "$work/denied.json"
sed 's/49152/8152/g; s/"masquerade":{},"name":"default"/"bridge":{},"name":"default"/' $reviews/vm-create.json >"$work/bridge.json"
cat >"$work/policy.yaml" <<'Y'
apiVersion: livegate.io/v1
kind: Policy
mutate: {LG101: {}, LG201: {}, LG203: {}, LG502: {}}
Y

"$bin/livegate" certs issue --cert-dir "$work/certs" --service livegate --namespace livegate --san localhost >/dev/null

start_floor() {
    mkfifo "$work/stop"
    taskset -c 0 "${under[@]}" "$bin/bench/bench_floor" "$work/certs" 2 <"$work/stop" >"$work/floor.port" &
    pid=$!
    exec 9>"$work/stop"
    pids+=("$pid")
    until [ -s "$work/floor.port" ]; do sleep 0.05; done
    port=$(cat "$work/floor.port")
}

start_livegate() {
    taskset -c 0 "${under[@]}" "$bin/livegate" serve --inventory "$work/cluster" --policy "$work/policy.yaml" --cert-dir "$work/certs" --listen 127.0.0.1:0 \
        --ops-listen 127.0.0.1:0 --drain 0s 2>"$work/log" &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 1000); do
        port=$(sed -n 's/.*"message": *"listening".*"reviews": *"[^"]*:\([0-9]*\)".*/\1/p' "$work/log" | head -1)
        [ -n "$port" ] && return
        sleep 0.05
    done
    cat "$work/log" >&2
    exit 1
}

measure() { # NAME BODY ARGS... -> one JSON line
    local body=$1
    shift
    taskset -c 1 "$bin/bench/bench_send" --port "$port" --ca "$work/certs/ca.crt" --body "$work/$body.json" --pid "$pid" \
        --seconds "$seconds" "$@"
}
