#!/usr/bin/python3
"""What manifests/ installs, for one API server: manifests.py MINOR KIND,KIND,... OVERLAY... prints a List.

MINOR is the API server's (1.MINOR); the components for old ones are put on top. Of the kinds that are named nothing is printed: they
belong to operators that are not there. Objects that overlays share are printed once.
"""
import json
import sys

sys.path.insert(0, "tests/support")

import kustomize  # noqa: E402


def main():
    minor, absent, overlays = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]
    items = {}
    for overlay in overlays:
        objects = kustomize.render(overlay)
        if minor < 29:
            kustomize.compose("manifests/components/kubernetes-1.20" if minor < 23 else "manifests/components/kubernetes-1.23", objects)
        for one in objects:
            if one["kind"] not in absent:
                items[json.dumps(one, sort_keys=True)] = one
    # As kubectl orders them: what others stand in or refer to comes first.
    first = ["Namespace", "ServiceAccount", "Role", "ClusterRole"]
    order = lambda one: first.index(one["kind"]) if one["kind"] in first else len(first)  # noqa: E731
    json.dump({"apiVersion": "v1", "kind": "List", "items": sorted(items.values(), key=order)}, sys.stdout)


if __name__ == "__main__":
    main()
