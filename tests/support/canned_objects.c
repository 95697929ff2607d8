#include "tests/support/canned_objects.h"

enum { NAMESPACES = 50, NODES = 1000 };

/* What servers keep about who wrote what: most of an object's bytes are of no use to a rule. */
static void filler(struct lg_buf *buf, size_t fields)
{
    lg_buf_puts(buf, "\"managedFields\":[{\"manager\":\"virt-controller\",\"operation\":\"Update\","
                     "\"apiVersion\":\"v1\",\"time\":\"2026-11-23T08:47:00Z\",\"fieldsType\":"
                     "\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{");
    for (size_t i = 0; i < fields; i++)
        lg_buf_printf(buf, "%s\"f:field-%zu\":{\".\":{},\"k:{\\\"uid\\\":\\\"%zu\\\"}\":{}}",
                      i != 0 ? "," : "", i, i * 7919);
    lg_buf_puts(buf, "}}}]");
}

static void metadata(struct lg_buf *buf, const char *stem, size_t i, bool namespaced, size_t fields)
{
    lg_buf_printf(buf, "\"metadata\":{\"name\":\"%s-%zu\",", stem, i);
    if (namespaced)
        lg_buf_printf(buf, "\"namespace\":\"ns-%zu\",", i % NAMESPACES);
    lg_buf_printf(buf,
                  "\"uid\":\"5a0c7d8e-0000-4000-8000-%012zu\",\"creationTimestamp\":"
                  "\"2026-10-01T10:00:00Z\",\"generation\":3,",
                  i);
    filler(buf, fields);
    lg_buf_printf(buf, ",\"labels\":{\"app\":\"%s\",\"touched\":\"0000000000\"", stem);
}

static void node(struct lg_buf *buf, size_t i)
{
    metadata(buf, "node", i, false, 25);
    lg_buf_printf(
        buf,
        ",\"kubernetes.io/hostname\":\"node-%zu\",\"kubernetes.io/arch\":\"amd64\","
        "\"kubevirt.io/schedulable\":\"true\",\"topology.kubernetes.io/zone\":\"zone-%zu\","
        "\"node-role.kubernetes.io/worker\":\"\",\"example-key-1\":\"example-value-1\","
        "\"example-key-2\":\"example-value-2\",\"example.io/example-key\":\"example-value-%zu\","
        "\"host-model-cpu.node.kubevirt.io/Haswell\":\"true\","
        "\"cpu-model.node.kubevirt.io/Haswell\":\"true\"",
        i, i % 3, i % 4 + 1);
    for (unsigned f = 0; f < 40; f++)
        lg_buf_printf(buf, ",\"cpu-feature.node.kubevirt.io/feature-%u\":\"true\"", f);
    lg_buf_printf(buf,
                  "}},\"spec\":{%s},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"
                  "\"True\",\"reason\":\"KubeletReady\"}],\"images\":[",
                  i % 10 == 9 ? "\"taints\":[{\"key\":\"gpu\",\"value\":\"true\",\"effect\":"
                                "\"NoSchedule\"}]"
                              : "\"podCIDR\":\"10.1.0.0/24\"");
    for (unsigned f = 0; f < 20; f++)
        lg_buf_printf(buf,
                      "%s{\"names\":[\"registry.example/image-%u@sha256:0123456789abcdef\"],"
                      "\"sizeBytes\":%u}",
                      f != 0 ? "," : "", f, 1000000 + f);
    lg_buf_puts(buf, "]}}");
}

static void claim_spec(struct lg_buf *buf, size_t i)
{
    lg_buf_printf(buf,
                  "\"accessModes\":[\"%s\"],\"resources\":{\"requests\":{\"storage\":\"30Gi\"}},"
                  "\"storageClassName\":\"nfs\",\"volumeMode\":\"Filesystem\"",
                  i % 4 == 3 ? "ReadWriteOnce" : "ReadWriteMany");
}

static void claim(struct lg_buf *buf, size_t i)
{
    metadata(buf, "claim", i, true, 12);
    lg_buf_puts(buf, "}},\"spec\":{");
    claim_spec(buf, i);
    lg_buf_printf(buf, ",\"volumeName\":\"volume-%zu\"},\"status\":{\"phase\":\"Bound\"}}", i);
}

static void volume(struct lg_buf *buf, size_t i)
{
    metadata(buf, "volume", i, false, 12);
    lg_buf_puts(buf, "}},\"spec\":{\"capacity\":{\"storage\":\"30Gi\"},\"accessModes\":"
                     "[\"ReadWriteMany\"],\"csi\":{\"driver\":\"nfs.csi.k8s.io\"}");
    if (i % 20 == 0)
        lg_buf_printf(buf,
                      ",\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{"
                      "\"matchExpressions\":[{\"key\":\"kubernetes.io/hostname\",\"operator\":"
                      "\"In\",\"values\":[\"node-%zu\"]}]}]}}",
                      i % NODES);
    lg_buf_puts(buf, "},\"status\":{\"phase\":\"Bound\"}}");
}

static void data_volume(struct lg_buf *buf, size_t i)
{
    metadata(buf, "claim", i, true, 12);
    lg_buf_puts(buf, "}},\"spec\":{\"source\":{\"registry\":{\"url\":\"docker://example/disk\"}},"
                     "\"storage\":{");
    claim_spec(buf, i);
    lg_buf_puts(buf, "}},\"status\":{\"phase\":\"Succeeded\"}}");
}

/* spec of a VMI, and of a VM's template, as KubeVirt's webhook leaves it. */
static void guest(struct lg_buf *buf, size_t i)
{
    lg_buf_printf(
        buf,
        "\"spec\":{\"architecture\":\"amd64\",\"domain\":{\"cpu\":{\"cores\":2,\"maxSockets\":4,"
        "\"model\":\"host-model\",\"sockets\":1,\"threads\":1},\"devices\":{\"disks\":[{"
        "\"bootOrder\":1,\"disk\":{\"bus\":\"virtio\"},\"name\":\"root\"},{\"disk\":{\"bus\":"
        "\"virtio\"},\"name\":\"data\"},{\"disk\":{\"bus\":\"virtio\"},\"name\":\"cloudinit\"}],"
        "\"interfaces\":[{\"macAddress\":\"02:23:5c:00:00:29\",\"masquerade\":{},\"model\":"
        "\"virtio\","
        "\"name\":\"default\",\"ports\":[{\"port\":22},{\"port\":80}]}],\"rng\":{}},\"features\":{"
        "\"acpi\":{\"enabled\":true},\"smm\":{\"enabled\":true}},\"firmware\":{\"bootloader\":{"
        "\"efi\":{"
        "\"secureBoot\":false}},\"uuid\":\"9e8c7d6f-0000-4000-8000-%012zu\"},\"machine\":{\"type\":"
        "\"q35\"},\"memory\":{\"guest\":\"4Gi\",\"maxGuest\":\"16Gi\"},\"resources\":{\"requests\":"
        "{"
        "\"memory\":\"4Gi\"}}},\"evictionStrategy\":\"LiveMigrate\",\"networks\":[{\"name\":"
        "\"default\","
        "\"pod\":{}}],\"nodeSelector\":{\"node-role.kubernetes.io/worker\":\"\"},"
        "\"terminationGracePeriodSeconds\":180,\"tolerations\":[{\"effect\":\"NoSchedule\",\"key\":"
        "\"virtualization\",\"operator\":\"Exists\"}],\"volumes\":[{\"dataVolume\":{\"name\":"
        "\"claim-%zu\"},\"name\":\"root\"},{\"name\":\"data\",\"persistentVolumeClaim\":{"
        "\"claimName\":"
        "\"claim-%zu\"}},{\"cloudInitNoCloud\":{\"userData\":\"#cloud-config\\nuser: cloud-user\\n"
        "password: 0123456789abcdef\\nchpasswd: { expire: False }\\nruncmd:\\n- systemctl enable "
        "--now "
        "qemu-guest-agent\\n\"},\"name\":\"cloudinit\"}]}",
        i, i, i + 50);
}

static void vm(struct lg_buf *buf, size_t i)
{
    metadata(buf, "vm", i, true, 78);
    lg_buf_puts(buf,
                "}},\"spec\":{\"runStrategy\":\"Always\",\"template\":{\"metadata\":{\"labels\":"
                "{\"app\":\"vm\"}},");
    guest(buf, i);
    lg_buf_puts(buf, "}},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
                     "\"lastProbeTime\":null},{\"type\":\"LiveMigratable\",\"status\":\"True\"},{"
                     "\"type\":\"AgentConnected\",\"status\":\"True\"}],\"created\":true,"
                     "\"printableStatus\":\"Running\",\"ready\":true}}");
}

static void vmi(struct lg_buf *buf, size_t i)
{
    metadata(buf, "vm", i, true, 78);
    lg_buf_printf(buf, ",\"kubevirt.io/nodeName\":\"node-%zu\"}},", i % NODES);
    guest(buf, i);
    lg_buf_printf(
        buf,
        ",\"status\":{\"activePods\":{\"7c6d5e4f-0000-4000-8000-%012zu\":\"node-%zu\"},"
        "\"conditions\":[{"
        "\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-10-01T10:01:00Z\"},{"
        "\"type\":\"LiveMigratable\",\"status\":\"True\"},{\"type\":\"StorageLiveMigratable\","
        "\"status\":\"True\"},{\"type\":\"AgentConnected\",\"status\":\"True\"}],\"guestOSInfo\":{"
        "\"name\":\"Fedora Linux\",\"kernelRelease\":\"6.5.6-300.fc39.x86_64\",\"version\":\"39\"},"
        "\"interfaces\":[{\"infoSource\":\"domain, guest-agent\",\"interfaceName\":\"eth0\","
        "\"ipAddress\":\"10.1.2.3\",\"ipAddresses\":[\"10.1.2.3\"],\"mac\":\"02:23:5c:00:00:29\","
        "\"name\":\"default\"}],\"launcherContainerImageVersion\":\"registry.example/virt-launcher@"
        "sha256:0123456789abcdef\",\"migrationMethod\":\"BlockMigration\",\"migrationTransport\":"
        "\"Unix\","
        "\"nodeName\":\"node-%zu\",\"phase\":\"Running\",\"phaseTransitionTimestamps\":[{\"phase\":"
        "\"Pending\",\"phaseTransitionTimestamp\":\"2026-10-01T10:00:00Z\"},{\"phase\":\"Running\","
        "\"phaseTransitionTimestamp\":\"2026-10-01T10:01:00Z\"}],\"qosClass\":\"Burstable\","
        "\"volumeStatus\":[",
        i, i % NODES, i % NODES);
    for (unsigned f = 0; f < 2; f++)
        lg_buf_printf(buf,
                      "%s{\"name\":\"%s\",\"persistentVolumeClaimInfo\":{\"accessModes\":["
                      "\"ReadWriteMany\"],\"capacity\":{\"storage\":\"30Gi\"},\"claimName\":"
                      "\"claim-%zu\",\"filesystemOverhead\":\"0.055\",\"requests\":{\"storage\":"
                      "\"30Gi\"},\"volumeMode\":\"Filesystem\"},\"target\":\"vd%c\"}",
                      f != 0 ? "," : "", f == 0 ? "root" : "data", i + 50 * (size_t)f,
                      'a' + (int)f);
    lg_buf_puts(buf, "]}}");
}

static void small(struct lg_buf *buf, enum lg_kind kind, size_t i)
{
    switch (kind) {
    case LG_KIND_STORAGE_CLASS:
        metadata(buf, "class", i, false, 3);
        lg_buf_printf(buf,
                      "},\"annotations\":{\"storageclass.kubernetes.io/is-default-class\":\"%s\""
                      "}},\"provisioner\":\"nfs.csi.k8s.io\"}",
                      i == 0 ? "true" : "false");
        return;
    case LG_KIND_STORAGE_PROFILE:
        metadata(buf, "class", i, false, 3);
        lg_buf_puts(buf, "}},\"spec\":{},\"status\":{\"claimPropertySets\":[{\"accessModes\":"
                         "[\"ReadWriteMany\"],\"volumeMode\":\"Filesystem\"}]}}");
        return;
    case LG_KIND_MIGRATION:
        metadata(buf, "migration", i, true, 3);
        lg_buf_printf(buf,
                      "}},\"spec\":{\"vmiName\":\"vm-%zu\"},\"status\":{\"phase\":"
                      "\"Succeeded\"}}",
                      i);
        return;
    case LG_KIND_KUBEVIRT:
        metadata(buf, "kubevirt", i, true, 3);
        lg_buf_puts(buf, "}},\"spec\":{\"configuration\":{\"network\":{"
                         "\"defaultNetworkInterface\":\"masquerade\"}}},\"status\":{"
                         "\"observedKubeVirtVersion\":\"v1.9.0\"}}");
        return;
    default:
        metadata(buf, lg_gvk(kind)->plural, i, lg_gvk(kind)->namespaced, 3);
        lg_buf_puts(buf, "}},\"spec\":{}}");
        return;
    }
}

static void (*const makers[LG_KIND_COUNT])(struct lg_buf *buf, size_t i) = {
    [LG_KIND_NODE] = node,     [LG_KIND_CLAIM] = claim,
    [LG_KIND_VOLUME] = volume, [LG_KIND_DATA_VOLUME] = data_volume,
    [LG_KIND_VM] = vm,         [LG_KIND_VMI] = vmi,
};

void lg_canned_object(enum lg_kind kind, size_t i, struct lg_buf *buf)
{
    const struct lg_gvk *gvk = lg_gvk(kind);
    lg_buf_putc(buf, '{');
    /* Items of custom resources say what they are; those of built-in kinds do not. */
    if (strstr(gvk->group, "kubevirt") != NULL)
        lg_buf_printf(buf, "\"apiVersion\":\"%s/%s\",\"kind\":\"%s\",", gvk->group, gvk->version,
                      gvk->kind);
    if (makers[kind] != NULL)
        makers[kind](buf, i);
    else
        small(buf, kind, i);
}
