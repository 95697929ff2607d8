#!/usr/bin/python3
"""Many migrations at once against three replicas of livegate: limiter.py LIVEGATE PLANE SERVER WORK COUNT DISTURB

Starts the replicas (kubeconfig, certificates and policy are in WORK), a balancer before them, and, once WORK/go is there,
COUNT `kubectl create` of migrations, from shuffled nodes and three namespaces; plays KubeVirt's phases meanwhile (some
migrations last long), and watches that no more than the limits are created and unfinished at any moment. DISTURB "yes": kills
a replica, stops another for 20 s, and asks for a restart of the API server (WORK/restart; it waits for WORK/restarted).
Prints a line for each thing that was found; the last one is "N created, MAX at once, MAX from a node, ...".
"""
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

LIVEGATE, PLANE, SERVER, WORK = sys.argv[1:5]
COUNT, DISTURB = int(sys.argv[5]), sys.argv[6] == "yes"
CLUSTER, NODE = 5, 2
NAMESPACES = ["lim-a", "lim-b", "lim-c"]
NODES = ["worker-1", "worker-2", "worker-3", "virt-1", "virt-2"]
MIGRATIONS = "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"
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
        except OSError as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
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


class Played:
    """KubeVirt: takes each migration through its phases, and counts what is created and unfinished."""

    def __init__(self, node_of):
        self.node_of, self.unfinished, self.created = node_of, {}, []
        self.most, self.most_of_node, self.wrong = 0, 0, []
        self.lock = threading.Lock()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        version = patiently("GET", MIGRATIONS)["metadata"]["resourceVersion"]
        while True:
            try:
                query = f"?watch=true&allowWatchBookmarks=true&resourceVersion={version}"
                with urllib.request.urlopen(SERVER + MIGRATIONS + query, context=context, timeout=60) as stream:
                    for line in stream:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        version = event["object"]["metadata"].get("resourceVersion", version)
                        if event["type"] != "BOOKMARK":
                            self.see(event)
            except OSError:
                time.sleep(0.1)

    def see(self, event):
        migration = event["object"]
        key = (migration["metadata"]["namespace"], migration["spec"]["vmiName"])
        if key not in self.node_of:
            return
        final = migration.get("status", {}).get("phase") in ("Succeeded", "Failed") or event["type"] == "DELETED"
        with self.lock:
            if final:
                self.unfinished.pop(key, None)
                return
            if event["type"] == "ADDED":
                self.unfinished[key] = time.monotonic()
                self.created.append(key)
                threading.Thread(target=self.play, args=(migration, len(self.created)), daemon=True).start()
            at_once = len(self.unfinished)
            nodes = [self.node_of[one] for one in self.unfinished]
            of_node = max(nodes.count(node) for node in NODES)
            self.most, self.most_of_node = max(self.most, at_once), max(self.most_of_node, of_node)
            if at_once > CLUSTER or of_node > NODE:
                self.wrong.append(f"{at_once} at once, {of_node} from a node, with {key}")

    def play(self, migration, number):
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
            time.sleep(wait)


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


def create(key, results):
    manifest = json.dumps({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                           "metadata": {"name": f"move-{key[1]}", "namespace": key[0]}, "spec": {"vmiName": key[1]}})
    said = []
    while len(said) < 2 + DISTURB:
        done = subprocess.run(["kubectl", "create", "-f", "-"], input=manifest, capture_output=True, text=True, check=False)
        said.append((done.stdout + done.stderr).strip())
        if done.returncode == 0 or "AlreadyExists" in said[-1]:
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
    again = 0
    for key, said in results.items():
        again += len(said) > 1
        if not ("created" in said[-1] or "AlreadyExists" in said[-1]):
            print(f"not created: {key}: {said}")
    print(f"# {took:.0f} s, {again} run again")
    print(f"{len(set(played.created))} created, {played.most} at once, {played.most_of_node} from a node, "
          f"{len(played.wrong)} times over")


main()
