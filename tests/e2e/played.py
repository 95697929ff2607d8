"""What the limiter's end-to-end tests are played on (limiter.py): replicas of livegate behind one address, KubeVirt's phases, and
what the API server keeps, as etcd saw it.
"""
import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

CLUSTER, NODE = 5, 2
PATIENCE_S = 180  # with what comes at once, on a machine that is busy with other tests, too
NODES = ["worker-1", "worker-2", "worker-3", "virt-1", "virt-2"]
MIGRATIONS = "/registry/kubevirt.io/virtualmachineinstancemigrations/"
LEDGER = "/registry/configmaps/livegate/livegate-ledger"
CONTROLLER = "system:serviceaccount:openshift-cnv:kubevirt-controller"


class Plane:
    """The control plane, and until when all of this has to be over."""

    def __init__(self, server, keys, etcd, work, seconds):
        self.server, self.etcd, self.work = server, etcd, work
        self.deadline = time.monotonic() + seconds
        self.context = ssl.create_default_context(cafile=f"{keys}/ca.crt")
        self.context.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")

    def late(self):
        return time.monotonic() > self.deadline

    def left(self):
        return max(0, self.deadline - time.monotonic())

    def send(self, method, path, body=None, content_type="application/json", user=None):
        request = urllib.request.Request(self.server + path, data=json.dumps(body).encode() if body is not None else None,
                                         method=method, headers={"Content-Type": content_type})
        if user:
            request.add_header("Impersonate-User", user)
        with urllib.request.urlopen(request, context=self.context, timeout=60) as response:
            return json.load(response)

    def patiently(self, *arguments):
        """Over a restart of the API server."""
        while True:
            try:
                return self.send(*arguments)
            except (OSError, http.client.HTTPException, ValueError) as error:
                # While it starts it knows neither rights nor resources.
                refused = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (401, 403, 404, 429)
                if refused or self.late():
                    raise
                time.sleep(0.2)

    def until(self, found):
        """What is found before PATIENCE_S are over, or None."""
        end = min(time.monotonic() + PATIENCE_S, self.deadline)
        while not (result := found()):
            if time.monotonic() > end:
                return None
            time.sleep(0.1)
        return result


class Replica:
    def __init__(self, plane, livegate, number):
        self.plane, self.livegate, self.number = plane, livegate, number
        self.start()

    def start(self):
        work = self.plane.work
        self.log = f"{work}/replica-{self.number}-{time.monotonic_ns()}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.livegate, "serve", "--kubeconfig", f"{work}/gate.kubeconfig", "--cert-dir", f"{work}/certs", "--policy",
                 f"{work}/policy/policy.yaml", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--drain", "0s"],
                stderr=log, stdin=subprocess.DEVNULL)
        while True:
            with open(self.log, encoding="utf-8") as log:
                found = re.search(r'"reviews":"([^"]+)","operations":"([^"]+)"', log.read())
            if found:
                break
            if self.process.poll() is not None or self.plane.late():
                sys.exit("a replica did not start")
            time.sleep(0.05)
        self.address = tuple(found[1].rsplit(":", 1))
        self.operations = found[2]

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.operations}/readyz", timeout=3) as response:
                return response.status == 200
        except OSError:
            return False

    def knows(self, resource):
        """How many objects of it."""
        try:
            with urllib.request.urlopen(f"http://{self.operations}/metrics", timeout=20) as response:
                found = re.search(rf'livegate_inventory_objects{{resource="{resource}"}} (\d+)', response.read().decode())
        except OSError:
            return None
        return int(found[1]) if found else None


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

    def __init__(self, plane, prefix, see):
        self.plane, self.prefix, self.see, self.revision = plane, prefix, see, 0
        self.there = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()
        if not self.there.wait(PATIENCE_S):
            sys.exit(f"etcd shows no {prefix}")

    def watch(self):
        end = self.prefix[:-1] + chr(ord(self.prefix[-1]) + 1)
        range_of = {"key": base64.b64encode(self.prefix.encode()).decode(), "range_end": base64.b64encode(end.encode()).decode()}
        while not self.plane.late():
            create = dict(range_of, start_revision=self.revision + 1) if self.revision else range_of
            request = urllib.request.Request(f"{self.plane.etcd}/v3/watch", data=json.dumps({"create_request": create}).encode())
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
    """KubeVirt: takes each migration through its phases, no more at once than the limits, and counts what is created and
    unfinished. Those that a controller made are nobody's to hold back; what was let through has the limits."""

    def __init__(self, plane, lasts):
        self.plane, self.lasts = plane, lasts
        self.node_of, self.unfinished, self.running, self.created, self.drained = {}, {}, [], [], set()
        self.most, self.most_of_node, self.wrong = 0, 0, []
        self.held = set()  # these run until somebody says so
        self.held_back = False  # nothing new starts
        self.lock = threading.RLock()
        self.story = open(f"{plane.work}/story", "w", encoding="utf-8")
        self.started = time.monotonic()
        Stored(plane, MIGRATIONS, self.see)

    def tell(self, what, key):
        self.story.write(f"{time.monotonic() - self.started:7.2f} {what} {'/'.join(key)} on {self.node_of[key]}, "
                         f"{len(self.unfinished)} unfinished\n")
        self.story.flush()

    def see(self, migration, path, new):
        key = (path.split("/")[-2], path.split("/")[-1].removeprefix("move-"))
        if key not in self.node_of:
            return
        migration = json.loads(migration) if migration else None
        with self.lock:
            if migration is None or migration.get("status", {}).get("phase") in ("Succeeded", "Failed"):
                if self.unfinished.pop(key, None) is not None:
                    self.tell("finished" if migration else "deleted", key)
                if key in self.running:
                    self.running.remove(key)
            elif new:
                self.unfinished[key] = migration
                self.created.append(key)
                self.tell("created", key)
                self.count(key)
            self.start_some()

    def count(self, key):
        nodes = [self.node_of[one] for one in self.unfinished]
        at_once, of_node = len(nodes), max(nodes.count(node) for node in NODES)
        if key in self.drained:
            return
        self.most, self.most_of_node = max(self.most, at_once), max(self.most_of_node, of_node)
        if at_once > CLUSTER or nodes.count(self.node_of[key]) > NODE:
            self.wrong.append(f"{at_once} at once, {nodes.count(self.node_of[key])} from its node, with {key}")

    def start_some(self):
        for key, migration in self.unfinished.items():
            if self.held_back or len(self.running) >= CLUSTER:
                return
            if key in self.running or [self.node_of[one] for one in self.running].count(self.node_of[key]) >= NODE:
                continue
            self.running.append(key)
            threading.Thread(target=self.play, args=(migration, key), daemon=True).start()

    def status(self, key, status):
        path = f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstancemigrations/move-{key[1]}/status"
        try:
            self.plane.patiently("PATCH", path, {"status": status}, "application/merge-patch+json")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def leave_one_that_ended(self, key, lasted):
        """That is not counted."""
        del self.node_of[key]
        self.plane.send("POST", f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstancemigrations", migration(key))
        self.finish(key, time.time() - lasted)

    def finish(self, key, start, phase="Succeeded"):
        stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
        self.status(key, {"phase": phase, "migrationState": {"startTimestamp": stamp(start), "endTimestamp": stamp(time.time())}})

    def play(self, migration, key):
        start, lasts = time.time(), self.lasts(key, self.node_of[key])
        for phase, wait in (("Pending", 0.2), ("Scheduling", 0.2), ("Running", lasts)):
            if key not in self.unfinished:
                return
            self.status(key, {"phase": phase})
            if phase == "Running":
                self.tell("started", key)
            time.sleep(wait)
        # Nobody ends before there were as many at once as may be: that the limit is reached does not hang on how fast others come.
        self.plane.until(lambda: self.most >= CLUSTER)
        if key not in self.held:
            # What takes that long fails in the end, and says nothing of how long others will take.
            self.finish(key, start, "Failed" if lasts >= 90 else "Succeeded")


class Order:
    """Whoever is let through leaves enough free places for those before it in the queue that are due: by each state of the
    ledger that was stored, and by what was unfinished then. A replica may know less of what has finished, never more."""

    def __init__(self, plane, played):
        self.played, self.tickets, self.at = played, [], 0
        self.time, self.turns = 0, {}
        self.reserved, self.let_through, self.out_of_turn = set(), 0, []
        Stored(plane, LEDGER, self.see)

    @staticmethod
    def key(entry):
        return (entry["namespace"], entry["guest"])

    def rank_of(self, key):
        """Its ticket's, or that of the ticket that a newcomer would have got."""
        mine = [(ticket["tag"], ticket["seq"]) for ticket in self.tickets if self.key(ticket) == key]
        after = [ticket["tag"] for ticket in self.tickets if ticket["namespace"] == key[0]]
        if key[0] in self.turns:
            after.append(self.turns[key[0]])
        return mine[0] if mine else (max([self.time] + [tag + 1 for tag in after]), float("inf"))

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
        last = max((self.rank_of(one) for one in new), default=(0, 0))
        before = self.come_first(last, waiting, nodes, (now - self.at) * 1000)
        self.let_through += len(new)
        if new and len(used) + len(before) > CLUSTER:
            self.out_of_turn.append((sorted(new), [(self.key(one), one["dueInMs"], one["tries"]) for one in before]))
        self.tickets, self.reserved, self.at = ledger["tickets"], reserved, now
        self.time, self.turns = ledger["tag"], {turn["namespace"]: turn["tag"] for turn in ledger["turns"]}


def make_guests(plane, played, namespaces, names):
    """A guest for each name, over the namespaces and the nodes in turn; their keys."""
    keys = []
    for namespace in namespaces:
        try:
            plane.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
    for i, (name, node) in enumerate(names):
        key = (namespaces[i % len(namespaces)], name)
        played.node_of[key] = node
        keys.append(key)
        body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": key[1], "namespace": key[0]},
                "spec": {"domain": {"devices": {}, "memory": {"guest": "1Gi"}}},
                "status": {"phase": "Running", "nodeName": node,
                           "conditions": [{"type": "LiveMigratable", "status": "True"}]}}
        path = f"/apis/kubevirt.io/v1/namespaces/{key[0]}/virtualmachineinstances"
        made = plane.send("POST", path, body)
        if "nodeName" not in made.get("status", {}):
            plane.send("PATCH", f"{path}/{key[1]}/status", {"status": body["status"]}, "application/merge-patch+json")
    return keys


def migration(key):
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
            "metadata": {"name": f"move-{key[1]}", "namespace": key[0]}, "spec": {"vmiName": key[1]}}
