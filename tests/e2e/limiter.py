#!/usr/bin/python3
"""The limiter against three replicas of livegate: limiter.py LIVEGATE PLANE SERVER ETCD WORK DISTURB LONGER

Starts the replicas (kubeconfig, certificates and policy are in WORK), a balancer before them, and, once WORK/go is there, plays
a crowd (40 `kubectl create` at once, from shuffled nodes and three namespaces, some of the migrations last 90 s), callers that go
away, and a drain, each beginning as soon as what is before it was seen; those that last long run on meanwhile. DISTURB "yes": in
the middle of the crowd it kills a replica, stops another for 20 s, and asks for a restart of the API server (WORK/restart; it
waits for WORK/restarted). LONGER "yes": more of them last long.

Prints a line a check, "ok NAME" or "FAILED NAME: why", and what else is worth knowing behind "#". WORK/story tells who was created,
started and finished when.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error

import played

LIVEGATE, PLANE, SERVER, ETCD, WORK = sys.argv[1:6]
DISTURB, LONGER = (word == "yes" for word in sys.argv[6:8])
COUNT = 40
NAMESPACES = ["lim-a", "lim-b", "lim-c"]

plane = played.Plane(SERVER, PLANE, ETCD, WORK, 1200)


def check(name, problems):
    print(f"FAILED {name}: {'; '.join(map(str, problems))[:3000]}" if problems else f"ok {name}", flush=True)


class Lasts:
    """One of worker-2 and one of worker-3 keep their places for 90 s, from early on: all others pass by them, and so does what
    is played after the crowd."""

    def __init__(self):
        self.long = {}

    def __call__(self, key, node):
        if node in played.NODES[1:3]:
            self.long.setdefault(node, key)
        if key in self.long.values() or LONGER and random.random() < 0.05:
            return 90
        return random.uniform(2, 6) if LONGER else random.uniform(0.2, 1)


class Disturbances:
    """When what was going on: a call that was cut then may be made again."""

    def __init__(self, play):
        self.play, self.spans, self.created_before = play, {}, {}

    def begin(self, name):
        self.created_before[name] = len(self.play.created)
        self.spans[name] = [time.monotonic(), None]

    def end(self, name):
        self.spans[name][1] = time.monotonic()

    def during(self, name):
        """Whether a call that has failed now may have been cut by it."""
        begin, end = self.spans.get(name, (None, None))
        # The API server gives up on a call after 10 s.
        return begin is not None and (end is None or time.monotonic() < end + 11)

    def run(self, replicas):
        """One after the other, early enough for all of it to fall into the middle."""
        plane.until(lambda: len(self.play.created) >= played.CLUSTER)
        self.begin("killed")
        replicas[0].process.send_signal(signal.SIGKILL)
        replicas[0].process.wait()
        time.sleep(1)
        replicas[0].start()
        plane.until(replicas[0].ready)
        self.end("killed")
        self.begin("restarted")
        open(f"{WORK}/restart", "w", encoding="utf-8").close()
        while not os.path.exists(f"{WORK}/restarted") and not plane.late():
            time.sleep(0.1)
        self.end("restarted")
        plane.until(lambda: all(one.ready() for one in replicas))
        self.begin("stopped")
        replicas[1].process.send_signal(signal.SIGSTOP)
        time.sleep(20)
        replicas[1].process.send_signal(signal.SIGCONT)
        self.end("stopped")


# A call of the API server's to livegate that was cut, and one of kubectl's to the API server. While that starts it knows no kinds.
CUT = {"killed": r"failed calling webhook", "stopped": r"failed calling webhook",
       "restarted": r"failed calling webhook|refused|reset by peer|EOF|GOAWAY|connection lost|timeout|Timeout|"
                    r"server could not find|no matches for kind|currently unable|not yet ready|shutting down|etcd"}


class Create:
    """One `kubectl create`. Whose own call was cut is run again, once for what cut it; nothing else is."""

    def __init__(self, key, disturbances=None):
        self.key, self.disturbances = key, disturbances
        self.said, self.cut_by, self.status, self.ended = [], [], None, None
        self.process = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            self.process = subprocess.Popen(["kubectl", "create", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, text=True)
            said, _ = self.process.communicate(json.dumps(played.migration(self.key)))
            self.said.append(said.strip())
            self.status, self.ended = self.process.returncode, time.monotonic()
            if self.status == 0 or not self.was_cut(said):
                return
            plane.patiently("GET", "/apis/kubevirt.io/v1/namespaces/lim-a/virtualmachineinstancemigrations")

    def was_cut(self, said):
        for name, words in CUT.items() if self.disturbances else ():
            if name not in self.cut_by and "LG6" not in said and re.search(words, said) and self.disturbances.during(name):
                self.cut_by.append(name)
                return True
        return False

    def created(self):
        """One that was cut had reached the API server after all, perhaps."""
        return self.status == 0 or self.cut_by and ("AlreadyExists" in self.said[-1] or "LG603" in self.said[-1])


class Guests:
    """All that are migrated later, and known to each replica."""

    def __init__(self, play, replicas):
        make = lambda namespaces, names: played.make_guests(plane, play, namespaces, names)
        nodes = played.NODES
        # As in any cluster, one has ended before: an estimate takes others to last a minute until one was seen to end.
        play.leave_one_that_ended(make(["lim-a"], [("earlier", nodes[0])])[0], 3)
        self.crowd = make(NAMESPACES, [(f"guest-{i}", nodes[i % len(nodes)]) for i in range(COUNT)])
        self.head = make(["lim-a"], [(f"head-{i}", nodes[0]) for i in range(4)])
        self.drained = make(["lim-drain"], [(f"drained-{i}", nodes[i % 3]) for i in range(50)])
        self.people = make(["lim-a", "lim-b"], [(f"person-{i}", nodes[3 + i % 2]) for i in range(4)])
        count = len(plane.send("GET", "/apis/kubevirt.io/v1/virtualmachineinstances")["items"])
        known = lambda: all(one.knows("virtualmachineinstances") == count for one in replicas)
        check("each replica knows the guests", [] if plane.until(known) else [count])


def crowd(play, order, replicas, keys):
    random.shuffle(keys)
    disturbances = Disturbances(play) if DISTURB else None
    started = time.monotonic()
    creates = [Create(key, disturbances) for key in keys]
    if DISTURB:
        disturbances.run(replicas)
    for one in creates:
        one.thread.join(plane.left())
    took = time.monotonic() - started
    plane.until(lambda: len(set(play.created)) == COUNT)
    again = [one for one in creates if one.cut_by]
    print(f"# crowd: {took:.0f} s, {len(play.created)} created, at most {play.most} at once and {play.most_of_node} from a node, "
          f"{order.let_through} let through, {len(again)} run again"
          f" {[f'{name}: {sum(name in one.cut_by for one in again)}' for name in CUT]}"
          f"{f', created before each: {disturbances.created_before}' if DISTURB else ''}")
    how = "while replicas die and stop and the API server restarts" if DISTURB else "in a quiet cluster"
    check(f"40 created at once are all created, {how}", [(one.key, one.said) for one in creates if not one.created()])
    check("each of them once", [] if sorted(play.created) == sorted(keys) else [sorted(play.created)])
    check("never more of them at once than the limits", play.wrong)
    check("in the order of the queue", order.out_of_turn)
    if DISTURB:
        before = disturbances.created_before
        check("all of it in the middle", [] if max(before.values()) < COUNT and len(before) == len(CUT) else [before])
    else:
        check("none is run again", [(one.key, one.said) for one in again])
    check("the limits were reached", [] if (play.most, play.most_of_node) == (played.CLUSTER, played.NODE) else [
        (play.most, play.most_of_node)])


def clear(play, but=()):
    """Nothing else runs."""
    with play.lock:
        left = [key for key in play.unfinished if key not in but]
    for key in left:
        delete(key)
    check("what still runs is deleted", [] if plane.until(lambda: set(play.unfinished) <= set(but)) else [play.unfinished])


def nothing_is_left():
    """Nothing waits, nothing is reserved."""
    found = ledger()
    return not found["tickets"] and not found["reservations"]


def delete(key):
    path = f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstancemigrations/move-{key[1]}"
    try:
        plane.patiently("DELETE", path)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


def ledger():
    text = plane.patiently("GET", "/api/v1/namespaces/livegate/configmaps/livegate-ledger").get("data", {}).get("ledger")
    return json.loads(text) if text else {"tickets": [], "reservations": []}


def waits(key):
    return any((one["namespace"], one["guest"]) == key for one in ledger()["tickets"])


def said_by(arguments, key):
    """(seconds, status, what was printed)"""
    started = time.monotonic()
    done = subprocess.run(arguments + ["-f", "-"], input=json.dumps(played.migration(key)), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=played.PATIENCE_S)
    return time.monotonic() - started, done.returncode, done.stdout


class Status:
    """livegate status --watch"""

    def __init__(self):
        self.path = f"{WORK}/status"
        self.process = subprocess.Popen([LIVEGATE, "status", "--watch", "--kubeconfig", f"{WORK}/gate.kubeconfig"],
                                        stdout=open(self.path, "w", encoding="utf-8"), stderr=subprocess.STDOUT)

    def shows(self, *wanted):
        with open(self.path, encoding="utf-8") as file:
            shown = file.read()
        return all(re.search(one, shown) for one in wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(played.PATIENCE_S)
        with open(self.path, encoding="utf-8") as file:
            return file.read()


class Drain:
    """A migration of each guest at once, by virt-controller's account."""

    def __init__(self, guests):
        self.refused, self.started, self.took = [], time.monotonic(), 0
        self.threads = [threading.Thread(target=self.run, args=(guests[i::5],), daemon=True) for i in range(5)]
        for one in self.threads:
            one.start()

    def run(self, guests):
        for key in guests:
            path = f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstancemigrations"
            try:
                plane.send("POST", path, played.migration(key), "application/json", played.CONTROLLER)
            except urllib.error.HTTPError as error:
                self.refused.append((key, error.read().decode()))
        self.took = max(self.took, time.monotonic() - self.started)

    def end(self):
        for one in self.threads:
            one.join(plane.left())


def drain(play, guests, people):
    with Status() as status:
        drain_watched(play, guests, people, status)


def drain_watched(play, guests, people, status):
    """50 guests of three nodes at once, and people behind them: they come while the drain is still being created."""
    play.lasts = lambda key, node: 0.1
    play.drained.update(guests)
    play.held_back = True
    drained = Drain(guests)
    plane.until(lambda: len(play.drained & set(play.unfinished)) >= len(guests) / 2)
    creates = [Create(key) for key in people]
    quitter = creates.pop()
    check("people wait behind it", [] if plane.until(lambda: all(map(waits, people))) else [ledger()["tickets"]])
    quitter.process.send_signal(signal.SIGINT)
    quit_at = time.monotonic()
    quitter.thread.join(played.PATIENCE_S)
    at_once = quitter.ended and quitter.ended - quit_at < 2 + 3 * bystander()
    check("a cancelled create ends at once", [] if at_once else [quitter.said])
    drained.end()
    check("a drain of 50 is never refused", drained.refused)
    # 10 after one another, of which each would wait for 8 s.
    check("nor made to wait", [f"{drained.took:.1f} s"] if drained.took > 60 else [])
    by_dry_run(people[0])
    wanted = [r"IN USE  5\d of 5", r"WAITING  [34]\n", "lim-a/person-0", "lim-b/person-1"]
    plane.until(lambda: status.shows(*wanted))
    with play.lock:
        play.held_back = False
        play.start_some()
    for one in creates:
        one.thread.join(plane.left())
    print(f"# drain: {time.monotonic() - drained.started:.0f} s, 50 created in {drained.took:.1f} s, people after "
          f"{[round(one.ended - drained.started) for one in creates if one.ended]} s")
    check("people are created after it, by themselves", [(one.key, one.said) for one in creates if one.status != 0])
    check("and not before their turn", play.wrong)
    check("all of the drain was played", [] if plane.until(lambda: not play.drained & set(play.unfinished)) else [play.unfinished])
    check("who cancelled is not created", [quitter.key] if quitter.key in play.created else [])
    shows, shown = status.shows(*wanted), status.stop()
    check("livegate status --watch shows it", [] if shows else [shown[-2500:]])


def bystander():
    """How long kubectl takes just now over what nobody waits for."""
    started = time.monotonic()
    subprocess.run(["kubectl", "get", "namespace", "lim-a"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=played.PATIENCE_S)
    return time.monotonic() - started


def by_dry_run(key):
    """While the queue is full. What waited would take 8 s longer than what does not."""
    most = 5 + 3 * bystander()
    took, status, said = said_by(["kubectl", "create", "--dry-run=server"], key)
    check("a server-side dry run does not wait, and says so",
          [] if status == 0 and "would wait" in said and took < most else [f"{took:.1f} s, status {status}: {said}"])
    took, status, said = said_by(["kubectl", "diff"], key)
    check("nor does kubectl diff", [] if status == 1 and "kind: VirtualMachineInstanceMigration" in said and took < most else [
        f"{took:.1f} s, status {status}: {said}"])


def ctrl_c_at_the_head(play, keys):
    """The place passes on: when whoever is next has not come 5 s after its time, to who comes then."""
    play.held.update(keys[:2])
    first = [Create(key) for key in keys[:2]]
    for one in first:
        one.thread.join(played.PATIENCE_S)
    head = Create(keys[2])
    check("the head waits", [] if plane.until(lambda: waits(keys[2])) else [head.said, ledger()])
    behind = Create(keys[3])
    check("another behind it", [] if plane.until(lambda: waits(keys[3])) else [behind.said, ledger()])
    head.process.send_signal(signal.SIGINT)
    gone_at = time.monotonic()
    play.finish(keys[0], time.time() - 1)
    behind.thread.join(played.PATIENCE_S)
    if behind.ended:
        print(f"# Ctrl-C at the head: the place passed on after {behind.ended - gone_at:.1f} s")
    check("who waits behind one that went away is created", [] if behind.status == 0 else [behind.said, ledger()])
    head.thread.join(played.PATIENCE_S)
    check("who went away is not", [keys[2]] if keys[2] in play.created else [])


def main():
    # A shell lets what it starts in the background ignore Ctrl-C; what is started here shall not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Who is told to end ends what was started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    began = time.monotonic()
    replicas = [played.Replica(plane, LIVEGATE, i) for i in range(3)]
    balancer = played.Balancer(replicas)
    try:
        plane.until(lambda: all(one.ready() for one in replicas))
        with open(f"{WORK}/balancer.new", "w", encoding="utf-8") as file:
            file.write(f"127.0.0.1:{balancer.port}")
        os.rename(f"{WORK}/balancer.new", f"{WORK}/balancer")
        if not plane.until(lambda: os.path.exists(f"{WORK}/go")):
            sys.exit("nobody said go")
        play = played.Played(plane, Lasts())
        order = played.Order(plane, play)
        guests = Guests(play, replicas)
        crowd(play, order, replicas, guests.crowd)
        long = set(play.lasts.long.values())
        clear(play, long)
        ctrl_c_at_the_head(play, guests.head)
        clear(play, long)
        drain(play, guests.drained, guests.people)
        check("those that last longest end, too", [] if plane.until(lambda: not long & set(play.unfinished)) else [long])
        plane.until(lambda: not play.unfinished)
        clear(play)
        # Of those who were cancelled, too: a place lasts until 10 s after its time, a reservation 30 s.
        check("nothing is left of all that in the ledger", [] if plane.until(nothing_is_left) else [ledger()])
        print(f"# played in {time.monotonic() - began:.0f} s")
    finally:
        for one in replicas:
            one.process.kill()


main()
