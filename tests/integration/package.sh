#!/bin/bash
# The Debian package that cpack makes: what it needs, what it holds, and that what it holds runs. And that the image is
# built from exactly what the package needs.
set -uo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

run cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/package"
expect_status 0
deb=$(find "$work/package" -maxdepth 1 -name '*.deb')
expect_eq "the package's name" "livegate_$("$build/livegate" version | grep -oE '[0-9]+[.][0-9]+[.][0-9]+' | head -n 1)_$(dpkg --print-architecture).deb" \
    "$(basename "$deb")"

# What the program is linked with, no more and no less. A sanitizer's own libraries come on top in its builds.
depends=$(dpkg-deb -f "$deb" Depends)
expect_eq "it depends on" "libc6 libcurl4 libgnutls30 libjansson4 libmicrohttpd12 libpcre2-8-0 libssl3 libyaml-0-2" \
    "$(tr ',' '\n' <<<"$depends" | sed -E 's/^ *([^ ]+).*/\1/' | grep -vE '^lib(asan|ubsan|tsan|gcc|stdc[+][+])' | LC_ALL=C sort | xargs)"
for package in $(tr ',' '\n' <<<"$depends" | sed -E 's/^ *([^ ]+).*/\1/'); do
    expect_eq "$package can be had" "install ok installed" "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)"
done

mkdir "$work/root"
run dpkg-deb -x "$deb" "$work/root"
expect_status 0
expect_eq "its files" "/usr/bin/livegate
/usr/share/doc/livegate/README.md
/usr/share/doc/livegate/copyright" "$(cd "$work/root" && find . -type f | sed 's/^[.]//' | LC_ALL=C sort)"
expect_eq "everybody may run it, nobody is another by it" 755 "$(stat -c %a "$work/root/usr/bin/livegate")"
expect_eq "it is stripped" "" "$(readelf -S --wide "$work/root/usr/bin/livegate" | grep -oE '[.]debug_info' || true)"
run "$work/root/usr/bin/livegate" check manifests/demo/vms/07-bridge.yaml --inventory manifests/demo/cluster
expect_status 1
expect_in "[LG201]" "$out"

# The image: what its build copies is there, what it calls is what builds the package here, and no root runs it.
file=manifests/image/Containerfile
while read -r source; do
    mkdir -p "$work/context/$(dirname "$source")"
    run cp -rT "$source" "$work/context/$source"
    expect_status 0
done < <(sed -nE 's/^COPY (.*) [^ ]+$/\1/p' "$file" | grep -v -- --from | tr ' ' '\n')
run env -C "$work/context" cmake --preset release
expect_status 0
run ninja -C "$work/context/build/release" -t inputs livegate
expect_status 0
expect_in "webhook/cli/main.c" "$out"
expect_eq "what the program is built from and the image's build has not" "" \
    "$(grep '[.][ch]$' <<<"$out" | while read -r input; do [ -e "$work/context/build/release/$input" ] || [ -e "$input" ] || echo "$input"; done)"
expect_eq "the tag of the manifests is the version" "$("$build/livegate" version | grep -oE '[0-9]+[.][0-9]+[.][0-9]+' | head -n 1)" \
    "$(sed -nE 's/^ *newTag: //p' manifests/base/kustomization.yaml)"
for needed in "tests/support/packages build package" "cmake --preset release" "cpack -G DEB" "USER 65532:65532" \
    'ENTRYPOINT ["/usr/bin/livegate"]'; do
    expect_in "$needed" "$(cat "$file")"
done

finish
