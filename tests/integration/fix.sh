#!/bin/bash
# livegate check --fix: only the lines that have to change change, in files with comments, anchors, flow style, block
# scalars, CRLF, many documents and lists, and in JSON; what cannot be mended safely is left alone, with the reason.
set -uo pipefail
build=${1:?usage: tests/integration/fix.sh BUILD_DIRECTORY}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh
here=$PWD/tests/integration/fix
demo=$PWD/manifests/demo

fix() { run "$livegate" check --fix "$@"; }
git() { command git -c user.name=test -c user.email=test@localhost -c core.autocrlf=false -c core.safecrlf=false "$@"; }

# A repository of its own, so that git counts what changed.
repository() {
    rm -rf "$work/repo"
    mkdir "$work/repo"
    cp -r "$1" "$work/repo/files"
    cd "$work/repo" || exit 1
    git init -q . && git add -A && git commit -qm before
}

# --- hand-written files ---
repository "$here/files"
cluster=$here/cluster.yaml

fix files --inventory "$cluster"
expect_status 1 # the files are as they were
printed=$out
expect_eq "without --write nothing is written" "" "$(git status --porcelain)"
expect_in "22 repairs in 12 files, not written (--write does); 4 findings need a person" "$out"
sed '/^files\/.*: \[LG/,$d' <<<"$printed" >"$work/printed.diff"
run git apply --check "$work/printed.diff"
expect_status 0
git apply "$work/printed.diff"
git diff >"$work/applied.diff"
git checkout -q .
chmod 640 files/comments.yaml

fix --write files --inventory "$cluster"
expect_status 1 # for what is left
expect_in "22 repairs in 12 files, written; 4 findings need a person" "$out"
expect_eq "--write does what the diff says" "$(cat "$work/applied.diff")" "$(git diff)"
expect_eq "only the lines that had to change changed" "\
 files/anchors.yaml       | 6 +++---
 files/block-scalars.yaml | 4 +++-
 files/bom.yaml           | 2 +-
 files/comments.yaml      | 2 +-
 files/crlf.yaml          | 3 ++-
 files/flow.yaml          | 2 +-
 files/list.json          | 4 ++--
 files/list.yaml          | 4 ++--
 files/many.yaml          | 7 ++++---
 files/no-newline.yaml    | 4 +++-
 files/pretty.json        | 6 ++++--
 files/templates.yaml     | 7 +++----
 12 files changed, 29 insertions(+), 22 deletions(-)" "$(git diff --stat=80)"
git diff -U0 | grep -E '^[-+]' | sed 's/\r$/<CR>/' >"$work/changes"
expect_eq "what changed" "$(cat "$here/changes")" "$(cat "$work/changes")"
expect_eq "the mode is kept" 640 "$(stat -c %a files/comments.yaml)"
expect_eq "line ends are kept" "$(wc -l <files/crlf.yaml)" "$(grep -c $'\r$' files/crlf.yaml)"

# What is left, and why.
expect_in 'files/shared.yaml:15: [LG101] volume "a"' "$out"
expect_in 'files/merge.yaml:17: [LG201] interface "default"' "$out"
expect_in "needs a person: a repair cannot be written here: what would have to change is shared with something else in the file" "$out"
expect_in 'files/list.yaml:32: [LG202] interface "default": port 49152' "$out"
expect_in "needs a person: move the guest's service to another port" "$out"
expect_in 'files/list.yaml:36: [LG101] volume "old": claim "old-data" is ReadWriteOnce' "$out"
expect_in "needs a person: the access mode of an existing claim cannot be changed" "$out"

# A second run changes nothing.
git commit -qam mended
fix --write files --inventory "$cluster"
expect_in "0 repairs in 0 files; 4 findings need a person" "$out"
expect_eq "a second run changes nothing" "" "$(git status --porcelain)"

# Every file that was mended whole has nothing left to object to.
for file in anchors block-scalars bom comments crlf flow many no-newline templates; do
    run "$livegate" check --strict "files/$file.yaml" --inventory "$cluster"
    expect_status 0
done

# --- a claim that the cluster has already cannot be changed, in files neither ---
cat >claim.yaml <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: nfs}
YAML
cat >vm.yaml <<'YAML'
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: vm, namespace: shop}
spec:
  template:
    spec:
      networks: [{name: default, pod: {}}]
      domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
YAML
fix claim.yaml vm.yaml --inventory "$cluster"
expect_in "+spec: {accessModes: [ReadWriteMany], storageClassName: nfs}" "$out"
expect_in "1 repair in 1 file, not written (--write does); 0 findings need a person" "$out"
cp claim.yaml there.yaml
fix claim.yaml vm.yaml --inventory "$cluster" --inventory there.yaml
expect_in "0 repairs in 0 files" "$out"
expect_in "needs a person: the cluster has it already, and its spec cannot be changed" "$out"

# --- a filesystem that a guest shares (virtiofs) cannot become a block device ---
cat >shared.yaml <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: rbd, volumeMode: Filesystem}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: rbd, volumeMode: Filesystem}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: a, namespace: shop}
spec:
  template:
    spec:
      networks: [{name: default, pod: {}}]
      domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}
      volumes:
      - {name: one, persistentVolumeClaim: {claimName: files}}
      - {name: two, persistentVolumeClaim: {claimName: disk}}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: b, namespace: shop}
spec:
  template:
    spec:
      networks: [{name: default, pod: {}}]
      domain: {devices: {filesystems: [{name: share, virtiofs: {}}], interfaces: [{name: default, masquerade: {}}]}}
      volumes: [{name: share, persistentVolumeClaim: {claimName: files}}]
YAML
fix shared.yaml --inventory "$cluster"
expect_status 1
expect_eq "only the claim that is nobody's filesystem changes" "\
-spec: {accessModes: [ReadWriteOnce], storageClassName: rbd, volumeMode: Filesystem}
+spec: {accessModes: [ReadWriteMany], storageClassName: rbd, volumeMode: Block}" "$(grep -E '^[-+]s' <<<"$out")"
expect_in "@@ -6,7 +6,7 @@" "$out"
expect_in 'needs a person: virtual machine "b" shares it as a filesystem (virtiofs), and class "rbd" offers ReadWriteMany only with volumeMode Block; choose a class that offers it with volumeMode Filesystem (here: nfs), or give the guest a disk in place of the filesystem' "$out"
expect_in 'shared.yaml:31: [LG101] volume "share": claim "files" is ReadWriteOnce' "$out"
expect_in "(classes here that offer it with volumeMode Filesystem: nfs)" "$out"

# ... nor one that a pool's machines share
cat >pooled.yaml <<'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: shop, labels: {livegate.io/vm-claim: "true"}}
spec: {accessModes: [ReadWriteOnce], storageClassName: rbd, volumeMode: Filesystem}
---
apiVersion: pool.kubevirt.io/v1beta1
kind: VirtualMachinePool
metadata: {name: p, namespace: shop}
spec:
  virtualMachineTemplate:
    spec:
      template:
        spec:
          networks: [{name: default, pod: {}}]
          domain: {devices: {filesystems: [{name: share, virtiofs: {}}], interfaces: [{name: default, masquerade: {}}]}}
          volumes: [{name: share, persistentVolumeClaim: {claimName: files}}]
YAML
fix pooled.yaml --inventory "$cluster"
expect_status 1
expect_in 'needs a person: virtual machine pool "p" shares it as a filesystem (virtiofs), and class "rbd" offers' "$out"
expect_in "0 repairs in 0 files; 2 findings need a person" "$out"

# --- what is too much to mend is said ---
{
    printf 'apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: many, namespace: shop}\nspec:\n  dataVolumeTemplates:\n'
    printf '  - {metadata: {name: d%d}, spec: {source: {blank: {}}, storage: {storageClassName: nfs, accessModes: [ReadWriteOnce]}}}\n' {1..257}
    printf '  template:\n    spec:\n      networks: [{name: default, pod: {}}]\n'
    printf '      domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}\n      volumes:\n'
    for i in {1..257}; do printf '      - {name: v%d, dataVolume: {name: d%d}}\n' "$i" "$i"; done
} >many.yaml
fix many.yaml --inventory "$cluster"
expect_in "0 repairs in 0 files; 257 findings need a person" "$out"
expect_eq "each says why" 257 "$(grep -c 'needs a person: more than 256 places would have to change: too many at once' <<<"$out")"
sed '/d257/d' many.yaml >fewer.yaml
fix fewer.yaml --inventory "$cluster"
expect_in "256 repairs in 1 file, not written (--write does); 0 findings need a person" "$out"

# --- for programs ---
fix claim.yaml vm.yaml "$here/files/list.yaml" --inventory "$cluster" --output json
expect_status 1
expect_eq "keys" '["apiVersion","kind","files","repairs","needPerson","summary"]' "$(jq -c keys_unsorted <<<"$out")"
expect_eq "summary" '{"files":2,"repairs":3,"needPerson":2}' "$(jq -c .summary <<<"$out")"
expect_eq "repairs" "LG104 LG201 LG104" "$(jq -r '[.repairs[].rule] | join(" ")' <<<"$out")"
expect_eq "the first file" "claim.yaml false" "$(jq -r '.files[0] | "\(.file) \(.written)"' <<<"$out")"
expect_eq "what is left" "LG101 36, LG202 32" "$(jq -r '[.needPerson[] | "\(.rule) \(.line)"] | join(", ")' <<<"$out")"

# --- standard input, links, wrong usage ---
run_with "$(cat claim.yaml vm.yaml | sed '4a---')" "$livegate" check --fix - --inventory "$cluster"
expect_in "+++ b/-" "$out"
run_with "" "$livegate" check --fix --write -
expect_status 2
run "$livegate" check --write vm.yaml
expect_status 2
mkdir real && mv claim.yaml real/ && ln -s real/claim.yaml claim.yaml
fix --write claim.yaml vm.yaml --inventory "$cluster"
expect_status 0
expect_eq "a link stays a link" "real/claim.yaml" "$(readlink claim.yaml)"
expect_in "ReadWriteMany" "$(cat real/claim.yaml)"

# --- the same file by several names ---
cd "$work/repo" || exit 1
cp "$here/files/flow.yaml" one.yaml
ln -s one.yaml two.yaml
fix --write one.yaml one.yaml ./one.yaml two.yaml "$PWD/one.yaml" --inventory "$cluster"
expect_status 0
expect_in "1 repair in 1 file, written; 0 findings need a person" "$out"

# --- diffs apply, whatever the file is called, from here or from the root ---
mkdir -p "odd/a b" elsewhere
for name in "./odd/x.yaml" "odd//../odd/y.yaml" "$PWD/odd/z.yaml" "odd/a b/c.yaml" $'odd/t\ta"b\\c.yaml' "odd/größe.yaml"; do
    cp "$here/files/flow.yaml" "$name"
    fix "$name" --inventory "$cluster"
    sed '/ repairs\? in /,$d' <<<"$out" >"$work/odd.diff"
    run git apply --check "$work/odd.diff"
    expect_status 0
    run patch --silent --strip 1 --input "$work/odd.diff"
    expect_status 0
    fix "$name" --inventory "$cluster"
    expect_in "0 repairs in 0 files" "$out"
done
cp "$here/files/flow.yaml" elsewhere/x.yaml
cd odd || exit 1
fix ../elsewhere/x.yaml --inventory "$cluster"
sed '/ repairs\? in /,$d' <<<"$out" >"$work/odd.diff"
run patch --silent --strip 1 --directory / --input "$work/odd.diff"
expect_status 0
expect_in "masquerade" "$(cat ../elsewhere/x.yaml)"
cd .. || exit 1

# --- a file that is not to be written, and one of somebody else's ---
cp "$here/files/flow.yaml" read-only.yaml
chmod 444 read-only.yaml
fix --write read-only.yaml --inventory "$cluster"
expect_status 3
expect_in "read-only.yaml: is read-only" "$out$err"
cmp -s read-only.yaml "$here/files/flow.yaml"
expect_eq "it stays as it was" 0 $?
if [ "$(id -u)" -eq 0 ]; then
    chmod 644 read-only.yaml
    chown 65534:65534 read-only.yaml
    fix --write read-only.yaml --inventory "$cluster"
    expect_status 0
    expect_eq "its owner stays" 65534:65534 "$(stat -c %u:%g read-only.yaml)"
fi

# --- the demo's manifests ---
repository "$demo/vms"
fix --write files --inventory "$demo/cluster"
expect_eq "only the lines that had to change changed" "\
 files/06-disk-from-rbd-profile.yaml | 1 +
 files/07-bridge.yaml                | 2 +-
 files/10-all-at-once.yaml           | 2 +-
 3 files changed, 3 insertions(+), 2 deletions(-)" "$(git diff --stat=80)"
expect_in "files/08-migration-ports.yaml:20: [LG202]" "$out"
expect_in "needs a person: move the guest's service to another port" "$out"
git commit -qam mended
fix --write files --inventory "$demo/cluster"
expect_eq "a second run changes nothing" "" "$(git status --porcelain)"

finish
