#!/usr/bin/python3
"""What manifests/ registers, made to point at a livegate outside the cluster.

webhooks.py KUSTOMIZATION URL CA-FILE FOLDER   writes FOLDER/webhooks.json, FOLDER/policy.yaml and FOLDER/rbac.json from
                                               what `kubectl kustomize KUSTOMIZATION` prints

Nothing else of the registration is changed: names, rules, selectors, failure policies and conditions are the product's.
"""
import base64
import json
import os
import subprocess
import sys

import yaml


def load(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def merge(target, patch):
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def operate(target, operation):
    *parents, last = operation["path"].lstrip("/").split("/")
    for step in parents:
        target = target[int(step)] if isinstance(target, list) else target[step]
    last = int(last) if isinstance(target, list) else last
    if operation["op"] == "test":
        if target[last] != operation["value"]:
            sys.exit(f"webhooks.py: {operation['path']} is {target[last]}, not {operation['value']}")
    else:
        target[last] = operation["value"]


def compose(folder):
    """What kubectl 1.20 cannot: it knows no components. Resources and patches, as far as manifests/ uses them."""
    kustomization = load(os.path.join(folder, "kustomization.yaml"))[0]
    objects = []
    for resource in kustomization.get("resources", []):
        path = os.path.join(folder, resource)
        objects += compose(path) if os.path.isdir(path) else load(path)
    for component in kustomization.get("components", []):
        path = os.path.join(folder, component)
        objects += compose(path)
        patch_all(objects, load(os.path.join(path, "kustomization.yaml"))[0])
    if kustomization["kind"] == "Kustomization":
        patch_all(objects, kustomization)
    return objects


def patch_all(objects, kustomization):
    for patch in kustomization.get("patches", []):
        wanted = patch["target"]
        content = yaml.safe_load(patch["patch"])
        for target in objects:
            if target["kind"] == wanted["kind"] and target["metadata"]["name"] == wanted["name"]:
                if isinstance(content, dict):
                    merge(target, content)
                else:
                    for operation in content:
                        operate(target, operation)


def render(folder):
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode == 0:
        return [document for document in yaml.safe_load_all(done.stdout) if document]
    if 'unknown field "components"' in done.stderr:
        return compose(folder)
    sys.exit(f"kubectl kustomize {folder}: {done.stderr}")


def main():
    folder, url, ca_file, to = sys.argv[1:]
    objects = render(folder)
    with open(ca_file, "rb") as file:
        bundle = base64.b64encode(file.read()).decode()
    configurations = [one for one in objects if one["kind"].endswith("WebhookConfiguration")]
    for configuration in configurations:
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            webhook["clientConfig"] = {"url": url + path, "caBundle": bundle}
    write(to, "webhooks.json", configurations)
    rbac = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    write(to, "rbac.json", [one for one in objects if one["kind"] in rbac])
    [policy] = [one for one in objects if one["kind"] == "ConfigMap" and "policy.yaml" in one.get("data", {})]
    # At once, as a secret volume changes: the server may be reading it.
    with open(os.path.join(to, "policy.yaml.new"), "w", encoding="utf-8") as file:
        file.write(policy["data"]["policy.yaml"])
    os.rename(os.path.join(to, "policy.yaml.new"), os.path.join(to, "policy.yaml"))


def write(folder, name, items):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": items}, file)


if __name__ == "__main__":
    main()
