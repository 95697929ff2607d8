#!/usr/bin/python3
"""What manifests/ registers, made to point at a livegate outside the cluster.

webhooks.py KUSTOMIZATION URL CA-FILE FOLDER   writes FOLDER/webhooks.json, policy.yaml, rbac.json and secrets.json from
                                               what `kubectl kustomize KUSTOMIZATION` prints

Nothing else of the registration is changed: names, rules, selectors, failure policies and conditions are the product's. But an
answer may take TIMEOUT_S: on a machine that is busy with other tests 3 s say nothing of livegate.
"""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from kustomize import render  # noqa: E402


TIMEOUT_S = 20


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
            webhook["timeoutSeconds"] = TIMEOUT_S
    write(to, "webhooks.json", configurations)
    rbac = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    ledger = "livegate-ledger"
    write(to, "rbac.json", [one for one in objects if one["kind"] in rbac or one["metadata"]["name"] == ledger])
    write(to, "secrets.json", [one for one in objects if one["kind"] == "Secret"])
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
