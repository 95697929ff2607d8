#!/usr/bin/python3
"""Many migrations at once against three replicas of livegate: limiter.py LIVEGATE PLANE SERVER ETCD WORK COUNT DISTURB

Starts the replicas (kubeconfig, certificates and policy are in WORK), a balancer before them, and, once WORK/go is there,
COUNT `kubectl create` of migrations, from shuffled nodes and three namespaces; plays KubeVirt's phases meanwhile (some
migrations last long), and watches that no more than the limits are created and unfinished at any moment. DISTURB "yes": kills
a replica, stops another for 20 s, and asks for a restart of the API server (WORK/restart; it waits for WORK/restarted).
Prints a line for each thing that was found; the last one is "N created, MAX at once, MAX from a node, ...". WORK/story tells who was
created, started and finished when.
"""
import base64
import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

LIVEGATE, PLANE, SERVER, ETCD, WORK = sys.argv[1:6]
COUNT, DISTURB = int(sys.argv[6]), sys.argv[7] == "yes"
CLUSTER, NODE = 5, 2
NAMESPACES = ["lim-a", "lim-b", "lim-c"]
NODES = ["worker-1", "worker-2", "worker-3", "virt-1", "virt-2"]
DEADLINE = time.monotonic() + 420

context = ssl.create_default_context(cafile=f"{PLANE}/ca.crt")
context.load_cert_chain(f"{PLANE}/admin.crt", f"{PLANE}/admin.key")


def send(method, path, body=None, content_type="application/json", timeout=20):
    request = urllib.request.Request(SERVER + path, data=json.dumps(body).encode() if body is not None else None,
                                     method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, context=context, timeout=timeout) as response:
        return json.load(response)


def patiently(*arguments):
    """Over a restart of the API server."""
    while True:
        try:
            return send(*arguments)
        except (OSError, http.client.HTTPException, ValueError) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (401, 403, 429)
            if refused or time.monotonic() > DEADLINE:
                raise
            time.sleep(0.2)


class Replica:
    def __init__(self, number):
        self.number = number
        self.start()

    def start(self):
        self.log = f"{WORK}/replica-{self.number}-{time.monotonic_ns()}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [LIVEGATE, "serve", "--kubeconfig", f"{WORK}/gate.kubeconfig", "--cert-dir", f"{WORK}/certs", "--policy",
                 f"{WORK}/policy/policy.yaml", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--drain", "0s"],
                stderr=log, stdin=subprocess.DEVNULL)
        while True:
            with open(self.log, encoding="utf-8") as log:
                found = re.search(r'"reviews":"([^"]+)","operations":"([^"]+)"', log.read())
            if found:
                break
            if self.process.poll() is not None or time.monotonic() > DEADLINE:
                sys.exit("a replica did not start")
            time.sleep(0.05)
        self.address = tuple(found[1].rsplit(":", 1))
        self.operations = found[2]

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.operations}/readyz", timeout=1) as response:
                return response.status == 200
        except OSError:
            return False


class Balancer:
    """What a Service does: new connections go round among the replicas that are ready."""

    def __init__(self, replicas):
        self.replicas, self.turn, self.ready = replicas, 0, set(replicas)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.probe, daemon=True).start()

    def probe(self):
        while True:
            self.ready = {one for one in self.replicas if one.ready()}
            time.sleep(0.5)

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        for _ in self.replicas:
            self.turn += 1
            replica = self.replicas[self.turn % len(self.replicas)]
            if replica not in self.ready:
                continue
            try:
                server = socket.create_connection(replica.address, timeout=2)
            except OSError:
                continue
            server.settimeout(None)
            threading.Thread(target=self.copy, args=(client, server), daemon=True).start()
            self.copy(server, client)
            return
        client.close()

    @staticmethod
    def copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Stored:
    """What the API server keeps, from etcd itself, in the order in which it was kept: no restart of it cuts this watch."""

    def __init__(self, prefix, see):
        self.prefix, self.see, self.revision = prefix, see, 0
        self.there = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()
        if not self.there.wait(20):
            sys.exit(f"etcd shows no {prefix}")

    def watch(self):
        end = self.prefix[:-1] + chr(ord(self.prefix[-1]) + 1)
        range_of = {"key": base64.b64encode(self.prefix.encode()).decode(), "range_end": base64.b64encode(end.encode()).decode()}
        while time.monotonic() < DEADLINE:
            create = dict(range_of, start_revision=self.revision + 1) if self.revision else range_of
            request = urllib.request.Request(f"{ETCD}/v3/watch", data=json.dumps({"create_request": create}).encode())
            try:
                with urllib.request.urlopen(request, timeout=600) as stream:
                    self.there.set()
                    for line in stream:
                        for event in json.loads(line)["result"].get("events", []):
                            self.revision = int(event["kv"]["mod_revision"])
                            value = event["kv"].get("value")
                            self.see(base64.b64decode(value) if value else None,
                                     base64.b64decode(event["kv"]["key"]).decode(),
                                     event["kv"].get("create_revision") == event["kv"]["mod_revision"])
            except (OSError, http.client.HTTPException, ValueError) as error:
                print(f"# the watch of etcd begins again: {error}")
                time.sleep(0.1)


class Played:
    """KubeVirt: takes each migration through its phases, and counts what is created and unfinished."""

    def __init__(self, node_of):
        self.node_of, self.unfinished, self.created = node_of, {}, []
        self.most, self.most_of_node, self.wrong = 0, 0, []
        self.story = open(f"{WORK}/story", "w", encoding="utf-8")
        self.started = time.monotonic()
        Stored("/registry/kubevirt.io/virtualmachineinstancemigrations/", self.see)

    def tell(self, what, key):
        self.story.write(f"{time.monotonic() - self.started:7.2f} {what} {'/'.join(key)} on {self.node_of[key]}, "
                         f"{len(self.unfinished)} unfinished\n")
        self.story.flush()

    def see(self, migration, path, new):
        key = (path.split("/")[-2], path.split("/")[-1].removeprefix("move-"))
        if key not in self.node_of:
            return
        migration = json.loads(migration) if migration else None
        if migration is None or migration.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            if self.unfinished.pop(key, None) is not None:
                self.tell("finished", key)
            return
        if not new:
            return
        self.unfinished[key] = time.monotonic()
        self.created.append(key)
        self.tell("created", key)
        threading.Thread(target=self.play, args=(migration, key, len(self.created)), daemon=True).start()
        at_once = len(self.unfinished)
        nodes = [self.node_of[one] for one in self.unfinished]
        of_node = max(nodes.count(node) for node in NODES)
        self.most, self.most_of_node = max(self.most, at_once), max(self.most_of_node, of_node)
        if at_once > CLUSTER or of_node > NODE:
            self.wrong.append(f"{at_once} at once, {of_node} from a node, with {key}")

    def play(self, migration, key, number):
        meta = migration["metadata"]
        path = f"/apis/kubevirt.io/v1/namespaces/{meta['namespace']}/virtualmachineinstancemigrations/{meta['name']}/status"
        lasts = 90 if number % 20 == 1 else random.uniform(2, 6)
        start = time.time()
        for phase, wait in (("Pending", 0.5), ("Scheduling", 0.5), ("Running", lasts), ("Succeeded", 0)):
            stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
            status = {"phase": phase}
            if phase == "Succeeded":
                status["migrationState"] = {"startTimestamp": stamp(start), "endTimestamp": stamp(time.time())}
            patiently("PATCH", path, {"status": status}, "application/merge-patch+json")
            if phase == "Running":
                self.tell("started", key)
            time.sleep(wait)


class Order:
    """Whoever is let through leaves enough free places for those before it in the queue that are due: by each state of the
    ledger that was stored, and by what was unfinished then. A replica may know less of what has finished, never more."""

    def __init__(self, played):
        self.played, self.tickets, self.at = played, [], 0
        self.reserved, self.let_through, self.out_of_turn = set(), 0, []
        Stored("/registry/configmaps/livegate/livegate-ledger", self.see)

    @staticmethod
    def key(entry):
        return (entry["namespace"], entry["guest"])

    def come_first(self, last, waiting, nodes, waited_ms):
        """Those before `last` that are due, by what is stored of them and with a second left for what is not written down
        each time, and whose nodes have room."""
        found = []
        for ticket in self.tickets:
            due_ms = ticket["dueInMs"] - waited_ms
            if (ticket["tag"], ticket["seq"]) < last and self.key(ticket) in waiting and -4000 < due_ms < 4000 \
                    and nodes.count(ticket["node"]) < NODE:
                nodes.append(ticket["node"])
                found.append(ticket)
        return found

    def see(self, stored, _path, _new):
        # The API server keeps its own kinds in another form; the text lies in it as it is.
        at = (stored or b"").find(b'{"schema":')
        if at < 0:
            return
        now, (ledger, _) = time.monotonic(), json.JSONDecoder().raw_decode(stored[at:].decode(errors="replace"))
        reserved = {self.key(entry) for entry in ledger["reservations"]}
        new = reserved - self.reserved
        waiting = {self.key(ticket) for ticket in ledger["tickets"]}
        used = reserved | set(self.played.unfinished)
        nodes = [self.played.node_of[one] for one in used if one in self.played.node_of]
        ranks = {self.key(ticket): (ticket["tag"], ticket["seq"]) for ticket in self.tickets}
        last = max((ranks.get(one, (0, 0)) for one in new), default=(0, 0))
        before = self.come_first(last, waiting, nodes, (now - self.at) * 1000)
        self.let_through += len(new)
        if new and len(used) + len(before) > CLUSTER:
            self.out_of_turn.append((sorted(new), [(self.key(one), one["dueInMs"], one["tries"]) for one in before]))
        self.tickets, self.reserved, self.at = ledger["tickets"], reserved, now


def make_cluster():
    node_of = {}
    for namespace in NAMESPACES:
        try:
            send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
    for i in range(COUNT):
        key = (NAMESPACES[i % 3], f"guest-{i}")
        node_of[key] = NODES[i % len(NODES)]
        body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": key[1], "namespace": key[0]},
                "spec": {"domain": {"devices": {}, "memory": {"guest": "1Gi"}}},
                "status": {"phase": "Running", "nodeName": node_of[key],
                           "conditions": [{"type": "LiveMigratable", "status": "True"}]}}
        path = f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstances"
        made = send("POST", path, body)
        if "status" not in made or "nodeName" not in made["status"]:
            send("PATCH", f"{path}/{key[1]}/status", {"status": body["status"]}, "application/merge-patch+json")
    return node_of


def is_there(said):
    """A create that was cut had reached the API server after all."""
    return "AlreadyExists" in said or "LG603" in said


def create(key, results):
    manifest = json.dumps({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                           "metadata": {"name": f"move-{key[1]}", "namespace": key[0]}, "spec": {"vmiName": key[1]}})
    said = []
    while len(said) < 2 + DISTURB:
        done = subprocess.run(["kubectl", "create", "-f", "-"], input=manifest, capture_output=True, text=True, check=False)
        said.append((done.stdout + done.stderr).strip())
        if done.returncode == 0 or is_there(said[-1]):
            break
        if "has to wait" in said[-1]:
            break
        patiently("GET", "/version")  # its call was cut: run again, once there is a server
    results[key] = said


def disturb(replicas):
    time.sleep(6)
    replicas[0].process.send_signal(signal.SIGKILL)
    replicas[0].process.wait()
    time.sleep(2)
    replicas[0].start()
    time.sleep(3)
    replicas[1].process.send_signal(signal.SIGSTOP)
    time.sleep(20)
    replicas[1].process.send_signal(signal.SIGCONT)
    time.sleep(3)
    open(f"{WORK}/restart", "w", encoding="utf-8").close()
    while not os.path.exists(f"{WORK}/restarted") and time.monotonic() < DEADLINE:
        time.sleep(0.2)


def main():
    replicas = [Replica(i) for i in range(3)]
    balancer = Balancer(replicas)
    try:
        while not all(one.ready() for one in replicas) and time.monotonic() < DEADLINE:
            time.sleep(0.1)
        with open(f"{WORK}/balancer.new", "w", encoding="utf-8") as file:
            file.write(f"127.0.0.1:{balancer.port}")
        os.rename(f"{WORK}/balancer.new", f"{WORK}/balancer")
        while not os.path.exists(f"{WORK}/go"):
            if time.monotonic() > DEADLINE:
                sys.exit("nobody said go")
            time.sleep(0.1)
        node_of = make_cluster()
        time.sleep(2)  # the replicas' watches
        played, results = Played(node_of), {}
        order = Order(played)
        time.sleep(1)
        keys = list(node_of)
        random.shuffle(keys)
        threads = [threading.Thread(target=create, args=(key, results)) for key in keys]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        if DISTURB:
            disturb(replicas)
        for thread in threads:
            thread.join(max(0, DEADLINE - time.monotonic()))
        took = time.monotonic() - started
        time.sleep(1)
    finally:
        for one in replicas:
            one.process.kill()
    for line in played.wrong:
        print(f"over the limits: {line}")
    for line in order.out_of_turn:
        print(f"out of turn: {line}")
    again = 0
    for key, said in results.items():
        again += len(said) > 1
        if not ("created" in said[-1] or is_there(said[-1])):
            print(f"not created: {key}: {said}")
    print(f"# {took:.0f} s, {again} run again")
    if not order.let_through:
        sys.exit("the ledger in etcd was never seen to let anybody through: nothing is known of their order")
    print(f"# {len(order.out_of_turn)} of {order.let_through} out of turn")
    print(f"{len(set(played.created))} created, {played.most} at once, {played.most_of_node} from a node, "
          f"{len(played.wrong)} times over, {len(order.out_of_turn)} out of turn")


main()
