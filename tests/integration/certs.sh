#!/bin/bash
# livegate certs issue and show, judged by the openssl command: chain, names, uses, dates, modes; exit statuses.
set -euo pipefail

livegate=$1/livegate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dir=$work/certs
checks=0

fail() {
    echo "certs: $*" >&2
    exit 1
}

# expect STATUS COMMAND...: standard output and errors go to $work/out and $work/err.
expect() {
    local want=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" || got=$?
    if [ "$got" -ne "$want" ]; then
        cat "$work/out" "$work/err" >&2
        fail "exit $got instead of $want: $*"
    fi
    checks=$((checks + 1))
}

# says FILE TEXT: the text stands in $work/FILE.
says() {
    grep -qF -- "$2" "$work/$1" || fail "\"$2\" is not in: $(cat "$work/$1")"
    checks=$((checks + 1))
}

one_line_error() {
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line: $(cat "$work/err")"
    checks=$((checks + 1))
}

# x509 FILE TEXT...: each text stands in what openssl prints about the certificate.
x509() {
    local file=$1 text
    shift
    openssl x509 -in "$file" -noout -text >"$work/x509"
    for text in "$@"; do
        says x509 "$text"
    done
}

serial() {
    openssl x509 -in "$1" -noout -serial
}

mode() {
    [ "$(stat -c %a "$1")" = "$2" ] || fail "$1 has mode $(stat -c %a "$1"), not $2"
    checks=$((checks + 1))
}

# about DATE SECONDS: the date is that many seconds from now, to within a minute.
about() {
    local off=$(($(date -d "$1" +%s) - $(date +%s) - $2))
    [ "${off#-}" -le 60 ] || fail "$1 is $off s off"
    checks=$((checks + 1))
}

verifies() {
    expect 0 openssl verify -x509_strict -purpose sslserver -CAfile "$1" "$2"
}

# --- a fresh directory ---
umask 000 # modes are ours, not the caller's
expect 0 "$livegate" certs issue --cert-dir "$dir" --service gate --namespace virt --san 127.0.0.1 --san localhost \
    --days 90 --ca-days 1000
umask 022
mode "$dir" 700
mode "$dir/tls.key" 600
mode "$dir/ca.key" 600
mode "$dir/tls.crt" 644
mode "$dir/ca.crt" 644
[ "$(find "$dir" -type f | wc -l)" -eq 4 ] || fail "other files were left in $dir"
verifies "$dir/ca.crt" "$dir/tls.crt"
for name in gate.virt.svc gate.virt.svc.cluster.local gate.virt localhost; do
    expect 0 openssl verify -verify_hostname "$name" -CAfile "$dir/ca.crt" "$dir/tls.crt"
done
expect 0 openssl verify -verify_ip 127.0.0.1 -CAfile "$dir/ca.crt" "$dir/tls.crt"
expect 2 openssl verify -verify_hostname livegate.livegate.svc -CAfile "$dir/ca.crt" "$dir/tls.crt"
x509 "$dir/tls.crt" "Version: 3 (0x2)" "ecdsa-with-SHA256" "ASN1 OID: prime256v1" "CA:FALSE" "Digital Signature" \
    "TLS Web Server Authentication" "Subject Key Identifier" "Authority Key Identifier"
grep -q "Certificate Sign" "$work/x509" && fail "the serving certificate may sign"
x509 "$dir/ca.crt" "ecdsa-with-SHA256" "ASN1 OID: prime256v1" "CA:TRUE, pathlen:0" "Certificate Sign, CRL Sign"
grep -q "Digital Signature" "$work/x509" && fail "the authority may serve"
about "$(openssl x509 -in "$dir/tls.crt" -noout -enddate | cut -d= -f2)" $((90 * 86400))
about "$(openssl x509 -in "$dir/tls.crt" -noout -startdate | cut -d= -f2)" -300
about "$(openssl x509 -in "$dir/ca.crt" -noout -enddate | cut -d= -f2)" $((1000 * 86400))
expect 0 openssl pkey -in "$dir/tls.key" -noout -check
[ "$(openssl pkey -in "$dir/tls.key" -pubout)" = "$(openssl x509 -in "$dir/tls.crt" -noout -pubkey)" ] ||
    fail "tls.key does not belong to tls.crt"
[ "$(openssl pkey -in "$dir/ca.key" -pubout)" = "$(openssl x509 -in "$dir/ca.crt" -noout -pubkey)" ] ||
    fail "ca.key does not belong to ca.crt"

# --- again: nothing changes ---
before=$(sha256sum "$dir"/*)
expect 0 "$livegate" certs issue --cert-dir "$dir"
says out "tls.crt: kept, valid until "
says out "Nothing to do"
[ "$(sha256sum "$dir"/*)" = "$before" ] || fail "a good pair was changed"
expect 0 "$livegate" certs issue --cert-dir "$dir" --renew=due
[ "$(sha256sum "$dir"/*)" = "$before" ] || fail "a pair that is not due was changed"
expect 1 "$livegate" certs issue --cert-dir "$dir" --service gate --namespace virt --san other.example.org
says err "tls.crt is not for \"other.example.org\"; --renew replaces it"

# --- renewal ---
was=$(serial "$dir/tls.crt")
expect 0 "$livegate" certs issue --cert-dir "$dir" --renew
[ "$(serial "$dir/tls.crt")" != "$was" ] || fail "--renew did not renew"
verifies "$dir/ca.crt" "$dir/tls.crt"
expect 0 openssl verify -verify_ip 127.0.0.1 -CAfile "$dir/ca.crt" "$dir/tls.crt"

# --- a new authority: published first, signs later; nobody who knows only the old one is cut off ---
cp "$dir/ca.crt" "$work/old-ca.crt"
expect 0 "$livegate" certs issue --cert-dir "$dir" --new-ca
says out "made a new authority"
says out "--renew\` again"
[ "$(grep -c BEGIN "$dir/ca.crt")" -eq 2 ] || fail "ca.crt does not hold both authorities"
verifies "$work/old-ca.crt" "$dir/tls.crt"
verifies "$dir/ca.crt" "$dir/tls.crt"
expect 0 "$livegate" certs issue --cert-dir "$dir" --renew
verifies "$dir/ca.crt" "$dir/tls.crt"
expect 2 openssl verify -CAfile "$work/old-ca.crt" "$dir/tls.crt"

# --- show ---
expect 0 "$livegate" certs show --cert-dir "$dir"
says out "names    gate.virt.svc, gate.virt.svc.cluster.local, gate.virt, 127.0.0.1, localhost"
grep -qE ' 36[45] days left$' "$work/out" || fail "not a year: $(cat "$work/out")" # whole days, and some time has passed
says out "no problems"
expect 0 "$livegate" certs show --cert-dir "$dir" --output json
json() {
    jq -r "$1" "$work/out"
}
is() {
    [ "$1" = "$2" ] || fail "\"$1\" instead of \"$2\""
    checks=$((checks + 1))
}
is "$(json '[.apiVersion, .kind, (.problems | length)] | join(" ")')" "livegate.io/v1 CertificateReport 0"
is "$(json '[.certificates[] | "\(.file) \(.position) \(.authority)"] | join(", ")')" \
    "tls.crt 1 false, ca.crt 1 true, ca.crt 2 true"
is "$(json '.certificates[0].names | join(" ")')" \
    "gate.virt.svc gate.virt.svc.cluster.local gate.virt 127.0.0.1 localhost"
is "$(json '.certificates[0] | "\(.daysLeft == 365 or .daysLeft == 364) \(.key)"')" "true EC 256"
is "serial=$(json '.certificates[0].serial')" "$(serial "$dir/tls.crt")"
is "issuer=$(json '.certificates[0].issuer')" "$(openssl x509 -in "$dir/tls.crt" -noout -issuer -nameopt RFC2253)"
is "$(json '.certificates[0].sha256')" \
    "$(openssl x509 -in "$dir/tls.crt" -outform DER | sha256sum | cut -d' ' -f1)"
is "$(date -d "$(json '.certificates[0].notAfter')" +%s)" \
    "$(date -d "$(openssl x509 -in "$dir/tls.crt" -noout -enddate | cut -d= -f2)" +%s)"
grep -rq "PRIVATE" "$work/out" "$work/err" && fail "key material was printed"

# --- bad directories: one line that says what, where and how ---
bad=$work/bad
cp -r "$dir" "$bad"
openssl ecparam -name prime256v1 -genkey -noout -out "$bad/tls.key"
expect 1 "$livegate" certs show --cert-dir "$bad"
says out "problem: tls.key does not belong to tls.crt"
expect 1 "$livegate" certs issue --cert-dir "$bad"
says err "livegate: $bad: tls.key does not belong to tls.crt; --renew replaces it"
one_line_error
expect 0 "$livegate" certs issue --cert-dir "$bad" --renew
expect 0 "$livegate" certs show --cert-dir "$bad"

openssl ec -in "$dir/tls.key" -aes128 -passout pass:secret -out "$bad/tls.key" 2>"$work/quiet"
expect 3 "$livegate" certs show --cert-dir "$bad" </dev/null
says out "problem: tls.key is encrypted; a key without a passphrase is needed"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:secret -out "$bad/tls.key" 2>"$work/quiet"
expect 3 "$livegate" certs show --cert-dir "$bad" </dev/null
says out "problem: tls.key is encrypted; a key without a passphrase is needed"

# An expired pair of the same authority, and one that is not valid yet, made by openssl.
cat >"$work/ca.cnf" <<CONF
[ca]
default_ca = ours
[ours]
database = $work/index.txt
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:gate.virt.svc
CONF
: >"$work/index.txt"
openssl req -new -newkey rsa:2048 -nodes -keyout "$bad/tls.key" -subj /CN=gate.virt.svc -out "$work/csr" 2>"$work/quiet"
made_by_openssl() {
    openssl ca -batch -notext -config "$work/ca.cnf" -extensions leaf -cert "$dir/ca.crt" -keyfile "$dir/ca.key" \
        -in "$work/csr" -startdate "$1" -enddate "$2" -outdir "$work" -out "$bad/tls.crt" 2>"$work/quiet" ||
        fail "openssl ca: $(cat "$work/quiet")"
    : >"$work/index.txt"
}
cp "$dir/ca.crt" "$dir/ca.key" "$bad/"
made_by_openssl 20250101000000Z 20260101000000Z
expect 1 "$livegate" certs show --cert-dir "$bad"
says out "problem: certificate tls.crt expired on 2026-01-01"
says out "key      RSA 2048"
expect 1 "$livegate" certs issue --cert-dir "$bad"
says err "certificate tls.crt expired on 2026-01-01; --renew replaces it"
one_line_error
made_by_openssl 20900101000000Z 20910101000000Z
expect 1 "$livegate" certs show --cert-dir "$bad"
says out "problem: certificate tls.crt is not valid before 2090-01-01T00:00:00Z"
expect 0 "$livegate" certs issue --cert-dir "$bad" --renew=due
expect 0 "$livegate" certs show --cert-dir "$bad"
verifies "$bad/ca.crt" "$bad/tls.crt"

# A chain that ca.crt does not vouch for.
cp "$work/old-ca.crt" "$bad/ca.crt"
expect 1 "$livegate" certs show --cert-dir "$bad"
says out "problem: tls.crt does not verify against ca.crt: unable to get local issuer certificate"

# A pair of an intermediate authority, as other issuers make them, and a foreign subject that cannot steer a terminal.
foreign=$work/foreign
mkdir "$foreign"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/root.key" -subj "/CN=root" -days 30 -out "$foreign/ca.crt" \
    2>"$work/quiet"
openssl req -new -newkey rsa:2048 -nodes -keyout "$work/mid.key" -subj "/CN=mid" -out "$work/mid.csr" 2>"$work/quiet"
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n' >"$work/mid.ext"
openssl x509 -req -in "$work/mid.csr" -CA "$foreign/ca.crt" -CAkey "$work/root.key" -CAcreateserial -days 20 \
    -extfile "$work/mid.ext" -out "$work/mid.crt" 2>"$work/quiet"
openssl req -new -newkey rsa:2048 -nodes -keyout "$foreign/tls.key" -subj "$(printf '/CN=a\033[2J\nb')" \
    -out "$work/leaf.csr" 2>"$work/quiet"
printf 'subjectAltName=DNS:gate.virt.svc,email:a@b.c,URI:http://a,IP:10.0.0.1\n' >"$work/leaf.ext"
openssl x509 -req -in "$work/leaf.csr" -CA "$work/mid.crt" -CAkey "$work/mid.key" -CAcreateserial -days 10 \
    -extfile "$work/leaf.ext" -out "$work/leaf.crt" 2>"$work/quiet"
cat "$work/leaf.crt" "$work/mid.crt" >"$foreign/tls.crt"
expect 0 "$livegate" certs show --cert-dir "$foreign"
says out "tls.crt, certificate 2"
says out "names    gate.virt.svc, 10.0.0.1"
grep -q $'\033' "$work/out" && fail "a subject steers the terminal"
expect 0 "$livegate" certs issue --cert-dir "$foreign"
expect 3 "$livegate" certs issue --cert-dir "$foreign" --renew
says err "another issuer keeps them"
one_line_error
cp "$work/leaf.crt" "$foreign/tls.crt"
expect 1 "$livegate" certs show --cert-dir "$foreign"

# --- what cannot be read ---
expect 3 "$livegate" certs show --cert-dir "$work/none"
says err "livegate: $work/none: cannot open the certificate directory: No such file or directory"
one_line_error
mkdir "$work/empty"
expect 3 "$livegate" certs show --cert-dir "$work/empty"
says out "problem: tls.crt is missing"
says out "problem: tls.key is missing"
head -c 70000 /dev/zero | tr '\0' '\n' >"$work/empty/tls.crt"
expect 3 "$livegate" certs show --cert-dir "$work/empty"
says err "livegate: $work/empty/tls.crt: is larger than 65536 bytes"
expect 3 "$livegate" certs issue --cert-dir "$work/none/deeper"
one_line_error

# --- usage ---
expect 2 "$livegate" certs
expect 2 "$livegate" certs frobnicate
expect 0 "$livegate" certs --help
expect 2 "$livegate" certs issue
expect 0 "$livegate" certs issue --help
expect 0 "$livegate" certs show --help
expect 2 "$livegate" certs show --cert-dir "$dir" --output xml
expect 2 "$livegate" certs show --cert-dir "$dir" more
expect 2 "$livegate" certs issue --cert-dir "$dir" --days 0
expect 2 "$livegate" certs issue --cert-dir "$dir" --days 1x
expect 2 "$livegate" certs issue --cert-dir "$dir" --renew=soon
expect 2 "$livegate" certs issue --cert-dir "$work/never" --san "a b"
says err "\"a b\" is not a DNS name or an IP address"
one_line_error
expect 2 "$livegate" certs issue --cert-dir "$work/never" --days 4000
[ ! -e "$work/never" ] || fail "a wrong command line left a directory"

echo "certs: $checks checks passed"
