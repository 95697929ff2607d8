#!/usr/bin/python3
"""manifests/ held against the program: manifests.py LIVEGATE

What a failure here usually means: a rule judges a kind, or looks one up, that the manifests do not know yet. The message
says which line to add to which file.
"""
import collections
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, "tests/support")

import kustomize  # noqa: E402

WEBHOOKS = "manifests/base/webhooks.yaml"
RBAC = "manifests/base/rbac.yaml"
OVERLAYS = "manifests/overlays"

# The registration: entry -> (path, side effects, {(group, resource): operations}, failure policy under enforce, and under
# match-conditions). Under observe each is Ignore. Fail only where a person waits and nothing runs yet.
ENTRIES = {
    "vm-create.livegate.io": (
        "/validate",
        "None",
        {
            ("kubevirt.io", "virtualmachines"): ["CREATE"],
            ("kubevirt.io", "virtualmachineinstancereplicasets"): ["CREATE"],
            ("pool.kubevirt.io", "virtualmachinepools"): ["CREATE"],
        },
        "Fail",
        "Fail",
    ),
    "vm-update.livegate.io": (
        "/validate",
        "None",
        {
            ("kubevirt.io", "virtualmachines"): ["UPDATE"],
            ("kubevirt.io", "virtualmachineinstancereplicasets"): ["UPDATE"],
            ("pool.kubevirt.io", "virtualmachinepools"): ["UPDATE"],
        },
        "Ignore",
        "Fail",
    ),
    "vmi.livegate.io": (
        "/validate",
        "None",
        {("kubevirt.io", "virtualmachineinstances"): ["CREATE"]},
        "Ignore",
        "Fail",
    ),
    "claims.livegate.io": (
        "/validate",
        "None",
        {("", "persistentvolumeclaims"): ["CREATE"], ("cdi.kubevirt.io", "datavolumes"): ["CREATE"]},
        "Ignore",
        "Ignore",
    ),
    "migrations.livegate.io": (
        "/validate/migrations",
        "NoneOnDryRun",
        {("kubevirt.io", "virtualmachineinstancemigrations"): ["CREATE"]},
        "Ignore",
        "Fail",
    ),
    "settings.livegate.io": (
        "/validate",
        "None",
        {
            ("hco.kubevirt.io", "hyperconvergeds"): ["CREATE", "UPDATE"],
            ("kubevirt.io", "kubevirts"): ["CREATE", "UPDATE"],
            ("migrations.kubevirt.io", "migrationpolicies"): ["CREATE", "UPDATE"],
            ("cdi.kubevirt.io", "storageprofiles"): ["CREATE", "UPDATE"],
        },
        "Ignore",
        "Ignore",
    ),
}

# Judged where it happens to arrive, and not asked for: only KubeVirt's own accounts change these.
NOT_REGISTERED = {("kubevirt.io", "virtualmachineinstances"): ["UPDATE"]}

# What livegate's account may do besides reading what rules look up: (kind of role, group, resource, names, verbs).
BEYOND_READING = {("Role", "", "configmaps", ("livegate-ledger",), ("get", "patch"))}

passed = 0
failed = 0


def check(name, good, detail=""):
    global passed, failed
    if good:
        passed += 1
        return
    failed += 1
    print(f"FAILED: {name}")
    for line in str(detail).splitlines():
        print(f"  {line}")


def same(name, wanted, got):
    check(name, wanted == got, f"wanted: {wanted}\n   got: {got}")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Overlay:
    def __init__(self, folder):
        self.folder = folder
        self.objects = kustomize.render(folder)
        self.last = os.path.basename(folder)

    def all(self, kind):
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind, name="livegate"):
        found = [one for one in self.all(kind) if one["metadata"]["name"] == name]
        same(f"{self.folder}: {kind} {name}", 1, len(found))
        return found[0] if found else collections.defaultdict(dict)


def check_render(overlay):
    """Rendered alike by kubectl and by the helper for old ones; no object twice; everything in its place."""
    key = lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])  # noqa: E731
    composed = sorted(kustomize.compose(overlay.folder), key=key)
    check(f"{overlay.folder}: kubectl renders what tests/support/kustomize.py composes",
          composed == sorted(overlay.objects, key=key))
    same(f"{overlay.folder}: no object twice", len(composed), len({key(one) for one in composed}))
    cluster = {"Namespace", "ClusterRole", "ClusterRoleBinding", "FlowSchema", "ValidatingWebhookConfiguration",
               "MutatingWebhookConfiguration"}
    for one in overlay.objects:
        wanted = None if one["kind"] in cluster else "livegate"
        same(f"{overlay.folder}: namespace of {one['kind']} {one['metadata']['name']}", wanted,
             one["metadata"].get("namespace"))
    images = {image for one in overlay.objects for image in re.findall(r'"image": "([^"]+)"', json.dumps(one))}
    check(f"{overlay.folder}: one image, with a tag", len(images) == 1 and ":" in min(images), images)


# ---- what is registered ----


def registered(webhook):
    rules = {}
    for rule in webhook["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                rules[(group, resource)] = rule["operations"]
    return rules


def check_webhooks(overlay):
    configuration = overlay.one("ValidatingWebhookConfiguration")
    webhooks = {webhook["name"]: webhook for webhook in configuration["webhooks"]}
    where = f"{overlay.folder}: "
    same(where + "entries (a new one belongs into ENTRIES of tests/integration/manifests.py)", list(ENTRIES), list(webhooks))
    policy = {"observe": 0, "enforce": 1, "mutate": 1, "match-conditions": 2}[overlay.last]
    for name, (path, side_effects, rules, *policies) in ENTRIES.items():
        webhook = webhooks.get(name, {})
        same(f"{where}{name}: service", {"namespace": "livegate", "name": "livegate", "path": path},
             webhook.get("clientConfig", {}).get("service"))
        same(f"{where}{name}: rules", rules, registered(webhook))
        same(f"{where}{name}: failurePolicy", ["Ignore", *policies][policy], webhook.get("failurePolicy"))
        same(f"{where}{name}: the rest", (side_effects, 3, "Equivalent", ["v1"]),
             (webhook.get("sideEffects"), webhook.get("timeoutSeconds"), webhook.get("matchPolicy"),
              webhook.get("admissionReviewVersions")))
        same(f"{where}{name}: apiVersions", {"*"}, {version for rule in webhook["rules"] for version in rule["apiVersions"]})
        # Said though it is the default: else each apply and each GitOps tool sees a difference.
        same(f"{where}{name}: scope", {"*"}, {rule.get("scope") for rule in webhook["rules"]})
        selector = [one["key"] for one in webhook.get("namespaceSelector", {}).get("matchExpressions", [])]
        # The CRs of settings stand in a system namespace.
        same(f"{where}{name}: namespaces", [] if name.startswith("settings") else
             ["livegate.io/ignore", "kubernetes.io/metadata.name"], selector)
        conditions = [one["name"] for one in webhook.get("matchConditions", [])]
        same(f"{where}{name}: conditions", wanted_conditions(overlay.last, name), conditions)


def check_mutating(overlay):
    """Only where an overlay switches it on; as narrow as its fixers, and never in anybody's way."""
    if overlay.last != "mutate":
        same(f"{overlay.folder}: nothing is mended", [], overlay.all("MutatingWebhookConfiguration"))
        return
    webhooks = overlay.one("MutatingWebhookConfiguration")["webhooks"]
    same(f"{overlay.folder}: one entry mends", ["mend.livegate.io"], [webhook["name"] for webhook in webhooks])
    same(f"{overlay.folder}: mend: service", {"namespace": "livegate", "name": "livegate", "path": "/mutate"},
         webhooks[0]["clientConfig"]["service"])
    same(f"{overlay.folder}: mend: rules", {("kubevirt.io", "virtualmachines"): ["CREATE", "UPDATE"]}, registered(webhooks[0]))
    same(f"{overlay.folder}: mend: the rest", ("Ignore", "IfNeeded", "None", 1, "Equivalent", ["v1"]),
         tuple(webhooks[0][key] for key in ("failurePolicy", "reinvocationPolicy", "sideEffects", "timeoutSeconds",
                                            "matchPolicy", "admissionReviewVersions")))
    same(f"{overlay.folder}: mend: namespaces", ["livegate.io/ignore", "kubernetes.io/metadata.name"],
         [one["key"] for one in webhooks[0]["namespaceSelector"]["matchExpressions"]])
    policy = overlay.one("ConfigMap", "livegate-policy")["data"]["policy.yaml"]
    check(f"{overlay.folder}: its policy names what is mended", "\nmutate:\n" in policy)


def wanted_conditions(last, name):
    if last != "match-conditions":
        return []
    conditions = ["not-a-controller"]
    if not name.startswith("settings"):
        conditions.append("not-a-system-namespace")
    if name.startswith(("settings", "vm-update")):
        conditions.append("not-being-deleted")
    return conditions


def check_judged(resources):
    """Each kind that a rule judges is registered, with those operations."""
    everything = collections.defaultdict(set)
    for entry in ENTRIES.values():
        for resource, operations in entry[2].items():
            everything[resource] |= set(operations)
    for resource, operations in NOT_REGISTERED.items():
        everything[resource] |= set(operations)
    for one in resources:
        lacking = set(one["judged"]) - everything[(one["group"], one["resource"])]
        rule = f'- {{apiGroups: ["{one["group"]}"], apiVersions: ["*"], resources: [{one["resource"]}], scope: "*", operations: {sorted(one["judged"])}}}'
        check(f"{one['kind']} is registered for {', '.join(one['judged']) or 'nothing'}", not lacking,
              f"rules judge {one['kind']} on {sorted(lacking)}, and no entry asks for it.\n"
              f"Add to `rules` of the entry it belongs to in {WEBHOOKS}:\n  {rule}\n"
              f"and the same to ENTRIES of tests/integration/manifests.py.")


# ---- what may be read ----


def grants(overlay, account):
    """{(kind of role, group, resource, names): verbs} of all roles that are bound to the account."""
    found = {}
    for kind in ("ClusterRole", "Role"):
        for binding in overlay.all(kind + "Binding"):
            if account not in [subject["name"] for subject in binding["subjects"]]:
                continue
            same(f"{overlay.folder}: {kind}Binding {binding['metadata']['name']} binds a {kind}", kind, binding["roleRef"]["kind"])
            for rule in overlay.one(kind, binding["roleRef"]["name"])["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        key = (kind, group, resource, tuple(rule.get("resourceNames", [])))
                        check(f"{overlay.folder}: {resource} is granted once to {account}", key not in found)
                        found[key] = tuple(rule["verbs"])
    return found


def check_rbac(overlay, resources):
    granted = grants(overlay, "livegate")
    for key, verbs in granted.items():
        kind, group, resource, names = key
        if (kind, group, resource, names, verbs) in BEYOND_READING:
            continue
        wanted = [one for one in resources if (one["group"], one["resource"]) == (group, resource) and one["read"]]
        check(f"{overlay.folder}: {resource} may be read because rules look it up", bool(wanted) and not names,
              f"nothing reads {resource}.{group}: take it out of {RBAC}")
    for one in resources:
        key = ("ClusterRole", one["group"], one["resource"], ())
        same(f"{overlay.folder}: the account may {' '.join(one['read']) or 'do nothing with'} {one['resource']} "
             f"(mend {RBAC}: {{apiGroups: [\"{one['group']}\"], resources: [{one['resource']}], verbs: {one['read']}}})",
             tuple(one["read"]), granted.get(key, ()))
    for row in BEYOND_READING:
        check(f"{overlay.folder}: the account has {row}", granted.get(row[:4]) == row[4])


def check_self_signed(overlay):
    names = ("livegate-tls", "livegate-ca")
    same(f"{overlay.folder}: the account that renews", {
        ("Role", "", "secrets", names): ("get", "patch"),
        ("ClusterRole", "admissionregistration.k8s.io", "validatingwebhookconfigurations", ("livegate",)): ("get", "patch"),
        ("ClusterRole", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", ("livegate",)): ("get", "patch"),
    }, grants(overlay, "livegate-certs"))
    job = overlay.one("Job", "livegate-certs")["spec"]["template"]
    cron = overlay.one("CronJob", "livegate-certs")["spec"]
    same(f"{overlay.folder}: Job and CronJob run the same", job, cron["jobTemplate"]["spec"]["template"])
    same(f"{overlay.folder}: never two at once", "Forbid", cron["concurrencyPolicy"])
    check_pod(overlay, job["spec"])
    arguments = job["spec"]["containers"][0]["args"]
    same(f"{overlay.folder}: what it runs", ["certs", "issue", "--renew=due", "--days=365", "--ca-days=3650"], arguments[:5])
    accepted(overlay, arguments)
    secrets = [one["metadata"]["name"] for one in overlay.all("Secret")]
    same(f"{overlay.folder}: the secrets are there", set(names), set(secrets))
    check(f"{overlay.folder}: applying again does not empty them", not any("data" in one for one in overlay.all("Secret")))


# ---- what runs ----


def accepted(overlay, arguments):
    done = output(LIVEGATE, *arguments, "--help")
    check(f"{overlay.folder}: livegate takes {' '.join(arguments)}", done.returncode == 0, done.stderr)


def check_pod(overlay, spec):
    container = spec["containers"][0]
    same(f"{overlay.folder}: the pod's user", (True, {"type": "RuntimeDefault"}),
         (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["seccompProfile"]))
    same(f"{overlay.folder}: the container has no privilege",
         {"privileged": False, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
          "capabilities": {"drop": ["ALL"]}}, container["securityContext"])
    check(f"{overlay.folder}: it asks for CPU and memory", {"cpu", "memory"} == set(container["resources"]["requests"]))
    same(f"{overlay.folder}: it stays when others go", "system-cluster-critical", spec["priorityClassName"])
    tolerated = {one["key"] for one in spec["tolerations"]}
    check(f"{overlay.folder}: it may run on the control plane", "node-role.kubernetes.io/control-plane" in tolerated)


def check_deployment(overlay):
    deployment = overlay.one("Deployment")["spec"]
    spec = deployment["template"]["spec"]
    container = spec["containers"][0]
    same(f"{overlay.folder}: replicas", 1 if "single-replica" in overlay.folder else 2, deployment["replicas"])
    same(f"{overlay.folder}: a new pod first", {"maxUnavailable": 0, "maxSurge": 1}, deployment["strategy"]["rollingUpdate"])
    same(f"{overlay.folder}: time to drain", 30, spec["terminationGracePeriodSeconds"])
    check_pod(overlay, spec)
    same(f"{overlay.folder}: replicas keep apart where they can", ["preferredDuringSchedulingIgnoredDuringExecution"],
         list(spec["affinity"]["podAntiAffinity"]))
    same(f"{overlay.folder}: probes", ("/readyz", "/livez"),
         (container["readinessProbe"]["httpGet"]["path"], container["livenessProbe"]["httpGet"]["path"]))
    accepted(overlay, container["args"])
    labels = deployment["template"]["metadata"]["labels"].items()
    for kind, selector in (("Service", ["selector"]), ("PodDisruptionBudget", ["selector", "matchLabels"]),
                           ("NetworkPolicy", ["podSelector", "matchLabels"])):
        value = overlay.one(kind)["spec"]
        for step in selector:
            value = value[step]
        check(f"{overlay.folder}: {kind} selects the pods", value.items() <= labels)
    same(f"{overlay.folder}: at most one goes", 1, overlay.one("PodDisruptionBudget")["spec"]["maxUnavailable"])
    policy = overlay.one("NetworkPolicy")["spec"]
    same(f"{overlay.folder}: 8443 is open to all, 8080 to monitoring", [(8443, False), (8080, True)],
         [(rule["ports"][0]["port"], "from" in rule) for rule in policy["ingress"]])
    same(f"{overlay.folder}: both directions are limited", ["Ingress", "Egress"], policy["policyTypes"])
    subject = overlay.one("FlowSchema")["spec"]["rules"][0]["subjects"][0]["serviceAccount"]
    same(f"{overlay.folder}: the flow schema is the account's", {"namespace": "livegate", "name": spec["serviceAccountName"]}, subject)
    label = overlay.all("Namespace")[0]["metadata"]["labels"].get("livegate.io/ignore")
    same(f"{overlay.folder}: its own namespace is left out", "true", label)


def check_policy(overlay):
    text = overlay.one("ConfigMap", "livegate-policy")["data"]["policy.yaml"]
    mode = re.search(r"^mode: (\w+)$", text, re.MULTILINE)
    same(f"{overlay.folder}: policy mode", "observe" if overlay.last == "observe" else "enforce", mode and mode.group(1))


def check_certificates(overlay):
    configurations = [one["metadata"].get("annotations", {}) for one in overlay.objects
                      if one["kind"].endswith("WebhookConfiguration")]
    wanted = {}
    if "/cert-manager/" in overlay.folder:
        wanted = {"cert-manager.io/inject-ca-from": "livegate/livegate"}
        certificates = {one["metadata"]["name"]: one["spec"] for one in overlay.all("Certificate")}
        same(f"{overlay.folder}: lives", ("87600h", "8760h"),
             (certificates["livegate-ca"]["duration"], certificates["livegate"]["duration"]))
        same(f"{overlay.folder}: secret", "livegate-tls", certificates["livegate"]["secretName"])
    if "/openshift/" in overlay.folder:
        wanted = {"service.beta.openshift.io/inject-cabundle": "true"}
        same(f"{overlay.folder}: secret", {"service.beta.openshift.io/serving-cert-secret-name": "livegate-tls"},
             overlay.one("Service")["metadata"].get("annotations"))
    for configuration in configurations:
        same(f"{overlay.folder}: who keeps the caBundle", wanted, configuration)
    volumes = overlay.one("Deployment")["spec"]["template"]["spec"]["volumes"]
    same(f"{overlay.folder}: the secret that is mounted", "livegate-tls", volumes[0]["secret"]["secretName"])


def check_versions(overlay):
    old = "/kubernetes-1.20/" in overlay.folder
    same(f"{overlay.folder}: API versions",
         ("flowcontrol.apiserver.k8s.io/v1beta1", "policy/v1beta1") if old else ("flowcontrol.apiserver.k8s.io/v1", "policy/v1"),
         (overlay.one("FlowSchema")["apiVersion"], overlay.one("PodDisruptionBudget")["apiVersion"]))


# ---- what is watched ----

ALERTS = ("LivegateDown LivegateCertificateEnds LivegateAuthorityEnds LivegateCertificateEndsNow LivegateInventoryOld "
          "LivegateNotRegistered LivegateBypassed LivegateNotAsked LivegateReloadFailed").split()


def check_monitoring():
    objects = kustomize.load("manifests/monitoring/prometheusrule.yaml") + kustomize.load("manifests/monitoring/servicemonitor.yaml")
    rules = [rule for group in objects[0]["spec"]["groups"] for rule in group["rules"]]
    names = [rule["alert"] for rule in rules]
    same("no alert twice", len(names), len(set(names)))
    same("the alerts that must be there", [], [name for name in ALERTS if name not in names])
    source = output("grep", "-rhoE", '"livegate_[a-z_]+"', "webhook", "rules").stdout
    metrics = set(re.findall(r"livegate_[a-z_]+", source))
    check("livegate's metrics are found", len(metrics) > 20, metrics)
    for rule in rules:
        used = {re.sub(r"_bucket$", "", name) for name in re.findall(r"livegate_[a-z_]+", rule["expr"])}
        same(f"alert {rule['alert']}: metrics that do not exist", set(), used - metrics)
        check(f"alert {rule['alert']} says what to do", rule["annotations"].get("summary"))
    ports = [one["name"] for one in kustomize.load("manifests/base/service.yaml")[0]["spec"]["ports"]]
    check("the monitor's port is the service's", objects[1]["spec"]["endpoints"][0]["port"] in ports)


def main():
    listed = json.loads(output(LIVEGATE, "rules", "--output", "json").stdout)
    resources = listed["resources"]
    check("livegate says what it judges and reads", any(one["judged"] for one in resources) and any(one["read"] for one in resources))
    check_judged(resources)
    folders = sorted(folder for folder, _, files in os.walk(OVERLAYS) if "kustomization.yaml" in files)
    check("there are overlays", len(folders) >= 16, folders)
    if kustomize.kubectl_kustomize(folders[0]) is None:
        print("# this kubectl knows no components: tests/support/kustomize.py composes what it would render")
    for folder in folders:
        overlay = Overlay(folder)
        check_render(overlay)
        check_webhooks(overlay)
        check_mutating(overlay)
        check_rbac(overlay, resources)
        check_deployment(overlay)
        check_policy(overlay)
        check_certificates(overlay)
        check_versions(overlay)
        if "/self-signed/" in folder:
            check_self_signed(overlay)
        else:
            check(f"{folder}: no right on secrets", not [one for one in grants(overlay, "livegate") if one[2] == "secrets"])
    policies = sorted(os.listdir("manifests/policies"))
    for policy in policies:
        done = output(LIVEGATE, "policy", f"manifests/policies/{policy}/policy.yaml")
        check(f"policy {policy} is valid", done.returncode == 0, done.stderr)
    same("policies", ["default", "mutate", "observe", "restores", "strict"], policies)
    check_monitoring()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


LIVEGATE = sys.argv[1]
sys.exit(main())
