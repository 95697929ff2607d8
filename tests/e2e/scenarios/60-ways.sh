# The ways an object can arrive: tried on the server, applied by the server, in an old version, without a name.

install enforce
bad=manifests/demo/vms/10-all-at-once.yaml
good=manifests/demo/vms/02-node-affinity.yaml
run k create --dry-run=server -f "$bad"
refused "a bad VM that is only tried is refused" '[LG101] ' '[LG201] ' '[LG402] '
run k create --dry-run=server -f "$good"
prints "a good one passes" "virtualmachine.kubevirt.io/web-node-affinity created (server dry run)"
run k create --dry-run=server -f manifests/demo/vms/13-migration-of-immovable.yaml
refused "a migration that is only tried is judged" '[LG602] '
run k create --dry-run=server -f manifests/demo/vms/12-migration.yaml
prints "a good one passes" "virtualmachineinstancemigration.kubevirt.io/shop-drain-worker-1 created (server dry run)"
run k diff -f "$good"
check "kubectl diff works for a good VM" test "$status" -eq 1
run k get vm web-node-affinity -n web-servers --ignore-not-found
prints "nothing of it was kept" ""

run k apply --server-side -f "$bad"
refused "server-side apply of a bad VM is refused" '[LG101] ' '[LG201] ' '[LG402] '
run k apply --server-side -f "$good"
prints "of a good one passes" "virtualmachine.kubevirt.io/web-node-affinity serverside-applied"
sed 's/masquerade: {}/bridge: {}/' "$good" >"$work/edited.yaml"
run k apply --server-side -f "$work/edited.yaml"
refused "an apply that makes it bad is refused" '[LG201] '
k delete -f "$good" >"$work/log" 2>&1

sed 's,^apiVersion: kubevirt.io/v1$,apiVersion: kubevirt.io/v1alpha3,' "$bad" >"$work/old.yaml"
run k create -f "$work/old.yaml"
refused "a bad VM in version v1alpha3 is refused" '[LG101] ' '[LG201] ' '[LG402] '
sed 's,^apiVersion: kubevirt.io/v1$,apiVersion: kubevirt.io/v1alpha3,' "$good" >"$work/old.yaml"
run k create -f "$work/old.yaml"
prints "a good one is created" "virtualmachine.kubevirt.io/web-node-affinity created"
k delete -f "$good" >"$work/log" 2>&1
sed 's,^apiVersion: kubevirt.io/v1$,apiVersion: kubevirt.io/v1alpha3,' manifests/demo/vms/14-migration-of-nothing.yaml >"$work/old.yaml"
run k create -f "$work/old.yaml"
refused "a bad migration in version v1alpha3 is refused" '[LG601] '

sed 's/^  name: .*/  generateName: web-/' "$bad" >"$work/nameless.yaml"
run k create -f "$work/nameless.yaml"
refused "a bad VM that the API server names is refused" '[LG101] ' '[LG201] '

printf 'apiVersion: v1\nkind: List\nitems:\n' >"$work/list.yaml"
for file in "$bad" "$good"; do
    grep -v '^#' "$file" | sed '1s/^/- /;2,$s/^/  /' >>"$work/list.yaml"
done
run k create -f "$work/list.yaml"
refused "of a list, the bad one is refused" '[LG101] ' "virtualmachine.kubevirt.io/web-node-affinity created"
k delete -f "$good" >"$work/log" 2>&1

# An object of 1.5 MB that no rule has to refuse, and hostile names, through a real API server.
{
    sed 's/^metadata:$/metadata:\n  annotations: {note: "@"}/' "$good"
} | /usr/bin/python3 -c 'import sys; print(sys.stdin.read().replace("@", "x" * 200000))' >"$work/big.yaml"
run k create -f "$work/big.yaml"
prints "a large good VM is created" "virtualmachine.kubevirt.io/web-node-affinity created"
k delete -f "$good" >"$work/log" 2>&1
