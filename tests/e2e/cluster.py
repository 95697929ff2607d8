#!/usr/bin/python3
"""Makes the objects of YAML files in a cluster as they are written: cluster.py SERVER FOLDER-OF-KEYS FILE...

What `kubectl create` would lose is sent after it: the status where the API server keeps it apart, and a node's own taints,
to which admission adds "not ready" until a node controller (there is none here) takes it away. An object that is there
already is left alone. FOLDER-OF-KEYS holds ca.crt, admin.crt and admin.key.
"""
import json
import ssl
import sys
import urllib.error
import urllib.request

import yaml

# kind -> (plural, namespaced)
RESOURCES = {
    "Namespace": ("namespaces", False),
    "Node": ("nodes", False),
    "PersistentVolume": ("persistentvolumes", False),
    "PersistentVolumeClaim": ("persistentvolumeclaims", True),
    "StorageClass": ("storageclasses", False),
    "StorageProfile": ("storageprofiles", False),
    "DataVolume": ("datavolumes", True),
    "KubeVirt": ("kubevirts", True),
    "HyperConverged": ("hyperconvergeds", True),
    "VirtualMachine": ("virtualmachines", True),
    "VirtualMachineInstance": ("virtualmachineinstances", True),
    "VirtualMachineInstanceMigration": ("virtualmachineinstancemigrations", True),
}


class Cluster:
    def __init__(self, server, keys):
        self.server = server
        self.context = ssl.create_default_context(cafile=f"{keys}/ca.crt")
        self.context.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")

    def send(self, method, path, body, content_type="application/json"):
        request = urllib.request.Request(
            self.server + path,
            data=json.dumps(body, default=str).encode(),
            method=method,
            headers={"Content-Type": content_type},
        )
        with urllib.request.urlopen(request, context=self.context, timeout=20) as response:
            return json.load(response)

    def make(self, obj):
        plural, namespaced = RESOURCES[obj["kind"]]
        version = obj["apiVersion"]
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
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
