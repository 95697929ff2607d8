#!/usr/bin/python3
"""Plays the API server for one manifest of the demo.

review.py request FILE           prints the AdmissionReview that an API server would send for `oc create -f FILE`
review.py answer FILE RESPONSE   prints what oc would print for that answer, and compares it with the line
                                 "# expected: created [with warnings]" or "# expected: denied LG101 ..." in FILE
"""
import json
import sys
import uuid

import yaml

RESOURCES = {
    "VirtualMachine": "virtualmachines",
    "VirtualMachineInstance": "virtualmachineinstances",
    "VirtualMachineInstanceMigration": "virtualmachineinstancemigrations",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "DataVolume": "datavolumes",
    "VirtualMachinePool": "virtualmachinepools",
    "VirtualMachineInstanceReplicaSet": "virtualmachineinstancereplicasets",
    "StorageProfile": "storageprofiles",
    "HyperConverged": "hyperconvergeds",
    "KubeVirt": "kubevirts",
    "MigrationPolicy": "migrationpolicies",
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def request(path):
    obj = load(path)
    group, _, version = obj["apiVersion"].rpartition("/")
    if obj["kind"] == "PersistentVolumeClaim":
        obj["spec"].setdefault("volumeMode", "Filesystem")  # the API server does, before any webhook
    kind = {"group": group, "version": version, "kind": obj["kind"]}
    resource = {"group": group, "version": version, "resource": RESOURCES[obj["kind"]]}
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": str(uuid.uuid4()),
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": obj["metadata"].get("name", ""),
            "namespace": obj["metadata"].get("namespace", ""),
            "operation": "CREATE",
            "userInfo": {"username": "admin", "groups": ["system:authenticated"]},
            "object": obj,
            "oldObject": None,
            "dryRun": False,
        },
    }
    json.dump(review, sys.stdout)


def expected(path):
    with open(path, encoding="utf-8") as file:
        line = file.readline()
    return line.removeprefix("# expected: ").strip()


def outcome(response):
    if response["allowed"]:
        return "created with warnings" if response.get("warnings") else "created"
    causes = response["status"]["details"]["causes"]
    return " ".join(["denied"] + sorted({cause["reason"] for cause in causes}))


def answer(path, response_path):
    obj = load(path)
    with open(response_path, encoding="utf-8") as file:
        response = json.load(file)["response"]
    name = obj["metadata"]["name"]
    webhook = "migrations" if obj["kind"].endswith("Migration") else "vm-create"
    for warning in response.get("warnings", []):
        print("Warning:", warning)
    if response["allowed"]:
        print(f"{obj['kind'].lower()}.{obj['apiVersion'].split('/')[0]}/{name} created")
    else:
        status = response["status"]
        print(
            f'Error from server ({status["reason"]}): error when creating "{path}": '
            f'admission webhook "{webhook}.livegate.io" denied the request: {status["message"]}'
        )
    got, wanted = outcome(response), expected(path)
    if got != wanted:
        sys.exit(f"demo: {path}: expected: {wanted}; got: {got}")


if __name__ == "__main__":
    {"request": request, "answer": answer}[sys.argv[1]](*sys.argv[2:])
