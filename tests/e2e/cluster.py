#!/usr/bin/python3
"""Makes the objects of YAML files in a cluster as they are written: cluster.py SERVER FOLDER-OF-KEYS FILE...

What `kubectl create` would lose is sent after it: the status where the API server keeps it apart, and a node's own taints,
to which admission adds "not ready" until a node controller (there is none here) takes it away. An object that is there
already is left alone. FOLDER-OF-KEYS holds ca.crt, admin.crt and admin.key.
"""
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

import yaml


class Cluster:
    def __init__(self, server, keys):
        self.server = server
        self.context = ssl.create_default_context(cafile=f"{keys}/ca.crt")
        self.context.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")
        self.served = {}

    def send(self, method, path, body=None, content_type="application/json"):
        request = urllib.request.Request(
            self.server + path,
            data=None if body is None else json.dumps(body, default=str).encode(),
            method=method,
            headers={"Content-Type": content_type},
        )
        with urllib.request.urlopen(request, context=self.context, timeout=20) as response:
            return json.load(response)

    def served_in(self, prefix):
        """What the server has in that version. Of a CRD that was established a moment ago it may not have told its front yet."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.send("GET", prefix)["resources"]
            except urllib.error.HTTPError as error:
                if error.code not in (404, 503) or time.monotonic() > deadline:
                    sys.exit(f"cluster.py: {prefix}: {error}")
            time.sleep(0.2)

    def find(self, version, kind):
        """(path of the version, plural, namespaced), as the server says."""
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if prefix not in self.served:
            self.served[prefix] = self.served_in(prefix)
        for resource in self.served[prefix]:
            if resource["kind"] == kind and "/" not in resource["name"]:
                return prefix, resource["name"], resource["namespaced"]
        sys.exit(f"cluster.py: the server has no {kind} in {version}")

    def make(self, obj):
        prefix, plural, namespaced = self.find(obj["apiVersion"], obj["kind"])
        if namespaced:
            prefix += f"/namespaces/{obj['metadata']['namespace']}"
        collection = f"{prefix}/{plural}"
        path = f"{collection}/{obj['metadata']['name']}"
        try:
            made = self.send("POST", collection, obj)
        except urllib.error.HTTPError as error:
            if error.code == 409:
                return
            sys.exit(f"cluster.py: {obj['kind']} {obj['metadata']['name']}: {error.read().decode()}")
        merge = "application/merge-patch+json"
        if obj["kind"] == "Node":
            self.send("PATCH", path, {"spec": {"taints": obj["spec"].get("taints")}}, merge)
        if "status" in obj and "status" not in made or made.get("status", {}) != obj.get("status", {}):
            self.send("PATCH", f"{path}/status", {"status": obj.get("status", {})}, merge)


def main():
    cluster = Cluster(sys.argv[1], sys.argv[2])
    for name in sys.argv[3:]:
        with open(name, encoding="utf-8") as file:
            for obj in yaml.safe_load_all(file):
                if obj:
                    cluster.make(obj)


if __name__ == "__main__":
    main()
