/* Objects that the examples of several rules speak of: YAML text, as string literals that stand
 * side by side.
 *
 * A rule's file gives them the names that fit there and says what is its own with them. `spec`,
 * `labels` and the like stand inside braces; `head` and `rest` are whole lines with their indent;
 * "" is nothing. Documents of one inventory are set apart by "---\n". Constant data, any thread;
 * for rules/builtin only.
 */
#ifndef LG_RULES_BUILTIN_EXAMPLES_H
#define LG_RULES_BUILTIN_EXAMPLES_H

#define LG_EX_WEB    "name: web, namespace: shop"
#define LG_EX_ORDERS "name: orders-db, namespace: web-servers"

/* --- guests --- */

#define LG_EX_VM(metadata, rest)                                                                   \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachine\n"                                                                       \
    "metadata: {" metadata "}\n" rest
/* `head` is the machine's own, before its template; `spec` the guest's. */
#define LG_EX_VM_OF(metadata, head, spec)                                                          \
    LG_EX_VM(metadata, "spec:\n" head "  template:\n    spec: {" spec "}\n")
#define LG_EX_VMI(metadata, rest)                                                                  \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstance\n"                                                               \
    "metadata: {" metadata "}\n" rest
#define LG_EX_INSTANCETYPE(spec)                                                                   \
    "apiVersion: instancetype.kubevirt.io/v1beta1\n"                                               \
    "kind: VirtualMachineClusterInstancetype\n"                                                    \
    "metadata: {name: u1}\n"                                                                       \
    "spec: {" spec "}\n"
#define LG_EX_PREFERENCE(spec)                                                                     \
    "apiVersion: instancetype.kubevirt.io/v1beta1\n"                                               \
    "kind: VirtualMachineClusterPreference\n"                                                      \
    "metadata: {name: p1}\n"                                                                       \
    "spec: {" spec "}\n"

/* --- migrations --- */

#define LG_EX_MIGRATION(metadata, rest)                                                            \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstanceMigration\n"                                                      \
    "metadata: {" metadata "}\n" rest
#define LG_EX_MOVE_ORDERS(spec)                                                                    \
    LG_EX_MIGRATION("name: move-orders-db, namespace: web-servers", "spec: {" spec "}\n")
/* Another guest that runs, one document of several; `where` is ", nodeName: n1" or what else its
 * status says. */
#define LG_EX_GUEST(name, ns, where)                                                               \
    "---\n" LG_EX_VMI("name: " name ", namespace: " ns,                                            \
                      "spec: {domain: {}}\nstatus: {phase: Running" where "}\n")
/* Its migration, likewise. */
#define LG_EX_MOVING(name, ns, phase)                                                              \
    "---\n" LG_EX_MIGRATION("name: move-" name ", namespace: " ns,                                 \
                            "spec: {vmiName: " name "}\nstatus: {phase: " phase "}\n")

/* --- the cluster --- */

#define LG_EX_KUBEVIRT(rest)                                                                       \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: KubeVirt\n"                                                                             \
    "metadata: {name: kubevirt, namespace: kubevirt}\n" rest
#define LG_EX_CONFIGURATION(configuration)                                                         \
    LG_EX_KUBEVIRT("spec: {configuration: {" configuration "}}\n")
#define LG_EX_HYPERCONVERGED(spec)                                                                 \
    "apiVersion: hco.kubevirt.io/v1beta1\n"                                                        \
    "kind: HyperConverged\n"                                                                       \
    "metadata: {name: kubevirt-hyperconverged, namespace: openshift-cnv}\n"                        \
    "spec: {" spec "}\n"
/* The KubeVirt CR where HyperConverged puts it. */
#define LG_EX_HYPERCONVERGED_KUBEVIRT(migrations)                                                  \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: KubeVirt\n"                                                                             \
    "metadata: {name: kubevirt, namespace: openshift-cnv}\n"                                       \
    "spec: {configuration: {migrations: {" migrations "}}}\n"
#define LG_EX_NODE(name, labels, rest)                                                             \
    "apiVersion: v1\n"                                                                             \
    "kind: Node\n"                                                                                 \
    "metadata: {name: " name ", labels: {kubevirt.io/schedulable: \"true\"" labels "}}\n" rest
/* A node that a guest can be placed on, one document of several. */
#define LG_EX_WORKER(name, labels, spec)                                                           \
    "---\n" LG_EX_NODE(name, ", kubernetes.io/arch: amd64, " labels, "spec: {" spec "}\n")

/* --- storage --- */

#define LG_EX_CLAIM(metadata, spec)                                                                \
    "apiVersion: v1\n"                                                                             \
    "kind: PersistentVolumeClaim\n"                                                                \
    "metadata: {" metadata "}\n"                                                                   \
    "spec: {" spec "}\n"
#define LG_EX_CLASS(metadata, provisioner)                                                         \
    "apiVersion: storage.k8s.io/v1\n"                                                              \
    "kind: StorageClass\n"                                                                         \
    "metadata: {" metadata "}\n"                                                                   \
    "provisioner: " provisioner "\n"
#define LG_EX_PROFILE(name, rest)                                                                  \
    "apiVersion: cdi.kubevirt.io/v1beta1\n"                                                        \
    "kind: StorageProfile\n"                                                                       \
    "metadata: {name: " name "}\n" rest
/* A class and its profile, which says how CDI would make a claim of it; `modes` as in
 * "ReadWriteOnce". */
#define LG_EX_CLASS_AND_PROFILE(name, provisioner, modes)                                          \
    LG_EX_CLASS("name: " name, provisioner)                                                        \
    "---\n" LG_EX_PROFILE(name, "status: {claimPropertySets: [{accessModes: [" modes               \
                                "], volumeMode: Filesystem}]}\n")

/* --- policy --- */

#define LG_EX_POLICY(rest)     "apiVersion: livegate.io/v1\nkind: Policy\n" rest
#define LG_EX_VERSION(version) LG_EX_POLICY("kubevirtVersion: \"" version "\"\n")

#endif
