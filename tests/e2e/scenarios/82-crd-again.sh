# A CRD that appears while livegate runs, as 55-crd-deleted.sh left it: livegate learns it by itself.

install enforce
if [ ! -e "$work/crd.json" ]; then # this scenario alone
    . tests/e2e/scenarios/55-crd-deleted.sh
fi
check "livegate learns it" eventually 180 knows datavolumes 1
try_vm
refused "and judges by it" '[LG101] '
k delete -f "$work/volume.json" >"$work/log" 2>&1
volume ReadWriteMany >"$work/volume.json"
k create -f "$work/volume.json" >"$work/log" 2>&1
# The verdict, not a count: one went and one came.
shared() {
    try_vm
    [ "$printed" = "virtualmachine.kubevirt.io/later created (server dry run)" ]
}
check "a shared one is let in" eventually 180 shared
k delete -f "$work/volume.json" >"$work/log" 2>&1
