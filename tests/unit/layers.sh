#!/bin/bash
# Reads every #include and holds it against the arrows between the rooms:
#   core <- kube <- virt <- rules <- webhook,  core <- certs <- webhook,
# and against the table of which file may speak to which external library. Nothing includes tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find rules certs webhook tests -name '*.[ch]' | LC_ALL=C sort)
if [ "${#files[@]}" -lt 20 ]; then
    echo "layers: only ${#files[@]} source files found; is this the repository?" >&2
    exit 1
fi

LC_ALL=C awk '
BEGIN {
    # room -> what it may include of ours, as anchored patterns
    core = "rules/core/[^/]+"
    may["rules/core"] = core
    may["rules/kube"] = core "|rules/kube/[^/]+"
    may["rules/virt"] = may["rules/kube"] "|rules/virt/[^/]+"
    may["rules/builtin"] = may["rules/virt"] "|rules/rule[.]h|rules/builtin/examples[.]h"
    may["rules"] = may["rules/virt"] "|rules/[^/]+"
    may["certs"] = core "|certs/[^/]+"
    may["webhook/runtime"] = core "|webhook/runtime/[^/]+"
    may["webhook/cluster"] = may["rules"] "|webhook/(runtime|cluster)/[^/]+"
    may["webhook/limiter"] = may["rules"] "|webhook/(runtime|cluster|limiter)/[^/]+"
    may["webhook/server"] = may["rules"] "|certs/[^/]+|webhook/(runtime|cluster|limiter|server)/[^/]+"
    may["webhook/cli"] = may["rules"] "|certs/[^/]+|webhook/[^/]+/[^/]+"

    # external header -> the files that may include it
    only["yaml.h"] = "rules/core/yaml_event[.][ch]|rules/core/yaml[.]c"
    only["pcre2.h"] = "rules/core/regex[.]c"
    only["jansson.h"] = "rules/core/out[^/]*[.][ch]|rules/kube/[^/]+[.]c|rules/[^/]+[.]c|webhook/.*[.][ch]|tests/.*"
    only["openssl/"] = "certs/[^/]+[.][ch]|tests/.*"
    only["curl/"] = "webhook/cluster/http[.]c"
    only["microhttpd.h"] = "webhook/server/(listener|routes)[^/]*[.][ch]|tests/(bench/.*|support/canned_[^/]+)"
    only["gnutls/"] = "webhook/server/tls[^/]*[.]c|tests/bench/.*"
    only["argp.h"] = "webhook/cli/[^/]+[.][ch]|tests/.*"
    only["cmocka.h"] = "tests/.*"
    # rules decide without network, threads, clock or log
    only["pthread.h"] = "rules/core/map[.]c|webhook/.*|tests/.*" # map.c: the seed is drawn once
    only["threads.h"] = "webhook/.*|tests/.*"
    only["signal.h"] = "webhook/.*|tests/.*"
    only["syslog.h"] = "none"
    only["netdb.h"] = "webhook/.*|tests/.*"
    only["poll.h"] = "webhook/.*|tests/.*"
    only["netinet/"] = "webhook/.*|certs/.*|tests/.*"
    only["arpa/"] = "webhook/.*|certs/.*|tests/.*"
    only["sys/socket.h"] = "webhook/.*|tests/.*"
    only["sys/epoll.h"] = "webhook/.*|tests/.*"

    n = split("assert ctype dirent emmintrin endian errno fcntl float fnmatch inttypes limits locale malloc math setjmp stdalign stdarg stdatomic stdbool stddef stdint stdio stdio_ext stdlib stdnoreturn string strings time unistd getopt sched semaphore", names, " ")
    for (i = 1; i <= n; i++) plain[names[i] ".h"] = 1
}
function room(file,    parts, n) {
    n = split(file, parts, "/")
    if (parts[1] == "tests") return "tests"
    return n == 2 ? parts[1] : parts[1] "/" parts[2]
}
function complain(why) {
    printf "%s:%d: #include %s: %s\n", FILENAME, FNR, target, why
    bad++
}
function external(target,    key, dir) {
    dir = target
    sub(/\/.*/, "/", dir)
    key = (target in only) ? target : ((dir in only) ? dir : "")
    if (key != "") {
        if (FILENAME !~ ("^(" only[key] ")$")) complain("this file may not speak to that library")
        return
    }
    if ((target in plain) || target ~ /^(sys|sanitizer|linux)\//) return
    if (FILENAME ~ /^tests\//) return
    complain("a library that is not in the table of tests/unit/layers.sh")
}
function ours(target,    r) {
    if ((getline line < target) < 0) { complain("no such file; includes are rooted at the repository"); return }
    close(target)
    r = room(FILENAME)
    if (r == "tests") return
    if (target ~ /^tests\//) { complain("nothing includes tests"); return }
    if (!(r in may)) { complain("the room " r " is not in the table of tests/unit/layers.sh"); return }
    if (target !~ ("^(" may[r] ")$")) complain(r " may not include that: arrows point one way")
}
/^[ \t]*#[ \t]*include[ \t]/ {
    count++
    target = $0
    if (target ~ /"/) { sub(/^[^"]*"/, "", target); sub(/".*/, "", target); ours(target) }
    else if (target ~ /</) { sub(/^[^<]*</, "", target); sub(/>.*/, "", target); external(target) }
    else complain("an include that cannot be read")
}
END {
    if (count < 20) { print "layers: only " count " includes found"; exit 1 }
    if (bad > 0) { print "layers: " bad " of " count " includes point the wrong way"; exit 1 }
    print "layers: " count " includes in order"
}' "${files[@]}"
