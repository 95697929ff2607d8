# Sourced by the scripts in tests/integration: small assertions over commands. A script ends with `finish`.
# $out and $err are the last command's output, $status its exit status.

work=$(mktemp -d)
failures=0
checks=0
server=

# A server that does not end with status 0 (what a sanitizer found, say) is a failure.
stop_server() {
    local ended=0
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || ended=$?
        server=
        checks=$((checks + 1))
        if [ "$ended" -ne 0 ]; then
            failures=$((failures + 1))
            echo "FAILED: the server ended with status $ended"
            cat "$work/server.log"
        fi
    fi
}

cleanup() {
    stop_server
    rm -rf "$work"
}
trap cleanup EXIT

# run COMMAND...
run() {
    last=("$@")
    status=0
    "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
    out=$(cat "$work/stdout")
    err=$(cat "$work/stderr")
}

# run_with STDIN COMMAND...
run_with() {
    local input=$1
    shift
    last=("$@")
    status=0
    "$@" >"$work/stdout" 2>"$work/stderr" <<<"$input" || status=$?
    out=$(cat "$work/stdout")
    err=$(cat "$work/stderr")
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $*"
    echo "  command: ${last[*]}"
    echo "  status:  $status"
    sed 's/^/  out: /' <<<"$out"
    sed 's/^/  err: /' <<<"$err"
}

expect_status() {
    checks=$((checks + 1))
    [ "$status" -eq "$1" ] || fail "exit status $1 expected"
}

# expect_in TEXT WHOLE: fixed text
expect_in() {
    checks=$((checks + 1))
    [[ $2 == *"$1"* ]] || fail "expected text: $1"
}

expect_not_in() {
    checks=$((checks + 1))
    [[ $2 != *"$1"* ]] || fail "text that should not be there: $1"
}

# expect_eq WHAT WANTED GOT
expect_eq() {
    checks=$((checks + 1))
    [ "$2" = "$3" ] || fail "$1: wanted: $2
  got: $3"
}

# expect_one_line WHOLE: a message that fits a log
expect_one_line() {
    checks=$((checks + 1))
    [ -n "$1" ] && [ "$(wc -l <<<"$1")" -eq 1 ] || fail "one line expected"
}

# start_server LIVEGATE SERVE-OPTION...: sets $server, $address (host:port) and $cacert.
start_server() {
    local livegate=$1 i
    shift
    cacert=$work/certs/ca.crt
    [ -e "$cacert" ] || "$livegate" certs issue --cert-dir "$work/certs" --san localhost --san 127.0.0.1 >/dev/null
    rm -f "$work/server.log" # else the address of the server before could be read from it
    "$livegate" serve --cert-dir "$work/certs" --listen 127.0.0.1:0 --ops-listen 127.0.0.1:0 --drain 0s "$@" \
        2>"$work/server.log" </dev/null &
    server=$!
    address=
    for i in $(seq 4000); do
        address=$(sed -nE 's/.*"message":"listening".*"reviews":"([^"]+)".*/\1/p' "$work/server.log" 2>/dev/null | head -n 1)
        [ -z "$address" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.03
    done
    cat "$work/server.log"
    echo "FAILED: the server did not start ($i)"
    exit 1
}

finish() {
    if [ "$failures" -ne 0 ] || [ "$checks" -eq 0 ]; then
        echo "$failures of $checks checks failed"
        exit 1
    fi
    echo "$checks checks passed"
    exit 0
}
