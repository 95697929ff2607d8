#!/usr/bin/python3
"""Renders a kustomization as `kubectl kustomize` does: kustomize.py FOLDER prints its objects as a JSON list.

kubectl is taken from PATH. One that knows no components (before 1.21) is helped out: `compose` does as much of kustomize
as manifests/ uses, and tests/integration/manifests.sh holds it against a newer kubectl where there is one.
"""
import json
import os
import re
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
    *parents, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
    for step in parents:
        target = target[int(step)] if isinstance(target, list) else target[step]
    last = int(last) if isinstance(target, list) else last
    if operation["op"] == "test":
        if target[last] != operation["value"]:
            sys.exit(f"kustomize.py: {operation['path']} is {target[last]}, not {operation['value']}")
    else:
        target[last] = operation["value"]


def generate(folder, generator, objects):
    """A ConfigMap of files, made or put in the place of the one that is there."""
    data = {}
    for name in generator["files"]:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            data[name] = file.read()
    metadata = {"name": generator["name"], "namespace": generator["namespace"]}
    for one in objects:
        if one["kind"] == "ConfigMap" and one["metadata"] == metadata:
            one["data"] = data
            return
    objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def patch_all(objects, patch):
    wanted = patch["target"]
    content = yaml.safe_load(patch["patch"])
    for target in objects:
        if target["kind"] != wanted["kind"] or target["metadata"]["name"] != wanted["name"]:
            continue
        if isinstance(content, dict):
            merge(target, content)
        else:
            for operation in content:
                operate(target, operation)


def set_image(value, image):
    if isinstance(value, list):
        for item in value:
            set_image(item, image)
    elif isinstance(value, dict):
        for key, below in value.items():
            if key == "image" and isinstance(below, str) and re.match(rf"{re.escape(image['name'])}(:|$)", below):
                value[key] = f"{image['newName']}:{image['newTag']}"
            else:
                set_image(below, image)


def compose(folder, objects=None):
    """The objects of a folder; a component works on those that are there already."""
    objects = [] if objects is None else objects
    kustomization = load(os.path.join(folder, "kustomization.yaml"))[0]
    for resource in kustomization.get("resources", []):
        path = os.path.join(folder, resource)
        objects += compose(path) if os.path.isdir(path) else load(path)
    for component in kustomization.get("components", []):
        compose(os.path.join(folder, component), objects)
    for generator in kustomization.get("configMapGenerator", []):
        generate(folder, generator, objects)
    for patch in kustomization.get("patches", []):
        patch_all(objects, patch)
    for image in kustomization.get("images", []):
        set_image(objects, image)
    return objects


def kubectl_kustomize(folder):
    """What kubectl prints; None: it is too old, or there is none."""
    try:
        done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        return None
    if done.returncode == 0:
        return [document for document in yaml.safe_load_all(done.stdout) if document]
    version = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    minor = re.match(r"[0-9]+", json.loads(version)["clientVersion"]["minor"])
    if minor and int(minor.group()) < 21:
        return None
    sys.exit(f"kubectl kustomize {folder}: {done.stderr}")


def render(folder):
    objects = kubectl_kustomize(folder)
    return compose(folder) if objects is None else objects


if __name__ == "__main__":
    json.dump(render(sys.argv[1]), sys.stdout)
