# Many changes, an API server that is gone for long: right verdicts afterwards, memory and descriptors as before.
# LG_SOAK=long: 100,000 changes and ten minutes; else what fits into a suite.

install enforce
case ${LG_SOAK:-short} in
short) soak_events=4000 soak_gone_s=5 ;;
long) soak_events=100000 soak_gone_s=600 ;;
esac
resident() {
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$gate_pid/status"
}
descriptors() {
    find "/proc/$gate_pid/fd" -mindepth 1 | wc -l
}
total() {
    curl --silent --fail --max-time 60 "http://$gate_ops/metrics" |
        awk -F '[{ ]' '$1 == "livegate_watch_events_total" { n += $NF } END { printf "%d\n", n }'
}
changes() {
    /usr/bin/python3 tests/e2e/events.py "$control_plane_server" "$work/plane" "$1"
}
# heard BEFORE N: at least N events came since.
heard() {
    [ "$(total)" -ge $(($1 + $2)) ]
}

# all_heard SINCE: the API server said something about each kind after that second.
all_heard() {
    curl --silent --fail --max-time 60 "http://$gate_ops/metrics" | awk -v most="$((SECONDS - $1 - 1))" '
        /^livegate_inventory_age_seconds/ { n++; if ($2 > most) late++ }
        END { exit !(n > 0 && late == 0) }'
}

gate_stop # a process of its own: what the scenarios before did to the other one is not measured here
check "livegate starts anew" gate_start "$gate_address"
before_events=$(total)
read -r taken seconds <<<"$(changes $((soak_events / 10)))"
check "livegate heard of the first $taken changes" eventually 180 heard "$before_events" "$taken"
before_kib=$(resident)
before_fds=$(descriptors)
before_events=$(total)
read -r taken seconds <<<"$(changes "$soak_events")"
check "the API server took $taken changes in $seconds s" test "$taken" -ge $((soak_events * 9 / 10))
check "livegate heard of all of them" eventually 180 heard "$before_events" "$taken"
after_kib=$(resident)
after_fds=$(descriptors)
check "descriptors are as before ($before_fds, then $after_fds)" test "$after_fds" -le $((before_fds + 4))

apiserver_stop
k label node worker-1 soak=gone >"$work/log" 2>&1
check "the API server is gone" test $? -ne 0
sleep "$soak_gone_s"
run curl --silent --fail --max-time 60 "http://$gate_ops/readyz"
succeeds "livegate is ready after $soak_gone_s s without it"
check "the API server comes back" apiserver_start
back_at=$SECONDS
# A change that was listed is no event: what counts is one behind the list.
hears() {
    local before
    before=$(total)
    k label node worker-1 "soak=$SECONDS-$RANDOM" --overwrite >"$work/log" 2>&1 && eventually 5 heard "$before" 1
}
check "livegate hears of changes again" eventually 300 hears
check "and about each kind" eventually 300 all_heard "$back_at"
check "and judges right" in_force enforce
run k create --dry-run=server -f manifests/demo/vms/01-two-labels.yaml
prints "both ways" "virtualmachine.kubevirt.io/web-two-labels created (server dry run)"
sleep 1
end_kib=$(resident)
end_fds=$(descriptors)
check "descriptors are as before ($before_fds, then $end_fds)" test "$end_fds" -le $((before_fds + 4))
if ldd "$livegate" | grep -q 'lib[at]san'; then
    echo "# memory is not compared: a sanitizer keeps what was freed"
else
    check "memory is as before ($before_kib KiB, $after_kib after the changes, $end_kib at the end)" \
        test "$end_kib" -le $((before_kib + 4096))
fi
