#!/usr/bin/python3
"""Fills a cluster for tests/e2e/scan: crowd.py SERVER FOLDER-OF-KEYS MACHINES CLAIMS NODES

Each virtual machine has two disks over claims of its own number; every fourth claim is for one node only. Over a few
connections that stay open: an object costs the API server more than it costs us. FOLDER-OF-KEYS: ca.crt, admin.crt, admin.key.
"""
import http.client
import json
import ssl
import sys
import threading

CONNECTIONS = 4
NAMESPACES = 50
# Of the size that objects have in a cluster: most of it is of no use to any rule.
FILLER = {f"example.com/note-{i}": "what some controller wrote down and nobody reads " * 3 for i in range(12)}


def namespace(i):
    return f"crowd-{i % NAMESPACES}"


def namespaces(n):
    for i in range(n):
        yield "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"crowd-{i}"}}


def nodes(n):
    for i in range(n):
        name = f"crowd-node-{i}"
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64", "kubevirt.io/schedulable": "true",
                  "zone": f"zone-{i % 3}"}
        yield "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def claims(n):
    for i in range(n):
        ns = namespace(i // 2)
        mode = "ReadWriteOnce" if i % 4 == 3 else "ReadWriteMany"
        yield f"/api/v1/namespaces/{ns}/persistentvolumeclaims", {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"disk-{i}", "namespace": ns, "annotations": FILLER},
            "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "30Gi"}}}}


def machines(n):
    for i in range(n):
        ns = namespace(i)
        volumes = [{"name": f"d{k}", "persistentVolumeClaim": {"claimName": f"disk-{2 * i + k}"}} for k in range(2)]
        spec = {"networks": [{"name": "default", "pod": {}}], "volumes": volumes,
                "domain": {"memory": {"guest": "4Gi"}, "devices": {
                    "disks": [{"name": f"d{k}", "disk": {"bus": "virtio"}} for k in range(2)],
                    "interfaces": [{"name": "default", "masquerade": {}}]}}}
        yield f"/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachines", {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
            "metadata": {"name": f"crowd-{i}", "namespace": ns, "annotations": FILLER},
            "spec": {"runStrategy": "Always", "template": {"metadata": {"labels": {"app": f"crowd-{i}"}}, "spec": spec}}}


class Sender(threading.Thread):
    def __init__(self, server, context, source, lock):
        super().__init__()
        self.connection = http.client.HTTPSConnection(server.removeprefix("https://"), context=context, timeout=60)
        self.source, self.lock, self.problem = source, lock, None

    def run(self):
        while self.problem is None:
            with self.lock:
                made = next(self.source, None)
            if made is None:
                return
            path, obj = made
            self.connection.request("POST", path, json.dumps(obj), {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read().decode()
            if answer.status not in (201, 409):
                self.problem = f"{path}: {answer.status} {text}"


def fill(server, context, source):
    lock = threading.Lock()
    senders = [Sender(server, context, source, lock) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    problems = [sender.problem for sender in senders if sender.problem]
    if problems:
        sys.exit(f"crowd.py: {problems[0]}")


def main():
    server, keys, n_machines, n_claims, n_nodes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    context = ssl.create_default_context(cafile=f"{keys}/ca.crt")
    context.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")
    for source in (namespaces(NAMESPACES), nodes(n_nodes), claims(n_claims), machines(n_machines)):
        fill(server, context, source)


if __name__ == "__main__":
    main()
